// Verdict: what can be said, before a run, of an action whose arguments are known only in part.
// Owns: proofs that a grant covers every value, or none. Does not own: finding out what is known (compiler/3-check), the decision at run time (guard).
//   V1. `inside`: whatever the unknown parts turn out to be, `matchesGrant` covers it. What no grant can cover is left aside, and is refused when it
//       comes up: a text that is no path or address at all (NUL, `..` after a wildcard, too long), a control file below a wildcard.
//   V2. `outside`: whatever they turn out to be, it does not.
//   V3. `unknown`: everything else. The working directory is not known either: a relative path and an absolute one are never compared.
import type { Grant, GrantParamKind } from '#model/capability.ts'
import { areDisjoint, Automaton, isContained } from './automaton.ts'
import { expandBraces } from './glob.ts'
import { parseHostPattern } from './host-pattern.ts'
import { argvOf, containsGrant, matchesGrant, type GrantKinds } from './match.ts'
import { anything, hasFresh, isWhole, type PartText, word } from './part-text.ts'
import { absoluteSegments, isControlFile, parsePathPattern, type PathPattern } from './path-pattern.ts'
import { pathAutomaton } from './pattern-automaton.ts'
import { hasWildcard, matchSegment } from './segment.ts'

export type Verdict = 'inside' | 'outside' | 'unknown'
/** `partly`: some of what a pattern stands for is covered, and some is provably not. */
type Cover = Verdict | 'partly'

/** An action whose arguments are known in part. */
export interface PartGrant {
  readonly name: string
  readonly args: readonly PartText[]
}

const MAX_TOKENS = 256
const MAX_TOKEN_LENGTH = 4_096
/** Places at which two texts are split into the start they share and what follows. */
const MAX_STARTS = 32

/**
 * What one level of authority says of an action.
 *
 * @param level grants whose arguments may hold the unknown parts of part-text.ts.
 * @example
 * verdictOf([{ name: 'fs.read', args: ['src/**'] }], { name: 'fs.read', args: [{ kind: 'exact', text: 'docs/a.md' }] }, () => ['path']) // 'outside'
 */
export function verdictOf(level: readonly Grant[], wanted: PartGrant, kindsOf: GrantKinds): Verdict {
  const kinds = kindsOf(wanted.name)
  const same = level.filter(grant => grant.name === wanted.name)
  const [only, more] = wanted.args
  if (only === undefined || more !== undefined || kinds?.[0] !== 'path' || only.kind === 'pattern' || !only.text.includes('{')) return ofLevel(same, wanted, kinds)
  const alternatives = expandBraces(only.text)
  if (alternatives === null) return 'unknown'
  if (alternatives.length === 1) return ofLevel(same, wanted, kinds)
  const each = alternatives.map(text => ofLevel(same, { name: wanted.name, args: [{ kind: only.kind, text }] }, kinds))
  if (only.kind === 'found') return together(each)
  const whole = ofLevel(same, wanted, kinds)
  if (each.every(one => one === 'inside') && (only.kind === 'glob' || whole === 'inside')) return 'inside'
  return whole === 'outside' && each.includes('outside') ? 'outside' : 'unknown'
}

/** One verdict for an action that is one of several: inside when all are, outside when all are. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const [first] = verdicts
  return first !== undefined && verdicts.every(each => each === first) ? first : 'unknown'
}

/** A single grant must cover it; several that each cover some of it prove nothing. */
function ofLevel(grants: readonly Grant[], wanted: PartGrant, kinds: readonly GrantParamKind[] | null): Verdict {
  let partly = 0
  let open = false
  for (const grant of grants) {
    const cover = ofGrant(grant, wanted, kinds)
    if (cover === 'inside') return 'inside'
    if (cover === 'partly') partly++
    else if (cover === 'unknown') open = true
  }
  return open || partly > 1 ? 'unknown' : 'outside'
}

