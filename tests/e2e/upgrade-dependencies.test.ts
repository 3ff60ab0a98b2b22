// Upgrade dependencies: the bundled program on real git repositories, with the real npm and a registry on loopback. Each package of the registry has one
// property that decides what becomes of it (upgrade-project.ts); what must never happen is looked for in the repository, not in what is printed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { startTek, tek, type Ended } from './binary.ts'
import { of, PACKAGES, upgradeProject, type UpgradeProject } from './upgrade-project.ts'

const { level } = await machineLevel()
const PATIENCE_MS = 400_000
const made: UpgradeProject[] = []
afterAll(async () => { for (const each of made) await each.close() })
const projectOf = async (...words: Parameters<typeof upgradeProject>): Promise<UpgradeProject> => {
  const one = await upgradeProject(...words)
  made.push(one)
  return one
}
const asked = (at: UpgradeProject, ...words: string[]): string[] => ['run', 'upgrade-dependencies', '--registry', at.registry.url, ...words]
const upgrade = (at: UpgradeProject, ...words: string[]): Promise<Ended> => tek(asked(at, ...words), { cwd: at.path, patienceMs: PATIENCE_MS })
const taken = (at: UpgradeProject): string[] => at.git('log', '--format=%s', 'main..tek/upgrades').split('\n').filter(line => line !== '').reverse()
/** No tree, no branch of a candidate is left; git knows of no working tree but the checkout. */
function expectTidy(at: UpgradeProject): void {
  expect(at.git('worktree', 'list').split('\n')).toHaveLength(1)
  expect(at.git('branch', '--format=%(refname:short)').split('\n').filter(name => name !== 'tek/upgrades')).toEqual(['main'])
  for (const tree of ['champion', 'candidate']) expect(existsSync(join(at.path, '.tek-work', tree))).toBe(false)
}

