// Control: what a person does from another command line to a run that waits, or that another process drives.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { PersonSaid, RecordedRun, RunReport } from '#model/report.ts'
import { project, startTek, tek, type Ended } from './binary.ts'

const can = '  can exec("sh", "-c", "*"), fs.read("**"), fs.write("**")\n\n'
/** Ends when there is a file; says that it is there by another. */
const until = (name: string, more = ''): string => `shell.run("sh", "-c", "touch begun-${name}; while ! test -f go-${name}; do sleep 0.05; done")${more}`
const folder = project({
  'flow.tek': 'workflow flow(version: string = "1.2") -> string {\n  task build = version\n\n  task deploy after build approve "Deploy ${version} to production?" = "deployed ${build}"\n\n  return deploy\n}\n',
  'soft.tek': 'workflow soft() -> string {\n  task deploy approve "Deploy?" on failure use error.code = "deployed"\n\n  return deploy\n}\n',
  'timed.tek': 'workflow timed() -> string {\n  task deploy approve "Deploy?" within 200ms escalate "the owner" within 300ms on failure use error.message = "deployed"\n\n  return deploy\n}\n',
  'items.tek': `workflow items() -> string[] {\n${can}  task built for n in ["a", "b"] on failure use "given up" = if n == "a" then ${until('a', '.stdout')} else "b"\n\n  return built\n}\n`,
  'inner.tek': `workflow test() -> bool {\n${can}  task unit = ${until('unit', '.ok')}\n\n  return unit\n}\n\nworkflow outer() -> string {\n${can}  task checked on failure use false = test()\n\n  return if checked then "tested" else "not tested"\n}\n`,
  'long.tek': `workflow long() -> string[] {\n${can}  task first = ${until('first', '.stdout')}\n\n  task second after first = ${until('second', '.stdout')}\n\n  return [first, second]\n}\n`,
  'busy.tek': `workflow busy() -> string {\n${can}  task hold = ${until('hold', '.stdout')}\n\n  task deploy approve "Deploy?" = "deployed"\n\n  return "${'$'}{hold}${'$'}{deploy}"\n}\n`,
  'many.tek': 'workflow lot() -> int[] {\n  task many for n in range(120) parallel 120 approve "Item ${n}?" = n\n\n  return many\n}\n',
  'later.tek': 'workflow later() -> int {\n  task late wait 2h = 1\n\n  return late\n}\n',
})
const run = (...words: string[]): Promise<Ended> => tek(/^(run|resume|fork|approve|refuse|cancel)$/.test(words[0]!) ? [...words, '--allow-all', '--unconfined'] : words, { cwd: folder.path })
const start = (...words: string[]): ReturnType<typeof startTek> => startTek([...words, '--allow-all', '--unconfined'], { cwd: folder.path })
const runs = async (): Promise<RecordedRun[]> => (JSON.parse((await run('runs', '--json')).out) as { runs: RecordedRun[] }).runs
const newest = async (): Promise<RecordedRun> => (await runs())[0]!
const report = async (name = 'last'): Promise<RunReport> => JSON.parse((await run('show', name, '--json')).out) as RunReport
const said = async (): Promise<readonly PersonSaid[]> => (await report()).said ?? []
const there = (name: string): boolean => existsSync(join(folder.path, name))
async function see(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 30))
}
const marks = ['a', 'unit', 'first', 'second', 'hold']
/** Every test begins with an empty journal: "the only question" is then its own. */
afterEach(async () => {
  await run('stop', '--all')
  rmSync(join(folder.path, '.tek'), { recursive: true, force: true })
  for (const name of marks) for (const kind of ['go', 'begun']) rmSync(join(folder.path, `${kind}-${name}`), { force: true })
})
afterAll(() => folder.remove())

