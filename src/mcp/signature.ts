// Signature: a server's entry in the lock as the module that programs use.
// Owns: functions, their parameters and results from the lock alone. Does not own: the lock (lock-file.ts), calling (call-servers.ts).
//   S1. What a server answers is untrusted, whatever it says of itself.
//   S2. Every parameter of a tool that writes must be trusted: what it does is not known, so text from outside decides no part of it.
//       The checker lets through what has no room for instructions (numbers, known words).
//   S3. A call needs `mcp("server", "tool")`: the tool by the name programs use.
import type { Json } from '#base/json.ts'
import { type FunctionSignature, type ModuleSignature, type ParamSignature, signatureVersion } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { distinct, plainName } from './locked-tools.ts'
import { entryHash, type LockedServer, type LockedTool } from './lock-file.ts'
import { schemaType } from './schema-type.ts'

/** A parameter of a tool, and the property that it fills. */
export interface ToolParam extends ParamSignature {
  readonly property: string
}

/** One piece of an answer, where a tool's result is its pieces. */
export const pieceType: Type = {
  kind: 'record', fields: {
    kind: { type: { kind: 'union', members: ['text', 'image', 'audio', 'resource', 'link'].map(value => ({ kind: 'literal', value })) }, optional: false },
    text: { type: { kind: 'union', members: [{ kind: 'string' }, { kind: 'null' }] }, optional: false, doc: 'Of a text or a resource that is text.' },
    data: { type: { kind: 'union', members: [{ kind: 'bytes' }, { kind: 'null' }] }, optional: false, doc: 'Of an image, of audio, of a resource that is not text.' },
    mimeType: { type: { kind: 'union', members: [{ kind: 'string' }, { kind: 'null' }] }, optional: false },
    uri: { type: { kind: 'union', members: [{ kind: 'string' }, { kind: 'null' }] }, optional: false, doc: 'Of a resource or a link.' },
  },
}

/** @param name the server's name in the lock; the module's in programs comes from `use mcp … as`. */
export function serverSignature(name: string, server: LockedServer): ModuleSignature {
  return {
    version: signatureVersion, name: plainName(name, 'server'), origin: 'mcp', release: server.release, doc: `The tools of the server \`${name}\`: ${server.shows}`, hash: entryHash(server),
    server: { name, definition: server.definition, shows: server.shows, variables: server.variables, reads: server.reads },
    functions: Object.fromEntries(server.tools.map(tool => [tool.as, toolSignature(name, tool)])),
    types: {}, grants: {}, models: {}, constants: {},
  }
}

function toolSignature(server: string, tool: LockedTool): FunctionSignature {
  return {
    name: tool.as, doc: tool.doc, params: toolParams(tool).map(({ property: _, ...param }) => param), result: resultType(tool), effect: tool.effect, runs: 'host',
    needs: [{ grant: 'mcp', args: [{ literal: server }, { literal: tool.as }] }], untrusted: true, // S1 S3
  }
}

/** The parameters of a tool: those it needs first, in the order in which it names them as needed (the lock keeps no other), then the others by name. */
export function toolParams(tool: Pick<LockedTool, 'input' | 'effect'>): ToolParam[] {
  const { type } = schemaType(tool.input)
  if (type.kind !== 'record') return type.kind === 'map' && noProperties(tool.input) ? [] : [{ name: 'input', property: '', doc: 'All that the tool takes, as JSON.', type: { kind: 'json' }, optional: false, ...sink(tool) }]
  const needed = typeof tool.input === 'object' && Array.isArray(tool.input['required']) ? (tool.input['required'] as unknown[]) : []
  const rank = (property: string): number => (needed.includes(property) ? needed.indexOf(property) : needed.length)
  const properties = Object.keys(type.fields).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const names = distinct(properties.map(each => plainName(each, 'value')))
  const params = properties.map((property, index): ToolParam => {
    const field = type.fields[property]!
    const standard = standardOf(tool.input, property)
    return { name: names[index]!, property, doc: field.doc ?? '', type: field.type, optional: field.optional || standard !== undefined, ...sink(tool) }
  })
  return [...params.filter(each => !each.optional), ...params.filter(each => each.optional)]
}

const sink = ({ effect }: Pick<LockedTool, 'effect'>): { sink?: true } => (effect === 'write' ? { sink: true } : {}) // S2

/** A schema `{ type: 'object' }` takes no parameters that are known. */
const noProperties = (schema: LockedTool['input']): boolean => typeof schema === 'object' && schema['properties'] === undefined && schema['additionalProperties'] === undefined

/** A property with a default may be left out: the server fills it in. */
function standardOf(schema: LockedTool['input'], property: string): Json | undefined {
  const properties = typeof schema === 'object' ? (schema['properties'] as Record<string, unknown> | undefined) : undefined
  const found = properties !== undefined && Object.hasOwn(properties, property) ? properties[property] : undefined
  return typeof found === 'object' && found !== null ? ((found as Record<string, unknown>)['default'] as Json | undefined) : undefined
}

/** What a call gives. */
export function resultType(tool: Pick<LockedTool, 'result' | 'output'>): Type {
  if (tool.result === 'structured') return schemaType(tool.output!).type
  return tool.result === 'text' ? { kind: 'string' } : { kind: 'list', item: pieceType }
}

/** Parts of a tool that became `json`, for who looks at the lock. */
export function schemaNotes(tool: LockedTool): string[] {
  const ofOutput = tool.result === 'structured' ? schemaType(tool.output!).notes.map(note => `result: ${note}`) : []
  return [...schemaType(tool.input).notes, ...ofOutput]
}
