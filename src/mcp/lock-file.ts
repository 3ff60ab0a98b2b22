// Lock file: `tek.mcp.lock.json`, what was agreed of each server: how it is started or reached, and the tools it has.
// Owns: the form, its version, reading it strictly, the hash of an entry. Does not own: making entries (locked-tools.ts), what changed (lock-changes.ts).
//   L1. Canonical JSON, two spaces deep: the same servers give the same bytes, and a review shows one line for one change.
//   L2. A program is checked from this file alone; no server is started for it.
//   L3. An entry's hash covers everything in it. It is part of the plan: what was checked is what is run.
//   L4. A file that somebody edited is read like one that a stranger wrote: each part is checked, an entry that is no entry is a problem with a place.
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import type { JsonSchema } from '#types/json-schema.ts'
import { isServerName } from './definition.ts'

export const LOCK_FILE = 'tek.mcp.lock.json'
export const lockVersion = 1
export const MAX_LOCK_BYTES = 8_000_000
/** Tools of one server. */
export const MAX_TOOLS = 1_000

export interface LockedTool {
  /** As the server calls it. */
  readonly name: string
  /** As programs call it. */
  readonly as: string
  readonly doc: string
  readonly input: JsonSchema
  /** Absent: the server gives none. */
  readonly output?: JsonSchema
  /** What the value of a call is: what the server's schema says, all text of the answer, or its pieces. */
  readonly result: 'structured' | 'text' | 'content'
  readonly effect: 'read' | 'write'
}

export interface LockedServer {
  /** Hash of its definition. */
  readonly definition: string
  /** The command line or address, for people. */
  readonly shows: string
  /** Variables of the environment that the definition mentions. */
  readonly variables: readonly string[]
  /** Files its own program is made of. */
  readonly reads: readonly string[]
  /** Version of the protocol that both sides speak. */
  readonly protocol: string
  /** What the server says of itself. */
  readonly release: string
  readonly tools: readonly LockedTool[]
}

export type Lock = ReadonlyMap<string, LockedServer>

/** Something wrong in the file. */
export class LockProblem extends Error {
  override readonly name = 'LockProblem'
}

/** The file's text. // L1 */
export function writeLock(lock: Lock): string {
  const servers = Object.fromEntries([...lock].sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify(JSON.parse(canonicalJson({ version: lockVersion, servers } as unknown as Json)), null, 2)}\n`
}

/** L3. */
export function entryHash(server: LockedServer): string {
  return sha256(canonicalJson(server as unknown as Json))
}

/** @throws {LockProblem} L4 */
export function readLock(text: string): Lock {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new LockProblem('it is not JSON')
  }
  const file = record(json, 'the file')
  if (file['version'] !== lockVersion) throw new LockProblem(`its version is ${JSON.stringify(file['version']) ?? 'missing'}; this tek reads version ${lockVersion}`)
  return new Map(Object.entries(record(file['servers'], 'servers')).map(([name, value]) => {
    if (!isServerName(name)) throw new LockProblem(`servers.${name.slice(0, 80)} is no name of a server`)
    return [name, server(record(value, `servers.${name}`), `servers.${name}`)]
  }))
}

function server(value: Record<string, unknown>, at: string): LockedServer {
  const tools = list(value['tools'], `${at}.tools`).map((each, index) => tool(record(each, `${at}.tools[${index}]`), `${at}.tools[${index}]`))
  if (new Set(tools.map(each => each.as)).size !== tools.length) throw new LockProblem(`${at}.tools has two tools of one name`)
  return {
    definition: text(value['definition'], `${at}.definition`), shows: text(value['shows'], `${at}.shows`), variables: texts(value['variables'], `${at}.variables`),
    reads: texts(value['reads'], `${at}.reads`), protocol: text(value['protocol'], `${at}.protocol`), release: text(value['release'], `${at}.release`), tools,
  }
}

function tool(value: Record<string, unknown>, at: string): LockedTool {
  const as = text(value['as'], `${at}.as`)
  if (!/^[a-z][A-Za-z0-9_]{0,127}$/.test(as)) throw new LockProblem(`${at}.as is no name of a tool`)
  const [result, effect] = [value['result'], value['effect']]
  if (result !== 'structured' && result !== 'text' && result !== 'content') throw new LockProblem(`${at}.result is neither structured, text nor content`)
  if (effect !== 'read' && effect !== 'write') throw new LockProblem(`${at}.effect is neither read nor write`)
  if (result === 'structured' && value['output'] === undefined) throw new LockProblem(`${at}.output is missing`)
  return {
    name: text(value['name'], `${at}.name`), as, doc: text(value['doc'], `${at}.doc`), input: record(value['input'], `${at}.input`),
    ...(value['output'] === undefined ? {} : { output: record(value['output'], `${at}.output`) }), result, effect,
  }
}

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new LockProblem(`${at} is no object`)
}

function list(value: unknown, at: string): readonly unknown[] {
  if (Array.isArray(value) && value.length <= MAX_TOOLS) return value
  throw new LockProblem(`${at} is no list of at most ${MAX_TOOLS}`)
}

function text(value: unknown, at: string): string {
  if (typeof value === 'string') return value
  throw new LockProblem(`${at} is no text`)
}

const texts = (value: unknown, at: string): string[] => list(value, at).map((each, index) => text(each, `${at}[${index}]`))
