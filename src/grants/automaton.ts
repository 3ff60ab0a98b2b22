// Automaton: small nondeterministic automata over characters, whether all that one accepts another accepts too, whether both accept some text.
// Owns: states, edges, simulation, containment, overlap. Does not own: what patterns mean (path-pattern, argv-pattern).
//   A1. Containment is decided on the product of the inner automaton and the subsets of the outer, over the characters either names plus one that neither does.
//   A2. At most 5,000,000 steps are taken; beyond that the answer is "no" to containment, which refuses and never allows, and "no" to being disjoint.

const MAX_STEPS = 5_000_000
/** Stands for all characters that no edge names. */
const other = '\u{10FFFF}'

/** `is` one character, or any character `not` in a string. */
export type CharSet = { readonly kind: 'is'; readonly character: string } | { readonly kind: 'not'; readonly characters: string }

interface Edge {
  readonly on: CharSet
  readonly to: number
}

export class Automaton {
  readonly edges: Edge[][] = []
  readonly silent: number[][] = []
  readonly accepting = new Set<number>()
  readonly start = this.state()

  state(): number {
    this.edges.push([])
    this.silent.push([])
    return this.edges.length - 1
  }

  edge(from: number, on: CharSet, to: number): void {
    this.edges[from]!.push({ on, to })
  }

  /** A step that takes no character. */
  skip(from: number, to: number): void {
    this.silent[from]!.push(to)
  }

  /** All states reachable without a character, sorted. */
  closure(states: Iterable<number>): number[] {
    const reached = new Set(states)
    for (const state of reached) for (const next of this.silent[state]!) reached.add(next)
    return [...reached].sort((a, b) => a - b)
  }

  step(states: readonly number[], character: string): number[] {
    const next = new Set<number>()
    for (const state of states) for (const edge of this.edges[state]!) if (fits(edge.on, character)) next.add(edge.to)
    return this.closure(next)
  }

  accepts(text: string): boolean {
    let states = this.closure([this.start])
    for (const character of text) {
      if (states.length === 0) return false
      states = this.step(states, character)
    }
    return states.some(state => this.accepting.has(state))
  }

  alphabet(): Set<string> {
    const characters = new Set<string>()
    for (const edges of this.edges) {
      for (const { on } of edges) for (const each of on.kind === 'is' ? on.character : on.characters) characters.add(each)
    }
    return characters
  }
}

function fits(on: CharSet, character: string): boolean {
  return on.kind === 'is' ? on.character === character : !on.characters.includes(character)
}

/**
 * Whether every text that `inner` accepts is accepted by `outer` (A1, A2).
 */
export function isContained(inner: Automaton, outer: Automaton): boolean {
  const alphabet = [...new Set([...inner.alphabet(), ...outer.alphabet(), other])]
  const seen = new Set<string>()
  let steps = 0
  const queue: [number[], number[]][] = [[inner.closure([inner.start]), outer.closure([outer.start])]]
  while (queue.length > 0) {
    const [inside, outside] = queue.pop()!
    const key = `${inside.join()}|${outside.join()}`
    if (seen.has(key)) continue
    seen.add(key)
    steps += alphabet.length * (inside.length + outside.length)
    if (steps > MAX_STEPS) return false
    if (inside.some(state => inner.accepting.has(state)) && !outside.some(state => outer.accepting.has(state))) return false
    for (const character of alphabet) {
      const nextInside = inner.step(inside, character)
      if (nextInside.length > 0) queue.push([nextInside, outer.step(outside, character)])
    }
  }
  return true
}

/**
 * Whether no text is accepted by both (A1, A2).
 */
export function areDisjoint(a: Automaton, b: Automaton): boolean {
  const alphabet = [...new Set([...a.alphabet(), ...b.alphabet(), other])]
  const seen = new Set<string>()
  let steps = 0
  const queue: [number[], number[]][] = [[a.closure([a.start]), b.closure([b.start])]]
  while (queue.length > 0) {
    const [one, two] = queue.pop()!
    const key = `${one.join()}|${two.join()}`
    if (seen.has(key)) continue
    seen.add(key)
    steps += alphabet.length * (one.length + two.length)
    if (steps > MAX_STEPS) return false
    if (one.some(state => a.accepting.has(state)) && two.some(state => b.accepting.has(state))) return false
    for (const character of alphabet) {
      const next = a.step(one, character)
      const along = next.length === 0 ? [] : b.step(two, character)
      if (along.length > 0) queue.push([next, along])
    }
  }
  return true
}
