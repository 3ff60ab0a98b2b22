// Talk world: runs with agents on the pure engine: models and tools are functions, expressions are evaluated in place, processes die and come back.
// Owns: the queue of what the world is about to answer, crashes. What models and tools answer is the caller's.
//   W1. Of a process that ends, only the recorded events remain; the next one folds them into a state of its own.
//   W2. What is asked for is answered in the order in which it was asked for, or in an order drawn from a seed.
import { evaluatePure } from '#interpreter/engine/evaluation.ts'
import { expressionFor } from '#interpreter/effects/expression-for.ts'
import { setUpStages } from '#interpreter/effects/set-up.ts'
import { MemoryThreads } from '#interpreter/journal/memory-threads.ts'
import { announceCall } from '#interpreter/engine/dispatch.ts'
import { openCommands } from '#interpreter/engine/open-commands.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { worthRecalling } from '#interpreter/engine/memory.ts'
import { partsOfTimer, type Command } from '#interpreter/engine/protocol.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { callNameOf, callOf, isCarriedOutInside, questionOf, type Question } from '#interpreter/engine/talks.ts'
import { transition } from '#interpreter/engine/transition.ts'
import type { ChatBlock, ChatReply, ChatStop, ChatUsage } from '#model/chat.ts'
import { noUsage } from '#model/chat.ts'
import type { ModelOutcome, Outcome, RunEvent, StopCause } from '#model/event.ts'
import type { ThreadEntry } from '#model/memory.ts'
import type { Plan, PlanAgent, PlanBody, PlanExpr, PlanModel, PlanTool } from '#model/plan.ts'
import type { Type, Value } from '#model/type.ts'
import { value } from './plan-builder.ts'

export interface Place {
  readonly path: string
  readonly attempt: number
}

export interface TalkWorldOptions {
  readonly plan: Plan
  /** What a model answers; null: it never does. */
  model(question: Question, place: Place & { readonly turn: number }): ModelOutcome | null
  /** What a tool answers. */
  tool?(name: string, input: Readonly<Record<string, Value>>, place: Place & { readonly call: number }): Outcome | null
  /** What a body that is an expression comes to; absent: it is worked out in place, without calls. */
  body?(place: Place): Outcome
  /** Draws the next answer of those that are due; default: the first. */
  draw?(count: number): number
  /** After this many events of one process it is killed. */
  killAfter?(process: number): number
  /** Told of each event before it is folded; a reason stops the run. */
  onEvent?(event: RunEvent, state: State, world: TalkWorld): void
  readonly parallel?: number
  readonly threads?: MemoryThreads
  readonly runId?: string
}

interface Due {
  readonly key: string
  readonly make: () => RunEvent | null
}

const MAX_EVENTS = 5_000

export class TalkWorld {
  readonly events: RunEvent[] = []
  /** Questions that were put to a model, by path, attempt and turn. */
  readonly asked: string[] = []
  /** Calls that were made, by path, attempt and number. */
  readonly called: string[] = []
  /** What agents remember under a name: it outlives every process, and runs that are given the same. */
  readonly threads: MemoryThreads
  state!: State
  processes = 0
  private readonly options: TalkWorldOptions
  private due: Due[] = []
  private nowMs = 1_000
  private inProcess = 0

  constructor(options: TalkWorldOptions) {
    this.options = options
    this.threads = options.threads ?? new MemoryThreads()
  }

  /** Until the run ends, stops, or nothing is left that would come. */
  run(): TalkWorld {
    do this.process()
    while (this.isKilled && this.events.length < MAX_EVENTS)
    return this
  }

  get outcome(): Outcome | null {
    return this.state.isFinished ? this.state.outcome : null
  }

  get value(): Value | undefined {
    return this.outcome?.kind === 'value' ? this.outcome.value : undefined
  }

  get code(): string | null {
    return this.outcome?.kind === 'failure' ? this.outcome.failure.code : null
  }

  /** Lets something be recorded as soon as the world's turn comes. */
  later(event: RunEvent): void {
    this.due.unshift({ key: 'outside', make: () => event })
  }

  /** Records something while no process is there; to be followed by `run`. */
  answer(event: RunEvent): void {
    this.between.push(event)
  }

  stop(reason: StopCause): void {
    this.later({ kind: 'stop-requested', atMs: this.nowMs, reason, detail: '' })
  }

