// Test: `tek test`, the `test` blocks of programs.
// Owns: which tests run and in what order they are told, the options, the exit code. Does not own: one test (run-test.ts), what is said of it (test-lines.ts),
// counting what they go through (interpreter/coverage.ts).
//   E1. Every test runs, whatever failed before, unless `--bail` says otherwise.
//   E2. Where somebody can be asked, each file asks before its own tests. Where nobody can, no test runs before every file has its permit, and those
//       that lack one are told together.
//   E3. A file named by itself that does not compile ends the command (3). Of several it is told and counted, and the others run: the exit code is 1 where a test failed,
//       else 3.
//   E4. Tests are told in the order of their files and of their text, however many run side by side.
import { Option } from 'clipanion'
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { Coverage, CoveredPart } from '#interpreter/coverage.ts'
import type { AskedGrant, Permit } from '#model/capability.ts'
import type { PlanTest } from '#model/plan.ts'
import { cassettePaths } from '../cassettes.ts'
import { CliFailure, printDiagnostics } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Interrupt } from '../interrupt.ts'
import { openProgram, type OpenProgram } from '../open-program.ts'
import { PermittedCommand, permitsFile } from '../permission.ts'
import { runTest, type TestResult, type TestSettings } from '../run-test.ts'
import { shownPath, sourceFiles, writeFile } from '../source-files.ts'
import { type BrokenFile, junitXml, resultText } from '../test-lines.ts'
import { planOfTests } from '../test-plan.ts'

/** Of one test, where `--timeout` says nothing. */
const STANDARD_TIMEOUT_MS = 120_000
const MAX_TIMEOUT_MS = 24 * 3_600_000
const MAX_PARALLEL = 64

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

/** The options that have to be read. */
interface Wanted {
  readonly timeoutMs: number
  readonly parallel: number
  /** In percent; null: any. */
  readonly minCoverage: number | null
}

