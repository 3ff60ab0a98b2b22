// Answer: from the text a model ends with to a value of the wanted type.
// Owns: the schema that goes to the model, finding the JSON in a text, the words of a repair. Does not own: how often is repaired (talk.ts).
//   A1. An answer that is not a record goes into one, because models' servers take no other: `{ "value": … }`.
//   A2. The JSON is looked for as a whole text, then in a fence, then between the first brace and the last: models add words whatever they are told.
import type { ChatReply, ChatSchema } from '#model/chat.ts'
import type { Type, Value } from '#model/type.ts'
import { recordOf } from '#types/construct.ts'
import { fromJsonValue } from '#types/codec.ts'
import { toJsonSchema } from '#types/json-schema.ts'
import { validate } from '#types/validate.ts'

/** Characters of an answer shown in a repair or a failure. */
const MAX_QUOTED_LENGTH = 2_000

export type Answered = { readonly kind: 'value'; readonly value: Value } | { readonly kind: 'wrong'; readonly problem: string }

/** The schema an answer of a type is asked for by. // A1 */
export function answerSchema(type: Type): ChatSchema {
  return toJsonSchema(wrapped(type)) as ChatSchema
}

function wrapped(type: Type): Type {
  return type.kind === 'record' ? type : recordOf({ value: type })
}

/** The text of a reply. */
export function textOf({ content }: Pick<ChatReply, 'content'>): string {
  return content.flatMap(each => (each.kind === 'text' ? [each.text] : [])).join('')
}

/** Reads an answer. */
export function readAnswer(type: Type | null, text: string): Answered {
  if (type === null) return text.trim() === '' ? { kind: 'wrong', problem: 'it is empty' } : { kind: 'value', value: text }
  const json = jsonIn(text)
  if (json === undefined) return { kind: 'wrong', problem: 'it holds no JSON that can be read' }
  const whole = wrapped(type)
  const isBare = whole !== type && !(typeof json === 'object' && json !== null && !Array.isArray(json) && Object.hasOwn(json, 'value'))
  const read = fromJsonValue(isBare ? type : whole, json)
  if ('problem' in read) return { kind: 'wrong', problem: read.problem }
  const value = whole === type || isBare ? read.value : (read.value as { readonly value: Value }).value
  const problem = validate(type, value)
  return problem === null ? { kind: 'value', value } : { kind: 'wrong', problem: `${problem.path === '' ? '' : `at \`${problem.path}\`: `}${problem.message}` }
}

/** What a model is told about an answer that does not fit. */
export function repairWords(problem: string, schema: ChatSchema | null): string {
  if (schema === null) return `That answer cannot be used: ${problem}. Answer again.`
  return `That answer cannot be used: ${problem}. Answer again with nothing but JSON of this JSON Schema:\n${JSON.stringify(schema)}`
}

/** What a model is told about an answer that is of its type and not what was wanted. */
export function missedWords(says: string): string {
  return `That answer is not what was wanted. This does not hold: ${says}\nMend it, and answer again, whole.`
}

export function quoted(text: string): string {
  return text.length <= MAX_QUOTED_LENGTH ? text : `${text.slice(0, MAX_QUOTED_LENGTH)}…`
}

/** A2. */
function jsonIn(text: string): Value | undefined {
  const fence = /```(?:json)?\s*\n([\s\S]*?)\n?```/.exec(text)
  const [from, to] = [text.search(/[{[]/), Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))]
  for (const candidate of [text, fence?.[1], from === -1 || to < from ? undefined : text.slice(from, to + 1)]) {
    if (candidate === undefined || candidate.trim() === '') continue
    try {
      return JSON.parse(candidate) as Value
    } catch {
      // the next
    }
  }
  return undefined
}
