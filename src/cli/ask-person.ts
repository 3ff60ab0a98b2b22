// Ask person: the questions of a run, asked one after the other at the terminal in which it runs.
// Owns: when a question is asked, how it looks, what an answer means. Does not own: what an answer does (interpreter), reading a line (read-line.ts).
//   A1. While a question stands, nothing else writes to the terminal: the display is held, and told afterwards what it missed.
//   A2. A question is the program's text, perhaps an agent's: it is neutralised, and each line of it is marked. What is approved is what is shown:
//       where that is not all of it, a line says so.
//   A3. Only a clear yes approves. Enter, Ctrl-C and the end of input leave the question for later, and it is not asked again here.
//   A4. A question that was answered elsewhere, or whose time ran out, is no longer asked: the person is told, and the next one follows.
import { displayWidth, neutralise, neutraliseLine, thousands, type Paint } from '#base/terminal-text.ts'
import type { RunRequest } from '#interpreter/journal/journal.ts'
import type { Failure } from '#model/event.ts'
import type { RunNotice, Wait } from '#model/report.ts'
import type { HeldListener } from '#telemetry/held.ts'
import { clockTime } from '#telemetry/wait-words.ts'
import type { LineReader } from './read-line.ts'
import type { Output } from './terminal.ts'

/** Characters of a question that are shown: more than a run asks (engine/protocol.ts). */
const MAX_QUESTION_LENGTH = 20_000
/** Empty lines one after the other that are shown as they are: a screen full of them would hide what stands above. */
const MAX_EMPTY_LINES = 2
/** Answers that are no answer, to one question. */
const MAX_TRIES = 20
/** Tasks whose last word is remembered, to say what became of a question. */
const MAX_REMEMBERED = 1_000
/** Characters of a failure's details in what is said of it here. */
const MAX_SAID_LENGTH = 300

type Question = Extract<Wait, { kind: 'approval' }>

export interface AskPersonSettings {
  readonly err: Output
  readonly reader: LineReader
  readonly listener: HeldListener
  /** Who answers: recorded with the answer. */
  readonly by: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Null, or why it could not be recorded. */
  readonly answer: (runId: string, request: RunRequest) => Promise<string | null>
}

export class AskPerson {
  private readonly settings: AskPersonSettings
  /** Questions that stand, by their tasks. */
  private open = new Map<string, Question>()
  /** Tasks whose question was answered or left here. */
  private readonly answered = new Set<string>()
  private readonly left = new Set<string>()
  /** What became of a task whose question went away. */
  private readonly ends = new Map<string, string>()
  private asking: { readonly task: string; readonly abort: AbortController } | null = null
  private runId = ''
  private isBusy = false
  private isClosed = false

  constructor(settings: AskPersonSettings) {
    this.settings = settings
  }

  /** Whether the person here may still answer one of these. */
  attends(waits: readonly Wait[]): boolean {
    return !this.isClosed && !this.settings.reader.hasEnded && waits.some(each => each.kind === 'approval' && !this.left.has(each.task))
  }

  notice(notice: RunNotice): void {
    if (notice.kind === 'run-started') this.runId = notice.runId
    if (notice.kind === 'task') return this.remember(notice)
    if (notice.kind === 'run-finished') return this.close()
    if (notice.kind !== 'waits') return
    const before = this.asking === null ? undefined : this.open.get(this.asking.task)
    this.open = new Map(notice.waits.flatMap(each => (each.kind === 'approval' ? [[each.task, each] as const] : [])))
    for (const task of this.answered) if (!this.open.has(task)) this.answered.delete(task) // it may ask again
    const now = this.asking === null ? undefined : this.open.get(this.asking.task)
    if (this.asking !== null && now === undefined) this.asking.abort.abort() // A4
    else if (before !== undefined && now !== undefined && before.askedOf !== now.askedOf) this.passedOn(now)
    void this.askAll()
  }

  close(): void {
    this.isClosed = true
    this.asking?.abort.abort()
    this.settings.listener.release()
  }

  private remember({ path, status, failure }: Extract<RunNotice, { kind: 'task' }>): void {
    if (!this.open.has(path) && this.asking?.task !== path) return
    if (this.ends.size < MAX_REMEMBERED) this.ends.set(path, failure === null ? status : failureWords(failure))
  }

  private passedOn({ askedOf, dueMs }: Question): void {
    const { err, now } = this.settings
    const until = dueMs === null ? '' : ` until ${clockTime(dueMs, now())}`
    err.write(`\nNobody answered in time: it was passed on to ${neutraliseLine(askedOf ?? '')}. You may still answer${until}.  `)
  }

