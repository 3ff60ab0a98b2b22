// Settling: what a run may do by the file, by flags, by asking; with a machine in memory, a clock that moves when told to, and a scripted person.
import { Accepted } from '#permits/accepted.ts'
import { describe, expect, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import { printGrant } from '#grants/grant-text.ts'
import { coreGrantKinds } from '#grants/match.ts'
import type { AskedGrant, Grant } from '#model/capability.ts'
import type { Plan } from '#model/plan.ts'
import { dangerOf } from '#permits/dangers.ts'
import { missingOf, neededOf, unusedOf } from '#permits/difference.ts'
import { parseGrant } from '#grants/grant-text.ts'
import { headLine, linesOf, safe } from '#permits/plain-words.ts'
import type { Person } from '#permits/question.ts'
import { type PermitRequest, settlePermit, type Settled } from '#permits/settle.ts'
import { memoryHost, type MemoryHost } from '../../src/testing/memory-host.ts'

const DAY_MS = 86_400_000
const grant = (text: string): Grant => parseGrant(text)!
const asked = (...texts: string[]): AskedGrant[] => texts.map(text => ({ grant: grant(text), comesWith: null }))
const compared = { cwd: '/project', kindsOf: coreGrantKinds }

/** A plan whose one workflow asks for these grants. */
function planOf(...texts: string[]): Plan {
  const authority = texts.map(text => ({ name: grant(text).name, args: grant(text).args.map(value => ({ op: 'value', value })), implies: [] }))
  return { modules: [{ name: 'git', origin: 'std' }, { name: 'shop', origin: 'plugin' }], authority: null, workflows: { w: { authority } } } as unknown as Plan
}

/** Says what it was asked, and answers line by line; then the input ends. */
function person(...answers: (string | null)[]): Person & { said: string } {
  const it: Person & { said: string } = {
    said: '', paint: plainPaint,
    write: text => void (it.said += text),
    ask: async prompt => {
      it.said += prompt
      return answers.shift() ?? null
    },
  }
  return it
}

const settle = (host: MemoryHost, texts: readonly string[], who: Person | null, more: Partial<PermitRequest> = {}): Promise<Settled> => settlePermit(host, {
  section: 'programs', program: 'flow.tek', shown: 'flow.tek', plan: planOf(...texts), asked: asked(...texts), kindsOf: coreGrantKinds,
  isBundled: false, isResumed: false, allow: [], allowAll: false, expires: null, accepted: null, ...more,
}, who)

const grantsOf = (settled: Settled): string[] => (settled.kind === 'permitted' ? settled.permit.grants.map(printGrant) : settled.diagnostics.map(each => each.code))
const fileOf = (host: MemoryHost): string | undefined => host.files.snapshot()['/project/tek.permits.yaml']
const holding = (entry: string, more: Parameters<typeof memoryHost>[0] = {}): MemoryHost => memoryHost({ files: { 'tek.permits.yaml': `version: 1\nprograms:\n  flow.tek: ${entry}\n` }, ...more })

describe('asking', () => {
  test('y records, and the next run is not asked', async () => {
    const host = memoryHost()
    const who = person('y')
    expect(await settle(host, ['fs.read("src/**")', 'exec("npm", "test")'], who)).toMatchObject({ kind: 'permitted', permit: { by: 'question' } })
    expect(who.said).toMatch(/flow.tek asks to\n {4}read {6}src\/\*\*\n {4}run {7}npm test {3}! can run any code, with all your rights\nAllow it\?/)
    expect(fileOf(host)).toContain('flow.tek:\n    may:\n      - exec("npm", "test")\n      - fs.read("src/**")\n    granted: 2026-01-01\n')
    const again = await settle(host, ['fs.read("src/*.ts")'], null)
    expect(again).toMatchObject({ kind: 'permitted', permit: { by: 'file' } })
  })

  test('a file that came with the folder counts where nobody can be asked; a person is shown it once, and again when it changes', async () => {
    const files = new Map<string, string>()
    const accepted = new Accepted({ read: (_area, name) => files.get(name) ?? null, replace: (_area, name, text) => (files.set(name, text), true) }, '/project')
    const host = holding('{ may: [\'exec("sh", "**")\'], granted: 2025-12-01 }')
    const texts = ['exec("sh", "**")']
    expect(await settle(host, texts, null, { accepted })).toMatchObject({ kind: 'permitted', permit: { by: 'file' } })
    const no = person('n')
    expect(grantsOf(await settle(host, texts, no, { accepted }))).toEqual(['permit/not-given'])
    expect(no.said).toContain('The tek.permits.yaml that came with this folder allows it; you have not, on this machine.')
    const before = fileOf(host)
    expect(await settle(host, texts, person('o'), { accepted })).toMatchObject({ kind: 'permitted' })
    expect(await settle(host, texts, person('y'), { accepted })).toMatchObject({ kind: 'permitted', permit: { by: 'question' } })
    expect(fileOf(host)).toBe(before)
    const silent = person()
    expect(await settle(host, texts, silent, { accepted })).toMatchObject({ kind: 'permitted', permit: { by: 'file' } })
    expect(silent.said).toBe('')
    const changed = holding('{ may: [\'exec("sh", "**")\', \'env("HOME")\'], granted: 2025-12-01 }')
    const whole = person('n')
    expect(grantsOf(await settle(changed, texts, whole, { accepted }))).toEqual(['permit/not-given'])
    expect(whole.said).toContain('the environment variable HOME') // not asked for now, and allowed by the entry all the same
    const more = person('y')
    expect(await settle(changed, [...texts, 'env("CI")'], more, { accepted })).toMatchObject({ kind: 'permitted' })
    expect(more.said).toContain('sh **')
    expect(fileOf(changed)!.match(/exec\("sh"/g)).toHaveLength(1)
    expect(await settle(changed, [...texts, 'env("CI")'], person(), { accepted })).toMatchObject({ kind: 'permitted', permit: { by: 'file' } })
  })

  test('what was answered here is not shown again', async () => {
    const files = new Map<string, string>()
    const accepted = new Accepted({ read: (_area, name) => files.get(name) ?? null, replace: (_area, name, text) => (files.set(name, text), true) }, '/project')
    const host = memoryHost()
    await settle(host, ['env("CI")'], person('y'), { accepted })
    const silent = person()
    expect(await settle(host, ['env("CI")'], silent, { accepted })).toMatchObject({ kind: 'permitted', permit: { by: 'file' } })
    expect(silent.said).toBe('')
  })

  test.each(['', '\n', ' \n\n'])('an empty file (%j), as a killed tek may leave one, counts as none', async text => {
    const host = memoryHost({ files: { 'tek.permits.yaml': text } })
    const refused = await settle(host, ['env("CI")'], null)
    expect(refused).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'permit/needed', help: [expect.anything(), expect.stringContaining('{ version: 1,')] }] })
    expect(await settle(host, ['env("CI")'], person('y'))).toMatchObject({ kind: 'permitted' })
    expect(fileOf(host)).toContain('# What the programs of this folder may do')
    expect(await settle(host, ['env("CI")'], null)).toMatchObject({ kind: 'permitted', permit: { by: 'file' } })
  })

  test.each([['n'], [''], [null], ['maybe', 'what', 'yes please', 'y']])('%s …: no', async (...answers) => {
    const host = memoryHost()
    expect(grantsOf(await settle(host, ['env("CI")'], person(...answers)))).toEqual(['permit/not-given'])
    expect(fileOf(host)).toBeUndefined()
  })

  test('o counts for this run only', async () => {
    const host = memoryHost()
    expect(grantsOf(await settle(host, ['env("CI")'], person('o')))).toEqual(['env("CI")'])
    expect(fileOf(host)).toBeUndefined()
  })

  test('d shows each grant, and what comes with it', async () => {
    const who = person('d', 'n')
    const comes: AskedGrant[] = [...asked('git.read(".")'), { grant: grant('exec("git", "log", "**")'), comesWith: 'git.read' }]
    await settle(memoryHost(), [], who, { asked: comes, plan: planOf('git.read(".")') })
    expect(who.said).toContain('    use       git.read(".")\nAllow it?')
    expect(who.said).toContain('can exec("git", "log", "**")   comes with git.read')
  })

  test('a program that asks for more shows the difference only, and what it has no more use for is taken away', async () => {
    const host = holding('{ may: [ fs.read("src/**"), net("old.org") ], granted: 2025-01-01, because: weekly }')
    const who = person('y')
    const settled = await settle(host, ['fs.read("src/**")', 'net("new.org")'], who)
    expect(grantsOf(settled).sort()).toEqual(['fs.read("src/**")', 'net("new.org")', 'net("old.org")'])
    expect(who.said).toContain('flow.tek asks for more than it was allowed here, to\n  + connect   new.org\nand has no more use for\n  - connect   old.org\n')
    expect(who.said).not.toContain('src/**')
    expect(fileOf(host)).toContain('net("new.org")')
    expect(fileOf(host)).not.toContain('old.org')
    expect(fileOf(host)).toContain('because: weekly')
  })

  test('a program without a name is asked, and never recorded', async () => {
    const host = memoryHost()
    const who = person('y', 'o')
    expect(grantsOf(await settle(host, ['env("CI")'], who, { program: null, shown: '<stdin>' }))).toEqual(['env("CI")'])
    expect(fileOf(host)).toBeUndefined()
  })

  test('what cannot be recorded is said, and not allowed', async () => {
    const host = memoryHost()
    host.files.fail('/project/tek.permits.yaml', 'no-permission')
    expect(grantsOf(await settle(host, ['env("CI")'], person('y')))).toEqual(['permit/bad-file'])
  })
})

