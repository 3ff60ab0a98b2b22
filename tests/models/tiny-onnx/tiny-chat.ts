// Tiny chat: a folder with a real model of a few kilobytes that answers as it is told, for tests of what runs models on this machine.
// Owns: the graph, the tokenizer and the settings of a chat model whose next token depends on the last two. Does not own: the file format (onnx-graph.ts).
//   T1. An answer is a chain of tokens; which one begins is told by the last token before the turn of the assistant. Each token after it leads to the next.
//   T2. The token before the last is taken from the cache of the graph (`past_key_values`): a runtime that keeps it wrong gets another answer.
//   T3. Text is cut into bytes, but for the words of the answers and the cues: so the tokens of a text can be counted by hand.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onnxBytes, type Graph } from './onnx-graph.ts'

export interface TinyChat {
  /** The last words of a question, and the pieces of its answer. A piece that comes twice in a row goes on for ever. */
  readonly answers: Readonly<Record<string, readonly string[]>>
  /** The answer to everything else. */
  readonly otherwise?: readonly string[]
  readonly contextTokens?: number
  /** Whether its template has a place for tools; default yes. */
  readonly takesTools?: boolean
  /** More for its config.json. */
  readonly config?: Readonly<Record<string, unknown>>
}

export const END = '<|end|>'
const SPECIAL = [END, '<|system|>', '<|user|>', '<|assistant|>', '<|tool|>', '<|tools|>']
const TEMPLATE = `{%- if tools -%}<|tools|>{{ tools | tojson }}{%- endif -%}
{%- for message in messages -%}
{{- '<|' + message.role + '|>' -}}{{- message.content -}}
{%- if message.tool_calls -%}{%- for call in message.tool_calls -%}{{- '<tool_call>' + (call.function | tojson) + '</tool_call>' -}}{%- endfor -%}{%- endif -%}
{%- if message.role == 'assistant' -%}<|end|>{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}`
const WITHOUT_TOOLS = TEMPLATE.replace('{%- if tools -%}<|tools|>{{ tools | tojson }}{%- endif -%}\n', '')

/** The characters that stand for bytes in a byte-level vocabulary, in the order of the bytes. */
function byteCharacters(): string[] {
  const isShown = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isShown(byte) ? byte : next++))
}

