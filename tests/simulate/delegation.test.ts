// Delegation: a program whose agents lead, ask and write to each other is cut off after every single event and taken up again, replayed, and forked from each of its
// tasks. Each time the result is the same, and no recorded turn is asked of a model again.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { forkRun } from '#interpreter/fork.ts'
import { gatherEvidence } from '#interpreter/evidence.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { migrateRun } from '#interpreter/migrate.ts'
import { replayRun } from '#interpreter/replay.ts'
import { reportOf } from '#interpreter/report.ts'
import { whyTask } from '#interpreter/why.ts'
import type { ChatBlock, ChatReply, ChatRequest } from '#model/chat.ts'
import { noUsage } from '#model/chat.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import type { ModelProvider } from '#plugin-api/model-provider.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { recordOf, stringType } from '#types/construct.ts'
import { node, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runnerOf, runPlan, type Tool } from '../engine/run-plan.ts'
import { tool } from '../engine/talk-world.ts'
import { byAgent, teamPlan, type Member } from '../engine/team-plan.ts'

const look = tool('look', recordOf({ at: stringType }))
const lead = { leads: ['scout', 'fixer'], tools: [look] }
const quiet = teamPlan({ lead, scout: { leads: ['fixer'], asksLead: true, tools: [look] }, fixer: { tools: [look] } } satisfies Record<string, Member>, { main: { nodes: nodes() } })
const loud = teamPlan({ lead: { ...lead, talks: true }, scout: { talks: true, tools: [look] }, fixer: { talks: true } } satisfies Record<string, Member>, { main: { nodes: nodes() } })

function nodes() {
  return workflow([
    task('before', byAgent(value('Look first.'), 'fixer'), { type: stringType }),
    task('t', byAgent(node(0)), { type: stringType, dependsOn: [0] }),
    task('after', { op: 'prelude', fn: 'len', args: [node(1)] }, { dependsOn: [1] }),
  ], node(2)).nodes
}

type Call = readonly [name: string, input: Record<string, string>]
/** What an agent does in a turn; nothing: it answers with how much it was told. */
const acts: Readonly<Record<string, Readonly<Record<string, readonly (readonly Call[])[]>>>> = {
  quiet: { lead: [[['scout', { task: 'a' }], ['fixer', { task: 'b' }], ['look', { at: 'x' }]], [['fixer', { task: 'c' }]]], scout: [[['ask_lead', { question: 'why?' }], ['look', { at: 'y' }]], [['fixer', { task: 'd' }]]], fixer: [] },
  loud: { lead: [[['scout', { task: 'a' }], ['fixer', { task: 'b' }]]], scout: [[['look', { at: 'z' }], ['send', { to: 'fixer', text: 'hello' }]]], fixer: [[['receive', {}]]] },
}

function answered(kind: string, { system, messages, toolChoice }: ChatRequest): ChatReply {
  const name = /You are (\w+)\./.exec(system)![1]!
  const turn = messages.filter(each => each.role === 'assistant').length
  const calls = toolChoice === 'none' || (kind === 'loud' && JSON.stringify(messages[0]).includes('Look first')) ? [] : (acts[kind]![name]![turn] ?? [])
  const content: ChatBlock[] = calls.length === 0 ? [{ kind: 'text', text: `${name} ${JSON.stringify(messages).replaceAll(/Message from[^"]*/g, '').length}` }] : calls.map(([each, input], at) => ({ kind: 'tool-use', id: `${turn}-${at}`, name: each, input }))
  return { content, stop: calls.length === 0 ? 'done' : 'tool-use', usage: { ...noUsage, input: 10, output: 5 }, model: 'as-named' }
}

function settingsFor(kind: string, asked: string[]) {
  const provider: ModelProvider = {
    doc: '', options: z.record(z.string(), z.unknown()),
    open: () => ({
      abilities: { images: false, tools: true, schemas: true, contextTokens: null }, hosts: [],
      async ask(request) {
        asked.push(request.system)
        for (let i = asked.length % 3; i > 0; i--) await new Promise(setImmediate)
        return answered(kind, request)
      },
    }),
  }
  return { modelProvider: async () => provider }
}

