import { parse } from '#compiler/1-syntax/parse.ts'
import { format } from '#compiler/1-syntax/format.ts'
const shapes: Record<string, (n: number) => string> = {
  list: n => 'const x = ' + '['.repeat(n) + '1' + ']'.repeat(n),
  group: n => 'const x = ' + '('.repeat(n) + '1+1' + ')'.repeat(n),
  record: n => 'const x = ' + '{a:'.repeat(n) + '1' + '}'.repeat(n),
  call: n => 'const x = ' + 'f('.repeat(n) + '1' + ')'.repeat(n),
  index: n => 'const x = ' + 'f['.repeat(n) + '1' + ']'.repeat(n),
  match: n => 'const x = ' + 'match a { _ => '.repeat(n) + '1' + '}'.repeat(n),
  iff: n => 'const x = ' + 'if a then 1 else '.repeat(n) + '1',
  lambda: n => 'const x = ' + 'a => '.repeat(n) + '1',
  type: n => 'type X = ' + '{a:'.repeat(n) + 'int' + '}'.repeat(n),
  typeg: n => 'type X = ' + 'map<'.repeat(n) + 'int' + '>'.repeat(n),
  templ: n => 'const x = ' + '"${'.repeat(n) + '1' + '}"'.repeat(n),
  compr: n => 'const x = ' + '['.repeat(n) + '1' + ' for a in b]'.repeat(n),
}
for (const [name, make] of Object.entries(shapes)) {
  let lo = 0
  for (const n of [60, 90, 120, 150, 180, 220, 255, 256]) { try { format({ path: 'a', text: make(n) }); lo = n } catch (e) { break } }
  console.log(name, lo)
}
for (const n of [100000]) for (const t of ['const x = ' + '['.repeat(n), 'const x = ' + Array(n).fill('1').join('+'), 'const x = ' + 'not '.repeat(n) + 'a', 'const x = a' + '.b'.repeat(n), 'type X = a' + '[]'.repeat(n), 'const x = ' + '"${'.repeat(n), 'const x = ' + 'if a then '.repeat(n), 'const x = ' + 'a => '.repeat(n), 'const x = ' + ')'.repeat(n), 'const x = a' + ' |> f'.repeat(n), 'type X = ' + '{a:'.repeat(n), 'type X = ' + 'map<'.repeat(n), 'const x = [' + ',,'.repeat(n), '{'.repeat(n)+'\nconst y = 1', 'x\n'.repeat(n), 'task a\n'.repeat(n)]) {
  const s = performance.now()
  try { const r = parse({ path: 'a', text: t }); console.log(t.slice(10, 30), r.diagnostics.slice(0, 3).map(d => d.code), r.diagnostics.length, r.value.items.length, Math.round(performance.now() - s)) } catch (e) { console.log(t.slice(10, 30), String(e).slice(0, 100)) }
}
