// Waiting lines: how somebody answers, or goes on with, a run that waits and needs no process meanwhile.
// Owns: the words. Does not own: what waits (model/report.ts).
import { neutraliseLine } from '#base/terminal-text.ts'
import type { RunSummary } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { waitWords } from '#telemetry/wait-words.ts'
import { shellWord } from './shell-word.ts'

/** Questions that are named; `tek waits` lists all. */
const MAX_NAMED = 5
/** Waits that a summary lists; there may be more. */
const MAX_SUMMARY_WAITS = 100

/** One line for each question, with the command that answers it, and one that says how the run goes on. */
export function waitingLines({ runId, status, waits = [] }: Pick<RunSummary, 'runId' | 'status' | 'waits'>): string[] {
  const id = runId.slice(0, SHORT_ID)
  if (status === 'paused') return [`\`tek resume ${id}\` goes on with it; nothing else does.`]
  const questions = waits.filter(each => each.kind === 'approval')
  const times = waits.filter(each => each.kind === 'time')
  const lines = questions.slice(0, MAX_NAMED).flatMap(each => {
    const task = shellWord(neutraliseLine(each.task))
    return [waitWords(each), `  \`tek approve ${task} ${id}\` or \`tek refuse ${task} ${id}\` answers; with \`--resume\` it goes on at once.`]
  })
  if (questions.length > MAX_NAMED) lines.push(`and ${waits.length >= MAX_SUMMARY_WAITS ? 'at least ' : ''}${questions.length - MAX_NAMED} more questions: \`tek waits\` lists them.`)
  const next = times[0] // what is due first comes first
  if (next !== undefined) lines.push(times.length === 1 ? waitWords(next) : `${waitWords(next)}, and ${times.length - 1} more`)
  const when = questions.length === 0 ? 'then' : next === undefined ? 'after that' : 'when something is answered or due'
  return [...lines, `\`tek resume ${id}\` goes on with it ${when}; \`tek serve\` does so by itself.`]
}
