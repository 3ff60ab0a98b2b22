// tests: running test commands: what they say as facts, which tests can be relied on, how two runs differ.
// Owns: the tools. Does not own: reading output (shared/test-facts), statistics (flakes), rows of runs (stability), masks (output-lines).
//   E1. Programs and arguments are given as they are, without a shell, and must be trusted. What was printed is untrusted, names of tests too.
//   E2. `run` gives facts alone, so that equal runs give equal values; `record` also what was printed.
import { definePlugin, pure, t, ToolFailure, writes, z } from 'tek-lang/plugin'
import { MAX_OUTPUT_LENGTH, readFacts } from '../shared/test-facts/read-facts.ts'
import { DEFAULT_TIMEOUT_MS, runTests } from '../shared/test-facts/run-tests.ts'
import { runShape } from '../shared/test-facts/run-shape.ts'
import { chanceSeen, checkedRuns, checkedShare, decided, evidence, failureRate, MAX_RUNS, runsFor } from './flakes.ts'
import { lineDifferences, MAX_SHOWN } from './output-lines.ts'
import { changesBetween, judge, stabilityOf } from './stability.ts'

/** Characters kept of each end of what a recorded run printed. */
const KEPT_LENGTH = 60_000
const MAX_LISTED_RUNS = 1_000
const MAX_GOOD_OUTPUTS = 100

const { runner, counts, isWhole, firstFailure } = runShape
const name = t.untrusted(z.string())
const outcome = z.enum(['pass', 'fail', 'skip', 'todo'])
const tests = z.array(z.object({ name, outcome, message: t.untrusted(z.string()).optional() }))

const factsType = z.object({ runner, counts, tests, isWhole, firstFailure })
const runType = z.object(runShape)
const recordType = z.object({
  ...runShape, tests, output: t.untrusted(z.string()).describe('What it printed, without colours; its two ends when it is long.'), elapsed: t.duration,
  level: t.int.nullable().describe('How it was confined: 3 bubblewrap, 2 namespaces with Landlock and seccomp, 0 not at all.'),
})
/** What comparing runs needs of them: results of `run` and of `record` both fit. */
const seenType = z.object({ passed: z.boolean(), problem: runShape.problem, counts, isWhole, tests: z.array(z.object({ name: z.string(), outcome })) })

const program = z.string().describe('The program: a name on the PATH or a path.')
const confidence = z.number().default(0.95).describe('Between 0 and 1.')

const ends = (text: string): string => {
  const whole = text.trim()
  return whole.length <= 2 * KEPT_LENGTH ? whole : `${whole.slice(0, KEPT_LENGTH)}\n[${whole.length - 2 * KEPT_LENGTH} characters left out]\n${whole.slice(-KEPT_LENGTH)}`
}

/** Two runs for the examples below. */
const [GOOD, BAD] = [['true', 'null', 1, 0, 'pass'], ['false', '"tests-failed"', 0, 1, 'fail']].map(([passed, problem, pass, fail, outcome]) =>
  `{ passed: ${passed}, problem: ${problem}, counts: { pass: ${pass}, fail: ${fail}, skip: 0, todo: 0 }, isWhole: true, tests: [{ name: "a", outcome: "${outcome}" }] }`)

const bounded = <Item>(list: Item[], most: number, what: string): Item[] => {
  if (list.length > most) throw new ToolFailure('too-many', `At most ${most} ${what}.`)
  return list
}

const running = {
  run: writes({
    doc: 'Runs a test command where it is, for at most 30 minutes, and gives the facts of what it printed, tests sorted by name, so that equal runs give equal values. ' +
      'A suite that ran nothing did not pass. The first failing test with what was said about it goes to the log.',
    input: { program, args: z.array(z.string()).default([]).describe('Its arguments, each as it is.') }, rest: 'args', output: runType,
    needs: { exec: ['$program', '$args'] }, sinks: ['program', 'args'],
    run: async ({ program, args }, context) => (await runTests(context, program, args, { copy: false })).run, // E2
  }),
  record: writes({
    doc: 'Runs a test command and gives the facts of what it printed with messages and output. It runs in a copy of the folder that is gone afterwards, ' +
      'so that tests may write where they like and no run sees what another left; packages in node_modules are not copied and cannot be changed.',
    input: {
      program, args: z.array(z.string()).default([]).describe('Its arguments, each as it is.'),
      copy: z.boolean().default(true).describe('In a copy; false: where it is, changing what the program may change.'),
      timeout: t.duration.default(DEFAULT_TIMEOUT_MS).describe('Ended after this long; at most 6h.'),
      dir: t.path.default('.').describe('The folder it starts in, which is copied.'),
    },
    output: recordType,
    needs: { exec: ['$program', '$args'] }, sinks: ['program', 'args', 'dir'],
    run: async ({ program, args, copy, timeout, dir }, context) => {
      const { run, facts, result, printed } = await runTests(context, program, args, { copy, timeout, dir })
      return { ...run, tests: facts.tests, output: ends(printed), elapsed: Math.max(0, Math.round(result.elapsedMs)), level: result.level ?? null }
    },
  }),
}

