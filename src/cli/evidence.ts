// Evidence: the folder of a run, written and checked from the command line.
// Owns: the options' words, what is said about it. Does not own: the folder (history/export.ts), the page (report).
import { neutraliseLine, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import type { ExportTasks } from '#tek.ts'
import { answered, CliFailure, type CliContext } from './command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { tekVersion } from './install-place.ts'
import { databasePath } from './recorded-runs.ts'

export interface EvidenceOptions {
  /** The folder as it was written on the command line. */
  readonly out: string
  readonly tasks: ExportTasks
  readonly isForced: boolean
}

/** The value of `--tasks`. */
export function evidenceTasks(text: string | undefined): ExportTasks {
  if (text === undefined) return 'standard'
  if (text === 'failed' || text === 'all') return text
  throw new CliFailure([cliErrors['bad-value']({ option: '--tasks', value: text, allowed: '`failed` or `all`' })], exitCodes.usage)
}

/** Fails when the evidence could not be put there, before anything is run. */
export async function checkEvidencePlace(context: CliContext, out: string): Promise<void> {
  const { exportPlace } = await import('#tek.ts')
  answered(await exportPlace(await context.host(), out, false))
}

/** Writes the folder and says so on standard error. */
export async function writeEvidence({ host: openHost, err }: CliContext, runId: string, options: EvidenceOptions): Promise<object> {
  const host = await openHost()
  const [{ exportRun }, { runReportHtml }] = await Promise.all([import('#tek.ts'), import('#report/run-report.ts')])
  const version = tekVersion()
  const exported = answered(await exportRun(host, databasePath(host.cwd), runId, { ...options, tekVersion: version, page: (report, fileOf) => runReportHtml(report, version, fileOf) }))
  const { tasks, files } = exported
  const left = tasks.total - tasks.written
  const more = options.tasks === 'standard' ? ' (`--tasks all`)' : ''
  const leftOut = left > 0 ? `; ${thousands(left)} of ${thousands(tasks.total)} tasks have no file of their own${more}` : ''
  err.write(`The evidence of run ${runId.slice(0, SHORT_ID)} is in ${neutraliseLine(options.out)}: ${thousands(files)} files${leftOut}.\n`)
  return { out: options.out, ...exported }
}

/** Says whether a folder is what was written. */
export async function verifyEvidence({ host: openHost, out }: CliContext, folder: string, isJson: boolean): Promise<ExitCode> {
  const { verifyExport } = await import('#tek.ts')
  const { runId, files, problem } = answered(await verifyExport(await openHost(), folder))
  if (problem !== null) throw new CliFailure([problem], exitCodes.failed)
  if (isJson) out.write(`${JSON.stringify({ version: 1, same: true, runId, files }, null, 2)}\n`)
  else out.write(`${out.paint('green', 'the same')} · run ${runId.slice(0, SHORT_ID)} · ${thousands(files)} files are as they were written\n`)
  return exitCodes.fine
}