  private async askAll(): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    const { listener, reader } = this.settings
    for (let next = this.next(); next !== null; next = this.next()) {
      listener.hold() // A1
      await this.ask(next)
      if (reader.hasEnded) for (const task of this.open.keys()) this.left.add(task) // A3
    }
    listener.release()
    this.isBusy = false
  }

  private next(): Question | null {
    if (this.isClosed) return null
    for (const [task, question] of this.open) if (!this.left.has(task) && !this.answered.has(task)) return question
    return null
  }

  private async ask(question: Question): Promise<void> {
    const { err, reader, by, now, answer } = this.settings
    const { task } = question
    const abort = new AbortController()
    this.asking = { task, abort }
    this.ends.delete(task)
    err.write(`${questionLines(question, now(), err.paint, err.columns()).join('\n')}\n`)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const line = await reader.ask(() => err.write('[y]es, [n]o, [s]kip for now; a note may follow  '), abort.signal)
      if (line === null || abort.signal.aborted) {
        err.write('\n')
        break
      }
      const said = readAnswer(line)
      if (said === 'later') break
      if (said === null) {
        err.write('That is no answer to it.\n')
        continue
      }
      this.answered.add(task)
      this.asking = null
      const problem = await answer(this.runId, { kind: 'answer', task, by, ...said })
      if (problem !== null) err.write(`It could not be recorded: ${neutraliseLine(problem)}\n`)
      if (problem !== null) this.left.add(task)
      return
    }
    this.asking = null
    if (this.isClosed) return
    if (this.open.has(task)) { // A3
      this.left.add(task)
      err.write(`${neutraliseLine(task)} is left for later.\n`)
    } else err.write(`${neutraliseLine(task)} asks no longer: ${goneWords(this.ends.get(task))}.\n`) // A4
  }
}

/** What became of a question that nobody answered here. */
function goneWords(end: string | undefined): string {
  if (end === undefined || end === 'running' || end === 'done') return 'it was approved elsewhere'
  return end === 'cancelled' || end === 'skipped' ? 'its task was given up' : end
}

/** A failure in one line: what a person noted is in its details. */
function failureWords({ message, details }: Failure): string {
  const words = neutraliseLine(message).replace(/\.$/, '')
  return details === undefined ? words : `${words}: ${neutraliseLine(details).slice(0, MAX_SAID_LENGTH)}`
}

/** What a line says; null: nothing that can be understood. // A3 */
export function readAnswer(line: string): { readonly verdict: 'approved' | 'refused'; readonly note?: string } | 'later' | null {
  const text = line.trim()
  const found = /^(y|yes|n|no|s|skip|later)(?:[\s,:]+([\s\S]+))?$/i.exec(text)
  if (text === '') return 'later'
  if (found === null) return null
  const word = found[1]!.toLowerCase()
  const note = found[2] === undefined ? {} : { note: found[2] }
  return word.startsWith('y') ? { verdict: 'approved', ...note } : word.startsWith('n') ? { verdict: 'refused', ...note } : 'later'
}

/** A question as it stands on the terminal. // A2 */
export function questionLines({ task, question, askedOf, sinceMs, dueMs }: Question, nowMs: number, paint: Paint, columns: number): string[] {
  const shown = question.slice(0, MAX_QUESTION_LENGTH)
  const rows = withoutGaps(neutralise(shown).replaceAll('\t', '  ').split('\n')).flatMap(line => wrapped(line, columns - 5))
  const facts = [
    `since ${clockTime(sinceMs, nowMs)}`, dueMs === null ? '' : `until ${clockTime(dueMs, nowMs)}`, askedOf === null ? '' : `passed on to ${neutraliseLine(askedOf).slice(0, columns)}`,
  ].filter(each => each !== '')
  return [
    `${paint('yellow', '?')} ${paint('bold', neutraliseLine(task))} asks`,
    ...rows.map(row => `  ${paint('blue', '|')} ${row}`),
    ...(shown.length < question.length ? [paint('dim', `  that is not all of it: it has ${thousands(question.length)} characters, and \`tek waits --json\` prints them`)] : []),
    paint('dim', `  ${facts.join(', ')}`),
  ]
}

/** The lines, with many empty ones told by their number. */
function withoutGaps(lines: readonly string[]): string[] {
  const kept: string[] = []
  let empty = 0
  for (const line of [...lines, null]) {
    if (line !== null && line.trim() === '') {
      empty++
      continue
    }
    kept.push(...(empty > MAX_EMPTY_LINES ? [`(${thousands(empty)} empty lines)`] : Array.from({ length: empty }, () => '')))
    empty = 0
    if (line !== null) kept.push(line)
  }
  return kept
}

/** A line in rows that fit. */
function wrapped(line: string, columns: number): string[] {
  const rows: string[] = []
  let row = ''
  let width = 0
  for (const character of line) {
    const more = displayWidth(character)
    if (width + more > columns) {
      rows.push(row)
      ;[row, width] = ['', 0]
    }
    row += character
    width += more
  }
  return [...rows, row]
}
