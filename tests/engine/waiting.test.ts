// Waiting: questions, times and back-offs that no process needs to live for: when a run leaves, when it is to be woken, what is left of a wait.
import { describe, expect, test } from 'vitest'
import { pathOf } from '#interpreter/engine/path.ts'
import { timerOf } from '#interpreter/engine/protocol.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal, RunRequest } from '#interpreter/journal/journal.ts'
import { folded, taskAt } from '#interpreter/find-task.ts'
import { whyNot } from '#interpreter/fits.ts'
import { recordedRuns } from '#interpreter/stop-run.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan, PlanNode } from '#model/plan.ts'
import type { RunNotice, RunSummary, Wait } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { memoryHost, type MemoryHost } from '#testing/memory-host.ts'
import { call, list, local, node, plan, sub, task, value, workflow } from './plan-builder.ts'
import { resumePlan, runPlan, type RunPlan } from './run-plan.ts'

const SECOND = 1_000
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** One run that several processes drive in turn, on one clock. */
class Story {
  readonly journal: Journal = memoryJournal()
  readonly host: MemoryHost = memoryHost()
  readonly calls: string[] = []
  readonly notices: RunNotice[] = []
  readonly plan: Plan
  runId = ''
  /** How far the wall clock is from where it should be. */
  skewMs = 0
  private readonly more: RunPlan

  constructor(program: Plan, more: RunPlan = {}) {
    this.plan = program
    this.more = more
  }

  get now(): number {
    return this.host.now() + this.skewMs
  }

  /** A process begins or goes on with the run, until it ends. */
  async drive(more: RunPlan = {}): Promise<RunSummary> {
    const { journal } = this
    const host: MemoryHost = { ...this.host, now: () => this.now }
    const work = ({ x }: Readonly<Record<string, Value>>): Value => {
      this.calls.push(String(x))
      return x ?? null
    }
    const options: RunPlan & { journal: Journal } = {
      journal, host, tools: { work }, ...this.more, ...more,
      settings: { onNotice: notice => void this.notices.push(notice), ...this.more.settings, ...more.settings },
    }
    const { result } = await this.passing(this.runId === '' ? runPlan(this.plan, options) : resumePlan(this.plan, this.runId, options))
    if (result.kind === 'refused') throw new Error(result.diagnostics[0]!.message)
    this.runId = result.summary.runId
    return result.summary
  }

  /** Moves the clock until something is over; by how much beyond what it waits for depends on the machine. */
  private async passing<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false
    const over = work.finally(() => void (isOver = true))
    while (!isOver) {
      await this.host.advance(SECOND)
      for (let i = 0; i < 4; i++) await new Promise(setImmediate) // for the loop to take in what came
    }
    return over
  }

  ask(request: RunRequest): void {
    expect(this.journal.mailbox.put(this.runId, request, this.now)).toBe(true)
  }

  answer(name: string, verdict: 'approved' | 'refused' = 'approved'): void {
    this.ask({ kind: 'answer', task: name, verdict, by: 'a test' })
  }

  wake(): readonly string[] {
    return this.journal.toWake(this.now, 10)
  }

  events(): RunEvent[] {
    return [...this.journal.openRun(this.runId)!.log.events()]
  }

  summary(): RunSummary {
    return this.journal.openRun(this.runId)!.summary
  }

  /** Questions as they were told, in order, with whom they were for. */
  asked(): string[] {
    const found: string[] = []
    for (const notice of this.notices) {
      for (const wait of notice.kind === 'waits' ? notice.waits : []) {
        const words = wait.kind === 'approval' ? `${wait.task}: ${wait.question} ${wait.askedOf ?? ''}`.trim() : wait.task
        if (found.at(-1) !== words) found.push(words)
      }
    }
    return found
  }
}

const one = (more: Partial<PlanNode>, extra: Partial<Plan> = {}): Plan => plan({ main: workflow([task('t', call('work', { x: value('body') }), more)], node(0)) }, extra)
const question = value('sure?')
const failureOf = ({ outcome }: RunSummary) => (outcome?.kind === 'failure' ? outcome.failure : null)
const valueOf = ({ outcome }: RunSummary) => (outcome?.kind === 'value' ? outcome.value : undefined)

