// OpenAI protocol: a reply as the chunks of the Chat Completions API's stream.
import type { ChatBlock } from '#model/chat.ts'
import { inPieces, type Protocol } from './protocol-server.ts'

const stops = { done: 'stop', 'tool-use': 'tool_calls', 'max-tokens': 'length', 'context-full': 'length', refusal: 'content_filter', 'stop-sequence': 'stop', other: 'something_new' } as const
export const chunk = (delta: Record<string, unknown>, more: Record<string, unknown> = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'model-of-there', choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`
export const usageChunk = (usage: Record<string, unknown>): string => `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'model-of-there', choices: [], usage })}\n\n`
export const done = 'data: [DONE]\n\n'

export const openaiProtocol: Protocol = {
  pieces(script) {
    const length = script.kind === 'reply' ? (script.pieceLength ?? 7) : 7
    const out = [chunk({ role: 'assistant', content: '' })]
    if (script.kind === 'broken-arguments') out.push(...callChunks('call_0', script.name, script.text, 0, 5))
    else {
      let calls = 0
      for (const each of script.content) out.push(...blockChunks(each, length, () => calls++))
    }
    const stop = script.kind === 'reply' ? stops[script.stop] : script.kind === 'broken-arguments' ? 'tool_calls' : 'stop'
    const usage = script.kind === 'reply' ? script.usage : undefined
    out.push(chunk({}, { finish_reason: stop }))
    out.push(usageChunk({
      prompt_tokens: (usage?.input ?? 11) + (usage?.cacheRead ?? 0), completion_tokens: usage?.output ?? 22, total_tokens: 0,
      prompt_tokens_details: { cached_tokens: usage?.cacheRead ?? 0 }, completion_tokens_details: { reasoning_tokens: usage?.thinking ?? 0 },
    }))
    out.push(done)
    return out
  },
  error: (type, message) => JSON.stringify({ error: { message, type, param: null, code: type } }),
  streamError: (type, message) => `data: ${JSON.stringify({ error: { message, type, code: type } })}\n\n`,
}

function blockChunks(each: ChatBlock, length: number, nextCall: () => number): string[] {
  if (each.kind === 'text') return inPieces(each.text, length).map(content => chunk({ content }))
  if (each.kind === 'thinking') return inPieces(each.text, length).map(text => chunk({ reasoning_content: text }))
  if (each.kind === 'tool-use') return callChunks(each.id, each.name, JSON.stringify(each.input), nextCall(), length)
  throw new Error(`a model does not answer with ${each.kind}`)
}

function callChunks(id: string, name: string, json: string, index: number, length: number): string[] {
  return [
    chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
    ...inPieces(json, length).map(text => chunk({ tool_calls: [{ index, function: { arguments: text } }] })),
  ]
}