describe('without a terminal', () => {
  test('what is missing is an error with the words that would allow it', async () => {
    const settled = await settle(memoryHost(), ['fs.read("src/**")', `env("A'B")`], null)
    expect(settled).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'permit/needed' }] })
    const { message = '', help = [] } = settled.kind === 'refused' ? settled.diagnostics[0]! : {}
    expect(message).toContain('`fs.read("src/**")`')
    expect(help[0]).toContain(`--allow 'env("A'\\''B")' --allow 'fs.read("src/**")'`)
    // What it says to write is what allows it.
    const text = /tek\.permits\.yaml: (.*)$/.exec(help[1]!)![1]!
    expect(grantsOf(await settle(memoryHost({ files: { 'tek.permits.yaml': text } }), ['fs.read("src/**")', `env("A'B")`], null))).toHaveLength(2)
  })

  test('flags', async () => {
    const host = memoryHost()
    expect(await settle(host, ['env("CI")'], null, { allowAll: true })).toMatchObject({ permit: { grants: [grant('env("CI")')], by: 'flag' } })
    expect(await settle(host, ['env("CI")'], null, { allow: [grant('env("CI")')] })).toMatchObject({ permit: { by: 'flag' } })
    expect(grantsOf(await settle(host, ['env("CI")', 'net("a.org")'], null, { allow: [grant('env("CI")')] }))).toEqual(['permit/needed'])
    expect(fileOf(host)).toBeUndefined()
  })

  test('what asks for nothing, and what is bundled, needs nobody', async () => {
    const host = memoryHost({ files: { 'tek.permits.yaml': 'broken: [' } })
    expect(await settle(host, [], null)).toMatchObject({ kind: 'permitted', permit: { grants: [] } })
    expect(await settle(host, ['env("CI")'], null, { isBundled: true })).toMatchObject({ permit: { by: 'bundled' } })
    expect(await settle(host, ['env("CI")'], null, { asked: null })).toMatchObject({ permit: { grants: [] } }) // nothing is allowed to what cannot say what it asks
  })

  test('tests have permits of their own', async () => {
    const host = holding('{ may: [ env("CI") ] }')
    expect(grantsOf(await settle(host, ['env("CI")'], null, { section: 'tests' }))).toEqual(['permit/needed'])
  })
})

