// Attempt: what follows when an attempt at a body ends: another attempt, another run of a `verify`, or the end of the task.
// Owns: retry, verify, in the nesting cache(approve(wait(verify(retry(timeout(ensure(body))))))). Does not own: `on failure` (give-up.ts), what the end of a task
// means to others (settle.ts).
//   A1. A failure that is not retryable is never tried again.
//   A2. Every execution of a body has its own attempt number, over all retries and runs of a `verify`.
//   A3. `verify n agree k` makes at least n runs unless k can no longer agree; without `agree`, all n must. A run that failed agrees with nothing.
//   A5. `verify m..n` without `agree` goes on until it is sure (sure.ts), at most n runs. What `tells` never fails by disagreement: its value says so.
//   A4. A value whose type only a run can prove is checked before anything else sees it; one that does not fit is a failure that trying again will not mend.
import { canonicalJson } from '#base/json.ts'
import type { Failure, Outcome, TaskId } from '#model/event.ts'
import type { PlanNode } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { validate } from '#types/validate.ts'
import { failures } from './failures.ts'
import { giveUp } from './give-up.ts'
import { backoffMs } from './jitter.ts'
import { keep, keepingOf } from './memory.ts'
import { over } from './over.ts'
import { pathOf } from './path.ts'
import { stepOut } from './place.ts'
import { MAX_ATTEMPTS, MAX_DETAILS_LENGTH, MAX_VERIFY_RUNS, timerOf } from './protocol.ts'
import { closeTalk } from './questions.ts'
import { startAttempt } from './start.ts'
import { canBeSure, isSure } from './sure.ts'
import type { Keeping, State, VerifyRun } from './state.ts'
import { phase } from './tasks.ts'
import { timeoutOf } from './timeout.ts'
import { stopWaiting, waitFor } from './waiting.ts'

export function attemptEnded(state: State, task: TaskId, outcome: Outcome): void {
  if (task === 0) {
    state.outcome = outcome
    state.out.push({ kind: 'finish', outcome })
    return
  }
  const node = state.nodeOf(task)
  if (outcome.kind === 'value') {
    const problem = node.mustCheck === true ? validate(node.type, outcome.value) : null // A4
    if (problem !== null) outcome = { kind: 'failure', failure: failures.wrongType(pathOf(state, task), 'This value', problem) }
    else if (node.ensure !== undefined && node.ensure.length > 0) return beginEnsure(state, task, outcome.value)
  }
  attemptOver(state, task, outcome, node)
}

/** Whether a value is what was wanted is worked out while the attempt goes on. // ensure.ts */
function beginEnsure(state: State, task: TaskId, value: Value): void {
  state.ensuring.set(task, value)
  state.calls.delete(task) // its own are numbered apart
  const talk = state.talks.get(task)
  if (talk !== undefined) talk.step = null
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'ensure' })
}

/** An attempt is over: its value, if it has one, is what was wanted. */
export function attemptOver(state: State, task: TaskId, outcome: Outcome, node: PlanNode = state.nodeOf(task)): void {
  if (state.tasks.phase[task] === phase.body) stepOut(state, task)
  if (timeoutOf(state, task) !== null) state.out.push({ kind: 'clear-timer', timer: timerOf(task, state.tasks.attempt[task]!, 'timeout') })
  const keeping = outcome.kind === 'value' && state.talks.size > 0 ? keepingOf(state, task, outcome.value) : null
  if (state.talks.size > 0) closeTalk(state, task, outcome)
  if (state.calls.size > 0) state.calls.delete(task)
  if (state.ensuring.size > 0) state.ensuring.delete(task)
  if (outcome.kind === 'value') return runSucceeded(state, task, node, outcome.value, keeping)
  const failure = outcome.failure.task === '' ? { ...outcome.failure, task: pathOf(state, task) } : outcome.failure
  const tries = state.tasks.tries[task]!
  if (failure.retryable && node.retry !== null && tries <= node.retry.count) return tryAgain(state, task, node, failure) // A1
  if (node.verify !== null) return runEnded(state, task, node, { outcome: { kind: 'failure', failure }, key: null, keeping: null })
  giveUp(state, task, node, failure)
}

function tryAgain(state: State, task: TaskId, node: PlanNode, failure: Failure): void {
  if (state.tasks.attempt[task]! >= MAX_ATTEMPTS) return giveUp(state, task, node, failures.tooManyAttempts(failure.task))
  const ms = retryWaitMs(state, task)
  state.tasks.attempt[task]!++ // A2
  state.tasks.tries[task]!++
  if (ms === 0) return startAttempt(state, task, node)
  state.tasks.phase[task] = phase.backoff
  waitFor(state, task, ms, 'retry')
}

/** Milliseconds to wait after the current try of a task. */
function retryWaitMs(state: State, task: TaskId): number {
  const { retry } = state.nodeOf(task)
  const tries = state.tasks.tries[task]!
  return retry === null ? 0 : backoffMs(retry, tries, `${state.runId}/${pathOf(state, task)}/${tries}`)
}

export function backoffOver(state: State, task: TaskId): void {
  stopWaiting(state, task)
  startAttempt(state, task, state.nodeOf(task))
}

