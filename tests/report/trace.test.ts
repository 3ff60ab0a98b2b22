// Trace: what agents delegated stands beneath them, in one row where a call is nothing but one task.
import { describe, expect, test } from 'vitest'
import { graphOfRun } from '#graph/graph.ts'
import type { RunReport, TaskReport } from '#model/report.ts'
import { nameOfAgent, talkWords, traceOf, usageByAgent } from '#report/trace.ts'

const task = (path: string, more: Partial<TaskReport> = {}): TaskReport => ({ path, status: 'done', attempts: 1, cached: false, startedAtMs: 0, elapsedMs: 1, outcome: null, dependsOn: [], ...more })
const call = (path: string, by: string, as: NonNullable<TaskReport['delegated']>['as'] = 'agent'): TaskReport => task(path, { delegated: { by, tool: path.slice(path.lastIndexOf('.') + 1), as } })
const usage = (turns: number, costMicros = 0) => ({ turns, tokens: turns * 1_000, costMicros })

/** In the order of their numbers: a lead that asks two at once, the second of which asks back and builds. */
const tasks = [
  task('before'),
  task('t', { agent: 'lib#lead', usage: usage(2, 5_000), tools: [{ name: 'reader', calls: 1, failed: 0 }, { name: 'writer', calls: 1, failed: 0 }, { name: 'fs.read', calls: 3, failed: 1 }] }),
  call('t/0.reader', 't'), call('t/1.writer', 't'),
  task('t/0.reader/reader', { agent: 'reader', usage: usage(1) }),
  task('t/1.writer/writer', { agent: 'writer', usage: usage(3, 9_000) }),
  call('t/1.writer/writer/0.ask_lead', 't/1.writer/writer', 'ask-lead'), call('t/1.writer/writer/1.build', 't/1.writer/writer', 'workflow'), call('t/1.writer/writer/2.push', 't/1.writer/writer', 'asked-call'),
  task('t/1.writer/writer/0.ask_lead/lead', { agent: 'lib#lead', usage: usage(1) }),
  task('t/1.writer/writer/1.build/one'), task('t/1.writer/writer/1.build/two', { agent: 'reader', usage: usage(1) }),
  task('t/1.writer/writer/2.push/push'),
  task('after/inner'),
]

test('what an agent delegated stands beneath it, in the order of its calls; the rest as it was', () => {
  expect(traceOf({ tasks }).map(({ name, around, task: { path } }) => [around.map(each => (each ? '+' : '.')).join(''), name, path])).toEqual([
    ['', 'before', 'before'],
    ['', 't', 't'],
    ['+', 'reader', 't/0.reader/reader'],
    ['.', 'writer', 't/1.writer/writer'],
    ['.+', 'asked lead', 't/1.writer/writer/0.ask_lead/lead'],
    ['.+', 'build', 't/1.writer/writer/1.build'],
    ['.++', 'one', 't/1.writer/writer/1.build/one'],
    ['.+.', 'two', 't/1.writer/writer/1.build/two'],
    ['..', 'push (asks a person)', 't/1.writer/writer/2.push/push'],
    ['', 'after/inner', 'after/inner'],
  ])
})

describe('beneath a conversation', () => {
  test('of an item, and of a further attempt', () => {
    const again = [task('t[1]', { agent: 'lead' }), call('t[1]/0.reader', 't[1]'), task('t[1]/0.reader/reader', { agent: 'reader' }), call('t[1]#2/0.reader', 't[1]'), task('t[1]#2/0.reader/reader', { agent: 'reader' })]
    expect(traceOf({ tasks: again }).map(({ name, around }) => [around.length, name])).toEqual([[0, 't[1]'], [1, 'reader'], [1, 'reader (attempt 2)']])
  })

  test('a call that failed before its task began is told of itself', () => {
    expect(traceOf({ tasks: [task('t', { agent: 'lead' }), { ...call('t/0.reader', 't'), status: 'failed' }] }).map(({ task: { path, status } }) => [path, status])).toEqual([['t', 'done'], ['t/0.reader', 'failed']])
  })
})

test('a row says what its agent needed and called, but for what stands beneath it', () => {
  const rows = traceOf({ tasks })
  expect(talkWords(rows[1]!)).toEqual(['2 turns, 2,000 tokens, $0.0050', 'called fs.read ×3 (1 failed)'])
  expect(talkWords(rows[0]!)).toEqual([])
})

test('what each agent needed is counted together, the dearest first', () => {
  expect(usageByAgent({ tasks }).map(({ agent, conversations, usage: each }) => [nameOfAgent(agent), conversations, each.turns, each.costMicros])).toEqual([['writer', 1, 3, 9_000], ['lead', 2, 3, 5_000], ['reader', 2, 2, 0]])
})

test('a graph of a run shows who was asked by whom', () => {
  const graph = graphOfRun({ summary: { workflow: 'main' }, tasks } as unknown as RunReport)
  expect(graph.nodes.map(({ label, note }) => [label, note])).toEqual([['before', ''], ['t', ''], ['reader', 'asked by t'], ['writer', 'asked by t'], ['ask_lead', 'asked by writer'], ['build', 'asked by writer'], ['push', 'asked by writer']])
  expect(graph.edges).toContainEqual({ from: 't/1.writer', to: 't/1.writer/writer/1.build' })
})
