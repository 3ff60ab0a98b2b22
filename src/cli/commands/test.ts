// Test: `tek test`, the `test` blocks of programs.
// Owns: which tests run, what is printed. Does not own: what a test means (test-plan.ts) or running it (tek.ts).
//   E1. Every test runs, whatever failed before; a test leaves no run behind.
//   E2. Where somebody can be asked, each file asks before its own tests. Where nobody can, no test runs before every file has its permit, and those
//       that lack one are told together.
import { Option } from 'clipanion'
import { elapsed, neutralise } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { AskedGrant, Permit } from '#model/capability.ts'
import type { Failure } from '#model/event.ts'
import type { PlanTest } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import { answered, CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { tekVersion } from '../install-place.ts'
import { Interrupt } from '../interrupt.ts'
import { openProgram, type OpenProgram } from '../open-program.ts'
import { PermittedCommand, permitsFile } from '../permission.ts'
import { sourceFiles } from '../source-files.ts'
import { expectationsOf, planOfTest, planOfTests, type Expectation } from '../test-plan.ts'

const MAX_VALUE_CHARACTERS = 300

interface TestResult {
  readonly file: string
  readonly name: string
  readonly status: 'passed' | 'failed'
  readonly elapsedMs: number
  readonly unmet: readonly Expectation[]
  readonly failure: Failure | null
}

interface PermittedFile {
  readonly file: string
  readonly program: OpenProgram
  readonly tests: readonly PlanTest[]
  readonly permit: Permit
}

interface LackingFile {
  readonly missing: readonly AskedGrant[]
  readonly diagnostic: Diagnostic
}

export class TestCommand extends PermittedCommand {
  static override paths = [['test']]
  static override usage = {
    description: 'runs the `test` blocks of programs',
    details: [
      'Files or folders; without any, the current folder. Tests have no network; models answer what `given AGENT replies […]` says. Exit code 1 when one fails.',
      'Nobody is asked and nothing waits: `approve` is answered with yes, `wait` takes no time.',
      'Tests that touch files or run programs ask for a permit of their own: `tests:` in tek.permits.yaml, or the flags of `tek run`.',
    ].join('\n'),
    examples: [
      ['every test in this folder', 'tek test'],
      ['those of one file', 'tek test flow.tek'],
      ['those whose name holds a word', 'tek test flow.tek --only race'],
      ['for programs', 'tek test --json'],
    ] as [string, string][],
  }
  files = Option.Rest({ name: 'FILE' })
  only = Option.String('--only', { description: 'run only tests whose name holds this text' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const interrupt = new Interrupt(this.context.err)
    const results: TestResult[] = []
    try {
      for await (const each of this.permitted(host, interrupt)) {
        const { program, tests, permit } = each
        if (tests.length > 0 && !this.json) this.context.out.write(`${each.file}\n`)
        for (const test of tests) {
          if (interrupt.wasAsked) break
          const result = await this.runTest(host, program, test, permit, interrupt.signal)
          results.push(result)
          if (!this.json) this.context.out.write(this.resultText(result))
        }
      }
    } finally {
      interrupt.close()
    }
    if (results.length === 0 && !interrupt.wasAsked) throw new CliFailure([cliErrors['no-tests']({ path: this.files.join(' ') || '.' })], exitCodes.usage)
    const failed = results.filter(each => each.status === 'failed').length
    if (this.json) this.printJson({ version: 1, passed: results.length - failed, failed, tests: results })
    else this.context.err.write(`${results.length - failed} of ${results.length} test${results.length === 1 ? '' : 's'} passed\n`)
    if (interrupt.wasAsked) return interrupt.exitCode
    return failed > 0 ? exitCodes.failed : exitCodes.fine
  }

  /** Files whose tests may run. // E2 */
  private async *permitted(host: Host, interrupt: Interrupt): AsyncGenerator<PermittedFile> {
    const ready: PermittedFile[] = []
    const lacking: LackingFile[] = []
    for (const file of await sourceFiles(host, this.files)) {
      const program = await openProgram(this.context, host, file, { quiet: true, mayBeUnconfined: this.unconfined })
      const tests = program.plan.tests.filter(test => this.only === undefined || test.name.includes(this.only))
      if (interrupt.wasAsked) return
      const { asked } = await import('#tek.ts')
      const { plan, folder, shown } = program
      const { grants, kindsOf } = await asked(host, { ...planOfTests(plan, tests), folder, args: {} })
      const asks = { asked: grants, kindsOf, plan, section: 'tests', shown, isBundled: false, isResumed: false } as const
      if (this.canAsk()) {
        yield { file, program, tests, permit: await this.permitFor(host, asks) }
        continue
      }
      const settled = await this.settle(host, asks)
      if (settled.kind === 'permitted') ready.push({ file, program, tests, permit: settled.permit })
      else if (settled.missing.length > 0) lacking.push({ missing: settled.missing, diagnostic: settled.diagnostics[0]! })
      else throw new CliFailure(settled.diagnostics, exitCodes.notPermitted, settled.text === null ? new Map() : new Map([[permitsFile, settled.text]]))
    }
    if (lacking.length > 0) throw new CliFailure(await this.lackingReport(lacking), exitCodes.notPermitted)
    yield* ready
  }

  /** One diagnostic a file, and with the last of several the one command for all of them. */
  private async lackingReport(lacking: readonly LackingFile[]): Promise<readonly Diagnostic[]> {
    if (lacking.length === 1) return [lacking[0]!.diagnostic]
    const { flagsFor } = await import('#permits/settle.ts')
    const missing = [...new Map(lacking.flatMap(each => each.missing).map(each => [JSON.stringify(each.grant), each])).values()]
    const help = [`All of them this time: \`tek test\` with ${flagsFor(missing)}.`, `For good: run them on a terminal, which asks for each file and records the answers in ${permitsFile}.`]
    return lacking.map(({ diagnostic }, at) => ({ ...diagnostic, help: at === lacking.length - 1 ? help : [] }))
  }

  private async runTest(host: Host, program: OpenProgram, test: PlanTest, permit: Permit, signal: AbortSignal): Promise<TestResult> {
    const { run } = await import('#tek.ts')
    const made = planOfTest(program.plan, test)
    const summary: RunSummary = answered(await run(host, {
      plan: made.plan, program: program.shown, folder: program.folder, workflow: made.workflow, args: {}, database: null, tekVersion: tekVersion(), onNotice: () => {}, signal, permit, mayBeUnconfined: this.unconfined,
      answerAll: true, given: test.given,
    })) // E1
    const { outcome } = summary
    const failure = outcome?.kind === 'failure' ? outcome.failure : null
    const unmet = outcome?.kind === 'value' ? expectationsOf(test, outcome.value).filter(each => !each.holds) : []
    const passed = outcome?.kind === 'value' && unmet.length === 0
    return { file: program.shown, name: test.name, status: passed ? 'passed' : 'failed', elapsedMs: summary.elapsedMs, unmet, failure }
  }

  private resultText(result: TestResult): string {
    const { paint } = this.context.out
    const head = result.status === 'passed' ? `  ${paint('green', 'ok  ')}` : `  ${paint('red', 'FAIL')}`
    const lines = [`${head}  ${neutralise(result.name)} · ${elapsed(result.elapsedMs)}`]
    for (const each of result.unmet) {
      lines.push(`        expect ${neutralise(each.text)}`)
      if (each.left !== undefined) lines.push(`          left   ${show(each.left)}`, `          right  ${show(each.right)}`)
    }
    if (result.failure) {
      lines.push(`        ${result.failure.code}: ${neutralise(result.failure.message)}${result.failure.task === '' ? '' : ` (${neutralise(result.failure.task)})`}`)
      if (result.failure.help) lines.push(`        help: ${neutralise(result.failure.help)}`)
    }
    return `${lines.join('\n')}\n`
  }
}

function show(value: unknown): string {
  const text = neutralise(JSON.stringify(value) ?? 'null')
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}…` : text
}
