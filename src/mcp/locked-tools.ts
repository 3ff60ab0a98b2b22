// Locked tools: what a server says of its tools, as it is kept in the lock.
// Owns: names that programs can write, texts made safe, what is a write. Does not own: the file (lock-file.ts), types (schema-type.ts).
//   K1. Docs and schemas are the server's word and are shown to people and models: control and invisible characters are taken out, lengths are bounded.
//       What they say is still the server's word; nothing here makes it true, and a result is never trusted.
//   K2. A tool writes unless the server says that it only reads, which a person sees before it is kept, and may overrule (`tek.writes`).
//   K3. The same list in another order gives the same lock, and a name depends on no tool but those that share it.
import { type Json } from '#base/json.ts'
import { neutralise } from '#base/terminal-text.ts'
import { toWellFormed } from '#base/unicode.ts'
import type { JsonSchema } from '#types/json-schema.ts'
import type { ServerDefinition } from './definition.ts'
import { type LockedTool, MAX_TOOLS } from './lock-file.ts'
import { MAX_SCHEMA_LENGTH, MAX_SCHEMA_NESTING } from './schema-type.ts'

const MAX_DOC_LENGTH = 4_000
const MAX_NAME_LENGTH = 128
const MAX_SCHEMA_TEXT_LENGTH = 2_000

/** A list of tools that cannot be kept. */
export class ToolsProblem extends Error {
  override readonly name = 'ToolsProblem'
}

/** A tool as the protocol has it, as far as it is looked at. Source: MCP specification, server/tools. */
interface ListedTool {
  readonly name?: unknown
  readonly title?: unknown
  readonly description?: unknown
  readonly inputSchema?: unknown
  readonly outputSchema?: unknown
  readonly annotations?: { readonly readOnlyHint?: unknown }
}

/** The tools of a server in the order of their names. @throws {ToolsProblem} */
export function lockedTools(listed: readonly unknown[], { tek }: Pick<ServerDefinition, 'tek'>): LockedTool[] {
  if (listed.length > MAX_TOOLS) throw new ToolsProblem(`it lists more than ${MAX_TOOLS} tools`)
  const tools = (listed as readonly ListedTool[]).map(each => {
    if (!isPlainWord(each.name)) throw new ToolsProblem(`it lists a tool whose name is no plain word: ${JSON.stringify(each.name)?.slice(0, 80)}`)
    return { ...each, name: each.name }
  })
  tools.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) // K3
  if (tools.some(({ name }, index) => tools[index + 1]?.name === name)) throw new ToolsProblem('it lists two tools of one name')
  const unknown = [...tek.content, ...tek.writes].find(name => name !== '*' && !tools.some(each => each.name === name))
  if (unknown !== undefined) throw new ToolsProblem(`.mcp.json names the tool \`${unknown}\`, which it does not have`)
  const names = distinct(tools.map(({ name }) => plainName(name, 'tool')))
  const isNamed = (all: readonly string[], name: string): boolean => all.includes(name) || all.includes('*')
  return tools.map((each, index): LockedTool => {
    const output = each.outputSchema === undefined ? undefined : schemaOf(each.outputSchema, `the result of \`${each.name}\``)
    return {
      name: each.name, as: names[index]!, doc: docOf(each), input: schemaOf(each.inputSchema, `\`${each.name}\``), ...(output === undefined ? {} : { output }),
      result: output !== undefined ? 'structured' : isNamed(tek.content, each.name) ? 'content' : 'text',
      effect: each.annotations?.readOnlyHint === true && !isNamed(tek.writes, each.name) ? 'read' : 'write', // K2
    }
  })
}

const isPlainWord = (name: unknown): name is string => typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH && /^[\x21-\x7e]+$/.test(name)

/** A name that a program can write: `read-file` is `read_file`, `2fa` is `tool_2fa`. */
export function plainName(name: string, otherwise: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+/, '').slice(0, MAX_NAME_LENGTH - 20)
  if (!/^[A-Za-z]/.test(plain)) return `${otherwise}_${plain}`.replace(/_+$/, '')
  return `${plain[0]!.toLowerCase()}${plain.slice(1)}`
}

/** The same names, those that are shared numbered in their order. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map(name => {
    let made = name
    for (let number = 2; taken.has(made); number++) made = `${name}_${number}`
    taken.add(made)
    return made
  })
}

const docOf = ({ title, description }: ListedTool): string => safeText(typeof description === 'string' ? description : typeof title === 'string' ? title : '', MAX_DOC_LENGTH)

/** K1. */
export function safeText(text: string, maxLength: number): string {
  const safe = neutralise(toWellFormed(text.slice(0, maxLength * 2))).replace(/[\p{Default_Ignorable_Code_Point}\ufffd\u2400-\u2421]/gu, '')
  return safe.length > maxLength ? `${toWellFormed(safe.slice(0, maxLength)).replace(/\ufffd$/, '')}…` : safe
}

function schemaOf(schema: unknown, what: string): JsonSchema {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new ToolsProblem(`it gives no schema for ${what}`)
  const safe = safeJson(schema as Json, MAX_SCHEMA_NESTING + 1, what) as Record<string, unknown>
  if (JSON.stringify(safe).length > MAX_SCHEMA_LENGTH) throw new ToolsProblem(`its schema for ${what} is longer than ${MAX_SCHEMA_LENGTH} characters`)
  const { $schema: _, ...rest } = safe
  return rest
}

/** K1, for every text in a schema but its patterns, which are compared and never shown as prose. */
function safeJson(value: Json, left: number, what: string): Json {
  if (left < 0) throw new ToolsProblem(`its schema for ${what} is nested deeper than ${MAX_SCHEMA_NESTING}`)
  if (typeof value === 'string') return safeText(value, MAX_SCHEMA_TEXT_LENGTH)
  if (Array.isArray(value)) return value.map(each => safeJson(each as Json, left - 1, what))
  if (typeof value !== 'object' || value === null) return value
  const safe: Record<string, Json> = Object.create(null) as Record<string, Json>
  for (const [key, each] of Object.entries(value)) if (each !== undefined) safe[safeText(key, MAX_NAME_LENGTH)] = key === 'pattern' && typeof each === 'string' ? each : safeJson(each, left - 1, what)
  return { ...safe }
}
