// Replay: a recorded run is carried out again without the world, and compared with its record.
// Owns: feeding recorded outcomes back, comparing. Does not own: what an event means (engine), evaluating (engine/evaluation.ts).
//   P1. Nothing outside is touched: what tools answered, what the cache held and when timers fired comes from the record; there is no other door.
//   P2. Every expression that came to a recorded end is evaluated again, with the values that the replay itself has so far; its outcome must have the hash of
//       the recorded one. So must the run's.
//   P3. A program has no clock, no randomness and no environment but through tools: a difference means that the record, tek or a module is not what it was.
//   P5. Of a conversation, the answers of models are fed back like those of tools; that each turn and each call comes where it was recorded is compared.
//   P4. What the machine and not the program decided (a thread that ran out of memory) is fed back like a tool's answer.
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Failure, Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { Plan, PlanExpr } from '#model/plan.ts'
import type { Replay, ReplayDifference } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { evaluateConstants } from './effects/constants.ts'
import { nameOf } from './effects/evaluate.ts'
import { expressionFor } from './effects/expression-for.ts'
import { setUpStages } from './effects/set-up.ts'
import { firstCallOf } from './engine/ensure.ts'
import { Evaluation, MAX_EXPRESSION_STEPS, standInName, type EvaluationOptions, type Scope as NameScope, type Step } from './engine/evaluation.ts'
import { pathOf } from './engine/path.ts'
import type { Capacity } from './engine/protocol.ts'
import { initialState, type State } from './engine/state.ts'
import { isOver } from './engine/tasks.ts'
import { callNameOf } from './engine/talks.ts'
import { transition } from './engine/transition.ts'
import { recordedCalls } from './engine/view.ts'
import { folded, taskAt, unknownTask } from './find-task.ts'
import type { OpenedRun } from './journal/journal.ts'
import type { Pool } from './pool/pool.ts'
import { reportOf } from './report.ts'
import { mapOutcome, showReport, showStandIns, standInOf } from './secrets/stand-in.ts'

export interface ReplayOptions {
  readonly toolRunner: ToolRunner
  /** Of the machine: what a task needs beyond it failed then as now. */
  readonly capacity: Capacity
  readonly pool: () => Pool
  /** Path of the task at whose end the replay stops. */
  readonly to?: string
}

/** What the machine decided. // P4 */
const machineMade = new Set(['run/worker-crashed'])

/** Replays a recorded run. */
export async function replayRun({ plan, summary, log }: OpenedRun, options: ReplayOptions): Promise<Replay | Diagnostic> {
  const events = [...log.events()]
  const { runId } = summary
  if (options.to !== undefined) {
    const whole = folded(plan, events, options.capacity)
    if (taskAt(whole, options.to) === null) return unknownTask(whole, runId, options.to)
  }
  const [first] = events
  const constants = await evaluateConstants(plan, options.toolRunner, options.pool)
  const seed = first?.kind === 'run-started' ? (first.standInSeed ?? '') : ''
  for (const { name } of plan.secrets ?? []) constants.values.set(standInName(name), standInOf(name, seed))
  const replayer = new Replayer(plan, constants, options)
  const folding = replayer.fold(events, options.to)
  const state = options.to === undefined ? null : showReport(reportOf(plan, summary, events.slice(0, folding.events)))
  return { runId, values: replayer.values, calls: replayer.calls, hash: replayer.hash, difference: folding.difference, state }
}

class Replayer {
  values = 0
  calls = 0
  hash = ''
  private readonly state: State
  private readonly constants: ReadonlyMap<string, Value>
  private readonly constantsFailure: Failure | null
  private readonly options: EvaluationOptions

  constructor(plan: Plan, constants: { readonly values: ReadonlyMap<string, Value>; readonly failure: Failure | null }, { toolRunner, capacity }: ReplayOptions) {
    this.state = initialState(plan, capacity)
    this.constants = constants.values
    this.constantsFailure = constants.failure
    this.options = { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure: (module, fn) => toolRunner.pure(module, fn), prompts: plan.prompts }
  }

  /** Replays until a difference, the end of the task `to`, or the end of the record; `events` is how many were folded. */
  fold(events: readonly RunEvent[], to: string | undefined): { readonly events: number; readonly difference: ReplayDifference | null } {
    const { state } = this
    for (const [index, event] of events.entries()) {
      const difference = this.differenceAt(event)
      if (difference !== null) return { events: index, difference }
      let isThere = false
      for (const command of transition(state, event)) isThere ||= to !== undefined && command.kind === 'changed' && command.status !== 'running' && pathOf(state, command.task) === to
      if (isThere) return { events: index + 1, difference: null }
    }
    return { events: events.length, difference: null }
  }

  private differenceAt(event: RunEvent): ReplayDifference | null {
    switch (event.kind) {
      case 'evaluated':
        return this.compare(event)
      case 'run-finished':
        return this.compareEnd(event.outcome)
      case 'call-started':
      case 'call-finished':
      case 'model-asked':
      case 'model-answered':
        return this.compareTalk(event)
      default:
        return null
    }
  }

