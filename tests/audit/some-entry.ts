// Some entry: a decision, different for each number; every fifth is a refusal.
import type { AuditEntry } from '#interpreter/audit/trail.ts'

export const someEntry = (i: number): AuditEntry => ({
  kind: 'decision', task: `t[${i}]`, call: 'fs.read', grant: { name: 'fs.read', args: [`src/ä${i}.ts`] }, allowed: i % 5 !== 0,
})
