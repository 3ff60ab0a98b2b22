// OpenAI wire: requests and answers as the Chat Completions API has them, in the dialects of its servers.
// Owns: both directions of the translation, which forms there are of a request. Does not own: sending (openai.ts).
//   W1. Thinking is read where a server tells it (`reasoning_content`, `reasoning`), and never sent back: no server takes it.
//   W2. A tool's arguments are put together here and read at the end; what is no JSON becomes a block with a problem.
//   W3. Without a reason for its end there is no answer. Where tools are called, that is the reason, whatever the server calls it.
//   W4. Calls of tools without a number or a name of their own get one.
import type OpenAI from 'openai'
import { ModelFailure, type ChatBlock, type ChatDelta, type ChatMessage, type ChatReply, type ChatRequest, type ChatStop, type ChatUsage } from 'tek-lang/plugin'
import { AnswerLength, readArguments } from './provider-facts.ts'

type Body = Omit<OpenAI.Chat.ChatCompletionCreateParamsStreaming, 'stream'>
type Param = OpenAI.Chat.ChatCompletionMessageParam

const MAX_CALLS = 1_000

/** Which form of a request a server understands. */
export interface Dialect {
  readonly most: 'max_completion_tokens' | 'max_tokens'
  /** How an answer of a given shape is asked for; `words`: by the system prompt alone. */
  readonly answers: 'json_schema' | 'json_object' | 'words'
  /** Whether it may be asked to count tokens at the end of a stream. */
  readonly countsInStream: boolean
}

export function newest(isOpenAi: boolean): Dialect {
  return { most: isOpenAi ? 'max_completion_tokens' : 'max_tokens', answers: 'json_schema', countsInStream: true }
}

/** The next older form, by what a server says it does not understand; null when that is none of these. */
export function older(dialect: Dialect, says: string): Dialect | null {
  if (/max_completion_tokens/.test(says) && dialect.most === 'max_tokens') return { ...dialect, most: 'max_completion_tokens' }
  if (/max_completion_tokens/.test(says)) return { ...dialect, most: 'max_tokens' }
  if (/stream_options/.test(says) && dialect.countsInStream) return { ...dialect, countsInStream: false }
  if (/response_format|json_schema|json_object|guided|grammar/.test(says) && dialect.answers !== 'words') return { ...dialect, answers: dialect.answers === 'json_schema' ? 'json_object' : 'words' }
  return null
}