test('a question is listed however many times are waited for, and so is what is due first', async () => {
  const story = new Story(plan({ main: workflow([
    ...Array.from({ length: 150 }, (_, at) => task(`w${at}`, value(at), { wait: { kind: 'for', value: value((at + 1) * HOUR) } })), task('ask', value(1), { approve: question }),
  ], value(null)) }))
  const { waits = [] } = await story.drive()
  expect(waits).toHaveLength(100)
  expect(waits.map(each => each.task)).toEqual(expect.arrayContaining(['w0', 'ask']))
})

describe('a question', () => {
  test('the process ends, the answer wakes the run, and the next process goes on', async () => {
    const story = new Story(one({ approve: question }))
    const left = await story.drive()
    expect(left).toMatchObject({ status: 'waiting', outcome: null, waits: [{ kind: 'approval', task: 't', question: 'sure?', askedOf: null, dueMs: null }] })
    expect(recordedRuns(story.journal, story.host)[0]!.state).toBe('waiting')
    expect(story.wake()).toEqual([])
    story.answer('t')
    expect(story.wake()).toEqual([story.runId])
    expect(story.calls).toEqual([])
    const end = await story.drive()
    expect(valueOf(end)).toBe('body')
    expect(end.waits).toBe(undefined)
    expect(story.calls).toEqual(['body'])
    expect(story.journal.mailbox.pending(story.runId)).toEqual([])
    expect(story.wake()).toEqual([])
  })

  test('who looks in without an answer leaves again, and nothing is asked twice', async () => {
    const story = new Story(one({ approve: question }))
    await story.drive()
    const [first] = story.summary().waits!
    await story.host.advance(DAY)
    expect((await story.drive()).status).toBe('waiting')
    expect(story.summary().waits).toEqual([first])
    expect(story.events().filter(each => each.kind === 'evaluated' && each.part === 'approve')).toHaveLength(1)
  })

  test('a process that can ask stays, and takes the answer from the mailbox', async () => {
    const story = new Story(one({ approve: question }))
    const running = story.drive({ settings: { waitsLive: true, onNotice: notice => {
      if (notice.kind === 'run-started') story.runId = notice.runId
      if (notice.kind === 'waits' && notice.waits.length > 0) story.answer('t')
    } } })
    expect(valueOf(await running)).toBe('body')
  })

  test('a refusal is a failure of the task, with who refused; it is not tried again', async () => {
    const story = new Story(one({ approve: question, retry: { count: 3, fromMs: 1, toMs: 1 }, verify: { runs: 3, agree: 2, upTo: 5, key: null } }))
    await story.drive()
    story.ask({ kind: 'answer', task: 't', verdict: 'refused', by: 'the boss', note: 'not today' })
    expect(failureOf(await story.drive())).toMatchObject({ code: 'run/refused-by-person', task: 't', retryable: false, message: 'A person refused this task (the boss).', details: 'not today' })
    expect(story.calls).toEqual([])
  })

  test('`on failure` applies to a refusal', async () => {
    const story = new Story(one({ approve: question, onFailure: { kind: 'use', value: { op: 'member', object: local('error'), name: 'code', optional: false } } }))
    await story.drive()
    story.answer('t', 'refused')
    expect(valueOf(await story.drive())).toBe('run/refused-by-person')
  })

  test('`--yes` answers every question', async () => {
    const story = new Story(plan({ main: workflow([task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([1, 2, 3]), width: null }, approve: question })], node(0)) }))
    expect(valueOf(await story.drive({ settings: { answerAll: true } }))).toEqual([1, 2, 3])
    expect(story.events().filter(each => each.kind === 'answered' && each.by === '--yes')).toHaveLength(3)
  })

  test('`--yes` also answers what was asked before', async () => {
    const story = new Story(one({ approve: question }))
    await story.drive()
    expect(valueOf(await story.drive({ settings: { answerAll: true } }))).toBe('body')
  })

  test('it is asked once, whatever `retry` and `verify` do', async () => {
    let tries = 0
    const story = new Story(one({ approve: question, retry: { count: 5, fromMs: 10, toMs: 10 }, verify: { runs: 3, agree: null, upTo: null, key: null } }), { tools: { work: () => {
      if (++tries % 2 === 1) throw Object.assign(new Error('no'), { retryable: true })
      return 1
    } } })
    expect(valueOf(await story.drive({ settings: { answerAll: true } }))).toBe(1)
    expect(tries).toBe(6)
    expect(story.events().filter(each => each.kind === 'answered')).toHaveLength(1)
  })

  test('a result that is kept asks nobody', async () => {
    const story = new Story(one({ approve: question, cache: { ageMs: null, by: null } }))
    await story.drive({ settings: { answerAll: true } })
    story.runId = ''
    expect(valueOf(await story.drive())).toBe('body')
    expect(story.calls).toEqual(['body'])
  })

  test('each item of a `for` asks for itself; one that waits keeps its place in the width', async () => {
    const story = new Story(plan({
      main: workflow([task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([1, 2, 3]), width: value(2) }, approve: { op: 'template', parts: ['item ', local('x'), '?'] }, onFailure: { kind: 'continue' } })], node(0)),
    }))
    const tasksOf = ({ waits = [] }: RunSummary) => waits.map(each => each.task)
    expect(tasksOf(await story.drive())).toEqual(['t[0]', 't[1]'])
    story.answer('t[1]')
    expect(tasksOf(await story.drive())).toEqual(['t[0]', 't[2]'])
    story.answer('t[0]', 'refused')
    story.answer('t[2]')
    expect(valueOf(await story.drive())).toEqual([null, 2, 3])
    expect(story.calls.sort()).toEqual(['2', '3'])
  })

  test('a task that waits keeps no other from starting', async () => {
    const story = new Story(plan({ main: workflow([task('asks', call('work', { x: value(1) }), { approve: question, needs: { cpu: 2, memoryBytes: 0 } }), task('works', call('work', { x: value(2) }), { needs: { cpu: 2, memoryBytes: 0 } })], list(node(0), node(1)), { limits: { parallel: 1 } }) }))
    expect((await story.drive()).status).toBe('waiting')
    expect(story.calls).toEqual(['2'])
  })

  test('a question that cannot be worked out fails the task, and so does one that is too long to be shown whole', async () => {
    const bad = new Story(one({ approve: { op: '/', left: value(1), right: value(0) }, onFailure: { kind: 'use', value: value('instead') } }))
    expect(valueOf(await bad.drive())).toBe('instead')
    const long = await new Story(one({ approve: value('x'.repeat(16_000)) })).drive()
    expect(long.waits).toMatchObject([{ kind: 'approval', question: 'x'.repeat(16_000) }])
    expect(failureOf(await new Story(one({ approve: value('x'.repeat(16_001)) })).drive())).toMatchObject({ code: 'run/question-too-long', retryable: false })
  })

  test('what can never start is said before anybody is asked', async () => {
    const story = new Story(one({ approve: question, needs: { cpu: 1_000, memoryBytes: 0 } }))
    expect(failureOf(await story.drive())?.code).toBe('run/needs-too-much')
  })
})

