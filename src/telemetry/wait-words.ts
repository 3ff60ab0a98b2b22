// Wait words: what a run waits for, in one line, wherever it is shown: live, in plain lines, in lists.
// Owns: the words. Does not own: asking (cli/ask-person.ts), what waits are (model/report.ts).
//   W1. A question is a program's text, perhaps an agent's: it is neutralised, stays one line, and is cut where the line ends.
//   W2. A time is shown by the clock of whoever reads it; with its date, unless it is the day it is read (where that is known) or the wait began.
import { neutraliseLine } from '#base/terminal-text.ts'
import type { Wait } from '#model/report.ts'

/** Characters of a question in one line; the line itself may be shorter. */
export const MAX_LINE_QUESTION = 500
/** Below this length of a wait its end is shown with seconds. */
const WITH_SECONDS_MS = 10 * 60_000

/**
 * What a run waits for.
 *
 * @param nowMs when it is read, in milliseconds since 1970; without it, the beginning of the wait.
 * @example
 * waitWords({ kind: 'approval', task: 'deploy', question: 'Deploy 1.2?', askedOf: null, sinceMs: 0, dueMs: null }) // 'waits for you: deploy — Deploy 1.2?'
 */
export function waitWords(wait: Wait, nowMs: number = wait.sinceMs): string {
  const task = neutraliseLine(wait.task)
  if (wait.kind === 'time') return `until ${clockTime(wait.dueMs, nowMs)}: ${task}`
  const whom = wait.askedOf === null ? 'you' : neutraliseLine(wait.askedOf)
  const until = wait.dueMs === null ? '' : ` (until ${clockTime(wait.dueMs, nowMs)})`
  return `waits for ${whom}: ${task} — ${neutraliseLine(wait.question.slice(0, MAX_LINE_QUESTION))}${until}`
}

/**
 * A point in time as a clock on the wall shows it.
 *
 * @param atMs milliseconds since 1970.
 * @param fromMs the time it is compared with: of the same day, and the date is left away; less than ten minutes apart, and seconds are shown.
 */
export function clockTime(atMs: number, fromMs: number): string {
  const [at, from] = [new Date(atMs), new Date(fromMs)]
  if (Number.isNaN(at.getTime())) return 'the end of time'
  const two = (n: number): string => String(n).padStart(2, '0')
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} `
  const seconds = Math.abs(atMs - fromMs) < WITH_SECONDS_MS ? `:${two(at.getSeconds())}` : ''
  return `${at.toDateString() === from.toDateString() ? '' : date}${two(at.getHours())}:${two(at.getMinutes())}${seconds}` // W2
}

/** Tells a wait from the others of its run; a question that is passed on is another. */
export function waitKey(wait: Wait): string {
  return JSON.stringify([wait.kind, wait.task, wait.sinceMs, wait.kind === 'approval' ? wait.askedOf : null])
}
