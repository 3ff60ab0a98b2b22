// Pattern: regular expressions in time linear in the text, whoever wrote them.
// Owns: RE2 semantics for the question "is there a match?", and facts about what a pattern can match. Does not own: captures, replacing (stdlib).
//   R1. Time is O(text × pattern), usually O(text): a lazily built deterministic automaton over the pattern's states, forgotten when it grows past its limit.
//   R2. Text is read by code point. `^` and `$` are the ends of the text unless `(?m)`.
import { parsePattern, type CodeSet, type PatternNode } from './pattern-syntax.ts'

/** States of one pattern after its repetitions are unrolled. */
const MAX_PATTERN_STATES = 20_000
/** Deterministic states kept per pattern. */
const MAX_AUTOMATON_STATES = 1_000
const MAX_CACHED_PATTERNS = 500
const ASCII = 128

type Instruction =
  | { readonly op: 'set'; readonly set: CodeSet; next: number }
  | { readonly op: 'split'; a: number; b: number }
  | { readonly op: 'assert'; readonly what: Extract<PatternNode, { kind: 'assert' }>['what']; next: number }
  | { readonly op: 'match' }

/** What stands before a position: nothing, a line end, a word character, another. */
type Before = 0 | 1 | 2 | 3
const NOTHING = 0
const LINE_END = 1
const WORD_CHAR = 2
const OTHER = 3

interface State {
  /** Instructions reached, before empty moves; sorted. */
  readonly cores: readonly number[]
  readonly before: Before
  /** By ASCII code; undefined = not worked out yet. */
  readonly next: (State | undefined)[]
  end: boolean | undefined
}

const ACCEPT: State = { cores: [], before: OTHER, next: [], end: true }

class TooLarge extends Error {}

export class Pattern {
  private readonly program: Instruction[] = []
  private readonly start: number
  private states = new Map<string, State>()
  readonly node: PatternNode

  constructor(node: PatternNode) {
    this.node = node
    const last = this.emit({ op: 'match' })
    this.start = this.compile(node, last)
  }

  /** True when the text holds a match (anchor the pattern to match it whole). */
  test(text: string): boolean {
    let state = this.state([this.start], NOTHING)
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit < ASCII) state = state.next[unit] ??= this.step(state, unit)
      else {
        const code = text.codePointAt(index)!
        if (code > 0xffff) index++
        state = this.step(state, code)
      }
      if (state === ACCEPT) return true
    }
    return (state.end ??= this.closure(state, -1) === null)
  }

  private emit(instruction: Instruction): number {
    if (this.program.length >= MAX_PATTERN_STATES) throw new TooLarge() // R1
    return this.program.push(instruction) - 1
  }

  /** Built from the end: returns the entry of `node` followed by `next`. */
  private compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.emit({ op: 'set', set: node.set, next })
      case 'assert':
        return this.emit({ op: 'assert', what: node.what, next })
      case 'cat':
        return node.parts.reduceRight((after, part) => this.compile(part, after), next)
      case 'alt':
        return node.parts.map(part => this.compile(part, next)).reduce((a, b) => this.emit({ op: 'split', a, b }))
      case 'repeat': {
        let entry = next
        if (node.max === Infinity) {
          const loop = this.emit({ op: 'split', a: next, b: next })
          const split = this.program[loop] as { a: number }
          split.a = this.compile(node.part, loop)
          entry = loop
        } else for (let count = node.min; count < node.max; count++) entry = this.emit({ op: 'split', a: this.compile(node.part, entry), b: next })
        for (let count = 0; count < node.min; count++) entry = this.compile(node.part, entry)
        return entry
      }
    }
  }

  private state(cores: readonly number[], before: Before): State {
    const key = `${before}:${cores.join()}`
    let found = this.states.get(key)
    if (found === undefined) {
      if (this.states.size >= MAX_AUTOMATON_STATES) this.states = new Map() // R1
      found = { cores, before, next: [], end: undefined }
      this.states.set(key, found)
    }
    return found
  }

  private step(from: State, code: number): State {
    const reached = this.closure(from, code)
    if (reached === null) return ACCEPT
    const cores = new Set<number>([this.start])
    for (const index of reached) {
      const instruction = this.program[index]!
      if (instruction.op === 'set' && holds(instruction.set, code)) cores.add(instruction.next)
    }
    return this.state([...cores].sort((a, b) => a - b), code === 10 ? LINE_END : isWord(code) ? WORD_CHAR : OTHER)
  }

  /** The instructions reachable by empty moves between what was read and `code` (-1 = the end); null when one of them is the match. */
  private closure(from: State, code: number): Set<number> | null {
    const seen = new Set<number>()
    const open = [...from.cores]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (seen.has(index)) continue
      seen.add(index)
      const instruction = this.program[index]!
      if (instruction.op === 'match') return null
      if (instruction.op === 'split') open.push(instruction.a, instruction.b)
      else if (instruction.op === 'assert' && isTrue(instruction.what, from.before, code)) open.push(instruction.next)
    }
    return seen
  }
}

const isWord = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)