const tools: Record<string, Tool> = { look: async ({ at }) => `saw ${String(at)}` }
const turnsOf = (events: readonly RunEvent[]): string[] => events.flatMap(each => (each.kind === 'model-answered' ? [`${each.task} ${each.attempt} ${each.turn}`] : []))

function cutJournal(plan: Plan, summary: RunSummary, events: readonly RunEvent[]): Journal {
  const journal = memoryJournal()
  const log = journal.startRun({ ...summary, status: 'running', outcome: null }, plan)
  for (const event of events) log.append(event)
  log.commit()
  return journal
}

async function fullRun(kind: string, plan: Plan): Promise<{ journal: Journal; summary: RunSummary; events: RunEvent[]; value: unknown }> {
  const journal = memoryJournal()
  const asked: string[] = []
  const { result, value: got } = await runPlan(plan, { journal, tools, advancing: true, settings: settingsFor(kind, asked) })
  if (result.kind !== 'ran') throw new Error(JSON.stringify(result.diagnostics))
  const events = [...journal.openRun(result.summary.runId)!.log.events()]
  expect(result.summary.outcome).toEqual({ kind: 'value', value: got })
  expect(asked).toHaveLength(turnsOf(events).length)
  return { journal, summary: result.summary, events, value: got }
}

describe.each([['quiet', quiet], ['loud', loud]] as const)('%s agents', (kind, plan) => {
  test('cut after every event: the same result, and no recorded turn is asked again', async () => {
    const { summary, events, value: whole } = await fullRun(kind, plan)
    expect(events.length).toBeGreaterThan(30)
    for (let cut = 1; cut <= events.length; cut++) {
      const journal = cutJournal(plan, summary, events.slice(0, cut))
      const asked: string[] = []
      const { value: got } = await resumePlan(plan, summary.runId, { journal, tools, advancing: true, settings: settingsFor(kind, asked) })
      expect(got, `cut after ${cut}`).toEqual(whole)
      const all = turnsOf([...journal.openRun(summary.runId)!.log.events()])
      expect(new Set(all).size, `cut after ${cut}`).toBe(all.length)
      expect(asked.length, `cut after ${cut}`).toBe(all.length - turnsOf(events.slice(0, cut)).length)
    }
  })

  test('replayed, it is what was recorded; so is a record that is cut anywhere', async () => {
    const { summary, events, journal } = await fullRun(kind, plan)
    const options = { toolRunner: runnerOf({}), capacity: { parallel: 16, cpu: 16, memoryBytes: 1e12 }, pool: () => { throw new Error('no thread') } }
    expect(await replayRun(journal.openRun(summary.runId)!, options)).toMatchObject({ difference: null })
    for (let cut = 1; cut < events.length; cut += 5) {
      const found = cutJournal(plan, summary, events.slice(0, cut)).openRun(summary.runId)!
      expect(await replayRun(found, options), `cut after ${cut}`).toMatchObject({ difference: null })
    }
  })

  test('forked from each of its tasks: the turns before it are taken over, and it comes to the same', async () => {
    const { summary, events, journal, value: whole } = await fullRun(kind, plan)
    const paths = reportOf(plan, summary, events).tasks.map(each => each.path)
    expect(paths).toContain('t/0.scout/scout')
    const host = memoryHost()
    const spared: Record<string, number> = {}
    for (const path of paths) {
      const forked = forkRun(journal, host, summary.runId, path)
      if (forked === null || 'severity' in forked) throw new Error(forked?.message)
      const beginning = [...journal.openRun(forked.runId)!.log.events()]
      const asked: string[] = []
      const { value: got } = await resumePlan(plan, forked.runId, { journal, tools, advancing: true, settings: settingsFor(kind, asked) })
      expect(got, path).toEqual(whole)
      const all = [...journal.openRun(forked.runId)!.log.events()]
      expect(turnsOf(all).length, path).toBe(turnsOf(events).length)
      expect(asked.length, path).toBe(turnsOf(all).length - turnsOf(beginning).length)
      spared[path] = turnsOf(beginning).length
    }
    if (kind === 'quiet') expect(spared).toMatchObject({ before: 0, t: 1, 't/0.scout': 3, 't/0.scout/scout': 3, 't/0.scout/scout/0.ask_lead/lead': 4, 't/0.scout/scout/2.fixer/fixer': 6, 't/3.fixer': 9, after: 11 })
    else expect(spared).toMatchObject({ before: 0, t: 1, 't/0.scout/scout': 1, 't/1.fixer': 1, after: 7 })
  })

  test('cut anywhere and gone on with after a change: what did not change is taken over, a conversation whole or not at all', async () => {
    const { summary, events, value: whole } = await fullRun(kind, plan)
    const agents = plan.agentBodies!
    const changes: readonly (readonly [string, Plan])[] = [
      ['nothing', { ...plan, hash: 'same' }],
      ['an agent that is led by an agent that is led', { ...plan, hash: 'fixer', agentBodies: { ...agents, fixer: { ...agents['fixer']!, limits: { turns: 19 } } } }],
      ['an agent that is led', { ...plan, hash: 'scout', agentBodies: { ...agents, scout: { ...agents['scout']!, limits: { turns: 19 } } } }],
    ]
    for (const [what, changed] of changes) {
      for (let cut = 1; cut < events.length; cut += 4) {
        const journal = cutJournal(plan, summary, events.slice(0, cut))
        const made = migrateRun(journal, Object.assign(memoryHost(), { randomHex: () => `migrated${cut}` }), summary.runId, { plan: changed, constants: new Map(), pure: () => null, isDry: false, mayWriteAgain: [] })
        if (made === null || 'severity' in made || made.runId === null) throw new Error('not migrated')
        const beginning = turnsOf([...journal.openRun(made.runId)!.log.events()]).length
        const before = turnsOf(events.slice(0, cut)).length
        if (what === 'nothing') expect(beginning, `cut after ${cut}`).toBe(before)
        else expect(beginning, `cut after ${cut}`).toBe(what.endsWith('an agent that is led') ? Math.min(before, what.startsWith('an agent that is led by') ? 0 : 1) : 0)
        const asked: string[] = []
        const { value: got } = await resumePlan(changed, made.runId, { journal, tools, advancing: true, settings: settingsFor(kind, asked) })
        expect(got, `${what}, cut after ${cut}`).toEqual(whole)
        expect(asked.length).toBe(turnsOf(events).length - beginning)
      }
    }
  })

  test('evidence and report tell of every conversation', async () => {
    const { summary, events, journal } = await fullRun(kind, plan)
    const { tasks } = reportOf(plan, summary, events)
    expect(tasks.reduce((sum, each) => sum + (each.usage?.turns ?? 0), 0)).toBe(turnsOf(events).length)
    expect(tasks.reduce((sum, each) => sum + (each.usage?.tokens ?? 0), 0)).toBe(summary.usage!.tokens)
    const { details } = gatherEvidence(plan, events, () => true)
    const names = [...details.values()].flatMap(each => each.calls.map(call => call.name))
    const why = whyTask(journal, summary.runId, 't/0.scout/scout')
    expect(why).toMatchObject({ answers: [{ reason: 'no-cache', words: [expect.any(String), 'The agent of `t` asked for it: its call `t/0.scout`.'] }] })
    expect(names).toEqual(expect.arrayContaining(kind === 'quiet' ? ['scout', 'fixer', 'ask_lead', 'test.look'] : ['scout', 'fixer', 'send', 'receive', 'test.look']))
  })
})
