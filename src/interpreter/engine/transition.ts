// Transition: what an event means. The heart of a run: state and event in, commands out.
// Owns: the meaning of every event and the order in which its consequences are worked off. Does not own: clocks, promises, the world.
//   R1. Pure: the same state and event give the same state and commands. The state is changed in place (see state.ts I2).
//   R2. An event about a task or an attempt that is over changes nothing.
//   R4. Time is driven from an event to the next of the same process, by the wall clock: none where the clock was set back, none where more would have passed
//       than was left of a limit of time, whose own timer would have come first: the clock was set forward.
//   R3. Consequences are worked off from lists, never by recursion: a chain of 100,000 tasks needs no stack.
import { unreachable } from '#base/invariant.ts'
import type { Outcome, Part, RunEvent, TaskId } from '#model/event.ts'
import { steered } from './agent-life.ts'
import { attemptEnded, backoffOver, verifyKeyAnswered } from './attempt.ts'
import { adoptItem, begin, cacheAnswered, cacheKeyAnswered, listAnswered, whenAnswered, widthAnswered } from './begin.ts'
import { cancelAttempt, cancelByPerson } from './cancel.ts'
import { adopt, askToStop, countCall, dispatch } from './dispatch.ts'
import { endTasksOf } from './end-agent.ts'
import { countEnsureCalls, ensureAnswered } from './ensure.ts'
import { failures } from './failures.ts'
import { fallbackAnswered } from './give-up.ts'
import { openScope, type Setup } from './open-scope.ts'
import { endIdleWait } from './messages.ts'
import { pathOf } from './path.ts'
import { partsOfTimer, type Command } from './protocol.ts'
import { askAgain } from './questions.ts'
import { resultAnswered, settle } from './settle.ts'
import type { Scope, State } from './state.ts'
import { agentCallBegun, agentCallFinished, callTold, isCarriedOutInside, modelAnswered, modelAsked, promptAnswered, recalled, roleAnswered, threadAnswered } from './talks.ts'
import { phase } from './tasks.ts'
import { timeoutOf } from './timeout.ts'
import { answered, deadlinePassed, questionAnswered, restOver, waitAnswered } from './waiting.ts'

const nothing: readonly Command[] = Object.freeze([])

/**
 * Folds one event into the state.
 *
 * @returns what is to be done now, in order.
 */
export function transition(state: State, event: RunEvent): readonly Command[] {
  fold(state, event)
  return state.out.size === 0 ? nothing : state.out.takeAll()
}

/** The same; what is to be done stays in `state.out`, behind what was not taken from there yet. */
export function fold(state: State, event: RunEvent): void {
  passTime(state, event)
  apply(state, event)
  do {
    workOff(state)
    dispatch(state)
  } while (state.toEnd.size > 0 || (state.receiving.size > 0 && endIdleWait(state))) // a conversation whose own limits leave no room for another question; one that waits in vain
}

/** Milliseconds between two events up to which nobody asks whether the clock was set forward. */
const PLAIN_GAP_MS = 5_000

/** Counts the time in which the run was driven. // R4 */
function passTime(state: State, { kind, atMs }: RunEvent): void {
  const ms = atMs - state.atMs
  state.atMs = atMs
  if (ms <= 0 || !state.isDriven || kind === 'run-resumed') return
  if (ms > PLAIN_GAP_MS && ms > leastTimeLeft(state)) return
  state.drivenMs += ms
}

function leastTimeLeft(state: State): number {
  let least = Infinity
  for (const { timeMs, openedAtMs } of state.inside.values()) if (timeMs !== null) least = Math.min(least, timeMs - (state.drivenMs - openedAtMs))
  return least
}

