// Answers: questions of a run, answered at the terminal in which it runs.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { PersonSaid, RunNotice, RunReport } from '#model/report.ts'
import { project, tek } from './binary.ts'
import { hasTerminal, stepsOnTerminal, type Step } from './terminal.ts'

const asks = (question: string, more = ''): string => `workflow flow(version: string = "1.2") -> string {\n  task deploy approve ${question}${more} = "deployed \${version}"\n\n  return deploy\n}\n`
const folder = project({
  'flow.tek': asks('"Deploy ${version} to production?"'),
  'soft.tek': asks('"Deploy?"', ' on failure use error.code'),
  'timed.tek': asks('"Deploy?"', ' within 1s escalate "the owner" within 2s on failure use error.code'),
  'both.tek': 'workflow both() -> int[] {\n  task a approve "A?" = 1\n\n  task b approve "B?" = 2\n\n  return [a, b]\n}\n',
  'busy.tek': 'workflow busy() -> bool {\n  can exec("sh", "-c", "*"), fs.read("**"), fs.write("**")\n\n  task noisy for n in range(4) parallel 1 = shell.run("sh", "-c", "touch noisy-${n}; sleep 0.2").ok\n\n  task deploy approve "Deploy?" = true\n\n  return deploy and len(noisy) == 4\n}\n',
})
afterAll(() => folder.remove())
const prompt = /a note may follow {2}/
const at = (words: readonly string[], ...steps: Step[]): ReturnType<typeof stepsOnTerminal> => stepsOnTerminal(folder.path, words, steps)
const run = (...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path })
const said = async (): Promise<readonly PersonSaid[]> => (JSON.parse((await run('show', 'last', '--json')).out) as RunReport).said ?? []

