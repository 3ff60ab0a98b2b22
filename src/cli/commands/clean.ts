// Clean: `tek clean`, taking away what tek keeps in this folder.
// Owns: the options, what is said before and after. Does not own: what goes (history/clean.ts).
import { Option } from 'clipanion'
import { neutralise, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { CleanList, CleanOptions } from '#history/clean.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'

const STANDARD_AGE = '30d'
const MAX_KEPT = 1_000_000
const MAX_SHOWN_RUNS = 20
const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export class CleanCommand extends TekCommand {
  static override paths = [['clean']]
  static override usage = {
    description: 'takes away what tek keeps in this folder: old runs, caches, or everything',
    details: [
      `Without options, finished runs that began more than ${STANDARD_AGE} ago go. Runs that could be gone on with stay unless --unfinished is given, and those that are driven stay in any case.`,
      'The audit log stays: it is append-only. Only --all removes it, with everything else in `.tek`.',
    ].join('\n'),
    examples: [['what would go', 'tek clean --dry-run'], ['all finished runs but the newest 20', 'tek clean --keep 20'], ['what can be made again', 'tek clean --cache'], ['everything', 'tek clean --all']] as [string, string][],
  }
  olderThan = Option.String('--runs-older-than', { description: `finished runs that began longer ago: 30m, 12h, 30d, 4w (default ${STANDARD_AGE}; with --keep alone, all)` })
  keep = Option.String('--keep', { description: 'the newest runs that stay, however old' })
  unfinished = Option.Boolean('--unfinished', false, { description: 'also runs that could be gone on with' })
  cache = Option.Boolean('--cache', false, { description: 'cached results, built plugins, and the home of commands' })
  threads = Option.Boolean('--threads', false, { description: 'what agents remember across runs; `tek agents --forget NAME` forgets one thread' })
  all = Option.Boolean('--all', false, { description: 'the folder .tek with everything in it: runs, the audit log, caches' })
  dryRun = Option.Boolean('--dry-run', false, { description: 'list what would go, and change nothing' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const options = this.options()
    const host = await this.context.host()
    const { clean, whatToClean } = await import('#tek.ts')
    const list = answered(await whatToClean(host, options))
    const { out } = this.context
    if (!this.json) out.write(listText(list, options, this.dryRun))
    const done = this.dryRun ? null : answered(await clean(host, list, options))
    if (this.json) this.printJson({ version: 1, dryRun: this.dryRun, ...list, cleaned: done })
    else if (done !== null && done.databaseBytes !== null && done.databaseBytes !== list.databaseBytes) {
      out.write(`The database has ${bytes(done.databaseBytes)} now, and had ${bytes(list.databaseBytes)}.${done.isCompact ? '' : ' Another process is at work in it: its space is given back another time.'}\n`)
    }
    return exitCodes.fine
  }

  private options(): CleanOptions {
    const age = this.olderThan === undefined ? null : ageOf(this.olderThan)
    if (this.olderThan !== undefined && age === null) throw new CliFailure([cliErrors['bad-value']({ option: '--runs-older-than', value: this.olderThan, allowed: 'a length of time: 30m, 12h, 30d, 4w' })], exitCodes.usage)
    const keep = this.keep === undefined ? 0 : Number(this.keep)
    if (!/^\d+$/.test(this.keep ?? '0') || keep > MAX_KEPT) throw new CliFailure([cliErrors['bad-value']({ option: '--keep', value: this.keep!, allowed: `a whole number up to ${MAX_KEPT}` })], exitCodes.usage)
    const olderThanMs = age ?? (this.keep === undefined ? ageOf(STANDARD_AGE)! : null)
    return { olderThanMs, keep, unfinished: this.unfinished, cache: this.cache, threads: this.threads, all: this.all }
  }
}

function ageOf(text: string): number | null {
  const parts = /^(\d{1,6})([mhdw])$/.exec(text)
  return parts === null ? null : Number(parts[1]) * unitsMs[parts[2]!]!
}

function listText({ runs, driven, results, threads, paths }: CleanList, { all }: CleanOptions, isDry: boolean): string {
  const lines: string[] = []
  const verb = isDry ? 'would go' : 'go'
  if (all && driven.length > 0 && isDry) lines.push(`Runs that are driven now keep everything from being removed: ${driven.map(each => each.slice(0, SHORT_ID)).join(', ')}.`)
  if (runs.length > 0) lines.push(`${count(runs.length, 'run')} ${runs.length === 1 && !isDry ? 'goes' : verb}:`)
  for (const { runId, program, startedAtMs, state } of runs.slice(0, MAX_SHOWN_RUNS)) lines.push(`  ${runId.slice(0, SHORT_ID)}  ${new Date(startedAtMs).toISOString().slice(0, 16).replace('T', ' ')}  ${state}  ${neutralise(program)}`)
  if (runs.length > MAX_SHOWN_RUNS) lines.push(`  and ${thousands(runs.length - MAX_SHOWN_RUNS)} more`)
  if (results > 0) lines.push(`${count(results, 'cached result')} ${results === 1 && !isDry ? 'goes' : verb}.`)
  if (threads > 0) lines.push(`${count(threads, 'thread')} ${threads === 1 && !isDry ? 'goes' : verb}.`)
  for (const each of paths) lines.push(`${neutralise(each.path)} ${isDry ? 'would go' : 'goes'}: ${bytes(each.bytes)}.`)
  if (lines.length === 0) lines.push('There is nothing to clean.')
  else if (all) lines.push('That is everything tek keeps here, the audit log with it. Your answers in tek.permits.yaml stay.')
  else if (runs.length > 0) lines.push('The audit log stays: it is append-only.')
  return `${lines.join('\n')}\n`
}

const count = (number: number, what: string): string => `${thousands(number)} ${what}${number === 1 ? '' : 's'}`

function bytes(number: number): string {
  return number < 1_024 ? `${number} B` : number < 1_048_576 ? `${(number / 1_024).toFixed(1)} KB` : `${(number / 1_048_576).toFixed(1)} MB`
}
