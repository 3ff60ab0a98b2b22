// Permits file: `tek.permits.yaml`, what programs of a folder may do, as text that people review.
// Owns: its form, reading with a place for every mistake, changing one entry and nothing else. Does not own: the disk (permits-store.ts), what is permitted (permit.ts).
//   F1. What cannot be read wholly is not used at all, and never written over.
//   F2. Order is stable: programs and grants that tek adds stand by their text, in code units; comments, order and the rest of what people wrote stay.
//   F3. Size and depth are bounded before the parser runs; duplicate keys, aliases and tags are refused.
import { Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair, parseDocument, Scalar, visit, YAMLMap, YAMLSeq } from 'yaml'
import { didYouMean } from '#base/did-you-mean.ts'
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { parseGrant, printGrant } from '#grants/grant-text.ts'
import { coreGrantNames } from '#grants/match.ts'
import type { Grant } from '#model/capability.ts'
import { endOf } from './expiry.ts'
import { nestingBound } from './nesting.ts'

export const permitsFileName = 'tek.permits.yaml'
export const permitsVersion = 1
export const MAX_FILE_BYTES = 1_000_000
const MAX_DEPTH = 64
const MAX_PROGRAMS = 10_000
const MAX_GRANTS = 10_000
const MAX_SHOWN_LENGTH = 100

/** `programs`: what `tek run` may do; `tests`: what `tek test` may. */
export type Section = 'programs' | 'tests'
export const sections: readonly Section[] = ['programs', 'tests']

/** What one program may do. */
export interface PermitEntry {
  readonly may: readonly Grant[]
  /** The day it was allowed, `2026-11-21`; null where somebody left it out. */
  readonly granted: string | null
  /** The last day, `2026-12-31`, or the moment, `2026-12-31T18:00:00Z`, until when it holds; null: it does not end. */
  readonly expires: string | null
  readonly because: string | null
}

export type Permits = Readonly<Record<Section, ReadonlyMap<string, PermitEntry>>>

export const noPermits: Permits = { programs: new Map(), tests: new Map() }

const header = [
  ' What the programs of this folder may do, as the people who ran them allowed it. It belongs in version control: review it like a lockfile.',
  ' tek adds to it only after asking. `tek permits` lists it, `tek permits revoke PROGRAM` takes a permit away, docs/permits.md tells all.',
].join('\n')

const options = { version: '1.2', schema: 'core', uniqueKeys: false, merge: false, prettyErrors: false, logLevel: 'error' } as const

class Wrong extends Error {
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/**
 * Reads the file's text.
 *
 * @returns null with the mistake's code and place: `permit/bad-file`, `permit/newer-file`, `permit/unknown-grant`.
 * @example
 * readPermits('version: 1\nprograms:\n  a.tek:\n    may: [fs.read("src/**")]\n').value?.programs.get('a.tek')?.may // [{ name: 'fs.read', args: ['src/**'] }]
 */
export function readPermits(text: string): { readonly value: Permits | null; readonly diagnostics: readonly Diagnostic[] } {
  try {
    return { value: entriesOf(parsed(text)), diagnostics: [] }
  } catch (error) {
    if (error instanceof Wrong) return { value: null, diagnostics: [error.diagnostic] }
    throw error
  }
}

function parsed(text: string): Document.Parsed {
  if (text.length > MAX_FILE_BYTES) throw bad(`it is longer than ${MAX_FILE_BYTES.toLocaleString('en')} characters`)
  if (nestingBound(text, MAX_DEPTH) > MAX_DEPTH) throw bad(`it is more than ${MAX_DEPTH} levels deep`) // F3
  const document = parseDocument(text, options)
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) throw bad(`it is not YAML (${problem.message.replace(/\s*\n[\s\S]*/, '').replace(/[.:]$/, '')})`, { range: problem.pos })
  visit(document, {
    Alias: (_, node) => { throw bad('an alias (`*name`) has no place in it', node) },
    Node: (_, node) => {
      if (!isAlias(node) && node.tag !== undefined && node.range) throw bad('a tag (`!name`) has no place in it', node)
    },
  })
  return document
}

interface Placed {
  readonly range?: readonly number[] | null | undefined
}

