// Open commands: what a run that was read back from its journal is still waiting for.
// Owns: deriving it from the state alone. // D4 of driver.ts
//   C1. Performing these is the same as never having stopped: the attempt numbers, and so the idempotency keys, are the same.
import { retryWaitMs } from './attempt.ts'
import { timerOf, type Command } from './protocol.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'

const partOfPhase = {
  [phase.when]: 'when', [phase.list]: 'list', [phase.width]: 'width', [phase.cacheKey]: 'cache-key', [phase.body]: 'body',
  [phase.setup]: 'setup', [phase.returns]: 'returns', [phase.verifyKey]: 'verify-key', [phase.fallback]: 'fallback',
} as const

/** Every command whose outcome the state waits for. */
export function openCommands(state: State): Command[] {
  const open: Command[] = []
  if (state.isFinished) return open
  if (state.outcome !== null) return [{ kind: 'finish', outcome: state.outcome }]
  if (state.pendingStop?.isAskedFor === true) open.push({ kind: 'stop', detail: state.pendingStop.detail, isFinal: state.pendingStop.isFinal })
  for (let task = 0; task < state.tasks.size; task++) openCommandsOf(state, task, open)
  for (const scope of state.inside.values()) {
    if (scope.timeMs !== null) open.push({ kind: 'set-timer', timer: timerOf(scope.task, scope.attempt, 'time-limit'), ms: scope.timeMs })
  }
  return open
}

function openCommandsOf(state: State, task: number, open: Command[]): void {
  const at = state.tasks.phase[task]!
  if (at === phase.waiting || at >= phase.done) return
  const attempt = state.tasks.attempt[task]!
  if (at === phase.backoff) {
    open.push({ kind: 'set-timer', timer: timerOf(task, attempt, 'retry'), ms: retryWaitMs(state, task, state.tasks.tries[task]! - 1) })
    return
  }
  if (at === phase.lookUp) {
    open.push({ kind: 'look-up', task, by: state.held.get(task) })
    return
  }
  const hasTimeout = at === phase.body || at === phase.setup || at === phase.inside || at === phase.returns
  if (hasTimeout && task !== 0) {
    const { timeoutMs } = state.nodeOf(task)
    if (timeoutMs !== null) open.push({ kind: 'set-timer', timer: timerOf(task, attempt, 'timeout'), ms: timeoutMs })
  }
  const part = partOfPhase[at as keyof typeof partOfPhase]
  if (part !== undefined) open.push({ kind: 'evaluate', task, attempt, part })
}