describe('an answer', () => {
  test('to a run that no process drives is kept; whoever goes on with the run takes it', async () => {
    expect((await run('run', 'flow.tek')).code).toBe(6)
    expect(await newest()).toMatchObject({ state: 'waiting', driver: null, waits: [{ task: 'deploy' }] })
    const approved = await run('approve', '--note', 'checked')
    expect(approved.out).toMatch(/^([0-9a-f]{8}): `deploy` is approved, and recorded: `tek resume \1` or `tek serve` goes on with the run\.\n$/)
    expect(approved.code).toBe(0)
    const resumed = await run('resume')
    expect([resumed.code, resumed.out]).toEqual([0, 'deployed 1.2\n'])
    expect(await said()).toEqual([expect.objectContaining({ task: 'deploy', verdict: 'approved', by: expect.stringMatching(/tek approve$/), note: 'checked' })])
    expect((await run('show', 'last')).out).toMatch(/said by people\n {2}deploy: approved by .*tek approve, .* · checked\n/)
  })

  test('--resume goes on at once, with the result of the run', async () => {
    await run('run', 'flow.tek')
    const approved = await run('approve', 'deploy', '--resume')
    expect([approved.code, approved.out]).toEqual([0, 'deployed 1.2\n'])
    await run('run', 'flow.tek')
    const refused = await run('refuse', 'deploy', '--resume', '--note', 'not on a Friday')
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/error run\/refused-by-person[\s\S]*not on a Friday/)
  })

  test('shows what is answered; --quiet does not; for programs it is JSON, with --resume the events of the run', async () => {
    await run('run', 'flow.tek')
    const shown = await run('approve')
    expect(shown.err).toMatch(/^\? deploy asks\n {2}\| Deploy 1\.2 to production\?\n {2}since /)
    await run('resume')
    await run('run', 'flow.tek')
    expect((await run('approve', '--quiet')).err).toBe('')
    await run('resume', '--quiet')
    await run('run', 'flow.tek')
    const recorded = await run('refuse', 'deploy', '--note', 'no', '--json')
    expect([JSON.parse(recorded.out), recorded.err]).toEqual([
      { version: 1, kind: 'recorded', runId: (await newest()).runId, request: { kind: 'answer', task: 'deploy', verdict: 'refused', by: expect.stringMatching(/tek refuse$/), note: 'no' } }, '',
    ])
    await run('run', 'flow.tek')
    const events = (await run('approve', '--resume', '--json', '--workers', '1', '--yes', '--drain', '1s')).out.trimEnd().split('\n').map(line => JSON.parse(line) as { kind: string })
    expect(events.at(-1)).toMatchObject({ kind: 'run-finished', summary: { status: 'done' } })
  })

  test('is not recorded where an option cannot be read; with --resume, a changed program is a question of its own', async () => {
    await run('run', 'flow.tek')
    expect((await run('approve', '--workers', 'many')).err).toContain('cli/bad-value')
    expect((await run('approve', '--note', 'x'.repeat(4_001))).err).toContain('cli/bad-value')
    expect((await newest()).state).toBe('waiting')
    const before = readFileSync(join(folder.path, 'flow.tek'), 'utf8')
    folder.write('flow.tek', before.replace('"deployed ', '"released '))
    const changed = await run('approve', '--resume')
    expect(changed.err).toContain('run/program-changed')
    expect((await run('resume', '--as-recorded')).out).toBe('deployed 1.2\n')
    folder.write('flow.tek', before)
  })

  test('of a fork as of any run: --yes gives it', async () => {
    await run('run', 'flow.tek', '--yes')
    expect((await run('fork', 'last', '--from', 'deploy')).code).toBe(6)
    expect((await run('approve', '--resume')).out).toBe('deployed 1.2\n')
    expect((await run('fork', 'last', '--from', 'deploy', '--yes')).out).toBe('deployed 1.2\n')
  })

  test('of no fails the task: what its `on failure` says follows', async () => {
    await run('run', 'soft.tek')
    expect((await run('refuse', 'deploy')).out).toContain('`deploy` is refused, and recorded')
    const resumed = await run('resume')
    expect([resumed.code, resumed.out]).toEqual([0, 'run/refused-by-person\n'])
  })

  test('to a run that another process drives is taken by it', async () => {
    const { ended, child } = start('run', 'busy.tek')
    await see(async () => there('begun-hold') && (await runs())[0]?.waits?.length === 1)
    expect((await run('waits')).out).toMatch(/· running\n {2}waits for you: deploy — Deploy\?/)
    expect((await run('approve')).out).toMatch(new RegExp(`^[0-9a-f]{8}: \`deploy\` is approved; process ${child.pid} goes on with the run\\.\n$`))
    folder.write('go-hold', '')
    const { code, out } = await ended
    expect([code, out]).toEqual([0, 'deployed\n'])
  })

  test.each([['that nobody drives', false], ['that a process drives', true]])('the first of two counts, in a run %s; whoever comes second learns what was said', async (_, isDriven) => {
    const started = isDriven ? start('run', 'busy.tek') : null
    if (started === null) await run('run', 'flow.tek')
    await see(async () => (await runs())[0]?.waits?.length === 1)
    const both = await Promise.all([run('approve', 'deploy', 'last'), run('refuse', 'deploy', 'last')])
    const [won, lost] = both[0].code === 0 ? both : [both[1], both[0]]
    expect(won.code).toBe(0)
    expect(lost.code).toBe(1)
    const verdict = won === both[0] ? 'approved' : 'refused'
    expect(lost.err).toMatch(new RegExp(`error run/answered-before: \`deploy\` was ${verdict} before this by .*tek ${verdict === 'approved' ? 'approve' : 'refuse'}`))
    folder.write('go-hold', '')
    const { code } = started === null ? await run('resume') : await started.ended
    expect(code).toBe(verdict === 'approved' ? 0 : 1)
    expect((await said()).map(each => each.verdict)).toEqual([verdict])
  })

  test('that nobody gives in time is a failure, after it was passed on', async () => {
    const { code, out } = await run('run', 'timed.tek')
    expect([code, out]).toEqual([0, expect.stringContaining('passed on to the owner')])
  })
})