function ofGrant(grant: Grant, wanted: PartGrant, kinds: readonly GrantParamKind[] | null): Cover {
  if (kinds === null) {
    const isSame = grant.args.length === wanted.args.length && wanted.args.every(({ text }, index) => text === grant.args[index] && !hasFresh(text))
    return isSame ? 'inside' : 'unknown'
  }
  if (wanted.name === 'mcp') return serverCover(grant, wanted)
  let all: Cover = 'inside'
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'argv') return both(all, argvCover(grant.args.slice(index), wanted.args.slice(index)))
    const [pattern, given] = [grant.args[index], wanted.args[index]]
    if (pattern === undefined || given === undefined) return grant.args.length === index && wanted.args.length === index ? all : 'outside'
    all = both(all, given.kind === 'tokens' ? 'unknown' : kind === 'path' ? pathCover(pattern, given) : kind === 'host' ? hostCover(pattern, given) : nameCover(pattern, given))
    if (all === 'outside') return 'outside'
  }
  return grant.args.length === kinds.length && wanted.args.length === kinds.length ? all : 'outside'
}

/** A server and its tool are known, or nothing is. */
function serverCover(grant: Grant, { name, args }: PartGrant): Cover {
  if (!args.every(({ text }) => isWhole(text)) || !grant.args.every(isWhole)) return 'unknown'
  return containsGrant(grant, { name, args: args.map(({ text }) => text) }) ? 'inside' : 'outside'
}

function both(a: Cover, b: Cover): Cover {
  for (const each of ['outside', 'unknown', 'partly'] as const) if (a === each || b === each) return each
  return 'inside'
}

const asPath: GrantKinds = () => ['path']
const asHost: GrantKinds = () => ['host']
const asName: GrantKinds = () => ['name']
const one = (text: string): Grant => ({ name: 'one', args: [text] })

// ── Paths ─────────────────────────────────────────────────────────────────────────────────────

function pathCover(pattern: string, given: PartText): Cover {
  if (hasFresh(pattern)) return 'unknown'
  const { text } = given
  if (isWhole(pattern) && isWhole(text)) return knownPath(pattern, given)
  if (isWhole(pattern) && onlyWords(text)) return knownPath(pattern, wordsAsWildcards(given))
  if (isWhole(pattern) && coversAll(pattern)) return 'inside'
  if (text === pattern) return 'inside'
  if (belowSameStart(pattern, given)) return 'inside'
  return haveOtherNames(pattern, given) ? 'outside' : 'unknown'
}

/**
 * Whether what is asked for always has another name than all that the pattern covers, in whatever folder: `${out}/a.json` and `${out}/*.csv`.
 * Only texts that are compared as they are written: what a pattern finds may be a link.
 */
function haveOtherNames(pattern: string, { kind, text }: PartText): boolean {
  const [wanted, given] = [pattern, text].map(each => each.slice(each.lastIndexOf('/') + 1)) as [string, string]
  if ((kind !== 'exact' && kind !== 'glob') || !isWhole(wanted) || !onlyWords(given)) return false
  if ([wanted, given].some(each => ['', '.', '..', '**'].includes(each)) || /[{},]/.test(given)) return false
  return isWhole(given) ? !matchSegment(wanted, given) : areDisjoint(pathAutomaton([wanted]), pathAutomaton([given.replaceAll(word, '?*')]))
}

const onlyWords = (text: string): boolean => isWhole(text.replaceAll(word, ''))

/** A number may stand for any run of characters but none (H3): never read as `**`. */
function wordsAsWildcards({ kind, text }: PartText): PartText {
  if (!text.includes(word)) return { kind, text }
  return { kind: kind === 'pattern' ? 'pattern' : 'found', text: text.replaceAll(word, '?*') }
}

/**
 * Whether both begin with the very same text up to a `/`, and what follows is known and covered: whatever the start turns out to be,
 * it leads to the same folder (and as a pattern covers itself).
 */