describe('expiry', () => {
  test('a permit ends at the end of its day; a terminal asks again, for everything', async () => {
    const host = holding('{ may: [ env("CI"), net("a.org") ], expires: 2026-01-02 }')
    expect(grantsOf(await settle(host, ['env("CI")'], null))).toHaveLength(2)
    await host.advance(2 * DAY_MS - 1)
    expect(await settle(host, ['env("CI")'], null)).toMatchObject({ kind: 'permitted' })
    await host.advance(1)
    expect(grantsOf(await settle(host, ['env("CI")'], null))).toEqual(['permit/expired'])
    const who = person('y')
    expect(await settle(host, ['env("CI")'], who, { expires: '2026-02-01' })).toMatchObject({ kind: 'permitted' })
    expect(who.said).toMatch(/ended on 2026-01-02[\s\S]*know {6}the environment variable CI[\s\S]*until 2026-02-01/)
    expect(fileOf(host)).toContain('expires: 2026-02-01')
    expect(fileOf(host)).not.toContain('a.org') // nobody was asked about it
  })

  test('one that was widened keeps its end', async () => {
    const host = holding('{ may: [ env("CI") ], expires: 2026-06-30 }')
    await settle(host, ['env("CI")', 'env("HOME")'], person('y'))
    expect(fileOf(host)).toContain('expires: 2026-06-30')
  })
})

