// Simulator: the engine alone under a clock of its own: events in, commands out, no expressions, no tools.
import { pathOf } from '#interpreter/engine/path.ts'
import type { Capacity, Command } from '#interpreter/engine/protocol.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import type { Weights } from '#interpreter/engine/shape.ts'
import type { Outcome, Part, RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { RankHeap, type Ranked } from '#interpreter/pool/rank-heap.ts'

export interface Simulation {
  capacity?: Partial<Capacity>
  weights?: Weights
  /** How long a body takes. */
  durationMs?: (path: string, attempt: number) => number
  /** What a part comes to; default null for bodies, true for `when`, [] for lists. */
  answer?: (part: Part, path: string, attempt: number) => Outcome | undefined
  cached?: (path: string) => Value | undefined
  onStart?: (path: string, nowMs: number, state: State) => void
  onEnd?: (path: string, nowMs: number, state: State) => void
  args?: Record<string, Value>
  /** Looks at every event before it is folded. */
  onEvent?: (event: RunEvent) => void
}

export interface Simulated {
  state: State
  endMs: number
  outcome: Outcome | null
  commands: Command[]
  changes: { path: string; status: string }[]
}

/** The earliest has the best rank. */
type Due = Ranked & { atMs: number; event: RunEvent; path: string | null }

export const given = (value: Value): Outcome => ({ kind: 'value', value })
export const failed = (code: string, retryable = false): Outcome => ({ kind: 'failure', failure: { code, message: code, task: '', retryable } })

/** Runs a plan to its end. */
export function simulate(plan: Plan, options: Simulation = {}): Simulated {
  const state = initialState(plan, { parallel: 1_000, cpu: 1_000, memoryBytes: 1e12, ...options.capacity }, options.weights)
  const commands: Command[] = []
  const changes: { path: string; status: string }[] = []
  const due = new RankHeap<Due>()
  const cancelled = new Set<string>()
  const cleared = new Map<number, number>()
  let nowMs = 0
  let order = 0
  const later = (ms: number, event: RunEvent, path: string | null = null) => due.push({ atMs: nowMs + ms, rank: -(nowMs + ms), order: order++, event, path })
  const perform = (command: Command): void => {
    commands.push(command)
    switch (command.kind) {
      case 'evaluate': {
        const path = pathOf(state, command.task)
        const isBody = command.part === 'body'
        if (isBody) options.onStart?.(path, nowMs, state)
        const outcome = options.answer?.(command.part, path, command.attempt) ?? standard(state, command.part)
        const ms = isBody ? (options.durationMs?.(path, command.attempt) ?? 0) : 0
        later(ms, { kind: 'evaluated', atMs: nowMs + ms, task: command.task, attempt: command.attempt, part: command.part, outcome, elapsedMs: ms }, isBody ? path : null)
        return
      }
      case 'look-up': {
        const value = options.cached?.(pathOf(state, command.task))
        return later(0, { kind: 'cache-answered', atMs: nowMs, task: command.task, key: 'k', value, hit: value !== undefined })
      }
      case 'set-timer':
        cleared.delete(command.timer)
        return later(command.ms, { kind: 'timer-fired', atMs: nowMs + command.ms, timer: command.timer })
      case 'clear-timer':
        cleared.set(command.timer, order)
        return
      case 'cancel':
        cancelled.add(`${command.task} ${command.attempt}`)
        return
      case 'stop':
        return later(0, { kind: 'stop-requested', atMs: nowMs, reason: 'limit', detail: command.detail })
      case 'finish':
        return later(0, { kind: 'run-finished', atMs: nowMs, outcome: command.outcome })
      case 'changed':
        changes.push({ path: pathOf(state, command.task), status: command.status })
        return
      case 'remember':
        return
    }
  }
  const fold = (event: RunEvent): void => {
    options.onEvent?.(event)
    for (const command of transition(state, event)) perform(command)
  }
  fold({ kind: 'run-started', atMs: 0, runId: 'run', planHash: plan.hash, workflow: plan.entries[0]!, args: options.args ?? {}, tekVersion: 'test' })
  for (let next = due.pop(); next !== undefined && !state.isFinished && !state.isStopping; next = due.pop()) {
    const { event } = next
    if (event.kind === 'timer-fired' && (cleared.get(event.timer) ?? -1) > next.order) continue
    nowMs = Math.max(nowMs, next.atMs)
    if (event.kind === 'evaluated') {
      if (cancelled.has(`${event.task} ${event.attempt}`) && event.part === 'body') continue
      if (next.path !== null) options.onEnd?.(next.path, nowMs, state)
    }
    fold(event)
  }
  return { state, endMs: nowMs, outcome: state.outcome, commands, changes }
}

function standard(state: State, part: Part): Outcome {
  switch (part) {
    case 'setup':
      return given({ args: state.args as Record<string, Value>, authority: [] })
    case 'when':
      return given(true)
    case 'list':
      return given([])
    default:
      return given(null)
  }
}