function belowSameStart(pattern: string, given: PartText): boolean {
  const [a, b] = [`${pattern}/`, `${given.text}/`]
  let shared = 0
  while (shared < a.length && a[shared] === b[shared] && !hasFresh(a.slice(shared, shared + 2))) shared++
  let tries = 0
  for (let slash = a.lastIndexOf('/', shared - 1); slash >= 0 && shared > 0 && tries < MAX_STARTS; slash = slash === 0 ? -1 : a.lastIndexOf('/', slash - 1)) {
    const [left, right] = [a.slice(slash + 1), b.slice(slash + 1)]
    if (!isWhole(left) || !onlyWords(right)) return false
    tries++
    if ([left, right].every(each => formOf(each)?.up === 0) && knownPath(`/${left}`, wordsAsWildcards({ ...given, text: `/${right}` })) === 'inside') return true
  }
  return false
}

interface PathForm {
  readonly isAbsolute: boolean
  /** Folders above the working directory where it begins. */
  readonly up: number
  readonly segments: readonly string[]
}

/** Null for what is no path (grants/path-pattern.ts, P1). */
function formOf(text: string): PathForm | null {
  const isAbsolute = text.startsWith('/')
  let up = 0
  let depth = 0
  if (!isAbsolute) {
    for (const segment of text.split('/')) {
      if (segment === '' || segment === '.') continue
      if (segment !== '..') depth++
      else if (depth > 0) depth--
      else up++
    }
  }
  const segments = absoluteSegments(text, `/${'\u{1}/'.repeat(up)}`)
  return segments === null ? null : { isAbsolute, up, segments }
}

/** The usual proof, without automata: all of a folder, and a pattern within it. */
function isBelow(outer: PathPattern, inner: PathPattern): boolean {
  return outer.rest.length === 1 && outer.rest[0] === '**' && outer.base.every((segment, index) => segment === inner.base[index])
}

/** The usual refusal: two folders of which neither lies in the other. */
function arePartedFolders(a: PathPattern, b: PathPattern): boolean {
  return a.base.some((segment, index) => index < b.base.length && segment !== b.base[index])
}

/** Whether a pattern is every absolute path, and so every path. */
function coversAll(pattern: string): boolean {
  const form = formOf(pattern)
  return form !== null && form.isAbsolute && form.segments.length > 0 && form.segments.every(each => each === '**')
}

function knownPath(pattern: string, { kind, text }: PartText): Cover {
  const [outer, inner] = [formOf(pattern), formOf(text)]
  if (outer === null) return 'outside'
  if (inner === null) return kind === 'found' || kind === 'pattern' ? 'unknown' : 'outside'
  // Whether a path is a control file is seen from the working directory: below it, from there.
  const isSteering = isControlFile(inner.segments) || inner.segments[0] === 'proc'
  const isSure = !inner.isAbsolute && inner.up === 0
  if (outer.isAbsolute !== inner.isAbsolute || outer.up !== inner.up) return coversAll(pattern) && !isSteering ? 'inside' : 'unknown'
  const cwd = `/${'\u{1}/'.repeat(inner.up + 1)}`.slice(0, -1)
  const isMatched = matchesGrant(one(pattern), one(text), cwd, asPath)
  const refused = isSure || !isSteering ? 'outside' : 'unknown'
  if (kind === 'exact' || (kind !== 'glob' && !hasWildcard(text))) return isMatched ? 'inside' : refused
  const [a, b] = [parsePathPattern(pattern, cwd), parsePathPattern(text, cwd)]
  if (a === null || b === null) return 'unknown'
  if (isBelow(a, b) || containsGrant(one(pattern), one(text), cwd, asPath)) return 'inside'
  if (kind === 'glob') return isMatched ? 'unknown' : refused
  if (arePartedFolders(a, b) || areDisjoint(pathAutomaton([...a.base, ...a.rest]), pathAutomaton([...b.base, ...b.rest]))) return refused
  return kind === 'pattern' && pattern.length + text.length < MAX_TOKEN_LENGTH ? 'partly' : 'unknown'
}

// ── Hosts and names ───────────────────────────────────────────────────────────────────────────

