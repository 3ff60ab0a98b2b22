// Asked: what a run asks to be allowed, found before it begins, from the same setup that its first step will be.
// Owns: the grants of the root's levels with the run's own arguments. Does not own: whether they are given (permits/), the levels (engine/open-scope.ts).
//   K1. It is an upper bound: an action needs a grant of every level, and a sub-workflow's levels only narrow those of the root.
//   K2. Nothing is guessed: where the setup cannot be worked out (it fails, as it will in the run) the answer is null.
//   K3. Only pure functions are called for it, with a context that allows nothing.
//   K4. The key of a model that may be asked is read only if the person lets its source be read: that is asked with it, and widens no level of the program.
//   K5. A server of tools is asked for by its definition, so that another command line or address is another grant; with it, the variables that are written
//       out in it and the files of its own program. They widen no level of the program.
import { containsGrant, type GrantKinds } from '#grants/match.ts'
import { needOf } from '#grants/secret-source.ts'
import type { Host } from '#host/host.ts'
import type { AskedGrant, Grant } from '#model/capability.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { evaluateConstants } from './effects/constants.ts'
import { setUpStages } from './effects/set-up.ts'
import { Evaluation, MAX_EXPRESSION_STEPS } from './engine/evaluation.ts'
import { ownLevels, type Setup } from './engine/open-scope.ts'
import { initialState, type Level } from './engine/state.ts'
import { makeToolContext } from './guard/context.ts'
import { serverInGrant } from './guard/server-access.ts'
import type { Pool } from './pool/pool.ts'
import { type ComesWithStd, impliedPattern, isOfStd } from './implied.ts'

const MAX_CALLS = 1_000

/** A run that is to begin. */
export interface AskingRun {
  readonly plan: Plan
  /** The workflow's key in the plan. */
  readonly key: string
  readonly args: Readonly<Record<string, Value>>
  readonly host: Host
  readonly toolRunner: ToolRunner
  /** Makes threads, should a constant need them. */
  readonly pool: () => Pool
  readonly kindsOf: GrantKinds
  readonly comesWithStd: ComesWithStd
}

/**
 * The grants that a workflow and all that it calls can make use of, with the parameters' values in their places.
 *
 * @returns null when they cannot be known before the run (K2): then nothing can be allowed either.
 */
export async function askedGrants({ plan, key, args, host, toolRunner, pool, kindsOf, comesWithStd }: AskingRun): Promise<readonly AskedGrant[] | null> {
  const { cwd } = host
  const constants = await evaluateConstants(plan, toolRunner, pool)
  if (constants.failure !== null) return null
  const state = initialState(plan, { parallel: 1, cpu: 1, memoryBytes: 0 })
  state.workflow = key
  state.args = args
  const { stages, result } = setUpStages(state, 0, constants.values)
  for (const stage of stages) {
    const evaluation = new Evaluation(stage.expr, stage.names, { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure: (module, fn) => toolRunner.pure(module, fn), prompts: plan.prompts })
    let step = evaluation.start()
    for (let calls = 0; step.kind === 'call' && step.call.effect === 'pure' && calls < MAX_CALLS; calls++) step = evaluation.resume(await toolRunner.call(step.call, nothingAllowed(host, cwd))) // K3
    if (step.kind !== 'done') return null // K2
    stage.accept(step.value)
  }
  const isKnown = (by: string, grant: Grant): boolean => !isOfStd(plan, by) || comesWithStd(by, grant)
  return withServers(withModelKeys(together(ownLevels(result() as unknown as Setup), cwd, kindsOf, isKnown), plan, cwd, kindsOf), plan, cwd)
}

/** K5. */
function withServers(asked: readonly AskedGrant[], { modules }: Plan, cwd: string): readonly AskedGrant[] {
  const servers = modules.flatMap(({ server }) => (server === undefined ? [] : [server]))
  const own = asked.flatMap(({ grant, comesWith }): AskedGrant[] => {
    if (grant.name !== 'mcp') return [{ grant, comesWith }]
    const [name, ...tool] = grant.args
    return servers.flatMap(server => (name === '*' || name === server.name ? [{ grant: { name: 'mcp', args: [serverInGrant(server), ...tool] }, comesWith, shows: server.shows }] : []))
  })
  const used = servers.filter(server => own.some(({ grant }) => grant.name === 'mcp' && grant.args[0] === serverInGrant(server)))
  const needs = used.flatMap(({ variables, reads }) => [...variables.map(name => ({ name: 'env', args: [name] })), ...reads.map(pattern => ({ name: 'fs.read', args: [pattern] }))])
  const isNew = (need: Grant, at: number): boolean => ![...own.map(each => each.grant), ...needs.slice(0, at)].some(grant => containsGrant(grant, need, cwd))
  return [...own, ...needs.filter(isNew).map(grant => ({ grant, comesWith: 'mcp' }))]
}

/** K4. */
function withModelKeys(asked: readonly AskedGrant[], plan: Plan, cwd: string, kindsOf: GrantKinds): readonly AskedGrant[] {
  const mayAsk = (model: string): boolean => asked.some(({ grant }) => containsGrant(grant, { name: 'llm', args: [model] }, cwd, kindsOf))
  const keys = new Set(Object.entries(plan.models ?? {}).flatMap(([name, { key }]) => (key !== null && mayAsk(name) ? [key] : [])))
  const needs = (plan.secrets ?? []).filter(each => keys.has(each.name)).map(each => needOf(each.source))
  const isNew = (need: Grant): boolean => !asked.some(({ grant }) => containsGrant(grant, need, cwd, kindsOf))
  return [...asked, ...needs.filter(isNew).map(grant => ({ grant, comesWith: 'llm' }))]
}

/** What every level may allow (K1), each grant once: the workflow's own, narrowed by the file's. */
function together(levels: readonly Level[], cwd: string, kindsOf: GrantKinds, isKnown: ComesWithStd): AskedGrant[] {
  const narrowed = levels.reduceRight<readonly Grant[] | null>((kept, level) => (kept === null ? level.allows : kept.flatMap(grant => within(level.allows, grant, cwd, kindsOf))), null) ?? []
  const found = new Map<string, AskedGrant>()
  const add = (grant: Grant, comesWith: string | null): void => {
    const key = JSON.stringify([grant.name, grant.args])
    if (!found.has(key)) found.set(key, { grant, comesWith })
  }
  for (const grant of narrowed) add(grant, null)
  for (const { grant, by } of levels.flatMap(level => level.implied)) {
    if (!isKnown(by, grant)) continue
    for (const each of narrowed) {
      const own = each.name === by ? impliedPattern(grant, each.args) : null
      if (own !== null) add(own, by)
    }
  }
  return [...found.values()]
}

/** What `level` leaves of a grant: where they only overlap, all of it. */
function within(level: readonly Grant[], grant: Grant, cwd: string, kindsOf: GrantKinds): readonly Grant[] {
  if (level.some(each => containsGrant(each, grant, cwd, kindsOf))) return [grant]
  const same = level.filter(each => each.name === grant.name)
  return same.every(each => containsGrant(grant, each, cwd, kindsOf)) ? same : [grant]
}

function nothingAllowed(host: Host, cwd: string): ToolContext {
  return makeToolContext({
    host, cwd, authority: [], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: '', onCount: () => {}, onLog: () => {}, onProgress: () => {},
  })
}