const reading = {
  read: pure({
    doc: 'Facts of a test run from its output: TAP 12 to 14 (node:test, tape, node-tap), JUnit XML, JSON of vitest, jest and mocha, the default text of node:test, mocha, ava, jest and vitest; ' +
      'of anything else the counts, if it printed any. Times and order do not count.',
    input: { output: z.string().describe('What the test command printed.') }, output: factsType, runs: 'thread',
    example: 'tests.read("TAP version 13\\nok 1 - adds\\nnot ok 2 - divides\\n1..2\\n").firstFailure == "divides"',
    run: ({ output }) => {
      if (output.length > MAX_OUTPUT_LENGTH) throw new ToolFailure('too-long', `The output is longer than ${MAX_OUTPUT_LENGTH} characters.`)
      return readFacts(output)
    },
  }),
  changes: pure({
    doc: 'The tests that two runs saw differently; null where a test did not run.',
    input: { before: seenType.describe('A run.'), after: seenType.describe('Another run.') },
    output: z.array(z.object({ name, before: z.enum(['pass', 'fail', 'skip']).nullable(), after: z.enum(['pass', 'fail', 'skip']).nullable() })), runs: 'thread',
    example: `tests.changes(${GOOD}, ${BAD}) == [{ name: "a", before: "pass", after: "fail" }]`,
    run: ({ before, after }) => changesBetween(before, after),
  }),
  lineChanges: pure({
    doc: `What a run printed beside what good runs print: lines that every good one has and this one has not, and lines that no good one has; at most ${MAX_SHOWN} of each. ` +
      'Numbers, hashes and the order of lines do not count, and lines that not every good run prints are left out of what is missing.',
    input: { good: z.array(z.string()).describe('Outputs of good runs.'), other: z.string().describe('The output in question.') },
    output: z.object({ missing: z.array(t.untrusted(z.string())), added: z.array(t.untrusted(z.string())) }), runs: 'thread',
    example: 'tests.lineChanges(["ok in 3 ms\\nbye", "bye\\nok in 7 ms"], "ok in 12 ms\\noh no\\nbye").added == ["oh no"]',
    run: ({ good, other }) => lineDifferences(bounded(good, MAX_GOOD_OUTPUTS, 'outputs'), other),
  }),
}

