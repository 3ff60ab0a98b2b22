// Anthropic wire: requests and answers as the Messages API has them.
// Owns: both directions of the translation. Does not own: sending (anthropic.ts).
//   W1. Usage in a stream is cumulative: a later figure takes the place of an earlier one.
//   W2. A tool's arguments are put together here and read when the block ends; what is no JSON becomes a block with a problem, and the rest of the answer is kept.
//   W3. Without `message_stop` there is no answer.
//   W4. What is asked again with each turn is marked for the provider's cache.
import type Anthropic from '@anthropic-ai/sdk'
import { ModelFailure, type ChatBlock, type ChatDelta, type ChatMessage, type ChatReply, type ChatRequest, type ChatStop, type ChatUsage, type Value } from 'tek-lang/plugin'
import { AnswerLength, readArguments } from './provider-facts.ts'

/** Thinking below this is refused by the API. */
const LEAST_THINKING_TOKENS = 1_024
const MAX_BLOCKS = 1_000

type Body = Omit<Anthropic.MessageCreateParamsStreaming, 'stream'>

export function request(asked: ChatRequest, model: string): Body {
  return {
    ...countedRequest(asked, model), max_tokens: asked.maxTokens, cache_control: { type: 'ephemeral' }, // W4
  }
}

/** The part of a request that its tokens depend on. */
export function countedRequest(asked: ChatRequest, model: string): Pick<Body, 'model' | 'messages' | 'system' | 'tools' | 'tool_choice' | 'thinking' | 'output_config'> {
  const { system, messages, tools, toolChoice, answer, thinkingTokens } = asked
  return {
    model, messages: messages.map(message),
    ...(system === '' ? {} : { system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }] }),
    ...(tools.length === 0 ? {} : { tools: tools.map(({ name, description, input }) => ({ name, description, input_schema: input as unknown as Anthropic.Tool.InputSchema })) }),
    ...(toolChoice === undefined || tools.length === 0 ? {} : { tool_choice: { type: toolChoice === 'required' ? 'any' : toolChoice } }),
    ...(thinkingTokens === undefined ? {} : { thinking: thinking(model, thinkingTokens) }),
    ...(answer === undefined ? {} : { output_config: { format: { type: 'json_schema', schema: answer.schema } } }),
  }
}

/** Models up to 4.5 take a number of tokens; later ones decide for themselves. */
function thinking(model: string, tokens: number): Anthropic.ThinkingConfigParam {
  return /-4-[0-5](-|$)|-3-/.test(model) ? { type: 'enabled', budget_tokens: Math.max(LEAST_THINKING_TOKENS, tokens) } : { type: 'adaptive', display: 'summarized' }
}

function message({ role, content }: ChatMessage): Anthropic.MessageParam {
  return { role, content: content.map(block) }
}

function block(each: ChatBlock): Anthropic.ContentBlockParam {
  switch (each.kind) {
    case 'text':
      return { type: 'text', text: each.text }
    case 'image':
      return { type: 'image', source: { type: 'base64', media_type: each.mediaType, data: each.data } }
    case 'thinking': {
      const sealed = each.sealed ?? ''
      return sealed.startsWith('redacted:') ? { type: 'redacted_thinking', data: sealed.slice('redacted:'.length) } : { type: 'thinking', thinking: each.text, signature: sealed }
    }
    case 'tool-use': // arguments that could not be read go back as none: the tool's result says what was wrong
      return { type: 'tool_use', id: each.id, name: each.name, input: each.input ?? {} }
    case 'tool-result':
      return { type: 'tool_result', tool_use_id: each.id, is_error: each.isError, content: each.content.map(part => block(part) as Anthropic.TextBlockParam | Anthropic.ImageBlockParam) }
  }
}

const stops: Readonly<Record<string, ChatStop>> = {
  end_turn: 'done', tool_use: 'tool-use', max_tokens: 'max-tokens', model_context_window_exceeded: 'context-full', refusal: 'refusal', stop_sequence: 'stop-sequence',
}

interface Piece {
  block: ChatBlock
  json: string
  isOver: boolean
}

