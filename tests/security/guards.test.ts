// The lists of guards that `npm run test:guards` takes out, one at a time: each stands where the list says, once, and each has attacks, or tests, that miss it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
// @ts-expect-error a plain module: run.mjs, which node runs, reads it as well
import { agentGuards as listedWithTests } from './guards-off/agent-guards.mjs'
// @ts-expect-error likewise
import { guards as listed } from './guards-off/guards.mjs'
import { families } from './attacks/corpus.ts'

interface Place {
  readonly id: string
  readonly file: string
  readonly find: string
}

type Guard = Place & { readonly noticedBy: readonly string[] }
/** `named`: parts of whole names of tests. */
type GuardWithTests = Place & { readonly test: string; readonly named: readonly string[] }

const guards = listed as readonly Guard[]
const known = new Set(families.flatMap(({ name, attacks }) => attacks.map(each => `${name} ${each.id}`)))

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const times = ({ file, find }: Place): number => read(file).split(find).length - 1

test.each(guards.map(each => [each.id, each] as const))('%s', (_id, guard) => {
  expect(times(guard)).toBe(1)
  expect(guard.noticedBy.length).toBeGreaterThan(0)
  expect(guard.noticedBy.filter(each => !known.has(each))).toEqual([])
})

test.each((listedWithTests as readonly GuardWithTests[]).map(each => [each.id, each] as const))('%s', (_id, guard) => {
  expect(times(guard)).toBe(1)
  expect(guard.named.length).toBeGreaterThan(0)
  expect(read(guard.test)).toMatch(/\b(?:test|it)\(/)
})

test('each has a name of its own', () => {
  const ids = [...guards, ...(listedWithTests as readonly GuardWithTests[])].map(each => each.id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})
