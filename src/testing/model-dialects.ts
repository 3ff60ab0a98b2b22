// Model dialects: a request and an answer as the Messages API (Anthropic) and the Chat Completions API (OpenAI, Ollama, vLLM, llama.cpp, LM Studio) say them.
// Owns: both forms, streamed and whole. Does not own: sockets, limits, which answer is given (model-server.ts).
//   D1. What a client can tell from a real server by its behaviour alone is the same: pieces, order of events, codes of stops and errors.

/** What a model is asked, whatever the dialect. */
export interface ModelRequest {
  readonly dialect: 'anthropic' | 'openai'
  /** As the client names it. */
  readonly model: string
  readonly system: string
  /** The text of each message; results of tools included. */
  readonly messages: readonly { readonly role: string; readonly text: string }[]
  /** Names of the tools. */
  readonly tools: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** As it was sent. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What a model says: text, calls of tools, or both. */
export interface ModelWords {
  readonly text?: string
  readonly calls?: readonly { readonly name: string; readonly args: unknown }[]
  /** Default: `tool-use` where there are calls, otherwise `done`. */
  readonly stop?: 'done' | 'tool-use' | 'max-tokens' | 'refusal'
  /** Default: a token for four characters. */
  readonly tokens?: { readonly input: number; readonly output: number }
}

/** Characters of one piece of a stream. */
const PIECE_LENGTH = 16
const CHARACTERS_A_TOKEN = 4

interface Dialect {
  pieces(words: ModelWords, request: ModelRequest): string[]
  whole(words: ModelWords, request: ModelRequest): unknown
  error(status: number, message: string): unknown
}

type Fields = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isRecord) : [])

