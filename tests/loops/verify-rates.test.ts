// Verify rates: how often something that fails now and then is taken for good: what the engine does is what the arithmetic says.
import { expect, test } from 'vitest'
import { isSure } from '#interpreter/engine/sure.ts'
import type { PlanNode } from '#model/plan.ts'
import { call, local, node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { runPlan } from '../engine/run-plan.ts'
import { read } from '../tidy/source-tree.ts'

interface Rates {
  /** Taken for good, taken for broken, left open; and the mean number of runs. */
  readonly passed: number
  readonly failed: number
  readonly open: number
  readonly runs: number
}

/** Of runs of which each fails with the chance `q`, and passes otherwise, always in the same way. */
function computed(q: number, runs: number, upTo: number | null): Rates {
  const found = { passed: 0, failed: 0, open: 0, runs: 0 }
  const most = upTo ?? runs
  const left: { readonly good: number; readonly bad: number; readonly chance: number }[] = [{ good: 0, bad: 0, chance: 1 }]
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    const { good, bad, chance } = at
    const made = good + bad
    const [best, others] = [Math.max(good, bad), Math.min(good, bad)]
    const holds = (agreeing: number): boolean => (upTo === null ? agreeing >= runs : isSure(agreeing, others))
    const end = made >= runs && holds(best) ? (good > bad ? 'passed' : 'failed') : made >= most || ((made >= runs || upTo === null) && !holds(best + most - made)) ? 'open' : null
    if (end !== null) {
      found[end] += chance
      found.runs += chance * made
      continue
    }
    left.push({ good: good + 1, bad, chance: chance * (1 - q) }, { good, bad: bad + 1, chance: chance * q })
  }
  return found
}

/** The same by the engine, many times over. */
async function observed(q: number, verify: Pick<NonNullable<PlanNode['verify']>, 'runs' | 'agree' | 'upTo'>, items: number, seed: number): Promise<Rates> {
  let state = seed
  const random = (): number => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  let runs = 0
  const tries = task('tries', call('work', { item: local('item') }, { effect: 'read' }), {
    forEach: { item: 'item', list: value(Array.from({ length: items }, (_, index) => index)), width: value(1) }, verify: { ...verify, key: null, tells: true },
  })
  const { value: told } = await runPlan(plan({ main: workflow([tries], node(0), { returnsDependsOn: [0] }) }), { tools: { work: () => (runs++, random() >= q) } })
  const all = told as unknown as readonly { readonly agreed: boolean; readonly value: boolean | null }[]
  return {
    passed: all.filter(each => each.agreed && each.value === true).length / items, failed: all.filter(each => each.agreed && each.value === false).length / items,
    open: all.filter(each => !each.agreed).length / items, runs: runs / items,
  }
}

const ITEMS = 2_000
/** Chances that are told apart from noise: five deviations of a share of so many. */
const near = (share: number): number => 5 * Math.sqrt((share * (1 - share)) / ITEMS) + 1 / ITEMS

test.each([0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1])('failing %s of its runs', async q => {
  for (const [runs, upTo, seed] of [[3, null, 7], [3, 10, 8]] as const) {
    const want = computed(q, runs, upTo)
    const found = await observed(q, { runs, agree: upTo === null ? runs : null, upTo }, ITEMS, seed + Math.round(q * 1_000))
    for (const name of ['passed', 'failed', 'open'] as const) expect(Math.abs(found[name] - want[name]), `${name}, verify ${runs}..${upTo}`).toBeLessThanOrEqual(near(want[name]))
  }
}, 120_000)

test('docs/loops.md says these numbers', () => {
  const percent = (of: number): string => `${(of * 100).toFixed(of * 100 < 10 ? 1 : 0)} %`
  const rows = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5].map(q => {
    const [fixed, open] = [computed(q, 3, null), computed(q, 3, 10)]
    return `| ${q * 100} % | ${percent(fixed.passed)} | ${percent(open.passed)} | ${open.runs.toFixed(1)} |`
  })
  for (const row of rows) expect(read('docs/loops.md')).toContain(row)
})
