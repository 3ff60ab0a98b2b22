// Containment against an oracle of its own: what the checker proves about two patterns must hold for every concrete value, and what the guard lets
// through must be what the plainest reading of a grant lets through. `TEK_FUZZ=full` takes 10,000 pairs of 200 values; otherwise 1,500 of 60.
import { expect, test } from 'vitest'
import { containsGrant, matchesGrant } from '#grants/match.ts'
import { grantPair, kinds, valueNear } from './grant-pairs.ts'
import { naivelyCovers } from './naive-grants.ts'
import { Seeded } from './seeded.ts'

const isFull = process.env['TEK_FUZZ'] === 'full'
const PAIRS = isFull ? 10_000 : 1_500
const VALUES = isFull ? 200 : 60
const cwd = '/home/app'
const seed = Number(process.env['TEK_FUZZ_SEED'] ?? 2026)

test(`no false accept in ${PAIRS.toLocaleString('en')} pairs of patterns, ${VALUES} values each`, () => {
  const random = new Seeded(seed)
  const wrong: string[] = []
  const seen = { contained: 0, inside: 0, matched: 0, values: 0 }
  for (let pair = 0; pair < PAIRS && wrong.length < 10; pair++) {
    const kind = random.pick(kinds)
    const { outer, inner } = grantPair(random, kind)
    const isContained = containsGrant(outer, inner, cwd)
    const isContainedAnywhere = containsGrant(outer, inner)
    if (isContained) seen.contained++
    for (let value = 0; value < VALUES; value++) {
      const wanted = valueNear(random, kind, random.chance(80) ? inner : outer)
      seen.values++
      const said = { outer: matchesGrant(outer, wanted, cwd), inner: matchesGrant(inner, wanted, cwd) }
      const meant = { outer: naivelyCovers(outer, wanted, cwd), inner: naivelyCovers(inner, wanted, cwd) }
      if (said.inner) seen.matched++
      const show = JSON.stringify({ outer: outer.args, inner: inner.args, wanted: wanted.args, said, meant })
      // The guard: yes only where the plain reading says yes.
      if ((said.outer && !meant.outer) || (said.inner && !meant.inner)) wrong.push(`the guard lets through ${show}`)
      // The proof: what the inner lets through, in either reading, the outer does too.
      if ((isContained || isContainedAnywhere) && (said.inner || meant.inner)) {
        seen.inside++
        if (!said.outer && said.inner) wrong.push(`proved, and refused ${show}`)
        if (!meant.outer && meant.inner) wrong.push(`proved, and not covered ${show}`)
      }
    }
  }
  if (isFull) console.log(JSON.stringify({ seed, pairs: PAIRS, ...seen, falseAccepts: wrong.length }))
  expect(wrong).toEqual([])
  // A fuzz that never proves or never matches anything would show nothing.
  expect(seen.contained).toBeGreaterThan(PAIRS / 10)
  expect(seen.inside).toBeGreaterThan(PAIRS)
}, 600_000)
