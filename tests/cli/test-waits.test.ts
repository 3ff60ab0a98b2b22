// Tests of programs that ask and wait: nobody is asked, no time passes, and mistakes in what is asked and waited for are found all the same.
import { expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import type { RunSummary } from '#model/report.ts'
import { check, plan, run } from '#tek.ts'
import { expectationsOf, planOfTest } from '../../src/cli/test-plan.ts'

const host = nodeHost({ cwd: '/' })

/** Runs the only test of a program as `tek test` does. */
async function runTest(text: string): Promise<{ summary: RunSummary; holds: readonly boolean[] }> {
  const checked = await check(host, 'page.tek', { readText: path => (path === 'page.tek' ? text : undefined) })
  expect(checked.diagnostics.map(each => each.message)).toEqual([])
  const whole = plan(checked)
  const made = planOfTest(whole, whole.tests[0]!)
  const answer = await run(host, { plan: made.plan, program: 'page.tek', workflow: made.workflow, args: {}, database: null, tekVersion: '0.0.0', onNotice: () => {}, answerAll: true })
  if (answer.kind === 'refused') throw new Error(answer.diagnostics[0]!.message)
  const { outcome } = answer.value
  return { summary: answer.value, holds: outcome?.kind === 'value' ? expectationsOf(whole.tests[0]!, outcome.value).map(each => each.holds) : [] }
}

const program = (wait: string, question = '"Go on with ${x}?"'): string => `workflow inner(x: string) -> string {
  task a approve ${question} within 300d escalate "the owner" within 300d = "did \${x}"
  task b after a ${wait} = "\${a} later"
  return b
}
workflow main(x: string, length: duration = 300d, at: int = 99999999999999, xs: int[] = []) -> string {
  task whole wait length = inner(x: x)
  task late after whole wait until at = whole
  return late
}
test "asks nobody" {
  let result = main(x: "it")
  expect result == "did it later"
}
`

test('questions are answered with yes, and waits are over at once, in sub-workflows too', async () => {
  expect((await runTest(program('wait 200d'))).holds).toEqual([true])
})

test('what is asked and waited for is worked out', async () => {
  const divided = await runTest(program('wait until int("soon") ?? fail("no time")'))
  expect(divided.summary.outcome).toMatchObject({ kind: 'failure', failure: { message: 'no time' } })
  const asked = await runTest(program('wait 200d', '"Go on with ${fail("no question")}?"'))
  expect(asked.summary.outcome).toMatchObject({ kind: 'failure', failure: { message: 'no question' } })
})
