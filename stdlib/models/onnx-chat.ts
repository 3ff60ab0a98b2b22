// ONNX chat: a conversation as the chat templates of models have it, and what a model's text means.
// Owns: both directions of the translation. Does not own: the template (the model's own), tokens (onnx-child.ts).
//   C1. A call of a tool is read in the three forms that models in use write: between `<tool_call>` tags (Hermes, Qwen, SmolLM), after `[TOOL_CALLS]` (Mistral),
//       and as a record that is the whole answer (Llama). What was meant as a call and is no JSON becomes a block with a problem.
//   C2. Words that the template knows as the turns of somebody else are taken apart in what a conversation holds: text is never a turn.
import type { ChatBlock, ChatMessage, ChatRequest, Value } from 'tek-lang/plugin'
import { readArguments } from './provider-facts.ts'

export interface TemplateMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
  readonly name?: string
  readonly tool_calls?: readonly { readonly type: 'function'; readonly id: string; readonly function: { readonly name: string; readonly arguments: Value } }[]
  readonly tool_call_id?: string
}

export interface TemplateTool {
  readonly type: 'function'
  readonly function: { readonly name: string; readonly description: string; readonly parameters: Value }
}

/** Calls read from one answer. */
const MAX_CALLS = 64

/** @param special the tokens that mean more than their letters. */
export function templateMessages({ system, messages, answer }: ChatRequest, special: readonly string[]): TemplateMessage[] {
  const words = [system, ...(answer === undefined ? [] : [`Answer with JSON alone, of this JSON Schema: ${JSON.stringify(answer.schema)}`])].filter(each => each !== '').join('\n\n')
  const plain = (text: string): string => takenApart(text, special) // C2
  return [...(words === '' ? [] : [{ role: 'system' as const, content: plain(words) }]), ...messages.flatMap(each => messagesOf(each, plain))]
}

export function templateTools({ tools, toolChoice }: ChatRequest): TemplateTool[] | null {
  if (tools.length === 0 || toolChoice === 'none') return null
  return tools.map(({ name, description, input }) => ({ type: 'function', function: { name, description, parameters: input } }))
}

function messagesOf({ role, content }: ChatMessage, plain: (text: string) => string): TemplateMessage[] {
  const text = plain(textOf(content))
  if (role === 'assistant') {
    const calls = content.flatMap(each => (each.kind === 'tool-use' ? [{ type: 'function' as const, id: each.id, function: { name: each.name, arguments: each.input ?? {} } }] : []))
    return [{ role, content: text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }]
  }
  const results = content.flatMap((each): TemplateMessage[] => (each.kind === 'tool-result' ? [{ role: 'tool', tool_call_id: each.id, content: `${each.isError ? 'Error: ' : ''}${plain(textOf(each.content))}` }] : []))
  return text === '' && results.length > 0 ? results : [...results, { role, content: text }]
}

const textOf = (content: readonly ChatBlock[]): string => content.flatMap(each => (each.kind === 'text' ? [each.text] : [])).join('')

/** C2. */
function takenApart(text: string, special: readonly string[]): string {
  let plain = text
  for (const token of special) if (token.length > 1 && plain.includes(token)) plain = plain.replaceAll(token, `${token[0]!} ${token.slice(1)}`)
  return plain
}

/** Some templates know no system prompt: it goes before the first question there. */
export function withoutSystem(messages: readonly TemplateMessage[]): TemplateMessage[] {
  const [first, second, ...rest] = messages
  if (first?.role !== 'system') return [...messages]
  return second?.role === 'user' ? [{ role: 'user', content: `${first.content}\n\n${second.content}` }, ...rest] : [{ role: 'user', content: first.content }, ...messages.slice(1)]
}

/**
 * What an answer means.
 *
 * @param text without the tokens that mean more than their letters; `raw`: with them.
 */
export function blocksOf(text: string, raw: string, mayCall: boolean): ChatBlock[] {
  const thought = /^\s*<think>([\s\S]*?)<\/think>\s*/.exec(text)
  const said = thought === null ? text : text.slice(thought[0].length)
  const blocks: ChatBlock[] = thought === null ? [] : [{ kind: 'thinking', text: thought[1]!.trim() }]
  const { calls, rest } = mayCall ? callsIn(said, raw) : { calls: [], rest: said }
  if (rest.trim() !== '') blocks.push({ kind: 'text', text: calls.length === 0 ? rest : rest.trim() })
  return [...blocks, ...calls.slice(0, MAX_CALLS).map((json, index) => callBlock(json, index))]
}

/** C1. */
function callsIn(said: string, raw: string): { readonly calls: readonly string[]; readonly rest: string } {
  const tagged = [...said.matchAll(/<tool_call>([\s\S]*?)(?:<\/tool_call>|$)/g)].map(([, json]) => json!.trim())
  if (tagged.length > 0) return { calls: tagged, rest: said.replace(/<tool_call>[\s\S]*?(?:<\/tool_call>|$)/g, '') }
  const marked = /\[TOOL_CALLS\]\s*(\[[\s\S]*)$/.exec(raw)?.[1]?.trim()
  if (marked !== undefined) {
    const list = readArguments(marked).input
    return { calls: Array.isArray(list) ? list.map(each => JSON.stringify(each)) : [marked], rest: '' }
  }
  const whole = readArguments(said.trim()).input
  return isCall(whole) ? { calls: [said.trim()], rest: '' } : { calls: [], rest: said }
}

function callBlock(json: string, index: number): ChatBlock {
  const id = `call_${index}`
  const read = readArguments(json)
  if (read.problem !== undefined) return { kind: 'tool-use', id, name: /"name"\s*:\s*"([\w-]{1,64})"/.exec(json)?.[1] ?? 'unknown', input: null, problem: read.problem }
  if (!isCall(read.input)) return { kind: 'tool-use', id, name: 'unknown', input: null, problem: 'it is no record with `name` and `arguments`' }
  const given = read.input.arguments ?? read.input.parameters ?? {}
  return { kind: 'tool-use', id, name: read.input.name, ...(typeof given === 'string' ? readArguments(given) : { input: given }) }
}

function isCall(value: Value): value is { readonly name: string; readonly arguments?: Value; readonly parameters?: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'name' in value && typeof value.name === 'string' && ('arguments' in value || 'parameters' in value)
}