describe('what cannot be', () => {
  test('a run that is finished, a task that is not there, that asks nothing or is over, nothing at all', async () => {
    expect((await run('approve')).err).toContain('cli/nothing-asks')
    await run('run', 'flow.tek', '--yes')
    const finished = await run('approve', 'deploy', 'last')
    expect(finished.err).toMatch(/run\/answered-before: `deploy` was approved before this by --yes, at /)
    expect(finished.code).toBe(1)
    expect((await run('cancel', 'deploy', 'last')).err).toContain('run/finished-already')
    expect((await run('approve', 'build', 'last')).err).toContain('run/finished-already')
    expect((await run('approve', 'deploy')).err).toContain('cli/nothing-asks')
    await run('run', 'flow.tek')
    const unknown = await run('approve', 'deplyo')
    expect(unknown.err).toMatch(/cli\/unknown-question[\s\S]*Did you mean `deploy`\?/)
    expect(unknown.code).toBe(2)
    expect((await run('refuse', 'deplyo', 'last')).err).toMatch(/run\/unknown-task[\s\S]*Did you mean `deploy`\?/)
    expect((await run('approve', 'build', 'last')).err).toContain('run/over-before')
    expect((await run('cancel', 'biuld')).err).toMatch(/run\/unknown-task[\s\S]*Did you mean `build`\?/)
    expect((await run('cancel', 'build')).err).toContain('run/over-before')
    expect((await run('approve', 'deploy', 'zzzz')).err).toContain('cli/unknown-run')
    expect((await run('cancel')).err).toContain('cli/missing-argument')
    expect((await run('approve', 'deploy', 'last', 'x')).err).toContain('cli/too-many-arguments')
    await run('approve')
    expect((await run('approve')).err).toContain('cli/nothing-asks')
    expect((await run('approve', 'deploy')).err).toContain('run/answered-before')
    expect((await run('waits')).out).toMatch(/since .* · approved by .*, tek approve: tek resume [0-9a-f]{8}\n$/)
    expect(JSON.parse((await run('waits', '--json')).out)).toMatchObject({ waits: [{ answer: { verdict: 'approved' } }] })
  })

  test('several questions: the task is named, and the run where two ask by the same task', async () => {
    await run('run', 'flow.tek')
    await run('run', 'soft.tek')
    const [soft, flow] = (await runs()).map(each => each.runId.slice(0, 8))
    const which = await run('approve')
    expect(which.err).toMatch(new RegExp(`cli/several-ask[\\s\\S]*\`deploy ${soft}\`, \`deploy ${flow}\``))
    expect(which.code).toBe(2)
    expect((await run('approve', 'deploy')).err).toContain('cli/several-ask')
    expect((await run('approve', flow!)).out).toContain(`${flow}: \`deploy\` is approved`) // no task has that name
    expect((await run('cancel', 'deploy')).err).toContain('cli/several-runs')
    expect((await run('cancel', 'build', flow!)).err).toContain('run/over-before')
    expect((await run('refuse', 'deploy', soft!.slice(0, 6))).code).toBe(0)
  })
})

