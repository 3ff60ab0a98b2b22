// The proof of the worst case: random programs are run by the interpreter with tools that fail, skip and give lists of any length, and never
// do more than was said before; and by the engine alone under a clock, and never wait longer.
import { expect, test } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { WorstCases } from '#compiler/3-check/worst-case/worst-case.ts'
import type { Sym } from '#compiler/2-resolve/program.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { WorstAmount } from '#model/worst.ts'
import { runPlan } from '../engine/run-plan.ts'
import { failed, given, simulate } from '../engine/simulator.ts'
import { compileText } from './compile-text.ts'
import { drawProgram, random } from './random-programs.ts'

const RUN_PROGRAMS = 1_500
const TIMED_PROGRAMS = 2_000

const most = (amount: WorstAmount): number => (amount.kind === 'at-most' ? amount.amount : Infinity)

/** What a run did, by its events: bodies of expressions, their executions, calls. */
function counted(events: Iterable<RunEvent>): { tasks: number; attempts: number; calls: number } {
  const bodies = new Set<string>()
  const setups = new Set<number>()
  let calls = 0
  for (const event of events) {
    if (event.kind === 'call-started') calls++
    if (event.kind === 'evaluated' && event.part === 'setup') setups.add(event.task)
    if (event.kind === 'call-started' || (event.kind === 'evaluated' && event.part === 'body')) bodies.add(`${event.task} ${event.attempt}`)
  }
  const own = [...bodies].filter(each => !setups.has(Number(each.split(' ')[0])))
  return { tasks: new Set(own.map(each => each.split(' ')[0])).size, attempts: own.length, calls }
}

test(`${RUN_PROGRAMS} random programs do no more than their worst case, and keep their limits`, async () => {
  const seen = { compiled: 0, refused: 0, bounded: 0, reached: 0, tight: 0, fine: 0, ensured: 0 }
  for (let seed = 1; seed <= RUN_PROGRAMS; seed++) {
    const { text } = drawProgram(seed, { timed: false })
    const compiled = compileText(text)
    if (compiled.program === null) {
      // A limit that cannot be kept is the only mistake such a program may have.
      expect(compiled.diagnostics.filter(each => each.severity === 'error').map(each => each.code.replace(/-\w+$/, '')), text).toEqual(compiled.diagnostics.filter(each => each.severity === 'error').map(() => 'limit/exceeds'))
      seen.refused++
      continue
    }
    seen.compiled++
    const plan = lower(compiled.program)
    const next = random(seed * 7_919)
    const failing = next() < 0.3 ? 0 : next() * 0.4
    let hasFailed = false
    const tool = <Answer>(answer: () => Answer) => (): Answer => {
      hasFailed ||= next() < failing
      if (hasFailed && next() < failing) throw Object.assign(new Error('no'), { code: 'test/no', retryable: next() < 0.8 })
      return answer()
    }
    const journal = memoryJournal()
    const { result } = await runPlan(plan, {
      journal, advancing: true,
      tools: { read: tool(() => (next() < 0.5 ? '' : 'text')), exists: tool(() => next() < 0.5), glob: tool(() => Array.from({ length: Math.floor(next() * 9) }, (_, index) => String(index))) },
    })
    if (result.kind === 'refused') throw new Error(`${result.diagnostics[0]!.message}\n${text}`)
    const events = [...journal.openRun(result.summary.runId)!.log.events()]
    const actual = counted(events)
    // A condition that does not hold is a failure too.
    const ensured = events.flatMap(event => (event.kind === 'evaluated' && event.part === 'ensure' ? [event.outcome] : []))
    hasFailed ||= ensured.some(outcome => outcome.kind !== 'value' || outcome.value !== null)
    if (ensured.length > 0) seen.ensured++
    const worst = plan.worst!.workflows['main']!
    for (const name of ['tasks', 'attempts', 'calls'] as const) expect(actual[name], `seed ${seed}: ${name}\n${text}`).toBeLessThanOrEqual(most(worst[name]))
    const { limits } = plan.workflows['main']!
    expect(actual.tasks, `seed ${seed}\n${text}`).toBeLessThanOrEqual(limits.tasks ?? Infinity)
    expect(actual.calls, `seed ${seed}\n${text}`).toBeLessThanOrEqual(limits.calls ?? Infinity)
    if (worst.calls.kind === 'at-most') seen.bounded++
    if (actual.tasks === most(worst.tasks)) seen.tight++
    if (result.summary.outcome?.kind === 'failure' && result.summary.outcome.failure.code === 'run/limit-reached') seen.reached++
    if (result.summary.status === 'done' && !hasFailed) {
      // What is said to happen in any case does: so no program is refused that could come to its end without a failure.
      seen.fine++
      const main = compiled.resolution!.entry.values.get('main') as Sym<'workflow'>
      const { sure } = new WorstCases(compiled.resolution!, unit => compiled.facts.get(unit)).workflow(main).spending
      expect(actual.tasks, `seed ${seed}: sure\n${text}`).toBeGreaterThanOrEqual(sure.tasks.amount)
      expect(actual.calls, `seed ${seed}: sure\n${text}`).toBeGreaterThanOrEqual(sure.calls.amount)
    }
  }
  // The programs are worth the trouble: of each kind there are many.
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(RUN_PROGRAMS / 50)
}, 600_000)

test(`${TIMED_PROGRAMS} random programs wait no longer than their worst case`, () => {
  const seen = { compiled: 0, near: 0, queued: 0, waiting: 0, asking: 0 }
  for (let seed = 1; seed <= TIMED_PROGRAMS; seed++) {
    const { text, lengths, calling } = drawProgram(seed, { timed: true })
    const compiled = compileText(text)
    if (compiled.program === null) continue
    seen.compiled++
    const plan: Plan = lower(compiled.program)
    const worst = plan.worst!.workflows['main']!.timeMs
    const next = random(seed * 104_729)
    const failing = next() * 0.6
    const isSlow = seed % 2 === 0
    const timeouts = new Map(Object.values(plan.workflows).flatMap(each => each.nodes.map(node => [node.name, node.timeoutMs ?? 0])))
    const waits = new Map(Object.values(plan.workflows).flatMap(each => each.nodes.map(node => [node.name, node.wait?.value.op === 'value' ? Number(node.wait.value.value) : 0])))
    const nameIn = (path: string): string => path.split('/').at(-1)!.replace(/\[.*|#.*/, '')
    const { endMs } = simulate(plan, {
      capacity: { parallel: Math.min(8, plan.workflows['main']!.limits.parallel ?? 8) },
      answer: (part, path) => part === 'wait' ? given(waits.get(nameIn(path))!) : part === 'list' ? given(Array.from({ length: lengths.get(nameIn(path)) ?? 0 }, (_, index) => index)) : part === 'body' && !isSlow && next() < failing ? failed('test/no', true) : part === 'body' ? given(Math.floor(next() * 3)) : undefined,
      // Half of them take all the time they are given, so that what waits for a place waits long.
      durationMs: path => (!calling.has(nameIn(path)) ? 0 : isSlow ? timeouts.get(nameIn(path))! - 1 : Math.floor(next() * 400)),
    })
    expect(worst.kind, text).toBe('at-most')
    expect(endMs, `seed ${seed}\n${text}`).toBeLessThanOrEqual(most(worst))
    if (text.includes(' wait ')) seen.waiting++
    if (text.includes(' escalate ')) seen.asking++
    if (endMs > most(worst) / 2) seen.near++
    if (most(plan.worst!.workflows['main']!.tasks) > 8) seen.queued++
  }
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(TIMED_PROGRAMS / 50)
}, 600_000)