  private isKilled = false
  private readonly between: RunEvent[] = []

  private process(): void {
    const { plan, parallel = 1_000 } = this.options
    const killAfter = this.options.killAfter?.(this.processes) ?? Infinity
    this.processes++
    this.inProcess = 0
    this.isKilled = false
    this.due = []
    this.state = initialState(plan, { parallel, cpu: 8, memoryBytes: 1e12 })
    for (const event of this.events) transition(this.state, event) // W1
    this.state.kept.length = 0 // kept when they were recorded
    if (this.state.isFinished) return
    if (this.events.length === 0) this.record({ kind: 'run-started', atMs: this.nowMs, runId: this.options.runId ?? 'run', planHash: plan.hash, workflow: plan.entries[0]!, args: {}, tekVersion: 'test' })
    else {
      this.record({ kind: 'run-resumed', atMs: ++this.nowMs }, false)
      for (const command of openCommands(this.state, this.nowMs)) this.perform(command)
      for (const event of this.between.splice(0)) this.record(event)
    }
    while (this.due.length > 0 && !this.state.isFinished && this.events.length < MAX_EVENTS) {
      if (this.inProcess >= killAfter) {
        this.isKilled = true
        return
      }
      const [next] = this.due.splice(this.options.draw?.(this.due.length) ?? 0, 1) // W2
      const event = next!.make()
      if (event !== null) this.record(event)
    }
  }

  private record(event: RunEvent, performs = true): void {
    this.options.onEvent?.(event, this.state, this)
    this.events.push(JSON.parse(JSON.stringify(event)) as RunEvent)
    this.inProcess++
    const commands = transition(this.state, event)
    for (const kept of this.state.kept.splice(0)) this.threads.add(kept) // durable with the event
    if (performs) for (const command of commands) this.perform(command)
  }

  private perform(command: Command): void {
    const { state } = this
    switch (command.kind) {
      case 'evaluate':
        this.due.push({ key: `${command.task} ${command.attempt}`, make: () => ({ kind: 'evaluated', atMs: ++this.nowMs, task: command.task, attempt: command.attempt, part: command.part, outcome: this.evaluate(command), elapsedMs: 0 }) })
        return
      case 'ask-model':
        return this.ask(command)
      case 'recall':
        this.due.push({ key: `${command.task} ${command.attempt}`, make: () => ({ kind: 'recalled', atMs: ++this.nowMs, task: command.task, attempt: command.attempt, entries: this.recalled(command) }) })
        return
      case 'call-for-agent':
        return this.call(command)
      case 'set-timer':
        if (partsOfTimer(command.timer)?.purpose === 'retry') this.due.push({ key: 'timer', make: () => ({ kind: 'timer-fired', atMs: ++this.nowMs, timer: command.timer }) })
        return
      case 'cancel':
        this.due = this.due.filter(each => each.key !== `${command.task} ${command.attempt}`)
        return
      case 'stop':
        this.due.push({ key: 'outside', make: () => ({ kind: 'stop-requested', atMs: ++this.nowMs, reason: 'limit', detail: command.detail, ...(command.isFinal ? { isFinal: true } : {}) }) })
        return
      case 'finish':
        this.due.push({ key: 'outside', make: () => ({ kind: 'run-finished', atMs: ++this.nowMs, outcome: command.outcome }) })
        return
      default:
        void state
    }
  }

  private recalled({ task, thread }: Extract<Command, { kind: 'recall' }>): readonly ThreadEntry[] {
    const agent = this.state.talks.get(task)?.agent
    return agent === undefined ? [] : worthRecalling(this.threads.entries(thread), agent)
  }

  private ask({ task, attempt, turn }: Extract<Command, { kind: 'ask-model' }>): void {
    const { state } = this
    const question = questionOf(state, task)
    if (question === null) return
    const place = { path: pathOf(state, task), attempt, turn }
    this.due.push({
      key: `${task} ${attempt}`,
      make: () => {
        this.asked.push(`${place.path} ${attempt} ${turn}`)
        const outcome = this.options.model(question, place)
        if (outcome !== null) this.due.push({ key: `${task} ${attempt}`, make: () => ({ kind: 'model-answered', atMs: ++this.nowMs, task, attempt, turn, outcome, elapsedMs: 1 }) })
        return { kind: 'model-asked', atMs: ++this.nowMs, task, attempt, turn, model: question.model }
      },
    })
  }

