import { parse } from '#compiler/1-syntax/parse.ts'
import { readFileSync, writeFileSync, readdirSync } from 'node:fs'
const cases: [string, string][] = JSON.parse(readFileSync('/tmp/cases.json', 'utf8'))
let out = ''
for (const [name, source] of cases) {
  const ds = parse({ path: 'a', text: source }).diagnostics
  const lines = source.split('\n'); const res: string[] = []
  let off = 0
  lines.forEach((line, i) => {
    res.push(line)
    for (const d of ds) {
      const s = d.at!.start
      if (s >= off && s <= off + line.length) {
        const col = s - off; const end = Math.max(col + 1, Math.min(d.at!.end - off, line.length))
        if (col < 2) throw new Error('column too small: ' + name)
        res.push('//' + ' '.repeat(col - 2) + '^'.repeat(end - col) + ' ' + d.severity + ' ' + d.code)
      }
    }
    off += line.length + 1
  })
  out += `--- ${name}\n${res.join('\n').replace(/\n+$/, '')}\n\n`
}
writeFileSync('/work/main/tests/syntax/errors.tek', out)
