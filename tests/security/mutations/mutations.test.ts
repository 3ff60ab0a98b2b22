// The mutation corpus: each small mistake, and whether it is noticed before anything runs. The table in caught.md is written from what came out.
import { expect, describe, test, afterAll } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { check } from '#tek.ts'
import { read } from '../../tidy/source-tree.ts'
import { authorityMistakes } from './authority-mistakes.ts'
import { flowMistakes } from './flow-mistakes.ts'
import { type Mutation, programs } from './mutation.ts'
import { nameMistakes } from './name-mistakes.ts'
import { trustMistakes } from './trust-mistakes.ts'
import { typeMistakes } from './type-mistakes.ts'
import { waitingMistakes } from './waiting-mistakes.ts'

const host = nodeHost({ cwd: process.cwd() })
const mutations: readonly Mutation[] = [...nameMistakes, ...typeMistakes, ...flowMistakes, ...authorityMistakes, ...trustMistakes, ...waitingMistakes]

/** Codes of what is said about a text in place of a program, errors before warnings. */
async function codesOf(path: string, text: string, strict = false): Promise<{ errors: string[]; warnings: string[] }> {
  const { diagnostics } = await check(host, path, { strict, readText: asked => (asked === path ? text : undefined) })
  const codes = (severity: string): string[] => [...new Set(diagnostics.filter(each => each.severity === severity).map(each => each.code))].sort()
  return { errors: codes('error'), warnings: codes('warning') }
}

function fits(code: string, expected: string): boolean {
  return expected.endsWith('/*') ? code.startsWith(expected.slice(0, -1)) : code === expected
}

type Seen = { readonly mutation: Mutation; readonly how: 'error' | 'warning' | 'missed' }
const seen: Seen[] = []

describe('the programs are correct without a mistake', () => {
  test.each(Object.entries(programs))('%s', async (_, path) => {
    expect(await codesOf(path, read(path))).toEqual({ errors: [], warnings: [] })
  })
})

const families = [...new Set(mutations.map(each => each.family))]
for (const family of families) {
  describe(family, () => {
    for (const mutation of mutations.filter(each => each.family === family)) {
      const { program, find, put, expected } = mutation
      const shown = (text: string): string => text.trim().split('\n')[0]!.slice(0, 60)
      test(`${program}: ${shown(find)} → ${shown(put) || 'nothing'}`, async () => {
        const path = programs[program]
        const parts = read(path).split(find)
        expect(parts).toHaveLength(2) // M1
        const { errors, warnings } = await codesOf(path, parts.join(put))
        seen.push({ mutation, how: errors.length > 0 ? 'error' : warnings.length > 0 ? 'warning' : 'missed' })
        if (typeof expected !== 'string') {
          expect([...errors, ...warnings]).toEqual([]) // M2: once something notices it, it is no longer missed
          if (expected.missedBecause.includes('--strict')) expect((await codesOf(path, parts.join(put), true)).errors).toContain('capability/decided-at-run-time')
        } else expect([...errors, ...warnings].some(code => fits(code, expected)), `expected ${expected}, came ${[...errors, ...warnings].join(', ') || 'nothing'}`).toBe(true)
      })
    }
  })
}

/** The share that is caught, by family. */
function table(): string {
  const rows = families.map(family => {
    const of = seen.filter(each => each.mutation.family === family)
    const count = (how: Seen['how']): number => of.filter(each => each.how === how).length
    return { family, all: of.length, error: count('error'), warning: count('warning'), missed: count('missed') }
  })
  const total = rows.reduce((sum, row) => ({ family: 'all', all: sum.all + row.all, error: sum.error + row.error, warning: sum.warning + row.warning, missed: sum.missed + row.missed }))
  const line = (row: typeof total): string => `| ${row.family} | ${row.all} | ${row.error} | ${row.warning} | ${row.missed} | ${Math.round(100 * (row.error + row.warning) / row.all)} % |`
  const left = seen.filter(each => each.how === 'missed' && typeof each.mutation.expected !== 'string')
  return [
    '# Mistakes caught before running', '',
    'Written by `mutations.test.ts` from what came out. Each mistake is one small edit of a program that is correct without it; the cases stand in the files named `*-mistakes.ts`.', '',
    '| kind of mistake | planted | error | warning | not caught | caught |', '| --- | --- | --- | --- | --- | --- |', ...rows.map(line), line(total).replace('| all |', '| **all** |'), '',
    '## Not caught, and why', '',
    ...left.map(({ mutation: { program, find, put, expected } }) => {
      const short = (text: string): string => (text.length > 90 ? `${text.slice(0, 90)}…` : text).replace(/\s+/g, ' ').trim()
      return `- ${program}: \`${short(find)}\` → ${put === '' ? 'nothing' : `\`${short(put)}\``}: ${typeof expected === 'string' ? '' : expected.missedBecause}.`
    }), '',
  ].join('\n')
}

test('there are enough of them, and the table is what came out', async () => {
  expect(mutations.length).toBeGreaterThanOrEqual(150)
  expect(new Set(mutations.map(each => JSON.stringify([each.program, each.find, each.put]))).size).toBe(mutations.length)
  if (seen.length === mutations.length) await expect(table()).toMatchFileSnapshot('./caught.md') // only a run of all of them knows
})

afterAll(() => { seen.length = 0 })
