// ONNX child: the process in which one model of this machine lives.
// Owns: loading, tokens, the words of an answer as they come, why it stopped. Does not own: when it is ended (onnx.ts), what its text means (onnx-chat.ts).
//   W1. Nothing is fetched: the library is told so, and this process's `fetch` refuses. Only the model's own folder is read.
//   W2. It answers one job after the other. Loading and each step block this process, and none but this. When tek is gone, so is it, once a step is over.
//   W3. Tokens are counted by the model's own tokenizer, the words of its template included.
//   W4. Without a temperature the likeliest token is taken each time, whatever the folder's own settings say: the same question gives the same answer.
import type { PreTrainedModel, PreTrainedTokenizer } from '@huggingface/transformers'
import { ModelFailure, type ChatFailureCode, type ChatReply, type ChatRequest } from 'tek-lang/plugin'
import { blocksOf, templateMessages, templateTools, withoutSystem, type TemplateMessage, type TemplateTool } from './onnx-chat.ts'
import type { OnnxAnswer, OnnxJob, OnnxStart } from './onnx-messages.ts'
import { missingLibrary } from './provider-facts.ts'

type Library = typeof import('@huggingface/transformers')
type Tokens = Record<string, unknown> & { readonly input_ids: { readonly dims: readonly number[] } }

interface WithAddedTokens {
  readonly _tokenizer: { get_added_tokens_decoder(): ReadonlyMap<number, { readonly content: string; readonly special: boolean }> }
}

/** A token written as models write where a turn begins or ends. */
const TURN_MARK = /^(<\|.*\|>|\[\/?[A-Z_]+\]|<\/?s>|<(start|end)_of_turn>)$/

const { folder, threads, usesGpu } = JSON.parse(process.argv[2]!) as OnnxStart
const say = (answer: OnnxAnswer): void => void process.send!(answer)

let library: Promise<Library> | null = null
let tokenizer: Promise<PreTrainedTokenizer> | null = null
let model: Promise<PreTrainedModel> | null = null

async function loadLibrary(): Promise<Library> {
  const loaded = await import('@huggingface/transformers').catch((error: unknown) => { throw Object.assign(missingLibrary('@huggingface/transformers'), { details: String(error).slice(0, 2_000) }) })
  const { env } = loaded
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, useFSCache: false, useBrowserCache: false, useWasmCache: false, fetch: refuseToFetch, logLevel: 50 }) // W1
  return loaded
}

const refuseToFetch = (): never => { throw new Error('nothing is fetched here') }
globalThis.fetch = refuseToFetch as unknown as typeof fetch // W1

const getLibrary = (): Promise<Library> => (library ??= loadLibrary())
const getTokenizer = (): Promise<PreTrainedTokenizer> => (tokenizer ??= getLibrary().then(({ AutoTokenizer }) => AutoTokenizer.from_pretrained(folder.path, { local_files_only: true })))
const getModel = (): Promise<PreTrainedModel> => (model ??= getLibrary().then(({ AutoModelForCausalLM }) => AutoModelForCausalLM.from_pretrained(folder.path, {
  local_files_only: true, subfolder: folder.subfolder, dtype: folder.dtype, device: usesGpu ? 'webgpu' : 'cpu', session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
})))

/** The question as the model's own tokens. // W3 */
async function tokensOf(request: ChatRequest): Promise<{ readonly inputs: Tokens; readonly count: number }> {
  const tokens = await loaded(getTokenizer())
  const messages = templateMessages(request, turnMarks(tokens))
  const tools = templateTools(request)
  const render = (of: TemplateMessage[], with_: TemplateTool[] | null): Tokens => tokens.apply_chat_template(of as never, { tools: with_, add_generation_prompt: true, return_dict: true } as never) as unknown as Tokens
  let inputs: Tokens
  try {
    inputs = render(messages, tools)
  } catch {
    try {
      inputs = render(withoutSystem(messages), tools)
    } catch (error) {
      throw new ModelFailure('bad-request', 'The chat template of the model does not take this conversation.', { details: String(error).slice(0, 2_000) })
    }
  }
  return { inputs, count: inputs.input_ids.dims[1]! }
}