function apply(state: State, event: RunEvent): void {
  switch (event.kind) {
    case 'run-started':
      return started(state, event)
    case 'evaluated':
      return evaluated(state, event.task, event.attempt, event.part, event.outcome)
    case 'call-started':
      if (event.task < state.tasks.size && !isCarriedOutInside(state, event.task, event.call)) countCall(state, event.task)
      if (!isCurrent(state, event.task, event.attempt)) return // R2
      adoptItem(state, event.task)
      adopt(state, event.task)
      return callStarted(state, event)
    case 'call-finished': {
      const call = isCurrent(state, event.task, event.attempt) ? state.calls.get(event.task)?.[event.call] : undefined
      if (call === undefined) return
      call.outcome = event.outcome
      if (state.talks.size > 0) agentCallFinished(state, event.task, event.call, event.outcome)
      return
    }
    case 'model-asked':
    case 'model-answered':
      if (!isCurrent(state, event.task, event.attempt)) return // R2
      adoptItem(state, event.task)
      adopt(state, event.task)
      return event.kind === 'model-asked' ? modelAsked(state, event) : modelAnswered(state, event.task, event.turn, event.outcome)
    case 'recalled':
      if (isCurrent(state, event.task, event.attempt)) recalled(state, event.task, event.entries) // R2
      return
    case 'timer-fired':
      return timerFired(state, event.timer)
    case 'cache-answered':
      if (!isCurrent(state, event.task, 1)) return
      adoptItem(state, event.task)
      if (state.tasks.phase[event.task] === phase.lookUp) cacheAnswered(state, event.task, event)
      return
    case 'stop-requested':
      if (!state.isStopping || state.stop === null || state.stop.reason === 'pause' || state.stop.reason === 'waiting') { // the first is why; a pause can be cut short, and who waits be paused
        state.stop = { reason: event.reason, detail: event.detail, isFinal: event.isFinal === true }
      }
      state.isStopping = true
      state.pendingStop = null
      return
    case 'run-resumed':
      state.isStopping = false
      state.isDriven = true
      askAgain(state)
      return
    case 'answered':
      if (isCurrent(state, event.task, event.attempt) && state.tasks.phase[event.task] === phase.asking) answered(state, event.task, event.verdict, event.by, event.note)
      return
    case 'agent-steered':
      return steered(state, event)
    case 'task-cancelled':
      return cancelByPerson(state, event.task, event.by)
    case 'run-finished':
      state.isFinished = true
      state.outcome = event.outcome
      return
    default:
      unreachable(event)
  }
}

function workOff(state: State): void {
  const { toEnd, toSettle, toBegin, toTell, toClose } = state
  for (;;) { // R3
    if (toSettle.size > 0) settle(state, toSettle.take()!)
    else if (toClose.size > 0) endTasksOf(state, toClose.take()!)
    else if (toEnd.size > 0) {
      const { task, attempt, outcome } = toEnd.take()!
      if (isCurrent(state, task, attempt)) attemptEnded(state, task, outcome)
    } else if (toTell.size > 0) {
      const { task, attempt, call, result, isTainted } = toTell.take()!
      if (isCurrent(state, task, attempt)) callTold(state, task, call, result, isTainted)
    } else if (toBegin.size > 0) {
      const task = toBegin.take()!
      if (state.tasks.phase[task] === phase.waiting) begin(state, task)
    } else return
  }
}

function started(state: State, event: Extract<RunEvent, { kind: 'run-started' }>): void {
  if (state.tasks.size > 0) return
  state.runId = event.runId
  state.workflow = event.workflow
  state.args = event.args
  state.within = event.within ?? {}
  state.origin = event.origin ?? null
  state.isDriven = state.origin === null
  const root = state.tasks.allocate(1)
  state.tasks.scope[root] = -1
  state.tasks.phase[root] = phase.setup
  state.out.push({ kind: 'evaluate', task: root, attempt: 1, part: 'setup' })
}

function isCurrent(state: State, task: TaskId, attempt: number): boolean {
  return task < state.tasks.size && state.tasks.attempt[task] === attempt && state.tasks.phase[task]! < phase.done
}

