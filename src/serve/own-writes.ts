// Own writes: the files that a run changed by its own calls, from the audit log.
// Owns: reading them off. Does not own: the entries (interpreter/audit), what follows (file-trigger.ts).
//   O1. What the commands of a run changed is not in there by name: such a change counts as somebody else's.
import type { AuditLog } from '#interpreter/journal/audit-log.ts'
import { readBody } from '#interpreter/audit/chain.ts'

const ROWS_AT_ONCE = 5_000
/** Entries looked at, for one run. */
const MAX_ROWS = 200_000
const written = /^fs\.(?:write|delete)\((".*")\)$/

/** Path as the guard saw it → when the last call that was allowed to change it ended. */
export function ownWrites(audit: AuditLog, runId: string): ReadonlyMap<string, number> {
  const calls = new Map<string, string[]>()
  const paths = new Map<string, number>()
  let after = 0
  for (let seen = 0; seen < MAX_ROWS; ) {
    const rows = audit.rows(after, ROWS_AT_ONCE, runId)
    for (const row of rows) {
      const fact = readBody(row.body)
      if (fact === null) continue
      const key = `${fact.task} ${fact.call}`
      const path = fact.kind === 'decision' ? pathOf(fact.what) : null
      if (path !== null) {
        calls.set(key, [...(calls.get(key) ?? []), path])
        paths.set(path, fact.atMs)
      }
      if (fact.kind !== 'outcome') continue
      for (const each of calls.get(key) ?? []) paths.set(each, Math.max(paths.get(each)!, fact.atMs))
      calls.delete(key)
    }
    if (rows.length < ROWS_AT_ONCE) break
    seen += rows.length
    after = rows.at(-1)!.seq
  }
  return paths
}

function pathOf(grant: string): string | null {
  const quoted = written.exec(grant)?.[1]
  if (quoted === undefined) return null
  try {
    return JSON.parse(quoted) as string
  } catch {
    return null
  }
}
