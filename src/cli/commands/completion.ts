// Completion: `tek completion SHELL`, the script that makes a shell complete `tek`; with `--of`, what such a script asks while somebody types.
// Owns: gathering commands and candidates. Does not own: the scripts (../completion.ts).
//   C1. What a folder holds was made by anybody: a candidate is a word that means itself to every shell.
import { Cli, Option } from 'clipanion'
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { type CliContext, CliFailure, TekCommand } from '../command.ts'
import { type Candidates, completionScript, type CompletedCommand, type Shell, shells, takenBy } from '../completion.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { bundledPrograms } from '../install-place.ts'
import { recordedRuns } from '../recorded-runs.ts'
import { allCodes, readPage } from './explain.ts'

/** Ids as tek gives them; any other was put into the record by somebody else. */
const SAFE_ID = /^[\w-]+$/
/** Runs that are offered: the newest. */
const MAX_RUNS = 50

export class CompletionCommand extends TekCommand {
  static override paths = [['completion']]
  static override usage = {
    description: 'makes a shell complete commands, options, runs and programs of tek',
    details: 'SHELL is bash, zsh or fish. Prints a script; the examples show where it belongs.',
    examples: [
      ['bash, in ~/.bashrc', 'eval "$(tek completion bash)"'],
      ['zsh, in ~/.zshrc, after compinit', 'eval "$(tek completion zsh)"'],
      ['fish, once', 'tek completion fish > ~/.config/fish/completions/tek.fish'],
    ] as [string, string][],
  }
  shell = Option.String({ name: 'SHELL', required: false })
  of = Option.String('--of', { description: 'for the scripts: print the `runs`, `programs` or `codes` there are' })

  override async execute(): Promise<ExitCode> {
    if (this.of !== undefined) {
      for (const [word, what] of await this.candidates(this.of)) this.context.out.write(`${word}\t${neutraliseLine(what)}\n`)
      return exitCodes.fine
    }
    if (this.shell === undefined) throw new CliFailure([cliErrors['missing-argument']({ command: 'completion', what: 'the name of a shell: bash, zsh or fish' })], exitCodes.usage)
    const shell = shells.find(each => each === this.shell)
    if (shell === undefined) throw new CliFailure([cliErrors['bad-value']({ option: 'SHELL', value: this.shell, allowed: 'bash, zsh or fish' })], exitCodes.usage)
    this.context.out.write(completionScript(shell satisfies Shell, await allCommands(this.context.commands)))
    return exitCodes.fine
  }

  private async candidates(of: string): Promise<readonly (readonly [string, string])[]> {
    switch (of as Candidates) {
      case 'programs':
        return bundledPrograms().map(name => [name, 'a program that comes with tek'])
      case 'codes':
        return allCodes().map(code => [code, readPage(code).summary.split('\n')[0]!])
      case 'runs': {
        const runs = (await recordedRuns(await this.context.host())).filter(each => SAFE_ID.test(each.runId)) // C1
        return runs.slice(0, MAX_RUNS).map(({ runId, workflow, state }) => [runId.slice(0, SHORT_ID), `${workflow}, ${state}`])
      }
      default:
        throw new CliFailure([cliErrors['bad-value']({ option: '--of', value: of, allowed: 'runs, programs or codes' })], exitCodes.usage)
    }
  }
}

async function allCommands(commands: CliContext['commands']): Promise<CompletedCommand[]> {
  return Promise.all(commands.map(async ({ name, summary, takes, load }) => {
    const cli = new Cli<CliContext>({ binaryName: 'tek' })
    cli.register(await load())
    const options = cli.definitions()[0]!.options.map(({ definition: names, description }) => {
      const [all, ...values] = names.replace(/^\[|\]$/g, '').split(' ')
      return { names: all!.split(','), takesValue: values.length > 0, summary: description ?? '' }
    })
    return { name, summary, takes: takenBy(takes), options: [...options, { names: ['-h', '--help'], takesValue: false, summary: 'show options and examples' }] }
  }))
}