describe('a pause', () => {
  test('lets what runs finish, begins nothing new; only resume goes on', async () => {
    const { ended, child } = start('run', 'long.tek')
    await see(() => there('begun-first'))
    expect((await run('pause')).out).toMatch(new RegExp(`^([0-9a-f]{8}) begins nothing new: process ${child.pid} finishes what runs, then ends\\. \`tek resume \\1\` goes on with it\\.\n$`))
    expect((await newest()).state).toBe('running') // its task is not cut short
    folder.write('go-first', '')
    const { code, err } = await ended
    expect(code).toBe(6)
    expect(err).toMatch(/paused long · 1 of 2 tasks[\s\S]*`tek resume [0-9a-f]{8}` goes on with it; nothing else does\./)
    expect(there('begun-second')).toBe(false)
    expect(await newest()).toMatchObject({ state: 'paused' })
    expect((await run('runs')).out).toMatch(/ {2}paused /)
    folder.write('go-second', '')
    rmSync(join(folder.path, 'begun-first'))
    expect((await run('resume')).code).toBe(0)
    expect(there('begun-first')).toBe(false) // it was not done again
  })

  test('a stop of a run that waits says how it is kept from being woken', async () => {
    expect((await run('run', 'flow.tek')).code).toBe(6)
    expect((await run('stop', 'last')).out).toMatch(/^([0-9a-f]{8}) is not running: it waits\. `tek pause \1` keeps it from being gone on with\.\n$/)
  })

  test('of a run that waits keeps it from being woken; of one that is over says so', async () => {
    await run('run', 'flow.tek')
    expect((await run('pause')).err).toMatch(/^Nothing is running here\. What waits is kept from being woken by `tek pause RUN`/)
    expect((await run('pause', 'last')).out).toMatch(/^([0-9a-f]{8}) is paused\. `tek resume \1` goes on with it\.\n$/)
    expect((await newest()).state).toBe('paused')
    expect((await run('waits')).out).toContain('· paused\n')
    expect((await run('pause', 'last')).out).toContain('is not running')
    // `tek serve` wakes no paused run, so it is not named; an empty note is none.
    expect((await run('approve', '--note', ' ')).out).toMatch(/^([0-9a-f]{8}): `deploy` is approved, and recorded: `tek resume \1` goes on with the run\.\n$/)
    expect((await run('resume')).out).toBe('deployed 1.2\n')
    expect((await said())[0]).not.toHaveProperty('note')
    expect(JSON.parse((await run('pause', 'last', '--json')).out)).toEqual({ version: 1, runs: [{ kind: 'not-running', runId: (await newest()).runId }] })
  })

  test('several runs: name one or all of them', async () => {
    const both = [start('run', 'long.tek'), start('run', 'items.tek')]
    await see(() => there('begun-first') && there('begun-a'))
    expect((await run('runs')).out).toMatch(/^(?:\S+ {2}\S+ \S+ {2}running +(?:long\.tek long|items\.tek items) · process \d+\n){2}$/) // nothing is counted yet
    const which = await run('pause')
    expect(which.err).toMatch(/cli\/several-running[\s\S]*`tek pause --all`/)
    expect(which.code).toBe(2)
    expect((await run('pause', '--agent', 'writer')).err).toMatch(/cli\/several-running[\s\S]*`tek pause --agent writer [0-9a-f]{8}`/)
    expect((await run('pause', 'last', '--all')).err).toContain('cli/too-many-arguments')
    expect((JSON.parse((await run('pause', '--all', '--json')).out) as { runs: { kind: string }[] }).runs.map(each => each.kind)).toEqual(['taken', 'taken'])
    for (const name of ['first', 'a']) folder.write(`go-${name}`, '')
    const codes = (await Promise.all(both.map(each => each.ended))).map(each => each.code)
    expect(codes).toEqual([6, 6])
  })
})

