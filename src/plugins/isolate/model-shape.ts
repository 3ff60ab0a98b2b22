// Model shape: is this JSON what a model of a plugin says? It comes from behind the wall.
// Owns: the check of form and size of openings and answers. Does not own: what an answer means (engine/talk), how it came here (plugin-models.ts).
//   S1. What is not known is dropped; sizes are bounded, numbers are whole and not negative.
import type { ChatBlock, ChatDelta, ChatFailureCode, ChatReply, ChatStop, ChatUsage } from '#model/chat.ts'
import type { Value } from '#model/type.ts'
import type { ModelAbilities } from '#plugin-api/model-provider.ts'

export interface OpenedModel {
  readonly abilities: ModelAbilities
  readonly hosts: readonly string[]
  readonly parallel?: number
  readonly countsTokens: boolean
}

export type ModelAnswer =
  | { readonly kind: 'reply'; readonly reply: ChatReply }
  | { readonly kind: 'counted'; readonly tokens: number }
  | { readonly kind: 'failure'; readonly code: ChatFailureCode; readonly message: string; readonly retryAfterMs?: number; readonly details?: string }

const MAX_HOSTS = 16
const MAX_BLOCKS = 1_000
const MAX_TOKENS = 2 ** 40
const MAX_RETRY_AFTER_MS = 3_600_000
const MAX_PARALLEL = 1_000
const MAX_MESSAGE_LENGTH = 2_000
const MAX_DETAILS_LENGTH = 16_000
const stops: ReadonlySet<ChatStop> = new Set(['done', 'tool-use', 'max-tokens', 'context-full', 'refusal', 'stop-sequence', 'other'])
const codes: ReadonlySet<ChatFailureCode> = new Set([
  'rate-limited', 'overloaded', 'network', 'timed-out', 'cut-off', 'server', 'quota', 'no-key', 'unknown-model', 'bad-request', 'context-full', 'bad-answer', 'library-missing', 'cancelled',
])

type Fields = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_TOKENS

/** Null when it is none. */
export function readOpened(given: unknown): OpenedModel | null {
  if (!isRecord(given) || !isRecord(given['abilities']) || !Array.isArray(given['hosts']) || given['hosts'].length > MAX_HOSTS) return null
  const { images, tools, schemas, contextTokens } = given['abilities']
  const hosts = given['hosts'].filter(each => typeof each === 'string' && each.length <= 300) as string[]
  const parallel = given['parallel']
  if (hosts.length !== given['hosts'].length) return null
  return {
    abilities: { images: images === true, tools: tools === true, schemas: schemas === true, contextTokens: isCount(contextTokens) ? contextTokens : null }, hosts, countsTokens: given['countsTokens'] === true,
    ...(isCount(parallel) && parallel >= 1 && parallel <= MAX_PARALLEL ? { parallel } : {}),
  }
}

/** Null when it is none. */
export function readAnswer(given: unknown): ModelAnswer | null {
  if (!isRecord(given)) return null
  if (given['kind'] === 'counted') return isCount(given['tokens']) ? { kind: 'counted', tokens: given['tokens'] } : null
  if (given['kind'] === 'reply') {
    const reply = readReply(given['reply'])
    return reply === null ? null : { kind: 'reply', reply }
  }
  const { code, message, retryAfterMs, details } = given
  if (given['kind'] !== 'failure' || !codes.has(code as ChatFailureCode) || typeof message !== 'string') return null
  return {
    kind: 'failure', code: code as ChatFailureCode, message: message.slice(0, MAX_MESSAGE_LENGTH),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) } : {}), ...(typeof details === 'string' ? { details: details.slice(0, MAX_DETAILS_LENGTH) } : {}),
  }
}

function readReply(given: unknown): ChatReply | null {
  if (!isRecord(given) || !Array.isArray(given['content']) || given['content'].length > MAX_BLOCKS || !stops.has(given['stop'] as ChatStop) || typeof given['model'] !== 'string') return null
  const content = given['content'].map(readBlock)
  const usage = readUsage(given['usage'])
  if (usage === null || content.includes(null)) return null
  const requestId = given['requestId']
  return { content: content as ChatBlock[], stop: given['stop'] as ChatStop, usage, model: given['model'].slice(0, 300), ...(typeof requestId === 'string' ? { requestId: requestId.slice(0, 300) } : {}) }
}

/** What a model may answer with: text, thinking, calls of tools. */
function readBlock(given: unknown): ChatBlock | null {
  if (!isRecord(given)) return null
  const { kind, text, sealed, id, name, input, problem } = given
  if (kind === 'text') return typeof text === 'string' ? { kind, text } : null
  if (kind === 'thinking') return typeof text === 'string' ? { kind, text, ...(typeof sealed === 'string' ? { sealed } : {}) } : null
  if (kind !== 'tool-use' || typeof id !== 'string' || id === '' || id.length > 300 || typeof name !== 'string') return null
  return { kind, id, name: name.slice(0, 300), input: (input ?? null) as Value, ...(typeof problem === 'string' ? { problem: problem.slice(0, MAX_MESSAGE_LENGTH) } : {}) }
}

function readUsage(given: unknown): ChatUsage | null {
  if (!isRecord(given)) return null
  const { input, output, cacheRead, cacheWrite, thinking } = given
  return isCount(input) && isCount(output) && isCount(cacheRead) && isCount(cacheWrite) && isCount(thinking) ? { input, output, cacheRead, cacheWrite, thinking } : null
}

/** A piece of an answer; null when it is none. */
export function readDelta(text: string): ChatDelta | null {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return null
  }
  if (!isRecord(given)) return null
  const { kind, text: words, name } = given
  if (kind === 'text' || kind === 'thinking') return typeof words === 'string' ? { kind, text: words } : null
  return kind === 'tool-use' && typeof name === 'string' ? { kind, name: name.slice(0, 300) } : null
}