describe('a run that goes on', () => {
  test('does with a permit that was narrowed since, which is said; without one it is asked', async () => {
    const host = holding('{ may: [ env("CI") ] }')
    const settled = await settle(host, ['env("CI")', 'net("a.org")'], null, { isResumed: true })
    expect(settled).toMatchObject({ kind: 'permitted', permit: { grants: [grant('env("CI")')] }, withheld: asked('net("a.org")') })
    expect(grantsOf(await settle(memoryHost(), ['net("a.org")'], null, { isResumed: true }))).toEqual(['permit/needed'])
  })
})

describe('tampering', () => {
  test('a link in the place of the file is refused, to read and to write', async () => {
    const host = memoryHost({ files: { 'elsewhere.yaml': 'version: 1\nprograms:\n  flow.tek: { may: [ env("CI") ] }\n' }, links: { 'tek.permits.yaml': '/project/elsewhere.yaml' } })
    expect(grantsOf(await settle(host, ['env("CI")'], person('y')))).toEqual(['permit/bad-file'])
  })

  test('a file that cannot be read is not written over, and not asked around', async () => {
    const host = holding('{ may: [')
    const who = person('y')
    const before = fileOf(host)
    expect(await settle(host, ['env("CI")'], who)).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'permit/bad-file', at: { path: 'tek.permits.yaml' } }] })
    expect([who.said, fileOf(host)]).toEqual(['', before])
  })

  test('texts of a program cannot move the cursor, hide, or run off the screen', () => {
    const nasty = 'a\u001b[2K\rfs.read("ok")\n\u202e\u200b\u2066b'
    const lines = linesOf([{ grant: { name: 'fs.read', args: [nasty] }, comesWith: `x\u001b[1A` }], ' ', plainPaint, false)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(/[\u0000-\u001f\u200b\u202e\u2066]/)
    expect(safe(`src${' '.repeat(500)}/etc`)).toContain('⟨500 spaces⟩')
    expect(safe('x'.repeat(300))).toContain('100 characters more')
  })
})

test('the difference: what is contained is not missing, what nothing could ask for is unused', () => {
  const permitted = ['fs.read("src/**")', 'exec("npm", "**")', 'net("*.org")'].map(grant)
  const wanted = asked('fs.read("src/a/*.ts")', 'exec("npm", "test")', 'net("a.org")', 'fs.read("lib/**")', 'exec("npx")', 'net("a.com")')
  expect(missingOf(wanted, permitted, compared).map(each => printGrant(each.grant))).toEqual(['fs.read("lib/**")', 'exec("npx")', 'net("a.com")'])
  expect(unusedOf(permitted, planOf('fs.read("src/a/*.ts")', 'exec("npm", "test")'), compared).map(printGrant)).toEqual(['net("*.org")'])
  const byParameter = { ...planOf(), workflows: { w: { authority: [{ name: 'net', args: [{ op: 'param', name: 'host' }], implies: [] }] } } } as unknown as Plan
  expect(unusedOf(permitted, byParameter, compared).map(printGrant)).toEqual(['fs.read("src/**")', 'exec("npm", "**")']) // a parameter might ask for any host
})

