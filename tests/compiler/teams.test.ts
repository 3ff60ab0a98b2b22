// Agents that lead, ask, vote, remember and are asked about, in plans: the workflows that stand for their calls, what is known of trust, what a loaded plan may not say.
import { describe, expect, it } from 'vitest'
import { diffPlans } from '#compiler/4-lower/diff.ts'
import { evaluatePure } from '#interpreter/engine/evaluation.ts'
import type { Plan, PlanTool, PlanWorkflow } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { planOf } from './compile-text.ts'

const toolOf = (plan: Plan, agent: string, name: string): PlanTool => plan.agentBodies![agent]!.tools.find(tool => tool.name === name)!
const value = (text: string) => ({ op: 'value', value: text })

const whole = `
model smart = anthropic("claude-sonnet-4-5", price: { input: $3, output: $15 }, maxTokens: 4k)
model small = anthropic("claude-haiku-4-5")

/// What is left to do.
workflow todos(root: path, count: int = 10) -> string {
  can fs.read("\${root}/**")
  task found = fs.read("\${root}/todo.txt")
  return found
}
/// Reads.
agent finder {
  model small
  can fs.read("src/**")
  tools fs.read, team.askLead, team.send
  limits { turns: 6, calls: 10 }
}
/// Doubts.
agent doubter {
  model smart
  tools team.receive, team.listen
  limits { turns: 4, calls: 4 }
}
agent lead leads finder, doubter {
  model smart
  can fs.read("**"), fs.write("out/**")
  tools fs.write, fs.append, todos, team.vote
  approve fs.write
  after untrusted ask
  limits { turns: 8, tokens: 300k, calls: 20 }
  memory run keep 20k summarise
}
workflow review(topic: string) -> untrusted string {
  can fs.read("**"), fs.write("out/**")
  task found by lead -> string ensure len(answer) < 400 else "At most 400 letters, not \${len(answer)}."
      ensure fs.exists("src/a.ts") = prompt "Look at \${topic}."
  return found
}
`

