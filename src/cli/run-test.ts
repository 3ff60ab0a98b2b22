// Run test: one `test` block, from its plan to what became of it.
// Owns: its time limit, its cassettes, what is kept of it. Does not own: what a test means (test-plan.ts), running it (tek.ts), which tests run (commands/test.ts).
//   N1. A test leaves no run behind, and ends: after its time it is stopped and has failed.
//   N2. A cassette that cannot be read is a failure of the test that names it, and of no other.
import type { Json } from '#base/json.ts'
import type { Host } from '#host/host.ts'
import { elapsed } from '#base/terminal-text.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Permit } from '#model/capability.ts'
import type { Failure, RunEvent } from '#model/event.ts'
import type { Plan, PlanTest } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import { cassettesOf } from './cassettes.ts'
import { answered, CliFailure } from './command.ts'
import { shownDifferences, type ShownDifferences } from './difference-lines.ts'
import { tekVersion } from './install-place.ts'
import type { OpenProgram } from './open-program.ts'
import { expectationsOf, planOfTest, type Expectation } from './test-plan.ts'
import { sourceOf } from './value-source.ts'

export interface UnmetExpectation extends Expectation {
  /** By what a call is allowed that was expected to be denied. */
  readonly notes: readonly string[]
  /** Where lists, records or long texts on both sides of `==` differ. */
  readonly differences: ShownDifferences | null
  /** The tasks that made the left side. */
  readonly madeBy: string | null
}

export interface TestResult {
  readonly file: string
  /** 1-based; null where a compiled plan says none. */
  readonly line: number | null
  readonly name: string
  readonly status: 'passed' | 'failed'
  readonly elapsedMs: number
  readonly unmet: readonly UnmetExpectation[]
  readonly failure: Failure | null
  readonly warnings: readonly string[]
}

export interface TestSettings {
  readonly permit: Permit
  readonly mayBeUnconfined: boolean
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Told what happened, with the plan that it happened by. */
  readonly onEvents?: (plan: Plan, events: Iterable<RunEvent>) => void
}

export async function runTest(host: Host, program: OpenProgram, test: PlanTest, { permit, mayBeUnconfined, timeoutMs, signal, onEvents }: TestSettings): Promise<TestResult> {
  const line = program.plan.places[`test:${program.plan.tests.indexOf(test)}`]?.line ?? null
  const about = { file: program.shown, line, name: test.name }
  let cassettes: Awaited<ReturnType<typeof cassettesOf>>
  try {
    cassettes = await cassettesOf(host, program.folder, test)
  } catch (error) {
    const problem = error instanceof CliFailure ? error.diagnostics[0] : undefined
    if (problem === undefined) throw error
    return { ...about, status: 'failed', elapsedMs: 0, unmet: [], failure: failureOf(problem), warnings: [] } // N2
  }
  const { run } = await import('#tek.ts')
  const made = planOfTest(program.plan, test)
  const notes = new Map<string, string[]>()
  let odd: readonly string[] = []
  const { signal: ending, isOver, close } = withTimeout(signal, timeoutMs)
  let summary: RunSummary
  try {
    summary = answered(await run(host, {
      plan: made.plan, program: program.shown, folder: program.folder, workflow: made.workflow, args: {}, database: null, tekVersion: tekVersion(), signal: ending, permit, mayBeUnconfined,
      answerAll: true, given: test.given, cassettes, onOddGiven: sentences => { odd = sentences },
      ...(onEvents === undefined ? {} : { onEvents: (events: Iterable<RunEvent>) => onEvents(made.plan, events) }),
      onNotice: notice => {
        if (notice.kind === 'log') notes.set(notice.task, [...(notes.get(notice.task) ?? []), notice.message])
      },
    })) // N1
  } finally {
    close()
  }
  const { outcome } = summary
  const timedOut = isOver() ? failureOf(runErrors['timed-out']({}), `The test took longer than ${elapsed(timeoutMs)}.`, 'Give it more time with `--timeout`, or see what it waits for.') : null
  const failure = timedOut ?? (outcome?.kind === 'failure' ? outcome.failure : null)
  const met = outcome?.kind === 'value' ? expectationsOf(test, outcome.value) : []
  const conditions = test.steps.flatMap(step => (step.kind === 'expect' ? [step.condition] : []))
  const unmet = met.flatMap((each, at): UnmetExpectation[] => {
    if (each.holds) return []
    const condition = conditions[at]!
    const madeBy = (path: readonly (string | number)[]): string | null => ('left' in condition ? sourceOf(program.plan, test, condition.left, path) : null)
    const differences = condition.op === '==' && each.left !== undefined && each.right !== undefined ? shownDifferences(each.left as Json, each.right as Json, madeBy) : null
    return [{ ...each, notes: (notes.get(`expect ${at + 1}`) ?? []).filter(note => note.startsWith('allowed: ')), differences, madeBy: madeBy([]) }]
  })
  const passed = failure === null && outcome?.kind === 'value' && unmet.length === 0
  const warnings = passed || failure === null ? odd : []
  return { ...about, status: passed ? 'passed' : 'failed', elapsedMs: summary.elapsedMs, unmet, failure, warnings }
}

function failureOf({ code, message, help }: { readonly code: string; readonly message: string; readonly help: readonly string[] }, words = message, more = help[0]): Failure {
  return { code, message: words, task: '', retryable: false, ...(more === undefined ? {} : { help: more }) }
}

/** A signal that ends with the other, or after some time. */
function withTimeout(other: AbortSignal, ms: number): { readonly signal: AbortSignal; isOver(): boolean; close(): void } {
  const own = new AbortController()
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    own.abort('terminate')
  }, ms)
  const end = (): void => own.abort(other.reason)
  if (other.aborted) end()
  else other.addEventListener('abort', end, { once: true })
  return {
    signal: own.signal, isOver: () => isOver,
    close: () => {
      clearTimeout(timer)
      other.removeEventListener('abort', end)
    },
  }
}
