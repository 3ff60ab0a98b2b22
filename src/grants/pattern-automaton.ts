// Pattern automaton: path patterns and argv patterns as automata.
// Owns: what `*`, `?` and `**` mean there. Does not own: containment (automaton.ts).
//   Q1. A path is written `/part/part`; `**` is any number of whole parts; `*` and `?` stay inside a part.
//   Q2. A command line is written NUL token NUL token; `**` is any tokens whatever.
//   Q3. In a token a wildcard at its start is never a `-`: an option must be spelt (`--max=*`, `-?`) or allowed by `**`.
//   Q4. A token that is `*` alone is any one argument (Q3 aside); otherwise `*` and `?` never stand for `/`, and a part they touch is never `.` or `..`.
import { Automaton, type CharSet } from './automaton.ts'
import { hasWildcard } from './segment.ts'

const MAX_TOKENS = 256
const MAX_TOKEN_LENGTH = 4_096

interface PartRules {
  /** Characters no wildcard stands for. */
  readonly not: string
  /** Nor at the very start. */
  readonly notFirst: string
  readonly noDots: boolean
}

/** Path pattern from its segments (Q1). */
export function pathAutomaton(segments: readonly string[]): Automaton {
  const automaton = new Automaton()
  let at = automaton.start
  for (const segment of segments) {
    if (segment === '**') {
      const inside = automaton.state()
      const slash = automaton.state()
      automaton.edge(at, { kind: 'is', character: '/' }, slash)
      automaton.edge(slash, { kind: 'not', characters: '/' }, inside)
      automaton.edge(inside, { kind: 'not', characters: '/' }, inside)
      const end = automaton.state()
      automaton.skip(inside, at)
      automaton.skip(at, end)
      at = end
    } else {
      at = addPart(automaton, addCharacter(automaton, at, '/'), segment, { not: '/', notFirst: '/', noDots: true }, true)
    }
  }
  automaton.accepting.add(at)
  return automaton
}

/** Argv pattern from its tokens (Q2), or null when it is longer than any command needs. */
export function argvAutomaton(tokens: readonly string[]): Automaton | null {
  if (tokens.length > MAX_TOKENS || tokens.some(token => token.length > MAX_TOKEN_LENGTH)) return null
  const automaton = new Automaton()
  let at = automaton.start
  for (const token of tokens) {
    if (token === '**') {
      const inside = automaton.state()
      automaton.edge(at, { kind: 'is', character: '\0' }, inside)
      automaton.edge(inside, { kind: 'not', characters: '\0' }, inside)
      const end = automaton.state()
      automaton.skip(inside, at)
      automaton.skip(at, end)
      at = end
    } else {
      at = addToken(automaton, addCharacter(automaton, at, '\0'), token)
    }
  }
  automaton.accepting.add(at)
  return automaton
}

/** A concrete command line in the form the automaton reads. */
export function argvText(argv: readonly string[]): string {
  return argv.map(token => `\0${token}`).join('')
}

function addCharacter(automaton: Automaton, from: number, character: string): number {
  const to = automaton.state()
  automaton.edge(from, { kind: 'is', character }, to)
  return to
}

function addToken(automaton: Automaton, from: number, token: string): number {
  if (token === '*') return addPart(automaton, from, token, { not: '\0', notFirst: '\0-', noDots: false }, false)
  let at = from
  for (const [index, part] of token.split('/').entries()) { // Q4
    if (index > 0) at = addCharacter(automaton, at, '/')
    at = addPart(automaton, at, part, { not: '\0/', notFirst: index === 0 ? '\0/-' : '\0/', noDots: true }, false)
  }
  return at
}

/** What of a part has been read: nothing, `.`, `..`, or anything else. */
type Seen = 0 | 1 | 2 | 3

/** Adds one part. A state stands for a position in the pattern and for what was read, so that `.` and `..` can be left out. */
function addPart(automaton: Automaton, from: number, pattern: string, rules: PartRules, notEmpty: boolean): number {
  const end = automaton.state()
  const items = [...pattern]
  const wild = hasWildcard(pattern)
  const states = new Map<number, number>()
  const stateOf = (position: number, seen: Seen): number => {
    const key = position * 4 + seen
    let state = states.get(key)
    if (state === undefined) {
      state = automaton.state()
      states.set(key, state)
    }
    return state
  }
  automaton.skip(from, stateOf(0, 0))
  for (let position = 0; position < items.length; position++) {
    for (const seen of [0, 1, 2, 3] as const) {
      if (!states.has(position * 4 + seen)) continue
      const item = items[position]!
      if (item === '*') automaton.skip(stateOf(position, seen), stateOf(position + 1, seen))
      const next = item === '*' ? position : position + 1
      if (item === '*' || item === '?') addWildcard(automaton, stateOf(position, seen), seen, rules, after => stateOf(next, after))
      else automaton.edge(stateOf(position, seen), { kind: 'is', character: item }, stateOf(next, item === '.' && seen < 2 ? ((seen + 1) as Seen) : 3))
    }
  }
  for (const seen of [0, 1, 2, 3] as const) {
    const state = states.get(items.length * 4 + seen)
    const isDots = seen === 1 || seen === 2
    if (state !== undefined && !(isDots && wild && rules.noDots) && !(seen === 0 && notEmpty)) automaton.skip(state, end)
  }
  return end
}

function addWildcard(automaton: Automaton, from: number, seen: Seen, rules: PartRules, to: (seen: Seen) => number): void {
  const not = seen === 0 ? rules.notFirst : rules.not
  if (seen >= 2) return automaton.edge(from, { kind: 'not', characters: not }, to(3))
  const dot: CharSet = { kind: 'is', character: '.' }
  automaton.edge(from, dot, to((seen + 1) as Seen))
  automaton.edge(from, { kind: 'not', characters: `${not}.` }, to(3))
}
