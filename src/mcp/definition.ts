// Definition: the servers that `.mcp.json` declares, in the form other tools use, with what tek asks beside it.
// Owns: reading that file strictly, what a definition's hash covers, how a definition is shown, `${NAME}`. Does not own: starting servers (connection.ts), files (found-servers.ts).
//   D1. What is not understood is refused with its place: a key with a typing mistake would otherwise be a setting that silently does not hold.
//   D2. The hash covers all of a definition, as it is written: `${NAME}` is part of it, the variable's value is not.
//   D3. A variable is written out only by the caller, who asks the guard first; what is shown never holds its value.
import { didYouMean } from '#base/did-you-mean.ts'
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'

export const MCP_FILE = '.mcp.json'
export const MAX_MCP_FILE_BYTES = 1_000_000
const MAX_SERVERS = 100
const MAX_WORDS = 1_000
const MAX_TEXT_LENGTH = 10_000

/** What tek asks of a definition beside what other tools read: the key `tek`, which they leave alone. */
export interface OwnSettings {
  /** Files that the server's own program is made of, as patterns: they come with the grant `mcp(…)`. */
  readonly reads: readonly string[]
  /** Tools whose result is a list of pieces (text, images, audio, resources) where the server gives no schema; of the others it is text. */
  readonly content: readonly string[]
  /** Tools that write although the server says that they only read. */
  readonly writes: readonly string[]
}

export type ServerDefinition =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly tek: OwnSettings }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly tek: OwnSettings }

/** Something wrong in the file: where, and what. */
export class DefinitionProblem extends Error {
  override readonly name = 'DefinitionProblem'
}

/** A name under which a server can be declared; it stands in grants and file names. */
export const isServerName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)

/**
 * The servers of a `.mcp.json`, by name.
 *
 * @throws {DefinitionProblem} D1
 * @example
 * readDefinitions('{"mcpServers": {"files": {"command": "node", "args": ["server.js"]}}}').get('files')!.kind // 'stdio'
 */
export function readDefinitions(text: string): ReadonlyMap<string, ServerDefinition> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new DefinitionProblem('it is not JSON')
  }
  const file = recordAt(json, 'the file')
  knownKeys(file, ['mcpServers'], 'the file')
  const servers = Object.entries(recordAt(file['mcpServers'], 'mcpServers'))
  if (servers.length > MAX_SERVERS) throw new DefinitionProblem(`it declares more than ${MAX_SERVERS} servers`)
  return new Map(servers.map(([name, value]) => {
    if (!isServerName(name)) throw new DefinitionProblem(`mcpServers.${JSON.stringify(name).slice(0, 80)}: a server's name is letters, digits, \`.\`, \`_\` and \`-\`, at most 64`)
    return [name, definition(recordAt(value, `mcpServers.${name}`), `mcpServers.${name}`)]
  }))
}

