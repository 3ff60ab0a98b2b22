// Evaluate: works on expressions, step by step: pure parts here or in a thread, calls through the guard.
// Owns: attempts under way and how they are taken up again. Does not own: the meaning of expressions (engine/evaluation.ts).
//   V1. A call is announced before it is made; a call that writes is made only when the announcement is durable.
//   V2. A call whose outcome the journal knows is not made again: the outcome is given to the expression in its place.
//   V3. Whatever comes back after an attempt was given up is dropped.
//   V4. Nothing longer than INLINE_STEPS is worked on here: it goes to a thread. An expression that turned out to be that long goes there at
//       once the next HEAVY_RUNS times: the items of a `for` are mostly alike.
//   V5. A call beyond `limits { calls }` is not made: its attempt is put down, those under way end, then the run stops.
import type { Outcome, Part, TaskId } from '#model/event.ts'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { Evaluation, INLINE_STEPS, MAX_EXPRESSION_STEPS, type CallRequest, type EvaluationOptions, type Scope as NameScope, type Step } from '#interpreter/engine/evaluation.ts'
import { announceCall } from '#interpreter/engine/dispatch.ts'
import { firstCallOf } from '#interpreter/engine/ensure.ts'
import { Names, rankOf, recordedCalls } from '#interpreter/engine/view.ts'
import type { World } from '#interpreter/world.ts'
import { callTool } from './call-tool.ts'
import { expressionFor } from './expression-for.ts'
import { setUpStages, type Stage } from './set-up.ts'
import { isTooLarge, valueTooLarge } from './value-size.ts'

/** Times that an expression which was once too long is not tried here again. */
const HEAVY_RUNS = 15

interface Work {
  readonly task: TaskId
  readonly attempt: number
  readonly part: Part
  readonly startedMs: number
  evaluation: Evaluation
  calls: number
  abort: AbortController | null
  /** For a setup: what is left to be worked out. */
  stages: Stage[]
  stage: Stage | null
  result: (() => Value) | null
}

export class Evaluator {
  /** Attempts that wait for something outside, by task. */
  readonly underWay = new Map<TaskId, Work>()
  /** Calls and thread jobs not yet back, those given up included. */
  outstanding = 0
  /** The sentence with which the run stops, once a call would have gone beyond a limit. */
  private limit: string | null = null
  private isStopAsked = false
  private readonly world: World
  private readonly options: EvaluationOptions
  /** For what is known to be long: stops at the first loop. */
  private readonly heavyOptions: EvaluationOptions
  /** Runs left in which an expression is taken to be long. // V4 */
  private readonly heavyRuns = new Map<PlanExpr, number>()
  private readonly onWaiting: (task: TaskId) => void
  /** Conversations whose questions and calls are under way. */
  private readonly othersUnderWay: () => number

  constructor(world: World, onWaiting: (task: TaskId) => void, othersUnderWay: () => number) {
    this.world = world
    this.onWaiting = onWaiting
    this.othersUnderWay = othersUnderWay
    this.options = { inlineSteps: INLINE_STEPS, maxSteps: MAX_EXPRESSION_STEPS, pure: (module, fn) => world.toolRunner.pure(module, fn), prompts: world.state.plan.prompts }
    this.heavyOptions = { ...this.options, inlineSteps: 0 }
  }

  /** Works on a part of a task; its outcome comes as an `evaluated` event. */
  start(task: TaskId, attempt: number, part: Part): void {
    const { world } = this
    const startedMs = world.host.monotonic()
    world.began(task, startedMs)
    if (part === 'setup') return this.startSetUp(task, attempt, startedMs)
    const found = expressionFor(world.state, task, part, world.constants)
    if (found === null) return this.finish(task, attempt, part, startedMs, { kind: 'value', value: null })
    const evaluation = this.evaluationOf(found.expr, found.names)
    const step = evaluation.start()
    if (step.kind === 'done') return this.finish(task, attempt, part, startedMs, { kind: 'value', value: step.value })
    this.advance({ task, attempt, part, startedMs, evaluation, calls: firstCallOf(world.state, task, part), abort: null, stages: [], stage: null, result: null }, step)
  }

