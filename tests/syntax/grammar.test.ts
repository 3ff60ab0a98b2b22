// Grammar: grammar/tek.ebnf, the parser, the examples and the editors' grammar say the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { KEYWORDS } from '#compiler/1-syntax/keywords.ts'
import { parse } from '#compiler/1-syntax/parse.ts'
import { TekParser } from '#compiler/1-syntax/parser.ts'
import { PUNCTUATION } from '#compiler/1-syntax/tokens.ts'
import { readGrammar, type Production } from './ebnf.ts'

const folder = new URL('../../grammar/', import.meta.url)
const rules = readGrammar()
const parser = new TekParser(true)
const productions = parser.getGAstProductions()

/** The names of the rules and the signs a production mentions. */
function mentions(production: Production, into = { rules: new Set<string>(), signs: new Set<string>() }): { rules: Set<string>; signs: Set<string> } {
  if (production.kind === 'rule') into.rules.add(production.name)
  else if (production.kind === 'sign') into.signs.add(production.text)
  else if (production.kind === 'sequence' || production.kind === 'choice') for (const part of production.parts) mentions(part, into)
  else if (production.kind === 'optional' || production.kind === 'many') mentions(production.part, into)
  return into
}

describe('grammar/tek.ebnf', () => {
  it('is a grammar Chevrotain finds no ambiguity in', () => {
    // The constructor has validated it; a faulty grammar throws there.
    expect(parser.errors).toEqual([])
  })

  it('has the rules of the parser, and no others', () => {
    expect([...rules.keys()].sort()).toEqual(Object.keys(productions).sort())
  })

  it('mentions in each rule the words and signs that the parser consumes there', () => {
    for (const [name, production] of rules) {
      const { signs } = mentions(production)
      const consumed = new Set<string>()
      const collect = (part: { definition?: unknown[]; terminalType?: { LABEL?: string; name: string }; nonTerminalName?: string }): void => {
        const label = part.terminalType?.LABEL
        if (label !== undefined && (KEYWORDS.has(label) || PUNCTUATION.has(label) || label === '_')) consumed.add(label)
        if (part.terminalType === undefined && part.nonTerminalName === undefined) part.definition?.forEach(each => collect(each as never))
      }
      collect(productions[name] as never)
      // A task's and a stage's head are one rule in the parser; only the order and number differ.
      if (name === 'stage') signs.forEach(each => ['by', '->'].includes(each) && signs.delete(each))
      if (name === 'template') consumed.forEach(each => each === '}' && consumed.delete(each))
      expect([...consumed].sort(), name).toEqual([...signs].sort())
    }
  })

  it('uses every rule, and every word of the table of keywords', () => {
    const used = { rules: new Set(['file']), signs: new Set<string>() }
    for (const production of rules.values()) mentions(production, used)
    expect([...used.rules].sort()).toEqual([...rules.keys()].sort())
    expect([...KEYWORDS.keys()].filter(word => !used.signs.has(word))).toEqual([])
    expect([...used.signs].filter(sign => /^[a-z]/.test(sign) && !KEYWORDS.has(sign))).toEqual([])
  })

  it('has one example per rule, each without errors', () => {
    expect(readdirSync(new URL('examples/', folder)).sort()).toEqual([...rules.keys()].map(name => `${name}.tek`).sort())
    for (const name of rules.keys()) {
      const path = new URL(`examples/${name}.tek`, folder)
      expect(existsSync(path)).toBe(true)
      expect(parse({ path: `${name}.tek`, text: readFileSync(path, 'utf8') }).diagnostics, name).toEqual([])
    }
  })
})

describe('grammar/tek.tmLanguage.json', () => {
  it('is what grammar/generate.mjs makes of the table of keywords', async () => {
    const { grammarText } = await import(new URL('generate.mjs', folder).href) as { grammarText: (keywords: typeof KEYWORDS) => string }
    expect(readFileSync(new URL('tek.tmLanguage.json', folder), 'utf8')).toBe(grammarText(KEYWORDS))
  })

  it('colours every keyword by its kind', () => {
    const grammar = JSON.parse(readFileSync(new URL('tek.tmLanguage.json', folder), 'utf8')) as { patterns: { name?: string; match?: string }[] }
    for (const [word] of KEYWORDS) {
      const hit = grammar.patterns.find(pattern => pattern.name !== undefined && pattern.match !== undefined && new RegExp(`^(?:${pattern.match})$`).test(word))
      expect(hit?.name, word).toMatch(/^(keyword|constant|storage)/)
    }
  })
})