/** An answer while it comes. */
export class Answer {
  private readonly onDelta: (delta: ChatDelta) => void
  private readonly pieces = new Map<number, Piece>()
  private usage: { -readonly [Key in keyof ChatUsage]: number } = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, thinking: 0 }
  private model = ''
  private stop: string | null = null
  private readonly length = new AnswerLength()
  private isOver = false

  constructor(onDelta: (delta: ChatDelta) => void) {
    this.onDelta = onDelta
  }

  take(event: Anthropic.RawMessageStreamEvent): void {
    switch (event.type) {
      case 'message_start':
        this.model = event.message.model
        return this.count(event.message.usage)
      case 'content_block_start':
        return this.begin(event.index, event.content_block)
      case 'content_block_delta':
        return this.add(event.index, event.delta)
      case 'content_block_stop':
        return this.end(event.index)
      case 'message_delta':
        this.stop = event.delta.stop_reason
        return this.count(event.usage)
      case 'message_stop':
        this.isOver = true
    }
  }

  /** @throws {ModelFailure} `cut-off` when the end was not seen. // W3 */
  reply(requestId: string | undefined): ChatReply {
    if (!this.isOver || this.stop === null) throw new ModelFailure('cut-off', 'The answer ended in the middle.')
    const content = [...this.pieces].sort(([a], [b]) => a - b).map(([, { block: each }]) => each)
    return { content, stop: stops[this.stop] ?? 'other', usage: { ...this.usage }, model: this.model, ...(requestId === undefined ? {} : { requestId }) }
  }

  private begin(index: number, given: Anthropic.ContentBlock): void {
    if (this.pieces.size >= MAX_BLOCKS) throw new ModelFailure('bad-answer', `The answer has more than ${MAX_BLOCKS} blocks.`)
    const made = started(given)
    if (made === null) return // of a kind that was not asked for
    this.pieces.set(index, { block: made, json: '', isOver: false })
    if (made.kind === 'tool-use') this.onDelta({ kind: 'tool-use', name: made.name })
  }

  private add(index: number, delta: Anthropic.RawContentBlockDelta): void {
    const piece = this.pieces.get(index)
    if (piece === undefined) return
    const { block: held } = piece
    if (delta.type === 'text_delta' && held.kind === 'text') {
      piece.block = { ...held, text: held.text + this.length.within(delta.text) }
      this.onDelta({ kind: 'text', text: delta.text })
    } else if (delta.type === 'thinking_delta' && held.kind === 'thinking') {
      piece.block = { ...held, text: held.text + this.length.within(delta.thinking) }
      this.onDelta({ kind: 'thinking', text: delta.thinking })
    } else if (delta.type === 'signature_delta' && held.kind === 'thinking') piece.block = { ...held, sealed: (held.sealed ?? '') + this.length.within(delta.signature) }
    else if (delta.type === 'input_json_delta') piece.json += this.length.within(delta.partial_json)
  }

  /** W2. */
  private end(index: number): void {
    const piece = this.pieces.get(index)
    if (piece === undefined || piece.isOver) return
    piece.isOver = true
    if (piece.block.kind !== 'tool-use' || piece.json === '') return
    piece.block = { ...piece.block, ...readArguments(piece.json) }
  }

  /** W1. */
  private count(given: Anthropic.Usage | Anthropic.MessageDeltaUsage): void {
    const { usage } = this
    usage.input = given.input_tokens ?? usage.input
    usage.output = given.output_tokens ?? usage.output
    usage.cacheRead = given.cache_read_input_tokens ?? usage.cacheRead
    usage.cacheWrite = given.cache_creation_input_tokens ?? usage.cacheWrite
    usage.thinking = given.output_tokens_details?.thinking_tokens ?? usage.thinking
  }
}

function started(given: Anthropic.ContentBlock): ChatBlock | null {
  switch (given.type) {
    case 'text':
      return { kind: 'text', text: given.text }
    case 'thinking':
      return { kind: 'thinking', text: given.thinking, ...(given.signature === '' ? {} : { sealed: given.signature }) }
    case 'redacted_thinking':
      return { kind: 'thinking', text: '', sealed: `redacted:${given.data}` }
    case 'tool_use':
      return { kind: 'tool-use', id: given.id, name: given.name, input: given.input as Value }
    default:
      return null
  }
}
