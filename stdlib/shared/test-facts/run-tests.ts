// Run tests: starts a test command and says what it found. What `tests`, and `npm` for the project's own script, are made of.
// Owns: how it is started, the facts of its end, what is logged of a failure. Does not own: which command may run (the tools' grants).
//   R1. Colours and update notices are off and CI is set, as on a build server: a run does not depend on who started it.
//   R2. What was said about the first failing test goes to the log, so that the result holds nothing that differs between equal runs.
import { ToolFailure, type RunResult, type ToolContext } from 'tek-lang/plugin'
import type { Outcome, TestFacts } from './facts.ts'
import { readFacts, withoutColours } from './read-facts.ts'
import { problemOf, type Problem } from './verdict.ts'

const MAX_TIMEOUT_MS = 6 * 3_600_000
export const DEFAULT_TIMEOUT_MS = 1_800_000
const MAX_PRINTED_BYTES = 16_000_000
const MAX_LOGGED = 5_000

export interface TestRun extends Omit<TestFacts, 'tests'> {
  passed: boolean
  problem: Problem | null
  exit: number | null
  timedOut: boolean
  tests: { name: string; outcome: Outcome }[]
}

export interface HowToRun {
  /** Milliseconds. */
  readonly timeout?: number
  /** In a copy of the folder that is gone afterwards. */
  readonly copy: boolean
  readonly dir?: string
}

export async function runTests(
  context: ToolContext, program: string, args: readonly string[], { timeout = DEFAULT_TIMEOUT_MS, copy, dir = '.' }: HowToRun,
): Promise<{ run: TestRun; facts: TestFacts; result: RunResult; printed: string }> {
  if (program === '' || program.startsWith('-')) throw new ToolFailure('bad-program', 'The name of a program may not be empty or begin with `-`.')
  for (const text of [program, ...args]) if (text.includes('\0')) throw new ToolFailure('bad-argument', 'A program or an argument may not hold the character NUL.')
  if (!(timeout > 0 && timeout <= MAX_TIMEOUT_MS)) throw new ToolFailure('bad-timeout', 'timeout must be above 0 and at most 6h.')
  const result = await context.run(program, args, {
    timeoutMs: timeout, maxOutputBytes: MAX_PRINTED_BYTES, env: { CI: '1', NO_COLOR: '1', NO_UPDATE_NOTIFIER: '1' }, // R1
    ...(copy ? { inCopy: true } : {}), ...(dir === '.' ? {} : { cwd: dir }),
  })
  const printed = withoutColours(`${result.stdout}${result.stdout === '' || result.stdout.endsWith('\n') ? '' : '\n'}${result.stderr}`)
  if (/npm (?:error|ERR!) [Mm]issing script/.test(result.stderr) || /Error: no test specified/.test(printed)) {
    throw new ToolFailure('no-tests', 'The project has no test script.', { help: 'Add one to package.json, or name the command that runs its tests.' })
  }
  const { tests, ...facts } = readFacts(printed)
  const problem = problemOf(result, { tests, ...facts }, printed)
  const failing = tests.find(test => test.name === facts.firstFailure)
  if (problem !== null) context.log(failing === undefined ? printed.trim().slice(-MAX_LOGGED) : `${failing.name}\n${failing.message ?? ''}`.trimEnd()) // R2
  const run = { passed: problem === null, problem, exit: result.exitCode, timedOut: result.timedOut, ...facts, tests: tests.map(({ name, outcome }) => ({ name, outcome })) }
  return { run, facts: { tests, ...facts }, result, printed }
}
