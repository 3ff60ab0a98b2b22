// Lookahead: from the recorded grammar to the tables that say which way to go at a token.
// Owns: what may come first and second in a production. Does not own: when a table is asked (parser-engine.ts), the rules themselves.
//   H1. One token decides where it can; where the same word may begin two ways, the token after it does. The first way written wins.
//   H2. Tables are made when they are first asked: a small program pays for the few choices that it meets.
import { Alternation, Alternative, NonTerminal, Repetition, Terminal } from 'chevrotain'
import type { IProduction, Rule, TokenType } from 'chevrotain'
import { TOKEN_TYPES } from './tokens.ts'

/** Which way to go, by token: 0 for none, else 1 more than the index of the way. */
export interface Choice {
  readonly first: Uint8Array
  /** By the first token's index, for those of which `first` says `ASK_SECOND`: the way by the second token. */
  readonly second: ReadonlyMap<number, Uint8Array>
}

export const ASK_SECOND = 255

type Sequence = readonly IProduction[]

/** What a sequence may begin with; `empty` when it may be nothing at all. */
interface Starts {
  readonly types: Set<TokenType>
  empty: boolean
}

const SIZE = Math.max(...TOKEN_TYPES.map(type => type.tokenTypeIdx!)) + 1

/** A table with a 1 for each of the types; a category stands for all its types. */
export function tableOf(types: Iterable<TokenType>): Uint8Array {
  const table = new Uint8Array(SIZE)
  for (const type of types) for (const index of indicesOf(type)) table[index] = 1
  return table
}

function indicesOf(type: TokenType): readonly number[] {
  return [type.tokenTypeIdx!, ...type.categoryMatches ?? []]
}

/** How a production is named within its rule: its class and the number after its name (`MANY2`). */
export interface Occurrence {
  readonly kind: 'OR' | 'MANY' | 'OPTION'
  readonly number: number
}

export class Lookahead {
  private readonly startsOfRules = new Map<string, Starts>()
  private readonly rules: Readonly<Record<string, Rule>>

  constructor(rules: Readonly<Record<string, Rule>>) {
    this.rules = rules
  }

  /** The table of one `OR` (a way per alternative), or of one `MANY` or `OPTION` (the only way: into it). */
  choice(rule: string, { kind, number }: Occurrence): Choice {
    const found = find(this.rules[rule]!.definition, kind, number, [])
    if (found === null) throw new Error(`${rule} has no ${kind}${number}`)
    const { production, rest } = found
    if (kind === 'OR') return this.choose(definitionOf(production).map(definitionOf), Infinity)
    return this.choose([definitionOf(production), rest], 1)
  }

  /** The table of several ways; those from `ways` on are only there to be told apart from. */
  private choose(sequences: readonly Sequence[], ways: number): Choice {
    const starts = sequences.map(sequence => this.starts(sequence))
    const tables = starts.map(each => tableOf(each.types))
    const first = new Uint8Array(SIZE)
    const second = new Map<number, Uint8Array>()
    const sure: [TokenType, number][] = []
    starts.slice(0, ways).forEach(({ types }, way) => {
      for (const type of types) {
        const indices = indicesOf(type)
        const shared = tables.some((table, other) => other !== way && indices.some(index => table[index] === 1))
        if (shared) this.addSecond(second, indices, this.after(sequences[way]!, type), way)
        else sure.push([type, way])
      }
    })
    for (const index of second.keys()) first[index] = ASK_SECOND
    for (const [type, way] of sure) for (const index of indicesOf(type)) first[index] = way + 1
    // A way that may be nothing is taken where no other is begun.
    const nothing = starts.slice(0, ways).findIndex(each => each.empty)
    if (nothing >= 0) for (const table of [first, ...second.values()]) table.forEach((way, index) => { table[index] = way === 0 ? nothing + 1 : way })
    return { first, second }
  }

