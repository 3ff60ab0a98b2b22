// Answer value: what a server's tool answered, as the value of the call.
// Owns: text, structured content and pieces, their bounds. Does not own: the protocol (session.ts), the types (signature.ts).
//   Source: MCP specification, server/tools, "Tool Result".
//   V1. A value is of the type that the lock says, or the call fails: what a server says of itself is not believed.
//   V2. Fields that the schema does not name are left out: a schema allows them, a record of tek has none.
//   V3. What is longer than MAX_ANSWER_BYTES as JSON fails; nothing is cut off in silence.
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { toWellFormed } from '#base/unicode.ts'
import type { Type, Value } from '#model/type.ts'
import { validate } from '#types/validate.ts'
import type { LockedTool } from './lock-file.ts'
import { resultType } from './signature.ts'

/** One answer, as JSON. */
export const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024
const MAX_PIECES = 1_000
const MAX_SAID_LENGTH = 2_000

interface Piece {
  readonly type?: unknown
  readonly text?: unknown
  readonly data?: unknown
  readonly mimeType?: unknown
  readonly uri?: unknown
  readonly resource?: { readonly uri?: unknown; readonly mimeType?: unknown; readonly text?: unknown; readonly blob?: unknown }
}

/** The value, or why there is none. `name`: the tool as programs call it. */
export function answerValue(name: string, tool: LockedTool, answer: unknown): { readonly value: Value } | Diagnostic {
  const { content, structuredContent, isError } = answer as { readonly content?: unknown; readonly structuredContent?: unknown; readonly isError?: unknown }
  const pieces = Array.isArray(content) ? (content as readonly Piece[]) : []
  if (pieces.length > MAX_PIECES) return mcpErrors['bad-answer']({ tool: name, reason: `it has more than ${MAX_PIECES} pieces` })
  if (Buffer.byteLength(JSON.stringify([content ?? null, structuredContent ?? null])) > MAX_ANSWER_BYTES) return mcpErrors['bad-answer']({ tool: name, reason: `it is larger than ${MAX_ANSWER_BYTES / 1_024 ** 2} MiB` }) // V3
  if (isError === true) return mcpErrors.failed({ tool: name, says: textOf(pieces).slice(0, MAX_SAID_LENGTH) || 'it does not say why' })
  if (tool.result === 'text') {
    const other = pieces.find(each => each.type !== 'text')
    return other === undefined ? { value: textOf(pieces) } : mcpErrors['not-text']({ tool: name, kind: wordFor(other.type) })
  }
  const type = resultType(tool)
  const value = tool.result === 'content' ? pieces.map(pieceOf) : structuredContent === undefined ? undefined : project(type, structuredContent) // V2
  if (value === undefined) return mcpErrors['bad-answer']({ tool: name, reason: 'its schema promises a structured answer, and there is none' })
  const problem = validate(type, value) // V1
  return problem === null ? { value: value as Value } : mcpErrors['bad-answer']({ tool: name, reason: `${problem.path === '' ? '' : `at \`${problem.path}\`: `}${problem.message}` })
}

const textOf = (pieces: readonly Piece[]): string => toWellFormed(pieces.flatMap(each => (typeof each.text === 'string' ? [each.text] : [])).join('\n'))

const words: Readonly<Record<string, string>> = { image: 'an image', audio: 'audio', resource: 'a resource', resource_link: 'a link to a resource' }
const wordFor = (type: unknown): string => (typeof type === 'string' ? words[type] : undefined) ?? 'something that is no text'

const orNull = (value: unknown): string | null => (typeof value === 'string' ? toWellFormed(value) : null)

function pieceOf(piece: Piece): Value {
  const { resource } = piece
  if (piece.type === 'resource') return { kind: 'resource', text: orNull(resource?.text), data: orNull(resource?.blob), mimeType: orNull(resource?.mimeType), uri: orNull(resource?.uri) }
  const kind = piece.type === 'resource_link' ? 'link' : piece.type
  return { kind: typeof kind === 'string' ? kind : '', text: orNull(piece.text), data: orNull(piece.data), mimeType: orNull(piece.mimeType), uri: orNull(piece.uri) }
}

/** V2. */
function project(type: Type, value: unknown): unknown {
  if (type.kind === 'list' && Array.isArray(value)) return value.map(each => project(type.item, each))
  if (type.kind === 'map' && isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, project(type.value, each)]))
  if (type.kind === 'record' && isRecord(value)) {
    const known = Object.entries(type.fields).filter(([key]) => Object.hasOwn(value, key))
    return Object.fromEntries(known.map(([key, field]) => [key, project(field.type, value[key])]))
  }
  if (type.kind === 'union') {
    for (const member of type.members) {
      const projected = project(member, value)
      if (validate(member, projected) === null) return projected
    }
  }
  return value
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
