// Loops as a user's shell runs them: killed again and again, stopped from another terminal, asked, shown, taken back.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { project, startTek, tek } from './binary.ts'

const open: { remove(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.remove()
})
const folder = (files: Record<string, string>) => {
  const made = project(files)
  open.push(made)
  return made
}

const steps = (more: string) => `
workflow build(n: int) -> { passed: bool } {
  can fs.write("site/**")
  task rest wait 20ms = n
  task page = fs.write("site/v.txt", "version \${rest}")
  task rests after page wait 20ms = n
  return { passed: rests % 3 != 0 }
}

loop better over copy("site") {
  can fs.read("site/**"), fs.write("site/**"), fs.write("done/**")
  limits { cycles: 8 }
  ${more}
  differentiate = cycle
  run verify 3 agree 3 = build(candidate)
  score = if run.passed then float(candidate) / 10.0 else 0.0
  promote when score > champion.score do fs.write("done/\${candidate}.txt", "done")
  rollback when not run.passed do note("not \${candidate}")
}
`.replace('rests % 3 != 0', 'mod(rests, 3) != 0')

test('killed at any moment, it ends as it would have', async () => {
  const { path } = folder({ 'main.tek': steps(''), 'site/v.txt': 'version 0' })
  let kills = 0
  let seed = 11
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
  for (;;) {
    const { child, ended } = startTek(['run', 'main.tek', 'better'], { cwd: path })
    let timer: NodeJS.Timeout | undefined
    child.stderr!.once('data', () => (timer = setTimeout(() => child.kill('SIGKILL'), 20 + random() * 250 * (1 + kills / 5)))) // ever later: a busy machine gets somewhere, too
    const { code, err } = await ended
    clearTimeout(timer)
    expect(/^version \d$/.test(readFileSync(join(path, 'site/v.txt'), 'utf8'))).toBe(true)
    if (code !== null) {
      expect(code, err).toBe(0)
      break
    }
    if (++kills > 100) throw new Error('it makes no progress')
  }
  expect(kills).toBeGreaterThan(2)
  const { out } = await tek(['show', 'better', '--json'], { cwd: path })
  const shown = JSON.parse(out) as { champion: { version: number; candidate: number }; versions: { version: number; candidate: number }[]; cycles: { end: { says: string } }[] }
  expect(shown.champion).toMatchObject({ version: 6, candidate: 8 })
  expect(shown.versions.map(each => each.candidate)).toEqual([8, 7, 5, 4, 2, 1, null])
  expect(shown.cycles.length).toBe(8)
  expect(readFileSync(join(path, 'site/v.txt'), 'utf8')).toBe('version 8')
  for (const each of [1, 2, 4, 5, 7, 8]) expect(readFileSync(join(path, `done/${each}.txt`), 'utf8')).toBe('done')
}, 240_000)

test('stopped from another terminal, it goes on with the open cycle', async () => {
  const { path } = folder({ 'main.tek': steps(''), 'site/v.txt': 'version 0' })
  let stopped: Promise<{ code: number | null; out: string }> | null = null
  const first = await tek(['run', 'main.tek', 'better'], { cwd: path, onErr: text => {
    if (text.includes('cycle 1')) stopped ??= tek(['stop', 'better'], { cwd: path })
  } })
  expect(first.code).toBe(5)
  expect((await stopped!).out).toContain('better is stopping. `tek run main.tek better` goes on with it.')
  const second = await tek(['run', 'main.tek', 'better'], { cwd: path })
  expect(second.code, second.err).toBe(0)
  expect(second.err).toContain('better goes on after')
  expect((await tek(['stop', 'better'], { cwd: path })).out).toBe('better is not running.\n')
}, 120_000)

test('it asks a person, is answered elsewhere, and goes on', async () => {
  const { path } = folder({ 'main.tek': steps('decide = if cycle == 2 then escalate("Try the second?") else differentiate(cycle)'), 'site/v.txt': 'version 0' })
  const first = await tek(['run', 'main.tek', 'better'], { cwd: path })
  expect(first.code).toBe(6)
  expect(first.err).toContain('Try the second?')
  const id = /tek approve escalate (\w+)/.exec(first.err)![1]!
  expect((await tek(['approve', 'escalate', id], { cwd: path })).code).toBe(0)
  const second = await tek(['run', 'main.tek', 'better'], { cwd: path })
  expect(second.code, second.err).toBe(0)
  expect((await tek(['show', 'better', '--decisions'], { cwd: path })).out).toMatch(/2 +decide +escalated +escalate: Try the second\?/)
}, 120_000)

test('what is not there is said', async () => {
  const { path } = folder({ 'main.tek': steps(''), 'site/v.txt': 'version 0', 'evolving.tek': 'limits { selfModification: true }\nworkflow w() -> int { return 1 }\nloop l evolves w {\n  limits { cycles: 1 }\n}\n' })
  expect((await tek(['run', 'main.tek', 'better', '--no-journal'], { cwd: path })).err).toContain('loop/no-journal')
  expect((await tek(['run', 'main.tek', 'worse'], { cwd: path })).err).toContain('Its loops: better.')
  await tek(['run', 'main.tek', 'better'], { cwd: path })
  expect((await tek(['versions', 'worse'], { cwd: path })).err).toContain('loop/unknown-loop')
  expect((await tek(['rollback', 'better', '77'], { cwd: path })).err).toContain('loop/unknown-version')
  expect((await tek(['run', 'evolving.tek', 'l'], { cwd: path })).err).toContain('loop/cannot-evolve')
  expect((await tek(['plan', 'main.tek'], { cwd: path })).out).toMatch(/loop better\n +tries on +a copy of site/)
}, 120_000)

test('what a stage must come to is looked at: a run that is not ensured is taken back', async () => {
  const program = (holds: string): string => `workflow one(x: int) -> bool {\n  return x > 0\n}\n\nloop l {\n  limits { cycles: 1 }\n  decide = differentiate(cycle)\n  differentiate -> int[] = [1]\n  run ensure ${holds} else "never" = one(candidate)\n  score = 1.0\n}\n`
  const { path } = folder({ 'good.tek': program('answer == (candidate == 1)'), 'bad.tek': program('not answer') })
  expect((await tek(['run', 'good.tek', 'l'], { cwd: path })).err).not.toContain('run/not-ensured')
  expect((await tek(['run', 'bad.tek', 'l'], { cwd: path })).err).toContain('rolled back, score 1: run/not-ensured')
}, 120_000)
