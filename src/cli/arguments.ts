// Arguments: a command line split into tek's own options, what belongs to a program, and what stood after `--`.
// Owns: coded answers to unknown options and missing values, before Clipanion sees anything. Does not own: what options mean.
//   A1. Everything after `--` is left alone.
//   A2. For a command that takes a program's parameters, what is not an option of tek is the program's, in the order written.
//   A3. tek's own options win over a program's parameter of the same name (`--args file.json` reaches that one).
import type { Definition } from 'clipanion'
import { didYouMean } from '#base/did-you-mean.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { CliFailure } from './command.ts'
import { exitCodes } from './exit-codes.ts'

export interface SplitArguments {
  /** For Clipanion: own options and, for a command that takes none of a program's, the positional arguments. */
  readonly own: readonly string[]
  readonly rest: readonly string[]
  readonly trailing: readonly string[] | null
  readonly help: boolean
  readonly json: boolean
}

/** Names of a command's options and how many values each takes. */
function optionsOf(definition: Definition): Map<string, number> {
  const options = new Map<string, number>()
  for (const each of definition.options) {
    const [names, ...values] = each.definition.replace(/^\[|\]$/g, '').split(' ')
    for (const name of names!.split(',')) options.set(name, values.length)
  }
  return options
}

export function splitArguments(command: string, argv: readonly string[], definition: Definition, programArguments: boolean): SplitArguments {
  const options = optionsOf(definition)
  const own: string[] = []
  const rest: string[] = []
  let help = false
  let at = 0
  for (; at < argv.length && argv[at] !== '--'; at++) {
    const word = argv[at]!
    if (word === '--help' || word === '-h') {
      help = true
      continue
    }
    if (!word.startsWith('-') || word === '-') {
      const kept = programArguments ? rest : own
      kept.push(word)
      continue
    }
    const [name, ...assigned] = word.split('=')
    const arity = options.get(name!)
    if (arity === undefined) {
      if (!programArguments) throw unknownOption(command, name!, [...options.keys()])
      rest.push(word) // A2
      continue
    }
    if (arity === 0 && assigned.length > 0) throw new CliFailure([cliErrors['bad-value']({ option: name!, value: assigned.join('='), allowed: 'no value' })], exitCodes.usage)
    own.push(word)
    if (arity === 0 || assigned.length > 0) continue
    const value = argv[at + 1]
    if (value === undefined || value === '--') throw new CliFailure([cliErrors['missing-value']({ option: name! })], exitCodes.usage)
    own.push(value)
    at++
  }
  const trailing = at < argv.length ? argv.slice(at + 1) : null // A1
  return { own, rest, trailing, help, json: own.includes('--json') }
}

function unknownOption(command: string, option: string, known: readonly string[]): CliFailure {
  const near = didYouMean(option, known.filter(name => name.startsWith('--')))
  return new CliFailure([cliErrors['unknown-option']({ option, command }, { help: near.map(name => `Did you mean \`${name}\`?`) })], exitCodes.usage)
}
