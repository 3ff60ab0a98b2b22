import { parse } from '/work/main/src/compiler/1-syntax/parse.ts'
import { readFileSync } from 'node:fs'
for (const f of process.argv.slice(2)) {
  const text = readFileSync(f, 'utf8')
  const { value, diagnostics } = parse({ path: f, text })
  console.log(f, value.items.length, value.items.map(i => i.declaration.kind + (i.declaration.broken ? '!' : '')).join(' '))
  for (const d of diagnostics) {
    const line = text.slice(0, d.at!.start).split('\n').length
    console.log('  ', line, d.code, d.message, JSON.stringify(text.slice(d.at!.start, d.at!.end)), d.help.join(' | '), d.fixes.map(x => x.title).join('|'))
  }
}
