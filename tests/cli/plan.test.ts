// The screen of `tek plan` and its JSON, as a whole, at 80 columns.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { displayWidth, plainPaint } from '#base/terminal-text.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import type { Plan } from '#model/plan.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { planJson } from '../../src/cli/commands/plan.ts'
import { planText } from '../../src/cli/plan-text.ts'
import { compileText } from '../compiler/compile-text.ts'

const read = (name: string): string => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8')

function planOf(main: string, others: Record<string, string> = {}): Plan {
  const compiled = compileText(main, others)
  expect(compiled.diagnostics.filter(each => each.severity === 'error').map(each => each.message)).toEqual([])
  return lower(compiled.program!)
}

const review = planOf(read('review.tek'), { 'lib.tek': read('lib.tek') })

test('the screen', async () => {
  const text = planText(review, 'review.tek', plainPaint, 80).replace(review.hash.slice(0, 12), 'HASH')
  await expect(text).toMatchFileSnapshot('golden/review.txt')
  for (const columns of [40, 60, 80, 120]) {
    const lines = planText(review, 'review.tek', plainPaint, columns).split('\n')
    // A word longer than the room is left whole.
    for (const line of lines) if (line.trim().includes(' ') && displayWidth(line) > columns) expect(line.trim().split(' ').length, line).toBeLessThan(4)
  }
})

test('a team: who is led, what a person is asked, what is remembered; nothing of what stands for its calls', async () => {
  const team = planOf(read('team.tek'))
  const text = planText(team, 'team.tek', plainPaint, 80).replace(team.hash.slice(0, 12), 'HASH')
  await expect(text).toMatchFileSnapshot('golden/team.txt')
  expect(text).not.toContain('@')
  expect(JSON.stringify(planJson(team, 'team.tek'))).not.toMatch(/workflow @|@agent|@vote|@ask-lead/)
  expect(planJson(team, 'team.tek')).toMatchObject({ agentDetails: [{ name: 'doubter' }, { name: 'finder' }, { name: 'lead', tools: [{ name: 'fs_write', asks: 'always' }, { name: 'team_vote' }, { name: 'finder' }, { name: 'doubter' }] }] })
})

test('the same for programs', async () => {
  await expect(`${JSON.stringify({ ...planJson(review, 'review.tek'), hash: 'HASH' }, null, 2)}\n`).toMatchFileSnapshot('golden/review.json')
})

test('a text of the program does nothing to the terminal', () => {
  const plan = { ...planOf('workflow w() -> int { return 1 }\n'), accepted: ['a\u001b[2Jb'] }
  expect(planText(plan, 'a\u001b[31m.tek', plainPaint, 80)).not.toContain('\u001b')
})

test('a plan that nobody told its worst case is shown without one', () => {
  const { worst: _, ...plan } = planOf('workflow w() -> int { return 1 }\n')
  expect(planText(plan, 'w.tek', plainPaint, 80)).toContain('may      touch nothing: only pure work\n  gives    int')
})

test('what each plugin runs in is said, and is part of the hash', () => {
  const plan = planOf('workflow w() -> int { return 1 }\n')
  const module = { name: 'zip', origin: 'plugin' as const, source: './zip.ts', release: '2.1.0', hash: 'h' }
  const [engine, node] = [{ ...plan, modules: [module] }, { ...plan, modules: [{ ...module, needsNode: 'unpacks with node:zlib' }] }]
  expect(planText(engine, 'w.tek', plainPaint, 120)).toContain('plugins  zip 2.1.0 (./zip.ts) in the engine\n')
  expect(planText(node, 'w.tek', plainPaint, 120)).toContain('plugins  zip 2.1.0 (./zip.ts) in a confined process: unpacks with node:zlib\n')
  expect(planJson(node, 'w.tek')).toMatchObject({ modules: [{ name: 'zip', runs: 'in a confined process: unpacks with node:zlib' }] })
  expect(hashPlan(node)).not.toBe(hashPlan(engine))
  const sealed = (modules: readonly object[]): unknown => { const made = { ...plan, modules } as unknown as Plan; return { ...made, hash: hashPlan(made) } }
  expect(validatePlan(sealed([{ ...module, needsNode: 'x' }])).problem).toBeNull()
  expect(validatePlan(sealed([{ ...module, needsNode: 1 }])).problem).toMatchObject({ problem: expect.stringContaining('needsNode') as string })
  expect(validatePlan(sealed([{ ...module, origin: 'std', needsNode: 'x' }])).problem).toMatchObject({ kind: 'damaged' })
})
