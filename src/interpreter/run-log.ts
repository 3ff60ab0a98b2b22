// Run log: what happened in a run, line by line: what tools said, as the journal kept it; attempts and tasks that failed and what people said, as its events tell.
// Owns: the lines made of events, the order. Does not own: what is kept of what tools say (journal/lines.ts).
//   L1. In the order of time; of two with the same time, what a tool said comes first.
//   L2. A failure is told once, by the task in which it arose.
import type { Failure, Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { LogLine } from '#model/report.ts'
import { pathOf } from './engine/path.ts'
import { partsOfTimer } from './engine/protocol.ts'
import { initialState, type State } from './engine/state.ts'
import { transition } from './engine/transition.ts'
import { unbounded } from './find-task.ts'
import { showStandIns } from './secrets/stand-in.ts'

export interface RunLogOptions {
  /** Path of a task: its own lines, its items' and those of what is inside it. */
  readonly task?: string
  /** Lines to give; the last. */
  readonly limit: number
}

/** The last lines of a run's log, and how many there are. */
export function runLog(plan: Plan, events: Iterable<RunEvent>, said: readonly LogLine[], { task, limit }: RunLogOptions): { readonly lines: readonly LogLine[]; readonly total: number } {
  const all = [...said, ...failureLines(plan, events)].filter(each => task === undefined || isWithin(each.task, task))
  all.sort((a, b) => a.atMs - b.atMs) // L1: sorting is stable
  return { lines: all.slice(-limit).map(each => ({ ...each, message: showStandIns(each.message) })), total: all.length }
}

function isWithin(path: string, task: string): boolean {
  return path === task || (path.startsWith(task) && ['[', '/', '#'].includes(path.charAt(task.length)))
}

function failureLines(plan: Plan, events: Iterable<RunEvent>): LogLine[] {
  const state = initialState(plan, unbounded)
  const lines: LogLine[] = []
  for (const event of events) {
    const { atMs } = event
    const about = taskOf(event)
    const before = about === null ? 0 : (state.tasks.attempt[about] ?? 0)
    if (event.kind === 'answered' || event.kind === 'task-cancelled') lines.push(...personLine(state, event)) // before what fails by it
    const talk = about === null ? undefined : state.talks.get(about)
    for (const command of transition(state, event)) {
      if (command.kind !== 'changed' || command.status !== 'failed') continue
      const failure = state.failures.get(command.task)
      const path = pathOf(state, command.task)
      if (failure === undefined || failure.task !== path) continue // L2
      lines.push({ atMs, level: state.tasks.values[command.task] === undefined ? 'error' : 'warn', task: path, attempt: state.tasks.attempt[command.task]!, code: failure.code, message: words(failure) })
    }
    if (about !== null && about > 0 && state.tasks.attempt[about]! > before && before > 0) lines.push(...againLine(state, event.atMs, about, before, talk?.end ?? (event.kind === 'evaluated' ? event.outcome : null)))
  }
  return lines
}

function taskOf(event: RunEvent): TaskId | null {
  if (event.kind === 'evaluated' || event.kind === 'model-answered' || event.kind === 'call-finished') return event.task
  return event.kind === 'timer-fired' ? (partsOfTimer(event.timer)?.task ?? null) : null
}

/** An attempt that failed and is made again; `ended` is null where its time was up. */
function againLine(state: State, atMs: number, task: TaskId, attempt: number, ended: Outcome | null): LogLine[] {
  if (ended?.kind === 'value') return []
  const [code, failure] = ended === null ? ['run/timed-out', 'it took longer than its timeout'] : [ended.failure.code, words(ended.failure)]
  return [{ atMs, level: 'warn', task: pathOf(state, task), attempt, code, message: `attempt ${attempt} failed, and is made again: ${failure}` }]
}

/** What a person said to a task, or about it. */
function personLine(state: State, event: Extract<RunEvent, { kind: 'answered' | 'task-cancelled' }>): LogLine[] {
  if (event.task >= state.tasks.size) return []
  const { atMs, by } = event
  const note = event.kind === 'answered' && event.note !== undefined ? `: ${event.note}` : ''
  const verdict = event.kind === 'answered' ? event.verdict : 'cancelled'
  return [{ atMs, level: 'info', task: pathOf(state, event.task), by, message: `${verdict} by ${by}${note}` }]
}

const words = ({ code, message }: Failure): string => `${code}: ${message}`