test('what a third-party plugin lets itself do is asked for; what comes with tek is not', () => {
  const implied: AskedGrant[] = [{ grant: grant('exec("git", "log")'), comesWith: 'git.read' }, { grant: grant('exec("sh", "**")'), comesWith: 'shop.sell' }]
  expect(neededOf(implied, planOf()).map(each => printGrant(each.grant))).toEqual(['exec("sh", "**")'])
})

test('dangers', () => {
  const dangerous = [
    'exec("sh")', 'exec("/usr/bin/node", "a.js")', 'exec("python3.12")', 'exec("*")', 'exec("git", "**")', 'exec("npm", "test")', 'fs.read("**")', 'fs.write("./**")', 'fs.read("/etc/hosts")', 'fs.read("../x")',
    'fs.read(".ssh/**")', 'fs.write(".git/hooks/pre-commit")', 'fs.write("tek.permits.yaml")', 'net("*")', 'net("*:80")', 'net("localhost:3000")', 'net("169.254.169.254")', 'env("GITHUB_TOKEN")', 'env("*")', 'program.modify',
  ]
  expect(dangerous.filter(text => dangerOf(grant(text), false)?.isWarning !== true)).toEqual([])
  const harmless = ['exec("git", "status")', 'exec("ls", "**")', 'fs.read("src/**")', 'fs.write("report.html")', 'net("api.github.com")', 'env("CI")', 'git.read(".")', 'agent.spawn']
  expect(harmless.filter(text => dangerOf(grant(text), false) !== null)).toEqual([])
})

test('where commands are confined, a program that runs whatever it is told to is no warning, and everything else is', () => {
  for (const text of ['exec("sh", "**")', 'exec("*")', 'exec("git", "**")']) expect(dangerOf(grant(text), true)).toEqual({ says: 'confined to what is granted here', isWarning: false })
  expect(dangerOf(grant('fs.write("**")'), true)).toEqual(dangerOf(grant('fs.write("**")'), false))
  expect(dangerOf(grant('exec("git", "status")'), true)).toBeNull()
})

test.each([[3, 'sh \\*\\* {3}confined to what is granted here'], [2, 'sh \\*\\* {3}confined'], [1, 'sh \\*\\* {3}! can run any code, with all your rights'], [0, 'sh \\*\\* {3}! can run']] as const)('at level %i the question says %s', async (level, words) => {
  const who = person('d', 'n')
  await settle({ ...memoryHost(), isolation: async () => level } as MemoryHost, ['exec("sh", "**")'], who)
  expect(who.said).toMatch(new RegExp(`run {7}${words}`))
  expect(who.said).toMatch(new RegExp(`can exec\\("sh", "\\*\\*"\\) {3}${level >= 2 ? 'confined' : 'can run any code, with all your rights'}`))
})

test('the head of a run', () => {
  expect(headLine(asked('fs.write("report.html")', 'fs.read("**")'))).toBe('may read **; write report.html · no network')
  expect(headLine([])).toBe('may touch nothing · no network')
})

test('the source of a model\'s key is asked for without any `can`, and is not without use', () => {
  const bare = { ...planOf('llm("smart")'), secrets: [{ name: 'account', source: { kind: 'env', name: 'KEY' } }] } as unknown as Plan
  const plan = { ...bare, models: { smart: { key: 'account' } } } as unknown as Plan
  const permitted = [grant('llm("smart")'), grant('env("KEY")')]
  expect(unusedOf(permitted, plan, compared)).toEqual([])
  expect(unusedOf(permitted, bare, compared)).toEqual([grant('env("KEY")')])
})
