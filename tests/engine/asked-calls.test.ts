// Asked calls: a call of a tool before which a person is asked: always, or once text from outside is in the conversation; the answer comes from another process.
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '#model/chat.ts'
import { taskAt } from '#interpreter/find-task.ts'
import type { Outcome, RunEvent } from '#model/event.ts'
import type { Plan, PlanTool } from '#model/plan.ts'
import { recordOf, stringType } from '#types/construct.ts'
import { says, TalkWorld, type TalkWorldOptions, tool, uses } from './talk-world.ts'
import { askedCall, standIn, teamPlan, workflowTool } from './team-plan.ts'

const wordsOf = (messages: readonly ChatMessage[]): string => JSON.stringify(messages.at(-1)!.content)
type FunctionTool = Extract<PlanTool, { kind: 'function' }>
const web = tool('web', recordOf({}), { isUntrusted: true })
const push = (more: Partial<FunctionTool> = {}): FunctionTool => tool('push', recordOf({ branch: stringType }), { isSink: true, effect: 'write', asked: '@asked:lead/push', ...more }) as FunctionTool
const planOf = (pushing: FunctionTool, afterUntrusted: 'ask' | null, more: { readonly hasAsked?: boolean } = {}): Plan => teamPlan(
  { lead: { tools: [web, pushing], ...(afterUntrusted === null ? {} : { afterUntrusted }) } }, { workflows: more.hasAsked === false ? {} : { '@asked:lead/push': askedCall('lead', pushing) } },
)
const pushes: NonNullable<TalkWorldOptions['model']> = ({ request }, { turn }) => (turn === 1 ? uses(['push', { branch: 'a' }]) : turn === 2 ? uses(['web', {}]) : turn === 3 ? uses(['push', { branch: 'b' }]) : says(wordsOf(request.messages)))
const done = (name: string): Outcome => ({ kind: 'value', value: `${name} done` })

/** Runs until nothing comes any more; what waits is answered as `answers` says, each in a process of its own. */
function run(plan: Plan, answers: (question: string) => 'approved' | 'refused' | null, more: Partial<TalkWorldOptions> = {}): { world: TalkWorld; questions: string[] } {
  const world = new TalkWorld({ plan, model: pushes, tool: name => done(name), body: () => done('pushed by a task'), ...more }).run()
  const questions: string[] = []
  for (let asked = 0; asked < 20 && !world.state.isFinished && world.state.waits.size > 0; asked++) {
    const [task, { question }] = [...world.state.waits][0]!
    questions.push(question!)
    const verdict = answers(question!)
    if (verdict === null) break
    world.answer({ kind: 'answered', atMs: 5_000 + asked, task, attempt: 1, verdict, by: 'ann', note: 'not today' })
    world.run()
  }
  return { world, questions }
}

describe('after text from outside', () => {
  test('a person is asked, with the arguments; then the call is made, by the task that asked', () => {
    const { world, questions } = run(planOf(push(), 'ask'), () => 'approved')
    expect(questions).toEqual(['lead wants to call push: branch = b '])
    expect(world.value).toContain('pushed by a task')
    expect(world.called).toEqual(['t 1 0', 't 1 1', 't 1 2']) // the third is only recorded: the task inside makes the call
    expect(world.events.filter(each => each.kind === 'call-finished')).toHaveLength(2)
  })

  test('a refusal is told to the model', () => {
    const { world } = run(planOf(push(), 'ask'), () => 'refused')
    expect(world.value).toMatch(/"isError":true.*run\/refused-by-person.*not today/)
  })

  test('it waits without a process, at a path that a person can name, and nothing else is under way', () => {
    const { world } = run(planOf(push(), 'ask'), () => null)
    expect(world.state.isFinished).toBe(false)
    expect(taskAt(world.state, 't/2.push/push')).toBe([...world.state.waits.keys()][0])
    expect(world.state.schedule.running).toBe(0)
  })

  test('refused, where the program says so, and where the plan has nobody to ask by', () => {
    expect(run(planOf(push(), null), () => null).world.value).toContain('refused: this conversation holds text from outside, and this tool acts on the world')
    const { asked: _, ...plain } = push()
    expect(run(planOf(plain as FunctionTool, 'ask', { hasAsked: false }), () => null).world.value).toContain('nobody can be asked whether this tool may be called')
  })
})

describe('before every call', () => {
  test('a person is asked from the first turn on, and a yes is enough after text from outside', () => {
    const { world, questions } = run(planOf(push({ alwaysAsks: true }), null), () => 'approved')
    expect(questions).toEqual(['lead wants to call push: branch = a ', 'lead wants to call push: branch = b '])
    expect(world.value).toContain('pushed by a task')
  })

  test('side by side, each for itself', () => {
    const { world, questions } = run(planOf(push({ alwaysAsks: true }), null), question => (question.includes('= a') ? 'refused' : 'approved'), {
      model: ({ request }, { turn }) => (turn === 1 ? uses(['push', { branch: 'a' }], ['push', { branch: 'b' }]) : says(wordsOf(request.messages))),
    })
    expect(questions).toHaveLength(2)
    expect(world.value).toMatch(/"isError":true.*refused-by-person.*"isError":false.*pushed by a task/)
  })

  test('also of an agent that is led', () => {
    const plan = teamPlan({ lead: { tools: [workflowTool('reader', '@agent:lead/reader', { asked: '@asked:lead/reader', alwaysAsks: true })] }, reader: {} }, {
      workflows: {
        '@agent:lead/reader': standIn('lead', 'reader'),
        '@asked:lead/reader': { ...askedCall('lead', push()), params: [{ name: 'task', type: stringType, default: null }], nodes: [{ ...askedCall('lead', push()).nodes[0]!, approve: { op: 'param', name: 'task' }, body: { kind: 'workflow', workflow: '@agent:lead/reader', args: { task: { op: 'param', name: 'task' } } } }] },
      },
    })
    const { world, questions } = run(plan, () => 'approved', { model: ({ agent, request }, { turn }) => (agent === 'reader' ? says('read') : turn === 1 ? uses(['reader', { task: 'look' }]) : says(wordsOf(request.messages))) })
    expect(questions).toEqual(['look'])
    expect(world.value).toContain('read')
    expect(world.asked).toContain('t/0.reader/push/reader 1 1')
  })
})

test('killed after each number of events, before and after the answer: asked once, called once', () => {
  const length = run(planOf(push(), 'ask'), () => 'approved').world.events.length
  for (let every = 1; every <= length; every++) {
    const { world, questions } = run(planOf(push(), 'ask'), () => 'approved', { killAfter: process => (process === 0 ? every : 6) })
    expect(questions).toHaveLength(1)
    expect(world.value).toContain('pushed by a task')
    const answers = world.events.flatMap((each: RunEvent) => (each.kind === 'model-answered' ? [each.turn] : []))
    expect(answers).toEqual([1, 2, 3, 4])
  }
})
