// ONNX folder: a directory with a model as the tools of Hugging Face write it, looked at before anything is loaded.
// Owns: where it is, which of its files are used, what they say of the model. Does not own: running it (onnx-child.ts).
//   D1. A relative path is beneath the folder in which the program runs, also where links lead; one that is anywhere else is written as an absolute path, for
//       whoever reads the program to see. The files in it lie in it, links followed: nothing else is read.
//   D2. What a file holds is never quoted: a program may name a folder that is no model.
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { ModelFailure } from 'tek-lang/plugin'

export interface OnnxFolder {
  /** Absolute, links followed. */
  readonly path: string
  /** Folder of the graph in it: `onnx`, or empty. */
  readonly subfolder: string
  /** Which of the graphs, by the numbers it calculates with. */
  readonly dtype: OnnxType
  /** Tokens of question and answer together; null: it does not say. */
  readonly contextTokens: number | null
  /** Whether its chat template has a place for tools. */
  readonly takesTools: boolean
}

/** In the order in which one is chosen where there are several: exact first, then small. */
const suffixes = { fp32: '', q8: '_quantized', int8: '_int8', uint8: '_uint8', q4: '_q4', fp16: '_fp16', q4f16: '_q4f16', bnb4: '_bnb4' } as const
export type OnnxType = keyof typeof suffixes

const NEEDED = ['config.json', 'tokenizer.json', 'tokenizer_config.json'] as const
const OPTIONAL = ['generation_config.json', 'chat_template.jinja'] as const
const MAX_SETTINGS_BYTES = 64 * 1_024 * 1_024
const MAX_FILES = 1_000
/** Where a model says how many tokens it holds, by the kinds of models. */
const CONTEXT_NAMES = ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_seq_len', 'max_sequence_length', 'seq_length'] as const

/**
 * Looks at the folder of a model.
 *
 * @param given as the program names it.
 * @param place absolute folder in which the program runs.
 * @throws {ModelFailure} `unknown-model` where it is no such folder.
 */
export async function lookAtFolder(given: string, place: string): Promise<OnnxFolder> {
  const refuse: (why: string) => never = why => { throw new ModelFailure('unknown-model', `\`${given.slice(0, 200)}\` is no folder of a model: ${why}.`) }
  const [root, path] = await Promise.all([realpath(place), realpath(resolve(place, given)).catch(() => refuse('there is nothing by that name'))])
  if (!isAbsolute(given) && !isWithin(root, path)) refuse('it leads out of the folder in which the program runs; such a one is named by its absolute path') // D1
  if (!(await stat(path)).isDirectory()) refuse('it is a file')
  const read = async (name: string): Promise<string | null> => {
    const at = await realpath(join(path, name)).catch(() => null)
    if (at === null) return null
    if (!isWithin(path, at)) refuse(`\`${name}\` is a link that leads out of it`) // D1
    const { size } = await stat(at)
    return size > MAX_SETTINGS_BYTES ? refuse(`\`${name}\` is larger than ${MAX_SETTINGS_BYTES / 1_048_576} MB`) : readFile(at, 'utf8')
  }
  const files = new Map(await Promise.all([...NEEDED, ...OPTIONAL].map(async name => [name, await read(name)] as const)))
  const missing = NEEDED.filter(name => files.get(name) === null)
  if (missing.length > 0) refuse(`${missing.map(each => `\`${each}\``).join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`)
  const settings = (name: 'config.json' | 'tokenizer_config.json'): Record<string, unknown> => asRecord(files.get(name)!) ?? refuse(`\`${name}\` holds no JSON record`)
  const [config, tokenizer] = [settings('config.json'), settings('tokenizer_config.json')]
  const template = files.get('chat_template.jinja') ?? templateOf(tokenizer['chat_template'])
  if (template === '') refuse('it has no chat template, so it takes no questions')
  return { path, ...(await graphIn(path, refuse)), contextTokens: contextOf(config), takesTools: /\btools\b/.test(template) }
}

async function graphIn(path: string, refuse: (why: string) => never): Promise<Pick<OnnxFolder, 'subfolder' | 'dtype'>> {
  for (const subfolder of ['onnx', '']) {
    const names = await readdir(join(path, subfolder)).catch((): string[] => [])
    if (names.length > MAX_FILES) refuse(`it has more than ${MAX_FILES} files`)
    for (const name of names.filter(each => /\.onnx(_data(_\d+)?)?$/.test(each))) {
      if (!isWithin(path, await realpath(join(path, subfolder, name)))) refuse(`\`${name}\` is a link that leads out of it`) // D1
    }
    const dtype = (Object.keys(suffixes) as OnnxType[]).find(each => names.includes(`model${suffixes[each]}.onnx`))
    if (dtype !== undefined) return { subfolder, dtype }
  }
  return refuse('it has no `model.onnx`, nor one of its smaller forms')
}

const isWithin = (folder: string, path: string): boolean => path === folder || !(relative(folder, path) === '..' || relative(folder, path).startsWith(`..${sep}`) || isAbsolute(relative(folder, path)))

/** D2. */
function asRecord(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** One text, or several by name. */
function templateOf(given: unknown): string {
  if (typeof given === 'string') return given
  if (Array.isArray(given)) return given.map((each: { readonly template?: unknown } | null) => (typeof each?.template === 'string' ? each.template : '')).join('\n')
  return ''
}

function contextOf(config: Record<string, unknown>): number | null {
  const inner = config['text_config']
  for (const from of [config, typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}]) {
    for (const name of CONTEXT_NAMES) {
      const value = from[name]
      if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    }
  }
  return null
}
