// Agents in plans: how they, their tools and their models are lowered; who asks for which model; what is refused when a plan is loaded; the hash and the difference.
import { describe, expect, it } from 'vitest'
import { diffPlans } from '#compiler/4-lower/diff.ts'
import { grantsOf } from '../../src/cli/plan-facts.ts'
import type { Plan, PlanGrant } from '#model/plan.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { planOf } from './compile-text.ts'

const whole = `
secret account = env("KEY")
const most = 4k
model smart = anthropic("claude-sonnet-4-5", maxTokens: most, timeout: 90s, thinking: 2k, key: account, fallback: second)
model second = spare
model spare = openai("qwen", baseUrl: "http://127.0.0.1:11434/v1")
prompt house(style: string = "dry") "Answer in \${style} style."

/// What is left to do.
workflow todos(
  /// Where to look.
  root: path,
  count: int = 10,
) -> string {
  can fs.read("\${root}/**")
  task found = fs.read("\${root}/todo.txt")
  return found
}

/// Looks over what others wrote.
agent reviewer {
  model smart
  role house(style: "terse")
  can fs.read("**"), fs.write("out/**")
  tools fs.read, fs.write, todos
  limits { turns: 20, tokens: 200k, cost: $1, time: 5m }
  memory thread "review"
}
agent lead leads reviewer {
  model spare
  can fs.read("**"), fs.write("out/**")
  memory run
}
type Found = {
  /// Where it is.
  file: string,
}
workflow review() -> Found {
  can fs.read("**"), fs.write("out/**")
  task found by lead -> Found = prompt "Look."
  return found
}
workflow outer() -> Found {
  can fs.read("**"), fs.write("out/**")
  task found = review()
  return found
}
`

describe('an agent', () => {
  const plan = planOf(whole)
  const { reviewer, lead } = plan.agentBodies!

  it('has its parts by key', () => {
    expect(plan.agents).toEqual(['lead', 'reviewer'])
    expect(reviewer).toMatchObject({
      name: 'reviewer', doc: 'Looks over what others wrote.', model: 'smart', leads: [], memory: { kind: 'thread', name: { op: 'value', value: 'review' } },
      role: { op: 'prompt', prompt: 'house', args: { style: { op: 'value', value: 'terse' } } }, limits: { turns: 20, tokens: 200_000, costMicros: 1_000_000, timeMs: 300_000 },
    })
    expect(lead).toMatchObject({ model: 'spare', role: null, leads: ['reviewer'], tools: [{ kind: 'workflow', name: 'reviewer', workflow: '@agent:lead/reviewer' }], memory: { kind: 'run' } })
  })

  it('shows its tools as a model sees them', () => {
    const [read, write, todos] = reviewer!.tools
    expect(read).toMatchObject({ kind: 'function', name: 'fs_read', module: 'fs', fn: 'read', effect: 'read', isUntrusted: true, isSink: false, needs: [{ grant: 'fs.read', args: [{ param: 'path' }] }] })
    expect(write).toMatchObject({ kind: 'function', name: 'fs_write', effect: 'write', isSink: true })
    expect(todos).toEqual({
      kind: 'workflow', name: 'todos', doc: 'What is left to do.', workflow: 'todos', isUntrusted: true, isSink: true,
      input: { kind: 'record', fields: { root: { type: { kind: 'path' }, optional: false, doc: 'Where to look.' }, count: { type: { kind: 'int' }, optional: true } } },
    })
    expect(plan.modules.map(each => each.name)).toContain('fs')
  })

  it('has models with what the program and the list say', () => {
    expect(plan.models).toEqual({
      smart: {
        provider: 'anthropic', model: 'claude-sonnet-4-5', options: { thinking: { op: 'value', value: 2_000 } }, key: 'account', fallback: 'spare',
        price: { inputMicros: 3_000_000, outputMicros: 15_000_000 }, contextTokens: 200_000, answerTokens: 4_000, timeoutMs: 90_000,
      },
      spare: {
        provider: 'openai', model: 'qwen', options: { baseUrl: { op: 'value', value: 'http://127.0.0.1:11434/v1' } }, key: null, fallback: null,
        price: { inputMicros: 0, outputMicros: 0 }, contextTokens: null, answerTokens: null, timeoutMs: null,
      },
    })
  })

  it('has the price that is stated, and none that nobody knows', () => {
    const { a, b } = planOf('model a = openai("x", baseUrl: "http://127.0.0.1:1/v1", price: { input: $0.5, output: $2 })\nmodel b = openai("x")\n').models!
    expect([a!.price, b!.price]).toEqual([{ inputMicros: 500_000, outputMicros: 2_000_000 }, null])
  })
})

