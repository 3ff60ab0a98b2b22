// Chat: what is asked of a language model and what it answers, whoever provides it.
// Owns: the shapes that agents, the gateway and providers share. Does not own: how a provider speaks on the wire (its plugin), what a conversation means (engine).
//   H1. Data only, JSON-able: replies are in the journal, so that a conversation goes on after a crash without asking again.
//   H2. Content is kept in the order and form in which it came, signatures of thinking included: a provider gets back what it gave.
//   H3. Tokens of a reply are counted apart by what they cost; a figure that a provider does not give is 0, never a guess.
import type { Value } from './type.ts'

/** JSON Schema, draft 2020-12, of what a tool takes or an answer holds. */
export type ChatSchema = { readonly [key: string]: Value }

export type ChatBlock =
  | { readonly kind: 'text'; readonly text: string }
  /** `data` in base64. */
  | { readonly kind: 'image'; readonly mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'; readonly data: string }
  /** `sealed`: what only the provider can read (a signature, redacted thinking); to be given back as it is. */
  | { readonly kind: 'thinking'; readonly text: string; readonly sealed?: string }
  /** `input` is null where the model's JSON could not be read; `problem` then says why. */
  | { readonly kind: 'tool-use'; readonly id: string; readonly name: string; readonly input: Value; readonly problem?: string }
  | { readonly kind: 'tool-result'; readonly id: string; readonly content: readonly (Extract<ChatBlock, { kind: 'text' | 'image' }>)[]; readonly isError: boolean }

export interface ChatMessage {
  readonly role: 'user' | 'assistant'
  readonly content: readonly ChatBlock[]
}

export interface ChatTool {
  /** `[a-zA-Z0-9_-]{1,64}`. */
  readonly name: string
  readonly description: string
  readonly input: ChatSchema
}

export interface ChatRequest {
  /** As the provider calls it. */
  readonly model: string
  /** Trusted text; empty: none. */
  readonly system: string
  readonly messages: readonly ChatMessage[]
  readonly tools: readonly ChatTool[]
  /** `none`: may not use a tool in this turn; `required`: must. Default `auto`. */
  readonly toolChoice?: 'auto' | 'none' | 'required'
  /** The answer is to be JSON of this schema. A provider that cannot make sure of it asks for it in words; the caller validates in any case. */
  readonly answer?: { readonly name: string; readonly schema: ChatSchema }
  /** Most tokens of the answer, thinking included. */
  readonly maxTokens: number
  /** Tokens for thinking; absent: no thinking. */
  readonly thinkingTokens?: number
  readonly temperature?: number
}

/** Why a model stopped. `other`: for a reason that this tek does not know. */
export type ChatStop = 'done' | 'tool-use' | 'max-tokens' | 'context-full' | 'refusal' | 'stop-sequence' | 'other'

/** Tokens, apart by what they cost; the parts do not overlap. */
export interface ChatUsage {
  /** Read at the full price. */
  readonly input: number
  /** Written, thinking included. */
  readonly output: number
  /** Read from a cache of the provider's, and put into it. */
  readonly cacheRead: number
  readonly cacheWrite: number
  /** The part of `output` that was thinking, where it is told. */
  readonly thinking: number
}

export interface ChatReply {
  readonly content: readonly ChatBlock[]
  readonly stop: ChatStop
  readonly usage: ChatUsage
  /** The model that answered, as the provider names it. */
  readonly model: string
  /** By which the provider finds the request again. */
  readonly requestId?: string
}

/** A piece of an answer on its way. */
export type ChatDelta =
  | { readonly kind: 'text' | 'thinking'; readonly text: string }
  | { readonly kind: 'tool-use'; readonly name: string }

/**
 * Why a model gave no answer. Retryable, perhaps after a while: `rate-limited overloaded network timed-out cut-off server`; not: the others. `cut-off`: the
 * stream ended before the answer did. `quota`: the account is used up. `library-missing`: what speaks to the provider is not installed.
 */
export type ChatFailureCode =
  | 'rate-limited' | 'overloaded' | 'network' | 'timed-out' | 'cut-off' | 'server' | 'quota' | 'no-key' | 'unknown-model' | 'bad-request' | 'context-full' | 'bad-answer' | 'library-missing' | 'cancelled'

/** An attempt at a model that came to nothing. */
export interface LostAttempt {
  /** Key of the model. */
  readonly model: string
  readonly code: ChatFailureCode
  readonly message: string
}

export const noUsage: ChatUsage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, thinking: 0 }
