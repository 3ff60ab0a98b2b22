// Call servers: the calls that one run makes of servers of tools.
// Owns: one connection a server and confinement, from its first call to the end of the run; what was agreed against what is; failures with codes.
// Does not own: the guard (interpreter/effects/call-tool.ts asks it first), what a call may see (its ServerAccess), the protocol (session.ts).
//   R1. Nothing is started before the lock, the definition and the plan say the same of the server: what a person was shown when it was permitted comes from
//       the plan, and is worked out again from the definition here. Its tools are compared before the first call.
//   R2. A server that ends is started again by the next call, MAX_RESTARTS times in a run. The call during which it ended has failed; it may have done
//       what it was for, so a call that writes is retried by the program's `retry` alone.
//   R3. Values of variables that were written out for a server are taken out of all that it answers and prints.
//   R4. When the run ends, for whatever reason that lets this process act, every server is closed and its tree ended (pipe-link.ts); where this process
//       is killed, the sandbox ends them.
import { join } from 'node:path'
import { canonicalJson, type Json } from '#base/json.ts'
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import type { ServerAccess, ServerCaller } from '#interpreter/guard/server-access.ts'
import type { Outcome } from '#model/event.ts'
import type { PlanModule } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { ToolFailure, type ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import { answerValue } from './answer-value.ts'
import { type ClientCode, Connection, OpenProblem } from './connection.ts'
import { definitionHash, MCP_FILE, type ServerDefinition, shownDefinition, variablesOf, withVariables } from './definition.ts'
import { definitionsIn, lockIn, serversFolder } from './found-servers.ts'
import { httpLink } from './http-link.ts'
import { entryHash, type LockedServer, type LockedTool } from './lock-file.ts'
import { safeText } from './locked-tools.ts'
import { PipeLink } from './pipe-link.ts'
import { toolParams } from './signature.ts'

export const MAX_RESTARTS = 3
/** Milliseconds without an answer or a sign of progress. */
const IDLE_MS = 10 * 60_000
const MAX_CALL_MS = 60 * 60_000
/** Percent between two lines of progress without words. */
const PROGRESS_STEP = 10
/** Connections at once of one run. */
const MAX_CONNECTIONS = 64
const MAX_WORDS_LENGTH = 2_000
/** Shorter values are no secrets, and would take words out of answers. */
const LEAST_MASKED_LENGTH = 6

export interface ServersOptions {
  readonly host: Host
  /** Absolute folder of the program's entry file. */
  readonly folder: string
  readonly modules: readonly PlanModule[]
  /** URL of the built session.ts. */
  readonly clientUrl: string
  readonly tekVersion: string
}

interface Agreed {
  readonly definition: ServerDefinition
  readonly locked: LockedServer
  /** Folder of `.mcp.json`: where the program is started. */
  readonly folder: string
}

/** A server in one confinement. */
interface Place {
  connection: Promise<Connection> | null
  deaths: number
}

export class CalledServers implements ServerCaller {
  private readonly options: ServersOptions
  private readonly agreed = new Map<string, Promise<Agreed | Diagnostic>>()
  private readonly places = new Map<string, Place>()
  private readonly masked = new Map<string, string>()
  private readonly stop = new AbortController()
  private readonly after: (() => Promise<unknown>)[] = []

  constructor(options: ServersOptions) {
    this.options = options
  }

  async call(call: ToolCall, context: ToolContext, access: ServerAccess): Promise<Outcome> {
    const name = `${call.module}.${call.fn}`
    try {
      const agreed = await this.agreedFor(call.module)
      if ('code' in agreed) return failed(agreed)
      const tool = agreed.locked.tools.find(each => each.as === call.fn)
      if (tool === undefined) return failed(mcpErrors.changed({ server: this.serverOf(call.module), what: `it has no tool \`${call.fn}\`` }))
      return await this.make(call, name, tool, agreed, context, access)
    } catch (error) {
      if (context.signal.aborted) return cancelled(name)
      if (error instanceof ToolFailure) return { kind: 'failure', failure: { code: error.code, message: error.message, task: '', retryable: error.retryable, ...(error.help === undefined ? {} : { help: error.help }) } }
      const reason = this.mask(error instanceof Error ? error.message : 'it does not say why')
      if (error instanceof OpenProblem || error instanceof HostError || isSessionFailure(error)) return failed(mcpErrors['not-started']({ server: this.serverOf(call.module), reason, hint: startHint }), true)
      throw error
    }
  }

  /** R4. */
  async close(): Promise<void> {
    this.stop.abort()
    await Promise.all([...this.places.values()].map(async ({ connection }) => (await connection?.catch(() => null))?.close()))
    for (const each of this.after.splice(0)) await each().catch(() => undefined) // what cannot be taken away stays; the next command hides it
  }

  private async make(call: ToolCall, name: string, tool: LockedTool, agreed: Agreed, context: ToolContext, access: ServerAccess): Promise<Outcome> {
    const server = this.serverOf(call.module)
    const opened = await this.opened(server, agreed, context, access)
    if ('code' in opened) return failed(opened)
    const { place, connection } = opened
    const differs = await connection.differs(agreed.definition, agreed.locked, context.signal)
    if (differs !== null) return failed(mcpErrors.changed({ server, what: differs })) // R1
    let death: string | null = null
    let shownPercent = 0
    void connection.ended.then(reason => { death = reason })
    try {
      const answer = await connection.call(tool.name, argumentsOf(tool, call.args), {
        signal: context.signal, idleMs: IDLE_MS, totalMs: MAX_CALL_MS,
        onProgress: (fraction, message) => {
          const said = message === undefined ? undefined : safeText(this.mask(message), MAX_WORDS_LENGTH)
          if (fraction !== null) context.progress(fraction, said)
          const percent = Math.floor((fraction ?? 0) * 100)
          if (said === undefined && percent < shownPercent + PROGRESS_STEP) return
          shownPercent = Math.max(shownPercent, percent)
          context.log([...(fraction === null ? [] : [`${percent} %`]), ...(said === undefined ? [] : [said])].join(' · '))
        },
      })
      const result = answerValue(name, tool, this.unmasked(answer))
      return 'code' in result ? failed(result) : { kind: 'value', value: result.value }
    } catch (error) {
      if (!isSessionFailure(error)) throw error
      if (context.signal.aborted) return cancelled(name)
      if (error.kind === 'timed-out') return failed(mcpErrors['timed-out']({ tool: name, seconds: IDLE_MS / 1_000 }), true)
      if (error.kind === 'refused') return failed(mcpErrors.refused({ tool: name, reason: safeText(this.mask(error.message), MAX_WORDS_LENGTH) }))
      if (error.kind === 'broken') return failed(mcpErrors['bad-answer']({ tool: name, reason: safeText(this.mask(error.message), MAX_WORDS_LENGTH) }))
      death ??= await Promise.race([connection.ended, Promise.resolve(error.message)])
      if (place.connection !== null && (await place.connection.catch(() => null)) === connection) this.forget(place)
      return failed(mcpErrors.died({ server, reason: safeText(this.mask(death), MAX_WORDS_LENGTH) }), true) // R2
    }
  }

  private async opened(server: string, agreed: Agreed, context: ToolContext, access: ServerAccess): Promise<{ readonly place: Place; readonly connection: Connection } | Diagnostic> {
    const definition = this.writtenOut(agreed, access)
    if ('missing' in definition) return mcpErrors['missing-variable']({ server, name: definition.missing })
    const confined = definition.kind === 'http' ? null : await access.confine({ program: definition.command, args: definition.args, cwd: agreed.folder, env: definition.env })
    const key = `${server} ${confined?.key ?? ''}`
    const place = this.places.get(key) ?? { connection: null, deaths: 0 }
    this.places.set(key, place)
    if (place.connection === null) {
      if (place.deaths > MAX_RESTARTS) return mcpErrors['gave-up']({ server, times: place.deaths })
      if (this.places.size > MAX_CONNECTIONS) return mcpErrors['not-started']({ server, reason: `this run has ${MAX_CONNECTIONS} servers already`, hint: startHint })
      const log = (line: string): void => context.log(`${server}: ${safeText(this.mask(line), MAX_WORDS_LENGTH)}`)
      const opening = this.open(definition, agreed, access, confined, log)
      place.connection = opening
      if (confined !== null) this.after.push(confined.after)
      opening.then(connection => connection.ended.then(() => {
        if (place.connection === opening) this.forget(place)
      }), () => {
        if (place.connection === opening) place.connection = null
      })
    }
    return { place, connection: await place.connection }
  }

  private forget(place: Place): void {
    place.connection = null
    place.deaths++
  }

  private async open(definition: ServerDefinition, { folder, locked }: Agreed, access: ServerAccess, confined: Awaited<ReturnType<ServerAccess['confine']>> | null, onLine: (line: string) => void): Promise<Connection> {
    const { host, clientUrl, tekVersion } = this.options
    const code = (await import(clientUrl)) as ClientCode
    return Connection.open({
      definition, code, tekVersion, protocol: locked.protocol, signal: this.stop.signal,
      launch: async () => {
        if (confined !== null) return new PipeLink(await confined.start(), folder, { onLine })
        if (definition.kind !== 'http' || host.stream === undefined) throw new OpenProblem('this host reaches no network')
        const { url, headers } = definition
        return { kind: 'http', url, headers, fetch: httpLink({ stream: host.stream.bind(host), url, needsOwnGrant: access.needsOwnGrant, firstByteMs: MAX_CALL_MS, idleMs: MAX_CALL_MS }) }
      },
    })
  }

  /** R3. */
  private writtenOut({ definition, locked }: Agreed, access: ServerAccess): ReturnType<typeof withVariables> {
    const values = new Map<string, string>()
    for (const name of locked.variables) {
      const value = access.variable(name)
      if (value === undefined) continue
      values.set(name, value)
      if (value.length >= LEAST_MASKED_LENGTH) this.masked.set(value, name)
    }
    return withVariables(definition, values)
  }

  private mask(text: string): string {
    let shown = text
    for (const [value, name] of this.masked) shown = shown.replaceAll(value, `[env ${name}]`)
    return shown
  }

  private unmasked(answer: unknown): unknown {
    if (this.masked.size === 0) return answer
    if (typeof answer === 'string') return this.mask(answer)
    if (Array.isArray(answer)) return answer.map(each => this.unmasked(each))
    if (typeof answer !== 'object' || answer === null) return answer
    return Object.fromEntries(Object.entries(answer).map(([key, each]) => [this.mask(key), this.unmasked(each)]))
  }

  private serverOf(module: string): string {
    return this.options.modules.find(each => each.name === module)?.source ?? module
  }

  private agreedFor(module: string): Promise<Agreed | Diagnostic> {
    let agreed = this.agreed.get(module)
    if (agreed === undefined) this.agreed.set(module, (agreed = this.agree(module)))
    return agreed
  }

  /** R1. */
  private async agree(module: string): Promise<Agreed | Diagnostic> {
    const { host, modules } = this.options
    const planned = modules.find(each => each.name === module && each.origin === 'mcp')
    const server = planned?.source ?? module
    const folder = await serversFolder(host, this.options.folder)
    if (planned === undefined || folder === null) return mcpErrors['not-locked']({ server })
    const [lock, definitions] = [await lockIn(host, folder), await definitionsIn(host, folder)]
    if ('code' in lock) return lock as Diagnostic
    if ('code' in definitions) return definitions as Diagnostic
    const [locked, definition] = [lock.get(server), definitions.get(server)]
    if (locked === undefined) return mcpErrors['not-locked']({ server, isDeclared: definition !== undefined })
    if (entryHash(locked) !== planned.hash) return mcpErrors.changed({ server, what: 'its lock is another than the one this program was checked with' })
    if (definition === undefined) return mcpErrors.changed({ server, what: `\`${join(folder, MCP_FILE)}\` no longer declares it` })
    const facts = { name: server, definition: definitionHash(definition), shows: shownDefinition(definition), variables: variablesOf(definition), reads: definition.tek.reads }
    if (canonicalJson(facts) !== canonicalJson((planned.server ?? null) as unknown as Json)) return mcpErrors.changed({ server, what: `\`${MCP_FILE}\` declares it otherwise than the lock` })
    return { definition, locked, folder }
  }
}

const startHint = 'It sees the files that this program is granted and those that `"tek": {"reads": […]}` of `.mcp.json` names, and has no network: docs/mcp.md.'

interface SessionFailureLike extends Error {
  readonly kind: 'timed-out' | 'closed' | 'refused' | 'broken'
}

/** The class itself is in the file that is loaded when a server is used. */
const isSessionFailure = (error: unknown): error is SessionFailureLike => error instanceof Error && error.name === 'SessionFailure'

/** A tool's arguments by the names of its schema; what was left out stays out. */
function argumentsOf(tool: LockedTool, args: Readonly<Record<string, Value>>): Readonly<Record<string, unknown>> {
  const params = toolParams(tool)
  const [only] = params
  if (only?.property === '') return args[only.name] as Readonly<Record<string, unknown>>
  return Object.fromEntries(params.flatMap(({ name, property, optional }) => {
    const value = Object.hasOwn(args, name) ? args[name] : undefined
    return value === undefined || (optional && value === null) ? [] : [[property, value]]
  }))
}

function failed({ code, message, help }: Diagnostic, retryable = false): Outcome {
  return { kind: 'failure', failure: { code, message, task: '', retryable, ...(help[0] === undefined ? {} : { help: help[0] }) } }
}

const cancelled = (name: string): Outcome => failed({ code: 'run/cancelled', severity: 'error', message: `\`${name}\` was stopped.`, related: [], help: [], fixes: [] })
