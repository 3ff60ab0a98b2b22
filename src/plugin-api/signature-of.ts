// Signature of: what a defined plugin offers, as data for the checker.
// Owns: zod schemas → types, and the checks of a definition that TypeScript cannot make. Does not own: running tools (invoke.ts).
//   S1. No tool is run. A definition with any problem has no signature; all its problems are named at once.
import { z } from 'zod'
import type { GrantParamKind, GrantSignature } from '#model/capability.ts'
import { signatureVersion, type FunctionSignature, type GrantNeed, type ModelSignature, type ModuleSignature, type ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { fromJsonSchema } from '#types/json-schema.ts'
import type { JsonSchema } from '#types/json-schema.ts'
import type { GrantDefinition, Plugin, Tool } from './define-plugin.ts'
import type { ModelProvider } from './model-provider.ts'
import { plainValue } from '#base/plain-value.ts'

const MAX_TOOLS = 1_000
const MAX_PARAMS = 32
const MAX_MODELS = 100
const MAX_HOSTS = 100
/** Options that every model has. */
const everyModels: ReadonlySet<string> = new Set(['model', 'maxTokens', 'price', 'timeout', 'key', 'fallback', 'parallel', 'requestsPerMinute', 'temperature', 'thinking'])
const namePattern = /^[a-zA-Z][A-Za-z0-9_]{0,63}$/
const paramKinds: readonly GrantParamKind[] = ['path', 'host', 'name', 'argv']

export interface SignatureProblem {
  /** The part it is about: `tool issues, parameter since`. */
  readonly where: string
  readonly reason: string
}

/**
 * The signature of a plugin.
 *
 * @param options.hash of the bundle that implements it.
 */
export function signatureOf(plugin: Plugin, options: { origin: 'std' | 'plugin'; hash: string }): { value: ModuleSignature | null; problems: SignatureProblem[] } {
  const problems: SignatureProblem[] = []
  const reader = new Reader((where, reason) => problems.push({ where, reason }))
  reader.checkName('name', plugin.name)
  if (typeof plugin.version !== 'string' || !/^\d+\.\d+\.\d+/.test(plugin.version)) problems.push({ where: 'version', reason: 'it must be a version such as 1.0.0' })
  const tools = Object.entries(plugin.tools ?? {})
  if (tools.length > MAX_TOOLS) problems.push({ where: 'tools', reason: `there are more than ${MAX_TOOLS}` })
  const value: ModuleSignature = {
    version: signatureVersion, name: plugin.name, origin: options.origin, release: plugin.version, doc: text(plugin.doc), hash: options.hash,
    models: Object.fromEntries(Object.entries(plugin.models ?? {}).slice(0, MAX_MODELS).map(([name, provider]) => [name, reader.models(name, provider)])),
    functions: Object.fromEntries(tools.slice(0, MAX_TOOLS).map(([name, tool]) => [name, reader.tool(name, tool)])),
    types: Object.fromEntries(Object.entries(plugin.types ?? {}).map(([name, schema]) => [name, reader.type(`type ${name}`, schema, 'output', name)])),
    grants: Object.fromEntries(Object.entries(plugin.grants ?? {}).map(([name, grant]) => [name, reader.grant(name, grant)])),
    constants: Object.fromEntries(Object.entries(plugin.constants ?? {}).map(([name, each]) => [
      name, { type: reader.type(`constant ${name}`, each.schema, 'output'), value: reader.constant(name, each.value), doc: text(each.doc) },
    ])),
  }
  return problems.length === 0 ? { value, problems } : { value: null, problems }
}

/** JavaScript authors, and `as any`, can hand over anything. */
function isTool(given: unknown): given is Tool {
  if (typeof given !== 'object' || given === null) return false
  const { effect, run, input } = given as Partial<Tool>
  return (effect === 'pure' || effect === 'read' || effect === 'write') && typeof run === 'function' && typeof input === 'object' && input !== null
}

const text = (given: unknown): string => (typeof given === 'string' ? given : '')

class Reader {
  private readonly problem: (where: string, reason: string) => void

  constructor(problem: (where: string, reason: string) => void) {
    this.problem = problem
  }

  checkName(where: string, name: unknown): void {
    if (typeof name !== 'string' || !namePattern.test(name)) this.problem(where, `\`${String(name)}\` is no name a program can write`)
  }

  tool(name: string, tool: Tool): FunctionSignature {
    const where = `tool ${name}`
    this.checkName(where, name)
    if (!isTool(tool)) {
      this.problem(where, 'make it with `pure`, `reads` or `writes`')
      return { name, doc: '', params: [], effect: 'pure', runs: 'host', needs: [], result: { kind: 'any' }, untrusted: false }
    }
    const names = Object.keys(tool.input ?? {})
    if (names.length > MAX_PARAMS) this.problem(where, `it has more than ${MAX_PARAMS} parameters`)
    const params = names.slice(0, MAX_PARAMS).map(param => this.param(name, tool, param))
    const gap = params.findIndex((param, index) => !param.optional && !param.rest && params[index - 1]?.optional === true)
    if (gap >= 0) this.problem(`${where}, parameter ${params[gap]!.name}`, 'optional parameters come last')
    if (tool.rest !== undefined && names.at(-1) !== tool.rest) this.problem(where, `\`rest\` must name its last parameter`)
    for (const sink of tool.sinks ?? []) if (!names.includes(sink)) this.problem(where, `\`sinks\` names \`${sink}\`, which is no parameter of it`)
    return {
      name, doc: text(tool.doc), params, effect: tool.effect, runs: tool.runs ?? 'host', needs: this.needs(where, tool, names),
      result: this.type(`${where}, result`, tool.output, 'output'),
      untrusted: tool.effect !== 'pure' && tool.untrusted === true,
      ...(tool.example === undefined ? {} : { example: tool.example }),
    }
  }

  private param(toolName: string, tool: Tool, name: string): ParamSignature {
    const where = `tool ${toolName}, parameter ${name}`
    this.checkName(where, name)
    const schema = tool.input[name]!
    const json = this.json(where, schema, 'input')
    let type = this.read(where, json)
    const secret = type.kind === 'secret' || (type.kind === 'untrusted' && type.of.kind === 'secret')
    if (type.kind === 'secret') type = type.of
    const rest = tool.rest === name
    if (rest && type.kind !== 'list') this.problem(where, 'it takes the remaining arguments, so it must be a list')
    const fallback = typeof json === 'object' ? json['default'] : undefined
    return {
      name, type: rest && type.kind === 'list' ? type.item : type, doc: text(schema?.description),
      optional: schema?._zod?.optin !== undefined || rest,
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(rest ? { rest } : {}), ...(secret ? { secret } : {}), ...(tool.sinks?.includes(name) === true ? { sink: true } : {}),
    }
  }

  models(name: string, provider: ModelProvider): ModelSignature {
    const where = `models ${name}`
    this.checkName(where, name)
    const first: ParamSignature = { name: 'model', doc: '', type: { kind: 'string' }, optional: false }
    if (typeof provider !== 'object' || provider === null || typeof provider.open !== 'function') {
      this.problem(where, 'make it with `modelProvider`')
      return { name, doc: '', params: [first], options: {} }
    }
    const hosts = provider.hosts ?? []
    for (const host of hosts.slice(0, MAX_HOSTS)) if (typeof host !== 'string' || !/^[\w.-]{1,253}:\d{1,5}$/.test(host)) this.problem(`${where}, hosts`, `\`${String(host)}\` is no \`host:port\``)
    if (hosts.length > MAX_HOSTS) this.problem(`${where}, hosts`, `there are more than ${MAX_HOSTS}`)
    const json = this.json(where, provider.options, 'input')
    const fields = typeof json === 'object' && json['type'] === 'object' ? (json['properties'] ?? {}) as Readonly<Record<string, JsonSchema>> : null
    if (fields === null) this.problem(where, '`options` must be an object')
    const required = typeof json === 'object' && Array.isArray(json['required']) ? (json['required'] as readonly string[]) : []
    const own = Object.entries(fields ?? {}).slice(0, MAX_PARAMS).map(([option, schema]): ParamSignature => {
      this.checkName(`${where}, option ${option}`, option)
      if (everyModels.has(option)) this.problem(`${where}, option ${option}`, 'every model has it, and tek reads it')
      return { name: option, doc: typeof schema === 'object' ? text(schema['description']) : '', type: this.read(`${where}, option ${option}`, schema), optional: !required.includes(option) }
    })
    return { name, doc: text(provider.doc), params: [first, ...own], options: {}, ...(hosts.length === 0 ? {} : { hosts: [...hosts] }) }
  }

  private needs(where: string, tool: Tool, params: readonly string[]): GrantNeed[] {
    if (tool.effect === 'pure') return []
    return Object.entries(tool.needs ?? {}).flatMap(([grant, args]) => {
      const lists = (args.length > 0 && args.every(each => typeof each !== 'string') ? args : [args]) as readonly (readonly string[])[]
      return lists.map((list): GrantNeed => ({ grant, args: list.map(arg => {
        if (!arg.startsWith('$')) return { literal: arg }
        if (!params.includes(arg.slice(1))) this.problem(where, `\`needs\` of \`${grant}\` mentions \`${arg}\`, which is no parameter of it`)
        return { param: arg.slice(1) }
      }) }))
    })
  }

  grant(name: string, grant: GrantDefinition): GrantSignature {
    this.checkName(`grant ${name}`, name)
    const params = Object.entries(grant.params ?? {})
    for (const [param, kind] of params) if (!paramKinds.includes(kind)) this.problem(`grant ${name}, parameter ${param}`, `its kind must be one of ${paramKinds.join(', ')}`)
    return {
      name, doc: text(grant.doc), access: grant.access === 'write' ? 'write' : 'read',
      params: params.map(([param, kind]) => ({ name: param, kind, ...(kind === 'argv' ? { optional: true } : {}) })),
      implies: (grant.implies ?? []).map(([implied, ...args]) => ({ name: implied, args })),
    }
  }

  constant(name: string, value: unknown): unknown {
    try {
      return plainValue(value)
    } catch (error) {
      this.problem(`constant ${name}`, `its value cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
  }

  type(where: string, schema: z.ZodType, io: 'input' | 'output', name?: string): Type {
    const type = this.read(where, this.json(where, schema, io))
    return name !== undefined && type.kind === 'record' && type.name === undefined ? { ...type, name } : type
  }

  private read(where: string, json: JsonSchema): Type {
    try {
      return fromJsonSchema(json)
    } catch (error) {
      this.problem(where, error instanceof Error ? error.message : String(error))
      return { kind: 'any' }
    }
  }

  private json(where: string, schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    try {
      return z.toJSONSchema(schema, { io }) as JsonSchema
    } catch (error) {
      this.problem(where, error instanceof Error ? error.message : String(error))
      return true
    }
  }
}
