// Changed program: `tek resume` of a run whose program was edited meanwhile, by the built binary.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { project, tek, type Ended } from './binary.ts'

const program = `workflow flow(n: int = 10) -> int {
  can fs.read("**"), fs.write("out/**")
  limits { calls: 8 }

  task a = len(fs.read("in.txt"))
  task b = fs.write("out/b.txt", "\${a}")
  task slow for x in take(range(n), 5 + a) after b = len(fs.read("in.txt")) + x
  task c = sum(slow) + a
  return c
}
`
const folders: { remove(): void }[] = []
afterAll(() => folders.forEach(each => each.remove()))

/** A folder with a run that stopped at its limit, and the program changed. */
async function stopped(change: (text: string) => string): Promise<{ path: string; runId: string; resume: (...words: string[]) => Promise<Ended> }> {
  const folder = project({ 'flow.tek': program, 'in.txt': 'hello\n' })
  folders.push(folder)
  const ended = await tek(['run', 'flow.tek', '--json'], { cwd: folder.path })
  expect(ended.code, ended.err).toBe(5)
  const runId = /"runId":"(\w+)"/.exec(ended.out)![1]!
  writeFileSync(join(folder.path, 'flow.tek'), change(program))
  return { path: folder.path, runId, resume: (...words) => tek(['resume', ...words], { cwd: folder.path }) }
}

const raised = (text: string): string => text.replace('calls: 8', 'calls: 80')

describe('the program has changed', () => {
  test('it is said what has, and nothing is done', async () => {
    const { resume, runId } = await stopped(raised)
    const { code, out, err } = await resume(runId)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/limit calls\n +- 8\n +\+ 80\n/)
    expect(err).toContain('run/program-changed')
    expect(err).toContain('--as-recorded')
    const json = JSON.parse((await resume(runId, '--json')).out) as { diagnostics: { code: string }[] }
    expect(json.diagnostics.map(each => each.code)).toEqual(['run/program-changed'])
  })

  test('--as-recorded goes on with the old one, and reaches its limit again', async () => {
    const { resume, runId } = await stopped(raised)
    expect((await resume(runId, '--as-recorded')).code).toBe(5)
  })

  test('--migrate goes on with the new one, as a new run; the old one is over', async () => {
    const { resume, runId, path } = await stopped(raised)
    const dry = await resume('--migrate', '--dry-run')
    expect({ code: dry.code, err: dry.err }).toEqual({ code: 0, err: 'kept 8, begins again 0\n' })
    const { code, out, err } = await resume('--migrate')
    expect({ code, out }, err).toEqual({ code: 0, out: '111\n' })
    expect(err).toContain('wrote 0')
    expect((await resume(runId)).err).toContain('run/superseded')
    expect((await resume(runId, '--migrate')).err).toContain('run/superseded')
    const [latest, first] = JSON.parse((await tek(['runs', '--json'], { cwd: path })).out).runs as { state: string; successor?: string; runId: string; origin: unknown }[]
    expect(latest).toMatchObject({ state: 'done', origin: { runId, task: '', migrated: true } })
    expect(first).toMatchObject({ state: 'superseded', successor: latest!.runId })
    const again = await resume(latest!.runId, '--migrate')
    expect([again.code, again.err]).toEqual([2, expect.stringContaining(`cli/nothing-to-resume: The run \`${latest!.runId.slice(0, 8)}\` is done`)])
  })

  test('what had written writes again only when told', async () => {
    const { resume, runId, path } = await stopped(text => raised(text).replace('"${a}"', '"${a}!"'))
    const refused = await resume('--migrate')
    expect(refused.code).toBe(2)
    expect(refused.err).toContain('begins again 7: b, slow\nwrites again: b\n')
    expect(refused.err).toContain('run/would-write-again')
    expect(readFileSync(join(path, 'out/b.txt'), 'utf8')).toBe('6')
    const { code, err } = await resume(runId, '--migrate', '--repeat-writes')
    expect(code, err).toBe(0)
    expect(readFileSync(join(path, 'out/b.txt'), 'utf8')).toBe('6!')
  })

  test('only the flags that fit together', async () => {
    for (const words of [['--migrate', '--as-recorded'], ['--dry-run'], ['--repeat-writes']]) expect((await tek(['resume', ...words])).code).toBe(2)
    expect((await tek(['resume', '--dry-run'])).err).toMatch(/cli\/unfit-option: `--dry-run` is only for `--migrate`\.\n.*Add `--migrate`, or leave `--dry-run` out\./)
    expect((await tek(['resume', '--migrate', '--as-recorded'])).err).toContain('cli/unfit-option: `--as-recorded` and `--migrate` exclude each other.')
  })
})

describe('nothing stands in the way', () => {
  test('layout and comments', async () => {
    const { resume, runId } = await stopped(text => text.replace('  task c =', '\n  // the sum\n  task c   ='))
    expect((await resume(runId)).code).toBe(5)
    expect((await resume(runId, '--migrate')).err).toContain('The program is as it was.')
  })

  test('a program that does not compile any more, or is gone', async () => {
    const { resume, runId, path } = await stopped(text => `${text}task`)
    const broken = await resume(runId)
    expect(broken.code).toBe(5)
    expect(broken.err).toContain('flow.tek does not compile any more: the run goes on with the program as it was.')
    expect((await resume(runId, '--migrate')).code).toBe(3)
    rmSync(join(path, 'flow.tek'))
    const gone = await resume(runId)
    expect(gone.code).toBe(5)
    expect(gone.err).toContain('flow.tek is not there any more: the run goes on with the program as it was.')
  })
})