describe('deadlines', () => {
  const escalated = one({ approve: question, approval: { withinMs: 2 * HOUR, escalate: [{ to: 'lead', withinMs: HOUR }, { to: 'boss', withinMs: 30 * 60_000 }] } })

  test('a question is passed on in turn, and counts as unanswered after the last', async () => {
    const story = new Story(escalated)
    const begun = story.now
    const end = await story.drive({ settings: { waitsLive: true } })
    expect(failureOf(end)).toMatchObject({ code: 'run/not-approved', retryable: false, message: "Nobody answered this task's question within 210m, though it was passed on to lead, then to boss." })
    expect(story.asked()).toEqual(['t: sure?', 't: sure? lead', 't: sure? boss'])
    expect(story.events().flatMap(each => (each.kind === 'timer-fired' ? [each.atMs - begun] : []))).toEqual([2 * HOUR, 3 * HOUR, 3.5 * HOUR])
  })

  test('without a process: the run is woken when the deadline passes; whoever is asked next has the whole time', async () => {
    const story = new Story(escalated)
    const begun = story.now
    expect((await story.drive()).waits).toMatchObject([{ askedOf: null, dueMs: begun + 2 * HOUR }])
    await story.host.advance(2 * HOUR - (story.now - begun) - 1)
    expect(story.wake()).toEqual([])
    await story.host.advance(5 * HOUR)
    expect(story.wake()).toEqual([story.runId])
    const woken = story.now
    expect((await story.drive()).waits).toMatchObject([{ askedOf: 'lead', sinceMs: begun, dueMs: woken + HOUR }])
    expect(story.wake()).toEqual([])
    story.answer('t')
    expect(valueOf(await story.drive())).toBe('body')
  })

  test('an answer that was there before the deadline counts, even if it is taken after it', async () => {
    const story = new Story(one({ approve: question, approval: { withinMs: HOUR, escalate: [] } }))
    await story.drive()
    story.answer('t')
    await story.host.advance(2 * HOUR)
    expect(valueOf(await story.drive())).toBe('body')
  })
})