  private call({ task, attempt, call }: Extract<Command, { kind: 'call-for-agent' }>): void {
    const { state } = this
    const found = callOf(state, task, call)
    if (found === null) return
    const place = { path: pathOf(state, task), attempt, call }
    this.due.push({
      key: `${task} ${attempt}`,
      make: () => {
        const name = callNameOf(state, task, call)!
        const isInside = isCarriedOutInside(state, task, call)
        const limit = isInside ? null : announceCall(state, task)
        if (limit !== null) return { kind: 'stop-requested', atMs: ++this.nowMs, reason: 'limit', detail: limit, isFinal: true }
        this.called.push(`${place.path} ${attempt} ${call}`)
        if (isInside) return { kind: 'call-started', atMs: ++this.nowMs, task, attempt, call, name }
        const outcome = this.options.tool?.(found.tool.name, found.input, place) ?? { kind: 'value', value: null }
        this.due.push({ key: `${task} ${attempt}`, make: () => ({ kind: 'call-finished', atMs: ++this.nowMs, task, attempt, call, outcome, elapsedMs: 1 }) })
        return { kind: 'call-started', atMs: ++this.nowMs, task, attempt, call, name }
      },
    })
  }

  private evaluate({ task, part }: Extract<Command, { kind: 'evaluate' }>): Outcome {
    const { state } = this
    const constants = new Map<string, Value>()
    if (part === 'setup') {
      const { stages, result } = setUpStages(state, task, constants)
      for (const stage of stages) {
        const step = evaluatePure(stage.expr, stage.names, { pure: () => null })
        if (step.kind !== 'done') throw new Error(`a setup ended in ${step.kind}`)
        stage.accept(step.value)
      }
      return { kind: 'value', value: result() }
    }
    if (part === 'body' && this.options.body !== undefined) return this.options.body({ path: pathOf(state, task), attempt: state.tasks.attempt[task]! })
    const found = expressionFor(state, task, part, constants)
    if (found === null) return { kind: 'value', value: null }
    const step = evaluatePure(found.expr, found.names, { pure: () => null })
    return step.kind === 'done' ? { kind: 'value', value: step.value } : { kind: 'failure', failure: { code: 'test/failed', message: step.kind, task: '', retryable: false } }
  }
}

export const reply = (content: readonly ChatBlock[], stop: ChatStop = 'done', usage: Partial<ChatUsage> = {}, model = 'm'): ModelOutcome => ({
  kind: 'reply', reply: { content, stop, usage: { ...noUsage, input: 10, output: 5, ...usage }, model: 'as-named' } satisfies ChatReply, model, lost: [],
})
export const says = (text: string, usage: Partial<ChatUsage> = {}): ModelOutcome => reply([{ kind: 'text', text }], 'done', usage)
export const uses = (...calls: readonly (readonly [name: string, input: Value])[]): ModelOutcome => reply(calls.map(([name, input], at) => ({ kind: 'tool-use', id: `u${at}`, name, input })), 'tool-use')
export const modelFails = (code: string, retryable: boolean): ModelOutcome => ({ kind: 'failure', failure: { code: `model/${code}`, message: code, task: '', retryable }, lost: [] })

export const byAgent = (prompt: PlanExpr, agent = 'a'): PlanBody => ({ kind: 'agent', agent, prompt })

export function agent(more: Partial<PlanAgent> = {}): PlanAgent {
  return { name: 'a', doc: '', model: 'm', role: value('Be terse.'), authority: [], tools: [], leads: [], limits: {}, memory: { kind: 'none' }, ...more }
}

export function model(more: Partial<PlanModel> = {}): PlanModel {
  return { provider: 'test', model: 'test-1', options: {}, key: null, fallback: null, price: null, contextTokens: null, answerTokens: null, timeoutMs: null, ...more }
}

export function tool(name: string, input: Type, more: Partial<Extract<PlanTool, { kind: 'function' }>> = {}): PlanTool {
  return { kind: 'function', name, doc: `Does ${name}.`, input, isUntrusted: false, isSink: false, module: 'test', fn: name, effect: 'read', runs: 'host', needs: [], result: { kind: 'any' }, ...more }
}