describe.skipIf(level < 2)('upgrade-dependencies', () => {
  test('what is good is on the branch; what breaks a test, runs fewer or is refused by a gate is not, and it is said why; the checkout is as it was', async () => {
    const at = await projectOf(['good', 'esm', 'fresh', 'licence', 'scripted', 'ui', 'ui-dom'])
    const before = at.fingerprint()
    const { code, out } = await upgrade(at)
    expect(out).toContain('5 tried: 2 safe, 2 break (runner, esm), 1 refused, 2 held back; the safe ones are on the branch tek/upgrades. Your checkout is untouched.')
    expect(out).toContain('esm 1.0.0 to 2.0.0: esm works: It fails in 2 of 2 runs')
    expect(out).toContain('runner 1.0.0 to 2.0.0: It ran 0 tests where 7 ran before.')
    expect(out).toContain('scripted 1.0.0 to 1.1.0: It brings an install script: scripted.')
    expect(out).toContain('fresh 1.0.0 to 1.0.1: It is 2 days old')
    expect(out).toContain("licence 1.0.0 to 1.1.0: Its licence (AGPL-3.0-only) asks more than today's (MIT).")
    expect(code).toBe(0)
    expect(at.fingerprint()).toBe(before)
    expect(taken(at)).toEqual(['Upgrade good from 1.0.0 to 1.1.0', 'Upgrade ui from 1.0.0 to 2.0.0'])
    expect(JSON.parse(at.git('show', 'tek/upgrades:package.json')).dependencies).toEqual({
      runner: '1.0.0', good: '1.1.0', esm: '1.0.0', fresh: '1.0.0', licence: '1.0.0', scripted: '1.0.0', ui: '2.0.0', 'ui-dom': '2.0.0',
    })
    expect(at.git('diff', '--name-only', 'main', 'tek/upgrades').split('\n')).toEqual(['package-lock.json', 'package.json'])
    expectTidy(at)
    const page = readFileSync(join(at.path, '.tek-work/upgrades.html'), 'utf8')
    for (const each of ['git merge tek/upgrades', 'ui (with ui-dom 2.0.0)', 'require() cannot be used', 'git cherry-pick ']) expect(page).toContain(each)
    expect(page).not.toContain(at.path)

    // Once more: what is taken is where it begins now, and nothing is committed a second time.
    const tip = at.git('rev-parse', 'tek/upgrades')
    const again = await upgrade(at, '--most', '1')
    expect(again.out).toContain('1 tried: 0 safe')
    expect(at.git('rev-parse', 'tek/upgrades')).toBe(tip)
  }, PATIENCE_MS)

  test('killed at any instant, it goes on, loses nothing and commits nothing twice', async () => {
    const at = await projectOf(['good', 'esm'])
    const before = at.fingerprint()
    const instants = [
      ['installed/installed', 'running'], ['known/start[1]/ran', 'running'], ['tried[0]/one/made/installed', 'running'], ['tried[0]/one/made/kept', 'running'], ['tried[0]/one/made/kept', 'done'],
      ['tried[0]/one/rounds/two/rounds[1]/tried/ran', 'running'], ['tried[0]/one/promoted', 'running'], ['tried[0]/one/promoted', 'done'], ['tried[0]/one/over/tree/known', 'running'],
      ['tried[1]/one/fresh/installed', 'running'], ['page', 'running'],
    ] as const
    let kills = 0
    for (const [path, status] of instants) {
      let seen = ''
      const words = kills === 0 ? asked(at, '--json') : ['resume', '--json']
      const { code } = await startTek(words, {
        cwd: at.path, patienceMs: PATIENCE_MS,
        onOut: (text, kill) => {
          seen += text
          if (seen.includes(`"path":"${path}","label":null,"status":"${status}"`)) kill('SIGKILL')
        },
      }).ended
      if (code !== null) break // it was over before the signal came
      kills++
      expect(at.fingerprint(), path).toBe(before)
      expect(at.git('log', '--format=%s', '--all').split('\n').filter(line => line.startsWith('Upgrade good')).length, path).toBeLessThanOrEqual(1)
    }
    expect(kills).toBeGreaterThanOrEqual(instants.length - 1)
    const { code, out } = await tek(['resume'], { cwd: at.path, patienceMs: PATIENCE_MS })
    expect(out).toContain('3 tried: 1 safe, 2 break (runner, esm)')
    expect(code).toBe(0)
    expect(taken(at)).toEqual(['Upgrade good from 1.0.0 to 1.1.0'])
    expect(at.fingerprint()).toBe(before)
    expectTidy(at)
  }, 2 * PATIENCE_MS)

  test('where somebody moved the branch meanwhile, the candidate is made and tested once more on the new tip', async () => {
    const at = await projectOf(['good'])
    let [seen, theirs] = ['', '']
    const { code, out } = await startTek(asked(at, '--json', '--most', '1'), {
      cwd: at.path, patienceMs: PATIENCE_MS,
      onOut: text => {
        seen += text
        if (theirs !== '' || !seen.includes('"path":"tried[0]/one/rounds/two/rounds[0]/before/ran"')) return
        theirs = at.git('commit-tree', 'main^{tree}', '-p', 'main', '-m', 'Somebody else')
        at.git('update-ref', 'refs/heads/tek/upgrades', theirs)
      },
    }).ended
    expect(out).toContain('"path":"tried[0]/again/promoted"')
    expect(code).toBe(0)
    expect(taken(at)).toEqual(['Somebody else', 'Upgrade good from 1.0.0 to 1.1.0'])
    expect(at.git('rev-parse', 'tek/upgrades~1')).toBe(theirs)
    expectTidy(at)
  }, PATIENCE_MS)

  test('an upgrade that fails now and then is on the branch only when at least three runs of it passed', async () => {
    const at = await projectOf(['shaky'], { packages: PACKAGES.filter(each => each.name !== 'runner' || each.version === '1.0.0') })
    const { out } = await upgrade(at)
    const [, verdict = ''] = /^ +(\w+) +shaky 1\.0\.0 to 1\.1\.0/m.exec(out) ?? []
    expect(['taken', 'breaks', 'unsure']).toContain(verdict)
    const names = at.git('branch', '--format=%(refname:short)').split('\n')
    expect(names.includes('tek/upgrades')).toBe(verdict === 'taken')
    const runs = /0?(\d+) → (\d+), (\d+) runs/.exec(readFileSync(join(at.path, '.tek-work/upgrades.html'), 'utf8'))
    expect(Number(runs?.[3])).toBeGreaterThanOrEqual(verdict === 'breaks' ? 1 : 3)
    expect(Number(runs?.[3])).toBeLessThanOrEqual(10)
  }, PATIENCE_MS)

  test('tests that fail before anything was changed end it with their names; those that are known may be accepted', async () => {
    const red = [of('red', '1.0.0', { files: { 'index.js': 'exports.version = "?"\n' } }), of('red', '1.0.1', { files: { 'index.js': 'exports.version = "still ?"\n' } })]
    const at = await projectOf(['red', 'good', 'esm'], { packages: [...PACKAGES.filter(each => each.name !== 'runner' || each.version === '1.0.0'), ...red] })
    const first = await upgrade(at)
    expect(first.code).toBe(1)
    expect(first.err).toContain('The tests fail before anything was changed: red works. Mend them, or pass --accept-known-failures.')
    expect(readFileSync(join(at.path, '.tek-work/upgrades.html'), 'utf8')).toContain('red works')
    expectTidy(at)
    const second = await upgrade(at, '--accept-known-failures')
    expect(second.out).toContain('3 tried: 2 safe, 1 breaks (esm)')
    expect(taken(at)).toEqual(['Upgrade red from 1.0.0 to 1.0.1', 'Upgrade good from 1.0.0 to 1.1.0'])
  }, PATIENCE_MS)

  test('nothing to judge by is no success: no test script, a suite that runs nothing, a branch that went its own way', async () => {
    const none = await projectOf(['good'], { manifest: { scripts: {} } })
    const first = await upgrade(none)
    expect(first.code).toBe(1)
    expect(first.err).toContain('tek run upgrade-dependencies --test "node test.js"')
    const nothing = await upgrade(none, '--test', 'echo "TAP version 13"; echo 1..0')
    expect(nothing.code).toBe(1)
    expect(nothing.err).toContain('The tests of the project ran nothing')
    none.write('sub/package.json', '{"name":"sub","scripts":{"test":"node test.js"}}')
    const below = await tek(asked(none), { cwd: join(none.path, 'sub') })
    expect(below.code).toBe(1)
    expect(below.err).toContain('not at the top of its repository')
    none.git('update-ref', 'refs/heads/tek/upgrades', none.git('commit-tree', 'main^{tree}', '-m', 'Apart'))
    const apart = await upgrade(none, '--test', 'node suite.js')
    expect(apart.code).toBe(1)
    expect(apart.err).toContain('have gone separate ways')
    expectTidy(none)
  }, PATIENCE_MS)

  test('what is not committed is not looked at and not touched; a registry that is gone is no verdict', async () => {
    const at = await projectOf(['good'], { packages: PACKAGES.filter(each => each.name !== 'runner' || each.version === '1.0.0') })
    writeFileSync(join(at.path, 'suite.js'), 'process.exit(1)\n')
    const before = at.fingerprint()
    at.write('.tek-work/candidate/left.txt', 'of a removal that was cut short')
    const { code, out } = await upgrade(at)
    expect(out).toContain('1 tried: 1 safe')
    expect(code).toBe(0)
    expect(at.fingerprint()).toBe(before)
    await at.registry.close()
    expect((await upgrade(at)).code).not.toBe(0)
    expect(at.fingerprint()).toBe(before)
  }, PATIENCE_MS)
})