describe('giving up', () => {
  test('an item of a `for`: the others and what its `on failure` says go on', async () => {
    const { ended } = start('run', 'items.tek')
    await see(() => there('begun-a'))
    expect((await run('cancel', 'built[0]')).out).toMatch(/^[0-9a-f]{8}: `built\[0\]` is given up; process \d+ goes on with the run\.\n$/)
    const { code, out } = await ended
    expect([code, JSON.parse(out)]).toEqual([0, ['given up', 'b']])
    expect(await said()).toEqual([expect.objectContaining({ task: 'built[0]', verdict: 'cancelled' })])
  })

  test('a sub-workflow, with everything inside it; and a task inside one', async () => {
    const whole = start('run', 'inner.tek', 'outer')
    await see(() => there('begun-unit'))
    expect((await run('cancel', 'checked', 'last')).code).toBe(0)
    expect((await whole.ended).out).toBe('not tested\n')
    rmSync(join(folder.path, 'begun-unit'))
    const part = start('run', 'inner.tek', 'outer')
    await see(() => there('begun-unit'))
    expect(JSON.parse((await run('cancel', 'checked/unit', '--json')).out)).toMatchObject({ version: 1, kind: 'taken', request: { kind: 'cancel', task: 'checked/unit' } })
    expect((await part.ended).out).toBe('not tested\n')
  })

  test('a task that waits, in a run that no process drives', async () => {
    await run('run', 'later.tek')
    const cancelled = await run('cancel', 'late', '--resume')
    expect(cancelled.code).toBe(1)
    expect(cancelled.err).toContain('error run/cancelled-by-person')
  })
})

test('one of more questions than are listed is answered by its name as well', async () => {
  const { err } = await run('run', 'many.tek')
  expect(err).toContain('and at least 95 more questions: `tek waits` lists them.')
  expect((await run('waits')).err).toMatch(/^[0-9a-f]{8}: the first 100 of its waits are listed; there may be more, and each is answered by its name\.\n$/)
  expect((await run('approve', 'many[110]')).out).toContain('`many[110]` is approved, and recorded')
  expect((await run('approve', 'many[120]')).err).toContain('cli/unknown-question')
})

test('what waits is listed: questions and times, with how they are answered; for programs as JSON', async () => {
  expect((await run('waits')).err).toBe('Nothing here waits for a person or a time.\n')
  expect((await run('run', 'later.tek')).err).toMatch(/waiting later[\s\S]*\nuntil .*\d\d:\d\d: late\n`tek resume [0-9a-f]{8}` goes on with it then; `tek serve` does so by itself\.\n$/)
  await run('run', 'flow.tek')
  const { out } = await run('waits')
  expect(out).toMatch(/^([0-9a-f]{8}) {2}flow\.tek flow · waiting\n {2}waits for you: deploy — Deploy 1\.2 to production\?\n {4}since \d\d:\d\d:\d\d · tek approve deploy \1 · tek refuse deploy \1\n[0-9a-f]{8} {2}later\.tek later · waiting\n {2}until .*\d\d:\d\d: late\n {4}since .*\n$/)
  const { waits } = JSON.parse((await run('waits', '--json')).out) as { waits: Record<string, unknown>[] }
  expect(waits).toMatchObject([{ program: 'flow.tek', workflow: 'flow', state: 'waiting', kind: 'approval', task: 'deploy', question: 'Deploy 1.2 to production?', askedOf: null, dueMs: null }, { kind: 'time', task: 'late' }])
  expect(waits[1]!['dueMs']).toBe((waits[1]!['sinceMs'] as number) + 7_200_000)
  expect((await run('runs')).out).toMatch(/waiting +flow\.tek flow · deploy asks · [\s\S]*waiting +later\.tek later · until .*\d\d:\d\d: late/)
  expect((await run('show', 'last')).out).toContain('waits for you: deploy — Deploy 1.2 to production?')
})

test('a question that a line has no room for is whole in the waits of its run', async () => {
  const version = `${'1'.repeat(90)} ${'2'.repeat(600)}.end`
  await run('run', 'flow.tek', '--version', version)
  await run('run', 'later.tek')
  const { out } = await run('waits')
  expect(out).toMatch(/deploy — Deploy 1+.*…\n.* · whole: tek waits ([0-9a-f]{8})\n/)
  const id = /whole: tek waits (\S+)/.exec(out)![1]!
  const whole = (await run('waits', id)).out
  expect(whole.replaceAll(/\n +\| ?/g, '').replaceAll(' ', '')).toContain(`Deploy${version.replaceAll(' ', '')}toproduction?`)
  expect(whole).toContain(`tek approve deploy ${id}`)
  expect(whole).not.toContain('later')
  expect((await run('waits', 'zzzz')).err).toContain('cli/unknown-run')
})

test('what a person said stands before what failed by it', async () => {
  await run('run', 'flow.tek')
  await run('refuse', '--resume')
  expect((await run('logs')).out).toMatch(/info +deploy +refused by .*\n.*error +deploy +run\/refused-by-person/)
})
