// Console: live progress on a terminal, redrawn in place.
// Owns: the block of lines at the bottom of the screen. Does not own: the result, which goes to standard output after it.
//   C1. At most 10 redraws a second, whatever the number of notices; the last state is always drawn.
//   C2. Never wider than the terminal, never more than MAX_RUNNING + MAX_WAITS + 3 lines: a wrapped line could not be taken back.
//   C3. Everything it shows of the program is neutralised.
import { cutToWidth, displayWidth, elapsed, neutralise, thousands } from '#base/terminal-text.ts'
import type { RunNotice, Wait } from '#model/report.ts'
import { finalLines } from './final-lines.ts'
import type { RunListener, Surface } from './listener.ts'
import { agentWords, sayingWords } from './agent-words.ts'
import { waitWords } from './wait-words.ts'

const MIN_REDRAW_MS = 100
const MAX_RUNNING = 5
/** Waits that are shown; questions first. */
const MAX_WAITS = 4
const MAX_LOG_ROWS = 3
const BAR_COLUMNS = 16
/** Start times kept for running tasks; more than this and the rest are shown without a time. */
const MAX_TIMED = 1_000

type Progress = Extract<RunNotice, { kind: 'progress' }>

/** Live progress on `surface`; `now` in milliseconds, never going back. */
export function consoleListener(surface: Surface, now: () => number, isKept = true): RunListener {
  let workflow = ''
  let startedMs = now()
  let progress: Progress | null = null
  let waits: readonly Wait[] = []
  let drawn = 0
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let dirty = false
  const started = new Map<string, number>()
  /** What agents say at the moment, by the path of their task. */
  const saying = new Map<string, string>()
  /** Ended since the last progress notice, whose list still names them. */
  const ended = new Set<string>()

  const erase = (): string => (drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`)

  const lines = (): string[] => {
    const { paint } = surface
    const columns = Math.max(20, surface.columns() - 1) // C2
    const fraction = progress?.fraction ?? 0
    const percent = `${Math.floor(fraction * 100)}%`.padStart(4)
    const filled = Math.round(fraction * BAR_COLUMNS)
    const counts = progress?.tasks
    const tail = [
      counts ? `${thousands(counts.done + counts.failed + counts.skipped + counts.cancelled)}/${thousands(counts.total)} tasks` : 'starting',
      counts && counts.failed > 0 ? `${thousands(counts.failed)} failed` : '',
      elapsed(now() - startedMs),
      progress?.etaMs != null && fraction < 1 ? `${elapsed(progress.etaMs)} left` : '',
    ].filter(each => each !== '')
    const bar = `[${'='.repeat(filled)}${' '.repeat(BAR_COLUMNS - filled)}]`
    const first = cutToWidth(`${bar}${percent}  ${tail.join(' · ')} · ${neutralise(workflow)}`, columns)
    const running = (progress?.running ?? []).filter(path => !ended.has(path))
    const shown = running.slice(0, MAX_RUNNING).map(path => {
      const since = started.get(path)
      const words = saying.get(path)
      return paint('dim', cutToWidth(`  ${neutralise(path).replace(/[\n\t]/g, ' ')}${since === undefined ? '' : `  ${elapsed(now() - since)}`}${words === undefined ? '' : `  ${words}`}`, columns))
    })
    if (running.length > MAX_RUNNING) shown.push(paint('dim', `  and ${thousands(running.length - MAX_RUNNING)} more`))
    return [first, ...shown, ...waitRows(columns)]
  }

  const waitRows = (columns: number): string[] => {
    const sorted = [...waits].sort((a, b) => Number(a.kind === 'time') - Number(b.kind === 'time'))
    const rows = sorted.slice(0, MAX_WAITS).map(wait => surface.paint(wait.kind === 'approval' ? 'yellow' : 'dim', cutToWidth(`  ${waitWords(wait)}`, columns)))
    return waits.length > MAX_WAITS ? [...rows, surface.paint('dim', cutToWidth(`  and ${thousands(waits.length - MAX_WAITS)} more to wait for (tek waits)`, columns))] : rows
  }

  const draw = (force: boolean): void => {
    const at = now()
    if (!force && at - drawnAtMs < MIN_REDRAW_MS) return // C1
    const block = lines()
    surface.write(`${erase()}${block.join('\n')}\n`)
    drawn = block.length
    drawnAtMs = at
    dirty = false
  }

  const clear = (): void => {
    surface.write(erase())
    drawn = 0
  }

  return {
    notice(notice) {
      switch (notice.kind) {
        case 'run-started':
          workflow = notice.workflow
          startedMs = now()
          break
        case 'progress':
          progress = notice
          ended.clear()
          break
        case 'task':
          if (notice.status !== 'running') {
            started.delete(notice.path)
            saying.delete(notice.path)
            if (ended.size < MAX_TIMED) ended.add(notice.path)
          } else if (started.size < MAX_TIMED && !started.has(notice.path)) started.set(notice.path, now())
          break
        case 'waits':
          waits = notice.waits
          break
        case 'model':
          saying.delete(notice.task)
          break
        case 'saying':
          if (saying.size < MAX_TIMED || saying.has(notice.task)) saying.set(notice.task, sayingWords(notice))
          break
        case 'log':
          clear()
          surface.write(`${logRows(`${neutralise(notice.task)}: ${neutralise(notice.message).replace(/[\n\t]/g, ' ')}`, surface.columns() - 1).join('\n')}\n`)
          break
        case 'agent':
          clear()
          surface.write(`${logRows(agentWords(notice), surface.columns() - 1).join('\n')}\n`)
          break
        case 'run-finished':
          clear()
          progress = null
          surface.write(`${finalLines(notice.summary, surface.paint, isKept).join('\n')}\n`)
          return
      }
      dirty = true
      draw(false)
    },
    tick: () => {
      if (drawn > 0 || dirty) draw(false)
    },
    close: () => clear(),
  }
}

/** A line of a log, broken between words, in at most MAX_LOG_ROWS rows that fit. // C2 */
function logRows(text: string, columns: number): string[] {
  const rows: string[] = []
  let row = ''
  for (const word of text.split(' ')) {
    const isFull = row.trim() !== '' && displayWidth(row) + 1 + displayWidth(word) > columns
    if (isFull && rows.length < MAX_LOG_ROWS - 1) {
      rows.push(row)
      row = `  ${word}`
    } else row = row === '' ? word : `${row} ${word}`
  }
  return [...rows, row].map(each => cutToWidth(each, columns))
}
