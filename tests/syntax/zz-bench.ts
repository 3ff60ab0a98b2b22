import { parse, ParseCache } from '#compiler/1-syntax/parse.ts'
import { TekParser } from '#compiler/1-syntax/parser.ts'
import { lex } from '#compiler/1-syntax/lexer.ts'
import { cut } from '#compiler/1-syntax/cut.ts'
let t = performance.now()
try { new TekParser(true) } catch (e) { console.log((e as Error).message.slice(0, 3000)) }
console.log('validated', performance.now() - t)
t = performance.now(); new TekParser(); console.log('new', performance.now() - t)
const one = (n: number) => `/// Review number ${n}.
workflow review${n}(root: path = "src", max: int = 20) -> Finding[] {
  can fs.read("\${root}/**")
  task files = take(fs.glob("\${root}/**/*.ts"), 200)
  task scan for file in files by reviewer -> Finding[] retry 2 timeout 2m =
    prompt """Find in \${file}."""
  return flatten(scan)
}

`
let big = ''
for (let i = 0; i < 10000; i++) big += one(i)
console.log(big.length)
const cpu = (name: string, f: () => unknown) => { const a = process.cpuUsage(); const r = f(); const b = process.cpuUsage(a); console.log(name, (b.user + b.system) / 1000, 'ms'); return r }
for (let k = 0; k < 3; k++) {
  cpu('cut', () => cut(big)); cpu('lex', () => lex(big))
  const r = cpu('parse', () => parse({ path: 'a', text: big })) as ReturnType<typeof parse>
  console.log(r.value.items.length, r.diagnostics.length)
}
const cache = new ParseCache()
cpu('parse cold cache', () => parse({ path: 'a', text: big }, cache))
cpu('parse warm', () => parse({ path: 'a', text: big }, cache))
const changed = big.replace('Review number 5000', 'Review numbr 5000')
cpu('parse touched', () => parse({ path: 'a', text: changed }, cache))
const w = one(3)
parse({ path: 'a', text: w })
cpu('1000 pieces', () => { for (let i = 0; i < 1000; i++) parse({ path: 'a', text: w }) })
// planted mistakes
const edits: [RegExp, string][] = [[/"src"/, '"src'], [/\) -> /, ' -> '], [/ = take/, ' take'], [/return flatten\(scan\)/, 'return flatten(scan'], [/\n\}\n/, '\n\n'], [/timeout 2m/, 'timeout'], [/task files/, 'tsk files'], [/: path/, ' path'], [/in files/, 'files'], [/\{\n/, '\n'], [/Finding\[\]/, 'Finding[['], [/retry 2/, 'retries 2'], [/for file/, 'for'], [/200/, '200,,'], [/task scan/, 'task'], [/workflow/, 'workfow'], [/"""\./, '.'],[/\."""/, '.'],[/can fs.read\(/, 'can fs.read'], [/\$\{file\}/, '${file']]
const parts = Array.from({ length: 10000 }, (_, i) => one(i))
for (let i = 0; i < 100; i++) { const [a, b] = edits[i % edits.length]!; parts[i * 100 + 7] = parts[i * 100 + 7]!.replace(a, b) }
const bad = parse({ path: 'a', text: parts.join('') })
console.log('items', bad.value.items.length, 'reports', bad.diagnostics.length, 'broken', bad.value.items.filter(x => x.declaration.broken).length)
if (1) for (const [a, b] of edits) {
  const text = one(1) + one(2).replace(a, b) + one(3)
  const { value, diagnostics } = parse({ path: 'a', text })
  console.log(String(a), '→', JSON.stringify(b), value.items.length, value.items.map(x => x.declaration.broken ? 1 : 0).join(''))
  for (const d of diagnostics) console.log('    ', text.slice(0, d.at!.start).split('\n').length - 9, d.code, '|', d.message, '|', JSON.stringify(text.slice(d.at!.start, d.at!.end)))
}