describe.skipIf(!hasTerminal)('at the terminal', () => {
  test('a yes goes on, and is recorded with who gave it', async () => {
    const { code, shown } = await at(['run', 'flow.tek'], { when: prompt, then: 'y checked with Ada\n' })
    expect(shown).toContain('? deploy asks\n  | Deploy 1.2 to production?\n')
    expect(shown.trimEnd()).toMatch(/done flow · 1 of 1 task [\s\S]*deployed 1\.2$/)
    expect(code).toBe(0)
    expect(await said()).toEqual([expect.objectContaining({ task: 'deploy', verdict: 'approved', by: expect.stringMatching(/, terminal$/), note: 'checked with Ada' })])
  })

  test('a no fails the task, with the note in what is said of it; a word that is neither is asked about again', async () => {
    const { code, shown } = await at(['run', 'flow.tek'], { when: prompt, then: 'sure\n' }, { when: /That is no answer to it\.\r?\n.*may follow {2}/, then: 'n not on a Friday\n' })
    expect(shown).toMatch(/error run\/refused-by-person: [\s\S]*not on a Friday/)
    expect(code).toBe(1)
    expect(await said()).toEqual([expect.objectContaining({ verdict: 'refused', note: 'not on a Friday' })])
    const soft = await at(['run', 'soft.tek'], { when: prompt, then: 'no\n' })
    expect(soft.shown.trimEnd()).toMatch(/\nrun\/refused-by-person$/)
    expect(soft.code).toBe(0)
  })

  test('several questions come one after the other', async () => {
    const { code, shown } = await at(['run', 'both.tek'], { when: /\? a asks[\s\S]*may follow {2}/, then: 'y\n' }, { when: /\? b asks[\s\S]*may follow {2}/, then: 'yes\n' })
    expect(code).toBe(0)
    expect(shown).toContain('done both · 2 of 2 tasks')
  })

  test.each([['Enter', '\n'], ['s', 's\n'], ['the end of input', '\u0004']])('%s leaves it for later: the run waits without a process, and says how it is answered', async (_, typed) => {
    const { code, shown } = await at(['run', 'both.tek'], { when: prompt, then: typed }, ...(typed === '\u0004' ? [] : [{ when: prompt, then: 'y\n' }]))
    expect(code).toBe(6)
    expect(shown).toContain('a is left for later.')
    expect(shown).toMatch(/waiting both · [01] of 2 tasks/)
    expect(shown).toMatch(/`tek approve a [0-9a-f]{8}` or `tek refuse a [0-9a-f]{8}` answers/)
    expect((await run('approve', 'a')).code).toBe(0)
    if (typed === '\u0004') expect((await run('approve', 'b')).code).toBe(0)
    const resumed = await run('resume')
    expect([resumed.code, JSON.parse(resumed.out)]).toEqual([0, [1, 2]])
  })

  test('answered elsewhere meanwhile: the terminal says so, and goes on', async () => {
    const approved = await at(['run', 'both.tek'], { when: prompt, then: () => run('approve', 'a') }, { when: /a asks no longer: it was approved elsewhere\.[\s\S]*\? b asks[\s\S]*may follow {2}/, then: 'y\n' })
    expect(approved.code).toBe(0)
    const refused = await at(['run', 'flow.tek'], { when: prompt, then: () => run('refuse', '--note', 'no time') })
    expect(refused.shown).toMatch(/deploy asks no longer: A person refused this task \(.*, tek refuse\): no time\./)
    expect(refused.code).toBe(1)
    const cancelled = await at(['run', 'flow.tek'], { when: prompt, then: () => run('cancel', 'deploy') })
    expect(cancelled.shown).toMatch(/deploy asks no longer: A person gave this task up/)
    expect(cancelled.code).toBe(1)
  })

  test('nobody answers in time: it says whom the question was passed on to, and what became of it', async () => {
    const { code, shown } = await at(['run', 'timed.tek'])
    expect(shown).toContain('Nobody answered in time: it was passed on to the owner.')
    expect(shown).toMatch(/deploy asks no longer: Nobody answered this task's question within 3s/)
    expect(shown.trimEnd()).toMatch(/\nrun\/not-approved$/)
    expect(code).toBe(0)
    const late = await at(['run', 'timed.tek'], { when: /passed on to the owner/, then: 'y\n' })
    expect(late.shown.trimEnd()).toMatch(/\ndeployed 1\.2$/)
  })

  test('while a question stands nothing else is written, and afterwards the display goes on', async () => {
    const isThere = (): boolean => existsSync(join(folder.path, 'noisy-3'))
    const { code, shown } = await at(['run', 'busy.tek', '--allow-all', '--unconfined'], {
      when: prompt,
      then: async () => {
        while (!isThere()) await new Promise(resolve => setTimeout(resolve, 30))
        return 'y\n'
      },
    })
    expect(code).toBe(0)
    const [, after = ''] = shown.split('a note may follow  ')
    expect(after.slice(0, 2)).toBe('y\n') // the echo of what was typed comes first
    expect(shown).toContain('done busy · 5 of 5 tasks')
  })

  test('Ctrl-C while it asks stops the run', async () => {
    const { code, shown } = await at(['run', 'flow.tek'], { when: prompt, then: '\u0003' })
    expect(code).toBe(130)
    expect(shown).toMatch(/Stopping: [\s\S]*`tek resume [0-9a-f]{8}` goes on with it/)
    const resumed = await at(['resume'], { when: prompt, then: 'y\n' })
    expect(resumed.code).toBe(0)
  })

  test('a question from outside moves no cursor, makes no line of its own, and is shown whole', async () => {
    const hostile = `1\u001b[2J\u001b]0;title\u0007\n? deploy asks\nDeploy harmless? ${'word '.repeat(500)}`
    folder.write('args.json', JSON.stringify({ version: hostile }))
    const { code, shown } = await at(['run', 'flow.tek', '--args', 'args.json', '--no-journal'], { when: prompt, then: 's\n' })
    expect(shown).not.toContain('\u001b[2J')
    expect(shown).not.toContain('\u0007')
    expect(shown).toContain('  | ? deploy asks\n  | Deploy harmless?')
    expect(shown.replaceAll('\n  | ', '').match(/word/g)!.length).toBeGreaterThanOrEqual(500) // what is approved is what is shown
    expect(shown).toContain('Nothing was kept: the run had no journal.')
    expect(code).toBe(6)
  })

  test('without a journal a question is answered as well', async () => {
    const { code, shown } = await at(['run', 'flow.tek', '--no-journal'], { when: prompt, then: 'y\n' })
    expect(shown.trimEnd()).toMatch(/\ndeployed 1\.2$/)
    expect(code).toBe(0)
  })

  test.each([['--quiet'], ['--json']])('%s asks nothing', async flag => {
    const { code, shown } = await at(['run', 'flow.tek', flag])
    expect(code).toBe(6)
    expect(shown).not.toMatch(prompt)
  })
})

test('--yes answers every question, and is what is recorded', async () => {
  const { code, out, err } = await run('run', 'both.tek', '--yes')
  expect([code, JSON.parse(out)]).toEqual([0, [1, 2]])
  expect(err).not.toContain('waits for you')
  expect((await said()).map(each => [each.task, each.verdict, each.by])).toEqual([['a', 'approved', '--yes'], ['b', 'approved', '--yes']])
  await run('run', 'both.tek')
  expect(JSON.parse((await run('resume', '--yes')).out)).toEqual([1, 2])
})

test('without a terminal nothing is asked: the run ends with 6 and says how it is answered; for programs it is an event', async () => {
  const { code, out, err } = await run('run', 'flow.tek')
  expect([code, out]).toEqual([6, ''])
  expect(err).toContain('waits for you: deploy — Deploy 1.2 to production?\n')
  expect(err).toMatch(/\n {2}`tek approve deploy ([0-9a-f]{8})` or `tek refuse deploy \1` answers/)
  const json = await run('run', 'flow.tek', '--json')
  expect(json.code).toBe(6)
  const events = json.out.trimEnd().split('\n').map(line => JSON.parse(line) as RunNotice)
  expect(events.find(each => each.kind === 'waits')).toMatchObject({ waits: [{ kind: 'approval', task: 'deploy', question: 'Deploy 1.2 to production?', askedOf: null, dueMs: null }] })
  expect(events.at(-1)).toMatchObject({ kind: 'run-finished', summary: { status: 'waiting', waits: [{ task: 'deploy' }] } })
})