const judging = {
  stability: pure({
    doc: 'How each test did in a number of runs: stable, flaky (not always the same), failing (always) or skipped, with the rate of failing and its bounds (Clopper and Pearson, one-sided). Flaky ones come first.',
    input: { runs: z.array(seenType).describe('Runs of the same command on the same code.'), confidence },
    output: z.array(z.object({
      name, verdict: z.enum(['stable', 'flaky', 'failing', 'skipped']), runs: t.int.describe('Runs in which it ran.'), fails: t.int, rate: z.number(),
      atLeast: z.number(), atMost: z.number().describe('The rate of failing is below this, at the confidence asked for.'), failedIn: z.array(t.int).describe('Numbers of the runs, from 1.'),
    })), runs: 'thread',
    example: `first(tests.stability([${GOOD}, ${BAD}]))?.verdict == "flaky"`,
    run: ({ runs, confidence }) => stabilityOf(bounded(runs, MAX_LISTED_RUNS, 'runs'), checkedShare('confidence', confidence)),
  }),
  judge: pure({
    doc: 'Whether a changed program is as good as before, test by test, each against its own rate of failing before (Wald\'s sequential test): good, bad, go-on (run it again), or unsure after `most` runs. ' +
      'Tests that are missing or newly skipped are bad at once; a test that always failed says nothing; three runs are the least for good.',
    input: {
      baseline: z.array(seenType).describe('Runs before the change.'), candidate: z.array(seenType).describe('Runs with the change, in order.'),
      most: t.int.default(10).describe('Runs after which it is unsure.'),
      alpha: z.number().default(0.05).describe('Chance to call a good one bad, for each test.'), beta: z.number().default(0.01).describe('Chance to call a bad one good.'),
    },
    output: z.object({ verdict: z.enum(['good', 'bad', 'go-on', 'unsure']), why: t.untrusted(z.string()), test: name.nullable().describe('The test that decided, or that is still open.') }), runs: 'thread',
    example: `tests.judge([${GOOD}, ${GOOD}, ${GOOD}], [${BAD}, ${BAD}]).verdict == "bad"`,
    run: ({ baseline, candidate, most, alpha, beta }) =>
      judge(bounded(baseline, MAX_LISTED_RUNS, 'runs'), bounded(candidate, MAX_LISTED_RUNS, 'runs'), { most: checkedRuns(most), alpha: checkedShare('alpha', alpha), beta: checkedShare('beta', beta) }),
  }),
  rate: pure({
    doc: 'How often something fails, from what was seen, with bounds (Clopper and Pearson, one-sided, each at the confidence).',
    input: { fails: t.int.describe('Runs that failed.'), runs: t.int.describe('All runs.'), confidence },
    output: z.object({ rate: z.number(), atLeast: z.number(), atMost: z.number() }), runs: 'thread',
    example: 'round(100 * tests.rate(0, 3).atMost) == 63',
    run: ({ fails, runs, confidence }) => {
      if (!Number.isInteger(fails) || fails < 0 || fails > checkedRuns(runs)) throw new ToolFailure('bad-count', 'As many runs can fail as there were.')
      return failureRate(fails, runs, checkedShare('confidence', confidence))
    },
  }),
  chanceSeen: pure({
    doc: 'The chance that a number of runs shows both outcomes of a test that fails at this rate.',
    input: { rate: z.number().describe('Between 0 and 1.'), runs: t.int.describe('How many runs.') }, output: z.number(), runs: 'thread',
    example: 'round(100 * tests.chanceSeen(0.1, 3)) == 27',
    run: ({ rate, runs }) => chanceSeen(checkedShare('rate', rate), checkedRuns(runs)),
  }),
  runsFor: pure({
    doc: `How many runs must be green before a rate of failing is below this, at the confidence; at most ${MAX_RUNS}.`,
    input: { rate: z.number().describe('Between 0 and 1.'), confidence }, output: t.int,
    example: 'tests.runsFor(0.05) == 59',
    run: ({ rate, confidence }) => checkedRuns(Math.max(1, runsFor(checkedShare('rate', rate), checkedShare('confidence', confidence)))),
  }),
  sequential: pure({
    doc: 'Wald\'s sequential test of two rates of failing: whether what was seen is good, bad, or not decided yet.',
    input: {
      passes: t.int.describe('Runs that passed.'), fails: t.int.describe('Runs that failed.'), good: z.number().describe('Rate of failing when all is well.'),
      bad: z.number().default(0.9).describe('Rate of failing when it is broken.'), alpha: z.number().default(0.05).describe('Chance to call a good one bad.'), beta: z.number().default(0.01).describe('Chance to call a bad one good.'),
    },
    output: z.enum(['good', 'bad', 'go-on']), runs: 'thread',
    example: 'tests.sequential(3, 0, 0.05) == "good"',
    run: ({ passes, fails, good, bad, alpha, beta }) => {
      if (!(passes >= 0 && fails >= 0)) throw new ToolFailure('bad-count', 'Counts of runs are not below 0.')
      if (checkedShare('good', good) >= checkedShare('bad', bad)) throw new ToolFailure('bad-share', '`bad` must be above `good`.')
      return decided(evidence(passes, fails, { good, bad }), { alpha: checkedShare('alpha', alpha), beta: checkedShare('beta', beta) })
    },
  }),
}

export default definePlugin({
  name: 'tests',
  version: '1.0.0',
  doc: 'Running tests and knowing what to think of them: facts instead of printed text, which tests are flaky and how surely the others are not, whether a change broke something.',
  types: { Facts: factsType, Run: runType, Record: recordType },
  tools: { ...running, ...reading, ...judging },
})
