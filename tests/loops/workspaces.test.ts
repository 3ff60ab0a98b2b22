// Workspaces: candidates work on copies, a promotion is a switch of the whole, a rollback leaves every byte, also when killed anywhere.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import { hashTree } from '#host/trees.ts'
import { LoopWorld, loopWorlds, watchedJournal } from './loop-world.ts'

const world = loopWorlds()

/** Candidate n writes n into the site; odd ones are broken. */
const build = (over: string, more = '', can = 'fs.read("site/**"), fs.write("site/**")', cycles = 5) => `
workflow build(n: int) -> { passed: bool, text: untrusted string } {
  can fs.read("site/**"), fs.write("site/**")
  task page = fs.write("site/pages/v.txt", "version \${n}")
  task litter after page = fs.write("site/only-\${n}.txt", "x")
  task text after litter = fs.read("site/pages/v.txt")
  return { passed: n == 2 or n == 4, text: text }
}

loop better over ${over} {
  can ${can}
  limits { cycles: ${cycles} }
  decide = differentiate(cycle)
  differentiate -> int[] = [decide]
  ${more}
  run verify 3 agree 3 = build(candidate)
  score = if run.passed then float(candidate) / 10.0 else 0.0
}
`

const site = { 'site/index.html': '<p>one</p>', 'site/pages/v.txt': 'version 0', 'site/.tek/keep': 'mine', 'other.txt': 'o' }
const treeOf = (of: LoopWorld) => hashTree(join(of.folder, 'site'))
const files = (of: LoopWorld, folder = 'site'): string[] => readdirSync(join(of.folder, folder), { recursive: true, encoding: 'utf8' }).sort()

/** A host on which something happens each time that a workspace was made. */
function onceOpened(of: LoopWorld, happens: () => void): Host {
  const host = of.host()
  return { ...host, files: { ...host.files, async writeAtomic(path, data, options) {
    await host.files.writeAtomic(path, data, options)
    if (/\/\.tek\/work\/.*\.json$/.test(path)) happens()
  } } }
}