describe('workflows that stand for calls of agents', () => {
  const plan = planOf(whole)

  it('are there for each agent that is led, each vote, each question to a lead and each call that a person is asked about', () => {
    expect(Object.keys(plan.workflows)).toEqual([
      '@agent:lead/doubter', '@agent:lead/finder', '@ask-lead:lead/finder', '@asked:lead/fs_append', '@asked:lead/fs_write', '@asked:lead/todos', '@vote:lead', 'review', 'todos',
    ])
    expect(plan.entries).toEqual(['todos', 'review'])
  })

  it('ask the agent that is led, in the words of its lead', () => {
    expect(plan.workflows['@agent:lead/finder']).toEqual({
      name: 'finder', standsFor: { kind: 'agent', lead: 'lead', agent: 'finder' }, params: [{ name: 'task', type: { kind: 'string' }, default: null }],
      result: { kind: 'untrusted', of: { kind: 'string' } }, authority: plan.agentBodies!['finder']!.authority, limits: {}, onFailure: { kind: 'stop' },
      nodes: [{
        name: 'finder', kind: 'task', dependsOn: [], forEach: null, when: null, body: { kind: 'agent', agent: 'finder', prompt: { op: 'param', name: 'task' }, isUntrusted: true },
        type: { kind: 'untrusted', of: { kind: 'string' } }, retry: null, timeoutMs: null, cache: null, verify: null, priority: 0, needs: null, onFailure: null, approve: null, label: null,
      }],
      returns: { op: 'node', index: 0 }, returnsDependsOn: [0],
    })
  })

  it('are tools of the lead, after its own', () => {
    expect(plan.agentBodies!['lead']!.tools.map(tool => [tool.kind, tool.name])).toEqual([
      ['function', 'fs_write'], ['function', 'fs_append'], ['workflow', 'todos'], ['workflow', 'team_vote'], ['workflow', 'finder'], ['workflow', 'doubter'],
    ])
    expect(toolOf(plan, 'lead', 'finder')).toEqual({
      kind: 'workflow', name: 'finder', doc: 'Reads.', workflow: '@agent:lead/finder', isUntrusted: true, isSink: false,
      input: { kind: 'record', fields: { task: { type: { kind: 'string' }, optional: false, doc: 'What to do, with all that it has to know for it.' } } },
    })
  })

  it('ask the lead without tools', () => {
    expect(toolOf(plan, 'finder', 'team_askLead')).toMatchObject({ kind: 'ask-lead', leads: { lead: '@ask-lead:lead/finder' }, isUntrusted: true })
    const { standsFor, params, nodes, authority } = plan.workflows['@ask-lead:lead/finder']!
    expect([standsFor, params.map(param => param.name), authority]).toEqual([{ kind: 'ask-lead', lead: 'lead', agent: 'finder' }, ['question'], plan.agentBodies!['lead']!.authority])
    expect(nodes.map(node => [node.name, node.body])).toEqual([['lead', {
      kind: 'agent', agent: 'lead', hasNoTools: true, isUntrusted: true, prompt: { op: 'template', parts: ['finder works on what you gave it, and asks:\n\n', { op: 'param', name: 'question' }] },
    }]])
  })

  it('ask a person, and then make the call', () => {
    expect(toolOf(plan, 'lead', 'fs_write')).toMatchObject({ asked: '@asked:lead/fs_write', alwaysAsks: true })
    expect(toolOf(plan, 'lead', 'fs_append')).toMatchObject({ asked: '@asked:lead/fs_append' })
    expect(toolOf(plan, 'lead', 'fs_append')).not.toHaveProperty('alwaysAsks')
    const { params, nodes, standsFor, authority } = plan.workflows['@asked:lead/fs_write']!
    expect([standsFor, authority]).toEqual([{ kind: 'asked-call', agent: 'lead', tool: 'fs_write' }, plan.agentBodies!['lead']!.authority])
    expect(params).toEqual([{ name: 'path', type: { kind: 'path' }, default: null }, { name: 'text', type: { kind: 'string' }, default: null }])
    const args = { path: { op: 'param', name: 'path' }, text: { op: 'param', name: 'text' } }
    expect(nodes).toMatchObject([{
      name: 'write', approve: { op: 'template', parts: ['lead asks to call fs.write with ', { op: 'record', entries: [{ key: 'path', value: args.path }, { key: 'text', value: args.text }] }] },
      body: { kind: 'expr', value: { op: 'call', module: 'fs', fn: 'write', effect: 'write', runs: 'host', args, needs: [{ grant: 'fs.write', args: [{ param: 'path' }] }] } },
    }])
  })

  it('ask a person about a workflow with all its parameters', () => {
    const { params, nodes } = plan.workflows['@asked:lead/todos']!
    expect(params).toEqual(plan.workflows['todos']!.params)
    expect(nodes[0]!.body).toEqual({ kind: 'workflow', workflow: 'todos', args: { root: { op: 'param', name: 'root' }, count: { op: 'param', name: 'count' } } })
  })

  it('leave open what a model leaves open', () => {
    const asked = planOf(`
model m = anthropic("x")
agent a {
  model m
  can git.branch("fix/**"), exec("npm", "**")
  tools git.commit, shell.run
  approve git.commit, shell.run
}
`)
    expect(asked.workflows['@asked:a/git_commit']!.params).toEqual([
      { name: 'message', type: { kind: 'string' }, default: null },
      { name: 'branch', type: { kind: 'union', members: [{ kind: 'string' }, { kind: 'null' }] }, default: { op: 'value', value: null } },
    ])
    expect(asked.workflows['@asked:a/shell_run']!.params[1]).toEqual({ name: 'args', type: { kind: 'list', item: { kind: 'string' } }, default: { op: 'value', value: [] } })
  })

  it('are not what a person reads as a change', () => {
    const other = planOf(whole.replace('  approve fs.write\n', '').replace('agent lead leads finder, doubter', 'agent lead leads finder'))
    expect(diffPlans(plan, other).map(each => `${each.kind} ${each.path.join(' / ')}`)).toEqual(['changed agent lead / tool fs_write', 'removed agent lead / tool doubter', 'removed agent lead / told of doubter', 'changed agent lead / leads'])
  })

  it('change no hash when the text is laid out otherwise', () => {
    expect(planOf(whole.replaceAll('\n', '\n\n').replace('ensure len(answer) < 400', 'ensure   len(answer)\n  <  400')).hash).toBe(plan.hash)
  })

  it('have the models of an agent that names some itself', () => {
    const named = planOf(`
model m = anthropic("x")
model n = anthropic("y")
agent led {
  model m
  can llm(n)
}
agent lead leads led {
  model n
  can llm(n), llm(m)
}
`)
    expect(named.workflows['@agent:lead/led']!.authority!.map(grant => grant.args[0])).toEqual([value('n'), value('m')])
  })
})

