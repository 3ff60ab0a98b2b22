// Waiting: what a task waits for that no process needs to live for: a person's answer, a time, its next attempt.
// Owns: questions and their deadlines, waits, when they are due, what is left of them. Does not own: when a task comes to them (begin.ts), who asks (driver.ts).
//   W1. A due time is absolute: when the event was recorded from which the wait follows, plus its length. What is left of it is never more than the whole
//       length, whatever the wall clock says when it is looked at, and nothing once it has passed.
//   W2. A task asks once, before its first attempt: neither `retry` nor another run of a `verify` asks again. Each item of a `for` asks for itself.
//   W3. A deadline of a question that is passed on begins when it is passed on: nobody's time passes while no process could tell them.
//   W4. A task that waits is in no line and holds nothing but its place in the width of its `for`: `parallel 1` asks for one item after another.
//   W5. A refusal, a deadline that passed, and a question or a time that cannot be worked out, are no failures of an attempt: they are not tried again, `on
//       failure` applies. // give-up.ts
//   W6. A question is asked whole or not at all: a yes vouches for what it shows, so nothing of it may be cut off.
import type { Outcome, TaskId } from '#model/event.ts'
import { MAX_WAIT_MS, type PlanNode } from '#model/plan.ts'
import type { Wait } from '#model/report.ts'
import { failures } from './failures.ts'
import { giveUp } from './give-up.ts'
import { pathOf } from './path.ts'
import { MAX_QUESTION_LENGTH, timerOf, type TimerPurpose } from './protocol.ts'
import { startAttempt } from './start.ts'
import type { State, Waiting } from './state.ts'
import { phase } from './tasks.ts'

/** Asks the person that a task asks for, if it does. */
export function askPerson(state: State, task: TaskId, node: PlanNode): void {
  if (node.approve === null) return restFirst(state, task, node)
  state.tasks.phase[task] = phase.question
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'approve' })
}

/** The question is worked out: from now on it waits for its answer. */
export function questionAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const node = state.nodeOf(task)
  if (outcome.kind === 'failure') return giveUp(state, task, node, outcome.failure) // W5
  const text = typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value)
  if (text.length > MAX_QUESTION_LENGTH) return giveUp(state, task, node, failures.questionTooLong(pathOf(state, task), text.length)) // W6
  state.tasks.phase[task] = phase.asking
  setWait(state, task, wait(text, 0, state.atMs, state.atMs, node.approval?.withinMs ?? null), 'due')
  state.out.push({ kind: 'ask', task, attempt: state.tasks.attempt[task]! })
}

/** A person answered. */
export function answered(state: State, task: TaskId, verdict: 'approved' | 'refused', by: string, note: string | undefined): void {
  const node = state.nodeOf(task)
  const { dueMs } = state.waits.get(task)!
  stopWaiting(state, task)
  if (dueMs !== null) state.out.push({ kind: 'clear-timer', timer: timerOf(task, state.tasks.attempt[task]!, 'due') })
  if (verdict === 'approved') return restFirst(state, task, node)
  giveUp(state, task, node, failures.refused(pathOf(state, task), by, note))
}

/** A deadline of a question has passed: it is passed on, or nobody is left to ask. */
export function deadlinePassed(state: State, task: TaskId): void {
  const node = state.nodeOf(task)
  const { question, step, sinceMs } = state.waits.get(task)!
  const escalate = node.approval?.escalate ?? []
  const next = escalate[step]
  if (next === undefined) {
    stopWaiting(state, task)
    const wholeMs = escalate.reduce((sum, each) => sum + each.withinMs, node.approval?.withinMs ?? 0)
    return giveUp(state, task, node, failures.notApproved(pathOf(state, task), wholeMs, escalate.map(each => each.to)))
  }
  setWait(state, task, wait(question, step + 1, sinceMs, state.atMs, next.withinMs), 'due') // W3
  state.out.push({ kind: 'ask', task, attempt: state.tasks.attempt[task]! })
}

function restFirst(state: State, task: TaskId, node: PlanNode): void {
  if (node.wait === undefined) return startAttempt(state, task, node)
  state.tasks.phase[task] = phase.delay
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'wait' })
}

