// Plausible usage: what a model's server says that an answer took, where that can be true.
// Owns: counts that are none, and counts that are left out. Does not own: what is done with them (engine/budget.ts).
//   B1. A limit holds against a server that lies or says nothing: what is no count (negative, a fraction, a text) or is missing counts as the most that it can be.
//   B2. A count that may be true is taken as it is: nobody here knows the server's tokenizer.
import type { ChatReply, ChatRequest, ChatUsage } from '#model/chat.ts'
import { inputTokensAtMost, utf8Length } from '#interpreter/engine/talk/size.ts'

/** Tokens of anything; more is no count. */
const MAX_COUNT = 2 ** 40
/** No tokenizer in use makes more tokens than this of a byte of text that it wrote itself. */
const TOKENS_A_BYTE = 1

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT

/** The reply with counts that limits can be kept by; the very same where they are plausible. */
export function withPlausibleUsage(reply: ChatReply, request: Omit<ChatRequest, 'model'>): ChatReply {
  const { input, output, cacheRead, cacheWrite, thinking } = reply.usage
  const hasRead = isCount(input) && isCount(cacheRead) && isCount(cacheWrite) && input + cacheRead + cacheWrite > 0
  const wrote = bytesOf(reply)
  const hasWritten = isCount(output) && (output > 0 || wrote === 0)
  if (hasRead && hasWritten && isCount(thinking)) return reply // B2
  const usage: ChatUsage = { // B1
    ...(hasRead ? { input, cacheRead, cacheWrite } : { input: inputTokensAtMost(request), cacheRead: 0, cacheWrite: 0 }),
    output: hasWritten ? output : Math.min(Math.max(1, wrote * TOKENS_A_BYTE), MAX_COUNT),
    thinking: isCount(thinking) ? thinking : 0,
  }
  return { ...reply, usage }
}

function bytesOf({ content }: ChatReply): number {
  return content.reduce((sum, each) => sum + utf8Length(each.kind === 'tool-use' ? each.name + JSON.stringify(each.input) : 'text' in each ? each.text : ''), 0)
}
