// Property: what holds for any text, and for any program of the grammar.
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AstNode, Module } from '#compiler/1-syntax/ast.ts'
import { cut } from '#compiler/1-syntax/cut.ts'
import { format } from '#compiler/1-syntax/format.ts'
import { lex } from '#compiler/1-syntax/lexer.ts'
import { parse } from '#compiler/1-syntax/parse.ts'
import { children } from '#compiler/1-syntax/visit.ts'
import { randomNumbers, readGrammar, sentence } from './ebnf.ts'

const at = (folder: string): string => new URL(folder, import.meta.url).pathname
const filesIn = (folder: string): string[] => readdirSync(at(folder)).filter(name => name.endsWith('.tek')).map(name => readFileSync(at(folder) + name, 'utf8'))
const programs = [...filesIn('./samples/'), ...filesIn('../../grammar/examples/')]
const rules = readGrammar()

/** The tree without places, held-open spans and spelling of layout: what must survive formatting. */
function shape(module: Module): unknown {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'start' && key !== 'end').map(([key, each]) => [key, strip(each)]))
  }
  return module.items.map(item => strip(item.declaration))
}

function comments(text: string): string[] {
  return lex(text).comments.map(comment => comment.text.trimEnd())
}

function checkFormat(text: string): void {
  const before = parse({ path: 'a.tek', text })
  expect(before.diagnostics, text).toEqual([])
  const once = format({ path: 'a.tek', text })
  const after = parse({ path: 'a.tek', text: once.value })
  expect(after.diagnostics, once.value).toEqual([])
  expect(shape(after.value), once.value).toEqual(shape(before.value))
  expect(comments(once.value), once.value).toEqual(comments(text))
  expect(format({ path: 'a.tek', text: once.value }).value).toBe(once.value)
}

function checkSpans(module: Module, text: string): void {
  const check = (node: AstNode, start: number, end: number): void => {
    expect(node.start).toBeGreaterThanOrEqual(start)
    expect(node.end).toBeLessThanOrEqual(end)
    expect(node.end).toBeGreaterThanOrEqual(node.start)
    for (const child of children(node)) check(child, 0, end)
  }
  for (const { offset, declaration } of module.items) check(declaration, 0, text.length - offset)
}

const fragments = ['workflow', 'task ', ' = ', '{', '}', '(', ')', '[', ']', '"', '"""', '${', '\n', '\nconst x = ', '\nworkflow f() {\n', '// c\n', '/*', '*/', ',', ' if ', ' then ', ' else ',
  'match x {', '=>', '|>', '..', '5min', '$', '\\', "'", ';', 'for x in xs', ' by ', 'retry 3', '->', ': ', '?', '.', 'r"', 'on ', 'use ', 'prompt ', '_', '1', '-', 'not ', '\u0000', '\ud800', 'ß', '///d\n', '\r\n']

describe('any text', () => {
  it('parses without throwing, with spans inside the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom(...fragments), { maxLength: 40 }).map(parts => parts.join(''))), text => {
      const { value, diagnostics } = parse({ path: 'a.tek', text })
      checkSpans(value, text)
      for (const { at } of diagnostics) {
        expect(at!.start).toBeGreaterThanOrEqual(0)
        expect(at!.end).toBeLessThanOrEqual(text.length + 1)
      }
      format({ path: 'a.tek', text })
    }), { numRuns: 3000, seed: 7 })
  })

  it('parses without throwing when characters of a program are lost or doubled', () => {
    fc.assert(fc.property(fc.constantFrom(...programs), fc.nat(), fc.nat({ max: 6 }), fc.constantFrom(...fragments, ''), (program, where, length, put) => {
      const start = where % program.length
      const text = program.slice(0, start) + put + program.slice(start + length)
      checkSpans(parse({ path: 'a.tek', text }).value, text)
      const once = format({ path: 'a.tek', text })
      if (once.diagnostics.length === 0) expect(format({ path: 'a.tek', text: once.value }).value).toBe(once.value)
      else expect(once.value).toBe(text)
    }), { numRuns: 2000, seed: 11 })
  })

  it('is cut where a head stands in column 1, and the pieces are the text', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...programs), { maxLength: 4 }), parts => {
      const text = parts.join('\n')
      const cuts = cut(text)
      expect([...cuts].sort((a, b) => a - b)).toEqual(cuts)
      for (const start of cuts.slice(1)) expect(text[start - 1]).toBe('\n')
    }), { numRuns: 50, seed: 3 })
  })
})

describe('programs', () => {
  it.each(programs.map((text, index) => [index, text] as const))('format to themselves: %i', (_, text) => checkFormat(text))

  it('of the grammar parse without errors and keep their tree and comments when formatted', () => {
    let checked = 0
    for (let seed = 1; seed <= 900; seed++) {
      const text = sentence(rules, 'file', randomNumbers(seed))
      // The grammar does not say that a clause may stand only once.
      const codes = parse({ path: 'a.tek', text }).diagnostics.map(each => each.code)
      if (codes.length > 0 && codes.every(code => code === 'syntax/duplicate-clause')) continue
      checkFormat(text)
      checked++
    }
    expect(checked).toBeGreaterThan(600)
  })

  it('keep every comment wherever it stands between tokens', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomNumbers(seed)
      const text = programs[seed % programs.length]!
      const { tokens } = lex(text)
      const token = tokens[Math.floor(random() * tokens.length)]!
      if (token.tokenType.name.startsWith('Template') || /^[\w]/.test(text[token.startOffset - 1] ?? '')) continue
      const comment = random() < 0.5 ? '/* odd */ ' : '// odd\n'
      const changed = text.slice(0, token.startOffset) + comment + text.slice(token.startOffset)
      if (parse({ path: 'a.tek', text: changed }).diagnostics.length === 0) checkFormat(changed)
    }
  })
})