describe('a time', () => {
  const forHours = (ms: Value) => one({ wait: { kind: 'for', value: value(ms as never) } })

  test('a long wait needs no process; it is over when it was due from the start', async () => {
    const story = new Story(forHours(3 * HOUR))
    const begun = story.now
    expect((await story.drive()).waits).toEqual([{ kind: 'time', task: 't', sinceMs: begun, dueMs: begun + 3 * HOUR }])
    await story.host.advance(2 * HOUR)
    expect((await story.drive()).status).toBe('waiting')
    await story.host.advance(HOUR)
    expect(story.wake()).toEqual([story.runId])
    expect(valueOf(await story.drive())).toBe('body')
    expect(story.now - begun).toBeLessThan(4 * HOUR)
  })

  test('a short wait is waited through', async () => {
    const story = new Story(forHours(30 * SECOND))
    const begun = story.now
    expect(valueOf(await story.drive())).toBe('body')
    expect(story.events().flatMap(each => (each.kind === 'timer-fired' ? [each.atMs - begun] : []))).toEqual([30 * SECOND])
  })

  test('`wait until` a point in time; one that has passed is no wait', async () => {
    const until = (ms: number) => one({ wait: { kind: 'until', value: value(ms) } })
    const dueMs = memoryHost().now() + DAY
    const [wait] = (await new Story(until(dueMs)).drive()).waits!
    expect(wait?.dueMs).toBe(dueMs)
    expect(valueOf(await new Story(until(5)).drive())).toBe('body')
    expect(valueOf(await new Story(forHours(-5)).drive())).toBe('body')
  })

  test('what is no time, and what is too long', async () => {
    expect(failureOf(await new Story(forHours('soon')).drive())).toMatchObject({ code: 'run/wrong-kind', message: '`wait` needs a number of milliseconds; this is a string.' })
    expect(failureOf(await new Story(forHours(400 * DAY)).drive())).toMatchObject({ code: 'run/wait-too-long', message: 'This would wait 400 days; a wait may take 365.' })
  })

  test('it begins after the answer', async () => {
    const story = new Story(one({ approve: question, wait: { kind: 'for', value: value(2 * HOUR) } }))
    await story.drive()
    await story.host.advance(DAY)
    story.answer('t')
    const answeredMs = story.now
    expect((await story.drive()).waits).toMatchObject([{ kind: 'time', dueMs: answeredMs + 2 * HOUR }])
  })

  test('a back-off goes on where it was, in another process', async () => {
    let tries = 0
    const story = new Story(one({ retry: { count: 1, fromMs: 4 * HOUR, toMs: 4 * HOUR } }), { tools: { work: () => {
      if (++tries === 1) throw Object.assign(new Error('no'), { retryable: true })
      return 'second'
    } } })
    const begun = story.now
    const left = await story.drive()
    expect(left.status).toBe('waiting')
    const dueMs = left.waits![0]!.dueMs!
    expect(dueMs - begun).toBeGreaterThanOrEqual(2 * HOUR)
    await story.host.advance(dueMs - story.now - SECOND)
    expect(valueOf(await story.drive())).toBe('second')
    expect(story.now - dueMs).toBeLessThan(HOUR)
  })
})

describe('clocks that are set', () => {
  test('back: what is left is never more than the whole', async () => {
    const story = new Story(one({ wait: { kind: 'for', value: value(2 * HOUR) } }))
    await story.drive()
    story.skewMs = -10 * DAY
    const begun = story.host.now()
    expect(valueOf(await story.drive({ settings: { waitsLive: true } }))).toBe('body')
    expect(story.host.now() - begun).toBeLessThan(3 * HOUR)
    expect(story.host.now() - begun).toBeGreaterThanOrEqual(2 * HOUR)
  })

  test('forward: it is due at once, also while a process waits', async () => {
    const story = new Story(one({ wait: { kind: 'for', value: value(2 * HOUR) } }))
    await story.drive()
    story.skewMs = 3 * DAY
    expect(story.wake()).toEqual([story.runId])
    expect(valueOf(await story.drive())).toBe('body')
    const live = new Story(one({ wait: { kind: 'for', value: value(DAY) } }))
    const begun = live.host.now()
    void live.host.sleep!(HOUR, new AbortController().signal).then(() => void (live.skewMs = 3 * DAY))
    expect(valueOf(await live.drive({ settings: { waitsLive: true } }))).toBe('body')
    expect(live.host.now() - begun).toBeLessThan(2 * HOUR)
  })
})

