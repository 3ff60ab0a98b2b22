// Call tool: one call of a plugin's tool on a host in memory, behind the guard that stands before it in a run.
// Owns: what such a call may do, from the tool's own `needs`. Does not own: the guard (interpreter/guard), the machine (memory-host.ts).
//   T1. A call may do what its tool declares and what its plugin's grants imply, and nothing else, as in a program: a tool that does more fails with `permit/denied`.
//   T2. Nothing of this machine is touched, and no time passes in a `context.sleep`.
import { grantKindsOf } from '#grants/match.ts'
import type { Host } from '#host/host.ts'
import { ownLevel } from '#interpreter/effects/own-needs.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import { impliedForCall } from '#interpreter/implied.ts'
import type { Grant } from '#model/capability.ts'
import type { Outcome } from '#model/event.ts'
import type { FunctionSignature, ModuleSignature } from '#model/signature.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { invokeTool } from '#plugin-api/invoke.ts'
import { signatureOf } from '#plugin-api/signature-of.ts'
import { memoryHost } from './memory-host.ts'

export interface CallToolOptions {
  /** Default: an empty host in memory. */
  readonly host?: Host
  readonly signal?: AbortSignal
  /** Given each line that the tool logs. */
  readonly onLog?: (line: string) => void
}

/**
 * Calls a tool as a program would, on a host in memory. Never rejects for what the tool does.
 *
 * @param args by the names of its parameters.
 * @throws Error where the plugin is no valid definition, or has no such tool.
 * @example
 * const outcome = await callTool(notes, 'load', { file: 'a.txt' }, { host: memoryHost({ files: { 'a.txt': '[x] one\n' } }) })
 * // { kind: 'value', value: [{ title: 'one', done: true }] }
 */
export async function callTool(plugin: Plugin, tool: string, args: Readonly<Record<string, Value>>, options: CallToolOptions = {}): Promise<Outcome> {
  const { value: signature, problems } = signatureOf(plugin, { origin: 'plugin', hash: '' })
  if (signature === null) throw new Error(problems.map(({ where, reason }) => `${where}: ${reason}`).join('\n'))
  const fn = Object.hasOwn(signature.functions, tool) ? signature.functions[tool]! : null
  if (fn === null) throw new Error(`The plugin ${plugin.name} has no tool ${tool}.`)
  return invokeTool(plugin, { module: plugin.name, fn: tool, args }, await callContext(signature, fn, args, { ...options, host: options.host ?? memoryHost() }))
}

/** The context of one call: what its tool needs for these arguments, and what comes with it. // T1 */
export async function callContext(signature: ModuleSignature, fn: FunctionSignature, args: Readonly<Record<string, Value>>, { host, signal, onLog }: CallToolOptions & { readonly host: Host }): Promise<ToolContext> {
  const { cwd } = host
  const needs = neededGrants(fn, args)
  const implied: Grant[] = []
  for (const need of needs) {
    const own = need.name.startsWith(`${signature.name}.`) ? signature.grants[need.name.slice(signature.name.length + 1)] : undefined
    for (const each of own?.implies ?? []) {
      const found = await impliedForCall(each, need.args, host.files, cwd)
      if (found !== null) implied.push(found)
    }
  }
  const still: Host = Object.create(host, { sleep: { value: async () => {} } }) as Host // T2
  return makeToolContext({
    host: still, cwd, authority: [ownLevel(needs, cwd)], implied, signal: signal ?? new AbortController().signal, idempotencyKey: 'test', taskPath: 'test',
    kindsOf: grantKindsOf([signature]), onCount: () => {}, onLog: onLog ?? (() => {}), onProgress: () => {},
  })
}

/** What the tool declares that a call with these arguments needs. */
function neededGrants(fn: FunctionSignature, args: Readonly<Record<string, Value>>): Grant[] {
  const valueOf = (param: string): Value => (Object.hasOwn(args, param) ? args[param]! : ((fn.params.find(each => each.name === param)?.default ?? null) as Value))
  return fn.needs.map(({ grant, args: parts }) => ({
    name: grant,
    args: parts.flatMap(part => {
      if ('literal' in part) return [part.literal]
      const value = valueOf(part.param)
      return (Array.isArray(value) ? value : [value]).filter(each => each !== null).map(String)
    }),
  }))
}
