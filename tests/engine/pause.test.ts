// Pause and drain: what is under way may end, for as long as it takes or for as long as was said; whoever asks for more gets it.
import { expect, test } from 'vitest'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { recordedRuns } from '#interpreter/stop-run.ts'
import type { RunNotice, RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { binary, call, list, local, node, plan, task, value, workflow } from './plan-builder.ts'
import { resumePlan, runPlan, type RunPlan, type Tool } from './run-plan.ts'

/** Three at once; each makes two calls. */
const program = plan({
  main: workflow([task('t', binary('+', call('first', { x: local('x') }), call('second', { x: local('x') })), { forEach: { item: 'x', list: value([0, 1, 2, 3, 4, 5, 6, 7]), width: value(3) } })], node(0)),
})
const whole = [0, 1, 2, 3, 4, 5, 6, 7].map(x => x * 2)

/** A call that ends when the test says so, or is given up. */
class Gate {
  readonly keys: string[] = []
  givenUp = 0
  private readonly open: (() => void)[] = []
  isOpen = false

  readonly tool: Tool = ({ x }, { signal, idempotencyKey }) => {
    this.keys.push(idempotencyKey)
    if (this.isOpen) return x ?? null
    return new Promise<Value>((resolve, reject) => {
      this.open.push(() => resolve(x ?? null))
      signal.addEventListener('abort', () => {
        this.givenUp++
        reject(new Error('given up'))
      })
    })
  }

  release(): void {
    this.isOpen = true
    for (const each of this.open.splice(0)) each()
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 1))
}

interface Going {
  readonly journal: Journal
  readonly gate: Gate
  readonly second: Value[]
  readonly runId: string
  readonly end: Promise<RunSummary>
}

async function going(settings: RunPlan['settings'] = {}): Promise<Going> {
  const journal = memoryJournal()
  const gate = new Gate()
  const second: Value[] = []
  let runId = ''
  const onNotice = (notice: RunNotice): void => void (notice.kind === 'run-started' && (runId = notice.runId))
  const end = runPlan(program, { journal, tools: { first: gate.tool, second: ({ x }) => (second.push(x ?? null), x ?? null) }, settings: { onNotice, ...settings } }).then(({ result }) => {
    if (result.kind === 'refused') throw new Error('refused')
    return result.summary
  })
  await until(() => gate.keys.length === 3)
  return { journal, gate, second, runId, end }
}

const pause = ({ journal, runId }: Going): void => void journal.mailbox.put(runId, { kind: 'pause' }, 0)
const isPausing = ({ journal, runId }: Going): boolean => journal.mailbox.pending(runId).length === 0

test('a pause lets what is under way come to its end, further calls included, and begins nothing', async () => {
  const run = await going()
  pause(run)
  await until(() => isPausing(run))
  await new Promise(resolve => setTimeout(resolve, 50))
  run.gate.release()
  const end = await run.end
  expect(end).toMatchObject({ status: 'paused', outcome: null })
  expect(run.gate.keys).toHaveLength(3)
  expect(run.second.toSorted()).toEqual([0, 1, 2])
  expect(run.gate.givenUp).toBe(0)
  expect(recordedRuns(run.journal, memoryHost())[0]!.state).toBe('paused')
  const again = await resumePlan(program, run.runId, { journal: run.journal, tools: { first: run.gate.tool, second: ({ x }) => x ?? null } })
  expect(again.value).toEqual(whole)
  expect(new Set(run.gate.keys).size).toBe(8)
  expect(run.gate.keys).toHaveLength(8)
})

test('a second pause gives up what is under way; it is made again, with the same key', async () => {
  const run = await going()
  pause(run)
  await until(() => isPausing(run))
  pause(run)
  expect((await run.end).status).toBe('paused')
  expect(run.gate.givenUp).toBe(3)
  run.gate.release()
  const again = await resumePlan(program, run.runId, { journal: run.journal, tools: { first: run.gate.tool, second: ({ x }) => x ?? null } })
  expect(again.value).toEqual(whole)
  expect(new Set(run.gate.keys).size).toBe(8)
})

