// Check: `tek check`, all mistakes of all files in one go.
// Owns: formats, fixing, watching. Does not own: the rules (compiler/3-check) or the drawing (diagnostics/render).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { hasErrors, type Diagnostic } from '#diagnostics/diagnostic.ts'
import { renderGithub } from '#diagnostics/render/github.ts'
import { renderJson } from '#diagnostics/render/json.ts'
import { renderPretty, renderSummary, tally } from '#diagnostics/render/pretty.ts'
import { renderSarif } from '#diagnostics/render/sarif.ts'
import { SourceTexts } from '#diagnostics/render/source-lines.ts'
import type { Host } from '#host/host.ts'
import { applyFixes } from '../apply-fixes.ts'
import { CliFailure, printDiagnostics, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { tekVersion } from '../install-place.ts'
import { asShortWork } from '../short-work.ts'
import { readSource, readStdin, sourceFiles, stdinPath, writeFile } from '../source-files.ts'
import { fileStates, watchFiles } from '../watch-files.ts'

const formats = ['pretty', 'json', 'sarif', 'github'] as const
type Format = (typeof formats)[number]
/** A fix may uncover another mistake; more rounds than this means two fixes undo each other. */
const MAX_FIX_ROUNDS = 10

interface Findings {
  readonly diagnostics: readonly Diagnostic[]
  readonly sources: ReadonlyMap<string, string>
  readonly files: readonly string[]
  readonly fixed: number
}

export class CheckCommand extends TekCommand {
  static override paths = [['check']]
  static override usage = {
    description: 'finds mistakes without running anything',
    details: 'Files, folders (every .tek file beneath), or - for standard input; without any, the current folder.\nExit code 3 when there is an error; warnings alone are 0.',
    examples: [
      ['check every program in this folder', 'tek check'],
      ['mend what can be mended safely', 'tek check flow.tek --fix'],
      ['ask for a proof of every call', 'tek check flow.tek --strict'],
      ['check again at every change', 'tek check --watch'],
      ['annotate a pull request', 'tek check --format github'],
      ['check what another program writes', 'cat flow.tek | tek check -'],
    ] as [string, string][],
  }
  files = Option.Rest({ name: 'FILE' })
  format = Option.String('--format', { description: 'pretty (default), json, sarif or github' })
  json = Option.Boolean('--json', false, { description: 'the same as --format json' })
  strict = Option.Boolean('--strict', false, { description: 'a call that only a run can tell to be granted is an error' })
  fix = Option.Boolean('--fix', false, { description: 'apply the safe fixes to the files' })
  unsafe = Option.Boolean('--unsafe', false, { description: 'with --fix: apply the first fix of each mistake, safe or not' })
  watch = Option.Boolean('--watch', false, { description: 'check again whenever a file changes' })

  override async execute(): Promise<ExitCode> {
    const format = this.chosenFormat()
    const host = await this.context.host()
    if (!this.watch) return asShortWork(() => this.once(host, format))
    if (this.files.includes('-')) throw new CliFailure([cliErrors['bad-value']({ option: '--watch', value: '-', allowed: 'files and folders' })], exitCodes.usage)
    const list = (): Promise<readonly string[]> => sourceFiles(host, this.files).catch(() => [])
    for (;;) {
      const known = new Set(await list())
      const before = await fileStates(host, known)
      if (this.context.out.isTerminal) this.context.out.write('\u001b[2J\u001b[H')
      try {
        const findings = await this.findings(host)
        for (const path of findings.sources.keys()) known.add(path)
        this.print(findings, format)
      } catch (error) {
        if (!(error instanceof CliFailure)) throw error
        printDiagnostics(this.context.err, error.diagnostics, error.sources)
      }
      this.context.err.write('watching for changes, Ctrl-C ends\n')
      await watchFiles(host, before, known, list)
    }
  }

  private chosenFormat(): Format {
    const asked = this.format ?? (this.json ? 'json' : 'pretty')
    const format = formats.find(each => each === asked)
    if (!format) throw new CliFailure([cliErrors['bad-value']({ option: '--format', value: asked, allowed: 'pretty, json, sarif or github' })], exitCodes.usage)
    return format
  }

  private async once(host: Host, format: Format): Promise<ExitCode> {
    const findings = await this.findings(host)
    this.print(findings, format)
    return hasErrors(findings.diagnostics) ? exitCodes.doesNotCompile : exitCodes.fine
  }

  private async findings(host: Host): Promise<Findings> {
    const { check } = await import('#tek.ts')
    const fromStdin = this.files.includes('-')
    const files = fromStdin ? [stdinPath] : await sourceFiles(host, this.files)
    const stdin = fromStdin ? await readStdin(this.context) : ''
    const all = new Map<string, Diagnostic>()
    const sources = new Map<string, string>()
    let fixed = 0
    for (const file of files) {
      let text = fromStdin ? stdin : await readSource(host, file)
      for (let round = 0; ; round++) {
        const current = text
        const checked = await check(host, file, { strict: this.strict, readText: (asked: string) => (asked === file ? current : undefined) })
        const mended = this.fix && !fromStdin && round < MAX_FIX_ROUNDS ? applyFixes(file, text, checked.diagnostics, this.unsafe) : null
        if (mended !== null && mended.count > 0) {
          fixed += mended.count
          text = mended.text
          await writeFile(host, file, text)
          continue
        }
        for (const [path, source] of checked.sources) sources.set(path, source)
        if (!sources.has(file)) sources.set(file, text)
        // A file that several others use is reported once.
        for (const each of checked.diagnostics) all.set(`${each.code} ${each.at?.path ?? ''} ${each.at?.start ?? ''} ${each.message}`, each)
        break
      }
    }
    return { diagnostics: [...all.values()], sources, files, fixed }
  }

  private print(findings: Findings, format: Format): void {
    const { out, err } = this.context
    const sources = new SourceTexts(findings.sources)
    const summary = tally(findings.diagnostics, findings.files.length)
    if (format === 'json') out.write(renderJson(findings.diagnostics, sources, summary))
    else if (format === 'sarif') out.write(renderSarif(findings.diagnostics, sources, tekVersion()))
    else if (format === 'github') out.write(renderGithub(findings.diagnostics, sources))
    else {
      const options = { paint: out.paint, columns: out.columns() }
      for (const each of findings.diagnostics) out.write(`${renderPretty(each, sources, options)}\n\n`)
      if (findings.fixed > 0) err.write(`${findings.fixed} fix${findings.fixed === 1 ? '' : 'es'} applied\n`)
      err.write(`${renderSummary(summary, err.paint)}\n`)
    }
  }
}