  /** The run stops at a limit, with this sentence, once nothing is under way. // V5 */
  reachLimit(limit: string): void {
    this.limit ??= limit
    this.stopAtLimit()
  }

  /** Gives an attempt up. */
  cancel(task: TaskId, attempt: number): void {
    const work = this.underWay.get(task)
    if (work === undefined || work.attempt !== attempt) return
    this.underWay.delete(task)
    work.abort?.abort()
    this.stopAtLimit()
  }

  cancelAll(): void {
    for (const work of this.underWay.values()) this.cancel(work.task, work.attempt)
  }

  private startSetUp(task: TaskId, attempt: number, startedMs: number): void {
    const { constantsFailure } = this.world
    if (constantsFailure !== null) return this.finish(task, attempt, 'setup', startedMs, { kind: 'failure', failure: constantsFailure })
    const { stages, result } = setUpStages(this.world.state, task, this.world.constants)
    const stage = stages.shift()
    if (stage === undefined) return this.finish(task, attempt, 'setup', startedMs, { kind: 'value', value: result() })
    const evaluation = this.evaluationOf(stage.expr, stage.names)
    this.advance({ task, attempt, part: 'setup', startedMs, evaluation, calls: 0, abort: null, stages, stage, result }, evaluation.start())
  }

  private evaluationOf(expr: PlanExpr, names: NameScope): Evaluation {
    const left = this.heavyRuns.size === 0 ? undefined : this.heavyRuns.get(expr)
    if (left === 0) this.heavyRuns.delete(expr) // tried here once more: its next values may be smaller
    if (left === undefined || left === 0) return new Evaluation(expr, names, this.options)
    this.heavyRuns.set(expr, left - 1)
    return new Evaluation(expr, names, this.heavyOptions)
  }

  private advance(work: Work, first: Step): void {
    let step = first
    for (;;) {
      switch (step.kind) {
        case 'done': {
          const next = this.nextStage(work, step.value)
          if (next === null) return
          step = next
          continue
        }
        case 'failed':
          return this.finishWork(work, { kind: 'failure', failure: { ...step.failure, task: '' } })
        case 'heavy':
          return this.handOver(work, step)
        case 'call': {
          const known = recordedCalls(this.world.state, work.task)[work.calls]
          if (known?.outcome != null && known.name === nameOf(step.call)) { // V2
            work.calls++
            step = work.evaluation.resume(known.outcome)
            continue
          }
          return this.call(work, step.call)
        }
      }
    }
  }

  /** Takes the value of a setup's stage and begins the next; null when the work is done. */
  private nextStage(work: Work, value: Value): Step | null {
    work.stage?.accept(value)
    const next = work.stages.shift()
    if (next === undefined) {
      this.finishWork(work, { kind: 'value', value: work.result === null ? value : work.result() })
      return null
    }
    work.stage = next
    work.evaluation = this.evaluationOf(next.expr, next.names)
    return work.evaluation.start()
  }

  private call(work: Work, request: CallRequest): void {
    const { world } = this
    const { task, attempt, part } = work
    const call = work.calls++
    if (!world.mayBegin()) return void this.underWay.delete(task) // the run stops; the attempt is taken up again when it goes on
    const begunBefore = recordedCalls(world.state, task)[call] !== undefined // its end would have been used
    const limit = announceCall(world.state, task)
    if (limit !== null) {
      this.underWay.delete(task)
      return this.reachLimit(limit)
    }
    const abort = this.wait(work)
    world.emit({ kind: 'call-started', atMs: world.host.now(), task, attempt, call, name: nameOf(request) }) // V1
    const make = (): void => {
      if (!this.isCurrent(work)) return
      if (!world.mayBegin()) return void this.underWay.delete(task)
      const startedMs = world.host.monotonic()
      const notes: string[] = []
      this.outside(callTool(world, request, { task, attempt, part, call, begunBefore, onNote: name => void notes.push(name) }, abort.signal), work, outcome => {
        const kept: Outcome = outcome.kind === 'value' && isTooLarge(outcome.value) ? { kind: 'failure', failure: valueTooLarge(nameOf(request)) } : outcome
        world.emit({ kind: 'call-finished', atMs: world.host.now(), task, attempt, call, outcome: kept, elapsedMs: world.host.monotonic() - startedMs })
        if (notes.length > 0) world.whenDurable(() => void world.appends?.forget(notes))
        return kept
      })
    }
    if (request.effect === 'write') world.whenDurable(make) // V1
    else make()
  }

