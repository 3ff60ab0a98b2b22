// Picture: what `tek demo crash` shows while it goes on, and what it says in the end.
// Owns: the live block on a terminal, plain lines elsewhere, the verdict's words. Does not own: the counts.
//   P1. On a terminal a block is redrawn at most 10 times a second; elsewhere there is a line for each kill, and nothing moves.
import { cutToWidth, elapsed, thousands } from '#base/terminal-text.ts'
import type { Output } from '../terminal.ts'
import { isKept, type Kill, type OrdealProgress, type Verdict } from './ordeal.ts'

const MIN_REDRAW_MS = 100
const BAR_COLUMNS = 40
const MAX_MARKS = 40

export class Picture {
  private readonly surface: Output
  private readonly tasks: number
  private readonly wanted: number
  private drawn = 0
  private drawnAtMs = 0
  private told = 0

  constructor(surface: Output, tasks: number, kills: number) {
    this.surface = surface
    this.tasks = tasks
    this.wanted = kills
  }

  show(progress: OrdealProgress): void {
    if (!this.surface.isTerminal) {
      for (; this.told < progress.kills.length; this.told++) this.surface.write(`${killLine(progress.kills[this.told]!, this.told + 1)}\n`)
      return
    }
    const now = performance.now()
    if (now - this.drawnAtMs < MIN_REDRAW_MS) return // P1
    this.drawnAtMs = now
    const lines = this.block(progress).map(line => cutToWidth(line, this.surface.columns() - 1))
    this.surface.write(`${this.erase()}${lines.join('\n')}\n`)
    this.drawn = lines.length
  }

  close(): void {
    this.surface.write(this.erase())
    this.drawn = 0
  }

  private erase(): string {
    return this.drawn === 0 ? '' : `\u001b[${this.drawn}A\u001b[J`
  }

  private block({ kills, pid, done, counts }: OrdealProgress): string[] {
    const marks = Math.min(this.wanted, MAX_MARKS)
    const struck = this.wanted === 0 ? 0 : Math.floor((kills.length / this.wanted) * marks)
    return [
      `tasks done  ${bar(done / this.tasks)}  ${thousands(done)} of ${thousands(this.tasks)}`,
      `effects     ${bar(counts.effects / this.tasks)}  ${thousands(counts.effects)} counted by the server`,
      `kill -9     ${`${'x'.repeat(struck)}${'.'.repeat(marks - struck)}`.padEnd(BAR_COLUMNS + 2)}  ${kills.length} of ${this.wanted}${pid === null ? '' : `, now process ${pid}`}`,
    ]
  }
}

function bar(fraction: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, fraction)) * BAR_COLUMNS)
  return `[${'='.repeat(filled)}${' '.repeat(BAR_COLUMNS - filled)}]`
}

function killLine({ pid, livedMs, done, counts }: Kill, number: number): string {
  return `kill ${number}: process ${pid} after ${elapsed(livedMs)}; ${thousands(done)} tasks done, ${thousands(counts.effects)} effects counted`
}

/** The end in words: the verdict first, then what was counted. */
export function verdictLines(verdict: Verdict, tasks: number, elapsedMs: number, heedsKeys: boolean): string[] {
  const { requests, keys, again, effects, lost, doubled, repeated, kills, asked, result, words } = verdict
  const early = kills.length < asked ? ` The program was done before the other ${asked - kills.length} kills.` : ''
  const lines = [
    `${thousands(tasks)} tasks, ${thousands(kills.length)} kills: ${thousands(effects)} effects, ${thousands(lost)} lost, ${thousands(doubled)} doubled, in ${elapsed(elapsedMs)}.${early}`,
    `The server received ${thousands(requests)} requests with ${thousands(keys)} different keys; ${thousands(again)} came again because their sender was killed before it had recorded the answer.`,
    heedsKeys ? 'It knew the keys of those and did nothing a second time.' : 'It heeds no keys, so each of those did its effect once more: that is what keys are for.',
    repeated === 0 ? 'No task that was recorded as done was asked for again.' : `${thousands(repeated)} requests were of tasks that had been recorded as done: a bug in tek.`,
  ]
  if (result === 'wrong') lines.push('The result of the program is wrong: a bug in tek.')
  if (result === 'none') lines.push(`The program came to no result.${words === '' ? '' : ` It said:\n${words}`}`)
  if (isKept(verdict)) return lines
  return heedsKeys || lost > 0 || repeated > 0 || result !== 'right' ? [...lines, 'This is not what tek promises.'] : lines
}
