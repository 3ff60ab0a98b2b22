// Waits: `tek waits`, everything in this folder that waits for a person or a time.
import { Option } from 'clipanion'
import { cutToWidth, neutraliseLine } from '#base/terminal-text.ts'
import type { WaitHere } from '#history/ask.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { clockTime, waitWords } from '#telemetry/wait-words.ts'
import { waitsOfFolder } from '../choose-wait.ts'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { shellWord } from '../shell-word.ts'

/** Waits that are printed for people; `--json` prints all. */
const MAX_SHOWN = 200

export class WaitsCommand extends TekCommand {
  static override paths = [['waits']]
  static override usage = {
    description: 'lists what waits for a person or a time in this folder',
    details: [
      'A line for each question and each time, under its run: what is asked, whom it was passed on to, since when it waits, and when it is due.',
      'Times are shown by the clock of this machine. With --json: `runId`, `program`, `workflow`, `state` of the run, and `kind` (`approval`, `time`), `task`, `question`,',
      '`askedOf`, `sinceMs`, `dueMs` (null: never), and `answer`: `{ verdict, by }` that no process has taken yet, or null.',
    ].join('\n'),
    examples: [['everything that waits', 'tek waits'], ['for programs', 'tek waits --json']] as [string, string][],
  }
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const waits = await waitsOfFolder(host)
    if (this.json) this.printJson({ version: 1, waits: waits.map(({ run: { runId, program, workflow, state }, wait, answer }) => ({ runId, program, workflow, state, ...wait, ...(wait.kind === 'approval' ? { answer } : {}) })) })
    else this.print(waits, host.now())
    return exitCodes.fine
  }

  private print(waits: readonly WaitHere[], nowMs: number): void {
    const { out, err } = this.context
    if (waits.length === 0) err.write('Nothing here waits for a person or a time.\n')
    let under = ''
    for (const each of waits.slice(0, MAX_SHOWN)) {
      const { run, wait } = each
      const id = run.runId.slice(0, SHORT_ID)
      if (run.runId !== under) out.write(`${id}  ${out.paint('bold', cutToWidth(`${neutraliseLine(run.program)} ${neutraliseLine(run.workflow)} · ${run.state}`, out.columns() - SHORT_ID - 2))}\n`)
      under = run.runId
      out.write(`  ${out.paint(wait.kind === 'approval' ? 'yellow' : 'dim', cutToWidth(waitWords(wait, nowMs), out.columns() - 2))}\n`)
      out.write(out.paint('dim', `    since ${clockTime(wait.sinceMs, nowMs)}${howAnswered(each, id)}\n`))
    }
    if (waits.length > MAX_SHOWN) err.write(`and ${waits.length - MAX_SHOWN} more; \`--json\` prints all\n`)
  }
}

/** What was answered, or how it is. */
function howAnswered({ wait, answer }: WaitHere, id: string): string {
  if (wait.kind === 'time') return ''
  if (answer !== null) return ` · ${answer.verdict} by ${neutraliseLine(answer.by)}: tek resume ${id}`
  const task = shellWord(neutraliseLine(wait.task))
  return ` · tek approve ${task} ${id} · tek refuse ${task} ${id}`
}