const llm = (authority: readonly PlanGrant[] | null | undefined): string[] => grantsOf((authority ?? []).filter(each => each.name === 'llm'))

describe('an agent\'s model is the request for it', () => {
  it('of the agent, its lead, and the workflows above', () => {
    const plan = planOf(whole)
    const both = ['llm("smart")', 'llm("spare")']
    expect(llm(plan.agentBodies!['reviewer']!.authority)).toEqual(both)
    expect(llm(plan.agentBodies!['lead']!.authority)).toEqual(both)
    expect(llm(plan.workflows['review']!.authority)).toEqual(both)
    expect(llm(plan.workflows['outer']!.authority)).toEqual(both)
    expect(llm(plan.workflows['todos']!.authority)).toEqual([])
    expect(plan.authority).toBe(null)
  })

  it('of a workflow without a can, and of a file with one', () => {
    const plan = planOf('can fs.read("docs/**")\nmodel m = openai("x")\nagent a { model m }\nworkflow w() -> string {\n  task t by a -> string = prompt "Hi."\n  return t\n}\nworkflow v() -> int { return 1 }\n')
    expect(grantsOf(plan.workflows['w']!.authority!)).toEqual(['llm("m")'])
    expect(plan.workflows['v']!.authority).toBe(null)
    expect(grantsOf(plan.authority!)).toEqual(['fs.read("docs/**")', 'llm("m")'])
  })

  it('through a workflow that is a tool', () => {
    const models = 'model m = openai("x")\nmodel n = openai("y")\n'
    const plan = planOf(models + 'agent a { model m }\nworkflow inner() -> string {\n  task t by a -> string = prompt "Hi."\n  return t\n}\nagent b {\n  model n\n  tools inner\n}\nworkflow w() -> string {\n  task t by b -> string = prompt "Hi."\n  return t\n}\n')
    expect(llm(plan.agentBodies!['b']!.authority)).toEqual(['llm("m")', 'llm("n")'])
    expect(llm(plan.workflows['w']!.authority)).toEqual(['llm("m")', 'llm("n")'])
  })

  it('of a level that names models itself: those alone', () => {
    const plan = planOf('model m = openai("x")\nmodel other = m\nagent a { model m }\nworkflow w() -> string {\n  can llm(other), llm("more")\n  task t by a -> string = prompt "Hi."\n  return t\n}\n')
    expect(llm(plan.workflows['w']!.authority)).toEqual(['llm("m")', 'llm("more")'])
  })

  it('of an agent that names another: both', () => {
    const plan = planOf('model m = openai("x")\nmodel n = openai("y")\nagent a {\n  model m\n  can llm(n)\n}\n')
    expect(llm(plan.agentBodies!['a']!.authority)).toEqual(['llm("m")', 'llm("n")'])
  })

  it('of another file\'s level, whose agents name it', () => {
    const lib = 'can fs.read("**")\nmodel m = openai("x")\nagent helper { model m }\nworkflow ask() -> string {\n  task t by helper -> string = prompt "Hi."\n  return t\n}\n'
    const plan = planOf('use "./lib.tek" (ask)\nworkflow w() -> string {\n  task t = ask()\n  return t\n}\n', { 'lib.tek': lib })
    expect(plan.agentBodies!['lib.tek#helper']).toMatchObject({ model: 'lib.tek#m', file: 0 })
    expect(llm(plan.files![0]!.authority)).toEqual(['llm("lib.tek#m")'])
    expect(llm(plan.workflows['w']!.authority)).toEqual(['llm("lib.tek#m")'])
  })
})

const many = (tool: object): object[] => Array.from({ length: 201 }, (_, index) => ({ ...tool, name: `t${index}` }))

