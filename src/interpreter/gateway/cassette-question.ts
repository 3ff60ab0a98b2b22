// Cassette question: a question to a model as a cassette keeps it: its hash, and as much of it as a person can compare.
// Owns: what of a question counts, how long texts are kept. Does not own: the file's shape (model/cassette.ts), finding an answer (cassette.ts).
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import { type CassetteBlock, type CassetteConversation, type CassetteCut, type CassetteMessage, type CassetteText, KEPT_BEGINNING, MAX_KEPT_CHARACTERS } from '#model/cassette.ts'
import type { ChatBlock, ChatMessage, ChatRequest, ChatSchema } from '#model/chat.ts'

/** Letters of a hash that are kept: 128 bits. */
const HASH_LENGTH = 32
/** Levels of a schema that are looked through for docs. */
const MAX_SCHEMA_LEVELS = 256
/** A line that says where text from outside begins or ends (engine/talk/outside-text.ts). */
const MARK = /^⟦outside [0-9a-f]{16}[^⟧\n]*⟧\n|\n⟦\/outside [0-9a-f]{16}[^⟧\n]*⟧$/gm
/** What a schema says for people and models only. */
const docs = new Set(['description', 'title', '$comment', 'examples'])
/** What holds schemas under names of the program's. */
const named = new Set(['properties', '$defs', 'patternProperties', 'dependentSchemas'])
/** What holds values of the program's. */
const literal = new Set(['const', 'enum', 'default', 'required'])

type Asked = Omit<ChatRequest, 'model'>

/** A question in the form in which it is kept and compared. */
export interface CassetteQuestion extends Pick<CassetteConversation, 'role' | 'tools' | 'answer'> {
  readonly messages: readonly CassetteMessage[]
  readonly toolChoice?: 'none' | 'required'
}

/** The hash by which a question is found again (see model/cassette.ts, C1). */
export function hashOf({ system, messages, tools, toolChoice, answer }: Asked): string {
  const said = messages.map(({ role, content }) => ({ role, content: content.map(unmarked) }))
  const counted = { system, messages: said, tools: toolsOf(tools), toolChoice: toolChoice ?? 'auto', answer: answer === undefined ? null : withoutDocs(answer.schema) }
  return sha256(canonicalJson(counted as unknown as Json)).slice(0, HASH_LENGTH)
}

export function questionOf({ system, messages, tools, toolChoice, answer }: Asked): CassetteQuestion {
  return {
    role: keptText(system), tools: toolsOf(tools), answer: answer === undefined ? null : withoutDocs(answer.schema), messages: messages.map(keptMessage),
    ...(toolChoice === undefined || toolChoice === 'auto' ? {} : { toolChoice }),
  }
}

export function keptMessage({ role, content }: ChatMessage): CassetteMessage {
  return { role, content: content.map(block => keptBlock(unmarked(block), keptText)) }
}

/** The blocks of an answer, whole. */
export const wholeBlocks = (content: readonly ChatBlock[]): CassetteBlock[] => content.map(block => keptBlock(block, linesOf))

function keptBlock(block: ChatBlock, keep: (text: string) => CassetteText | CassetteCut): CassetteBlock {
  switch (block.kind) {
    case 'text':
    case 'thinking':
      return { ...block, text: keep(block.text) }
    case 'image': {
      const data = keep(block.data)
      return { ...block, data: typeof data === 'object' && 'begins' in data ? data : block.data }
    }
    case 'tool-use':
      return block
    case 'tool-result':
      return { kind: 'tool-result', id: block.id, isError: block.isError, content: block.content.map(each => keptBlock(each, keep)) }
  }
}

/** Blocks as they were, where none is cut. */
export function blocksOf(content: readonly CassetteBlock[]): ChatBlock[] {
  return content.map((block): ChatBlock => {
    switch (block.kind) {
      case 'text':
      case 'thinking':
        return { ...block, text: textOf(block.text) }
      case 'image':
        return { ...block, data: textOf(block.data) }
      case 'tool-use':
        return block
      case 'tool-result':
        return { ...block, content: blocksOf(block.content) as Extract<ChatBlock, { kind: 'tool-result' }>['content'] }
    }
  })
}

/** The questions of a conversation, whole again. */
export function questionsOf({ role, tools, answer, turns }: CassetteConversation): CassetteQuestion[] {
  let messages: readonly CassetteMessage[] = []
  return turns.map(({ keeps, asked, toolChoice, answered }) => {
    const own = [...messages.slice(0, keeps ?? messages.length), ...asked]
    messages = answered === undefined ? own : [...own, keptMessage({ role: 'assistant', content: blocksOf(answered.content) })]
    return { role, tools, answer, messages: own, ...(toolChoice === undefined ? {} : { toolChoice }) }
  })
}

/** Without the marks that tek puts around text from outside: they are tek's words, not the program's. */
function unmarked(block: ChatBlock): ChatBlock {
  if (block.kind === 'text') return { ...block, text: block.text.replace(MARK, '') }
  return block.kind === 'tool-result' ? { ...block, content: block.content.map(each => unmarked(each) as typeof each) } : block
}

const linesOf = (text: string): CassetteText => (text.includes('\n') ? text.split('\n') : text)

/** A text from its lines; of one that was cut, the beginning. */
function textOf(text: CassetteText | CassetteCut): string {
  if (typeof text === 'string') return text
  return 'begins' in text ? textOf(text.begins) : text.join('\n')
}

function keptText(text: string): CassetteText | CassetteCut {
  return text.length <= MAX_KEPT_CHARACTERS ? linesOf(text) : { begins: linesOf(beginningOf(text)), characters: text.length, sha256: sha256(text) }
}

/** Not in the middle of a character. */
const beginningOf = (text: string): string => text.slice(0, KEPT_BEGINNING).replace(/[\ud800-\udbff]$/, '')

const toolsOf = (tools: Asked['tools']): string[] => tools.map(({ name }) => name).sort()

function withoutDocs(schema: ChatSchema): ChatSchema {
  return stripped(schema as Json, 0) as ChatSchema
}

function stripped(schema: Json, level: number): Json {
  if (typeof schema !== 'object' || schema === null || level > MAX_SCHEMA_LEVELS) return schema
  if (Array.isArray(schema)) return (schema as readonly Json[]).map(each => stripped(each, level + 1))
  return Object.fromEntries(Object.entries(schema as Readonly<Record<string, Json>>).flatMap(([key, value]): [string, Json][] => {
    if (docs.has(key)) return []
    if (literal.has(key)) return [[key, value]]
    if (!named.has(key) || typeof value !== 'object' || value === null) return [[key, stripped(value, level + 1)]]
    return [[key, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, stripped(each as Json, level + 1)]))]]
  }))
}