describe('a vote', () => {
  const plan = planOf(`
model m = anthropic("x")
agent a { model m }
agent b { model m }
agent c { model m }
agent chair leads a, b, c {
  model m
  tools team.vote
}
`)
  const vote: PlanWorkflow = plan.workflows['@vote:chair']!
  const outcome = (options: readonly string[], ...choices: (string | null)[]): unknown => {
    const nodes = choices.map(choice => (choice === null ? null : { choice }))
    const step = evaluatePure(vote.returns, { param: name => (name === 'options' ? [...options] : 'Which?'), node: index => nodes[index] as Value, constant: () => null, local: () => undefined }, { pure: () => null })
    return step.kind === 'done' ? step.value : step
  }

  it('asks each of those that are led, and goes on without one that fails', () => {
    expect(vote.params.map(param => param.name)).toEqual(['question', 'options'])
    expect(vote.nodes.map(node => [node.name, node.onFailure, node.body.kind === 'agent' && node.body.agent])).toEqual(['a', 'b', 'c'].map(name => [name, { kind: 'continue' }, name]))
    expect(vote.nodes[0]!.type).toEqual({ kind: 'record', fields: { choice: { type: { kind: 'string' }, optional: false, doc: 'One of the options, exactly as it is written.' } } })
  })

  it('is won by whoever has more votes than each other', () => {
    expect(outcome(['x', 'y'], 'x', 'y', 'x')).toEqual({ votes: [{ agent: 'a', choice: 'x' }, { agent: 'b', choice: 'y' }, { agent: 'c', choice: 'x' }], winner: 'x' })
    expect(outcome(['x', 'y', 'z'], 'x', 'y', 'z')).toMatchObject({ winner: null })
    expect(outcome(['x', 'x'], 'x', 'x', null)).toMatchObject({ winner: 'x' })
  })

  it('counts no choice that was not offered, and nobody who did not answer', () => {
    expect(outcome(['x', 'y'], 'neither', null, 'y')).toEqual({ votes: [{ agent: 'c', choice: 'y' }], winner: 'y' })
    expect(outcome(['x', 'y'], null, null, null)).toEqual({ votes: [], winner: null })
    expect(outcome([], 'x', 'y', 'x')).toEqual({ votes: [], winner: null })
  })
})

describe('what agents of a team may hold', () => {
  const team = (finder: string, doubter: string, lead = '', more = ''): Plan => planOf(`
model m = anthropic("x")
agent finder {
  model m
  can fs.read("**")
  ${finder}
}
agent doubter {
  model m
  ${doubter}
}
agent lead leads finder, doubter {
  model m
  can fs.read("**")
  ${lead}
}
${more}`)
  const bodyOf = (plan: Plan, key: string) => plan.workflows[key]!.nodes[0]!.body as { readonly isUntrusted?: true }

  it('is nothing from outside where none of them takes anything in', () => {
    const plan = team('tools fs.exists', '', 'tools team.vote')
    expect(plan.agentBodies!['lead']!.tools.map(tool => tool.isUntrusted)).toEqual([false, false, false])
    expect(plan.workflows['@agent:lead/finder']!.result).toEqual({ kind: 'string' })
    expect(bodyOf(plan, '@agent:lead/doubter')).not.toHaveProperty('isUntrusted')
  })

  it('comes to the lead with the answer of who took it in, and to the others in the words of the lead', () => {
    const plan = team('tools fs.read', '')
    expect([toolOf(plan, 'lead', 'finder').isUntrusted, toolOf(plan, 'lead', 'doubter').isUntrusted]).toEqual([true, false])
    expect(bodyOf(plan, '@agent:lead/doubter').isUntrusted).toBe(true)
  })

  it('comes to everybody where somebody writes messages or asks back', () => {
    expect(toolOf(team('tools fs.read, team.send', ''), 'lead', 'doubter').isUntrusted).toBe(true)
    expect(toolOf(team('tools fs.read', 'tools team.askLead'), 'lead', 'doubter').isUntrusted).toBe(true)
    expect(toolOf(team('tools fs.read, team.send', 'tools team.receive'), 'doubter', 'team_receive').isUntrusted).toBe(true)
    expect(toolOf(team('tools fs.exists, team.send', 'tools team.receive'), 'doubter', 'team_receive').isUntrusted).toBe(false)
  })

  it('comes with the prompt of a task', () => {
    const plan = team('', '', '', 'workflow w() -> untrusted string {\n  can fs.read("**")\n  task text = fs.read("a")\n  task found by lead -> string = prompt "Look at ${text}."\n  return found\n}\n')
    expect(bodyOf(plan, '@agent:lead/doubter').isUntrusted).toBe(true)
  })

  it('comes from a lead of another file', () => {
    const plan = planOf('use "./team.tek" (worker)\nmodel m = anthropic("x")\nagent chief leads worker {\n  model m\n  can fs.read("**")\n  tools fs.read\n}\n', { 'team.tek': 'model m = anthropic("x")\nagent helper { model m }\nagent worker leads helper { model m }\n' })
    expect(bodyOf(plan, '@agent:team.tek#worker/team.tek#helper').isUntrusted).toBe(true)
  })

  it('is vouched for by a person who is shown it', () => {
    const plan = planOf(whole)
    expect(plan.trusted).toMatchObject([
      { workflow: '@asked:lead/fs_write', reason: 'a person is shown what `lead` gives `fs.write` and asked', line: 27 },
      { workflow: '@asked:lead/fs_append', reason: 'once text from outside is in the conversation, a person is shown what `lead` gives `fs.append` and asked' },
      { workflow: '@asked:lead/todos', reason: 'once text from outside is in the conversation, a person is shown what `lead` gives `todos` and asked' },
    ])
  })
})