describe('limits of time', () => {
  const limited = (timeMs: number) => plan({ main: workflow([task('a', call('slow')), task('ask', call('work', { x: value(1) }), { approve: question, dependsOn: [0] }), task('b', call('slow'), { dependsOn: [1] })], node(2), { limits: { timeMs } }) })
  const slow = (story: () => Story, ms: number) => async (_: unknown, context: { signal: AbortSignal }) => {
    await story().host.sleep!(ms, context.signal)
    return 'slow'
  }
  const storyOf = (timeMs: number, ms: number): Story => {
    const story: Story = new Story(limited(timeMs), { tools: { slow: slow(() => story, ms), work: () => 1 } as never })
    return story
  }

  test('the time without a process does not count', async () => {
    const story = storyOf(10 * HOUR, 4 * HOUR)
    expect((await story.drive()).status).toBe('waiting')
    await story.host.advance(5 * DAY)
    story.answer('ask')
    expect(valueOf(await story.drive())).toBe('slow')
  })

  test('the time with one does, over all processes', async () => {
    const story = storyOf(7 * HOUR, 4 * HOUR)
    await story.drive()
    story.answer('ask')
    const begun = story.now
    const end = await story.drive()
    expect(failureOf(end)).toMatchObject({ code: 'run/limit-reached', retryable: false })
    const fired = story.events().findLast(each => each.kind === 'timer-fired')!
    expect(fired.atMs - begun).toBeGreaterThan(2 * HOUR)
    expect(fired.atMs - begun).toBeLessThanOrEqual(3 * HOUR)
    expect(recordedRuns(story.journal, story.host)[0]!.state).toBe('limited')
  })

  test.each([[10, null], [7, 'run/timed-out']])('the timeout of a sub-workflow counts the same: %i hours', async (hours, code) => {
    const { nodes, returns } = limited(HOUR).workflows['main']!
    const story: Story = new Story(plan({ main: workflow([task('outer', sub('inner'), { timeoutMs: hours * HOUR })], node(0)), inner: workflow([...nodes], returns) }), { tools: { slow: slow(() => story, 4 * HOUR), work: () => 1 } as never })
    expect((await story.drive()).status).toBe('waiting')
    await story.host.advance(5 * DAY)
    story.ask({ kind: 'answer', task: 'outer/ask', verdict: 'approved', by: 'a test' })
    expect(failureOf(await story.drive())?.code ?? null).toBe(code)
  })

  test.each([['back', -5 * DAY], ['forward', 5 * DAY]])('a clock that is set %s while it runs takes nothing away and gives no more than the whole', async (_, skewMs) => {
    const story = storyOf(7 * HOUR, 4 * HOUR)
    void story.host.sleep!(2 * HOUR, new AbortController().signal).then(() => void (story.skewMs = skewMs))
    expect((await story.drive()).status).toBe('waiting')
    story.answer('ask')
    expect(valueOf(await story.drive())).toBe('slow') // the two hours before the jump are all that can be told to have passed
  })
})

