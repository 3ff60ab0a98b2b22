// Verdicts about actions known in part, against the guard's own match once the unknown parts have values.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coreGrantKinds, matchesGrant } from '#grants/match.ts'
import { expandBraces } from '#grants/glob.ts'
import { hostOf, parseHostPattern } from '#grants/host-pattern.ts'
import { anything, hasFresh, paramText, type PartText, withParams, word } from '#grants/part-text.ts'
import { absoluteSegments, isControlFile } from '#grants/path-pattern.ts'
import { verdictOf } from '#grants/verdict.ts'
import type { Grant } from '#model/capability.ts'

const read = (...patterns: string[]): Grant[] => patterns.map(pattern => ({ name: 'fs.read', args: [pattern] }))
const path = (level: Grant[], text: string, kind: PartText['kind'] = 'exact') => verdictOf(level, { name: 'fs.read', args: [{ kind, text }] }, coreGrantKinds)
const [root, other] = [paramText(0), paramText(1)]

describe('paths', () => {
  test.each<[string, string, PartText['kind'], string]>([
    ['src/**', 'src/a.ts', 'exact', 'inside'], ['src/**', 'docs/a.ts', 'exact', 'outside'], ['src/**', 'src/../docs/a', 'exact', 'outside'],
    ['src/**', '/src/a.ts', 'exact', 'unknown'], ['src/**', '../app/src/a.ts', 'exact', 'unknown'], ['../lib/**', '../lib/a', 'exact', 'inside'],
    ['../lib/**', '../src/a', 'exact', 'outside'], ['../lib/**', '../../lib/a', 'exact', 'unknown'], ['/etc/**', '/etc/passwd', 'exact', 'inside'],
    ['**', '.tek/tek.db', 'exact', 'outside'], ['/**', '/srv/.tek/home/a', 'exact', 'unknown'], ['/**', anything, 'exact', 'inside'], ['/**', `${root}/a`, 'exact', 'inside'],
    ['**', anything, 'exact', 'unknown'], ['**', root, 'exact', 'unknown'], [root, root, 'exact', 'inside'], [`${root}/**`, root, 'exact', 'inside'],
    [`${root}/**`, `${root}/a.ts`, 'exact', 'inside'], [`${root}/**`, `${root}/../a.ts`, 'exact', 'unknown'], [`${root}/**`, `${other}/a.ts`, 'exact', 'unknown'],
    [`${root}/**`, `${root}/${other}`, 'exact', 'unknown'], [`${root}/*.ts`, `${root}/a.js`, 'exact', 'outside'], [`${root}/*.ts`, `${other}/${anything}/a.js`, 'exact', 'outside'], [`${root}/a`, `${root}/${word}.js`, 'exact', 'outside'], [`${root}/*.ts`, `${root}/**/*.js`, 'glob', 'outside'], [`${root}/*.ts`, `${root}/**/*.js`, 'found', 'unknown'], [`${root}/*.ts`, `${root}/a,b}.js`, 'exact', 'unknown'], [`${root}/**`, `${root}x/a`, 'exact', 'unknown'],
    [`${root}/**`, `${root}/**/*.ts`, 'glob', 'inside'], [`${root}/**`, `${root}/**/*.ts`, 'found', 'inside'], [`${root}/*.ts`, `${root}/**/*.ts`, 'found', 'unknown'],
    ['src/**', 'src/**/*.ts', 'found', 'inside'], ['src/*.ts', 'src/*.{ts,tsx}', 'found', 'unknown'], ['docs/**', 'src/**/*.ts', 'found', 'outside'],
    ['**/*.md', 'src/**/*.ts', 'found', 'outside'], ['src/*/a', 'src/*/a', 'found', 'inside'], ['src/a', 'src/*', 'found', 'unknown'],
    ['out/*.json', `out/${word}.json`, 'exact', 'inside'], ['out/*.json', `out/${word}/a.json`, 'exact', 'outside'], ['out/*.json', `out/${anything}.json`, 'exact', 'unknown'],
    ['out/part-*', `out/part-${word}.json`, 'exact', 'inside'], ['src/*/*.ts', 'src/**/a.ts', 'glob', 'unknown'], [anything, 'a', 'exact', 'unknown'],
    ['src/**', '**', 'pattern', 'outside'], ['src/**', 'src/a/**', 'pattern', 'inside'], [`${root}/**`, `${root}/a/*`, 'pattern', 'inside'], ['src/**', `${anything}/a`, 'pattern', 'unknown'],
  ])('%j and %j (%s): %s', (pattern, text, kind, verdict) => {
    expect(path(read(pattern), text, kind)).toBe(verdict)
  })

  test('a pattern that two grants may cover together is left open', () => {
    expect(path(read('src/*.ts', 'src/*.js'), 'src/*', 'pattern')).toBe('unknown')
    expect(path(read('src/*.ts', 'src/*.js'), 'src/*.{ts,js}', 'found')).toBe('inside')
  })
})