describe('loading a plan with agents', () => {
  const good = planOf(whole)
  const damage: [string, (plan: Record<string, any>) => void, string][] = [
    ['a task by no agent', plan => (plan['workflows'].review.nodes[0].body.agent = 'x'), 'workflows.review.nodes[0].body.agent names no agent'],
    ['no agents', plan => delete plan['agentBodies'], 'nodes[0].body.agent names no agent'],
    ['an agent that is not listed', plan => (plan['agents'] = ['lead']), '`agents` and `agentBodies` differ in reviewer'],
    ['a listed agent that is not there', plan => plan['agents'].push('x'), '`agents` and `agentBodies` differ in x'],
    ['an agent without a name', plan => delete plan['agentBodies'].lead.name, 'agentBodies.lead has no name'],
    ['an unknown model', plan => (plan['agentBodies'].lead.model = 'x'), 'agentBodies.lead.model names no model'],
    ['no models', plan => delete plan['models'], 'agentBodies.lead.model names no model'],
    ['a role with a parameter', plan => (plan['agentBodies'].lead.role = { op: 'param', name: 'n' }), 'agentBodies.lead.role names no parameter'],
    ['no authority', plan => (plan['agentBodies'].lead.authority = null), 'agentBodies.lead.authority is no list'],
    ['a grant without a name', plan => (plan['agentBodies'].lead.authority = [{}]), 'agentBodies.lead.authority[0] has no name'],
    ['limits of text', plan => (plan['agentBodies'].lead.limits = { turns: 'x' }), 'agentBodies.lead.limits.turns is no number'],
    ['a memory of no kind', plan => (plan['agentBodies'].lead.memory = { kind: 'ever' }), 'agentBodies.lead.memory.kind is unknown'],
    ['a thread without a name', plan => (plan['agentBodies'].lead.memory = { kind: 'thread' }), 'agentBodies.lead.memory.name is no expression'],
    ['an unknown file', plan => (plan['agentBodies'].lead.file = 0), 'agentBodies.lead.file names no file'],
    ['an unknown agent to lead', plan => (plan['agentBodies'].lead.leads = ['x']), 'agentBodies.lead.leads names no agent'],
    ['agents that lead each other', plan => (plan['agentBodies'].reviewer.leads = ['lead']), 'leads itself'],
    ['two tools of one name', plan => (plan['agentBodies'].reviewer.tools[1].name = 'fs_read'), 'agentBodies.reviewer.tools[1].name is no name of its own'],
    ['a name that no provider takes', plan => (plan['agentBodies'].reviewer.tools[1].name = 'fs.write'), 'agentBodies.reviewer.tools[1].name is no name of its own'],
    ['a long name', plan => (plan['agentBodies'].reviewer.tools[1].name = 'a'.repeat(65)), 'agentBodies.reviewer.tools[1].name is no name of its own'],
    ['more than 200 tools', plan => (plan['agentBodies'].reviewer.tools = many(plan['agentBodies'].reviewer.tools[0])), 'agentBodies.reviewer.tools is no list of tools'],
    ['a tool that takes no record', plan => (plan['agentBodies'].reviewer.tools[0].input = { kind: 'string' }), 'agentBodies.reviewer.tools[0].input is no record'],
    ['a parameter of no type', plan => (plan['agentBodies'].reviewer.tools[0].input.fields.path.type = { kind: 'function', params: [], result: { kind: 'any' } }), 'agentBodies.reviewer.tools[0].input.fields.path.kind is unknown'],
    ['a tool of an unlisted module', plan => (plan['agentBodies'].reviewer.tools[0].module = 'x'), 'agentBodies.reviewer.tools[0] names no module'],
    ['a tool of no effect', plan => (plan['agentBodies'].reviewer.tools[0].effect = 'x'), 'agentBodies.reviewer.tools[0] is damaged'],
    ['a tool that does not say whether it is a sink', plan => delete plan['agentBodies'].reviewer.tools[0].isSink, 'agentBodies.reviewer.tools[0] does not say what it gives'],
    ['a tool without needs', plan => delete plan['agentBodies'].reviewer.tools[0].needs, '`agentBodies.reviewer.tools[0].needs` is no list'],
    ['a tool that is no workflow', plan => (plan['agentBodies'].reviewer.tools[2].workflow = 'x'), 'agentBodies.reviewer.tools[2] names no workflow'],
    ['a tool of no kind', plan => (plan['agentBodies'].reviewer.tools[2].kind = 'x'), 'agentBodies.reviewer.tools[2].kind is unknown'],
    ['a model without a provider', plan => (plan['models'].spare.provider = ''), 'models.spare has no provider and model'],
    ['a provider of no module', plan => (plan['models'].spare.provider = 'x.y'), 'models.spare.provider names no module'],
    ['a key that is no secret', plan => (plan['models'].spare.key = 'x'), 'models.spare.key names no secret'],
    ['a fallback that is no model', plan => (plan['models'].spare.fallback = 'x'), 'models.spare.fallback names no model'],
    ['models in a circle', plan => (plan['models'].spare.fallback = 'smart'), 'models.smart.fallback never ends'],
    ['a negative price', plan => (plan['models'].smart.price.inputMicros = -1), 'models.smart.price is damaged'],
    ['no tokens to answer with', plan => (plan['models'].smart.answerTokens = 0), 'models.smart.answerTokens is no amount'],
    ['an option that is no expression', plan => (plan['models'].smart.options.thinking = 3), 'models.smart.options.thinking is no expression'],
  ]
  it.each(damage)('refuses %s', (_name, change, problem) => {
    const plan = JSON.parse(JSON.stringify(good)) as Record<string, any>
    change(plan)
    plan['hash'] = hashPlan(plan as unknown as Plan)
    const found = validatePlan(plan).problem
    expect(found?.kind === 'damaged' ? found.problem : found).toContain(problem)
  })

  it('takes a plan of version 2, which holds no agents', () => {
    const plan = JSON.parse(JSON.stringify(good)) as Record<string, any>
    Object.assign(plan, { version: 2, agentAuthority: { reviewer: plan['agentBodies'].reviewer.authority } })
    delete plan['agentBodies']
    delete plan['models']
    delete plan['workflows']['@agent:lead/reviewer']
    plan['hash'] = hashPlan(plan as unknown as Plan)
    expect(validatePlan(plan).problem).toBe(null)
  })
})