describe('giving a task up', () => {
  const failing = (more: Partial<PlanNode>, nodes: PlanNode[] = []) => plan({ main: workflow([task('t', call('work', { x: value(1) }), { approve: question, ...more }), ...nodes], list(node(0), ...nodes.map((_, index) => node(index + 1)))), inner: workflow([task('deep', call('work', { x: value(9) }), { approve: question })], node(0)) })
  const cancelled = async (program: Plan, name: string) => {
    const story = new Story(program)
    await story.drive()
    story.ask({ kind: 'cancel', task: name, by: 'a test' })
    return { end: await story.drive(), story }
  }

  test('one that asks', async () => {
    expect(failureOf((await cancelled(failing({}), 't')).end)).toMatchObject({ code: 'run/cancelled-by-person', task: 't', retryable: false })
    expect(valueOf((await cancelled(failing({ onFailure: { kind: 'continue' } }), 't')).end)).toEqual([null])
    expect(valueOf((await cancelled(failing({ onFailure: { kind: 'use', value: value(7) } }), 't')).end)).toEqual([7])
  })

  test('one that waits for a time, or for others', async () => {
    expect(failureOf((await cancelled(one({ wait: { kind: 'for', value: value(DAY) } }), 't')).end)?.code).toBe('run/cancelled-by-person')
    const after = failing({}, [task('after', call('work', { x: value(2) }), { dependsOn: [0] })])
    expect(failureOf((await cancelled(after, 'after')).end)).toMatchObject({ code: 'run/cancelled-by-person', task: 'after' })
  })

  test('one whose `on failure` may mention what it waits for fails when its turn comes', async () => {
    const { story, end } = await cancelled(failing({}, [task('after', call('work', { x: value(2) }), { dependsOn: [0], onFailure: { kind: 'use', value: node(0) } })]), 'after')
    expect(end.status).toBe('waiting')
    expect(whyNot(story.plan, story.events(), { kind: 'cancel', task: 'after', by: 'x' })?.code).toBe('run/given-up-already')
    story.answer('t')
    expect(valueOf(await story.drive())).toEqual([1, 1])
    expect(story.calls).toEqual(['1'])
  })

  test('a sub-workflow, with everything inside', async () => {
    const { end, story } = await cancelled(failing({ approve: null, body: sub('inner'), onFailure: { kind: 'use', value: value('without') }, retry: { count: 3, fromMs: 1, toMs: 1 } }), 't')
    expect(valueOf(end)).toEqual(['without'])
    expect(story.calls).toEqual([])
  })

  test('a `for`: every item that is not over, also those whose turn has not come', async () => {
    const items = failing({ forEach: { item: 'x', list: value([1, 2, 3, 4]), width: value(2) }, onFailure: { kind: 'continue' } })
    const story = new Story(items)
    await story.drive()
    story.answer('t[0]')
    await story.drive()
    story.ask({ kind: 'cancel', task: 't', by: 'a test' })
    expect(valueOf(await story.drive())).toEqual([[1, null, null, null]])
    const item = new Story(items)
    await item.drive()
    item.ask({ kind: 'cancel', task: 't[3]', by: 'a test' })
    expect((await item.drive()).waits?.map(each => each.task)).toEqual(['t[0]', 't[1]']) // the width still holds
    for (const each of [0, 1]) item.answer(`t[${each}]`)
    await item.drive()
    item.answer('t[2]')
    expect(valueOf(await item.drive())).toEqual([[1, 1, 1, null]])
  })

  test('a `for` whose items are not known yet', async () => {
    const later = failing({}, [task('each', call('work', { x: local('x') }), { dependsOn: [0], forEach: { item: 'x', list: value([1, 2]), width: null }, onFailure: { kind: 'use', value: local('x') } })])
    const { end, story } = await cancelled(later, 'each')
    expect(end.status).toBe('waiting')
    story.answer('t')
    expect(valueOf(await story.drive())).toEqual([1, [1, 2]])
    expect(story.calls).toEqual(['1'])
  })

  test('one at work: its call is given up and its outcome dropped', async () => {
    const story: Story = new Story(one({ onFailure: { kind: 'use', value: value('instead') } }), { tools: { work: async (_, { signal }) => {
      story.ask({ kind: 'cancel', task: 't', by: 'a test' })
      await story.host.sleep!(DAY, signal)
      return 'late'
    } } })
    expect(valueOf(await story.drive({ settings: { onNotice: notice => void (notice.kind === 'run-started' && (story.runId = notice.runId)) }, advancing: false }))).toBe('instead')
  })
})