/** The text of a message or of a part of it, in either dialect. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return listOf(content).map(each => (typeof each['text'] === 'string' ? each['text'] : each['content'] === undefined ? '' : textOf(each['content']))).filter(text => text !== '').join('\n')
}

export function requestOf(dialect: ModelRequest['dialect'], body: Fields, headers: Readonly<Record<string, string>>): ModelRequest {
  const all = listOf(body['messages'])
  const system = dialect === 'anthropic' ? textOf(body['system']) : all.filter(each => each['role'] === 'system' || each['role'] === 'developer').map(each => textOf(each['content'])).join('\n')
  const said = all.filter(each => each['role'] !== 'system' && each['role'] !== 'developer')
  const tools = listOf(body['tools']).map(each => String((dialect === 'anthropic' ? each['name'] : isRecord(each['function']) ? each['function']['name'] : '') ?? ''))
  return { dialect, model: String(body['model'] ?? ''), system, messages: said.map(each => ({ role: String(each['role']), text: textOf(each['content']) })), tools, headers, body }
}

function inPieces(text: string): string[] {
  const characters = [...text]
  return Array.from({ length: Math.ceil(characters.length / PIECE_LENGTH) }, (_, at) => characters.slice(at * PIECE_LENGTH, (at + 1) * PIECE_LENGTH).join(''))
}

function tokensOf({ tokens, text = '', calls = [] }: ModelWords, { body }: ModelRequest): { input: number; output: number } {
  const count = (length: number): number => Math.max(1, Math.ceil(length / CHARACTERS_A_TOKEN))
  return tokens ?? { input: count(JSON.stringify(body['messages'] ?? '').length), output: count(text.length + (calls.length > 0 ? JSON.stringify(calls).length : 0)) }
}

const stopOf = ({ stop, calls = [] }: ModelWords): NonNullable<ModelWords['stop']> => stop ?? (calls.length > 0 ? 'tool-use' : 'done')

const anthropicStops = { done: 'end_turn', 'tool-use': 'tool_use', 'max-tokens': 'max_tokens', refusal: 'refusal' } as const
const anthropicErrors: Readonly<Record<number, string>> = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'not_found_error', 413: 'request_too_large',
  429: 'rate_limit_error', 529: 'overloaded_error',
}

const anthropic: Dialect = {
  whole(words, request) {
    const { input, output } = tokensOf(words, request)
    const calls = (words.calls ?? []).map(({ name, args }, at) => ({ type: 'tool_use', id: `toolu_${at + 1}`, name, input: args }))
    const content = [...(words.text === undefined ? [] : [{ type: 'text', text: words.text }]), ...calls]
    return { id: 'msg_1', type: 'message', role: 'assistant', model: request.model, content, stop_reason: anthropicStops[stopOf(words)], stop_sequence: null, usage: { input_tokens: input, output_tokens: output } }
  },
  pieces(words, request) {
    const { input, output } = tokensOf(words, request)
    const event = (data: { readonly type: string } & Fields): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
    const block = (index: number, begun: Fields, deltas: readonly Fields[]): string[] => [
      event({ type: 'content_block_start', index, content_block: begun }), ...deltas.map(delta => event({ type: 'content_block_delta', index, delta })), event({ type: 'content_block_stop', index }),
    ]
    const start = { id: 'msg_1', type: 'message', role: 'assistant', content: [], stop_reason: null, stop_sequence: null }
    const first = words.text === undefined ? 0 : 1
    return [
      event({ type: 'message_start', message: { ...start, model: request.model, usage: { input_tokens: input, output_tokens: 1 } } }),
      ...(words.text === undefined ? [] : block(0, { type: 'text', text: '' }, inPieces(words.text).map(text => ({ type: 'text_delta', text })))),
      ...(words.calls ?? []).flatMap(({ name, args }, at) => block(first + at, { type: 'tool_use', id: `toolu_${at + 1}`, name, input: {} }, inPieces(JSON.stringify(args)).map(text => ({ type: 'input_json_delta', partial_json: text })))),
      event({ type: 'message_delta', delta: { stop_reason: anthropicStops[stopOf(words)], stop_sequence: null }, usage: { output_tokens: output } }),
      event({ type: 'message_stop' }),
    ]
  },
  error: (status, message) => ({ type: 'error', error: { type: anthropicErrors[status] ?? 'api_error', message } }),
}

const openaiStops = { done: 'stop', 'tool-use': 'tool_calls', 'max-tokens': 'length', refusal: 'content_filter' } as const

const openai: Dialect = {
  whole(words, request) {
    const calls = (words.calls ?? []).map(({ name, args }, at) => ({ id: `call_${at + 1}`, type: 'function', function: { name, arguments: JSON.stringify(args) } }))
    const message = { role: 'assistant', content: words.text ?? null, ...(calls.length === 0 ? {} : { tool_calls: calls }) }
    return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: request.model, choices: [{ index: 0, message, finish_reason: openaiStops[stopOf(words)] }], usage: openaiUsage(words, request) }
  },
  pieces(words, request) {
    const chunk = (choices: readonly Fields[], more: Fields = {}): string => `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: request.model, choices, ...more })}\n\n`
    const delta = (change: Fields, finish: string | null = null): string => chunk([{ index: 0, delta: change, finish_reason: finish }])
    const calls = (words.calls ?? []).flatMap(({ name, args }, index) => [
      delta({ tool_calls: [{ index, id: `call_${index + 1}`, type: 'function', function: { name, arguments: '' } }] }),
      ...inPieces(JSON.stringify(args)).map(text => delta({ tool_calls: [{ index, function: { arguments: text } }] })),
    ])
    return [delta({ role: 'assistant', content: '' }), ...inPieces(words.text ?? '').map(content => delta({ content })), ...calls, delta({}, openaiStops[stopOf(words)]), chunk([], { usage: openaiUsage(words, request) }), 'data: [DONE]\n\n']
  },
  error: (status, message) => ({ error: { message, type: status === 429 ? 'rate_limit_exceeded' : status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null } }),
}

function openaiUsage(words: ModelWords, request: ModelRequest): Fields {
  const { input, output } = tokensOf(words, request)
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}

export const dialects: Readonly<Record<ModelRequest['dialect'], Dialect>> = { anthropic, openai }
