// Shorten: a conversation that grows beyond what its model can hold gives up what its tools gave, the oldest first.
// Owns: when, how much, the words. Does not own: what a result is at first (talk.ts), the end where even this is too little (the provider says so).
//   S1. How much a conversation holds is what the model counted in its last turn; what came since is estimated. Where no model has counted, all of it is.
//   S2. Once there is too little room, more is made than is needed: most turns then leave what was said as it is, and a provider's cache of it stays good.
//   S3. The same conversation is shortened in the same way, whoever folds it.
import type { ChatBlock, ChatMessage, ChatRequest } from '#model/chat.ts'
import { fromOutside } from './outside-text.ts'
import { utf8Length } from './size.ts'

/** Bytes of text that make a token, about: few where room is needed, many where it is made. */
const FEW_BYTES_A_TOKEN = 3
const MANY_BYTES_A_TOKEN = 4
/** Of the room for a question, this much is filled when something had to go. */
const FILLED_AGAIN = 0.75
/** Characters that are left of a result. */
const LEFT_LENGTH = 300
/** Shorter results are left as they are. */
const LEAST_LENGTH = 1_000
/** As `fromOutside` begins and ends. */
const OUTSIDE = '⟦outside '
const OUTSIDE_END = '\n⟦/outside '

export interface Room {
  /** Tokens of question and answer together. */
  readonly contextTokens: number
  readonly answerTokens: number
  /** Of question and answer of the last turn, as the model counted them; 0: it did not. */
  readonly countedTokens: number
  /** Messages that were counted. */
  readonly counted: number
}

/** The messages of a request, with results shortened where it would not fit; the very same where nothing needs to go. */
export function fitted(messages: readonly ChatMessage[], rest: Pick<ChatRequest, 'system' | 'tools'>, { contextTokens, answerTokens, countedTokens, counted }: Room): readonly ChatMessage[] {
  const room = contextTokens - answerTokens
  const about = countedTokens > 0 ? countedTokens + tokensOf(messages.slice(counted)) : tokensOf([rest, messages]) // S1
  if (about <= room) return messages
  let toSave = about - Math.max(0, room * FILLED_AGAIN) // S2
  return messages.map(message => {
    if (toSave <= 0 || !message.content.some(isLong)) return message
    const content = message.content.map(block => {
      if (toSave <= 0 || !isLong(block)) return block
      const short = shortened(block)
      toSave -= (utf8Length(JSON.stringify(block)) - utf8Length(JSON.stringify(short))) / MANY_BYTES_A_TOKEN
      return short
    })
    return { ...message, content }
  })
}

const tokensOf = (what: unknown): number => Math.ceil(utf8Length(JSON.stringify(what)) / FEW_BYTES_A_TOKEN)

type Result = Extract<ChatBlock, { kind: 'tool-result' }>

function isLong(block: ChatBlock): block is Result {
  return block.kind === 'tool-result' && block.content.reduce((sum, each) => sum + (each.kind === 'text' ? each.text.length : each.data.length), 0) >= LEAST_LENGTH
}

function shortened(block: Result): Result {
  const text = block.content.map(each => (each.kind === 'text' ? each.text : '(an image)')).join('\n')
  const isOutside = text.startsWith(OUTSIDE)
  const own = isOutside ? text.slice(text.indexOf('\n') + 1, text.lastIndexOf(OUTSIDE_END)) : text
  const left = `${own.slice(0, LEFT_LENGTH)}\n… shortened to make room: ${(own.length - LEFT_LENGTH).toLocaleString('en')} characters left out; call the tool again for them …`
  return { ...block, content: [{ kind: 'text', text: isOutside ? fromOutside(left) : left }] }
}
