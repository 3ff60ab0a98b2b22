// Run shape: what the tools that run tests give of a run, as schemas, the same in each of them.
import { t, z } from 'tek-lang/plugin'
import { PROBLEMS } from './verdict.ts'

export const runShape = {
  passed: z.boolean().describe('It ended with exit code 0, no test failed and something ran.'),
  problem: z.enum(PROBLEMS).nullable().describe('Why it did not pass: failing tests, an exit code without them, nothing ran, too long, sockets or a network that the sandbox has not.'),
  exit: t.int.nullable().describe('Null when a signal ended it.'), timedOut: z.boolean(),
  runner: z.enum(['tap', 'tape', 'node', 'ava', 'mocha', 'jest', 'vitest', 'junit', 'unknown']).describe('What the output was read as.'),
  counts: z.object({ pass: t.int, fail: t.int, skip: t.int, todo: t.int }),
  tests: z.array(z.object({ name: t.untrusted(z.string()), outcome: z.enum(['pass', 'fail', 'skip', 'todo']) })),
  isWhole: z.boolean().describe('Every test is named; some runners name failing tests only.'),
  firstFailure: t.untrusted(z.string()).nullable().describe('Name of the first failing test.'),
}
