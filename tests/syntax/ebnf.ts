// Ebnf: reads grammar/tek.ebnf and makes random sentences of it.
// Owns: the notation and the generator. Does not own: what is expected of the sentences.
import { readFileSync } from 'node:fs'

export type Production =
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'token'; readonly name: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Production[] }
  | { readonly kind: 'choice'; readonly parts: readonly Production[] }
  | { readonly kind: 'optional'; readonly part: Production }
  | { readonly kind: 'many'; readonly part: Production }

/** The rules of the grammar by name, in the order of the file. */
export function readGrammar(): Map<string, Production> {
  const text = readFileSync(new URL('../../grammar/tek.ebnf', import.meta.url), 'utf8').replace(/\(\*[\s\S]*?\*\)/g, '')
  const tokens = text.match(/"[^"]*"|[A-Za-z_0-9]+|[[\]{}()|;=]/g) ?? []
  const rules = new Map<string, Production>()
  let at = 0
  const choice = (): Production => {
    const parts = [sequence()]
    while (tokens[at] === '|') {
      at++
      parts.push(sequence())
    }
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }
  const sequence = (): Production => {
    const parts: Production[] = []
    while (at < tokens.length && !/^[\])};|]$/.test(tokens[at]!)) parts.push(single())
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }
  const single = (): Production => {
    const token = tokens[at++]!
    if (token.startsWith('"')) return { kind: 'sign', text: token.slice(1, -1) }
    if ('[{('.includes(token)) {
      const part = choice()
      at++
      return token === '(' ? part : { kind: token === '[' ? 'optional' : 'many', part }
    }
    return /^[A-Z_]+$/.test(token) ? { kind: 'token', name: token } : { kind: 'rule', name: token }
  }
  while (at < tokens.length) {
    const name = tokens[at]!
    at += 2
    rules.set(name, choice())
    at++
  }
  return rules
}

const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  NAME: ['a', 'files', 'model', 'retry', 'x1', 'secretName', '_own', 'observe', 'label2'],
  WORD: ['b', 'type', 'in', 'ok', 'task', 'plain'],
  DURATION: ['1d', '90s'],
  INT: ['3', '1_000', '42'],
  LITERAL: ['7', '0.5', '5s', '64KB', '200k', '80%', '$0.50'],
  TEXT: ['"x"', '"a b"', 'r"\\d+"', '"say \\"hi\\""', '"""\n    two\n      lines\n    """'],
  TEMPLATE_HEAD: ['"a ${', '"${'],
  TEMPLATE_MIDDLE: ['} and ${'],
  TEMPLATE_TAIL: ['}"', '} end"'],
}

/** Made of the seed alone: the same numbers on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const MAX_DEPTH = 24

/** A random sentence of a rule; deeper than `MAX_DEPTH` the shortest ways are taken. Declarations begin on lines of their own. */
export function sentence(rules: ReadonlyMap<string, Production>, start: string, random: () => number): string {
  const words: string[] = []
  // A template's expression stands on its line, so no block string may lie within.
  let inTemplate = 0
  const make = (production: Production, depth: number): void => {
    switch (production.kind) {
      case 'sign': return void words.push(production.text)
      case 'token': {
        if (production.name === 'TEMPLATE_HEAD') inTemplate++
        const samples = SAMPLES[production.name]!.filter(each => inTemplate === 0 || !each.includes('\n'))
        words.push(samples[Math.floor(random() * samples.length)]!)
        if (production.name === 'TEMPLATE_TAIL') inTemplate--
        return
      }
      case 'rule': {
        if (production.name === 'decl') words.push('\n')
        return make(rules.get(production.name)!, depth + 1)
      }
      case 'sequence': return production.parts.forEach(part => make(part, depth))
      case 'choice': {
        const parts = depth > MAX_DEPTH ? [...production.parts].sort((a, b) => weight(rules, a) - weight(rules, b)).slice(0, 1) : production.parts
        return make(parts[Math.floor(random() * parts.length)]!, depth + 1)
      }
      case 'optional': return void (depth < MAX_DEPTH && random() < 0.4 && make(production.part, depth + 1))
      case 'many': {
        while (depth < MAX_DEPTH && random() < (start === 'file' && depth < 2 ? 0.7 : 0.35)) make(production.part, depth + 1)
      }
    }
  }
  make({ kind: 'rule', name: start }, 0)
  return words.join(' ').replaceAll(/ ?\n ?/g, '\n').replace(/^\n/, '')
}

/** How far a production is from being all tokens; only for choosing the short way. */
function weight(rules: ReadonlyMap<string, Production>, production: Production, depth = 0): number {
  if (depth > 8) return 1000
  switch (production.kind) {
    case 'sign': case 'token': return 1
    case 'optional': case 'many': return 0
    case 'rule': return 1 + weight(rules, rules.get(production.name)!, depth + 1)
    case 'choice': return Math.min(...production.parts.map(part => weight(rules, part, depth + 1)))
    case 'sequence': return production.parts.reduce((sum, part) => sum + weight(rules, part, depth + 1), 0)
  }
}
