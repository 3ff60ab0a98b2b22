// Call tool: one call that acts on the world, from the guard's yes to its outcome.
// Owns: the guard's place before every call, where the call is made (here, in a thread), its idempotency key.
//   T1. No call without the guard's yes for every grant it needs.
//   T2. The key is made of run, path, attempt, part and number of the call: asked again after a crash, the tool sees the same.
import { sha256 } from '#base/hash.ts'
import { checkNeeds } from '#interpreter/guard/guard.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import type { Grant } from '#model/capability.ts'
import type { Outcome, Part, TaskId } from '#model/event.ts'
import type { CallRequest } from '#interpreter/engine/evaluation.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { levelsOf, rankOf } from '#interpreter/engine/view.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { World } from '#interpreter/world.ts'

/** Characters of an idempotency key. */
const KEY_LENGTH = 40

export interface CallPlace {
  readonly task: TaskId
  readonly attempt: number
  readonly part: Part
  /** Number of the call within the part, from 0. */
  readonly call: number
}

/** Makes the call. Never rejects. */
export async function callTool(world: World, request: CallRequest, place: CallPlace, signal: AbortSignal): Promise<Outcome> {
  const { state, cwd, calls, audit, secrets } = world
  const levels = levelsOf(state, place.task)
  const authority = [...(world.permit === null ? [] : [world.permit]), ...levels.map(level => level.allows)]
  const taskPath = pathOf(state, place.task)
  const name = `${request.module}.${request.fn}`
  const onDecision = (grant: Grant, allowed: boolean): void => audit.record({ kind: 'decision', task: taskPath, call: name, grant, allowed })
  const refusal = request.needs.length === 0 ? null : checkNeeds(authority, request.needs, cwd, world.kindsOf) // T1
  if (refusal !== null) {
    calls.refused++
    for (const grant of request.needs) onDecision(grant, false)
    return { kind: 'failure', failure: { ...refusal, task: '' } }
  }
  const context = makeToolContext({
    host: world.host, cwd, authority, signal, taskPath,
    implied: impliedBy(levels, request.needs),
    idempotencyKey: sha256(`${world.runId}\n${taskPath}\n${place.attempt}\n${place.part}\n${place.call}`).slice(0, KEY_LENGTH), // T2
    ...(world.kindsOf === undefined ? {} : { kindsOf: world.kindsOf }),
    onDecision,
    onCount: kind => void calls[kind]++,
    onLog: message => world.log(taskPath, secrets.redactText(message)),
    onProgress: () => {},
  })
  const revealed = revealArgs(world, request)
  for (const secret of revealed.used) audit.record({ kind: 'secret-used', task: taskPath, call: name, secret })
  const call = { module: request.module, fn: request.fn, args: revealed.args }
  const outcome = secrets.redact(await make(world, request, call, context, place, signal))
  if (request.effect !== 'pure') audit.record({ kind: 'outcome', task: taskPath, call: name, ok: outcome.kind === 'value', ...(outcome.kind === 'failure' ? { code: outcome.failure.code } : {}) })
  return outcome
}

function make(world: World, request: CallRequest, call: ToolCall, context: ToolContext, place: CallPlace, signal: AbortSignal): Promise<Outcome> {
  const url = request.runs === 'thread' ? world.toolRunner.threadModule(request.module) : null
  if (url !== null) return world.pool().call({ url, call, isPure: request.effect === 'pure', context, rank: rankOf(world.state, place.task) }, signal)
  return world.toolRunner.call(call, context)
}

/** Secrets take the places of their stand-ins only where the plan says that the tool takes one. */
function revealArgs(world: World, request: CallRequest): { readonly args: Readonly<Record<string, Value>>; readonly used: readonly string[] } {
  if (request.secretArgs.length === 0) return { args: request.args, used: [] }
  const args = { ...request.args }
  const used = new Set<string>()
  for (const param of request.secretArgs) {
    if (!Object.hasOwn(args, param)) continue
    const found = world.secrets.reveal(args[param]!)
    args[param] = found.value
    for (const name of found.used) used.add(name)
  }
  return { args, used: [...used] }
}

function impliedBy(levels: ReturnType<typeof levelsOf>, needs: readonly Grant[]): Grant[] {
  return levels.flatMap(level => level.implied.filter(each => needs.some(need => need.name === each.by)).map(each => each.grant))
}
