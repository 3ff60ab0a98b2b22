// Anthropic protocol: a reply as the events of the Messages API's stream, version 2026-10-21.
import type { ChatBlock } from '#model/chat.ts'
import { inPieces, type Protocol } from './protocol-server.ts'

const stops = { done: 'end_turn', 'tool-use': 'tool_use', 'max-tokens': 'max_tokens', 'context-full': 'model_context_window_exceeded', refusal: 'refusal', 'stop-sequence': 'stop_sequence', other: 'something_new' } as const
const event = (data: { readonly type: string } & Record<string, unknown>): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

export const anthropicProtocol: Protocol = {
  pieces(script) {
    const content: readonly ChatBlock[] = script.kind === 'broken-arguments' ? [] : script.content
    const usage = script.kind === 'reply' ? script.usage : undefined
    const pieceLength = script.kind === 'reply' ? (script.pieceLength ?? 7) : 7
    const input = { input_tokens: usage?.input ?? 11, cache_read_input_tokens: usage?.cacheRead ?? 0, cache_creation_input_tokens: usage?.cacheWrite ?? 0 }
    const out = [
      event({ type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], model: 'claude-of-here', stop_reason: null, stop_sequence: null, usage: { ...input, output_tokens: 1 } } }),
      event({ type: 'ping' }),
    ]
    content.forEach((each, index) => out.push(...blockEvents(each, index, pieceLength)))
    if (script.kind === 'broken-arguments') {
      out.push(event({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'toolu_0', name: script.name, input: {} } }))
      for (const piece of inPieces(script.text, 5)) out.push(event({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: piece } }))
      out.push(event({ type: 'content_block_stop', index: 0 }))
    }
    const stop = script.kind === 'reply' ? stops[script.stop] : script.kind === 'broken-arguments' ? 'tool_use' : 'end_turn'
    out.push(event({ type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: usage?.output ?? 22, ...(usage?.thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: usage.thinking } }) } }))
    out.push(event({ type: 'message_stop' }))
    return out
  },
  error: (type, message) => JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_1' }),
  streamError: (type, message) => event({ type: 'error', error: { type, message } }),
}

function blockEvents(each: ChatBlock, index: number, length: number): string[] {
  const delta = (change: Record<string, unknown>): string => event({ type: 'content_block_delta', index, delta: change })
  const begun = (block: Record<string, unknown>): string => event({ type: 'content_block_start', index, content_block: block })
  const end = event({ type: 'content_block_stop', index })
  switch (each.kind) {
    case 'text':
      return [begun({ type: 'text', text: '' }), ...inPieces(each.text, length).map(text => delta({ type: 'text_delta', text })), end]
    case 'thinking':
      if (each.sealed?.startsWith('redacted:')) return [begun({ type: 'redacted_thinking', data: each.sealed.slice('redacted:'.length) }), end]
      return [begun({ type: 'thinking', thinking: '', signature: '' }), ...inPieces(each.text, length).map(thinking => delta({ type: 'thinking_delta', thinking })), delta({ type: 'signature_delta', signature: each.sealed ?? '' }), end]
    case 'tool-use':
      return [begun({ type: 'tool_use', id: each.id, name: each.name, input: {} }), ...inPieces(JSON.stringify(each.input), length).map(text => delta({ type: 'input_json_delta', partial_json: text })), end]
    default:
      throw new Error(`a model does not answer with ${each.kind}`)
  }
}
