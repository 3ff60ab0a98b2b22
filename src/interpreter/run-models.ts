// Run models: what answers the agents of one run: the models of its plan, or what a test says.
// Owns: joining the plan's models with the run's clock and constants, working out their options and a test's replies; who answers which agent. Does not own: asking (gateway/).
import type { Host } from '#host/host.ts'
import type { Cassette } from '#model/cassette.ts'
import type { ChatFailureCode } from '#model/chat.ts'
import type { Plan, PlanExpr, PlanTest } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { ModelFailure, type ModelProvider } from '#plugin-api/model-provider.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { evaluatePure } from './engine/evaluation.ts'
import type { Clock } from './gateway/endpoint.ts'
import { RecordedModels } from './gateway/cassette.ts'
import { type AskedModels, failed, OpenModels } from './gateway/models.ts'
import { ScriptedModels } from './gateway/scripted.ts'
import type { Timers } from './world.ts'

const RANDOM_BYTES = 6

export interface RunModelsSettings {
  readonly plan: Plan
  readonly host: Host
  readonly timers: Timers
  readonly toolRunner: ToolRunner
  readonly constants: ReadonlyMap<string, Value>
  /** Absent: there are no providers. */
  readonly modelProvider: ((name: string) => Promise<ModelProvider | null>) | undefined
  /** Of a test; absent: the plan's models are asked. */
  readonly given: PlanTest['given'] | undefined
  /** What `given` names, by its path there. */
  readonly cassettes?: ReadonlyMap<string, Cassette> | undefined
  /** Answers every agent; absent: the plan's models are asked. */
  readonly replayed?: Cassette | undefined
}

export function modelsOf({ plan, host, timers, toolRunner, constants, modelProvider, given, cassettes, replayed }: RunModelsSettings): AskedModels {
  const names = { param: () => null, node: () => null, constant: (name: string) => constants.get(name) ?? null, local: () => undefined }
  const evaluate = (expr: PlanExpr, what: string): Value => {
    const step = evaluatePure(expr, names, { pure: (module, fn) => toolRunner.pure(module, fn), prompts: plan.prompts })
    if (step.kind === 'done') return step.value
    throw new ModelFailure('bad-request' satisfies ChatFailureCode, `${what} cannot be worked out: ${step.kind === 'failed' ? step.failure.message : 'it calls a tool'}`)
  }
  if (given !== undefined) {
    const replies = given.flatMap(each => (each.kind === undefined || each.kind === 'replies' ? [each] : []))
    const scripted = new ScriptedModels(replies.map(({ agent, replies: list }) => ({ agent, replies: () => listOf(evaluate(list, `What the test gives as replies of \`${agent}\``)) })))
    const recorded = given.flatMap(each => (each.kind === 'replays' ? [each] : []))
    return recorded.length === 0 ? scripted : eachByItsOwn(scripted, new Set(replies.map(each => each.agent)), recorded, cassettes ?? new Map())
  }
  if (replayed !== undefined) return new RecordedModels([replayed])
  return new OpenModels({
    plan, host, clock: clockOf(host, timers), provider: name => modelProvider?.(name) ?? Promise.resolve(null),
    evaluate: (model, option) => evaluate(option, `An option of the model \`${model}\``),
  })
}

/** Agents answer as the test says of each: from its cassettes, or by its replies. */
function eachByItsOwn(scripted: AskedModels, withReplies: ReadonlySet<string>, recorded: readonly { readonly agent: string; readonly cassette: string }[], cassettes: ReadonlyMap<string, Cassette>): AskedModels {
  const byAgent = new Map<string, AskedModels>()
  for (const agent of new Set(recorded.map(each => each.agent))) {
    const own = recorded.filter(each => each.agent === agent).flatMap(({ cassette }) => cassettes.get(cassette) ?? [])
    byAgent.set(agent, new RecordedModels(own))
  }
  return {
    isScripted: true,
    oddities: () => scripted.oddities?.() ?? [],
    async ask(question) {
      const { agent } = question
      const found = byAgent.get(agent)
      if (found !== undefined && withReplies.has(agent)) return failed('bad-request', `The test gives both replies and a cassette of \`${agent}\`.`, [])
      return (found ?? scripted).ask(question)
    },
  }
}

const listOf = (value: Value): readonly Value[] => (Array.isArray(value) ? (value as readonly Value[]) : [value])

/** The run's own clock. */
function clockOf(host: Host, timers: Timers): Clock {
  return {
    monotonic: () => host.monotonic(),
    sleep: (ms, signal) => new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const leave = (): void => {
        clear()
        reject(signal.reason as Error)
      }
      const clear = timers.set(ms, () => {
        signal.removeEventListener('abort', leave)
        resolve()
      })
      signal.addEventListener('abort', leave, { once: true })
    }),
    random: () => parseInt(host.randomHex(RANDOM_BYTES), 16) / 256 ** RANDOM_BYTES,
  }
}
