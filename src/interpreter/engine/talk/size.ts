// Size: how many tokens a question may hold at most, without asking the provider.
// Owns: the bound. Does not own: what is done with it (../questions.ts).
//   Z1. No model in use needs more than a token for two bytes of UTF-8 of the request's JSON, all languages and code together, but for what has no words in it:
//       many tokenizers give each digit a token of its own, and letters in no order nearly so. Those count a token a byte. What providers add of their own for
//       tools and schemas is within REQUEST_TOKENS.
//   Z2. What a model counted in the turn before is its own measure of all that was said until then: only what is new is bounded by its bytes. It holds for the same
//       model, and only where the new question begins with the very same messages, for the same role and tools.
//   Z3. It is believed only where it can be true of all that was sent: some servers count only what they had not seen before. Who counted less in a later turn than
//       in an earlier one, or too little for that much text, is not believed again in that conversation.
import type { ChatMessage, ChatRequest, ChatUsage } from '#model/chat.ts'

const BYTES_A_TOKEN = 2
/** What may be a number, a key, a hash, encoded data: letters and digits without a gap. */
const RUN = /[\w+/=-]+/g
/** From so many characters on they are no name. */
const LEAST_WORDLESS = 20
/** More bytes than this are no token: what was counted was not all of it. */
const MOST_BYTES_A_TOKEN = 12
/** What a request holds beside its own words. */
const REQUEST_TOKENS = 500

type Request = Omit<ChatRequest, 'model'>

/** What a model said of the last turn. */
export interface Counted {
  /** Key of the model that answered. */
  readonly model: string
  readonly request: Request
  /** Tokens of the whole question; null: it is not believed. // Z3 */
  readonly tokens: number | null
  /** Tokens of the answer, with what it does not show of itself: the next question holds them. */
  readonly answer: number
}

/** The most tokens that a model reads for a request. // Z1 Z2 */
export function inputTokensAtMost(request: Request, counted: Counted | null = null): number {
  const { system, messages, tools, answer } = request
  const whole = REQUEST_TOKENS + Math.ceil((weightOf(system) + shapeOf(tools, answer) + sum(messages, weightOfMessage)) / BYTES_A_TOKEN)
  if (counted === null || counted.tokens === null || !begins(counted.request, request)) return whole
  const [answered, ...rest] = messages.slice(counted.request.messages.length).map(weightOfMessage)
  const added = Math.max(counted.answer, Math.ceil((answered ?? 0) / BYTES_A_TOKEN)) + Math.ceil(sum(rest, each => each) / BYTES_A_TOKEN)
  return Math.min(whole, counted.tokens + added + (request.toolChoice === counted.request.toolChoice ? 0 : REQUEST_TOKENS))
}

/** What is known of a question once it is answered, by its usage and by what was known of the turn before. */
export function countedBy(model: string, { input, output, cacheRead, cacheWrite }: ChatUsage, request: Request, before: Counted | null): Counted {
  const tokens = input + cacheRead + cacheWrite
  const bytes = utf8Length(request.system) + sum(request.messages, textBytesOf)
  const isDoubted = before?.model === model && (before.tokens === null || (tokens < before.tokens && begins(before.request, request)))
  return { model, request, answer: output, tokens: isDoubted || tokens * MOST_BYTES_A_TOKEN < bytes ? null : tokens } // Z3
}

/** Whether a request begins with all of another one. // Z2 */
function begins(first: Request, request: Request): boolean {
  return first.system === request.system && first.tools === request.tools && first.answer === request.answer
    && first.messages.length <= request.messages.length && first.messages.every((message, at) => message === request.messages[at])
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number => items.reduce((total, item) => total + of(item), 0)

const weights = new WeakMap<ChatMessage, number>()
const shapes = new WeakMap<ChatRequest['tools'], Map<ChatRequest['answer'], number>>()
const texts = new WeakMap<ChatMessage, number>()

/** Messages never change, and each comes again in every later request. */
function weightOfMessage(message: ChatMessage): number {
  let weight = weights.get(message)
  if (weight === undefined) weights.set(message, (weight = weightOf(JSON.stringify(message))))
  return weight
}

/** Bytes of its text: what an image holds is counted otherwise. */
function textBytesOf(message: ChatMessage): number {
  let size = texts.get(message)
  if (size === undefined) texts.set(message, (size = sum(message.content, each => sum(each.kind === 'tool-result' ? each.content : [each], part => (part.kind === 'text' ? utf8Length(part.text) : 0)))))
  return size
}

/** Nor do tools and the schema of an answer. */
function shapeOf(tools: ChatRequest['tools'], answer: ChatRequest['answer']): number {
  let known = shapes.get(tools)
  if (known === undefined) shapes.set(tools, (known = new Map()))
  let weight = known.get(answer)
  if (weight === undefined) known.set(answer, (weight = weightOf(JSON.stringify([tools, answer ?? null]))))
  return weight
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
