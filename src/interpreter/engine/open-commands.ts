// Open commands: what a run that was read back from its journal is still waiting for.
// Owns: deriving it from the state alone. // D4 of driver.ts
//   C1. Performing these is the same as never having stopped: the attempt numbers, and so the idempotency keys, are the same.
//   C2. What is left of a wait goes by the wall clock; what is left of a limit of time, and of the timeout of a sub-workflow under way, by how long the run
//       was driven. A timeout of anything else begins again with the body.
import { isInside } from './delegation.ts'
import { timerOf, type Command } from './protocol.ts'
import type { Conversation, Scope, State } from './state.ts'
import { phase } from './tasks.ts'
import { timeoutOf } from './timeout.ts'
import { leftOf } from './waiting.ts'

const partOfPhase = {
  [phase.when]: 'when', [phase.list]: 'list', [phase.width]: 'width', [phase.cacheKey]: 'cache-key', [phase.body]: 'body',
  [phase.setup]: 'setup', [phase.returns]: 'returns', [phase.verifyKey]: 'verify-key', [phase.fallback]: 'fallback', [phase.question]: 'approve', [phase.delay]: 'wait',
} as const

/**
 * Every command whose outcome the state waits for.
 *
 * @param nowMs the wall clock: milliseconds since 1970.
 */
export function openCommands(state: State, nowMs: number): Command[] {
  const open: Command[] = []
  if (state.isFinished) return open
  if (state.outcome !== null) return [{ kind: 'finish', outcome: state.outcome }]
  if (state.pendingStop?.isAskedFor === true) open.push({ kind: 'stop', detail: state.pendingStop.detail, isFinal: state.pendingStop.isFinal })
  for (let task = 0; task < state.tasks.size; task++) openCommandsOf(state, task, nowMs, open)
  for (const scope of state.inside.values()) {
    if (scope.timeMs !== null) open.push({ kind: 'set-timer', timer: timerOf(scope.task, scope.attempt, 'time-limit'), ms: leftOfScope(state, scope, scope.timeMs) })
  }
  return open
}

/** What is left of a time that began with a workflow. // C2 */
function leftOfScope(state: State, scope: Scope, wholeMs: number): number {
  return Math.min(wholeMs, Math.max(0, wholeMs - (state.drivenMs - scope.openedAtMs)))
}

function openCommandsOf(state: State, task: number, nowMs: number, open: Command[]): void {
  const at = state.tasks.phase[task]!
  if (at === phase.waiting || at >= phase.done) return
  const attempt = state.tasks.attempt[task]!
  if (at === phase.backoff || at === phase.asking || at === phase.resting) {
    const waiting = state.waits.get(task)!
    const ms = leftOf(waiting, nowMs)
    if (ms !== null) open.push({ kind: 'set-timer', timer: timerOf(task, attempt, at === phase.backoff ? 'retry' : 'due'), ms, dueMs: waiting.dueMs! })
    if (at === phase.asking) open.push({ kind: 'ask', task, attempt })
    return
  }
  if (at === phase.lookUp) {
    open.push({ kind: 'look-up', task, by: state.held.get(task) })
    return
  }
  const talk = state.talks.get(task)
  const hasTimeout = at === phase.body || at === phase.setup || at === phase.inside || at === phase.returns || talk !== undefined
  if (hasTimeout && task !== 0) {
    const timeoutMs = timeoutOf(state, task)
    const inner = at === phase.inside || at === phase.returns ? state.inside.get(task) : undefined
    if (timeoutMs !== null) open.push({ kind: 'set-timer', timer: timerOf(task, attempt, 'timeout'), ms: inner === undefined ? timeoutMs : leftOfScope(state, inner, timeoutMs) })
  }
  if (state.ensuring.has(task)) return void open.push({ kind: 'evaluate', task, attempt, part: 'ensure' })
  if (talk !== undefined) return openCommandsOfTalk(talk, task, attempt, open)
  const part = partOfPhase[at as keyof typeof partOfPhase]
  if (part !== undefined) open.push({ kind: 'evaluate', task, attempt, part })
}

/** Of a conversation: the question under way, or the calls of which nothing is recorded. One that waits for room in its budgets waits on. // C1 */
function openCommandsOfTalk(conversation: Conversation, task: number, attempt: number, open: Command[]): void {
  const { prompt, role, recalling, talk, step, open: question } = conversation
  if (prompt === null || role === null) open.push({ kind: 'evaluate', task, attempt, part: prompt === null ? 'prompt' : 'role' })
  else if (talk === null && recalling?.entries == null) open.push(recalling?.thread == null ? { kind: 'evaluate', task, attempt, part: 'thread' } : { kind: 'recall', task, attempt, thread: recalling.thread })
  else if (step?.kind === 'call') {
    for (const { call } of talk!.unfinished()) if (!isInside(conversation, call)) open.push({ kind: 'call-for-agent', task, attempt, call })
  } else if (step?.kind === 'ask' && question !== null) open.push({ kind: 'ask-model', task, attempt, turn: step.turn })
}
