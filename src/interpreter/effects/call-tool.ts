// Call tool: one call that acts on the world, from the guard's yes to its outcome.
// Owns: the guard's place before every call, where the call is made (here, in a thread), its idempotency key.
//   T1. No call without the guard's yes for every grant it needs.
//   T2. The key is made of run, path, attempt, part and number of the call: asked again after a crash, the tool sees the same.
//   T3. Before every effect, however late in the call, the kill switches are looked at and the decision is recorded. A call that is stopped there
//       has no outcome: it is made again, with the same key, when the run goes on.
//   T7. In a loop's candidate all of it (grants, permit, paths, the folder of commands) is meant in the candidate's workspace: engine/workspace.ts.
//   T4. A third-party tool does no more than it said this call takes, whatever its caller may do.
//   T5. A tool of a server is called under its own grant, which names the server's definition: whatever the plan says that the call needs.
//   T6. In a test, what stands in the place of a tool is given once the program's own levels allow the call; it needs no permit of a person. A real call reaches
//       nothing outside the machine. Whether a call is denied is asked of the program's own levels too, and the call is not made.
import { join } from 'node:path'
import { printGrant } from '#grants/grant-text.ts'
import { containsGrant, coreGrantKinds, matchesGrant } from '#grants/match.ts'
import { checkNeeds } from '#interpreter/guard/guard.ts'
import { makeToolContext, type ToolContextOptions } from '#interpreter/guard/context.ts'
import { type ServerAccess, serverAccess, serverInGrant } from '#interpreter/guard/server-access.ts'
import type { Authority, Grant } from '#model/capability.ts'
import type { Failure, Outcome, Part, TaskId } from '#model/event.ts'
import type { CallRequest } from '#interpreter/engine/evaluation.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { workspaceOf } from '#interpreter/engine/workspace.ts'
import { levelsOf, limitsOf, rankOf, recordedCalls } from '#interpreter/engine/view.ts'
import type { Value } from '#model/type.ts'
import { ToolFailure, type ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { World } from '#interpreter/world.ts'
import { impliedForCall, impliedPattern, isOfStd } from '#interpreter/implied.ts'
import { insideOnly } from './fakes.ts'
import { idempotencyKey } from './idempotency-key.ts'
import { ownLevel } from './own-needs.ts'
import { redactedContext } from './redacted-context.ts'
import { RedactedLog } from './redacted-log.ts'

/** Needs of one call of which a trial tells. */
const MAX_TOLD_NEEDS = 10

export interface CallPlace {
  readonly task: TaskId
  readonly attempt: number
  readonly part: Part
  /** Number of the call within the part, from 0. */
  readonly call: number
  /** It was begun before, and how it went was not recorded. */
  readonly begunBefore: boolean
  /** Told of each append that is noted: to be forgotten once the outcome is durable. */
  readonly onNote: (name: string) => void
}

/** Makes the call. Null: it was stopped before one of its effects. Rejects only when the audit log cannot be kept. */
export async function callTool(world: World, request: CallRequest, place: CallPlace, signal: AbortSignal): Promise<Outcome | null> {
  const { state, calls, audit, secrets } = world
  const workspace = workspaceOf(state, place.task)
  const cwd = workspace === null ? world.cwd : workspace === 'refused' ? null : await workspaceAt(world, workspace) // T7
  if (cwd === null) return { kind: 'failure', failure: { code: 'permit/denied', message: 'The folder in which this is to work is no workspace of a loop.', task: '', retryable: false } }
  const levels = levelsOf(state, place.task)
  const { fakes } = world
  const own = levels.map(level => level.allows)
  const server = state.plan.modules.find(each => each.name === request.module && each.origin === 'mcp')?.server ?? null
  const needs: readonly Grant[] = server === null ? request.needs : [{ name: 'mcp', args: [serverInGrant(server), request.fn] }] // T5
  if (request.isTrial === true) return trialOf(world, needs, own, place) // T6
  const isFaked = fakes?.has(request) === true
  const all = isFaked ? own : [...(world.permit === null ? [] : [world.permit]), ...own]
  const authority = fakes === null || isFaked ? all : insideOnly(all)
  const taskPath = pathOf(state, place.task)
  const name = `${request.module}.${request.fn}`
  let isStopped = false
  const onDecision = (grant: Grant, allowed: boolean): void => {
    isStopped ||= allowed && !world.mayAct()
    if (isStopped) throw new ToolFailure('run/cancelled', 'The run is being stopped: nothing is begun any more.') // T3
    audit.record({ kind: 'decision', task: taskPath, call: name, grant: fromFolder(grant, cwd), allowed })
  }
  const refusal = needs.length === 0 ? null : checkNeeds(authority, needs, cwd, world.kindsOf) // T1
  if (refusal !== null) {
    calls.refused++
    for (const grant of needs) if (checkNeeds(authority, [grant], cwd, world.kindsOf) !== null) onDecision(grant, false)
    return { kind: 'failure', failure: { ...refusal, task: '' } }
  }
  for (const need of needs) {
    if (server === null && coreGrantKinds(need.name) !== null && request.module !== '@loop') continue // what becomes of those is decided, and told, when they are used
    if (!world.mayAct()) return null
    onDecision(need, true)
  }
  if (isFaked) return secrets.redact(fakes!.outcomeOf(request)) // T6
  const locked = await unlockArgs(world, request, authority, onDecision).catch((error: unknown) => {
    if (!isStopped) throw error
    return null
  })
  if (isStopped) return null
  if (locked !== null) {
    calls.refused++
    return { kind: 'failure', failure: { ...locked, task: '' } }
  }
  const key = idempotencyKey(recordedCalls(state, place.task)[place.call]?.keyRun ?? world.runId, taskPath, place) // T2
  let hint: string | null = null
  const log = new RedactedLog(secrets, message => world.log(taskPath, message))
  const options: ToolContextOptions = {
    host: world.host, cwd, project: world.cwd, signal, taskPath,
    authority: isForeign(world, request.module) ? [...authority, ownLevel(request.needs, cwd)] : authority, // T4
    implied: fakes === null ? await impliedBy(world, cwd, levels, request.needs) : insideOnly([await impliedBy(world, cwd, levels, request.needs)])[0]!,
    idempotencyKey: key,
    begunBefore: place.begunBefore, ...appending(world, place, key),
    ...(world.kindsOf === undefined ? {} : { kindsOf: world.kindsOf }),
    bounds: limitsOf(state, place.task), mayBeUnconfined: world.mayBeUnconfined,
    onDecision,
    onCount: kind => void calls[kind]++,
    onLog: message => log.say(message),
    onHint: given => { hint = given },
    onProgress: () => {},
  }
  const context = redactedContext(makeToolContext(options), secrets)
  const revealed = revealArgs(world, request)
  for (const secret of revealed.used) audit.record({ kind: 'secret-used', task: taskPath, call: name, secret })
  const call = { module: request.module, fn: request.fn, args: revealed.args }
  const making = server === null ? make(world, request, call, context, place, signal) : callServer(world, call, context, serverAccess(options, world.permit, server))
  const outcome = secrets.redact(hinted(await making, () => hint))
  log.end()
  if (isStopped) return null
  const isTold = request.effect === 'write' || (request.effect === 'read' && outcome.kind === 'failure') // reading that went well says nothing new
  if (isTold) audit.record({ kind: 'outcome', task: taskPath, call: name, ok: outcome.kind === 'value', ...(outcome.kind === 'failure' ? { code: outcome.failure.code } : {}) })
  return outcome
}

function callServer({ servers }: World, call: ToolCall, context: ToolContext, access: ServerAccess): Promise<Outcome> {
  if (servers === null) return Promise.resolve({ kind: 'failure', failure: { code: 'run/cancelled', message: `\`${call.module}\` is a server of tools, and this run has none.`, task: '', retryable: false } })
  return servers.call(call, context, access)
}

/** T6. Where it is not denied, the log of its task says by what it is allowed. */
function trialOf(world: World, needs: readonly Grant[], levels: readonly Authority[], { task }: CallPlace): Outcome {
  const { cwd, kindsOf } = world
  const isDenied = checkNeeds(levels, needs, cwd, kindsOf) !== null
  if (!isDenied) {
    const kinds = kindsOf ?? coreGrantKinds
    const path = pathOf(world.state, task)
    if (needs.length === 0) world.log(path, 'allowed: it needs no grant')
    for (const need of needs.slice(0, MAX_TOLD_NEEDS)) {
      const by = levels.flatMap(level => level.find(grant => matchesGrant(grant, need, cwd, kinds)) ?? [])
      world.log(path, `allowed: ${printGrant(fromFolder(need, cwd))} by ${[...new Set(by.map(printGrant))].map(each => `can ${each}`).join(', and by ')}`)
    }
  }
  return { kind: 'value', value: isDenied }
}

/** The absolute folder of a workspace; null where a link leads from its place. // T7 */
async function workspaceAt({ host, cwd }: World, workspace: string): Promise<string | null> {
  const real = await host.files.realPath(cwd)
  return (await host.files.realPath(join(cwd, workspace))) === join(real, workspace) ? join(cwd, workspace) : null
}

/** Appends of a call are noted by its key and their number. */
function appending({ appends }: World, { onNote }: CallPlace, key: string): Pick<ToolContextOptions, 'appendOnce'> {
  if (appends === null) return {}
  let count = 0
  return {
    appendOnce(real, text) {
      const name = `${key}-${count++}`
      onNote(name)
      return appends.append(real, text, name)
    },
  }
}

/** A failure with what the guard saw of its likely reason. */
function hinted(outcome: Outcome, hintOf: () => string | null): Outcome {
  const hint = hintOf()
  if (outcome.kind === 'value' || hint === null) return outcome
  const { failure } = outcome
  return { kind: 'failure', failure: { ...failure, help: failure.help === undefined ? hint : `${hint} ${failure.help}` } }
}

const isForeign = (world: World, module: string): boolean => world.state.plan.modules.some(each => each.name === module && each.origin === 'plugin')

function make(world: World, request: CallRequest, call: ToolCall, context: ToolContext, place: CallPlace, signal: AbortSignal): Promise<Outcome> {
  const url = request.runs === 'thread' ? world.toolRunner.threadModule(request.module) : null
  if (url !== null) return world.pool().call({ url, call, isPure: request.effect === 'pure', context, rank: rankOf(world.state, place.task) }, signal)
  return world.toolRunner.call(call, context)
}

/** Reads the secrets that the call is given; a failure where a level does not allow it, or where one has no value. */
async function unlockArgs(world: World, request: CallRequest, authority: readonly Authority[], decided: (need: Grant, allowed: boolean) => void): Promise<Omit<Failure, 'task'> | null> {
  for (const param of request.secretArgs) {
    const locked = Object.hasOwn(request.args, param) ? await world.secrets.unlock(request.args[param]!, authority, decided) : null
    if (locked !== null) return locked
  }
  return null
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

/** What comes with the grants that a call is allowed under; of a third-party plugin's, what the permit holds as well. */
async function impliedBy({ host, state, permit, comesWithStd }: World, cwd: string, levels: ReturnType<typeof levelsOf>, needs: readonly Grant[]): Promise<Grant[]> {
  // As it was asked for (asked.ts), before folders are looked for on disk.
  const isPermitted = (asked: Grant | null): boolean => asked !== null && permit!.some(each => containsGrant(each, asked, cwd))
  const found: Grant[] = []
  for (const { by, grant } of levels.flatMap(level => level.implied)) {
    const isStd = isOfStd(state.plan, by)
    if (isStd && comesWithStd?.(by, grant) === false) continue // a plan says so, and tek does not
    for (const need of needs) {
      const own = need.name === by ? await impliedForCall(grant, need.args, host.files, cwd) : null
      if (own !== null && (permit === null || isStd || isPermitted(impliedPattern(grant, need.args)))) found.push(own)
    }
  }
  return found
}

/** A path in the run's folder as it is written there: shorter, and the same wherever the project lies. */
function fromFolder(grant: Grant, cwd: string): Grant {
  const [path] = grant.args
  return grant.name.startsWith('fs.') && path?.startsWith(`${cwd}/`) === true ? { name: grant.name, args: [path.slice(cwd.length + 1)] } : grant
}
