// Waits and triggers in plans: how they are lowered, which damage is refused, what a difference and a screen say of them, what they come to.
import { describe, expect, it, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import { diffPlans } from '#compiler/4-lower/diff.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { readPlan } from '#compiler/4-lower/read-plan.ts'
import { graphOfPlan } from '#graph/graph.ts'
import { MAX_ESCALATIONS, MAX_TRIGGERS, MAX_WAIT_MS, type Plan } from '#model/plan.ts'
import { hashPlan } from '#types/plan-json.ts'
import { planText } from '../../src/cli/plan-text.ts'
import { waitsOf } from '../../src/cli/plan-waits.ts'
import { compileText, reports } from './compile-text.ts'

const HOUR = 3_600_000

const PROGRAM = `secret key = env("HOOK_KEY")
const often = 10m

workflow clean(changed: path[] = [], kind: "a" | "b" = "a", root: path = "src", note: string = "") -> int {
  can fs.read("\${root}/**"), env("HOOK_KEY")
  every often missed skip
  cron "0  3 * * mon-fri" in "Europe/Berlin"
  on file "\${root}/**/*.ts"
  on webhook "clean/now" signed key
  task first approve "Clean \${kind}?" within 2h escalate "the owner" within 1h escalate "the boss" within 30m on failure continue = 1
  task second after first wait often = 2
  task third after second wait until 1800000000000 = inner()
  return third + second + len(changed) + len(note)
}

workflow inner() -> int {
  task ok approve "Sure?" = 3
  task rest after ok wait 90s = ok
  return rest
}
`

function planOf(text: string): Plan {
  const compiled = compileText(text)
  expect(compiled.diagnostics.filter(each => each.severity === 'error').map(each => each.message)).toEqual([])
  return lower(compiled.program!)
}

const plan = planOf(PROGRAM)
const node = (name: string, of: Plan = plan, workflow: string = 'clean') => of.workflows[workflow]!.nodes.find(each => each.name === name)!

describe('lowering', () => {
  it('gives questions their deadlines, and tasks the time that passes before them', () => {
    expect(node('first').approval).toEqual({ withinMs: 2 * HOUR, escalate: [{ to: 'the owner', withinMs: HOUR }, { to: 'the boss', withinMs: HOUR / 2 }] })
    expect(node('second').wait).toEqual({ kind: 'for', value: { op: 'constant', name: 'often' } })
    expect(node('third').wait).toEqual({ kind: 'until', value: { op: 'value', value: 1_800_000_000_000 } })
    expect(node('ok', plan, 'inner')).toMatchObject({ approve: { op: 'value', value: 'Sure?' } })
    expect('approval' in node('ok', plan, 'inner')).toBe(false)
    expect('wait' in node('first')).toBe(false)
  })

  it('gives workflows their triggers: patterns in one spelling, defaults in the places of parameters, what each sets', () => {
    expect(plan.workflows['clean']!.triggers).toEqual([
      { kind: 'every', intervalMs: 600_000, missed: 'skip' },
      { kind: 'cron', pattern: '0 3 * * MON-FRI', zone: 'Europe/Berlin', missed: 'run' },
      { kind: 'file', pattern: 'src/**/*.ts', param: 'changed' },
      { kind: 'webhook', name: 'clean/now', secret: 'key', params: ['kind'] },
    ])
    expect('triggers' in plan.workflows['inner']!).toBe(false)
  })

  it('reads a clock without a zone by UTC', () => {
    expect(planOf('workflow w() -> int {\n  cron "0 3 * * *"\n  return 1\n}\n').workflows['w']!.triggers).toEqual([{ kind: 'cron', pattern: '0 3 * * *', zone: 'UTC', missed: 'run' }])
  })

  it('hashes deadlines, waits and triggers, and not their layout', () => {
    const changed = [['within 2h', 'within 3h'], ['"the owner"', '"the other"'], ['wait often', 'wait 11m'], ['wait until 1800000000000', 'wait 1d'], [' missed skip', ''], ['"0  3 ', '"1  3 '], ['/*.ts', '/*.js'], ['clean/now', 'clean/then'], [' signed key', '']]
    for (const [before, after] of changed) expect(planOf(PROGRAM.replace(before!, after!)).hash, before).not.toBe(plan.hash)
    expect(planOf(PROGRAM.replaceAll('\n  ', '\n      ').replace('"0  3', '"0 3').replace('mon-fri', 'MON-FRI')).hash).toBe(plan.hash)
  })
})

describe('a damaged plan is refused, also one that was hashed again', () => {
  const damage: [string, (plan: Record<string, any>) => unknown][] = [
    ['a question without an end', each => (nodes(each)[0].approval.withinMs = 0)],
    ['a deadline beyond the longest', each => (nodes(each)[0].approval.withinMs = MAX_WAIT_MS + 1)],
    ['a deadline that is no number', each => (nodes(each)[0].approval.escalate[0].withinMs = '1h')],
    ['nobody to pass it on to', each => delete nodes(each)[0].approval.escalate[1].to],
    ['no list of whom it is passed on to', each => delete nodes(each)[0].approval.escalate],
    ['too many to pass it on to', each => (nodes(each)[0].approval.escalate = Array.from({ length: MAX_ESCALATIONS + 1 }, () => ({ to: 'x', withinMs: 1 })))],
    ['deadlines without a question', each => (nodes(each)[0].approve = null)],
    ['a wait of no kind', each => (nodes(each)[1].wait.kind = 'before')],
    ['a wait for nothing', each => delete nodes(each)[1].wait.value],
    ['a wait for no constant', each => (nodes(each)[1].wait.value.name = 'other')],
    ['a let that waits', each => (nodes(each)[1].kind = 'let')],
    ['no triggers at all', each => (each['workflows'].clean.triggers = [])],
    ['too many triggers', each => (each['workflows'].clean.triggers = Array.from({ length: MAX_TRIGGERS + 1 }, () => ({ kind: 'every', intervalMs: 1_000, missed: 'run' })))],
    ['a trigger of no kind', each => (triggers(each)[0].kind = 'often')],
    ['an interval of nothing', each => (triggers(each)[0].intervalMs = 0)],
    ['nothing said of what is missed', each => delete triggers(each)[1].missed],
    ['no zone', each => delete triggers(each)[1].zone],
    ['no pattern', each => (triggers(each)[2].pattern = '')],
    ['a list that is no parameter', each => (triggers(each)[2].param = 'other')],
    ['a secret that is none', each => (triggers(each)[3].secret = 'other')],
    ['a webhook that sets what is no parameter', each => triggers(each)[3].params.push('other')],
  ]
  const nodes = (each: Record<string, any>): any[] => each['workflows'].clean.nodes
  const triggers = (each: Record<string, any>): any[] => each['workflows'].clean.triggers
  it.each(damage)('%s', (_name, change) => {
    const damaged = JSON.parse(JSON.stringify(plan)) as Record<string, any>
    expect(readPlan(damaged).diagnostics).toEqual([])
    change(damaged)
    damaged['hash'] = hashPlan(damaged as unknown as Plan)
    expect(readPlan(damaged).diagnostics.map(each => each.code)).toEqual(['plan/damaged'])
  })
})

test('the difference of two plans names deadlines, waits and triggers', () => {
  const after = PROGRAM.replace('within 2h escalate "the owner" within 1h', 'within 3h').replace('wait often', 'wait 90m').replace(' missed skip', '').replace('  on webhook "clean/now" signed key\n', '')
  expect(diffPlans(plan, planOf(after)).map(change => `${change.kind} ${change.path.slice(1).join(' / ')}: ${change.before} → ${change.after}`)).toEqual([
    'changed trigger 1: every 10m missed skip → every 10m',
    'removed trigger 4: on webhook "clean/now" signed key, which sets kind → null',
    'changed task first / approve: "Clean ${kind}?" within 2h escalate "the owner" within 1h escalate "the boss" within 30m → "Clean ${kind}?" within 3h escalate "the boss" within 30m',
    'changed task second / wait: often → 90m',
  ])
})

test('`tek plan` says what begins a workflow, whom it asks, and for what it waits', () => {
  const text = planText(plan, 'clean.tek', plainPaint, 200)
  for (const line of [
    'begins   every 10m missed skip', '         cron "0 3 * * MON-FRI" in "Europe/Berlin"', '         on file "src/**/*.ts", given to changed', '         on webhook "clean/now" signed key, which sets kind',
    'secrets  key, from the variable HOOK_KEY',
    'asks     first: "Clean ${kind}?", passed on to the owner after 2h, passed on to the boss after 3h, not approved after 3h 30m', '         inner/ok: "Sure?"',
    'waits    second: 10m', '         third: until 1800000000000', '         inner/rest: 1m 30s',
  ]) expect(text).toContain(`  ${line}\n`)
  expect(waitsOf(plan, 'inner')).toEqual([
    { kind: 'approval', task: 'ok', question: '"Sure?"', passedOn: [], overAfterMs: null },
    { kind: 'time', task: 'rest', until: false, ms: 90_000, text: '1m 30s' },
  ])
})

test('`tek graph` shows who waits', () => {
  expect(graphOfPlan(plan, 'clean').nodes.map(each => `${each.id}: ${each.note}`)).toEqual(['first: asks a person', 'second: waits', 'third: calls inner, waits'])
})

describe('the worst case', () => {
  const timeOf = (body: string): unknown => {
    const { timeMs } = planOf(`const pause = 5m\nworkflow w(n: duration = 1m) -> int {\n  can fs.write("**")\n${body}\n  return 1\n}\n`).worst!.workflows['w']!
    return timeMs.kind === 'at-most' ? timeMs.amount : timeMs.because
  }
  it.each([
    ['  task a approve "?" within 2h escalate "x" within 1h = 1', 3 * HOUR],
    ['  task a wait 90s = 1', 90_000],
    ['  task a wait pause = 1', 300_000],
    ['  task a wait 1m timeout 10s retry 1 backoff 5s = fs.write("a", "x")', 60_000 + 2 * 10_000 + 5_000],
    ['  task a approve "?" within 1h wait 1m = 1\n  task b after a wait 2m = 1', HOUR + 180_000],
    ['  task a for x in [1, 2, 3] parallel 1 wait 1m = x', 180_000],
    ['  task a for x in [1, 2, 3] wait 1m = x', 60_000],
    ['  task a wait n = 1', 'how long `a` waits is known when it runs'],
    ['  task a wait until 5 = 1', 'how long `a` waits is known when it runs'],
    ['  task a approve "?" = 1', '`a` waits for a person to approve'],
  ])('%s', (body, most) => expect(timeOf(body)).toEqual(most))

  it('of a wait that is longer than the limit of time is no error: the limit counts the time in which something drives the run', () => {
    expect(reports('workflow w() -> int {\n  limits { time: 1m }\n  task a wait 2h = 1\n  return a\n}\n')).toEqual([])
  })
})
