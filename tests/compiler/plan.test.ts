// Plans: the shape of a lowered program, its hash, what is refused when it is loaded again, what changed between two.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diffPlans } from '#compiler/4-lower/diff.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { readPlan } from '#compiler/4-lower/read-plan.ts'
import type { Plan } from '#model/plan.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { compileText } from './compile-text.ts'

const sample = (name: string): string => readFileSync(new URL(`samples/${name}.tek`, import.meta.url), 'utf8')

function planOf(text: string): Plan {
  const compiled = compileText(text)
  expect(compiled.diagnostics.filter(each => each.severity === 'error')).toEqual([])
  return lower(compiled.program!)
}

const copy = (plan: Plan): Record<string, any> => JSON.parse(JSON.stringify(plan)) as Record<string, any>

describe('lowering', () => {
  it.each(['first', 'loop', 'agents'])('lowers the sample %s to a valid plan', name => {
    const compiled = compileText(sample(name))
    expect(compiled.diagnostics).toEqual([])
    expect(validatePlan(copy(lower(compiled.program!))).problem).toBe(null)
  })

  it('gives the first program its tasks, dependencies and grants', () => {
    const plan = planOf(sample('first'))
    expect(plan).toMatchSnapshot({ hash: expect.any(String) as string })
  })

  it('orders nodes by dependency, whatever the order written', () => {
    const plan = planOf('workflow w() -> int {\n  task c = b + a\n  task b = a + 1\n  let a = 1\n  return c\n}\n')
    const { nodes, returnsDependsOn } = plan.workflows['w']!
    expect(nodes.map(node => [node.name, node.dependsOn])).toEqual([['a', []], ['b', [0]], ['c', [0, 1]]])
    expect(returnsDependsOn).toEqual([2])
  })

  it('turns clauses into numbers', () => {
    const plan = planOf('workflow w(xs: int[]) -> int[] {\n  task a for x in xs parallel 4 retry 3 backoff 1s..30s timeout 2m cache 1d by x verify 3 agree 2 key value priority high needs { cpu: 2, memory: 1GB } on failure use 0 approve "go?" label "n ${x}" = x\n  return a\n}\n')
    const [node] = plan.workflows['w']!.nodes
    expect(node).toMatchObject({
      retry: { count: 3, fromMs: 1_000, toMs: 30_000 }, timeoutMs: 120_000, cache: { ageMs: 86_400_000 }, priority: 1, needs: { cpu: 2, memoryBytes: 1024 ** 3 },
      verify: { runs: 3, agree: 2, upTo: null, key: { op: 'local', name: 'value' } }, onFailure: { kind: 'use' }, approve: { op: 'value', value: 'go?' }, forEach: { item: 'x', width: { op: 'value', value: 4 } },
    })
  })

  it('marks values that only a run can check', () => {
    const plan = planOf('workflow w(t: string, n: int) -> { name: string } {\n  task data -> { name: string } = json.parse(t)\n  let m: int(0..10) = n\n  let sure: int = n\n  return if m > sure then data else data\n}\n')
    expect(Object.fromEntries(plan.workflows['w']!.nodes.map(node => [node.name, node.mustCheck]))).toEqual({ data: true, m: true, sure: undefined })
  })

  it('names sub-workflows, prompts, agents and plugins by key', () => {
    const plan = planOf('use plugin "./jira.ts" as j\nprompt house(style: string = "dry") "In ${style} style."\nmodel m = openai("x")\nagent a { model m }\nworkflow inner(n: int) -> int { return n }\nworkflow w() -> string {\n  can j.read("*")\n  task i = inner(n: 3)\n  task p by a -> string = house()\n  task q = j.issue("A-1")\n  return "${i}${p}${q.title}"\n}\n')
    const bodies = Object.fromEntries(plan.workflows['w']!.nodes.map(node => [node.name, node.body]))
    expect(bodies['i']).toEqual({ kind: 'workflow', workflow: 'inner', args: { n: { op: 'value', value: 3 } } })
    expect(bodies['p']).toEqual({ kind: 'agent', agent: 'a', prompt: { op: 'prompt', prompt: 'house', args: { style: { op: 'value', value: 'dry' } } } })
    expect(bodies['q']).toMatchObject({ value: { module: 'jira', fn: 'issue', effect: 'read' } })
    expect(plan.modules).toEqual([{ name: 'jira', origin: 'plugin', source: './jira.ts', release: '1.0.0', hash: 'hash-of-jira' }])
    expect(plan.workflows['w']!.authority![0]!.name).toBe('jira.read')
  })
})

