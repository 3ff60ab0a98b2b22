// docs/waiting.md is true: its program gives the screen it shows and passes its test, its mistake is the one it names.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import { nodeHost } from '#host/node-host.ts'
import { MAX_QUESTION_LENGTH } from '#interpreter/engine/protocol.ts'
import { MAX_ESCALATIONS, MAX_TRIGGERS, MAX_WAIT_MS } from '#model/plan.ts'
import { nextAfter } from '#schedule/cron.ts'
import { check, plan, run } from '#tek.ts'
import { planText } from '../../src/cli/plan-text.ts'
import { expectationsOf, planOfTest } from '../../src/cli/test-plan.ts'
import { read } from '../tidy/source-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-waiting-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const host = nodeHost({ cwd: folder })
const page = read('docs/waiting.md')
const blocks = (language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}[^\n]*\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(match => match[1]!)
const [program, unseen] = blocks('tek')
const [screen] = blocks('text')
const checked = (text: string) => check(host, 'page.tek', { readText: path => (path === 'page.tek' ? text : undefined) })

test('the screen of `tek plan`', async () => {
  const whole = planText(plan(await checked(program!)), 'tidy.tek', plainPaint, 80)
  expect(whole).toContain(screen!)
})

test('its test passes, and nobody is asked', async () => {
  const whole = plan(await checked(program!))
  const made = planOfTest(whole, whole.tests[0]!)
  const answer = await run(host, { plan: made.plan, program: 'tidy.tek', workflow: made.workflow, args: {}, database: null, tekVersion: '0.0.0', onNotice: () => {}, answerAll: true })
  const outcome = answer.kind === 'answer' ? answer.value.outcome : null
  expect(outcome?.kind === 'value' ? expectationsOf(whole.tests[0]!, outcome.value).map(each => each.holds) : outcome).toEqual([true])
})

test('the question that shows nothing approves nothing', async () => {
  expect((await checked(unseen!)).diagnostics.map(each => each.code)).toEqual(['trust/untrusted-reaches-sink'])
  expect((await checked(unseen!.replace('"Push it?"', '"Push ${branch}?"'))).diagnostics).toEqual([])
})

test('clocks that are put forward and back', () => {
  const times = (pattern: string, from: string, count: number): string[] => {
    let ms = Date.parse(from)
    return Array.from({ length: count }, () => new Date((ms = nextAfter(pattern, 'Europe/Berlin', ms)!)).toISOString())
  }
  expect(times('30 2,14 * * *', '2026-03-28T20:00:00Z', 2)).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-29T12:30:00.000Z'])
  expect(times('30 2,14 * * *', '2026-10-24T20:00:00Z', 2)).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-25T13:30:00.000Z'])
  expect(times('*/30 2 * * *', '2026-03-28T20:00:00Z', 1)).toEqual(['2026-03-30T00:00:00.000Z'])
  expect(times('*/30 2 * * *', '2026-10-24T20:00:00Z', 5)).toEqual(['2026-10-25T00:00:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-25T01:00:00.000Z', '2026-10-25T01:30:00.000Z', '2026-10-26T01:00:00.000Z'])
})

test('the bounds it names are those of the plan', () => {
  expect(page).toContain(`up to ${MAX_ESCALATIONS} times`)
  expect(page).toContain(`at most ${MAX_WAIT_MS / 86_400_000} days`)
  expect(page).toContain(`up to ${MAX_TRIGGERS}, `)
  expect(page).toContain(`more than ${MAX_QUESTION_LENGTH.toLocaleString('en')} characters`)
})
