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
  const { state, cwd, calls } = world
  const levels = levelsOf(state, place.task)
  const authority = levels.map(level => level.allows)
  const refusal = request.needs.length === 0 ? null : checkNeeds(authority, request.needs, cwd, world.kindsOf) // T1
  if (refusal !== null) {
    calls.refused++
    return { kind: 'failure', failure: { ...refusal, task: '' } }
  }
  const taskPath = pathOf(state, place.task)
  const context = makeToolContext({
    host: world.host, cwd, authority, signal, taskPath,
    implied: impliedBy(levels, request.needs),
    idempotencyKey: sha256(`${world.runId}\n${taskPath}\n${place.attempt}\n${place.part}\n${place.call}`).slice(0, KEY_LENGTH), // T2
    ...(world.kindsOf === undefined ? {} : { kindsOf: world.kindsOf }),
    onCount: kind => void calls[kind]++,
    onLog: message => world.log(taskPath, message),
    onProgress: () => {},
  })
  const call = { module: request.module, fn: request.fn, args: request.args }
  const url = request.runs === 'thread' ? world.toolRunner.threadModule(request.module) : null
  if (url !== null) return world.pool().call({ url, call, isPure: request.effect === 'pure', context, rank: rankOf(state, place.task) }, signal)
  return world.toolRunner.call(call, context)
}

function impliedBy(levels: ReturnType<typeof levelsOf>, needs: readonly Grant[]): Grant[] {
  return levels.flatMap(level => level.implied.filter(each => needs.some(need => need.name === each.by)).map(each => each.grant))
}
