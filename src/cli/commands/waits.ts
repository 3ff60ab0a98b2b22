// Waits: `tek waits`, everything in this folder that waits for a person or a time.
import { Option } from 'clipanion'
import { cutToWidth, neutraliseLine } from '#base/terminal-text.ts'
import type { WaitHere } from '#history/ask.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { clockTime, MAX_LINE_QUESTION, waitWords } from '#telemetry/wait-words.ts'
import { questionLines } from '../ask-person.ts'
import { MAX_SUMMARY_WAITS, waitsOfFolder } from '../choose-wait.ts'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, recordedRuns } from '../recorded-runs.ts'
import { shellWord } from '../shell-word.ts'

/** Waits that are printed for people; `--json` prints all. */
const MAX_SHOWN = 200

export class WaitsCommand extends TekCommand {
  static override paths = [['waits']]
  static override usage = {
    description: 'lists what waits for a person or a time in this folder',
    details: [
      'A line for each question and each time, under its run: what is asked, whom it was passed on to, since when it waits, and when it is due. With RUN (its id, or its',
      'first letters, or `last`), the waits of that run alone, with its questions whole. Of one run at most 100 are listed; each further one is answered by its name.',
      'Times are shown by the clock of this machine. With --json: `runId`, `program`, `workflow`, `state` of the run, and `kind` (`approval`, `time`), `task`, `question`,',
      '`askedOf`, `sinceMs`, `dueMs` (null: never), and `answer`: `{ verdict, by }` that no process has taken yet, or null.',
    ].join('\n'),
    examples: [['everything that waits', 'tek waits'], ['a run, with its questions whole', 'tek waits 4f2a'], ['for programs', 'tek waits --json']] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const chosen = this.run === undefined ? null : chooseRun(await recordedRuns(host), this.run).runId
    const waits = (await waitsOfFolder(host)).filter(each => chosen === null || each.run.runId === chosen)
    if (this.json) this.printJson({ version: 1, waits: waits.map(({ run: { runId, program, workflow, state }, wait, answer }) => ({ runId, program, workflow, state, ...wait, ...(wait.kind === 'approval' ? { answer } : {}) })) })
    else this.print(waits, host.now())
    return exitCodes.fine
  }

  private print(waits: readonly WaitHere[], nowMs: number): void {
    const { out, err } = this.context
    if (waits.length === 0) err.write(`${this.run === undefined ? 'Nothing here' : 'Nothing in this run'} waits for a person or a time.\n`)
    let under = ''
    for (const each of waits.slice(0, MAX_SHOWN)) {
      const { run, wait } = each
      const id = run.runId.slice(0, SHORT_ID)
      if (run.runId !== under) out.write(`${id}  ${out.paint('bold', cutToWidth(`${neutraliseLine(run.program)} ${neutraliseLine(run.workflow)} · ${run.state}`, out.columns() - SHORT_ID - 2))}\n`)
      under = run.runId
      if (this.run !== undefined && wait.kind === 'approval') {
        out.write(`${[...questionLines(wait, nowMs, out.paint, out.columns() - 2), out.paint('dim', `  ${howAnswered(each, id)}`)].map(line => `  ${line}\n`).join('')}`)
        continue
      }
      const words = waitWords(wait, nowMs)
      const line = cutToWidth(words, out.columns() - 2)
      const isCut = wait.kind === 'approval' && (line !== words || wait.question.length > MAX_LINE_QUESTION)
      const facts = [`since ${clockTime(wait.sinceMs, nowMs)}`, howAnswered(each, id), isCut ? `whole: tek waits ${id}` : ''].filter(fact => fact !== '')
      out.write(`  ${out.paint(wait.kind === 'approval' ? 'yellow' : 'dim', line)}\n${out.paint('dim', `    ${facts.join(' · ')}`)}\n`)
    }
    const long = new Set(waits.filter((each, at) => waits[at + MAX_SUMMARY_WAITS - 1]?.run.runId === each.run.runId).map(each => each.run.runId.slice(0, SHORT_ID)))
    for (const id of long) err.write(`${id}: the first ${MAX_SUMMARY_WAITS} of its waits are listed; there may be more, and each is answered by its name.\n`)
    if (waits.length > MAX_SHOWN) err.write(`and ${waits.length - MAX_SHOWN} more; \`--json\` prints all\n`)
  }
}

/** What was answered, or how it is. */
function howAnswered({ wait, answer }: WaitHere, id: string): string {
  if (wait.kind === 'time') return ''
  if (answer !== null) return `${answer.verdict} by ${neutraliseLine(answer.by)}: tek resume ${id}`
  const task = shellWord(neutraliseLine(wait.task))
  return `tek approve ${task} ${id} · tek refuse ${task} ${id}`
}
