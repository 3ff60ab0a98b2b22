// Facts: what is known of a test run, in one shape for every runner.
// Owns: the shape, its bounds, order and counts. Does not own: reading any runner's output (tap, junit, json, lines), judging exit codes (verdict).
//   F1. Tests are sorted by name and carry no time: equal runs give equal facts, however the lines came. `message` is printed text, for people.
//   F2. Tests of one name are numbered in the order in which they were printed: "adds", "adds (2)".
//   F3. At most MAX_TESTS tests, names cut to MAX_NAME characters, messages to MAX_MESSAGE; every reader goes over the text once.
//   F4. `isWhole` says that every test is named. Runners that name only failing tests give counts beside a list that is not whole.
export const MAX_TESTS = 100_000
const MAX_NAME = 500
export const MAX_MESSAGE = 4_000
export const MAX_MESSAGE_LINES = 30
/** Messages kept of one run. */
const MAX_MESSAGES = 200

export type Outcome = 'pass' | 'fail' | 'skip' | 'todo'
export type Runner = 'tap' | 'tape' | 'node' | 'ava' | 'mocha' | 'jest' | 'vitest' | 'junit' | 'unknown'

export interface TestFact {
  name: string
  outcome: Outcome
  message?: string
}

export interface Counts {
  pass: number
  fail: number
  skip: number
  todo: number
}

export interface TestFacts {
  runner: Runner
  counts: Counts
  tests: TestFact[]
  /** F4 */
  isWhole: boolean
  /** Name of the first failing test in the order of the output. */
  firstFailure: string | null
}

/** One line, without what a terminal would act on. */
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim().slice(0, MAX_NAME)

/** Facts from tests in the order in which they were printed; what a summary counted wins over counting the list. */
export function factsOf(runner: Runner, found: readonly TestFact[], summed: Partial<Counts> = {}): TestFacts {
  const seen = new Map<string, number>()
  let messages = 0
  const tests = found.slice(0, MAX_TESTS).map((test): TestFact => {
    const name = plain(test.name) || '(no name)'
    const before = seen.get(name) ?? 0
    seen.set(name, before + 1)
    const message = test.outcome === 'fail' ? (test.message ?? '').trimEnd().slice(0, MAX_MESSAGE) : ''
    const keeps = message !== '' && messages++ < MAX_MESSAGES
    return { name: before === 0 ? name : `${name} (${before + 1})`, outcome: test.outcome, ...(keeps ? { message } : {}) } // F2
  })
  const firstFailure = tests.find(test => test.outcome === 'fail')?.name ?? null
  const counts: Counts = { pass: 0, fail: 0, skip: 0, todo: 0 }
  for (const { outcome } of found) counts[outcome]++
  const listed = { ...counts }
  for (const [outcome, count] of Object.entries(summed) as [Outcome, number][]) counts[outcome] = count
  const isWhole = found.length <= MAX_TESTS && (Object.keys(counts) as Outcome[]).every(outcome => counts[outcome] <= listed[outcome])
  return { runner, counts, tests: tests.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)), isWhole, firstFailure } // F1
}

export const noFacts = (): TestFacts => factsOf('unknown', [])
