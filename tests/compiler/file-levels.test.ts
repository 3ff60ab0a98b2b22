// File levels: the `can` and `limits` at the top of a file hold for its workflows, whoever calls them: when checked, in the plan, when run.
import { describe, expect, it } from 'vitest'
import { diffPlans } from '#compiler/4-lower/diff.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { readPlan } from '#compiler/4-lower/read-plan.ts'
import type { Plan } from '#model/plan.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { runPlan, type RunPlan } from '../engine/run-plan.ts'
import { compileText, reports } from './compile-text.ts'

const MAIN = `use "./lib.tek" (load)
can fs.read("**")
workflow main(file: path) -> string {
  can fs.read("**")
  task text = load(file: file)
  return text
}
`
const LIB = `can fs.read("lib/**")
limits { tasks: 2, calls: 1 }
workflow load(file: path) -> string {
  can fs.read("**")
  task first = "1"
  task text after first = fs.read(file)
  return text
}
`

function planOf(main: string, others: Record<string, string>): Plan {
  const compiled = compileText(main, others)
  expect(compiled.diagnostics.filter(each => each.severity === 'error')).toEqual([])
  const plan = lower(compiled.program!)
  expect(validatePlan(JSON.parse(JSON.stringify(plan))).problem).toBe(null)
  return plan
}

/** How a run ends when each call needs what `fs.read` needs. */
async function codeOf(plan: Plan, file: string, more: RunPlan = {}): Promise<string | null> {
  return (await runPlan(plan, { args: { file }, tools: { read: ({ path }) => `text of ${String(path)}` }, ...more })).code
}

describe('a file\'s own level', () => {
  it('is in the plan, by the path of the file', () => {
    const plan = planOf(MAIN, { 'lib.tek': LIB })
    expect(plan.files).toEqual([{ path: 'lib.tek', authority: [{ name: 'fs.read', args: [{ op: 'value', value: 'lib/**' }], implies: [] }], limits: { tasks: 2, calls: 1 } }])
    expect([plan.workflows['main']!.file, plan.workflows['lib.tek#load']!.file]).toEqual([undefined, 0])
    expect(planOf(MAIN, { 'lib.tek': LIB.replace(/^can.*\nlimits.*\n/, '') }).files).toBe(undefined)
  })

  it('narrows what an imported workflow may do when it runs', async () => {
    const plan = planOf(MAIN, { 'lib.tek': LIB })
    expect(await codeOf(plan, 'lib/a.txt')).toBe(null)
    expect(await codeOf(plan, 'src/a.txt')).toBe('permit/denied')
    const without = planOf(MAIN, { 'lib.tek': LIB.replace('can fs.read("lib/**")\n', '') })
    expect(await codeOf(without, 'src/a.txt')).toBe(null)
  })

  it('holds through a file in between', async () => {
    const between = 'use "./lib.tek" (load)\nworkflow pass(file: path) -> string {\n  can fs.read("**")\n  task text = load(file: file)\n  return text\n}\n'
    const main = MAIN.replace('use "./lib.tek" (load)', 'use "./between.tek" (pass)').replace('load(', 'pass(')
    const plan = planOf(main, { 'between.tek': between, 'lib.tek': LIB })
    expect([await codeOf(plan, 'lib/a.txt'), await codeOf(plan, 'src/a.txt')]).toEqual([null, 'permit/denied'])
  })

  it('bounds an imported workflow by the limits of its file', async () => {
    const twice = LIB.replace('task text after first = fs.read(file)', 'task more after first = fs.read(file)\n  task text after more = fs.read(file)').replace('tasks: 2', 'tasks: 9')
    const compiled = compileText(MAIN, { 'lib.tek': twice })
    expect(compiled.diagnostics.map(each => each.code)).toEqual(['limit/exceeds-calls'])
    const uncertain = twice.replace('fs.read(file)\n  task text', 'if file == "x" then fs.read(file) else ""\n  task text')
    expect(await codeOf(planOf(MAIN, { 'lib.tek': uncertain }), 'lib/a')).toBe(null)
    const asked = twice.replace('fs.read(file)\n  task text', 'if file != "x" then fs.read(file) else ""\n  task text')
    expect(await codeOf(planOf(MAIN, { 'lib.tek': asked }), 'lib/a')).toBe('run/limit-reached')
  })

  it('agrees with what is checked: a call that the file can never allow is an error in that file', () => {
    expect(reports(MAIN, { 'lib.tek': LIB.replace('fs.read(file)', 'fs.read("src/a.txt")') })).toEqual(['capability/outside "fs.read(\\"src/a.txt\\")"'])
  })

  it('shows in the difference of two plans', () => {
    const before = planOf(MAIN, { 'lib.tek': LIB })
    const after = planOf(MAIN, { 'lib.tek': LIB.replace('lib/**', '**') })
    expect(after.hash).not.toBe(before.hash)
    expect(diffPlans(before, after).map(change => `${change.path.join(' / ')}: ${change.before} → ${change.after}`)).toEqual(['file lib.tek / can: fs.read("lib/**") → fs.read("**")'])
  })

  it('cannot be cut out of a compiled plan', () => {
    const good = planOf(MAIN, { 'lib.tek': LIB })
    const damaged = (change: (plan: Record<string, any>) => void): string | undefined => {
      const plan = JSON.parse(JSON.stringify(good)) as Record<string, any>
      change(plan)
      plan['hash'] = hashPlan(plan as unknown as Plan)
      return readPlan(plan).diagnostics[0]?.code
    }
    expect(damaged(plan => void delete plan['files'])).toBe('plan/damaged')
    expect(damaged(plan => void (plan['workflows']['lib.tek#load'].file = 7))).toBe('plan/damaged')
    expect(damaged(plan => void (plan['workflows'].main.file = 0))).toBe('plan/damaged')
    expect(damaged(plan => void (plan['files'][0].authority = 'all'))).toBe('plan/damaged')
    expect(damaged(plan => void (plan['version'] = 1))).toBe('plan/other-version')
  })
})
