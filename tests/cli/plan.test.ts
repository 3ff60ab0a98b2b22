// The screen of `tek plan` and its JSON, as a whole, at 80 columns.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { displayWidth, plainPaint } from '#base/terminal-text.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import type { Plan } from '#model/plan.ts'
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