/** Makes the folder of a model. */
export function makeTinyChat(folder: string, { answers, otherwise = ['I do ', 'not know.'], contextTokens = 4_096, takesTools = true, config = {} }: TinyChat): void {
  const letters = byteCharacters()
  const pieces = [...new Set([...Object.keys(answers), ...Object.values(answers).flat(), ...otherwise])].filter(each => each.length > 1)
  const tokens = [...SPECIAL, ...letters, ...pieces]
  const idOf = (token: string): number => (token.length === 1 ? SPECIAL.length + token.charCodeAt(0) : tokens.lastIndexOf(token))
  const none = tokens.length
  const afterOne = new Array<number>(tokens.length).fill(none)
  const afterTwo = new Array<number>(tokens.length).fill(idOf(otherwise[0]!))
  const chain = (parts: readonly string[]): void => {
    parts.forEach((part, index) => { afterOne[idOf(part)] = index + 1 < parts.length ? idOf(parts[index + 1]!) : parts[index - 1] === part ? idOf(part) : idOf(END) })
  }
  chain(otherwise)
  for (const [cue, parts] of Object.entries(answers)) {
    afterTwo[idOf(cue)] = idOf(parts[0]!) // T1
    chain(parts)
  }
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  writeFileSync(join(folder, 'onnx', 'model.onnx'), onnxBytes(graphOf(afterOne, afterTwo)))
  const write = (name: string, data: unknown): void => writeFileSync(join(folder, name), JSON.stringify(data))
  write('config.json', { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2', n_layer: 1, n_head: 1, n_embd: 1, n_positions: contextTokens, vocab_size: tokens.length, bos_token_id: 0, eos_token_id: 0, ...config })
  write('generation_config.json', { bos_token_id: 0, eos_token_id: 0, do_sample: true, temperature: 3 })
  const added = tokens.flatMap((content, id) => (id < SPECIAL.length || id >= SPECIAL.length + letters.length ? [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: id < SPECIAL.length }] : []))
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  write('tokenizer.json', {
    version: '1.0', truncation: null, padding: null, added_tokens: added, normalizer: null, pre_tokenizer: level, post_processor: null, decoder: level,
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
  })
  write('tokenizer_config.json', { tokenizer_class: 'GPT2Tokenizer', bos_token: END, eos_token: END, unk_token: END, model_max_length: contextTokens, chat_template: takesTools ? TEMPLATE : WITHOUT_TOOLS })
}

/** Scores of the next token: 100 for what follows the last, 10 for what follows the one before it. */
function graphOf(afterOne: readonly number[], afterTwo: readonly number[]): Graph {
  const numbers = (name: string, shape: readonly number[], data: readonly number[]) => ({ name, shape, data: BigInt64Array.from(data, BigInt) })
  const floats = (name: string, shape: readonly number[], data: readonly number[]) => ({ name, shape, data: Float32Array.from(data) })
  const cache = (name: string, length: string) => ({ name, type: 'float' as const, shape: ['batch_size', 1, length, 1] })
  return {
    inputs: [
      { name: 'input_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] }, { name: 'attention_mask', type: 'int64', shape: ['batch_size', 'total_sequence_length'] },
      cache('past_key_values.0.key', 'past_sequence_length'), cache('past_key_values.0.value', 'past_sequence_length'),
    ],
    outputs: [{ name: 'logits', type: 'float', shape: ['batch_size', 'sequence_length', afterOne.length] }, cache('present.0.key', 'total_sequence_length'), cache('present.0.value', 'total_sequence_length')],
    constants: [
      numbers('after_one', [afterOne.length], afterOne), numbers('after_two', [afterTwo.length], afterTwo), numbers('depth', [], [afterOne.length]), floats('strong', [2], [0, 100]), floats('weak', [2], [0, 10]),
      numbers('as_cache', [4], [1, 1, -1, 1]), numbers('as_ids', [2], [1, -1]), floats('before_all', [1, 1, 1, 1], [0]), numbers('one', [1], [1]), numbers('minus_one', [1], [-1]), numbers('axis', [1], [2]),
    ],
    nodes: [
      { op: 'Cast', inputs: ['input_ids'], outputs: ['ids'], ints: { to: 1 } }, { op: 'Reshape', inputs: ['ids', 'as_cache'], outputs: ['new'] },
      { op: 'Concat', inputs: ['past_key_values.0.key', 'new'], outputs: ['present.0.key'], ints: { axis: 2 } }, // T2
      { op: 'Concat', inputs: ['past_key_values.0.value', 'new'], outputs: ['present.0.value'], ints: { axis: 2 } },
      { op: 'Concat', inputs: ['before_all', 'present.0.key'], outputs: ['padded'], ints: { axis: 2 } },
      { op: 'Shape', inputs: ['input_ids'], outputs: ['length'], ints: { start: 1, end: 2 } }, { op: 'Add', inputs: ['length', 'one'], outputs: ['back'] }, { op: 'Neg', inputs: ['back'], outputs: ['from'] },
      { op: 'Slice', inputs: ['padded', 'from', 'minus_one', 'axis'], outputs: ['earlier'] }, { op: 'Reshape', inputs: ['earlier', 'as_ids'], outputs: ['earlier_row'] },
      { op: 'Cast', inputs: ['earlier_row'], outputs: ['earlier_ids'], ints: { to: 7 } },
      { op: 'Gather', inputs: ['after_one', 'input_ids'], outputs: ['next_one'] }, { op: 'OneHot', inputs: ['next_one', 'depth', 'strong'], outputs: ['score_one'] },
      { op: 'Gather', inputs: ['after_two', 'earlier_ids'], outputs: ['next_two'] }, { op: 'OneHot', inputs: ['next_two', 'depth', 'weak'], outputs: ['score_two'] },
      { op: 'Add', inputs: ['score_one', 'score_two'], outputs: ['logits'] },
    ],
  }
}