describe('over a copy', () => {
  test('what passes becomes the folder as a whole, what fails leaves nothing', async () => {
    const of = world(build('copy("site")'), { 'site/index.html': '<p>one</p>', 'site/pages/v.txt': 'version 0' })
    const { standing } = await of.drive()
    expect(standing).toMatchObject({ kind: 'ended', champion: { version: 2, candidate: 4 } })
    expect(readFileSync(join(of.folder, 'site/pages/v.txt'), 'utf8')).toBe('version 4')
    expect(files(of)).toEqual(['index.html', 'only-2.txt', 'only-4.txt', 'pages', 'pages/v.txt'])
    expect(await of.kept((store, key) => store.past(key, 5).map(each => each.end!.says))).toEqual([
      'rolled back, score 0: it did not pass', 'promoted version 2, score 0.4', 'rolled back, score 0: it did not pass', 'promoted version 1, score 0.2', 'rolled back, score 0: it did not pass',
    ])
    expect(existsSync(join(of.folder, '.tek/work'))).toBe(true)
    expect(readdirSync(join(of.folder, '.tek/work'), { recursive: true }).filter(each => String(each).includes('/'))).toEqual([])
    const [slug] = readdirSync(join(of.folder, '.tek/versions'))
    expect(readFileSync(join(of.folder, '.tek/versions', slug!, '0/pages/v.txt'), 'utf8')).toBe('version 0')
    expect(readFileSync(join(of.folder, '.tek/versions', slug!, '1/pages/v.txt'), 'utf8')).toBe('version 2')
  })

  test('a gate that is false: no file is made, and the journal holds nothing of a run', async () => {
    const of = world(build('copy("site")', 'gate "never" = candidate > 100'), site)
    const before = await hashTree(of.folder, { leftOut: ['.tek'] })
    const whole = await treeOf(of)
    const { standing } = await of.drive()
    expect(standing?.champion).toBe(null)
    expect(await treeOf(of)).toBe(whole)
    expect(await hashTree(of.folder, { leftOut: ['.tek'] })).toBe(before)
    expect(readdirSync(join(of.folder, '.tek')).filter(each => !each.startsWith('tek.db'))).toEqual([])
    const kinds = await of.kept((store, key, journal) => store.past(key, 5).flatMap(({ runId }) => [...journal.openRun(runId)!.log.events()].flatMap(each => (each.kind === 'call-started' ? [each.name] : []))))
    expect(new Set(kinds)).toEqual(new Set(['@loop.health', '@loop.decision', '@loop.candidates', '@loop.gates', '@loop.best', '@loop.close']))
  })

  test('the folder was changed meanwhile: nothing is switched, and what was written stays', async () => {
    const of = world(build('copy("site")'), { 'site/pages/v.txt': 'version 0' })
    let made = 0
    await of.drive({ host: onceOpened(of, () => writeFileSync(join(of.folder, `site/mine-${++made}.txt`), 'mine')) })
    expect(made).toBe(5)
    expect(files(of)).toEqual(['mine-1.txt', 'mine-2.txt', 'mine-3.txt', 'mine-4.txt', 'mine-5.txt', 'pages', 'pages/v.txt'])
    expect(readFileSync(join(of.folder, 'site/pages/v.txt'), 'utf8')).toBe('version 0')
    expect(await of.kept((store, key) => store.past(key, 5).map(each => each.end!.says))).toContain('rolled back, score 0.4: `site` was changed by somebody while a candidate was tried: what was tested is not what it would become.')
  })

  test.each([['the project itself', 'copy(".")', 'the project itself'], ['outside', 'copy("../x")', 'lies outside'], ['nothing there', 'copy("none")', 'no such folder']])('%s is no workspace', async (_name, over, reason) => {
    const of = world(build(over, '', 'fs.read("**"), fs.write("**"), fs.read("../**")'), { 'site/pages/v.txt': 'version 0' })
    const { standing } = await of.drive()
    expect(standing?.champion).toBe(null)
    const said = await of.kept((store, key) => store.decisions(key, 50).map(each => each.rationale).join('\n'))
    expect(said).toContain(reason)
    const codes = await of.kept((store, key, journal) => store.past(key, 5).flatMap(({ runId }) => [...journal.openRun(runId)!.log.events()].flatMap(each => (each.kind === 'call-finished' && each.outcome.kind === 'failure' ? [each.outcome.failure.code] : []))))
    expect(new Set(codes)).toEqual(new Set(['loop/no-workspace']))
  })

  test('a link in its place is no workspace', async () => {
    const of = world(build('copy("site")'), { 'real/pages/v.txt': 'version 0' })
    execFileSync('ln', ['-s', 'real', join(of.folder, 'site')])
    await of.drive()
    expect(readFileSync(join(of.folder, 'real/pages/v.txt'), 'utf8')).toBe('version 0')
  })

  test('without the grant to write there, nothing is promoted', async () => {
    const of = world(build('copy("site")', '', 'fs.read("site/**"), fs.write("site/pages/**"), fs.write("site/only-*")'), { 'site/pages/v.txt': 'version 0' })
    const { standing } = await of.drive()
    expect(standing?.champion).toBe(null)
    expect(readFileSync(join(of.folder, 'site/pages/v.txt'), 'utf8')).toBe('version 0')
    expect(await of.kept((store, key) => store.decisions(key, 50).map(each => each.rationale).join('\n'))).toContain('nothing grants it')
  })

  test('killed after any write, the folder is one version whole, and the loop ends as it would have', async () => {
    const short = build('copy("site")', '', 'fs.read("site/**"), fs.write("site/**")', 2)
    const of = world(short, { 'site/pages/v.txt': 'version 0' })
    const keep = `${of.folder}-states`
    const states: string[] = []
    mkdirSync(join(of.folder, '.tek'))
    const watched = await watchedJournal(of.database, index => {
      const at = join(keep, String(index))
      cpSync(of.folder, at, { recursive: true, filter: source => !/tek\.db/.test(source) })
      states.push(at)
    })
    const around = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      watched.snap()
      const result = await work()
      watched.snap()
      return result
    }
    const host = of.host()
    const trees = await host.trees!()
    const seen: Host = {
      ...host, files: { ...host.files, rename: (from, to, options) => around(() => host.files.rename(from, to, options)) },
      trees: async () => ({ ...trees, exchange: (a, b, spare) => around(() => trees.exchange(a, b, spare)) }),
    }
    await of.drive({ journal: watched.journal, host: seen })
    const want = await treeOf(of)
    const { snapshots } = watched
    watched.close()
    try {
      expect(states.length).toBeGreaterThan(50)
      for (const [index, at] of states.entries()) {
        const third = world(short)
        rmSync(third.folder, { recursive: true })
        cpSync(at, third.folder, { recursive: true })
        writeFileSync(third.database, snapshots[index]!)
        const page = readFileSync(join(third.folder, 'site/pages/v.txt'), 'utf8')
        const marks = files(third).filter(each => each.startsWith('only-')).join()
        expect({ 'version 0': '', 'version 2': 'only-2.txt', 'version 4': 'only-2.txt,only-4.txt' }[page], `after write ${index + 1}`).toBe(marks)
        const [began] = (await third.drive()).events
        const hadEnded = began?.kind === 'loop-began' && !began.resumed && began.champion > 0 // then this was another series
        if (!hadEnded) expect(await treeOf(third), `after write ${index + 1} of ${states.length}`).toBe(want)
        third.remove()
      }
    } finally {
      rmSync(keep, { recursive: true, force: true })
    }
  }, 300_000)
})

