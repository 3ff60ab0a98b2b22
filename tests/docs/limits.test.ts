// docs/limits.md is true: its program gives the screen it shows, its limit stops with the sentence it shows, its mistake is the one it names.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import { nodeHost } from '#host/node-host.ts'
import { check, plan, run } from '#tek.ts'
import { limitNames } from '#compiler/3-check/limits.ts'
import { planText } from '../../src/cli/plan-text.ts'
import { read } from '../tidy/source-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-limits-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const host = nodeHost({ cwd: folder })
const page = read('docs/limits.md')
const blocks = (language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}[^\n]*\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(match => match[1]!)
const [program, small, mistaken] = blocks('tek')
const [screen, sentence] = blocks('text')
const checked = (text: string) => check(host, 'page.tek', { readText: path => (path === 'page.tek' ? text : undefined) })

test('the screen of `tek plan`', async () => {
  const whole = planText(plan(await checked(program!)), 'review.tek', plainPaint, 80)
  expect(whole.slice(whole.indexOf('review --root'), whole.indexOf('\n\nagent'))).toBe(screen!.trimEnd())
})

test('the limit that stops a run', async () => {
  const answer = await run(host, { plan: plan(await checked(small!)), program: 'each.tek', args: {}, database: null, tekVersion: '0.0.0', onNotice: () => {} })
  const outcome = answer.kind === 'answer' ? answer.value.outcome : null
  expect(outcome?.kind === 'failure' ? `error ${outcome.failure.code}: ${outcome.failure.message}\n` : null).toBe(sentence)
})

test('the limit that cannot be kept', async () => {
  expect((await checked(mistaken!)).diagnostics.map(each => each.code)).toEqual(['limit/exceeds-tasks'])
})

test('every limit of the language has a line in the table', () => {
  const rows = page.split('\n').filter(line => line.startsWith('| `')).join('\n')
  for (const name of limitNames) expect(rows).toContain(`\`${name}: `)
})