describe('hosts, names, commands', () => {
  const net = (pattern: string, text: string) => verdictOf([{ name: 'net', args: [pattern] }], { name: 'net', args: [{ kind: 'exact', text }] }, coreGrantKinds)
  test.each([
    ['api.example.com', `https://api.example.com/${anything}`, 'inside'], ['api.example.com', `https://${anything}.example.com/`, 'unknown'], ['*.example.com', 'https://example.com/', 'outside'],
    ['api.example.com', `https://api.example.com.${anything}/`, 'unknown'], ['api.example.com', `https://other.example.com/${anything}`, 'outside'], ['api.example.com', `https:///${anything}`, 'unknown'],
    ['*:*', anything, 'inside'], ['*', anything, 'unknown'], ['api.example.com', `http://api.example.com/${root}`, 'outside'],
  ])('%j and %j: %s', (pattern, text, verdict) => {
    expect(net(pattern, text)).toBe(verdict)
  })

  const exec = (pattern: string[], ...tokens: (string | PartText)[]) =>
    verdictOf([{ name: 'exec', args: pattern }], { name: 'exec', args: tokens.map(each => (typeof each === 'string' ? { kind: 'exact', text: each } : each)) }, coreGrantKinds)
  const rest: PartText = { kind: 'tokens', text: '' }
  test.each<[string[], (string | PartText)[], string]>([
    [['npm', 'test'], ['npm', 'test'], 'inside'], [['npm', 'test'], ['npm', 'test', rest], 'unknown'], [['npm', 'test'], ['npm', 'run', rest], 'outside'], [['npm', '**'], ['npm', rest], 'inside'],
    [['npm', 'run build'], ['npm', 'run build'], 'outside'], [['grep', '*'], ['grep', anything], 'unknown'], [['grep', '**'], ['grep', anything], 'inside'], [['grep', '--max=*'], ['grep', `--min=${anything}`], 'outside'],
    [['*', '**'], [anything, rest], 'inside'], [['npm'], ['npm', anything], 'outside'], [['npm', root], ['npm', root], 'unknown'], [['./run', '**'], ['run', 'a'], 'outside'], [['./run'], ['././run'], 'inside'],
    [['echo', '**'], ['echo', 'a\0b'], 'outside'],
  ])('%j and %j: %s', (pattern, tokens, verdict) => {
    expect(exec(pattern, ...tokens)).toBe(verdict)
  })

  test('the number of arguments must fit', () => {
    expect(verdictOf([{ name: 'env', args: [] }], { name: 'env', args: [{ kind: 'exact', text: 'A' }] }, coreGrantKinds)).toBe('outside')
    expect(verdictOf([{ name: 'agent.spawn', args: [] }], { name: 'agent.spawn', args: [] }, coreGrantKinds)).toBe('inside')
  })
})

// ── Fuzz ──────────────────────────────────────────────────────────────────────────────────────