  /** P5. */
  private compareTalk(event: Extract<RunEvent, { kind: 'call-started' | 'call-finished' | 'model-asked' | 'model-answered' }>): ReplayDifference | null {
    const { state } = this
    const { task, attempt } = event
    if (state.ensuring.has(task)) return null // compared with what its conditions come to
    const talk = task < state.tasks.size && state.tasks.attempt[task] === attempt ? state.talks.get(task) : undefined
    if (talk === undefined || talk.talk === null) return null // no agent's, or given up; or calls of its prompt, which are compared with its value
    const about = { task: pathOf(state, task), part: 'body', recorded: null, replayed: null }
    if (event.kind === 'model-asked' || event.kind === 'model-answered') {
      if (event.kind === 'model-answered') this.calls++
      return talk.step?.kind === 'ask' && talk.step.turn === event.turn ? null : { ...about, words: `Turn ${event.turn} of a conversation was recorded; the replay is not there.` }
    }
    if (event.kind === 'call-finished') this.calls++
    const name = callNameOf(state, task, event.call)
    if (name === null) return { ...about, words: `Call ${event.call} of a conversation was recorded; in the replay the agent makes no such call.` }
    return event.kind === 'call-finished' || name === event.name ? null : { ...about, words: `The agent calls \`${name}\` where \`${event.name}\` was recorded.` }
  }

  /** P2. */
  private compare(event: Extract<RunEvent, { kind: 'evaluated' }>): ReplayDifference | null {
    const { state } = this
    const { task, attempt, part, outcome } = event
    const isCurrent = task < state.tasks.size && state.tasks.attempt[task] === attempt && !isOver(state.tasks.phase[task]!)
    if (!isCurrent || part === 'label') return null // it was given up: its end changed nothing
    if (outcome.kind === 'failure' && machineMade.has(outcome.failure.code)) return null // P4
    const about = { task: pathOf(state, task), part }
    const replayed = part === 'setup' ? this.setUp(task) : this.evaluate(task, part)
    if (typeof replayed === 'string') return { ...about, recorded: shown(outcome), replayed: null, words: replayed }
    const [hash, recordedHash] = [hashOf(replayed), hashOf(outcome)]
    this.values++
    this.hash = sha256(`${this.hash}${hash}`)
    return hash === recordedHash ? null : { ...about, recorded: shown(outcome), replayed: shown(replayed), words: 'It comes to another value than was recorded.' }
  }

  private compareEnd(outcome: Outcome): ReplayDifference | null {
    const own = this.state.outcome
    if (own !== null && hashOf(own) === hashOf(outcome)) return null
    const words = own === null ? 'The record ends, and the replay has come to no result.' : 'The run comes to another result than was recorded.'
    return { task: this.state.workflow, part: 'result', recorded: shown(outcome), replayed: own === null ? null : shown(own), words }
  }

  private evaluate(task: TaskId, part: Extract<RunEvent, { kind: 'evaluated' }>['part']): Outcome | string {
    const found = expressionFor(this.state, task, part, this.constants)
    if (found === null) return { kind: 'value', value: null }
    return this.toEnd(task, found.expr, found.names, firstCallOf(this.state, task, part)).outcome
  }

  private setUp(task: TaskId): Outcome | string {
    if (this.constantsFailure !== null) return { kind: 'failure', failure: this.constantsFailure }
    const { stages, result } = setUpStages(this.state, task, this.constants)
    let calls = 0
    for (const stage of stages) {
      const end = this.toEnd(task, stage.expr, stage.names, calls)
      if (typeof end.outcome === 'string' || end.outcome.kind === 'failure') return end.outcome
      calls = end.calls
      stage.accept(end.outcome.value)
    }
    return { kind: 'value', value: result() }
  }

  /** Evaluates with recorded outcomes for calls, from number `calls` on; a sentence where the record has none. // P1 */
  private toEnd(task: TaskId, expr: PlanExpr, names: NameScope, calls: number): { readonly outcome: Outcome | string; readonly calls: number } {
    const evaluation = new Evaluation(expr, names, this.options)
    let at = calls
    let step: Step = evaluation.start()
    while (step.kind === 'call') {
      const name = nameOf(step.call)
      const known = recordedCalls(this.state, task)[at++]
      if (known?.outcome == null) return { outcome: `It calls \`${name}\`, and no outcome of such a call was recorded.`, calls: at }
      if (known.name !== name) return { outcome: `It calls \`${name}\` where \`${known.name}\` was recorded.`, calls: at }
      this.calls++
      step = evaluation.resume(known.outcome)
    }
    if (step.kind === 'heavy') return { outcome: 'A part of it would be worked on in a thread.', calls: at }
    return { outcome: step.kind === 'done' ? { kind: 'value', value: step.value } : { kind: 'failure', failure: { ...step.failure, task: '' } }, calls: at }
  }
}

const hashOf = (outcome: Outcome): string => sha256(canonicalJson(JSON.parse(JSON.stringify(outcome)) as Json))
const shown = (outcome: Outcome): Outcome => mapOutcome(outcome, showStandIns)
