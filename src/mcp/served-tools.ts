// Served tools: the workflows of a program as tools that others call.
// Owns: names, docs, schemas of what goes in and comes out. Does not own: carrying out (served-calls.ts), the protocol (protocol-server.ts).
//   Source: MCP specification, server/tools.
//   T1. A result is a record: what is none is its field `result` (older clients take nothing else).
//   T2. A workflow that nobody can call by name (a private one, one made by the compiler) is no tool.
import type { Plan, PlanParam } from '#model/plan.ts'
import type { Type, Value } from '#model/type.ts'
import { stripQualifiers } from '#types/construct.ts'
import { type JsonSchema, toJsonSchema } from '#types/json-schema.ts'
import { toJsonValue } from '#types/codec.ts'
import { validate } from '#types/validate.ts'

export interface ServedTool {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonSchema
  readonly outputSchema: JsonSchema
  /** Of the plan's workflow. */
  readonly key: string
}

/** T2. */
export function servedTools(plan: Plan): ServedTool[] {
  return plan.entries.map(key => {
    const { name, params, result } = plan.workflows[key]!
    const required = params.filter(isNeeded).map(each => each.name)
    return {
      key, name, description: plan.docs[key] ?? `The workflow \`${name}\` of a program.`,
      inputSchema: { type: 'object', properties: Object.fromEntries(params.map(each => [each.name, described(each.type)])), ...(required.length === 0 ? {} : { required }), additionalProperties: false },
      outputSchema: isRecord(result) ? described(result) : { type: 'object', properties: { result: described(result) }, required: ['result'] },
    }
  })
}

/** Whether a call must give it. */
export const isNeeded = ({ type, default: standard }: PlanParam): boolean => standard === null && validate(type, null) !== null

/** T1. */
export function servedResult(type: Type, value: Value): Readonly<Record<string, Value>> {
  const json = toJsonValue(type, value)
  return isRecord(type) ? (json as Readonly<Record<string, Value>>) : { result: json }
}

const isRecord = (type: Type): boolean => stripQualifiers(type).kind === 'record'

const units: Readonly<Record<string, string>> = { duration: 'Milliseconds.', size: 'Bytes.', tokens: 'A number of tokens.', money: 'Dollars, as a decimal text.' }

/** The schema with what its numbers count, which only tek's own marks would say. */
function described(type: Type): JsonSchema {
  const schema = toJsonSchema(type)
  const unit = units[stripQualifiers(type).kind]
  return unit === undefined || typeof schema === 'boolean' ? schema : { ...schema, description: unit }
}