  private addSecond(second: Map<number, Uint8Array>, indices: readonly number[], after: Starts, way: number): void {
    const table = tableOf(after.types)
    for (const index of indices) {
      let row = second.get(index)
      if (row === undefined) second.set(index, row = new Uint8Array(SIZE))
      for (let next = 0; next < SIZE; next++) if (row[next] === 0 && (after.empty || table[next] === 1)) row[next] = way + 1
    }
  }

  private starts(sequence: Sequence): Starts {
    const all: Starts = { types: new Set(), empty: true }
    for (const production of sequence) {
      const own = this.startsOf(production)
      for (const type of own.types) all.types.add(type)
      if (own.empty) continue
      all.empty = false
      break
    }
    return all
  }

  private startsOf(production: IProduction): Starts {
    if (production instanceof Terminal) return { types: new Set([production.terminalType]), empty: false }
    if (production instanceof NonTerminal) {
      const name = production.nonTerminalName
      let known = this.startsOfRules.get(name)
      if (known === undefined) this.startsOfRules.set(name, known = this.starts(this.rules[name]!.definition))
      return known
    }
    if (!(production instanceof Alternation)) return { types: this.starts(definitionOf(production)).types, empty: true }
    const alternatives = definitionOf(production).map(each => this.starts(definitionOf(each)))
    return { types: new Set(alternatives.flatMap(each => [...each.types])), empty: alternatives.some(each => each.empty) }
  }

  /** What may follow `type` where a sequence begins with it; `empty` when the sequence may end there. */
  private after(sequence: Sequence, type: TokenType): Starts {
    const all: Starts = { types: new Set(), empty: false }
    sequence.every((production, index) => {
      const own = this.afterOf(production, type)
      for (const each of own.types) all.types.add(each)
      if (own.empty) {
        const next = this.starts(sequence.slice(index + 1))
        for (const each of next.types) all.types.add(each)
        all.empty ||= next.empty
      }
      return this.startsOf(production).empty
    })
    return all
  }

  private afterOf(production: IProduction, type: TokenType): Starts {
    if (production instanceof Terminal) return { types: new Set(), empty: production.terminalType === type }
    if (production instanceof NonTerminal) return this.after(this.rules[production.nonTerminalName]!.definition, type)
    if (production instanceof Alternation) {
      const ways = definitionOf(production).map(each => this.after(definitionOf(each), type))
      return { types: new Set(ways.flatMap(each => [...each.types])), empty: ways.some(each => each.empty) }
    }
    const inner = definitionOf(production)
    const once = this.after(inner, type)
    if (once.empty && production instanceof Repetition) for (const each of this.starts(inner).types) once.types.add(each)
    return once
  }
}

function definitionOf(production: IProduction): IProduction[] {
  return (production as unknown as { definition: IProduction[] }).definition
}

function kindOf(production: IProduction): Occurrence['kind'] | null {
  if (production instanceof Terminal || production instanceof NonTerminal || production instanceof Alternative) return null
  return production instanceof Alternation ? 'OR' : production instanceof Repetition ? 'MANY' : 'OPTION'
}

/** The production asked for, and all that may follow it within its rule. */
function find(sequence: Sequence, kind: Occurrence['kind'], number: number, rest: Sequence): { production: IProduction; rest: Sequence } | null {
  for (const [index, production] of sequence.entries()) {
    if (production instanceof Terminal || production instanceof NonTerminal) continue
    const after = [...sequence.slice(index + 1), ...rest]
    if (kindOf(production) === kind && (production as Alternation).idx === number) return { production, rest: after }
    const within = production instanceof Repetition ? [production, ...after] : after
    // An alternation holds its alternatives side by side: each has the same rest.
    const parts = production instanceof Alternation ? production.definition.map(definitionOf) : [definitionOf(production)]
    for (const part of parts) {
      const found = find(part, kind, number, within)
      if (found !== null) return found
    }
  }
  return null
}