describe('a change of an agent', () => {
  const changes: [string, string, string, string][] = [
    ['the model', 'fallback: second', 'fallback: spare, baseUrl: "https://example.com"', 'added model smart / baseUrl'],
    ['the answer\'s bound', 'const most = 4k', 'const most = 5k', 'changed model smart / maxTokens'],
    ['the role', 'style: "terse"', 'style: "long"', 'changed agent reviewer / role'],
    ['the tools', 'tools fs.read, fs.write, todos', 'tools fs.read, todos', 'removed agent reviewer / tool fs_write'],
    ['the limits', 'turns: 20', 'turns: 21', 'changed agent reviewer / limit turns'],
    ['the memory', 'memory thread "review"', 'memory none', 'removed agent reviewer / memory'],
    ['what it may', 'can fs.read("**"), fs.write("out/**")\n  tools', 'can fs.read("src/**"), fs.write("out/**")\n  tools', 'changed agent reviewer / can'],
    ['whom it leads', 'agent lead leads reviewer', 'agent lead', 'removed agent lead / leads'],
    ['what a model is told of a tool', '/// What is left to do.', '/// What is done.', 'changed agent reviewer / told of todos'],
    ['what it is told of a parameter', '/// Where to look.', '/// The folder.', 'changed agent reviewer / told of todos'],
    ['what it is told of the answer', '/// Where it is.', '/// Its path.', 'changed workflow review / task found / told of the answer'],
    ['what is said about it', '/// Looks over what others wrote.', '/// Reviews.', 'changed agent reviewer / about'],
  ]
  it.each(changes)('%s is in the hash and in the difference', (_name, from, to, change) => {
    expect(whole).toContain(from)
    const [before, after] = [planOf(whole), planOf(whole.replace(from, to))]
    expect(after.hash).not.toBe(before.hash)
    expect(diffPlans(before, after).map(each => `${each.kind} ${each.path.join(' / ')}`)).toContain(change)
  })

  it('comments and layout are not', () => {
    const other = whole.replace('model smart\n  role', 'model smart // the good one\n\n  role')
    expect(other).not.toBe(whole)
    expect(planOf(other).hash).toBe(planOf(whole).hash)
  })
})