function definition(value: Record<string, unknown>, at: string): ServerDefinition {
  const type = value['type']
  if (type === 'sse') throw new DefinitionProblem(`${at}.type: the transport \`sse\` was given up by the protocol; use \`http\``)
  if (type !== undefined && !['stdio', 'http', 'streamable-http'].includes(type as string)) throw new DefinitionProblem(`${at}.type is neither \`stdio\` nor \`http\``)
  const isRemote = type === undefined ? value['url'] !== undefined : type !== 'stdio'
  const tek = ownSettings(value['tek'], `${at}.tek`)
  if (isRemote) {
    knownKeys(value, ['type', 'url', 'headers', 'tek'], at)
    const url = textAt(value['url'], `${at}.url`)
    if (!/^https?:\/\/[^/?#\s]+/.test(url) || url.includes('@')) throw new DefinitionProblem(`${at}.url is no address of a server: \`https://host/path\`, without a name and password`)
    if (/^https?:\/\/[^/]*\$\{/.test(url)) throw new DefinitionProblem(`${at}.url: a variable may not say which host is reached`)
    return { kind: 'http', url, headers: textsAt(value['headers'], `${at}.headers`), tek }
  }
  knownKeys(value, ['type', 'command', 'args', 'env', 'tek'], at)
  const command = textAt(value['command'], `${at}.command`)
  if (command === '' || command.includes('${')) throw new DefinitionProblem(`${at}.command is the name or path of a program, as it is`)
  return { kind: 'stdio', command, args: wordsAt(value['args'], `${at}.args`), env: textsAt(value['env'], `${at}.env`), tek }
}

function ownSettings(value: unknown, at: string): OwnSettings {
  if (value === undefined) return { reads: [], content: [], writes: [] }
  const record = recordAt(value, at)
  knownKeys(record, ['reads', 'content', 'writes'], at)
  return { reads: wordsAt(record['reads'], `${at}.reads`), content: wordsAt(record['content'], `${at}.content`), writes: wordsAt(record['writes'], `${at}.writes`) }
}

function recordAt(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new DefinitionProblem(`${at} is no object`)
}

function textAt(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new DefinitionProblem(`${at} is no text`)
  if (value.length > MAX_TEXT_LENGTH) throw new DefinitionProblem(`${at} is longer than ${MAX_TEXT_LENGTH} characters`)
  if (/[\0-\x1f\x7f]/.test(value)) throw new DefinitionProblem(`${at} holds a control character`)
  return value
}

function wordsAt(value: unknown, at: string): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > MAX_WORDS) throw new DefinitionProblem(`${at} is no list of texts`)
  return value.map((each, index) => textAt(each, `${at}[${index}]`))
}

function textsAt(value: unknown, at: string): Record<string, string> {
  if (value === undefined) return {}
  const entries = Object.entries(recordAt(value, at))
  if (entries.length > MAX_WORDS) throw new DefinitionProblem(`${at} holds more than ${MAX_WORDS} entries`)
  return Object.fromEntries(entries.map(([name, each]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_-]{0,199}$/.test(name)) throw new DefinitionProblem(`${at}: \`${name.slice(0, 40)}\` is no name`)
    return [name, textAt(each, `${at}.${name}`)]
  }))
}

/** D1. */
function knownKeys(value: Record<string, unknown>, keys: readonly string[], at: string): void {
  const unknown = Object.keys(value).find(key => !keys.includes(key))
  if (unknown === undefined) return
  const [near] = didYouMean(unknown, keys)
  throw new DefinitionProblem(`${at} has \`${unknown.slice(0, 80)}\`, which tek does not know${near === undefined ? `; it knows ${keys.join(', ')}` : `: did you mean \`${near}\`?`}`)
}

/** D2. */
export function definitionHash(definition: ServerDefinition): string {
  return sha256(canonicalJson(definition as unknown as Json))
}

/** What is started or reached, as a person reads it: a command line, or an address. // D3 */
export function shownDefinition(definition: ServerDefinition): string {
  if (definition.kind === 'http') return `${definition.url}${withNames(' with the header', Object.keys(definition.headers))}`
  const word = (text: string): string => (/^[^\s"'\\]+$/.test(text) ? text : JSON.stringify(text))
  return `${[definition.command, ...definition.args].map(word).join(' ')}${withNames(' with', Object.keys(definition.env))}`
}

const withNames = (words: string, names: readonly string[]): string => (names.length === 0 ? '' : `${words}${words.endsWith('header') && names.length > 1 ? 's' : ''} ${names.join(', ')}`)

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** Names of the variables that a definition mentions, in order. */
export function variablesOf(definition: ServerDefinition): string[] {
  const texts = definition.kind === 'http' ? [definition.url, ...Object.values(definition.headers)] : [...definition.args, ...Object.values(definition.env)]
  return [...new Set(texts.flatMap(text => [...text.matchAll(variable)].map(found => found[1]!)))].sort()
}

/** The definition with its variables written out; a name without a value, where the text gives none for that case (`${NAME:-else}`). */
export function withVariables(definition: ServerDefinition, values: ReadonlyMap<string, string>): ServerDefinition | { readonly missing: string } {
  let missing: string | null = null
  const expanded = (text: string): string => text.replace(variable, (_, name: string, standard: string | undefined) => {
    const value = values.get(name) ?? standard
    if (value === undefined) missing ??= name
    return value ?? ''
  })
  const all = (texts: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, expanded(text)]))
  const made: ServerDefinition = definition.kind === 'http'
    ? { ...definition, url: expanded(definition.url), headers: all(definition.headers) }
    : { ...definition, args: definition.args.map(expanded), env: all(definition.env) }
  return missing === null ? made : { missing }
}