const cwd = '/home/app'
const piece = fc.constantFrom('a', 'b', 'ab', '*', '?', '**', '/', '/', '/', '..', '.', 'a*', '{a,b}', '-', '.git/config', root, other)
const freshPiece = fc.oneof({ weight: 5, arbitrary: piece }, { weight: 1, arbitrary: fc.constantFrom(anything, word) })
const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map(parts => parts.join(''))
const argument = fc.oneof(
  fc.array(freshPiece, { minLength: 1, maxLength: 6 }).map(parts => parts.join('')),
  fc.tuple(pattern, pattern).map(([a, b]) => `${a}/${b}`),
)
const value = fc.array(fc.constantFrom('a', 'b', 'ab', '/', '..', '.', '*', '-', ' ', '.git/config', '?', '**'), { maxLength: 4 }).map(parts => parts.join(''))
const number = fc.constantFrom('0', '-1', '2.5', '1e+21', 'true')
const fillings = fc.record({ root: value, other: value, fresh: fc.array(value, { minLength: 8, maxLength: 8 }), words: fc.array(number, { minLength: 8, maxLength: 8 }) })

interface Filling { readonly root: string; readonly other: string; readonly fresh: readonly string[]; readonly words: readonly string[] }

/** The text once the unknown parts have values: parameters the same everywhere, the rest one by one. */
function filled(text: string, given: Filling): string {
  let [fresh, words] = [0, 0]
  return [...withParams(text, index => (index === 0 ? given.root : given.other))]
    .map(each => (each === anything ? given.fresh[fresh++ % 8]! : each === word ? given.words[words++ % 8]! : each)).join('')
}

/** What the guard's first door says: some grant covers it, or each of the alternatives it stands for (guard.ts). */
function isAllowed(level: readonly Grant[], wanted: Grant): boolean {
  const covers = (each: Grant): boolean => level.some(grant => matchesGrant(grant, each, cwd))
  if (covers(wanted)) return true
  return wanted.name === 'fs.read' && wanted.args[0]!.includes('{') && (expandBraces(wanted.args[0]!)?.every(arg => covers({ name: 'fs.read', args: [arg] })) ?? false)
}

/** What V1 leaves aside. */
function isNoPath(text: string): boolean {
  const segments = absoluteSegments(text, cwd)
  return segments === null || isControlFile(segments.slice(2)) || isControlFile(segments)
}

function isNoHost(text: string): boolean {
  const host = parseHostPattern(hostOf(text) ?? '')
  return host === null || (host.kind !== 'exact' && host.kind !== 'set')
}

/** How often each verdict was given: a fuzz that only ever hears `unknown` would prove nothing. */
function runs(level: fc.Arbitrary<Grant[]>, wanted: fc.Arbitrary<{ name: string; args: string[] }>, isAside: (args: readonly string[]) => boolean): Record<string, number> {
  const seen: Record<string, number> = { inside: 0, outside: 0, unknown: 0 }
  fc.assert(fc.property(level, wanted, fc.array(fillings, { minLength: 4, maxLength: 4 }), (grants, { name, args }, all) => {
    const verdict = verdictOf(grants, { name, args: args.map(text => ({ kind: 'exact', text })) }, coreGrantKinds)
    seen[verdict]!++
    for (const given of all) {
      const concrete = { name, args: args.map(text => filled(text, given)) }
      const level = grants.map(grant => ({ name: grant.name, args: grant.args.map(text => filled(text, given)) }))
      const allowed = isAllowed(level, concrete)
      if (verdict === 'outside') expect(allowed).toBe(false)
      if (verdict === 'inside' && !isAside(concrete.args)) expect(allowed).toBe(true)
    }
  }), { seed: 11, numRuns: 15_000 })
  return seen
}

