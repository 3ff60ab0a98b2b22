// Fmt: `tek fmt`, one layout for every program.
// Owns: files in place, `--check`, `--diff`, standard input. Does not own: the layout (compiler/1-syntax/print.ts).
//   F1. A file with a syntax error is left alone and reported; the others are still formatted.
import { createTwoFilesPatch } from 'diff'
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { hasErrors, type Diagnostic } from '#diagnostics/diagnostic.ts'
import { format } from '#compiler/1-syntax/format.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { paintPatch } from '../paint-patch.ts'
import { asShortWork } from '../short-work.ts'
import { readSource, readStdin, sourceFiles, stdinPath, writeFile } from '../source-files.ts'

export class FmtCommand extends TekCommand {
  static override paths = [['fmt']]
  static override usage = {
    description: 'formats programs',
    details: 'Files, folders, or - for standard input (the result goes to standard output); without any, the current folder.\nWith --check or --diff nothing is written, and exit code 1 says that something would change.',
    examples: [
      ['format every program in this folder', 'tek fmt'],
      ['fail when something is not formatted (CI)', 'tek fmt --check'],
      ['see what would change', 'tek fmt flow.tek --diff'],
      ['format in an editor', 'tek fmt - < flow.tek'],
    ] as [string, string][],
  }
  files = Option.Rest({ name: 'FILE' })
  check = Option.Boolean('--check', false, { description: 'only say which files are not formatted' })
  diff = Option.Boolean('--diff', false, { description: 'only show what would change' })
  json = Option.Boolean('--json', false, { description: 'print which files changed as JSON' })

  override execute(): Promise<ExitCode> {
    return asShortWork(() => this.work())
  }

  private async work(): Promise<ExitCode> {
    const host = await this.context.host()
    if (this.files.includes('-')) return this.formatStdin()
    const changed: string[] = []
    const problems: Diagnostic[] = []
    const sources = new Map<string, string>()
    const files = await sourceFiles(host, this.files)
    for (const path of files) {
      const text = await readSource(host, path)
      const { value, diagnostics } = format({ path, text })
      if (hasErrors(diagnostics)) {
        problems.push(...diagnostics) // F1
        sources.set(path, text)
        continue
      }
      if (value === text) continue
      changed.push(path)
      if (this.diff && !this.json) this.context.out.write(paintPatch(createTwoFilesPatch(path, path, text, value, 'as it is', 'formatted'), this.context.out.paint))
      if (!this.check && !this.diff) await writeFile(host, path, value)
    }
    if (problems.length > 0) throw new CliFailure(problems, exitCodes.doesNotCompile, sources)
    const only = this.check || this.diff
    if (this.json) this.printJson({ version: 1, files: files.length, changed, written: !only })
    else if (this.check) for (const path of changed) this.context.out.write(`${path}\n`)
    else if (!this.diff) this.context.err.write(`${changed.length} of ${files.length} file${files.length === 1 ? '' : 's'} formatted\n`)
    if (!only || changed.length === 0) return exitCodes.fine
    if (!this.json) throw new CliFailure([cliErrors['not-formatted']({ files: changed.length })], exitCodes.failed)
    return exitCodes.failed
  }

  private async formatStdin(): Promise<ExitCode> {
    const text = await readStdin(this.context)
    const { value, diagnostics } = format({ path: stdinPath, text })
    if (hasErrors(diagnostics)) throw new CliFailure(diagnostics, exitCodes.doesNotCompile, new Map([[stdinPath, text]]))
    if (this.diff) this.context.out.write(paintPatch(createTwoFilesPatch(stdinPath, stdinPath, text, value, 'as it is', 'formatted'), this.context.out.paint))
    else if (!this.check) this.context.out.write(value)
    return (this.check || this.diff) && value !== text ? exitCodes.failed : exitCodes.fine
  }
}