/** An address up to the end of its host: what follows changes no host. */
const hostPart = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]+[/?#\\]/i

function hostCover(pattern: string, { kind, text }: PartText): Cover {
  if (!isWhole(pattern) || kind === 'found') return 'unknown'
  const outer = parseHostPattern(pattern)
  if (outer === null) return 'outside'
  if (kind === 'pattern') {
    const inner = isWhole(text) ? parseHostPattern(text) : null
    if (inner === null) return 'unknown'
    if (containsGrant(one(pattern), one(text), undefined, asHost)) return 'inside'
    return inner.kind === 'exact' && outer.kind !== 'set' ? 'outside' : 'partly'
  }
  const known = isWhole(text) ? text : hostPart.exec(text)?.[0]
  if (known !== undefined && isWhole(known)) return matchesGrant(one(pattern), one(known), '/', asHost) ? 'inside' : 'outside'
  return outer.kind === 'any' && outer.port === '*' ? 'inside' : 'unknown'
}

function nameCover(pattern: string, { kind, text }: PartText): Cover {
  if (pattern === '*') return 'inside'
  if (kind === 'found' || hasFresh(pattern) || hasFresh(text)) return 'unknown'
  if (text === pattern && !isWhole(text)) return 'inside'
  if (!isWhole(pattern) || !isWhole(text)) return 'unknown'
  if (kind === 'pattern' && text === '*') return 'partly'
  if (pattern.includes('/') && text.includes('/')) {
    const [a, b] = [formOf(pattern), formOf(text)]
    if (a !== null && b !== null && (a.isAbsolute !== b.isAbsolute || a.up !== b.up)) return 'unknown'
    return matchesGrant(one(pattern), one(text), `/${'\u{1}/'.repeat((a?.up ?? 0) + 1)}`, asName) ? 'inside' : 'outside'
  }
  return pattern === text ? 'inside' : 'outside'
}

// ── Commands ──────────────────────────────────────────────────────────────────────────────────

function argvCover(patterns: readonly string[], given: readonly PartText[]): Cover {
  if (patterns.some(each => !isWhole(each))) return 'unknown'
  const outer = argvOf(patterns)
  if (outer === null) return 'outside'
  const isPattern = given.length > 0 && given.every(each => each.kind === 'pattern')
  if (isPattern && given.some(each => !isWhole(each.text))) return 'unknown'
  if (given.some(each => isWhole(each.text) && each.text.includes('\0'))) return 'outside'
  if (given.length > MAX_TOKENS || given.some(each => each.text.length > MAX_TOKEN_LENGTH)) return 'unknown'
  const inner = isPattern ? argvOf(given.map(each => each.text)) : tokensAutomaton(given)
  if (inner === null) return 'unknown'
  if (isContained(inner, outer)) return 'inside'
  if (areDisjoint(inner, outer)) return 'outside'
  return isPattern ? 'partly' : 'unknown'
}

/** Every command line that the tokens can become. */
function tokensAutomaton(given: readonly PartText[]): Automaton {
  const automaton = new Automaton()
  let at = automaton.start
  const step = (character: string): void => {
    const to = automaton.state()
    automaton.edge(at, { kind: 'is', character }, to)
    at = to
  }
  const anyText = (): void => {
    const loop = automaton.state()
    automaton.skip(at, loop)
    automaton.edge(loop, { kind: 'not', characters: '\0' }, loop)
    at = loop
  }
  for (const { kind, text } of given) {
    if (kind === 'tokens') {
      const [loop, end] = [automaton.state(), automaton.state()]
      automaton.skip(at, loop)
      automaton.edge(loop, { kind: 'is', character: '\0' }, end)
      automaton.edge(end, { kind: 'not', characters: '\0' }, end)
      automaton.skip(end, loop)
      at = loop
      continue
    }
    step('\0')
    for (const character of kind === 'exact' || kind === 'glob' ? text : anything) {
      if (isWhole(character)) step(character)
      else anyText()
    }
  }
  automaton.accepting.add(at)
  return automaton
}
