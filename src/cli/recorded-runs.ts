// Recorded runs: finds a run of this folder by the beginning of its id.
// Owns: where the database is, coded answers. Does not own: what is in it (tek.ts, interpreter/journal).
import { join } from 'node:path'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { RecordedRun, RunReport } from '#model/report.ts'
import { answered, CliFailure } from './command.ts'
import { exitCodes } from './exit-codes.ts'

export function databasePath(cwd: string): string {
  return join(cwd, '.tek', 'tek.db')
}

/** Every run recorded here, newest first; none when there is no database. */
export async function recordedRuns(host: Host): Promise<readonly RecordedRun[]> {
  if ((await host.files.stat(databasePath(host.cwd))) === null) return []
  const { listRuns } = await import('#tek.ts')
  return answered(await listRuns(host, databasePath(host.cwd)))
}

/** The one run whose id begins with `start`; `last` is the newest. */
export function chooseRun(runs: readonly RecordedRun[], start: string): RecordedRun {
  const matches = start === 'last' ? runs.slice(0, 1) : runs.filter(each => each.runId.startsWith(start))
  const exact = matches.find(each => each.runId === start) ?? (matches.length === 1 ? matches[0] : undefined)
  if (matches.length > 1 && !exact) throw new CliFailure([cliErrors['ambiguous-run']({ run: start, matches: matches.slice(0, 5).map(each => each.runId) })], exitCodes.usage)
  if (!exact) throw new CliFailure([cliErrors['unknown-run']({ run: start })], exitCodes.usage)
  return exact
}

/** What that run did. */
export async function findRun(host: Host, start: string): Promise<RunReport> {
  const { runId } = chooseRun(await recordedRuns(host), start)
  const { showRun } = await import('#tek.ts')
  const report = answered(await showRun(databasePath(host.cwd), runId))
  if (!report) throw new CliFailure([cliErrors['unknown-run']({ run: start })], exitCodes.usage)
  return report
}