/** How long it waits is worked out. */
export function waitAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const node = state.nodeOf(task)
  if (outcome.kind === 'failure') return giveUp(state, task, node, outcome.failure) // W5
  const { value } = outcome
  if (typeof value !== 'number') return giveUp(state, task, node, failures.badWait(pathOf(state, task), value === null ? 'null' : `a ${typeof value}`))
  const ms = Math.ceil(node.wait?.kind === 'until' ? value - state.atMs : value)
  if (ms > MAX_WAIT_MS) return giveUp(state, task, node, failures.waitTooLong(pathOf(state, task), ms))
  if (ms <= 0) return startAttempt(state, task, node)
  state.tasks.phase[task] = phase.resting
  waitFor(state, task, ms, 'due')
}

export function restOver(state: State, task: TaskId): void {
  stopWaiting(state, task)
  startAttempt(state, task, state.nodeOf(task))
}

/** A task waits for a time from now on. */
export function waitFor(state: State, task: TaskId, ms: number, purpose: TimerPurpose): void {
  setWait(state, task, wait(null, 0, state.atMs, state.atMs, ms), purpose)
}

export function stopWaiting(state: State, task: TaskId): void {
  if (state.waits.delete(task)) state.waitsVersion++
}

function wait(question: string | null, step: number, sinceMs: number, fromMs: number, lengthMs: number | null): Waiting {
  return { question, step, sinceMs, dueMs: lengthMs === null ? null : fromMs + lengthMs, lengthMs: lengthMs ?? 0 } // W1
}

function setWait(state: State, task: TaskId, waiting: Waiting, purpose: TimerPurpose): void {
  state.waits.set(task, waiting)
  state.waitsVersion++
  const { dueMs, lengthMs } = waiting
  if (dueMs !== null) state.out.push({ kind: 'set-timer', timer: timerOf(task, state.tasks.attempt[task]!, purpose), ms: lengthMs, dueMs })
}

/** Milliseconds that are left of a wait; null: it is never due. // W1 */
export function leftOf({ dueMs, lengthMs }: Waiting, nowMs: number): number | null {
  return dueMs === null ? null : Math.min(lengthMs, Math.max(0, dueMs - nowMs))
}

/** What is left until the next task that waits is due, which a clock that was set back does not make longer; null: none is. // W1 */
export function nextLeftMs(state: State, nowMs: number): number | null {
  let next: number | null = null
  for (const waiting of state.waits.values()) {
    const left = leftOf(waiting, nowMs)
    if (left !== null && (next === null || left < next)) next = left
  }
  return next
}

/** Waits for a time that are shorter are not shown. */
const LEAST_SHOWN_MS = 1_000

/** What the run waits for: what is due first comes first, what is never due last. At most `limit`; where there are more, half of it is for what is due first
 * and the rest for questions: many times that pass by themselves hide nothing that waits for a person. */
export function waitsOf(state: State, limit: number): Wait[] {
  const all = [...state.waits].filter(([, { question, lengthMs }]) => question !== null || lengthMs >= LEAST_SHOWN_MS)
  all.sort(([a, { dueMs: first }], [b, { dueMs: second }]) => (first === second ? a - b : (first ?? Infinity) - (second ?? Infinity)))
  const half = Math.ceil(limit / 2)
  const [first, rest] = all.length <= limit ? [all, []] : [all.slice(0, half), all.slice(half)]
  const isQuestion = ([, { question }]: [TaskId, Waiting]): boolean => question !== null
  const chosen = [...first, ...rest.filter(isQuestion), ...rest.filter(each => !isQuestion(each))].slice(0, limit)
  return chosen.map(([task, waiting]) => shown(state, task, waiting))
}

function shown(state: State, task: TaskId, { question, step, sinceMs, dueMs }: Waiting): Wait {
  const path = pathOf(state, task)
  if (question === null) return { kind: 'time', task: path, sinceMs, dueMs: dueMs! }
  return { kind: 'approval', task: path, question, askedOf: step === 0 ? null : (state.nodeOf(task).approval?.escalate[step - 1]?.to ?? null), sinceMs, dueMs }
}
