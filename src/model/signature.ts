// Signature: what a module offers, as data. The meeting point of compiler and plugins: the checker never runs plugin code.
//   M1. JSON-able and versioned: it is cached by the hash of the plugin's bundle and shipped for the stdlib.
import type { GrantSignature } from './capability.ts'
import type { FieldType, Type } from './type.ts'

export const signatureVersion = 1

export interface ModuleSignature {
  readonly version: typeof signatureVersion
  /** Last part of the name programs use: `fs`, `jira`. */
  readonly name: string
  /** `mcp`: described by the lock file of a server. */
  readonly origin: 'std' | 'plugin' | 'mcp'
  /** Version of the plugin itself (semver). */
  readonly release: string
  readonly doc: string
  /** Hash of the bundle that implements it; part of the plan. */
  readonly hash: string
  /** Why it runs in a confined process of Node, in its author's words; absent: it runs in an engine without any power. */
  readonly needsNode?: string
  /** Of origin `mcp`: the server behind it. */
  readonly server?: ServerFacts
  readonly functions: Readonly<Record<string, FunctionSignature>>
  readonly types: Readonly<Record<string, Type>>
  readonly grants: Readonly<Record<string, GrantSignature>>
  /** Constructors for `model x = name(…)`. */
  readonly models: Readonly<Record<string, ModelSignature>>
  readonly constants: Readonly<Record<string, { readonly type: Type; readonly value: unknown; readonly doc: string }>>
}

/** What is started or reached for a module of origin `mcp`, as its lock says. */
export interface ServerFacts {
  readonly name: string
  /** Hash of its definition: another definition is another grant. */
  readonly definition: string
  /** The command line or address, for people. */
  readonly shows: string
  /** Variables of the environment that are written out in the definition when it is used. */
  readonly variables: readonly string[]
  /** Files its own program is made of: they come with the grant. */
  readonly reads: readonly string[]
}

export interface FunctionSignature {
  readonly name: string
  readonly doc: string
  readonly params: readonly ParamSignature[]
  /** May mention `variable`s bound by the arguments. */
  readonly result: Type
  /**
   * `pure`: the result depends on the arguments alone; allowed in any expression.
   * `read`: looks at the world; `write`: changes it. Both only where tool calls may stand; both journalled.
   */
  readonly effect: 'pure' | 'read' | 'write'
  /** Where it is best run: `thread` for work that keeps a processor busy, `host` for work that mostly waits. */
  readonly runs: 'thread' | 'host'
  /** What a call needs: each names a grant and, per grant parameter, the function's parameter or a literal that fills it. */
  readonly needs: readonly GrantNeed[]
  /** True when the result came from outside (process output, web, files): its type is `untrusted`. */
  readonly untrusted: boolean
  /** An example call in tek and its result, run as a test. */
  readonly example?: string
}

export interface GrantNeed {
  /** Full name: `fs.read`. */
  readonly grant: string
  readonly args: readonly ({ readonly param: string } | { readonly literal: string })[]
}

export interface ParamSignature {
  readonly name: string
  readonly doc: string
  readonly type: Type
  readonly optional: boolean
  readonly default?: unknown
  /** Takes all remaining positional arguments; its type is the type of one. */
  readonly rest?: boolean
  /** Must be trusted: program, argv, write path, URL, system prompt. */
  readonly sink?: boolean
  /** May take a `secret`. */
  readonly secret?: boolean
}

export interface ModelSignature {
  readonly name: string
  readonly doc: string
  readonly params: readonly ParamSignature[]
  readonly options: Readonly<Record<string, FieldType>>
  /** Hosts that they may reach beside those that a program names, `host:port`; absent: none. */
  readonly hosts?: readonly string[]
}