describe('requests that fit nothing', () => {
  test('are taken off with a warning, and said beforehand', async () => {
    const story = new Story(plan({ main: workflow([task('done', value(1)), task('t', value(1), { approve: question })], node(1)) }))
    await story.drive()
    const code = (request: RunRequest) => whyNot(story.plan, story.events(), request)?.code ?? null
    const by = 'x'
    expect(code({ kind: 'answer', task: 't', verdict: 'approved', by })).toBe(null)
    expect(code({ kind: 'cancel', task: 't', by })).toBe(null)
    expect(code({ kind: 'pause' })).toBe(null)
    expect(code({ kind: 'answer', task: 'done', verdict: 'approved', by })).toBe('run/over-before')
    expect(code({ kind: 'cancel', task: 'done', by })).toBe('run/over-before')
    expect(code({ kind: 'cancel', task: 'tt', by })).toBe('run/unknown-task')
    story.answer('done')
    story.answer('nothing')
    story.answer('t')
    expect(valueOf(await story.drive())).toBe(1)
    expect(story.journal.openRun(story.runId)!.log.lines().map(each => [each.level, each.task])).toEqual([['warn', 'done'], ['warn', 'nothing']])
    expect(code({ kind: 'pause' })).toBe('run/finished-already')
    const running = new Story(one({ wait: { kind: 'for', value: value(DAY) } }))
    await running.drive()
    expect(whyNot(running.plan, running.events(), { kind: 'answer', task: 't', verdict: 'approved', by })?.code).toBe('run/not-asking')
  })

  test('two answers to one question: the first counts', async () => {
    const story = new Story(one({ approve: question }))
    await story.drive()
    story.answer('t', 'refused')
    story.answer('t', 'approved')
    expect(failureOf(await story.drive())?.code).toBe('run/refused-by-person')
  })
})

test('the audit log says who answered what, and who gave up what', async () => {
  const story = new Story(plan({ main: workflow([task('a', value(1), { approve: question, onFailure: { kind: 'continue' } }), task('b', value(1), { approve: question, onFailure: { kind: 'continue' } })], value(1)) }))
  await story.drive()
  story.answer('a')
  story.ask({ kind: 'cancel', task: 'b', by: 'somebody' })
  await story.drive()
  const rows = story.journal.audit.rows(0, 100).map(each => JSON.parse(each.body).slice(1) as string[])
  expect(rows).toContainEqual(['answered', 'a', '', 'sure?', 'approved by a test'])
  expect(rows).toContainEqual(['cancelled', 'b', '', 'somebody', 'cancelled'])
})

test('what is written down for lists is right whenever a process is killed', async () => {
  const story = new Story(plan({ main: workflow([task('ask', value(1), { approve: question, approval: { withinMs: 5 * HOUR, escalate: [] } }), task('rest', value(1), { wait: { kind: 'for', value: value(HOUR) } })], list(node(0), node(1))) }))
  const begun = story.now
  const seen: (readonly Wait[] | undefined)[] = []
  await story.drive({ settings: { waitsLive: true, onNotice: notice => {
    if (notice.kind === 'run-started') story.runId = notice.runId
    if (notice.kind === 'waits') seen.push(story.summary().waits)
  } } })
  expect(seen[0]).toMatchObject([{ task: 'rest', dueMs: begun + HOUR }, { task: 'ask', dueMs: begun + 5 * HOUR }])
  expect(seen[1]).toMatchObject([{ task: 'ask' }])
  expect(seen.at(-1)).toBe(undefined)
})

test('timers that earlier versions recorded keep their numbers', () => {
  const all = (['timeout', 'retry', 'time-limit', 'due'] as const).map(purpose => timerOf(7, 2, purpose))
  expect(all).toEqual([28_036, 28_037, 28_038, 28_039])
})

test('a task is found by its path, wherever it is', async () => {
  const story = new Story(plan({
    main: workflow([task('a', sub('inner'), { forEach: { item: 'x', list: value([1, 2]), width: null } }), task('b', sub('inner'), { retry: { count: 1, fromMs: 0, toMs: 0 } })], node(0)),
    inner: workflow([task('c', sub('deep')), task('z', call('fails'))], node(0)),
    deep: workflow([task('d', value(1), { forEach: { item: 'x', list: value([1, 2]), width: null }, approve: question })], node(0)),
  }), { tools: { fails: () => 1 } })
  await story.drive()
  const state = folded(story.plan, story.events())
  for (let each = 1; each < state.tasks.size; each++) expect(taskAt(state, pathOf(state, each)), pathOf(state, each)).toBe(each)
  for (const path of ['', 'a[2]', 'a[0]/c#2/d', 'a[0]/c/d[0]/e', 'a[00]', 'b/c#1/d', 'a//c']) expect(taskAt(state, path), path).toBe(null)
})