test('a pause that was asked for twice is over when the run goes on', async () => {
  const run = await going()
  pause(run)
  await until(() => isPausing(run))
  run.gate.release()
  expect((await run.end).status).toBe('paused')
  pause(run) // it comes when nobody listens any more
  const again = await resumePlan(program, run.runId, { journal: run.journal, tools: { first: run.gate.tool, second: ({ x }) => x ?? null } })
  expect(again.value).toEqual(whole)
  expect(run.journal.mailbox.pending(run.runId)).toEqual([])
})

test('a kill switch cuts a pause short', async () => {
  const stop = new AbortController()
  const run = await going({ signal: stop.signal })
  pause(run)
  await until(() => isPausing(run))
  stop.abort()
  expect(await run.end).toMatchObject({ status: 'stopped', outcome: { failure: { code: 'run/interrupted' } } })
  expect(run.gate.givenUp).toBe(3)
})

test('a pause that comes while nothing is under way pauses at once; a paused run is woken by nobody', async () => {
  const journal = memoryJournal()
  const waiting = plan({ main: workflow([task('t', value(1), { approve: value('sure?'), approval: { withinMs: 3_600_000, escalate: [] } })], node(0)) })
  const first = await runPlan(waiting, { journal })
  if (first.result.kind === 'refused') throw new Error('refused')
  const { runId } = first.result.summary
  journal.mailbox.put(runId, { kind: 'pause' }, 0)
  journal.mailbox.put(runId, { kind: 'answer', task: 't', verdict: 'approved', by: 'x' }, 0)
  const { result } = await resumePlan(waiting, runId, { journal })
  expect(result.kind === 'ran' && result.summary.status).toBe('paused')
  expect(journal.toWake(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
  expect((await resumePlan(waiting, runId, { journal })).value).toBe(1) // the answer was taken before
})

test('a signal to end lets calls under way end within the time that was given, but begins none', async () => {
  const stop = new AbortController()
  const run = await going({ signal: stop.signal, drainMs: 60_000 })
  stop.abort('terminate')
  await new Promise(resolve => setTimeout(resolve, 50))
  run.gate.release()
  expect(await run.end).toMatchObject({ status: 'stopped', outcome: { failure: { code: 'run/stopped' } } })
  expect(run.gate.givenUp).toBe(0)
  expect(run.second).toEqual([])
  const again = await resumePlan(program, run.runId, { journal: run.journal, tools: { first: run.gate.tool, second: ({ x }) => x ?? null } })
  expect(again.value).toEqual(whole)
  expect(run.gate.keys).toHaveLength(8)
})

test('after that time they are given up', async () => {
  const stop = new AbortController()
  const run = await going({ signal: stop.signal, drainMs: 20 })
  stop.abort('terminate')
  expect((await run.end).status).toBe('stopped')
  expect(run.gate.givenUp).toBe(3)
})

test('a call under way may still act while a signal drains, and no more once a kill switch asks', async () => {
  const act = async (asksKill: boolean): Promise<{ summary: RunSummary; wrote: boolean }> => {
    const stop = new AbortController()
    const host = memoryHost({ files: { 'out/.keep': '' } })
    const stopFile = '/project/STOP'
    const write = async (_: unknown, context: Parameters<Tool>[1]): Promise<Value> => {
      stop.abort('terminate')
      if (asksKill) host.files.put(stopFile, '')
      await new Promise(resolve => setTimeout(resolve, 30))
      await context.files.writeText('out/a.txt', 'a')
      return 'written'
    }
    const writing = plan({ main: workflow([task('t', call('write', {}, { needs: [{ grant: 'fs.write', args: [{ literal: 'out/a.txt' }] }] })), task('u', value(1))], list(node(0), node(1)), { authority: [{ name: 'fs.write', args: [value('out/**')], implies: [] }] }) })
    const { result } = await runPlan(writing, { host, tools: { write: write as never }, settings: { signal: stop.signal, drainMs: 60_000, stopFile } })
    if (result.kind === 'refused') throw new Error('refused')
    return { summary: result.summary, wrote: host.files.statSync('/project/out/a.txt') !== null }
  }
  const drained = await act(false)
  expect(drained).toMatchObject({ summary: { status: 'stopped' }, wrote: true })
  expect(await act(true)).toMatchObject({ summary: { status: 'stopped' }, wrote: false })
})