function isTrue(what: Extract<PatternNode, { kind: 'assert' }>['what'], before: Before, code: number): boolean {
  switch (what) {
    case 'begin':
      return before === NOTHING
    case 'end':
      return code === -1
    case 'line-begin':
      return before === NOTHING || before === LINE_END
    case 'line-end':
      return code === -1 || code === 10
    case 'word':
      return (before === WORD_CHAR) !== isWord(code)
    case 'not-word':
      return (before === WORD_CHAR) === isWord(code)
  }
}

function holds(set: CodeSet, code: number): boolean {
  let low = 0
  let high = set.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [from, to] = set[middle]!
    if (code < from) high = middle - 1
    else if (code > to) low = middle + 1
    else return true
  }
  return false
}

const cache = new Map<string, { readonly pattern: Pattern } | { readonly problem: string }>()

/**
 * The compiled pattern, or why the text is not one. Kept for the next time.
 *
 * @example
 * compilePattern('(?=a)') // { problem: 'looking ahead or behind is not possible in RE2' }
 */
export function compilePattern(text: string): { readonly pattern: Pattern } | { readonly problem: string } {
  let found = cache.get(text)
  if (found === undefined) {
    if (cache.size >= MAX_CACHED_PATTERNS) cache.clear()
    found = build(text)
    cache.set(text, found)
  }
  return found
}

function build(text: string): { readonly pattern: Pattern } | { readonly problem: string } {
  const parsed = parsePattern(text)
  if ('problem' in parsed) return parsed
  try {
    return { pattern: new Pattern(parsed.node) }
  } catch (error) {
    if (error instanceof TooLarge) return { problem: `it has more than ${MAX_PATTERN_STATES} states once its repetitions are written out` }
    throw error
  }
}

/** Whether `text` holds a match of `pattern`; null when that is no RE2 pattern. */
export function matches(pattern: string, text: string): boolean | null {
  const compiled = compilePattern(pattern)
  return 'problem' in compiled ? null : compiled.pattern.test(text)
}

export interface PatternFacts {
  /** True when a match always is the whole text. */
  readonly anchored: boolean
  /** Of a match, in code points; may be Infinity. */
  readonly maxLength: number
  /** Whether a match may hold a character of this class; errs towards true. */
  mayHold(characters: RegExp): boolean
  mayStartWith(character: string): boolean
}

/** What can be said about all texts a pattern matches; null when it is no RE2 pattern. */
export function patternFacts(text: string): PatternFacts | null {
  const compiled = compilePattern(text)
  if ('problem' in compiled) return null
  const { node } = compiled.pattern
  return {
    anchored: isAnchored(node, 'begin') && isAnchored(node, 'end'),
    maxLength: maxLength(node),
    mayHold: characters => someSet(node, set => mayMeet(set, characters)),
    mayStartWith: character => firsts(node).some(set => holds(set, character.codePointAt(0)!)),
  }
}

function isAnchored(node: PatternNode, what: 'begin' | 'end'): boolean {
  if (node.kind === 'assert') return node.what === what
  if (node.kind === 'alt') return node.parts.every(part => isAnchored(part, what))
  if (node.kind !== 'cat') return false
  const edge = what === 'begin' ? node.parts[0] : node.parts.at(-1)
  return edge !== undefined && isAnchored(edge, what)
}

function maxLength(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
      return 1
    case 'assert':
      return 0
    case 'cat':
      return node.parts.reduce((sum, part) => sum + maxLength(part), 0)
    case 'alt':
      return Math.max(0, ...node.parts.map(maxLength))
    case 'repeat': {
      const one = maxLength(node.part)
      return one === 0 ? 0 : one * node.max
    }
  }
}

function someSet(node: PatternNode, test: (set: CodeSet) => boolean): boolean {
  if (node.kind === 'set') return test(node.set)
  if (node.kind === 'assert') return false
  return node.kind === 'repeat' ? someSet(node.part, test) : node.parts.some(part => someSet(part, test))
}

/** Wider ranges are taken to hold anything. */
const MAX_EXAMINED_CODES = 2_000

function mayMeet(set: CodeSet, characters: RegExp): boolean {
  const size = set.reduce((sum, [low, high]) => sum + high - low + 1, 0)
  if (size > MAX_EXAMINED_CODES) return true
  return set.some(([low, high]) => {
    for (let code = low; code <= high; code++) if (characters.test(String.fromCodePoint(code))) return true
    return false
  })
}

/** The sets a match may begin with; after a part that may be empty, those of the next count too. */
function firsts(node: PatternNode): CodeSet[] {
  switch (node.kind) {
    case 'set':
      return [node.set]
    case 'assert':
      return []
    case 'repeat':
      return firsts(node.part)
    case 'alt':
      return node.parts.flatMap(firsts)
    case 'cat': {
      const out: CodeSet[] = []
      for (const part of node.parts) {
        out.push(...firsts(part))
        if (!mayBeEmpty(part)) break
      }
      return out
    }
  }
}

function mayBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false
    case 'assert':
      return true
    case 'repeat':
      return node.min === 0 || mayBeEmpty(node.part)
    case 'cat':
      return node.parts.every(mayBeEmpty)
    case 'alt':
      return node.parts.some(mayBeEmpty)
  }
}
