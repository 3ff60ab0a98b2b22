// Size: how many tokens a question may hold at most, without asking the provider.
// Owns: the bound. Does not own: what is done with it (../questions.ts).
//   Z1. No model in use needs more than a token for two bytes of UTF-8 of the request's JSON, all languages and code together, but for what has no words in it:
//       many tokenizers give each digit a token of its own, and letters in no order nearly so. Those count a token a byte. What providers add of their own for
//       tools and schemas is within REQUEST_TOKENS.
import type { ChatMessage, ChatRequest } from '#model/chat.ts'

const BYTES_A_TOKEN = 2
/** What may be a number, a key, a hash, encoded data: letters and digits without a gap. */
const RUN = /[\w+/=-]+/g
/** From so many characters on they are no name. */
const LEAST_WORDLESS = 20
/** What a request holds beside its own words. */
const REQUEST_TOKENS = 500

const sizes = new WeakMap<ChatMessage, number>()

/** The most tokens that a model reads for a request. // Z1 */
export function inputTokensAtMost({ system, messages, tools, answer }: Omit<ChatRequest, 'model'>): number {
  let bytes = weightOf(system) + weightOf(JSON.stringify([tools, answer ?? null]))
  for (const message of messages) bytes += sizeOf(message)
  return REQUEST_TOKENS + Math.ceil(bytes / BYTES_A_TOKEN)
}

/** Messages never change, and each comes again in every later request. */
function sizeOf(message: ChatMessage): number {
  let size = sizes.get(message)
  if (size === undefined) sizes.set(message, (size = weightOf(JSON.stringify(message))))
  return size
}

/** Bytes, those that may be a token each counted twice. // Z1 */
function weightOf(text: string): number {
  let weight = utf8Length(text)
  for (const [run] of text.matchAll(RUN)) {
    const digits = run.replace(/\D/g, '').length
    if (digits > 0) weight += run.length < LEAST_WORDLESS ? digits : run.length
  }
  return weight
}

export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7ff) length += code >= 0xd800 && code <= 0xdfff ? 1 : 2 // half of a pair: two of its four bytes
    else if (code > 0x7f) length++
  }
  return length
}
