// The permits file as text: what is read, what is refused and where, what a change leaves alone.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { printGrant } from '#grants/grant-text.ts'
import type { Grant } from '#model/capability.ts'
import { endOf, expiryOf } from '#permits/expiry.ts'
import { type PermitEntry, readGrant, readPermits, withEntry, withoutEntry } from '#permits/permits-file.ts'

const grant = (name: string, ...args: string[]): Grant => ({ name, args })
const entry = (may: readonly Grant[], more: Partial<PermitEntry> = {}): PermitEntry => ({ may, granted: '2026-11-21', expires: null, because: null, ...more })
const read = (text: string) => {
  const { value, diagnostics } = readPermits(text)
  expect(diagnostics).toEqual([])
  return value!
}

const written = `# ours, keep
version: 1

programs:
  # the weekly report
  b.tek:
    may:
      - net("api.github.com") # issues only
      - fs.read("src/**")
    granted: 2026-01-02 # Ada
    because: "weekly"
tests:
  b.tek: { may: [ 'exec("npm", "test")' ] }
`

test('reads what a person wrote', () => {
  const { programs, tests } = read(written)
  expect(programs.get('b.tek')).toEqual({ may: [grant('net', 'api.github.com'), grant('fs.read', 'src/**')], granted: '2026-01-02', expires: null, because: 'weekly' })
  expect(tests.get('b.tek')?.may).toEqual([grant('exec', 'npm', 'test')])
  for (const empty of ['', '# nothing yet\n', 'version: 1\n', 'version: 1\nprograms:\n']) expect(read(empty).programs.size).toBe(0)
})

test('a new file says what it is', () => {
  expect(withEntry(null, 'programs', 'todos.tek', entry([grant('fs.read', 'src/**')], { expires: '2026-12-31' }))).toMatchInlineSnapshot(`
    "# What the programs of this folder may do, as the people who ran them allowed it. It belongs in version control: review it like a lockfile.
    # tek adds to it only after asking. \`tek permits\` lists it, \`tek permits revoke PROGRAM\` takes a permit away, docs/permits.md tells all.

    version: 1
    programs:
      todos.tek:
        may:
          - fs.read("src/**")
        granted: 2026-11-21
        expires: 2026-12-31
    "
  `)
})

test('a change leaves comments, order, quotes and everything else as people wrote them', () => {
  const more = withEntry(written, 'programs', 'b.tek', entry([grant('fs.read', 'src/**'), grant('net', 'api.github.com'), grant('env', 'CI')], { because: 'weekly' }))
  expect(more).toBe(written.replace('      - net(', '      - env("CI")\n      - net(').replace('2026-01-02', '2026-11-21'))
  const other = withEntry(written, 'programs', 'a.tek', entry([grant('fs.read', 'a')]))
  expect(other).toContain('  a.tek:\n    may:\n      - fs.read("a")\n    granted: 2026-11-21\n')
  expect(other.indexOf('a.tek:')).toBeLessThan(other.indexOf('  b.tek:'))
  for (const line of written.trimEnd().split('\n')) expect(other).toContain(line)
  const fewer = withEntry(written, 'programs', 'b.tek', entry([grant('fs.read', 'src/**')], { granted: '2026-01-02', because: 'weekly' }))
  expect(fewer).toBe(written.replace('      - net("api.github.com") # issues only\n', ''))
  const gone = withoutEntry(written, 'tests', 'b.tek')
  expect(gone).toBe(written.slice(0, written.indexOf('tests:')))
  expect(read(withoutEntry(gone, 'programs', 'b.tek')).programs.size).toBe(0)
  expect(withEntry(written.replaceAll('\n', '\r\n'), 'programs', 'a.tek', entry([])).replaceAll('\r\n', '')).not.toContain('\n')
})

test('order is stable: whatever the order in which programs are added, the file is the same', () => {
  const names = ['b.tek', 'a.tek', 'sub/c.tek', 'Z.tek', '日本.tek']
  const grants = [grant('net', 'x.org'), grant('env', 'CI'), grant('fs.read', 'b'), grant('fs.read', 'a')]
  const build = (programs: readonly string[], may: readonly Grant[]) => programs.reduce<string | null>((text, name) => withEntry(text, 'programs', name, entry(may)), null)
  expect(build([...names].reverse(), [...grants].reverse())).toBe(build(names, grants))
})

const oddTexts = [
  'null', 'true', '1', '~', '<<', '__proto__', '- a', 'a: b', 'x #y', '"', "'", '*a', '&a', '!t', '\u001b[2J', '\u202e', '\ufeff', '', ' ', '{', 'a\nb', '%', '@', '`', '2026-01-01',
]
const someText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom(...oddTexts))
const someGrant = fc.record({ name: fc.constantFrom('fs.read', 'exec', 'net', 'env', 'shop.sell'), args: fc.array(someText, { maxLength: 3 }) })
const someEntry = fc.record({
  may: fc.uniqueArray(someGrant, { maxLength: 5, selector: printGrant }), granted: fc.constantFrom('2026-11-21', '2026-01-01'),
  expires: fc.constantFrom(null, '2026-12-31', '2026-12-31T18:00:00Z'), because: fc.option(someText),
})

test('what is written is read again, whatever the names and grants', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('programs', 'tests'), someText, someEntry), { minLength: 1, maxLength: 4 }), changes => {
    let text: string | null = null
    const wanted = { programs: new Map<string, PermitEntry>(), tests: new Map<string, PermitEntry>() }
    for (const [section, program, made] of changes) {
      text = withEntry(text, section, program, made)
      wanted[section].set(program, made)
    }
    const { value, diagnostics } = readPermits(text!)
    expect(diagnostics).toEqual([])
    for (const section of ['programs', 'tests'] as const) {
      const sorted = (entries: ReadonlyMap<string, PermitEntry>) => [...entries].map(([name, each]) => [name, { ...each, may: each.may.map(printGrant).sort() }]).sort()
      expect(sorted(value![section])).toEqual(sorted(wanted[section]))
    }
    for (const [section, program] of changes) text = withoutEntry(text!, section, program)
    expect(readPermits(text!).value).toEqual({ programs: new Map(), tests: new Map() })
  }), { numRuns: 300 })
})

