// Stats: `tek stats [PROGRAM | RUN]`, what the runs of this folder measured of themselves.
// Owns: the two forms of programs and of a run. Does not own: the numbers (history/stats.ts).
import { Option } from 'clipanion'
import { cutToWidth, elapsed, neutraliseLine, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { ProgramStats } from '#history/stats.ts'
import type { Measurements, Series } from '#interpreter/journal/telemetry-store.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { databasePath } from '../recorded-runs.ts'
import type { Output } from '../terminal.ts'

const BARS = '▁▂▃▄▅▆▇█'
const MAX_SERIES_SHOWN = 60
const NAME_COLUMNS = 58

export class StatsCommand extends TekCommand {
  static override paths = [['stats']]
  static override usage = {
    description: 'what the runs of this folder measured: how long, how often they fail, what is slow',
    details: [
      'Without a name, each program that ran here; PROGRAM is one of them, RUN the id of a run, or its first letters, or `last`.',
      'The numbers lie in .tek/telemetry.db and never leave this machine; they are kept for 90 days, and go with their runs (`tek clean`).',
    ].join('\n'),
    examples: [['every program', 'tek stats'], ['one', 'tek stats flow.tek'], ['one run', 'tek stats last'], ['for programs', 'tek stats last --json']] as [string, string][],
  }
  what = Option.String({ name: 'PROGRAM | RUN', required: false })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const { cwd } = await this.context.host()
    const database = databasePath(cwd)
    const { measuredRuns, measurementsOf, programStats } = await import('#tek.ts')
    const { what } = this
    const runs = what === undefined ? [] : await measuredRuns(database)
    const isProgram = what === undefined || runs.some(each => each.program === what)
    if (isProgram) {
      const programs = await programStats(database, what)
      if (this.json) this.printJson({ version: 1, programs })
      else this.printPrograms(programs)
      return exitCodes.fine
    }
    const matches = what === 'last' ? runs.slice(0, 1) : runs.filter(each => each.runId.startsWith(what!))
    const found = matches.length === 1 ? await measurementsOf(database, matches[0]!.runId) : null
    if (matches.length > 1) throw new CliFailure([cliErrors['ambiguous-run']({ run: what!, matches: matches.slice(0, 5).map(each => each.runId) })], exitCodes.usage)
    if (found === null) throw new CliFailure([cliErrors['unknown-run']({ run: what! })], exitCodes.usage)
    if (this.json) this.printJson({ version: 1, ...found })
    else this.context.out.write(`${runLines(found, this.context.out).join('\n')}\n`)
    return exitCodes.fine
  }

  private printPrograms(programs: readonly ProgramStats[]): void {
    const { out, err } = this.context
    if (programs.length === 0) err.write('Nothing was measured here yet.\n')
    else out.write(`${programs.map(each => programLines(each, out).join('\n')).join('\n\n')}\n`)
  }
}

function programLines(stats: ProgramStats, out: Output): string[] {
  const { paint } = out
  const rate = stats.successRate === null ? 'none has ended' : `${Math.round(stats.successRate * 100)} % done`
  const lengths = stats.p50Ms === null ? '' : ` · half within ${elapsed(stats.p50Ms)}, 95 % within ${elapsed(stats.p95Ms!)}`
  const longest = Math.max(...stats.recent.map(each => each.elapsedMs), 1)
  const bars = stats.recent.map(({ elapsedMs, status }) => {
    const bar = BARS[Math.min(BARS.length - 1, Math.floor((elapsedMs / longest) * BARS.length))]!
    return status === 'done' ? bar : paint(status === 'failed' ? 'red' : 'yellow', bar)
  })
  const { hits, requests } = stats.cache
  const facts = [
    `${thousands(stats.attempts)} ${stats.attempts === 1 ? 'attempt' : 'attempts'}, ${thousands(stats.retries)} of them again`,
    requests === 0 ? '' : `cache ${Math.round((hits / requests) * 100)} % of ${thousands(requests)}`, `refused ${thousands(stats.refused)}`,
  ].filter(each => each !== '')
  const tasks = stats.slowest.map(({ kind, count, totalMs, p50Ms, p95Ms }) => {
    const times = `${thousands(count)} × · ${elapsed(totalMs)} · half within ${elapsed(p50Ms)}, 95 % within ${elapsed(p95Ms)}`
    return `  ${cutToWidth(neutraliseLine(kind), NAME_COLUMNS)} · ${times}`
  })
  return [
    `${paint('bold', neutraliseLine(stats.program))} · ${thousands(stats.runs)} ${stats.runs === 1 ? 'run' : 'runs'} · ${rate}${lengths}`,
    `  ${bars.join('')}  ${paint('dim', `the last ${stats.recent.length}, to ${new Date(stats.lastAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`)}`,
    `  ${facts.join(' · ')}`,
    ...(tasks.length === 0 ? [] : [paint('dim', '  where the time of tasks went'), ...tasks]),
  ].map(line => line.trimEnd())
}

function runLines({ run, series, events, samples }: Measurements, { paint }: Output): string[] {
  const shown = [...series].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : b.sum - a.sum)).slice(0, MAX_SERIES_SHOWN)
  const more = series.length - shown.length
  return [
    `${paint('bold', neutraliseLine(run.program))} · ${neutraliseLine(run.workflow)} · run ${run.runId.slice(0, SHORT_ID)} · ${run.status} · ${elapsed(run.elapsedMs)}`,
    ...shown.map(seriesLine),
    ...(more > 0 ? [paint('dim', `  and ${thousands(more)} more (--json lists all)`)] : []),
    paint('dim', `  ${thousands(events.length)} ${events.length === 1 ? 'event' : 'events'}, ${thousands(samples.length)} ${samples.length === 1 ? 'sample' : 'samples'} (--json)`),
  ]
}

function seriesLine({ name, kind, unit, attributes, count, sum, min, max }: Series): string {
  const about = Object.values(attributes).map(neutraliseLine).join(', ')
  const head = `  ${cutToWidth(`${name}${about === '' ? '' : `  ${about}`}`, NAME_COLUMNS).padEnd(NAME_COLUMNS)}`
  const inUnit = (value: number): string => (unit === 's' ? elapsed(value * 1_000) : `${thousands(Math.round(value))} ${unit.replace(/^\{(.*)\}$/, Math.round(value) === 1 ? '$1' : '$1s')}`)
  return kind === 'histogram' ? `${head}  ${thousands(count)} × · mean ${inUnit(sum / count)} · ${inUnit(min ?? 0)} to ${inUnit(max ?? 0)}` : `${head}  ${inUnit(sum)}`
}
