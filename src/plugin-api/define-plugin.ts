// Define plugin: how a plugin says what it offers. Typed end to end: `run` sees the types its zod schemas describe.
// Owns: the shape a plugin exports. Does not own: turning it into a signature (signature-of.ts) or calling it (plugins/, interpreter/).
//   D1. What a plugin offers is data; only `run` is code. A signature can be read without calling any `run`.
import type { z } from 'zod'
import type { GrantParamKind } from '#model/capability.ts'
import type { ToolContext } from './context.ts'
import type { ModelProvider } from './model-provider.ts'

/** Raised when the contract changes so that an older plugin cannot work; a plugin for another major version is refused with a code. */
export const pluginApiVersion = '1.0'

/** Whether a plugin that was written for a version of the interface works with this one: the same first number, and no later second one. */
export function fitsApi(api: string, have: string = pluginApiVersion): boolean {
  const [major, minor] = api.split('.').map(Number)
  const [ownMajor, ownMinor] = have.split('.').map(Number)
  return major === ownMajor && minor! <= ownMinor!
}

/** Parameters in positional order; each may also be given by name. Optional ones come last. */
export type InputShape = Readonly<Record<string, z.ZodType>>
export type InputOf<Shape extends InputShape> = { [Key in keyof Shape]: z.output<Shape[Key]> }

interface ToolCommon<Shape extends InputShape, Output extends z.ZodType> {
  readonly doc: string
  readonly input: Shape
  readonly output: Output
  /** Name of the last parameter (a list) when it takes all remaining positional arguments. */
  readonly rest?: keyof Shape & string
  /** Parameters that must be trusted text. */
  readonly sinks?: readonly (keyof Shape & string)[]
  /** `tek-expression == tek-value`, run as a test. */
  readonly example?: string
}

export interface PureTool<Shape extends InputShape = InputShape, Output extends z.ZodType = z.ZodType> extends ToolCommon<Shape, Output> {
  readonly effect: 'pure'
  readonly runs?: 'thread' | 'host'
  readonly run: (input: InputOf<Shape>) => z.input<Output>
}

export interface WorldTool<Shape extends InputShape = InputShape, Output extends z.ZodType = z.ZodType> extends ToolCommon<Shape, Output> {
  readonly effect: 'read' | 'write'
  /** `thread` for work that keeps a processor busy; default `host`. */
  readonly runs?: 'thread' | 'host'
  /**
   * Grants a call needs: grant name → per grant parameter, `$param` for the tool's parameter or a literal: `{ 'fs.read': ['$path'] }`.
   * A grant needed more than once takes a list of such lists: `{ 'fs.write': [['$from'], ['$to']] }`.
   */
  readonly needs?: Readonly<Record<string, readonly string[] | readonly (readonly string[])[]>>
  /** True when the result comes from outside. */
  readonly untrusted?: boolean
  readonly run: (input: InputOf<Shape>, context: ToolContext) => Promise<z.input<Output>>
}

export type Tool = PureTool | WorldTool

export interface GrantDefinition {
  readonly doc: string
  readonly params: Readonly<Record<string, GrantParamKind>>
  readonly access: 'read' | 'write'
  /** What this plugin's code may do under cover of this grant, as `[grant, ...args]`: `['exec', 'git', 'log', '**']`. */
  readonly implies?: readonly (readonly [string, ...string[]])[]
}

export interface PluginDefinition {
  /** The name its failures and grants carry: `jira` → `jira.read`, `jira/not-found`. */
  readonly name: string
  /** Semver of the plugin. */
  readonly version: string
  readonly doc: string
  /** The plugin API it was written for; `pluginApiVersion` unless stated. */
  readonly api?: string
  /**
   * Why it needs Node, in plain text, for whoever reviews it: `'reads archives with node:zlib'`. Then it runs in a confined process, which not every
   * machine has; without it, it runs in an engine that has everything but Node, on all of them.
   */
  readonly needsNode?: string
  readonly tools?: Readonly<Record<string, Tool>>
  readonly grants?: Readonly<Record<string, GrantDefinition>>
  /** Models that programs may declare: `model m = plugin.name("…")`. */
  readonly models?: Readonly<Record<string, ModelProvider>>
  /** Types that programs may name as `plugin.Type`. */
  readonly types?: Readonly<Record<string, z.ZodType>>
  readonly constants?: Readonly<Record<string, { readonly doc: string; readonly schema: z.ZodType; readonly value: unknown }>>
}

/** A defined plugin: the definition with a mark by which the loader knows it. */
export interface Plugin extends PluginDefinition {
  readonly tekPlugin: true
  readonly api: string
}

/**
 * Declares a plugin. Export the result as the file's default.
 *
 * @example
 * export default definePlugin({
 *   name: 'greet', version: '1.0.0', doc: 'Greetings.',
 *   tools: { hello: pure({ doc: 'Greets.', input: { name: z.string() }, output: z.string(), run: ({ name }) => `Hello, ${name}!` }) },
 * })
 */
export function definePlugin(definition: PluginDefinition): Plugin {
  return { ...definition, api: definition.api ?? pluginApiVersion, tekPlugin: true }
}

/** A function whose result depends on its arguments alone. It runs in the plugin's process, so a program may call it anywhere but inside a `=>`. */
export function pure<const Shape extends InputShape, Output extends z.ZodType>(tool: Omit<PureTool<Shape, Output>, 'effect'>): PureTool {
  return { ...tool, effect: 'pure' } as unknown as PureTool
}

/** A function that looks at the world. */
export function reads<const Shape extends InputShape, Output extends z.ZodType>(tool: Omit<WorldTool<Shape, Output>, 'effect'>): WorldTool {
  return { ...tool, effect: 'read' } as unknown as WorldTool
}

/** A function that changes the world. */
export function writes<const Shape extends InputShape, Output extends z.ZodType>(tool: Omit<WorldTool<Shape, Output>, 'effect'>): WorldTool {
  return { ...tool, effect: 'write' } as unknown as WorldTool
}
