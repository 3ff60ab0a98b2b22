// Server access: what a call of a server of tools (Model Context Protocol) may use of the machine: the authority of that call, and what comes with its grant.
// Owns: how its program would be confined, which variables may be written out for it. Does not own: starting it, talking to it (mcp/), the meaning of grants.
//   A1. A program that serves a call sees the files that the call may see, and those its own program is made of (`reads` of its definition, which are
//       shown when the server is permitted); it changes what the call may change; it has no network. `key` is the same for the same confinement, and
//       no other call is served by that process.
//   A2. A variable is read only if the person who runs the program lets it be read; the program itself is not given it, and needs no grant for it.
import { sha256 } from '#base/hash.ts'
import { containsGrant, matchesGrant } from '#grants/match.ts'
import type { ConfinedStart } from '#host/host.ts'
import type { Authority, Grant } from '#model/capability.ts'
import type { Outcome } from '#model/event.ts'
import type { ServerFacts } from '#model/signature.ts'
import { ToolFailure, type ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import { needsOwnGrant } from './address.ts'
import { commandConfinement, type ToolContextOptions } from './context.ts'
import { denied } from './guard.ts'

/** Characters of a definition's hash that a grant names. */
const SHOWN_HASH_LENGTH = 12

/** A server with its definition, as grants name it: `files#3fa29c01b4d7`. Grants of programs name it without. */
export function serverInGrant({ name, definition }: Pick<ServerFacts, 'name' | 'definition'>): string {
  return `${name}#${definition.slice(0, SHOWN_HASH_LENGTH)}`
}

/** Carries out calls of servers of tools. */
export interface ServerCaller {
  /** Runs one call to its end. Never rejects. The outcome's failure has `task: ''`. */
  call(call: ToolCall, context: ToolContext, access: ServerAccess): Promise<Outcome>
}

export interface ServerAccess {
  /** A1. `after` takes away what steers tek or git and was made meanwhile, and gives its names. @throws {ToolFailure} `permit/no-sandbox` */
  confine(command: { readonly program: string; readonly args: readonly string[]; readonly cwd: string; readonly env: Readonly<Record<string, string>> }): Promise<ConfinedServer>
  /** A2. @throws {ToolFailure} `permit/denied` */
  variable(name: string): string | undefined
  needsOwnGrant(hostname: string, address: string): boolean
}

export interface ConfinedServer {
  readonly key: string
  start(): Promise<ConfinedStart>
  after(): Promise<readonly string[]>
}

/** @param permit what the person allows; null where nobody was asked. */
export function serverAccess(options: ToolContextOptions, permit: Authority | null, server: ServerFacts): ServerAccess {
  const { host, cwd } = options
  const reads = server.reads.map((pattern): Grant => ({ name: 'fs.read', args: [pattern] }))
  const implied = reads.filter(grant => permit === null || permit.some(each => containsGrant(each, grant, cwd)))
  return {
    async confine(command) {
      const { confined, env } = await commandConfinement({ ...options, implied: [...options.implied, ...implied] })
      if (confined === null || host.confine === undefined) throw new ToolFailure('permit/no-sandbox', 'This host starts no programs.')
      const { confinement } = confined
      const whole = { ...command, env: { ...env, ...command.env } }
      return { key: sha256(JSON.stringify(confinement)), start: () => host.confine!(whole, confinement), after: () => confined.after() }
    },
    variable(name) {
      const wanted: Grant = { name: 'env', args: [name] }
      const allowed = permit === null || permit.some(each => matchesGrant(each, wanted, cwd))
      options.onDecision?.(wanted, allowed)
      if (!allowed) throw denied(wanted, cwd)
      return host.env(name)
    },
    needsOwnGrant,
  }
}
