// Planted: changes of which it is known what they are: what breaks every time is never promoted, what is better always, what breaks now and then at the computed rate.
import { afterEach, expect, test } from 'vitest'
import { LoopWorld } from './loop-world.ts'

const CYCLES = 90
/** Each of its runs fails with this chance. */
const FLAKY = 0.2

let world: LoopWorld | null = null
afterEach(() => world?.remove())

test(`${CYCLES} planted changes`, async () => {
  world = new LoopWorld(`
workflow attempt(kind: string) -> bool {
  task drawn = random.int(1, 1_000)
  return match kind { "better" => true, "broken" => false, _ => drawn > ${FLAKY * 1_000} }
}

loop planted {
  limits { cycles: ${CYCLES} }
  differentiate = { kind: match mod(cycle, 3) { 0 => "better", 1 => "broken", _ => "flaky" }, cycle: cycle }
  run verify 3 agree 3 = attempt(candidate.kind)
  score = if run.passed then float(cycle) / 1000.0 else 0.0
}
`)
  await world.drive()
  const promoted = await world.kept((store, key) => store.versions(key, 1_000).map(each => (each.candidate as { kind: string }).kind))
  const share = (kind: string): number => promoted.filter(each => each === kind).length / (CYCLES / 3)
  expect(share('broken')).toBe(0)
  expect(share('better')).toBe(1)
  const computed = (1 - FLAKY) ** 3
  expect(Math.abs(share('flaky') - computed)).toBeLessThanOrEqual(5 * Math.sqrt((computed * (1 - computed)) / (CYCLES / 3)))
}, 120_000)
