// The list of guards that `npm run test:guards` takes out, one at a time: each stands where the list says, once, and each has attacks that miss it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
// @ts-expect-error a plain module: run.mjs, which node runs, reads it as well
import { guards as listed } from './guards-off/guards.mjs'
import { families } from './attacks/corpus.ts'

interface Guard {
  readonly id: string
  readonly file: string
  readonly find: string
  readonly noticedBy: readonly string[]
}

const guards = listed as readonly Guard[]
const known = new Set(families.flatMap(({ name, attacks }) => attacks.map(each => `${name} ${each.id}`)))

test.each(guards.map(each => [each.id, each] as const))('%s', (_id, { file, find, noticedBy }) => {
  expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8').split(find).length - 1).toBe(1)
  expect(noticedBy.length).toBeGreaterThan(0)
  expect(noticedBy.filter(each => !known.has(each))).toEqual([])
})