const hasGit = (() => {
  try {
    return execFileSync('git', ['--version']).length > 0
  } catch {
    return false
  }
})()

describe.skipIf(!hasGit)('over a git repository', () => {
  const git = (of: LoopWorld, ...args: string[]): string => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: of.folder, encoding: 'utf8' }).trim()
  const repository = (): LoopWorld => {
    const of = world(build('git(".")', '', 'fs.read("**"), fs.write("site/**"), git.branch("tek/**")'), { 'site/pages/v.txt': 'version 0', '.gitignore': '.tek\n' })
    git(of, 'init', '-q', '-b', 'main')
    git(of, 'add', '-A')
    git(of, 'commit', '-qm', 'first')
    return of
  }

  test('the champion is a branch; checkout, index and current branch stay', async () => {
    const of = repository()
    writeFileSync(join(of.folder, 'site/pages/v.txt'), 'edited, not committed')
    git(of, 'add', '-A')
    const before = [git(of, 'status', '--porcelain'), git(of, 'rev-parse', 'HEAD'), git(of, 'symbolic-ref', 'HEAD'), git(of, 'write-tree')]
    const { standing } = await of.drive()
    expect(standing).toMatchObject({ champion: { version: 2, candidate: 4 } })
    expect([git(of, 'status', '--porcelain'), git(of, 'rev-parse', 'HEAD'), git(of, 'symbolic-ref', 'HEAD'), git(of, 'write-tree')]).toEqual(before)
    expect(git(of, 'show', 'tek/better:site/pages/v.txt')).toBe('version 4')
    expect(git(of, 'log', '--format=%s', 'tek/better')).toBe('better: version of cycle 4\nbetter: version of cycle 2\nfirst')
    expect(readFileSync(join(of.folder, 'site/pages/v.txt'), 'utf8')).toBe('edited, not committed')
  })

  test('a branch that somebody moved is not overwritten', async () => {
    const of = repository()
    git(of, 'branch', 'tek/better', 'main')
    let times = 0
    const { standing } = await of.drive({ host: onceOpened(of, () => git(of, 'update-ref', 'refs/heads/tek/better', git(of, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', `by somebody ${++times}`))) })
    expect(standing?.champion).toBe(null)
    expect(git(of, 'log', '--format=%s', 'tek/better')).toBe('by somebody 5\nfirst')
  })

  test('a repository whose settings run programs is refused', async () => {
    const of = repository()
    git(of, 'config', 'filter.x.clean', 'touch hacked')
    await of.drive()
    expect(existsSync(join(of.folder, 'hacked'))).toBe(false)
    expect(await of.kept((store, key) => store.decisions(key, 50).map(each => each.rationale).join('\n'))).toContain('filter.x.clean')
  })
})