describe('whatever the unknown parts turn out to be', () => {
  test('paths: inside is allowed, outside is refused', () => {
    const level = fc.array(pattern.map((text): Grant => ({ name: 'fs.read', args: [text] })), { minLength: 1, maxLength: 3 })
    const seen = runs(level, argument.map(text => ({ name: 'fs.read', args: [text] })), args => isNoPath(args[0]!))
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(200)
  }, 60_000)

  test('paths that begin as their grant does', () => {
    const near = fc.tuple(pattern, pattern, argument).map(([start, a, b]) => ({ grant: `${start}/${a}`, text: `${start}/${b}` }))
    const seen: Record<string, number> = { inside: 0, outside: 0, unknown: 0 }
    fc.assert(fc.property(near, fc.array(fillings, { minLength: 4, maxLength: 4 }), ({ grant, text }, all) => {
      const verdict = path(read(grant), text)
      seen[verdict]!++
      for (const given of all) {
        const allowed = isAllowed(read(filled(grant, given)), { name: 'fs.read', args: [filled(text, given)] })
        if (verdict === 'outside') expect(allowed).toBe(false)
        if (verdict === 'inside' && !isNoPath(filled(text, given))) expect(allowed).toBe(true)
      }
    }), { seed: 12, numRuns: 15_000 })
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(200)
  }, 60_000)

  test('what a pattern finds, and what a grant covers, path by path', () => {
    const plain = fc.array(fc.constantFrom('a', 'b', 'ab', '*', '?', '**', '/', '/', 'a*', '{a,b}', '.'), { minLength: 1, maxLength: 6 }).map(parts => parts.join(''))
    const paths = fc.array(fc.array(fc.constantFrom('a', 'b', 'ab', 'c', 'aa', '{a,b}'), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/')), { minLength: 20, maxLength: 20 })
    const seen: Record<string, number> = { inside: 0, outside: 0, unknown: 0 }
    fc.assert(fc.property(plain, plain, paths, fc.constantFrom('found' as const, 'pattern' as const), (grant, text, candidates, kind) => {
      const verdict = path(read(grant), text, kind)
      seen[verdict]!++
      // Of a pattern of grants, `outside` says that it is not covered whole; of what a glob finds, that none of it is.
      if (verdict === 'unknown' || (verdict === 'outside' && kind === 'pattern')) return
      const alternatives = kind === 'found' ? (expandBraces(text) ?? []) : [text]
      for (const each of candidates) {
        const wanted = { name: 'fs.read', args: [each] }
        if (alternatives.some(one => matchesGrant(read(one)[0]!, wanted, cwd))) expect(matchesGrant(read(grant)[0]!, wanted, cwd)).toBe(verdict === 'inside')
      }
    }), { seed: 13, numRuns: 10_000 })
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(200)
  }, 60_000)

  test('commands', () => {
    const token = fc.constantFrom('a', '-a', '*', '**', '?', 'a*', '--x=*', 'a/b', '', 'a b')
    const level = fc.array(fc.array(token, { maxLength: 3 }).map((rest): Grant => ({ name: 'exec', args: ['npm', ...rest] })), { minLength: 1, maxLength: 2 })
    const given = fc.array(fc.oneof(token, fc.constantFrom(anything, word, `-${anything}`, `a${root}`, `--x=${word}`)), { maxLength: 3 }).map(rest => ({ name: 'exec', args: ['npm', ...rest] }))
    const seen = runs(level, given, () => false)
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(200)
  }, 60_000)

  test('hosts and names', () => {
    const host = fc.constantFrom('a.com', '*.a.com', '*', '*:*', 'a.com:*', 'b.a.com:80', root, 'registry:npm')
    const address = fc.array(fc.constantFrom('https://', 'http://', 'a.com', 'b.a.com', '/', ':80', '@', '?', '#', '\\', anything, word, root), { minLength: 1, maxLength: 6 }).map(parts => parts.join(''))
    const hosts = runs(fc.array(host.map((text): Grant => ({ name: 'net', args: [text] })), { minLength: 1, maxLength: 2 }), address.map(text => ({ name: 'net', args: [text] })), args => isNoHost(args[0]!))
    expect(Math.min(...Object.values(hosts))).toBeGreaterThan(100)
    const name = fc.constantFrom('A', 'B', '*', './a', 'a/../a', '/a', '../a', root)
    const names = runs(fc.array(name.map((text): Grant => ({ name: 'env', args: [text] })), { minLength: 1, maxLength: 2 }), fc.oneof(name, fc.constantFrom(anything, word)).map(text => ({ name: 'env', args: [text] })), args => isNoPath(args[0]!))
    expect(Math.min(...Object.values(names))).toBeGreaterThan(200)
  }, 60_000)
})

test('what stands for another text at each place is known', () => {
  expect([root, anything, word].map(hasFresh)).toEqual([false, true, true])
})
