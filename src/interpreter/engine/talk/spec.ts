// Spec: what a conversation of an agent is about, and the bounds it keeps, before it begins.
// Owns: the shapes and the limits. Does not own: how it goes on (talk.ts), where its parts come from (the plan, by way of the engine).
import type { ChatMessage } from '#model/chat.ts'
import type { Type, Value } from '#model/type.ts'

/** Turns of one conversation where an agent says nothing. */
export const STANDARD_TURNS = 20
/** Turns that a program may allow. */
export const MAX_TURNS = 1_000
/** Tools that an agent may be shown. */
export const MAX_TOOLS = 200
/** Calls of tools in one answer; more are answered by an error. */
export const MAX_CALLS_A_TURN = 64
/** Turns in which an answer may be mended that is of the wrong type, or not what was wanted. */
export const MAX_REPAIRS = 2
/** The same calls, with the same arguments and the same results, this often in a row end a conversation. */
export const MAX_REPEATS = 3
/** Characters of a tool's result that a model is shown; of a longer one the beginning and the end. */
export const MAX_SHOWN_LENGTH = 64 * 1_024
/** Tokens of one answer where neither the program nor the model says. */
export const STANDARD_ANSWER_TOKENS = 8_192

/** A tool as an agent is shown it. */
export interface TalkTool {
  /** As the model calls it: `fs_read`. */
  readonly name: string
  readonly description: string
  /** A record of its parameters. */
  readonly input: Type
  /** What it gives back comes from outside. */
  readonly isUntrusted: boolean
  /** It acts on the world: it is not called by itself once a conversation holds text from outside. */
  readonly isSink: boolean
}

export interface TalkSpec {
  readonly agent: string
  /** System prompt. */
  readonly role: string
  readonly prompt: string
  /** Whether the prompt holds text from outside. */
  readonly isPromptUntrusted: boolean
  /** Of earlier conversations, where the agent remembers. */
  readonly before: readonly ChatMessage[]
  readonly tools: readonly TalkTool[]
  /** Type of the answer; null: text. */
  readonly answer: Type | null
  readonly maxTurns: number
  readonly maxTokens: number | null
  readonly maxCostMicros: number | null
  /** Tokens of one answer. */
  readonly answerTokens: number
  /** Tokens that the model holds, question and answer together; absent: unknown. */
  readonly contextTokens?: number
  /** Micro-dollars per million tokens; null: unknown. */
  readonly price: { readonly inputMicros: number; readonly outputMicros: number } | null
  /** What is done with a call that acts on the world once text from outside is in the conversation. */
  readonly afterUntrusted: 'refuse' | 'ask' | 'allow'
}

/** A call that the model asks for. */
export interface TalkCall {
  /** Counts the calls of a conversation from 0. */
  readonly call: number
  readonly tool: string
  /** Checked against the tool's parameters. */
  readonly input: Readonly<Record<string, Value>>
}
