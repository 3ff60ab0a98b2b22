// Loop records: what is asked of recorded loops: which there are, their versions and decisions, an earlier champion.
// Owns: finding a loop by its name, going back to a version, asking one to stop. Does not own: what is kept (interpreter/journal/loops.ts).
//   R1. A champion is exchanged only while nobody drives the loop and no cycle is open: a cycle is judged against the champion that it began with.
//   R2. Files first, then the record, in the way of a promotion: asked for again after a crash it ends where it would have.
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import { type Answer, answer, readJournal, withJournal } from '#history/journal-access.ts'
import type { Host } from '#host/host.ts'
import type { LoopCycle, LoopDecision, LoopRow, LoopStore, LoopVersion } from '#interpreter/journal/loops.ts'
import { contentOf, Workspaces } from '#interpreter/loop/workspaces.ts'
import { isHeld, newLeaseOf } from './loop-lease.ts'

/** Versions, decisions and cycles that are listed. */
export const MAX_LISTED = 1_000

export interface RecordedLoop {
  readonly row: LoopRow
  readonly isDriven: boolean
  readonly open: LoopCycle | null
  readonly champion: LoopVersion | null
  readonly versions: readonly LoopVersion[]
  readonly decisions: readonly LoopDecision[]
  readonly cycles: readonly LoopCycle[]
}

/** A loop by its name, or `program:name` where several programs have one of that name; newest parts first. */
export function recordedLoop(host: Host, database: string, name: string): Promise<Answer<RecordedLoop>> {
  return readJournal(database, async journal => {
    const store = journal.loops!
    const found = find(store, name)
    if (found.kind === 'refused') return found
    const row = found.value
    const lease = store.lease(row.key)
    return answer({
      row, isDriven: lease !== null && isHeld(lease, host), open: store.open(row.key), champion: store.champion(row.key),
      versions: store.versions(row.key, MAX_LISTED), decisions: store.decisions(row.key, MAX_LISTED), cycles: store.past(row.key, MAX_LISTED),
    })
  })
}

/** Whether a loop of that name has run here. */
export function isLoop(database: string, name: string): Promise<Answer<boolean>> {
  return readJournal(database, async journal => answer(journal.loops !== null && find(journal.loops, name).kind === 'answer'))
}

/** Asks the process that drives a loop to end it between two cycles, and gives the run of the open one, to be stopped as any run. */
export function stopLoop(host: Host, database: string, name: string): Promise<Answer<{ readonly row: LoopRow; readonly isDriven: boolean; readonly runId: string | null }>> {
  return withJournal(database, async journal => {
    const store = journal.loops!
    const found = find(store, name)
    if (found.kind === 'refused') return found
    const { key } = found.value
    const lease = store.lease(key)
    const isDriven = lease !== null && isHeld(lease, host)
    if (isDriven) store.askToStop(key, host.now())
    return answer({ row: found.value, isDriven, runId: store.open(key)?.runId ?? null })
  })
}

export interface RolledBack {
  readonly row: LoopRow
  readonly from: number
  readonly to: number
}

/**
 * Makes an earlier version champion again, with its files.
 *
 * @param version null: the one that the champion came from; 0: as it was before the first.
 */
export function rollBack(host: Host, database: string, name: string, version: number | null, by: string, mayBeUnconfined: boolean): Promise<Answer<RolledBack>> {
  return withJournal(database, async journal => {
    const store = journal.loops!
    const found = find(store, name)
    if (found.kind === 'refused') return found
    const row = found.value
    const { key } = row
    const lease = newLeaseOf(host)
    const held = store.take(row, lease, each => isHeld(each, host)) // R1
    if (held !== null) return { kind: 'refused', diagnostics: [loopErrors['being-driven']({ loop: row.name, pid: held.pid, hostName: held.hostName })] }
    try {
      const open = store.open(key)
      if (open !== null) return { kind: 'refused', diagnostics: [loopErrors['cycle-open']({ loop: row.name, cycle: open.cycle })] }
      const champion = store.champion(key)
      const to = version ?? champion?.parent ?? 0
      const target = store.version(key, to)
      if (champion === null || (to !== 0 && target === null) || champion.version === to) return { kind: 'refused', diagnostics: [loopErrors['unknown-version']({ loop: row.name, version: String(to) })] }
      const [from, into] = [contentOf(champion.content), contentOf(target?.content ?? null)]
      if (from !== null && into !== null) { // R2
        const problem = await new Workspaces({ host, store, key, name: row.name, mayBeUnconfined }).restore(from, to, into)
        if (problem !== null) return { kind: 'refused', diagnostics: [problem] }
      }
      store.restore(key, lease.owner, to, { cycle: row.cycle, atMs: host.now(), stage: 'rollback', outcome: 'approved', rationale: `version ${champion.version} to version ${to}`, confidence: null, by })
      return answer({ row, from: champion.version, to })
    } finally {
      store.release(key, lease.owner)
    }
  })
}

function find(store: LoopStore, name: string): Answer<LoopRow> {
  const all = store.all()
  const matches = all.filter(each => each.name === name || `${each.program}:${each.name}` === name)
  if (matches.length === 1) return answer(matches[0]!)
  if (matches.length > 1) return { kind: 'refused', diagnostics: [loopErrors['several-loops']({ loop: name, programs: matches.map(each => each.program) })] }
  return { kind: 'refused', diagnostics: [loopErrors['unknown-loop']({ loop: name, known: all.map(each => each.name) })] }
}
