// Show: `tek show RUN`, what a run did, task by task.
import { Option } from 'clipanion'
import { cutToWidth, displayWidth, elapsed, neutralise, neutraliseLine, padToWidth, thousands, type Paint } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { RunReport, TaskReport, TaskStatus } from '#model/report.ts'
import { nameOfAgent, talkWords, traceOf, usageByAgent, usageWords, type TraceRow } from '#report/trace.ts'
import { finalLines, SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { evidenceTasks, verifyEvidence, writeEvidence } from '../evidence.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { printFailure } from '../failure.ts'
import { peopleLines } from '../people-lines.ts'
import { printValue } from '../print-value.ts'
import { databasePath, findRun } from '../recorded-runs.ts'
import { tekVersion } from '../install-place.ts'
import { writeFile } from '../source-files.ts'
import type { Output } from '../terminal.ts'

const MAX_TASK_COLUMNS = 40
/** Tasks that are listed; failed ones always are. */
const MAX_TASKS = 500
/** Agents whose needs are listed. */
const MAX_AGENTS = 20
/** Lines that tools said which are shown, their characters, and how far back they are looked for. */
const MAX_SAID_LINES = 5
const MAX_SAID_LENGTH = 400
const MAX_READ_LINES = 1_000

export class ShowCommand extends TekCommand {
  static override paths = [['show']]
  static override usage = {
    description: 'what a run did, task by task; of a loop, how it stands and what it decided',
    details: 'RUN is the id of a run, or its first letters, or `last`; or the name of a loop that has run here.',
    examples: [
      ['the newest run', 'tek show last'], ['a run', 'tek show 4f2a'], ['its result alone', 'tek show 4f2a --result'],
      ['one file to pass on', 'tek show last --html run.html'], ['for programs', 'tek show 4f2a --json'], ['a loop', 'tek show upgrades'], ['why a loop did what it did', 'tek show upgrades --decisions'],
      ['everything that is known of it, in a folder', 'tek show last --out evidence'], ['is such a folder as it was written?', 'tek show --verify evidence'],
    ] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  result = Option.Boolean('--result', false, { description: 'print only the result' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })
  html = Option.String('--html', { description: 'write the report as one HTML file that opens anywhere' })
  out = Option.String('--out', { description: 'write a folder with the evidence of the run: what each task was made from, did and came to' })
  tasks = Option.String('--tasks', { description: 'with --out, the tasks that get a file of their own: failed, all (default: 1,000 of them, failed ones first)' })
  force = Option.Boolean('--force', false, { description: 'with --out, replace a folder that is there, whatever is in it' })
  decisions = Option.Boolean('--decisions', false, { description: 'of a loop: what was decided in each stage, why, and how sure it was' })
  verify = Option.String('--verify', { description: 'compare a folder that --out wrote with its manifest' })

  override async execute(): Promise<ExitCode> {
    if (this.verify !== undefined) return verifyEvidence(this.context, this.verify, this.json)
    if (this.run === undefined) throw new CliFailure([cliErrors['missing-argument']({ command: 'show', what: 'a run: its id, or `last`' })], exitCodes.usage)
    for (const [option, isGiven] of [['--tasks', this.tasks !== undefined], ['--force', this.force]] as const) {
      if (isGiven && this.out === undefined) throw new CliFailure([cliErrors['unfit-option']({ option, fits: 'with', other: '--out' })], exitCodes.usage)
    }
    const which = evidenceTasks(this.tasks)
    const host = await this.context.host()
    const loop = await this.recordedLoop(host, this.run)
    if (loop !== null) return loop
    if (this.decisions) throw new CliFailure([cliErrors['unfit-option']({ option: '--decisions', fits: 'with', other: 'the name of a loop' })], exitCodes.usage)
    const report = await findRun(host, this.run)
    const { out, err } = this.context
    const { outcome } = report.summary
    if (this.out !== undefined) {
      const exported = await writeEvidence(this.context, report.summary.runId, { out: this.out, tasks: which, isForced: this.force })
      if (this.json) this.printJson({ version: 1, ...exported })
      return exitCodes.fine
    }
    if (this.html !== undefined) await this.writeHtml(this.html, report)
    if (this.json) this.printJson({ version: 1, ...report })
    else if (!this.result) out.write(`${[...reportLines(report, out), ...peopleLines(report, out, host.now()), ...(await this.saidLines(report, out))].join('\n')}\n`)
    if (!this.json && outcome?.kind === 'value') printValue(out, outcome.value)
    if (!this.json && outcome?.kind === 'failure') printFailure(err, outcome.failure)
    return exitCodes.fine
  }

  /** A loop of that name, shown; null where there is none. */
  private async recordedLoop(host: Host, name: string): Promise<ExitCode | null> {
    if (/^(?:last|[0-9a-f]{1,12})$/.test(name) && !this.decisions) return null // a run
    if ((await host.files.stat(databasePath(host.cwd))) === null) return null
    const [{ isLoop, recordedLoop }, { loopLines }] = await Promise.all([import('#loops/loop-records.ts'), import('../show-loop.ts')])
    if (!this.decisions && !answered(await isLoop(databasePath(host.cwd), name))) return null
    const loop = answered(await recordedLoop(host, databasePath(host.cwd), name))
    if (this.json) this.printJson({ version: 1, ...loop })
    else this.context.out.write(`${loopLines(loop, this.decisions, this.context.out).join('\n')}\n`)
    return exitCodes.fine
  }

  /** The last that its tools said. */
  private async saidLines({ summary }: RunReport, out: Output): Promise<string[]> {
    const { runLog } = await import('#tek.ts')
    const { lines, total } = answered(await runLog(databasePath((await this.context.host()).cwd), summary.runId, { limit: MAX_READ_LINES }))
    const said = lines.filter(each => each.level === 'info' && each.by === undefined) // failures stand with their tasks
    const shown = said.slice(-MAX_SAID_LINES)
    if (shown.length === 0) return []
    const more = said.length - shown.length + (total - lines.length)
    const head = `said by tools${more > 0 ? `, the last ${shown.length} lines` : ''} (tek logs ${summary.runId.slice(0, SHORT_ID)})`
    return [out.paint('dim', head), ...shown.map(({ task, message }) => `  ${neutraliseLine(task)}: ${neutraliseLine(message).slice(0, MAX_SAID_LENGTH)}`)]
  }

  private async writeHtml(path: string, report: RunReport): Promise<void> {
    const { runReportHtml } = await import('#report/run-report.ts')
    await writeFile(await this.context.host(), path, runReportHtml(report, tekVersion()))
  }
}

const colours: Readonly<Partial<Record<TaskStatus, 'green' | 'red' | 'yellow' | 'dim'>>> = { done: 'green', failed: 'red', running: 'yellow', skipped: 'dim', cancelled: 'dim' }

function reportLines(report: RunReport, out: Output): string[] {
  const { summary } = report
  const when = new Date(summary.startedAtMs).toISOString().slice(0, 19).replace('T', ' ')
  const all = traceOf(report)
  const rows = [...all.filter(({ task }) => task.status === 'failed'), ...all.filter(({ task }) => task.status !== 'failed')].slice(0, MAX_TASKS)
  const chosen = new Set(rows)
  const width = Math.min(MAX_TASK_COLUMNS, Math.max(0, ...rows.map(row => displayWidth(nameOfRow(row)))))
  const lines = [`${out.paint('bold', neutralise(summary.program))} · ${summary.runId} · ${when} UTC`]
  // In the order of the run; the choice above only makes sure that failures are among them.
  for (const row of all) if (chosen.has(row)) lines.push(taskLine(row, width, out.columns(), out.paint))
  if (all.length > rows.length) lines.push(out.paint('dim', `and ${all.length - rows.length} more tasks (--json lists all)`))
  lines.push(...agentLines(report, out.paint))
  const { audit } = report
  const proof = audit == null ? 'nothing was decided' : `${thousands(audit.entries)} ${audit.entries === 1 ? 'entry' : 'entries'}, ${thousands(audit.first)} to ${thousands(audit.last)} (tek audit show ${summary.runId.slice(0, SHORT_ID)})`
  return [...lines, ...finalLines(summary, out.paint, false), out.paint('dim', `audit log: ${proof}`)]
}

/** How a task is named, beneath the agent that asked for it. */
function nameOfRow({ name, around }: TraceRow): string {
  const lines = around.map((more, at) => (at < around.length - 1 ? (more ? '│ ' : '  ') : more ? '├ ' : '└ '))
  return `${lines.join('')}${neutralise(name)}`
}

function taskLine(row: TraceRow, width: number, columns: number, paint: Paint): string {
  const { task } = row
  const colour = colours[task.status]
  const status = colour ? paint(colour, task.status.padEnd(9)) : task.status.padEnd(9)
  const facts = [elapsed(task.elapsedMs), task.attempts > 1 ? `${task.attempts} attempts` : '', task.cached ? 'from cache' : '', ...talkWords(row).map(neutralise), what(task)].filter(each => each !== '')
  return `  ${status} ${padToWidth(cutToWidth(nameOfRow(row), width), width)}  ${cutToWidth(facts.join(' · '), Math.max(20, columns - width - 14))}`
}

/** Where several agents were asked, what each of them needed. */
function agentLines(report: RunReport, paint: Paint): string[] {
  const agents = usageByAgent(report)
  if (agents.length < 2) return []
  const width = Math.max(...agents.slice(0, MAX_AGENTS).map(({ agent }) => displayWidth(neutralise(nameOfAgent(agent)))))
  const lines = agents.slice(0, MAX_AGENTS).map(({ agent, conversations, usage }) => {
    const count = `${conversations} ${conversations === 1 ? 'conversation' : 'conversations'}`
    return `  ${padToWidth(neutralise(nameOfAgent(agent)), width)}  ${count} · ${usageWords(usage)}`
  })
  return [paint('dim', 'agents'), ...lines, ...(agents.length > MAX_AGENTS ? [paint('dim', `  and ${agents.length - MAX_AGENTS} more agents`)] : [])]
}

function what(task: TaskReport): string {
  if (task.outcome?.kind === 'failure') return `${task.outcome.failure.code}: ${neutralise(task.outcome.failure.message).replace(/[\n\t]/g, ' ')}`
  if (task.outcome?.kind === 'value' && task.outcome.value !== null) return neutralise(JSON.stringify(task.outcome.value).slice(0, 200)).replace(/[\n\t]/g, ' ')
  return ''
}
