// Conversations: what agents ask of the world: questions to their models, calls of their tools.
// Owns: what is under way, giving it up, the order of intent and deed. Does not own: a question (ask-model.ts), a call (call-tool.ts), whose turn it is (engine/talk).
//   C1. A question, and a call that writes, is begun only when the record that it was begun is durable.
//   C2. Whatever comes back after a task was given up is dropped; giving up closes the socket.
//   C3. What the run's stop kept from being begun has no outcome: it is begun when the run goes on.
//   C4. A call beyond `limits { calls }` of a workflow is not made: the run stops.
//   C5. What is carried out inside the run is only recorded as begun: the rest follows from that. // engine/delegation.ts
import { setMaxListeners } from 'node:events'
import type { Failure, ModelOutcome, Outcome, TaskId } from '#model/event.ts'
import { announceCall } from '#interpreter/engine/dispatch.ts'
import { modelChain } from '#interpreter/engine/questions.ts'
import { callNameOf, callOf, isCarriedOutInside, questionOf } from '#interpreter/engine/talks.ts'
import { recordedCalls } from '#interpreter/engine/view.ts'
import type { World } from '#interpreter/world.ts'
import { askModel } from './ask-model.ts'
import { stepOfTool } from './call-for-agent.ts'
import { callTool } from './call-tool.ts'
import { isTooLarge, valueTooLarge } from './value-size.ts'

/** Stops the run at a limit once all that was within it has come to its end. */
export interface LimitStop {
  /** @param limit the sentence with which the run stops. */
  reached(limit: string): void
  lookAgain(): void
}

interface Talking {
  readonly attempt: number
  readonly abort: AbortController
  /** Questions and calls under way. */
  open: number
}

export class Conversations {
  /** Tasks whose agents wait for something. */
  readonly underWay = new Map<TaskId, Talking>()
  /** What is not yet back, what was given up included. */
  outstanding = 0
  private readonly world: World
  private readonly onWaiting: (task: TaskId) => void
  private readonly limits: LimitStop

  constructor(world: World, onWaiting: (task: TaskId) => void, limits: LimitStop) {
    this.world = world
    this.onWaiting = onWaiting
    this.limits = limits
  }

  /** Puts the question of the open turn to a model; what comes of it is a `model-answered` event. */
  ask(task: TaskId, attempt: number, turn: number): void {
    const { world } = this
    if (!world.mayBegin()) return // C3
    const question = questionOf(world.state, task)
    if (question === null) return // given up since
    const { agent, model, request } = question
    const talking = this.begin(task, attempt)
    world.emit({ kind: 'model-asked', atMs: world.host.now(), task, attempt, turn, model })
    world.whenDurable(() => { // C1
      if (!this.mayGoOn(task, talking)) return
      const startedMs = world.host.monotonic()
      this.outside(askModel(world, { task, agent, chain: modelChain(world.state.plan, model), request }, talking.abort.signal), failure => ({ kind: 'failure', failure, lost: [] }) satisfies ModelOutcome, task, talking, outcome => {
        world.emit({ kind: 'model-answered', atMs: world.host.now(), task, attempt, turn, outcome, elapsedMs: world.host.monotonic() - startedMs })
      })
    })
  }

  /** Makes a call that a model asked for; what comes of it is a `call-finished` event. */
  call(task: TaskId, attempt: number, call: number): void {
    const { world } = this
    if (!world.mayBegin()) return // C3
    const asked = callOf(world.state, task, call)
    if (asked === null) return // given up since
    const { tool, input } = asked
    const begunBefore = recordedCalls(world.state, task)[call] !== undefined
    const isInside = tool.kind !== 'function' || isCarriedOutInside(world.state, task, call)
    const limit = isInside ? null : announceCall(world.state, task)
    if (limit !== null) return this.limits.reached(limit) // C4
    const name = callNameOf(world.state, task, call)!
    const talking = isInside ? null : this.begin(task, attempt)
    world.emit({ kind: 'call-started', atMs: world.host.now(), task, attempt, call, name })
    if (talking === null || tool.kind !== 'function') return // C5
    const finish = (outcome: Outcome, elapsedMs: number): void => {
      const kept: Outcome = outcome.kind === 'value' && isTooLarge(outcome.value) ? { kind: 'failure', failure: valueTooLarge(name) } : outcome
      world.emit({ kind: 'call-finished', atMs: world.host.now(), task, attempt, call, outcome: kept, elapsedMs })
    }
    const step = stepOfTool(world, tool, input)
    if (step.kind !== 'call') {
      this.end(task, talking)
      return finish(step.kind === 'done' ? { kind: 'value', value: step.value } : { kind: 'failure', failure: { ...step.failure, task: '' } }, 0)
    }
    const make = (): void => {
      if (!this.mayGoOn(task, talking)) return
      const startedMs = world.host.monotonic()
      const notes: string[] = []
      const place = { task, attempt, part: 'body', call, begunBefore, onNote: (note: string) => void notes.push(note) } as const
      this.outside(callTool(world, step.call, place, talking.abort.signal), failure => ({ kind: 'failure', failure }) satisfies Outcome, task, talking, outcome => {
        finish(outcome, world.host.monotonic() - startedMs)
        if (notes.length > 0) world.whenDurable(() => void world.appends?.forget(notes))
      })
    }
    if (step.call.effect === 'write') world.whenDurable(make) // C1
    else make()
  }

  /** Gives a conversation up. */
  cancel(task: TaskId, attempt: number): void {
    const talking = this.underWay.get(task)
    if (talking === undefined || talking.attempt !== attempt) return
    this.underWay.delete(task)
    talking.abort.abort() // C2
    this.limits.lookAgain()
  }

  cancelAll(): void {
    for (const [task, { attempt }] of this.underWay) this.cancel(task, attempt)
  }

  private begin(task: TaskId, attempt: number): Talking {
    let talking = this.underWay.get(task)
    if (talking === undefined || talking.attempt !== attempt) {
      talking = { attempt, abort: new AbortController(), open: 0 }
      setMaxListeners(0, talking.abort.signal) // many calls side by side listen to it
      this.underWay.set(task, talking)
      this.world.began(task, this.world.host.monotonic())
      this.onWaiting(task)
    }
    talking.open++
    return talking
  }

  private end(task: TaskId, talking: Talking): void {
    talking.open--
    if (talking.open === 0 && this.underWay.get(task) === talking) this.underWay.delete(task)
    this.limits.lookAgain()
  }

  private mayGoOn(task: TaskId, talking: Talking): boolean {
    if (this.underWay.get(task) !== talking) return false // C2
    if (this.world.mayBegin()) return true
    this.end(task, talking) // C3
    return false
  }

  /** Waits for something outside; `arrived` is told unless it was given up, or kept from being begun. */
  private outside<Came>(promise: Promise<Came | null>, failed: (failure: Failure) => Came, task: TaskId, talking: Talking, arrived: (came: Came) => void): void {
    const { world } = this
    this.outstanding++
    const settled = (came: Came | null): void => {
      this.outstanding--
      const isCurrent = this.underWay.get(task) === talking
      this.end(task, talking)
      if (isCurrent && came !== null) arrived(came) // C2 C3
      world.wake()
    }
    promise.then(settled, error => {
      const why = world.secrets.redactText(String((error as Error | null)?.message ?? error))
      settled(failed({ code: 'plugin/crashed', message: `The call ended in an error of its own: ${why}`, task: '', retryable: false }))
    })
  }
}
