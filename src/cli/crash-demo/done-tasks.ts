// Done tasks: what the journal in a folder says is finished, as it lies there.
// Owns: reading it. Does not own: what follows from it (ordeal.ts).
import { nodeHost } from '#host/node-host.ts'
import { listRuns, showRun } from '#tek.ts'
import { databasePath } from '../recorded-runs.ts'

/** Indexes of the tasks `effect[…]` of the newest run that are done; null where there is no run. */
export async function doneTasks(folder: string): Promise<ReadonlySet<number> | null> {
  const database = databasePath(folder)
  const listed = await listRuns(nodeHost({ cwd: folder }), database)
  const runId = listed.kind === 'answer' ? listed.value[0]?.runId : undefined
  if (runId === undefined) return null
  const answer = await showRun(database, runId)
  const tasks = answer.kind === 'answer' ? (answer.value?.tasks ?? []) : []
  return new Set(tasks.flatMap(each => (each.status === 'done' ? (/^effect\[(\d+)\]$/.exec(each.path)?.[1] ?? []) : [])).map(Number))
}