function runSucceeded(state: State, task: TaskId, node: PlanNode, value: Value, keeping: Keeping | null): void {
  if (node.verify === null) return succeed(state, task, value, keeping)
  if (node.verify.key === null) return runEnded(state, task, node, { outcome: { kind: 'value', value }, key: canonicalJson(value), keeping })
  if (keeping !== null) state.keeping.set(task, keeping)
  state.held.set(task, value)
  state.tasks.phase[task] = phase.verifyKey
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'verify-key' })
}

export function verifyKeyAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const value = state.held.get(task) ?? null
  const keeping = state.keeping.get(task) ?? null
  state.held.delete(task)
  state.keeping.delete(task)
  const run: VerifyRun = outcome.kind === 'value' ? { outcome: { kind: 'value', value }, key: canonicalJson(outcome.value), keeping } : { outcome, key: null, keeping: null }
  runEnded(state, task, state.nodeOf(task), run)
}

function runEnded(state: State, task: TaskId, node: PlanNode, run: VerifyRun): void {
  const verify = node.verify!
  const runs = state.verifies.get(task) ?? []
  runs.push(run)
  state.verifies.set(task, runs)
  const { best, agreed } = agreement(runs)
  const verdict = verdictOn(verify, runs.length, best)
  if (verdict !== 'go-on' && verify.tells === true) return succeed(state, task, told(runs, verdict === 'agreed', agreed?.value ?? null), verdict === 'agreed' ? (agreed?.keeping ?? null) : null) // A5
  if (verdict === 'agreed' && agreed !== null) return succeed(state, task, agreed.value, agreed.keeping)
  if (verdict === 'disagreed') {
    const first = runs[0]!.outcome
    if (best === 0 && first.kind === 'failure') return giveUp(state, task, node, first.failure)
    return giveUp(state, task, node, failures.verifyDisagreed(pathOf(state, task), runs.length, best, agreeingRuns(verify), describe(runs)))
  }
  if (state.tasks.attempt[task]! >= MAX_ATTEMPTS) return giveUp(state, task, node, failures.tooManyAttempts(pathOf(state, task)))
  state.tasks.attempt[task]!++ // A2
  state.tasks.tries[task] = 1
  startAttempt(state, task, node)
}

const agreeingRuns = (verify: NonNullable<PlanNode['verify']>): number => verify.agree ?? Math.min(verify.runs, MAX_VERIFY_RUNS) // A3

/** What runs that are over say together, `best` of which agree. */
function verdictOn(verify: NonNullable<PlanNode['verify']>, runs: number, best: number): 'agreed' | 'disagreed' | 'go-on' {
  const least = Math.min(verify.runs, MAX_VERIFY_RUNS)
  const most = Math.min(Math.max(verify.upTo ?? verify.runs, verify.runs), MAX_VERIFY_RUNS)
  const isSequential = verify.agree === null && verify.upTo !== null && canBeSure(most) // A5
  const holds = (agreeing: number, others: number): boolean => (isSequential ? isSure(agreeing, others) : agreeing >= agreeingRuns(verify))
  if (runs >= least && best > 0 && holds(best, runs - best)) return 'agreed'
  return runs >= most || ((runs >= least || !isSequential) && !holds(best + (most - runs), runs - best)) ? 'disagreed' : 'go-on'
}

/** A5. */
function told(runs: readonly VerifyRun[], agreed: boolean, value: Value): Value {
  const first = runs.find(({ outcome }) => outcome.kind === 'failure')?.outcome
  const failed = first?.kind === 'failure' ? `${first.failure.code}: ${first.failure.message}` : null
  const reason = agreed ? null : runs.length === 1 || runs.every(({ outcome }) => outcome.kind === 'failure') ? failed : describe(runs)
  const each = runs.map(({ outcome }): Value => (outcome.kind === 'value' ? { value: outcome.value, failed: null } : { value: null, failed: `${outcome.failure.code}: ${outcome.failure.message}` }))
  return { agreed, value: agreed ? value : null, reason, runs: each }
}

/** How many runs agree at most, and the one with which that was reached. */
function agreement(runs: readonly VerifyRun[]): { best: number; agreed: { readonly value: Value; readonly keeping: Keeping | null } | null } {
  const counts = new Map<string, number>()
  let best = 0
  let agreed: ReturnType<typeof agreement>['agreed'] = null
  for (const { key, outcome, keeping } of runs) {
    if (key === null || outcome.kind === 'failure') continue
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count > best) {
      best = count
      agreed = { value: outcome.value, keeping }
    }
  }
  return { best, agreed }
}

function describe(runs: readonly VerifyRun[]): string {
  const room = Math.floor(MAX_DETAILS_LENGTH / runs.length) - 20
  return runs
    .map(({ outcome, key }, index) => `run ${index + 1}: ${cut(outcome.kind === 'failure' ? `failed: ${outcome.failure.message}` : key!, room)}`)
    .join('\n')
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

function succeed(state: State, task: TaskId, value: Value, keeping: Keeping | null): void {
  if (keeping !== null) keep(state, keeping)
  const key = state.cacheKeys.size > 0 ? state.cacheKeys.get(task) : undefined
  if (key !== undefined) state.out.push({ kind: 'remember', task, key, value })
  over(state, task, 'done', value)
}