describe('a file that cannot be used says where and why', () => {
  const wrong: readonly (readonly [string, string, string, RegExp, string?])[] = [
    ['no YAML', 'version: 1\nprograms: [a\n', 'permit/bad-file', /not YAML/],
    ['a text', 'hello\n', 'permit/bad-file', /no map/, 'hello'],
    ['no version', 'programs: {}\n', 'permit/bad-file', /version: 1/],
    ['a newer version', 'version: 2\nanything: [1]\n', 'permit/newer-file', /version 2/, '2'],
    ['an unknown part', 'version: 1\nprogrms: {}\n', 'permit/bad-file', /`programs` and `tests`/, 'progrms'],
    ['a program twice', 'version: 1\nprograms:\n  a: { may: [] }\n  a: { may: [] }\n', 'permit/bad-file', /stands twice/, 'a'],
    ['a field twice', 'version: 1\nprograms:\n  a: { may: [], may: [] }\n', 'permit/bad-file', /stands twice/, 'may'],
    ['an unknown field', 'version: 1\nprograms:\n  a: { may: [], expire: x }\n', 'permit/bad-file', /did you mean `expires`/, 'expire'],
    ['no list', 'version: 1\nprograms:\n  a: { may: fs.read("a") }\n', 'permit/bad-file', /list of grants/, 'fs.read("a")'],
    ['no grants', 'version: 1\nprograms:\n  a: { granted: 2026-01-01 }\n', 'permit/bad-file', /list of grants/, 'a'],
    ['a grant that is a number', 'version: 1\nprograms:\n  a: { may: [1] }\n', 'permit/bad-file', /not text/, '1'],
    ['an unknown grant', 'version: 1\nprograms:\n  a: { may: [fs.raed("x")] }\n', 'permit/unknown-grant', /did you mean `fs.read`/, 'fs.raed("x")'],
    ['no grant at all', 'version: 1\nprograms:\n  a: { may: ["fs.read(x)"] }\n', 'permit/unknown-grant', /texts in brackets/],
    ['a date that is none', 'version: 1\nprograms:\n  a: { may: [], expires: 2026-02-31 }\n', 'permit/bad-file', /no date/, '2026-02-31'],
    ['a date that is a number', 'version: 1\nprograms:\n  a: { may: [], granted: 2026 }\n', 'permit/bad-file', /not text/, '2026'],
    ['an alias', 'version: 1\nprograms:\n  a: &x { may: [] }\n  b: *x\n', 'permit/bad-file', /alias/, '*x'],
    ['a merge', 'version: 1\nprograms:\n  a: { <<: { may: [] } }\n', 'permit/bad-file', /no use for/],
    ['a tag', 'version: 1\nprograms:\n  a: { may: !!set [] }\n', 'permit/bad-file', /tag|not YAML/],
    ['two documents', 'version: 1\n---\nversion: 1\n', 'permit/bad-file', /not YAML/],
  ]
  test.each(wrong.map(([what, ...rest]) => [what, rest] as const))('%s', (_, [text, code, message, marked]) => {
    const { value, diagnostics } = readPermits(text)
    expect(value).toBeNull()
    expect(diagnostics[0]).toMatchObject({ code, at: { path: 'tek.permits.yaml' } })
    expect(diagnostics[0]!.message).toMatch(message)
    const { start, end } = diagnostics[0]!.at!
    if (marked !== undefined) expect(text.slice(start, end).trim()).toBe(marked)
    expect(() => withEntry(text, 'programs', 'x.tek', entry([]))).toThrow() // nothing is written over it
  })

  test.each([
    ['flow', '['.repeat(300_000)], ['blocks', '- '.repeat(300_000)], ['maps on a line', 'a: '.repeat(300_000)],
    ['columns', Array.from({ length: 500 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')], ['size', `# ${'x'.repeat(1_000_001)}`],
  ])(
    'one that would end the process: %s', (_, text) => {
      const begun = performance.now()
      expect(readPermits(text).diagnostics[0]?.code).toBe('permit/bad-file')
      expect(performance.now() - begun).toBeLessThan(5_000)
    })
})

test('grants by name: those of tek are known, those of plugins are taken as they are', () => {
  expect(readGrant('shop.sell("x")')).toEqual(grant('shop.sell', 'x'))
  expect(readGrant('agent.spawn')).toEqual(grant('agent.spawn'))
  for (const text of ['sell("x")', 'fs.delete("x")', 'exec(npm)', '', 'fs.read("a") && rm']) expect(readGrant(text)).toBeTypeOf('string')
})

test('expiry', () => {
  const now = Date.UTC(2026, 10, 21, 12)
  expect(['30d', '8h', '2w', '2026-12-31', '2026-12-31T18:00:00Z'].map(each => expiryOf(each, now))).toEqual(['2026-12-21', '2026-11-21T20:00:00Z', '2026-12-05', '2026-12-31', '2026-12-31T18:00:00Z'])
  expect(['0d', '-1d', '3651d', '1y', '2026-11-20', '2026-13-01', 'soon', ''].map(each => expiryOf(each, now))).toEqual(Array(8).fill(null))
  expect(endOf('2026-11-21')).toBe(Date.UTC(2026, 10, 22))
})