describe('the hash', () => {
  it('does not see layout, comments and docs', () => {
    const plain = 'type F = { n: int }\nworkflow w(f: F) -> int {\n  task a = f.n + 1\n  return a\n}\n'
    const other = '// a comment\n\n\ntype F = {\n  /// how many\n  n: int,\n}\n\n/// Documented.\nworkflow w(\n  f: F\n) -> int { /* here */ task a = (f.n + 1)   return a }\n'
    expect(planOf(other).hash).toBe(planOf(plain).hash)
    expect(diffPlans(planOf(plain), planOf(other))).toEqual([])
    expect(planOf(other).docs).toEqual({ w: 'Documented.' })
  })

  it('sees a changed value', () => {
    expect(planOf('workflow w() -> int { return 1 }').hash).not.toBe(planOf('workflow w() -> int { return 2 }').hash)
  })
})

describe('loading a plan', () => {
  const good = planOf(sample('first'))
  const damage: [string, (plan: Record<string, any>) => void][] = [
    ['a changed value', plan => (plan['workflows'].todos.nodes[0].priority = 1)],
    ['a node that waits for a later one', plan => (plan['workflows'].todos.nodes[0].dependsOn = [1])],
    ['a reference to no node', plan => (plan['workflows'].todos.returnsDependsOn = [9])],
    ['an unknown operator', plan => (plan['workflows'].todos.returns.op = 'eval')],
    ['a call of an unlisted module', plan => (plan['modules'] = [])],
    ['no entries', plan => delete plan['entries']],
    ['an entry that is no workflow', plan => (plan['entries'] = ['other'])],
    ['a type of no kind', plan => (plan['workflows'].todos.result = { kind: 'thing' })],
    ['another hash', plan => (plan['hash'] = 'x')],
  ]
  it.each(damage)('refuses %s', (_name, change) => {
    const plan = copy(good)
    change(plan)
    expect(readPlan(plan).diagnostics.map(each => each.code)).toEqual(['plan/damaged'])
    expect(readPlan(plan).value).toBe(null)
  })

  it('refuses damage that was hashed again', () => {
    const plan = copy(good)
    plan['workflows'].todos.nodes[1].dependsOn = [1]
    plan['hash'] = hashPlan(plan as unknown as Plan)
    expect(readPlan(plan).diagnostics.map(each => each.code)).toEqual(['plan/damaged'])
  })

  it('refuses another version, junk and endless depth', () => {
    expect(readPlan({ ...copy(good), version: 99 }).diagnostics.map(each => each.code)).toEqual(['plan/other-version'])
    for (const junk of [null, 3, 'x', [], {}]) expect(readPlan(junk).value).toBe(null)
    let deep: unknown = 1
    for (let index = 0; index < 100_000; index++) deep = [deep]
    expect(readPlan({ ...copy(good), constants: deep }).diagnostics.map(each => each.code)).toEqual(['plan/damaged'])
  })

  it('takes what was written', () => {
    expect(readPlan(copy(good))).toEqual({ value: copy(good), diagnostics: [] })
  })
})

describe('the difference of two plans', () => {
  it('names each changed part', () => {
    const before = planOf('workflow w(n: int = 1) -> int {\n  task a = n + 1\n  task b retry 2 = a * 2\n  return b\n}\n')
    const after = planOf('workflow w(n: int = 2) -> int {\n  task a = n + 1\n  task b retry 3 = a * 3\n  task c = b\n  return c\n}\nworkflow v() -> int { return 1 }\n')
    expect(diffPlans(before, after).map(change => `${change.kind} ${change.path.join(' / ')}: ${change.before} → ${change.after}`)).toEqual([
      'changed workflow w / parameter n: int = 1 → int = 2',
      'changed workflow w / task b / value: a * 2 → a * 3',
      'changed workflow w / task b / retry: 2 backoff 1000ms..30000ms → 3 backoff 1000ms..30000ms',
      'changed workflow w / return: b → c',
      'added workflow w / task c: null → waits for: b, value: b, type: int',
      'added workflow v: null → result: int, on failure: stop, return: 1',
    ])
  })

  it('does not see the order in which tasks are written', () => {
    const a = planOf('workflow w() -> int {\n  task a = 1\n  task b = 2\n  return a + b\n}\n')
    const b = planOf('workflow w() -> int {\n  task b = 2\n  task a = 1\n  return a + b\n}\n')
    expect(diffPlans(a, b)).toEqual([])
  })
})
