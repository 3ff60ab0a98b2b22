// Cassette: what models were asked in a run and what they answered, as a file that people review and that answers in their place.
// Owns: the shape, its version and limits. Does not own: making it (interpreter/recording.ts), reading it (interpreter/read-cassette.ts), answering from it
// (interpreter/gateway/cassette.ts). The schema is docs/schema/cassette.schema.json.
//   C1. A question is found again by its agent and its hash. The hash is of what was said (role, messages, results of tools without tek's marks around them), of the names of the tools,
//       whether one may be called, and of the type of the answer. Not of docs and parameters of tools, of the model, its options or the most tokens of an
//       answer: they change with a release of tek, with the price list or with what others have spent, and what was answered still answers. A recorded call that no
//       longer fits is refused like any other, and the next question differs.
//   C2. An answer is kept whole. A text that was asked is kept whole up to MAX_KEPT_CHARACTERS, then as its beginning and its hash: enough to say what differs.
//   C3. A text of several lines is a list of its lines, so that files of it can be compared.
import type { ChatBlock, ChatReply, ChatSchema } from './chat.ts'

export const cassetteVersion = 1
/** Of the file. */
export const MAX_CASSETTE_BYTES = 32 * 1_024 * 1_024
/** Answers in one file. */
export const MAX_CASSETTE_ANSWERS = 100_000
/** Of a text that was asked. */
export const MAX_KEPT_CHARACTERS = 4_000
/** Of a text that is longer, this much. */
export const KEPT_BEGINNING = 1_000

export interface Cassette {
  readonly cassette: typeof cassetteVersion
  /** For whoever reads it: where it is from, if not from a model. */
  readonly note?: string
  /** The program as it was named, and the workflow that was run. */
  readonly program: string
  readonly workflow: string
  /** Day on which the run began, in UTC: `2026-11-21`. */
  readonly recorded: string
  readonly conversations: readonly CassetteConversation[]
}

export interface CassetteConversation {
  /** Key of the agent. */
  readonly agent: string
  /** Path of the task that asked it. */
  readonly task: string
  readonly role: CassetteText | CassetteCut
  /** Names of the tools, in order. */
  readonly tools: readonly string[]
  /** JSON Schema of the answer without its docs; null: text. */
  readonly answer: ChatSchema | null
  readonly turns: readonly CassetteTurn[]
}

export interface CassetteTurn {
  /** Hash of the question. // C1 */
  readonly request: string
  /** Messages of the turn before, with its answer, with which this question begins; absent: all of them. */
  readonly keeps?: number
  /** The messages that follow those. */
  readonly asked: readonly CassetteMessage[]
  /** As in `ChatRequest`. */
  readonly toolChoice?: 'none' | 'required'
  readonly answered?: CassetteReply
  /** In place of an answer: why there was none. */
  readonly failed?: { readonly code: string; readonly message: string }
}

/** A text, or its lines. // C3 */
export type CassetteText = string | readonly string[]

/** A text of which only the beginning is kept. // C2 */
export interface CassetteCut {
  readonly begins: CassetteText
  readonly characters: number
  readonly sha256: string
}

export interface CassetteMessage {
  readonly role: 'user' | 'assistant'
  readonly content: readonly CassetteBlock[]
}

/** A block whose texts are as they are kept. */
export type CassetteBlock =
  | { readonly kind: 'text'; readonly text: CassetteText | CassetteCut }
  | { readonly kind: 'image'; readonly mediaType: Extract<ChatBlock, { kind: 'image' }>['mediaType']; readonly data: string | CassetteCut }
  | { readonly kind: 'thinking'; readonly text: CassetteText | CassetteCut; readonly sealed?: string }
  | Extract<ChatBlock, { kind: 'tool-use' }>
  | { readonly kind: 'tool-result'; readonly id: string; readonly content: readonly CassetteBlock[]; readonly isError: boolean }

/** A reply as it came; texts of several lines are lists of lines. `asked`: key of the model of the program; `model`: as its provider names it. */
export interface CassetteReply extends Omit<ChatReply, 'content'> {
  readonly asked: string
  readonly content: readonly CassetteBlock[]
}
