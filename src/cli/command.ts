// Command: what every command of tek shares.
// Owns: the context a command is given, coded failure, printing of diagnostics. Does not own: finding the command (main.ts).
//   K1. A command never prints an error itself: it throws CliFailure, and main prints it in the form asked for.
//   K2. Results go to standard output, all else to standard error.
import { Command, type BaseContext, type CommandClass } from 'clipanion'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { jsonDiagnostic } from '#diagnostics/render/json.ts'
import { renderPretty } from '#diagnostics/render/pretty.ts'
import { SourceTexts } from '#diagnostics/render/source-lines.ts'
import type { Host } from '#host/host.ts'
import type { Answer } from '#tek.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { exitCodeOfFailure } from './failure.ts'
import type { Output } from './terminal.ts'

export type CliContext = BaseContext & {
  readonly cwd: string
  readonly out: Output
  readonly err: Output
  /** Opens the machine; the first call loads it. */
  readonly host: () => Promise<Host>
  /** Arguments that are not tek's own options: of `tek run`, the program's parameters. */
  readonly rest: readonly string[]
  /** What stood after `--`; null when there was no `--`. */
  readonly trailing: readonly string[] | null
  /** `--help` was asked for together with a program. */
  readonly wantsHelp: boolean
  /** What there is beside it. */
  readonly commands: readonly { readonly name: string; readonly takes: string; readonly summary: string; readonly load: () => Promise<CommandClass<CliContext>> }[]
  /** Runs another command line with the same streams, to its exit code. */
  readonly runCommand: (argv: readonly string[]) => Promise<number>
}

/** Ends a command with diagnostics and an exit code. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure'
  readonly diagnostics: readonly Diagnostic[]
  readonly exitCode: ExitCode
  readonly sources: ReadonlyMap<string, string>
  constructor(diagnostics: readonly Diagnostic[], exitCode: ExitCode, sources: ReadonlyMap<string, string> = new Map()) {
    super(diagnostics.map(each => each.code).join(', '))
    this.diagnostics = diagnostics
    this.exitCode = exitCode
    this.sources = sources
  }
}

export abstract class TekCommand extends Command<CliContext> {
  /** Prints a value as JSON on standard output. */
  protected printJson(value: unknown): void {
    this.context.out.write(`${JSON.stringify(value, null, 2)}\n`)
  }
}

/** The answer, or the failure it was refused with. */
export function answered<Result>(answer: Answer<Result>): Result {
  if (answer.kind === 'answer') return answer.value
  throw new CliFailure(answer.diagnostics, answer.diagnostics[0] === undefined ? exitCodes.failed : exitCodeOfFailure(answer.diagnostics[0]))
}

/** Prints diagnostics for people. */
export function printDiagnostics(out: Output, diagnostics: readonly Diagnostic[], texts: ReadonlyMap<string, string>): void {
  const sources = new SourceTexts(texts)
  const options = { paint: out.paint, columns: out.columns() }
  for (const each of diagnostics) out.write(`${renderPretty(each, sources, options)}\n\n`)
}

/** A failed command's answer where `--json` was asked for: `{ version, ok: false, diagnostics }`. */
export function failureJson(failure: CliFailure): string {
  const sources = new SourceTexts(failure.sources)
  return `${JSON.stringify({ version: 1, ok: false, diagnostics: failure.diagnostics.map(each => jsonDiagnostic(each, sources)) }, null, 2)}\n`
}
