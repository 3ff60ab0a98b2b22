// Escape: one thing a plugin tries that it must not be able to do, and what is seen then.
// Owns: the shape of a row, running it. Does not own: the rows.
//   E1. A row is carried out for real: built, started and called as a program's plugin is, with the host of this machine.
//   E2. What is expected is what comes out of the call: a value that shows that nothing was found, or the failure of the layer that stopped it.
import { expect } from 'vitest'
import type { Outcome } from '#model/event.ts'
import type { PlanModule } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Value } from '#model/type.ts'
import { openProject, watchedContext, type Project, type ProjectOptions, type Watched, type Workshop } from '../../plugins/workshop.ts'

/**
 * `machine`: the engine's memory and its doors. `world`: what the engine's world has not got. `bounds`: time, memory, messages. `wire`: the check of
 * what a plugin says. `guard`: what the call may do. `sandbox`: the system's.
 */
export type Layer = 'machine' | 'world' | 'bounds' | 'wire' | 'guard' | 'sandbox'

export interface Escape {
  readonly tries: string
  readonly by: Layer
  /** Body of a tool: `_` is its input, `c` its context. */
  readonly body: string
  /** Code before the plugin's definition. */
  readonly before?: string
  readonly args?: Readonly<Record<string, Value>>
  /** Running time it is given; half a second unless stated. */
  readonly callCpuMs?: number
  /** Matched against the outcome. */
  readonly gives: object
  readonly also?: (project: Project, watched: Watched, outcome: Outcome) => void | Promise<void>
}

export const value = (given: unknown) => ({ kind: 'value', value: given })
export const failure = (code: string, message?: RegExp) => ({ failure: { code, ...(message === undefined ? {} : { message: expect.stringMatching(message) as string }) } })

export function source(body: string, { before = '', needsNode = false }: { before?: string; needsNode?: boolean } = {}): string {
  return `import { definePlugin, pure, reads, writes, t, z, ToolFailure } from 'tek-lang/plugin'
${before}
export default definePlugin({ name: 'p', version: '1.0.0', doc: '', ${needsNode ? "needsNode: 'a test'," : ''} tools: {
  try: reads({ doc: '', input: { given: t.any.optional() }, output: t.any, run: async (_: any, c: any): Promise<any> => { ${body} } }),
  fine: reads({ doc: '', input: {}, output: t.any, run: async () => 'fine' }),
} })\n`
}

export interface Tried {
  readonly project: Project
  readonly call: (fn: string, args?: Readonly<Record<string, Value>>, watched?: Watched) => Promise<Outcome>
}

export async function prepare(workshop: Workshop, files: Readonly<Record<string, string>>, options: ProjectOptions = {}): Promise<Tried> {
  const project = openProject(workshop, files, options)
  const found = await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source: './p.ts' })
  if (found === null || 'severity' in found) throw new Error(found?.message ?? 'no signature')
  const tools = await project.plugins.toolRunner([moduleOf(found, './p.ts')], project.folder)
  return { project, call: (fn, args = {}, watched = watchedContext(project.folder)) => tools.call({ module: 'p', fn, args }, watched.context) }
}

export function moduleOf(signature: ModuleSignature, source: string): PlanModule {
  return { name: 'p', origin: 'plugin', source, release: signature.release, hash: signature.hash, ...(signature.needsNode === undefined ? {} : { needsNode: signature.needsNode }) }
}
