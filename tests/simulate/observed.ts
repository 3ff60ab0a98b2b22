// Observed: what is durable of a run, as it grows: which calls were announced, which are over, who recorded.
// Owns: the fold of durable events to idempotency keys. The keys are made here once more, by their rule (T2 of call-tool.ts), not taken from the code under test.
import { sha256 } from '#base/hash.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { phase } from '#interpreter/engine/tasks.ts'
import { transition } from '#interpreter/engine/transition.ts'
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { TaskStatus } from '#model/report.ts'

const KEY_LENGTH = 40

const partOfPhase: Readonly<Record<number, string>> = {
  [phase.when]: 'when', [phase.list]: 'list', [phase.width]: 'width', [phase.cacheKey]: 'cache-key', [phase.body]: 'body', [phase.setup]: 'setup',
  [phase.returns]: 'returns', [phase.verifyKey]: 'verify-key', [phase.fallback]: 'fallback',
}

export class Observed {
  readonly events: RunEvent[] = []
  /** Keys of calls whose intent is durable, and of those whose outcome is. */
  readonly announced = new Set<string>()
  readonly finished = new Set<string>()
  /** By path of the task. */
  readonly statuses = new Map<string, TaskStatus>()
  private readonly state: State
  private readonly runId: string

  constructor(plan: Plan, runId: string) {
    this.state = initialState(plan, { parallel: Infinity, cpu: Infinity, memoryBytes: Infinity })
    this.runId = runId
  }

  add(events: readonly RunEvent[]): void {
    for (const event of events) {
      this.events.push(event)
      if (event.kind === 'call-finished') this.finished.add(this.keyOf(event.task, event.attempt, event.call))
      for (const command of transition(this.state, event)) if (command.kind === 'changed') this.statuses.set(pathOf(this.state, command.task), command.status)
      if (event.kind !== 'call-started') continue
      this.announced.add(this.keyOf(event.task, event.attempt, event.call))
    }
  }

  private keyOf(task: TaskId, attempt: number, call: number): string {
    const { state, runId } = this
    const part = partOfPhase[state.tasks.phase[task]!] ?? 'over'
    return sha256(`${runId}\n${pathOf(state, task)}\n${attempt}\n${part}\n${call}`).slice(0, KEY_LENGTH)
  }
}