function evaluated(state: State, task: TaskId, attempt: number, part: Part, outcome: Outcome): void {
  if (!isCurrent(state, task, attempt)) return // R2
  adoptItem(state, task)
  if (part === 'body' || part === 'prompt' || part === 'role') adopt(state, task)
  const at = state.tasks.phase[task]
  if (part === 'ensure') countEnsureCalls(state, task)
  if (state.calls.size > 0) state.calls.delete(task)
  switch (part) {
    case 'body':
      if (at === phase.body) attemptEnded(state, task, outcome)
      return
    case 'when':
      if (at === phase.when) whenAnswered(state, task, named(state, task, outcome))
      return
    case 'list':
      if (at === phase.list) listAnswered(state, task, named(state, task, outcome))
      return
    case 'width':
      if (at === phase.width) widthAnswered(state, task, named(state, task, outcome))
      return
    case 'cache-key':
      if (at === phase.cacheKey) cacheKeyAnswered(state, task, named(state, task, outcome))
      return
    case 'fallback':
      if (at === phase.fallback) fallbackAnswered(state, task, named(state, task, outcome))
      return
    case 'verify-key':
      if (at === phase.verifyKey) verifyKeyAnswered(state, task, named(state, task, outcome))
      return
    case 'returns': {
      const scope = state.inside.get(task)
      if (at === phase.returns && scope !== undefined) resultAnswered(state, scope, named(state, task, outcome))
      return
    }
    case 'setup':
      if (at === phase.setup) setUp(state, task, named(state, task, outcome))
      return
    case 'approve':
      if (at === phase.question) questionAnswered(state, task, named(state, task, outcome))
      return
    case 'wait':
      if (at === phase.delay) waitAnswered(state, task, named(state, task, outcome))
      return
    case 'prompt':
      return promptAnswered(state, task, named(state, task, outcome))
    case 'role':
      return roleAnswered(state, task, named(state, task, outcome))
    case 'thread':
      return threadAnswered(state, task, named(state, task, outcome))
    case 'ensure':
      return ensureAnswered(state, task, named(state, task, outcome))
    case 'label': // shown, never decided on
      return
    default:
      unreachable(part)
  }
}

function setUp(state: State, task: TaskId, outcome: Outcome): void {
  const problem = outcome.kind === 'failure' ? outcome : openScope(state, task, outcome.value as unknown as Setup)
  if (problem !== null) attemptEnded(state, task, problem)
}

/** A failure carries the path of the task in which it arose. */
function named(state: State, task: TaskId, outcome: Outcome): Outcome {
  if (outcome.kind === 'value' || outcome.failure.task !== '') return outcome
  return { kind: 'failure', failure: { ...outcome.failure, task: pathOf(state, task) } }
}

/** Tasks under way that are named when time is up. */
const MAX_NAMED = 3

function timeIsUp(state: State, scope: Scope): string {
  const named: string[] = []
  for (let task = scope.base; task < state.tasks.size && named.length <= MAX_NAMED; task++) if (state.tasks.phase[task] === phase.body) named.push(`\`${pathOf(state, task)}\``)
  const more = named.length > MAX_NAMED ? ' and others' : ''
  const under = named.length === 0 ? '' : `; under way: ${named.slice(0, MAX_NAMED).join(', ')}${more}`
  return `The time limit of \`${scope.shape.workflow.name}\` is reached${under}.`
}

function callStarted(state: State, { task, call, name, keyRun }: Extract<RunEvent, { kind: 'call-started' }>): void {
  if (state.talks.size > 0 && !state.ensuring.has(task) && agentCallBegun(state, task, call)) return
  const calls = state.calls.get(task) ?? []
  if (call > calls.length && !state.talks.has(task)) return // a conversation counts the calls that it refuses too
  const keptRun = keyRun ?? (calls[call]?.name === name ? calls[call].keyRun : undefined) // made again, it keeps its key
  calls[call] = { name, outcome: null, ...(keptRun === undefined ? {} : { keyRun: keptRun }) }
  state.calls.set(task, calls)
}

function timerFired(state: State, timer: number): void {
  const parts = partsOfTimer(timer)
  if (parts === null || !isCurrent(state, parts.task, parts.attempt)) return // R2
  const { task } = parts
  const at = state.tasks.phase[task]!
  switch (parts.purpose) {
    case 'retry':
      if (at === phase.backoff) backoffOver(state, task)
      return
    case 'due':
      if (at === phase.asking) deadlinePassed(state, task)
      else if (at === phase.resting) restOver(state, task)
      return
    case 'timeout': {
      if (at !== phase.body && at !== phase.setup && at !== phase.inside && at !== phase.returns && !state.talks.has(task)) return
      const failure = failures.timedOut(pathOf(state, task), timeoutOf(state, task) ?? 0)
      cancelAttempt(state, task)
      state.tasks.phase[task] = phase.setup // the attempt holds nothing any more
      attemptEnded(state, task, { kind: 'failure', failure })
      return
    }
    case 'time-limit': {
      const scope = state.inside.get(task)
      if (scope === undefined) return
      scope.openedAtMs = Math.min(scope.openedAtMs, state.drivenMs - (scope.timeMs ?? 0)) // whatever the wall clock said meanwhile
      if (!state.isStopping && state.pendingStop?.isAskedFor !== true) askToStop(state, timeIsUp(state, scope), true)
      return
    }
    default:
      unreachable(parts.purpose)
  }
}