const placeOf = (node: Placed | null | undefined): { at: { path: string; start: number; end: number } } => ({
  at: { path: permitsFileName, start: node?.range?.[0] ?? 0, end: Math.max(node?.range?.[1] ?? 0, (node?.range?.[0] ?? 0) + 1) },
})

const bad = (reason: string, node?: Placed | null): Wrong => new Wrong(permitErrors['bad-file']({ reason }, node === undefined ? {} : placeOf(node)))

const cut = (text: string): string => (text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text)

/** The pairs of a map by their keys, which are text and stand once. */
function pairsOf(node: unknown, what: string): Map<string, Pair<Scalar, Node | null>> {
  if (!isMap(node)) throw bad(`${what} is no map of names`, node as Node)
  const pairs = new Map<string, Pair<Scalar, Node | null>>()
  for (const pair of node.items) {
    if (!isScalar(pair.key) || typeof pair.key.value !== 'string') throw bad(`a name in ${what} is not text`, isPair(pair) ? (pair.key as Node) : node)
    if (pairs.has(pair.key.value)) throw bad(`\`${cut(pair.key.value)}\` stands twice in ${what}`, pair.key)
    pairs.set(pair.key.value, pair as Pair<Scalar, Node | null>)
  }
  return pairs
}

function entriesOf(document: Document.Parsed): Permits {
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return noPermits
  const root = pairsOf(document.contents, 'the file')
  const version = root.get('version')?.value
  if (!isScalar(version) || !Number.isInteger(version.value)) throw bad(`it does not begin with \`version: ${permitsVersion}\``, version ?? document.contents)
  if ((version.value as number) !== permitsVersion) throw new Wrong(permitErrors['newer-file']({ version: String(version.value), known: permitsVersion }, placeOf(version)))
  for (const [name, { key }] of root) if (name !== 'version' && !sections.includes(name as Section)) throw bad(`it knows no \`${cut(name)}\`, only ${sections.map(each => `\`${each}\``).join(' and ')}`, key)
  const read = (section: Section): ReadonlyMap<string, PermitEntry> => {
    const node = root.get(section)?.value
    if (node === undefined || (isScalar(node) && node.value === null)) return new Map()
    const pairs = pairsOf(node, `\`${section}\``)
    if (pairs.size > MAX_PROGRAMS) throw bad(`\`${section}\` has more than ${MAX_PROGRAMS.toLocaleString('en')} programs`, node)
    return new Map([...pairs].map(([program, pair]) => [program, entryOf(program, pair)]))
  }
  return { programs: read('programs'), tests: read('tests') }
}

const fields = ['may', 'granted', 'expires', 'because']

function entryOf(program: string, pair: Pair<Scalar, Node | null>): PermitEntry {
  const what = `\`${cut(program)}\``
  const given = pairsOf(pair.value ?? pair.key, what)
  for (const [name, { key }] of given) {
    const near = didYouMean(name, fields)[0]
    if (!fields.includes(name)) throw bad(`${what} has no use for \`${cut(name)}\`${near === undefined ? '' : `; did you mean \`${near}\``}`, key)
  }
  const may = given.get('may')?.value
  if (!isSeq(may)) throw bad(`${what} needs a list of grants after \`may:\``, may ?? pair.key)
  if (may.items.length > MAX_GRANTS) throw bad(`${what} has more than ${MAX_GRANTS.toLocaleString('en')} grants`, may)
  const text = (name: string): { readonly value: string; readonly node: Scalar } | null => {
    const node = given.get(name)?.value
    if (node === undefined) return null
    if (!isScalar(node) || typeof node.value !== 'string') throw bad(`\`${name}\` of ${what} is not text`, node ?? given.get(name)!.key)
    return { value: node.value, node }
  }
  const date = (name: string): string | null => {
    const found = text(name)
    if (found !== null && endOf(found.value) === null) throw bad(`\`${name}\` of ${what} is no date such as 2026-12-31`, found.node)
    return found?.value ?? null
  }
  return { may: may.items.map(item => grantOf(item, what)), granted: date('granted'), expires: date('expires'), because: text('because')?.value ?? null }
}