/** Added tokens that are marked as special, or look like marks of turns. */
function turnMarks(tokens: PreTrainedTokenizer): string[] {
  const added = (tokens as unknown as WithAddedTokens)._tokenizer.get_added_tokens_decoder()
  return [...added.values()].filter(({ content, special }) => special || TURN_MARK.test(content)).map(({ content }) => content)
}

/** What does not load is no model; what a file holds is not quoted. */
async function loaded<Part>(part: Promise<Part>): Promise<Part> {
  try {
    return await part
  } catch (error) {
    if (error instanceof ModelFailure) throw error
    const because = usesGpu ? 'there is no graphics processor that it can use (`gpu: false`), or its files do not fit together' : 'its files do not fit together'
    throw new ModelFailure('unknown-model', `The model does not load: ${because}.`, { details: error instanceof SyntaxError ? 'a file that should hold JSON does not' : String(error).slice(0, 2_000) })
  }
}

async function ask(request: ChatRequest): Promise<ChatReply> {
  const { inputs, count } = await tokensOf(request)
  const room = folder.contextTokens === null ? Infinity : folder.contextTokens - count
  if (room < 1) throw new ModelFailure('context-full', `The question has ${count.toLocaleString('en')} tokens, and the model holds ${folder.contextTokens!.toLocaleString('en')}.`)
  const most = Math.min(request.maxTokens, room)
  const [{ TextStreamer }, tokens, network] = await Promise.all([getLibrary(), getTokenizer(), loaded(getModel())])
  const ids: number[] = []
  const streamer = new TextStreamer(tokens, {
    skip_prompt: true, callback_function: text => void (text !== '' && say({ kind: 'delta', text })), token_callback_function: more => void ids.push(...more.map(Number)),
  })
  const sampling = (request.temperature ?? 0) > 0 ? { do_sample: true, temperature: request.temperature! } : { do_sample: false } // W4
  await network.generate({ ...inputs, max_new_tokens: most, streamer, ...sampling } as never)
  const ends = endTokens(network, tokens)
  const isOver = ends.has(ids.at(-1) ?? -1)
  const words = isOver ? ids.slice(0, -1) : ids
  const decode = (skip: boolean): string => (words.length === 0 ? '' : tokens.decode(words, { skip_special_tokens: skip }))
  const content = blocksOf(decode(true), decode(false), request.tools.length > 0 && request.toolChoice !== 'none')
  const calls = isOver && content.some(each => each.kind === 'tool-use')
  return {
    content: isOver ? content : content.filter(each => each.kind !== 'tool-use'), stop: calls ? 'tool-use' : isOver ? 'done' : ids.length >= most ? (most < request.maxTokens ? 'context-full' : 'max-tokens') : 'other',
    usage: { input: count, output: ids.length, cacheRead: 0, cacheWrite: 0, thinking: 0 }, model: request.model,
  }
}

function endTokens(network: PreTrainedModel, tokens: PreTrainedTokenizer): ReadonlySet<number> {
  const given = [network.generation_config?.eos_token_id, (network.config as { readonly eos_token_id?: unknown }).eos_token_id, (tokens as { readonly eos_token_id?: unknown }).eos_token_id]
  return new Set(given.flat().filter(each => typeof each === 'number'))
}

async function doJob({ kind, request }: OnnxJob): Promise<void> {
  try {
    if (kind === 'count') say({ kind: 'counted', tokens: (await tokensOf(request)).count })
    else say({ kind: 'reply', reply: await ask(request) })
  } catch (error) {
    const known = error instanceof ModelFailure ? error : null
    const code: ChatFailureCode = known?.code ?? 'server'
    say({ kind: 'failure', code, message: known?.message ?? 'The model could not be run.', details: known?.details ?? String(error).slice(0, 2_000) })
  }
}

let last: Promise<void> = Promise.resolve()
process.on('message', job => { last = last.then(() => doJob(job as OnnxJob)) }) // W2
process.on('disconnect', () => process.exit()) // W2