  private handOver(work: Work, step: Extract<Step, { kind: 'heavy' }>): void {
    const { world } = this
    const abort = this.wait(work)
    if (!this.heavyRuns.has(step.expr)) this.heavyRuns.set(step.expr, HEAVY_RUNS)
    const names = work.stage?.names ?? new Names(world.state, work.task, work.part, world.constants)
    const job = {
      expr: step.expr,
      locals: step.locals,
      params: Object.fromEntries(step.uses.params.map(name => [name, names.param(name)])),
      nodes: Object.fromEntries(step.uses.nodes.map(index => [index, names.node(index)])),
      constants: Object.fromEntries(step.uses.constants.map(name => [name, names.constant(name)])),
      prompts: world.state.plan.prompts,
      modules: modulesOf(step.uses.functions, world.toolRunner),
      rank: work.task === 0 ? 0 : rankOf(world.state, work.task),
    }
    this.outside(world.pool().evaluate(job, abort.signal), work, outcome => outcome) // V4
  }

  /** Waits for something outside, then goes on with the attempt if it is still wanted. */
  private outside(promise: Promise<Outcome | null>, work: Work, arrived: (outcome: Outcome) => Outcome): void {
    this.outstanding++
    const settled = (outcome: Outcome | null): void => {
      this.outstanding--
      if (!this.isCurrent(work)) return this.world.wake() // V3
      if (outcome === null) { // the run stops; the attempt is taken up again when it goes on
        this.underWay.delete(work.task)
        return this.world.wake()
      }
      this.advance(work, work.evaluation.resume(arrived(outcome)))
    }
    promise.then(settled, error => {
      const why = this.world.secrets.redactText(String((error as Error | null)?.message ?? error))
      settled({ kind: 'failure', failure: { code: 'plugin/crashed', message: `The call ended in an error of its own: ${why}`, task: '', retryable: false } })
    })
  }

  /** Stops once the calls that were within the limit have come to their ends. // V5 */
  stopAtLimit(): void {
    if (this.limit === null || this.isStopAsked || this.underWay.size > 0 || this.othersUnderWay() > 0) return
    this.isStopAsked = true
    this.world.emit({ kind: 'stop-requested', atMs: this.world.host.now(), reason: 'limit', detail: this.limit, isFinal: true })
  }

  private wait(work: Work): AbortController {
    this.underWay.set(work.task, work)
    this.onWaiting(work.task)
    work.abort ??= new AbortController()
    return work.abort
  }

  private isCurrent(work: Work): boolean {
    return this.underWay.get(work.task) === work
  }

  private finishWork(work: Work, outcome: Outcome): void {
    this.underWay.delete(work.task)
    this.finish(work.task, work.attempt, work.part, work.startedMs, outcome)
    this.stopAtLimit()
  }

  private finish(task: TaskId, attempt: number, part: Part, startedMs: number, outcome: Outcome): void {
    const { host } = this.world
    this.world.emit({ kind: 'evaluated', atMs: host.now(), task, attempt, part, outcome, elapsedMs: host.monotonic() - startedMs })
  }
}

/** URLs of the modules of functions, for a thread to load. */
export function modulesOf(functions: readonly { readonly module: string }[], toolRunner: ToolRunner): Record<string, string> {
  const urls: Record<string, string> = {}
  for (const { module } of functions) {
    const url = toolRunner.threadModule(module)
    if (url !== null) urls[module] = url
  }
  return urls
}

/** As the journal names a call. */
export function nameOf(request: CallRequest): string {
  return `${request.module}.${request.fn}`
}
