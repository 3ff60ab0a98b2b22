// Lookahead: the tables choose, for any two tokens, what Chevrotain's own paths through the grammar say.
import { Alternation, getLookaheadPaths, NonTerminal, Repetition, Terminal, tokenMatcher } from 'chevrotain'
import type { IProduction, IToken, Rule, TokenType } from 'chevrotain'
import { describe, expect, it } from 'vitest'
import { ASK_SECOND, Lookahead } from '#compiler/1-syntax/lookahead.ts'
import type { Choice, Occurrence } from '#compiler/1-syntax/lookahead.ts'
import { TekParser } from '#compiler/1-syntax/parser.ts'
import { TOKEN_TYPES } from '#compiler/1-syntax/tokens.ts'

const rules = new TekParser(true).getGAstProductions()
const lookahead = new Lookahead(rules)
const tokens = TOKEN_TYPES.filter(type => type.categoryMatches!.length === 0)

/** Every choice within a production. */
function choices(production: IProduction, into: Occurrence[] = []): Occurrence[] {
  if (production instanceof Terminal || production instanceof NonTerminal) return into
  const { definition, idx } = production as unknown as { definition: IProduction[]; idx?: number }
  const kind = production instanceof Alternation ? 'OR' : production instanceof Repetition ? 'MANY' : 'OPTION'
  if (idx !== undefined) into.push({ kind, number: idx })
  for (const each of definition) choices(each, into)
  return into
}

const types = { OR: 'Alternation', MANY: 'Repetition', OPTION: 'Option' } as const
const fits = (path: readonly TokenType[], pair: readonly TokenType[]): boolean =>
  path.every((type, index) => tokenMatcher({ tokenTypeIdx: pair[index]!.tokenTypeIdx } as IToken, type))

function wayByPaths(rule: Rule, { kind, number }: Occurrence): (pair: readonly TokenType[]) => number {
  const paths = getLookaheadPaths({ occurrence: number, rule, prodType: types[kind] as never, maxLookahead: 2 }) as unknown as TokenType[][][]
  const ways = kind === 'OR' ? paths : paths.slice(0, 1)
  return pair => ways.findIndex(way => way.some(path => fits(path, pair))) + 1
}

function wayByTable({ first, second }: Choice, [one, two]: readonly TokenType[]): number {
  const way = first[one!.tokenTypeIdx!]!
  return way === ASK_SECOND ? second.get(one!.tokenTypeIdx!)![two!.tokenTypeIdx!]! : way
}

describe('lookahead', () => {
  const all = Object.values(rules).flatMap(rule => rule.definition.flatMap(each => choices(each)).map(choice => ({ rule, choice, name: `${rule.name} ${choice.kind}${choice.number}` })))

  it('meets every kind of choice', () => expect(new Set(all.map(each => each.choice.kind)).size).toBe(3))

  it.each(all)('of $name', ({ rule, choice }) => {
    const [byPaths, table] = [wayByPaths(rule, choice), lookahead.choice(rule.name, choice)]
    const wrong: string[] = []
    for (const one of tokens) for (const two of tokens) if (byPaths([one, two]) !== wayByTable(table, [one, two])) wrong.push(`${one.name} ${two.name}`)
    expect(wrong).toEqual([])
  })
})