describe('what must hold of a value', () => {
  it('is in the plan with what is said where it does not', () => {
    const [found] = planOf(whole).workflows['review']!.nodes
    expect(found!.ensure).toMatchObject([
      { condition: { op: '<', left: { op: 'prelude', fn: 'len', args: [{ op: 'local', name: 'answer' }] } }, says: { op: 'template' } },
      { condition: { op: 'call', module: 'fs', fn: 'exists' }, says: value('fs.exists("src/a.ts")') },
    ])
  })

  it('depends on the values that it mentions', () => {
    const { nodes } = planOf('workflow w(n: int) -> int {\n  task limit = n * 2\n  task a ensure answer < limit = n\n  return a\n}\n').workflows['w']!
    expect(nodes.map(node => [node.name, node.dependsOn])).toEqual([['limit', []], ['a', [0]]])
  })
})

describe('what stands in a test', () => {
  it('is in the plan by kind', () => {
    const plan = planOf(`can fs.read("**")\nmodel m = anthropic("x")\nagent a { model m }\ntest "t" {
  given a replies ["yes"]
  given a replays "cassettes/a.json"
  given fs.read returns call => "the text of \${call.path}"
  given fs.exists fails "gone"
  expect true
}\n`)
    expect(plan.tests[0]!.given).toMatchObject([
      { agent: 'a', replies: { op: 'list' } }, { kind: 'replays', agent: 'a', cassette: 'cassettes/a.json' },
      { kind: 'returns', module: 'fs', fn: 'read', value: { op: 'lambda', param: 'call' } }, { kind: 'fails', module: 'fs', fn: 'exists', value: value('gone') },
    ])
  })
})

describe('a server', () => {
  it('is a module of its own origin, by its name', () => {
    const plan = planOf('use mcp "files" as found\nworkflow w() -> untrusted string {\n  can mcp("files")\n  task a = found.find("x")\n  return a\n}\n')
    expect(plan.modules).toMatchObject([{ name: 'files', origin: 'mcp', source: 'files', hash: 'hash-of-files' }])
    expect(plan.workflows['w']!.nodes[0]!.body).toMatchObject({ kind: 'expr', value: { op: 'call', module: 'files', fn: 'find', needs: [{ grant: 'mcp', args: [{ literal: 'files' }] }] } })
  })
})

