import { format } from '#compiler/1-syntax/format.ts'
import { readFileSync } from 'node:fs'
for (const f of process.argv.slice(2)) {
  const a = format({ path: f, text: readFileSync(f, 'utf8') })
  console.log(a.value, a.diagnostics.map(d => d.code))
  const b = format({ path: f, text: a.value })
  console.log(b.value === a.value ? 'IDEMPOTENT' : 'CHANGED ' + b.value, b.diagnostics.map(d => d.code))
}
