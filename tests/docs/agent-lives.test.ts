// docs/agents.md, what it says of memory, of what must hold and of steering: its programs are clean and pass their tests, its commands and codes are those there are.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import { STANDARD_MEMORY_TOKENS } from '#model/plan.ts'
import { MAX_FAILURES_IN_ROW } from '#interpreter/engine/agent-life.ts'
import { MAX_REPAIRS } from '#interpreter/engine/talk/spec.ts'
import { tek } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf } from './walk-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-agent-lives-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const page = read('docs/agents.md')
const section = (name: string): string => page.slice(page.indexOf(`## ${name}`)).split(/\n(?=## )/)[0]!

test.each([['Memory', 1], ['What must hold', 1]])('%s: its program is clean and passes its tests', async (name, count) => {
  const programs = blocksOf(section(name)).filter(each => each.language === 'tek')
  expect(programs).toHaveLength(count)
  for (const { text } of programs) {
    writeFileSync(join(folder, 'page.tek'), text)
    const checked = await tek(['check', 'page.tek'], { cwd: folder })
    expect([checked.code, checked.err + checked.out]).toEqual([0, expect.not.stringMatching(/warning|error/i)])
    const { code, out } = await tek(['test', 'page.tek'], { cwd: folder })
    expect([code, out]).toEqual([0, expect.stringContaining('ok')])
  }
  expect((await tek(['agents', '--threads'], { cwd: folder })).out).toBe('') // what a test remembers goes with it
})

test('its figures are those of tek', () => {
  expect(section('Memory')).toContain(`${STANDARD_MEMORY_TOKENS / 1_000}k where the program does not say`)
  expect([MAX_REPAIRS, MAX_FAILURES_IN_ROW]).toEqual([2, 10])
  expect([section('What must hold'), section('Watching')]).toEqual([expect.stringContaining('twice at most'), expect.stringContaining('fails ten conversations in a row')])
})

test('its codes exist, and its commands take what it says', async () => {
  const codes = [...`${section('What must hold')}${section('Watching')}`.matchAll(/`(agent|run)\/([a-z-]+)`/g)]
  expect(codes.length).toBeGreaterThan(10)
  for (const [, family, slug] of codes) expect(Object.keys((family === 'agent' ? agentErrors : runErrors).entries), slug).toContain(slug)
  for (const [, command, option] of page.matchAll(/`tek (agents|pause|resume|stop|clean)(?: (--[a-z]+))/g)) expect((await tek([command!, '--help'], { cwd: folder })).out, `${command} ${option}`).toContain(option)
})