describe('loading a plan with a team', () => {
  const good = planOf(whole)
  const damage: [string, (plan: Record<string, any>) => unknown, string][] = [
    ['a workflow of such a key that stands for nothing', plan => delete plan['workflows']['@vote:lead'].standsFor, 'workflows.@vote:lead.standsFor is missing'],
    ['a workflow that somebody wrote and that stands for a call', plan => (plan['workflows'].todos.standsFor = { kind: 'vote', lead: 'lead' }), 'workflows.todos.standsFor is of a workflow that somebody wrote'],
    ['one that a run could begin with', plan => plan['entries'].push('@vote:lead'), 'entries names @vote:lead'],
    ['one of an unknown kind', plan => (plan['workflows']['@vote:lead'].standsFor.kind = 'x'), 'workflows.@vote:lead.standsFor.kind is unknown'],
    ['one of no agent', plan => (plan['workflows']['@agent:lead/finder'].standsFor.lead = 'x'), 'workflows.@agent:lead/finder.standsFor names no agent'],
    ['one with other parameters', plan => (plan['workflows']['@agent:lead/finder'].params[0].name = 'question'), 'workflows.@agent:lead/finder'],
    ['one that asks another agent', plan => (plan['workflows']['@agent:lead/finder'].nodes[0].body.agent = 'doubter'), 'workflows.@agent:lead/finder.nodes ask somebody else'],
    ['one that asks nobody', plan => (plan['workflows']['@asked:lead/fs_write'].nodes[0].approve = null), 'workflows.@asked:lead/fs_write.nodes ask nobody'],
    ['one that begins by itself', plan => (plan['workflows']['@vote:lead'].triggers = [{ kind: 'every', intervalMs: 1, missed: 'run' }]), 'workflows.@vote:lead.triggers is of a workflow that nobody wrote'],
    ['a tool that opens the question of another agent', plan => (plan['agentBodies'].lead.tools[1].asked = '@asked:lead/fs_write'), 'agentBodies.lead.tools[1] opens a workflow that is not for it'],
    ['a tool that asks always and has no question', plan => delete plan['agentBodies'].lead.tools[0].asked, 'agentBodies.lead.tools[0] opens a workflow that is not for it'],
    ['a tool whose question there is not', plan => (plan['agentBodies'].lead.tools[0].asked = 'x'), 'agentBodies.lead.tools[0].asked names no workflow'],
    ['a tool that opens the agent of another lead', plan => plan['agentBodies'].finder.tools.push({ ...plan['agentBodies'].lead.tools[4], name: 'x' }), 'agentBodies.finder.tools[3] opens a workflow that is not for it'],
    ['a question to no lead', plan => (plan['agentBodies'].finder.tools[1].leads = {}), 'agentBodies.finder.tools[1].leads is empty'],
    ['a question to a lead that is none', plan => (plan['agentBodies'].finder.tools[1].leads = { doubter: '@ask-lead:lead/finder' }), 'agentBodies.finder.tools[1] opens a workflow that is not for it'],
    ['a message that does nothing', plan => (plan['agentBodies'].doubter.tools[0].does = 'x'), 'agentBodies.doubter.tools[0].does is unknown'],
    ['a memory without bound', plan => (plan['agentBodies'].lead.memory.keepTokens = 1e9), 'agentBodies.lead.memory.keepTokens is no number of tokens'],
    ['a memory that keeps nothing and summarises', plan => (plan['agentBodies'].lead.memory = { kind: 'none', summarises: true }), 'agentBodies.lead.memory keeps nothing'],
    ['a summary that is not true', plan => (plan['agentBodies'].lead.memory.summarises = 1), 'agentBodies.lead.memory.summarises is not true'],
    ['an unknown way after text from outside', plan => (plan['agentBodies'].lead.afterUntrusted = 'allow'), 'agentBodies.lead.afterUntrusted is not ask'],
    ['a body without tools that is not true', plan => (plan['workflows'].review.nodes[0].body.hasNoTools = 1), 'workflows.review.nodes[0].body.hasNoTools is not true'],
    ['nothing that must hold', plan => (plan['workflows'].review.nodes[0].ensure = []), 'workflows.review.nodes[0].ensure is no list of what must hold'],
    ['a condition that is none', plan => (plan['workflows'].review.nodes[0].ensure[1].condition = 3), 'workflows.review.nodes[0].ensure[1].condition is no expression'],
    ['words that are none', plan => delete plan['workflows'].review.nodes[0].ensure[0].says, 'workflows.review.nodes[0].ensure[0].says is no expression'],
    ['something that stands for no tool', plan => (plan['tests'] = [{ name: 't', given: [{ kind: 'returns', module: 'x', fn: 'y', value: value('') }], steps: [] }]), 'tests[0].given[0] names no tool'],
    ['something that stands in an unknown way', plan => (plan['tests'] = [{ name: 't', given: [{ kind: 'x' }], steps: [] }]), 'tests[0].given[0].kind is unknown'],
    ['a cassette without a name', plan => (plan['tests'] = [{ name: 't', given: [{ kind: 'replays', agent: 'lead', cassette: '' }], steps: [] }]), 'tests[0].given[0] names no cassette'],
  ]
  it.each(damage)('refuses %s', (_name, change, problem) => {
    const plan = JSON.parse(JSON.stringify(good)) as Record<string, any>
    change(plan)
    plan['hash'] = hashPlan(plan as unknown as Plan)
    const found = validatePlan(plan).problem
    expect(found?.kind === 'damaged' ? found.problem : found).toContain(problem)
  })
})