export class TestCommand extends PermittedCommand {
  static override paths = [['test']]
  static override usage = {
    description: 'runs the `test` blocks of programs',
    details: [
      'Files or folders; without any, the current folder. Tests have no network; models answer what `given AGENT replies […]` says. Exit code 1 when one fails,',
      '3 when all pass and a file does not compile.',
      'Nobody is asked and nothing waits: `approve` is answered with yes, `wait` takes no time.',
      'Tests that touch files or run programs ask for a permit of their own: `tests:` in tek.permits.yaml, or the flags of `tek run`.',
    ].join('\n'),
    examples: [
      ['every test in this folder', 'tek test'],
      ['those of one file', 'tek test flow.tek'],
      ['those whose name holds a word', 'tek test flow.tek --filter race'],
      ['what they go through', 'tek test --coverage --coverage-out lcov.info --min-coverage 80%'],
      ['for a build server', 'tek test --junit report.xml'],
      ['for programs', 'tek test --json'],
    ] as [string, string][],
  }
  files = Option.Rest({ name: 'FILE' })
  filter = Option.String('--filter,--only', { description: 'run only tests whose name holds this text' })
  bail = Option.Boolean('--bail', false, { description: 'stop after the first test that fails' })
  parallel = Option.String('--parallel', { description: `tests of a file side by side (1 to ${MAX_PARALLEL}; default 1): only where they do not share files` })
  timeout = Option.String('--timeout', { description: 'how long one test may take: 30s, 5m (default: 2m)' })
  coverage = Option.Boolean('--coverage', false, { description: 'show which tasks, ways of `when`, `on failure` and tools of agents the tests went through' })
  coverageOut = Option.String('--coverage-out', { description: 'write that to a file: lcov, or JSON where it ends in .json' })
  minCoverage = Option.String('--min-coverage', { description: 'fail when the tests went through less than this: 80%' })
  watch = Option.Boolean('--watch', false, { description: 'test again whenever a file of the programs, or a cassette, changes' })
  junit = Option.String('--junit', { description: 'write the results to a file as JUnit XML' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  private broken: BrokenFile[] = []

  override async execute(): Promise<ExitCode> {
    const wanted = await this.wanted()
    const host = await this.context.host()
    if (!this.watch) return this.once(host, wanted, async () => {})
    const { testAgain } = await import('../test-again.ts')
    return testAgain(this.context, host, () => sourceFiles(host, this.files), made => this.once(host, wanted, made))
  }

  /** A round of all tests. `made` is told of the files that a program is made of. */
  private async once(host: Host, wanted: Wanted, made: (of: Iterable<string>) => Promise<void>): Promise<ExitCode> {
    this.broken = []
    const interrupt = new Interrupt(this.context.err)
    const results: TestResult[] = []
    const coverage = await this.newCoverage()
    try {
      for await (const each of this.permitted(host, interrupt)) {
        coverage?.add(each.program.plan, each.file)
        await made([...each.program.sources.keys(), ...each.tests.flatMap(test => cassettePaths(host, each.program.folder, test))])
        if (each.tests.length > 0 && !this.json) this.context.out.write(`${neutraliseLine(each.file)}\n`)
        await this.runFile(host, each, wanted, interrupt, coverage, results)
        if (interrupt.wasAsked || (this.bail && results.some(result => result.status === 'failed'))) break
      }
    } finally {
      interrupt.close()
    }
    if (results.length === 0 && this.broken.length === 0 && !interrupt.wasAsked) {
      throw new CliFailure([cliErrors['no-tests']({ path: this.files.join(' ') || '.', ...(this.filter === undefined ? {} : { filter: this.filter }) })], exitCodes.usage)
    }
    return this.report(host, results, coverage?.all() ?? null, wanted, interrupt)
  }

  /** E4. */
  private async runFile(host: Host, { file, program, tests, permit }: PermittedFile, { timeoutMs, parallel }: Wanted, interrupt: Interrupt, coverage: Coverage | null, results: TestResult[]): Promise<void> {
    const settings: TestSettings = {
      permit, mayBeUnconfined: this.unconfined, timeoutMs, signal: interrupt.signal,
      ...(coverage === null ? {} : { onEvents: (plan, events) => coverage.count(plan, file, events) }),
    }
    const done = new Array<TestResult | undefined>(tests.length)
    let [next, told] = [0, 0]
    let isOver = false
    const tell = (result: TestResult): void => {
      results.push(result)
      if (!this.json) this.context.out.write(resultText(result, this.context.out.paint))
    }
    const work = async (): Promise<void> => {
      while (next < tests.length && !isOver && !interrupt.wasAsked) {
        const at = next++
        const result = await runTest(host, program, tests[at]!, settings)
        done[at] = result
        isOver ||= this.bail && result.status === 'failed'
        for (; done[told] !== undefined; told++) tell(done[told]!)
      }
    }
    await Promise.all(Array.from({ length: Math.min(parallel, tests.length) }, work))
    for (const left of done.slice(told)) if (left !== undefined) tell(left) // after one that was not begun
  }

  private async report(host: Host, results: readonly TestResult[], parts: readonly CoveredPart[] | null, { minCoverage }: Wanted, interrupt: Interrupt): Promise<ExitCode> {
    const { out, err, cwd } = this.context
    const failed = results.filter(each => each.status === 'failed').length
    const passed = results.length - failed
    const { percentOf, shareOf, coverageTable, coverageLcov, coverageJson } = await import('../coverage-report.ts')
    const percent = parts === null || parts.length === 0 ? null : percentOf(shareOf(parts))
    if (this.json) this.printJson({ version: 1, passed, failed, tests: results, broken: this.broken, ...(parts === null ? {} : { coverage: coverageJson(parts) }) })
    else {
      if (parts !== null && this.coverage) out.write(`\n${coverageTable(parts, out.paint).join('\n')}\n\n`)
      const broken = this.broken.length === 0 ? '' : `, ${this.broken.length} file${this.broken.length === 1 ? ' does' : 's do'} not compile: ${this.broken.map(each => neutraliseLine(each.file)).join(', ')}`
      err.write(`${passed} of ${results.length} test${results.length === 1 ? '' : 's'} passed${broken}${percent === null ? '' : `, ${percent}% covered`}\n`)
    }
    if (this.junit !== undefined) await writeFile(host, shownPath(cwd, this.junit), junitXml(results, this.broken))
    if (this.coverageOut !== undefined && parts !== null) {
      const path = shownPath(cwd, this.coverageOut)
      await writeFile(host, path, path.endsWith('.json') ? `${JSON.stringify(coverageJson(parts), null, 2)}\n` : coverageLcov(parts))
    }
    if (interrupt.wasAsked) return interrupt.exitCode
    const isTooLittle = minCoverage !== null && percent !== null && percent < minCoverage
    if (isTooLittle && !this.json) err.write(`less than the ${minCoverage}% that --min-coverage asks for\n`)
    if (failed > 0 || isTooLittle) return exitCodes.failed
    return this.broken.length > 0 ? exitCodes.doesNotCompile : exitCodes.fine // E3
  }

  /** Files whose tests may run. // E2 */
  private async *permitted(host: Host, interrupt: Interrupt): AsyncGenerator<PermittedFile> {
    const ready: PermittedFile[] = []
    const lacking: LackingFile[] = []
    const files = await sourceFiles(host, this.files)
    const isAlone = files.length === 1 && this.files.length === 1
    for (const file of files) {
      const program = isAlone ? await this.open(host, file) : await this.openOneOfMany(host, file)
      if (interrupt.wasAsked) return
      if (program === null) continue
      const tests = program.plan.tests.filter(test => this.filter === undefined || test.name.includes(this.filter))
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

  private open(host: Host, file: string): Promise<OpenProgram> {
    return openProgram(this.context, host, file, { quiet: true, mayBeUnconfined: this.unconfined })
  }

  /** Null for one that does not compile, which is told. // E3 */
  private async openOneOfMany(host: Host, file: string): Promise<OpenProgram | null> {
    try {
      return await this.open(host, file)
    } catch (error) {
      if (!(error instanceof CliFailure) || error.exitCode !== exitCodes.doesNotCompile) throw error
      const first = error.diagnostics.find(each => each.severity === 'error') ?? error.diagnostics[0]!
      this.broken.push({ file, code: first.code, message: first.message })
      if (!this.json) printDiagnostics(this.context.err, error.diagnostics, error.sources)
      return null
    }
  }

  /** One diagnostic a file, and with the last of several the one command for all of them. */
  private async lackingReport(lacking: readonly LackingFile[]): Promise<readonly Diagnostic[]> {
    if (lacking.length === 1) return [lacking[0]!.diagnostic]
    const { flagsFor } = await import('#permits/settle.ts')
    const missing = [...new Map(lacking.flatMap(each => each.missing).map(each => [JSON.stringify(each.grant), each])).values()]
    const help = [`All of them this time: \`tek test\` with ${flagsFor(missing)}.`, `For good: run them on a terminal, which asks for each file and records the answers in ${permitsFile}.`]
    return lacking.map(({ diagnostic }, at) => ({ ...diagnostic, help: at === lacking.length - 1 ? help : [] }))
  }

  private async newCoverage(): Promise<Coverage | null> {
    if (!this.coverage && this.coverageOut === undefined && this.minCoverage === undefined) return null
    const { Coverage: Counted } = await import('#interpreter/coverage.ts')
    return new Counted()
  }

  /** The values of the options; a usage failure for one that cannot be read. */
  private async wanted(): Promise<Wanted> {
    const bad = (option: string, value: string, allowed: string): CliFailure => new CliFailure([cliErrors['bad-value']({ option, value, allowed })], exitCodes.usage)
    const parallel = this.parallel === undefined ? 1 : Number(this.parallel)
    if (!Number.isInteger(parallel) || parallel < 1 || parallel > MAX_PARALLEL) throw bad('--parallel', this.parallel!, `a whole number from 1 to ${MAX_PARALLEL}`)
    const percent = this.minCoverage === undefined ? null : /^(\d{1,3}(?:\.\d+)?)%?$/.exec(this.minCoverage)
    const minCoverage = percent === null ? null : Number(percent[1])
    if (this.minCoverage !== undefined && (minCoverage === null || minCoverage > 100)) throw bad('--min-coverage', this.minCoverage, 'a share such as 80%, at most 100%')
    let timeoutMs = STANDARD_TIMEOUT_MS
    if (this.timeout !== undefined) {
      const { parseArgument } = await import('#types/codec.ts')
      const read = parseArgument({ kind: 'duration' }, this.timeout)
      if (!('value' in read) || typeof read.value !== 'number' || read.value < 1 || read.value > MAX_TIMEOUT_MS) throw bad('--timeout', this.timeout, 'a time such as 500ms, 30s or 5m, at most 24h')
      timeoutMs = read.value
    }
    return { timeoutMs, parallel, minCoverage }
  }
}