export function request(asked: ChatRequest, model: string, dialect: Dialect): Body {
  const { tools, toolChoice, answer, temperature, thinkingTokens, maxTokens } = asked
  const system = [asked.system, ...(answer === undefined || dialect.answers === 'json_schema' ? [] : [`Answer with JSON alone, of this JSON Schema: ${JSON.stringify(answer.schema)}`])].filter(each => each !== '').join('\n\n')
  return {
    model, messages: [...(system === '' ? [] : [{ role: 'system', content: system } as const]), ...asked.messages.flatMap(messages)], [dialect.most]: maxTokens,
    ...(tools.length === 0 ? {} : { tools: tools.map(({ name, description, input }) => ({ type: 'function' as const, function: { name, description, parameters: input as Record<string, unknown> } })) }),
    ...(toolChoice === undefined || tools.length === 0 ? {} : { tool_choice: toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(thinkingTokens === undefined ? {} : { reasoning_effort: thinkingTokens <= 2_000 ? 'low' : thinkingTokens <= 16_000 ? 'medium' : 'high' }),
    ...(dialect.countsInStream ? { stream_options: { include_usage: true } } : {}),
    ...(answer === undefined || dialect.answers === 'words' ? {} : {
      response_format: dialect.answers === 'json_object' ? { type: 'json_object' as const } : { type: 'json_schema' as const, json_schema: { name: answer.name, schema: answer.schema as Record<string, unknown>, strict: true } },
    }),
  }
}

/** One message here is several there: each result of a tool is its own. */
function messages({ role, content }: ChatMessage): Param[] {
  const text = content.flatMap(each => (each.kind === 'text' ? [each.text] : [])).join('')
  if (role === 'assistant') {
    const calls = content.flatMap(each => (each.kind === 'tool-use' ? [{ id: each.id, type: 'function' as const, function: { name: each.name, arguments: JSON.stringify(each.input ?? {}) } }] : []))
    return [{ role: 'assistant', content: text === '' && calls.length > 0 ? null : text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }]
  }
  const results: Param[] = content.flatMap(each => (each.kind === 'tool-result' ? [{ role: 'tool' as const, tool_call_id: each.id, content: resultText(each) }] : []))
  const shown = content.flatMap(each => (each.kind === 'tool-result' ? each.content.filter(part => part.kind === 'image') : each.kind === 'image' ? [each] : []))
  if (shown.length > 0) results.push({ role: 'user', content: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...shown.map(image)] }) // a tool's result takes no image
  else if (text !== '') results.push({ role: 'user', content: text })
  return results
}

function resultText({ content, isError }: Extract<ChatBlock, { kind: 'tool-result' }>): string {
  const text = content.flatMap(each => (each.kind === 'text' ? [each.text] : [])).join('\n')
  return isError ? `Error: ${text}` : text
}

function image({ mediaType, data }: Extract<ChatBlock, { kind: 'image' }>): OpenAI.Chat.ChatCompletionContentPartImage {
  return { type: 'image_url', image_url: { url: `data:${mediaType};base64,${data}` } }
}

const stops: Readonly<Record<string, ChatStop>> = { stop: 'done', length: 'max-tokens', tool_calls: 'tool-use', function_call: 'tool-use', content_filter: 'refusal' }

interface Call {
  id: string
  name: string
  json: string
}

/** An answer while it comes. */
export class Answer {
  private readonly onDelta: (delta: ChatDelta) => void
  private readonly calls = new Map<number, Call>()
  private text = ''
  private thinking = ''
  private refusal = ''
  private usage: ChatUsage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, thinking: 0 }
  private model = ''
  private stop: string | null = null
  private readonly length = new AnswerLength()

  constructor(onDelta: (delta: ChatDelta) => void) {
    this.onDelta = onDelta
  }

  take(chunk: OpenAI.Chat.ChatCompletionChunk): void {
    if (chunk.model) this.model = chunk.model
    if (chunk.usage) this.count(chunk.usage)
    const choice = chunk.choices?.[0]
    if (choice === undefined) return
    const delta = choice.delta as OpenAI.Chat.ChatCompletionChunk.Choice.Delta & { readonly reasoning_content?: string | null; readonly reasoning?: string | null }
    const thinking = delta?.reasoning_content ?? delta?.reasoning
    if (thinking) { // W1
      this.thinking += this.length.within(thinking)
      this.onDelta({ kind: 'thinking', text: thinking })
    }
    if (delta?.content) {
      this.text += this.length.within(delta.content)
      this.onDelta({ kind: 'text', text: delta.content })
    }
    if (delta?.refusal) this.refusal += this.length.within(delta.refusal)
    for (const call of delta?.tool_calls ?? []) this.add(call)
    if (choice.finish_reason) this.stop = choice.finish_reason
  }

  /** @throws {ModelFailure} `cut-off` when the end was not seen. // W3 */
  reply(requestId: string | undefined): ChatReply {
    if (this.stop === null) throw new ModelFailure('cut-off', 'The answer ended in the middle.')
    const content: ChatBlock[] = []
    if (this.thinking !== '') content.push({ kind: 'thinking', text: this.thinking })
    if (this.text !== '' || this.refusal !== '') content.push({ kind: 'text', text: this.text + this.refusal })
    for (const call of this.calls.values()) content.push(read(call))
    const stop = this.refusal !== '' ? 'refusal' : this.calls.size > 0 && this.stop !== 'length' ? 'tool-use' : (stops[this.stop] ?? 'other')
    return { content, stop, usage: this.usage, model: this.model, ...(requestId === undefined ? {} : { requestId }) }
  }

  private add(given: OpenAI.Chat.ChatCompletionChunk.Choice.Delta.ToolCall): void {
    const known = [...this.calls].find(([, each]) => given.id !== undefined && given.id !== '' && each.id === given.id)?.[0]
    const index = given.index ?? known ?? (given.function?.name ? this.calls.size : this.calls.size - 1) // W4
    let call = this.calls.get(index)
    if (call === undefined) {
      if (this.calls.size >= MAX_CALLS) throw new ModelFailure('bad-answer', `The answer calls more than ${MAX_CALLS} tools.`)
      this.calls.set(index, (call = { id: given.id || `call_${index}`, name: '', json: '' }))
    }
    if (given.function?.name && call.name === '') {
      call.name = this.length.within(given.function.name)
      this.onDelta({ kind: 'tool-use', name: call.name })
    }
    const piece: unknown = given.function?.arguments // some servers send the object itself
    if (typeof piece === 'string') call.json += this.length.within(piece)
    else if (piece !== undefined && piece !== null) call.json += this.length.within(JSON.stringify(piece))
  }

  private count({ prompt_tokens: prompt, completion_tokens: output, prompt_tokens_details: read, completion_tokens_details: wrote }: OpenAI.CompletionUsage): void {
    const cacheRead = read?.cached_tokens ?? 0
    this.usage = { input: Math.max(0, (prompt ?? 0) - cacheRead), output: output ?? 0, cacheRead, cacheWrite: 0, thinking: wrote?.reasoning_tokens ?? 0 }
  }
}

/** W2. */
function read({ id, name, json }: Call): ChatBlock {
  return { kind: 'tool-use', id, name, ...(json === '' ? { input: {} } : readArguments(json)) }
}