function grantOf(node: unknown, what: string): Grant {
  if (!isScalar(node) || typeof node.value !== 'string') throw bad(`a grant of ${what} is not text`, node as Node)
  const grant = readGrant(node.value)
  if (typeof grant === 'string') throw new Wrong(permitErrors['unknown-grant']({ grant: cut(node.value), reason: grant }, placeOf(node)))
  return grant
}

/**
 * A grant from its text, or what is wrong with it. The grants of plugins are not known here: their names are taken as they are.
 *
 * @example
 * readGrant('exce("npm")') // 'there is none of that name; did you mean `exec`'
 */
export function readGrant(text: string): Grant | string {
  const grant = parseGrant(text)
  if (grant === null) return 'it is not a name with texts in brackets'
  const [module, more] = grant.name.split('.')
  const isCore = coreGrantNames.includes(grant.name)
  if (isCore || (more !== undefined && !coreGrantNames.some(name => name.startsWith(`${module}.`)))) return grant
  const near = didYouMean(grant.name, coreGrantNames)[0]
  return `there is none of that name${near === undefined ? '' : `; did you mean \`${near}\``}`
}

/** The text with one program's entry set: what was there is changed where it differs, and only there (F2). `text` is null for a new file. */
export function withEntry(text: string | null, section: Section, program: string, entry: PermitEntry): string {
  const document: Document = text === null ? new Document(null, options) : understood(text)
  if (text === null) document.commentBefore = header
  if (!isMap(document.contents)) document.contents = document.createNode({ version: permitsVersion }) as never
  const root = document.contents as unknown as YAMLMap
  let programs = root.get(section, true) as unknown
  if (!isMap(programs)) {
    programs = new YAMLMap()
    root.set(document.createNode(section), programs)
  }
  const map = programs as YAMLMap
  map.flow &&= map.items.length > 0
  let found = map.items.find(pair => isScalar(pair.key) && pair.key.value === program)?.value as unknown
  if (!isMap(found)) {
    found = document.createNode({ may: [] })
    ;((found as YAMLMap).get('may', true) as unknown as YAMLSeq).flow = false
    insertSorted(map.items, document.createPair(program, found), pair => String((pair.key as Scalar).value ?? pair.key))
  }
  const node = found as YAMLMap
  const wanted = new Map(entry.may.map(grant => [printGrant(grant), grant]))
  const may = node.get('may', true) as unknown as YAMLSeq<Scalar<string>>
  may.items = may.items.filter(item => wanted.delete(canonical(item.value)))
  for (const grant of wanted.keys()) insertSorted(may.items, document.createNode(grant) as Scalar<string>, item => canonical(item.value))
  may.flow &&= may.items.length > 0
  setText(document, node, 'granted', entry.granted)
  setText(document, node, 'expires', entry.expires)
  setText(document, node, 'because', entry.because)
  return printed(document, text)
}

/** The text without one program's entry. */
export function withoutEntry(text: string, section: Section, program: string): string {
  const document = understood(text)
  if (!document.hasIn([section, program])) return text
  document.deleteIn([section, program])
  const left = document.get(section)
  if (isMap(left) && left.items.length === 0) document.delete(section)
  return printed(document, text)
}

/** The document of a text that can be read; a throw is a bug of who did not look first (F1). */
function understood(text: string): Document.Parsed {
  const document = parsed(text)
  entriesOf(document)
  return document
}

function canonical(text: string): string {
  const grant = parseGrant(text)
  return grant === null ? text : printGrant(grant)
}

function insertSorted<Item>(items: Item[], item: Item, textOf: (item: Item) => string): void {
  const text = textOf(item)
  const at = items.findIndex(each => textOf(each) > text)
  items.splice(at < 0 ? items.length : at, 0, item)
}

/** A value that stays keeps its node, and with it its comment and its quotes. */
function setText(document: Document, map: YAMLMap, name: string, value: string | null): void {
  if (value === null) map.delete(name)
  else if (map.get(name) !== value) map.set(name, withCommentOf(map.get(name, true), document.createNode(value) as Scalar))
}

function withCommentOf(before: unknown, node: Scalar): Scalar {
  if (isScalar(before) && before.comment) node.comment = before.comment
  return node
}

function printed(document: Document, before: string | null): string {
  const text = document.toString({ lineWidth: 0 })
  return before?.includes('\r\n') ? text.replace(/\r?\n/g, '\r\n') : text
}
