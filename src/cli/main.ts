// Main: from a command line to an exit code.
// Owns: finding the command, help, version, printing of failures. Does not own: what commands do (commands/).
//   N1. Only the command that was typed is loaded.
//   N2. A user's mistake is answered with a code, a place and a next step; anything else that is thrown is a bug in tek and says so.
import { Cli } from 'clipanion'
import { didYouMean } from '#base/did-you-mean.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { splitArguments } from './arguments.ts'
import { CliFailure, failureJson, printDiagnostics, type CliContext } from './command.ts'
import { commandTable, plannedCommands, type CommandEntry } from './command-table.ts'
import { crashReport } from './crash.ts'
import { exitCodes } from './exit-codes.ts'
import { commandHelp, overview } from './help.ts'
import { bundledPrograms, tekVersion } from './install-place.ts'
import { endQuietlyWithReader, flushed, isGone, output } from './terminal.ts'

export interface Surroundings {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs one command line. Never rejects. */
export async function main(argv: readonly string[], around: Surroundings): Promise<number> {
  const out = output(around.stdout as NodeJS.WriteStream, around.env)
  const err = output(around.stderr as NodeJS.WriteStream, around.env)
  const [name, ...words] = argv
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && words.length === 0)) {
    out.write(overview(tekVersion(), out.paint))
    return exitCodes.fine
  }
  if (name === '--version' || name === '-v') {
    out.write(`${tekVersion()}\n`)
    return exitCodes.fine
  }
  if (name === 'help') return main([...words, '--help'], around)
  const json = wantsJson(words)
  try {
    return await dispatch(name, words, { out, err }, around)
  } catch (error) {
    const failure = isOutOfFiles(error) ? new CliFailure([cliErrors['no-more-files']({})], exitCodes.failed) : error
    if (failure instanceof CliFailure) {
      if (json) out.write(failureJson(failure))
      else printDiagnostics(err, failure.diagnostics, failure.sources)
      return failure.exitCode
    }
    err.write(crashReport(error, argv, around.cwd, around.env)) // N2
    return exitCodes.bug
  }
}

/** The system lets this process open no more files: no bug, whatever was being opened. */
function isOutOfFiles(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'EMFILE' || code === 'ENFILE'
}

/** `--json` or `--format json` anywhere before `--`: then even failures are JSON. */
function wantsJson(words: readonly string[]): boolean {
  const before = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  return before.includes('--json') || before.some((word, at) => word === '--format=json' || (word === '--format' && before[at + 1] === 'json'))
}

async function dispatch(name: string, words: readonly string[], outputs: Pick<CliContext, 'out' | 'err'>, around: Surroundings): Promise<number> {
  const entry = commandTable.find(each => each.name === name)
  if (!entry) throw unknownCommand(name)
  const command = await entry.load() // N1
  const cli = new Cli<CliContext>({ binaryName: 'tek', enableColors: false })
  cli.register(command)
  const definition = cli.definitions()[0]!
  const split = splitArguments(name, words, definition, entry.programArguments ?? false)
  const wantsHelp = split.help
  if (wantsHelp && split.rest.length === 0) {
    outputs.out.write(commandHelp(definition, entry.takes, outputs.out.paint))
    return exitCodes.fine
  }
  if (split.trailing !== null && !entry.programArguments) throw new CliFailure([cliErrors['too-many-arguments']({ command: name, extra: '--' })], exitCodes.usage)
  const context: CliContext = {
    env: { ...around.env }, stdin: around.stdin as CliContext['stdin'], stdout: around.stdout as CliContext['stdout'], stderr: around.stderr as CliContext['stderr'],
    colorDepth: 1, cwd: around.cwd, ...outputs, rest: split.rest, trailing: split.trailing, wantsHelp, commands: commandTable, runCommand: argv => main(argv, around),
    host: async () => (await import('#host/node-host.ts')).nodeHost({ cwd: around.cwd }),
  }
  const instance = prepare(cli, entry, split.own, context)
  return ((await instance.execute()) as number | undefined) ?? exitCodes.fine
}

/** Clipanion's reading of the options; its complaints as coded failures. */
function prepare(cli: Cli<CliContext>, entry: CommandEntry, own: readonly string[], context: CliContext): ReturnType<Cli<CliContext>['process']> {
  try {
    const instance = cli.process([entry.name, ...own], context)
    instance.context = context
    return instance
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    // Where several arguments may be left out, Clipanion says of one too many only that nothing fits.
    const extra = /Extraneous positional argument \("([^"]*)"\)/.exec(text)?.[1] ?? (text.startsWith('Command not found') ? own.findLast(word => !word.startsWith('-')) : undefined)
    if (extra !== undefined) throw new CliFailure([cliErrors['too-many-arguments']({ command: entry.name, extra })], exitCodes.usage)
    if (/Not enough positional arguments/.test(text)) throw new CliFailure([cliErrors['missing-argument']({ command: entry.name, what: entry.takes })], exitCodes.usage)
    const option = /Not enough arguments to option ([^\s]+)\./.exec(text)?.[1]
    if (option !== undefined) throw new CliFailure([cliErrors['missing-value']({ option })], exitCodes.usage)
    throw error
  }
}

function unknownCommand(name: string): CliFailure {
  if (plannedCommands.includes(name)) return new CliFailure([cliErrors['not-available-yet']({ command: name, version: tekVersion() })], exitCodes.usage)
  const near = didYouMean(name, commandTable.map(each => each.name)).map(each => `Did you mean \`tek ${each}\`?`)
  const help = name.endsWith('.tek') || bundledPrograms().includes(name) ? [`Did you mean \`tek run ${name}\`?`] : near
  return new CliFailure([cliErrors['unknown-command']({ command: name }, { help })], exitCodes.usage)
}

/** The process's own entry: streams and the exit code. */
export async function start(): Promise<void> {
  const { stdin, stdout, stderr, env } = process
  for (const stream of [stdout, stderr]) endQuietlyWithReader(stream, () => process.exit(exitCodes.fine))
  /** A result that did not arrive (a full disk) is no success. */
  const lost = (error: Error): never => {
    stderr.write(`Standard output cannot be written: ${error.message}.\n`)
    process.exit(exitCodes.failed)
  }
  stdout.on('error', error => { if (!isGone(error)) lost(error) })
  let cwd: string
  try {
    cwd = process.cwd()
  } catch {
    stderr.write('The folder you are in no longer exists.\n')
    process.exit(exitCodes.usage)
  }
  // What escapes from a callback or a forgotten promise is a bug like any other.
  process.on('uncaughtException', error => {
    stderr.write(crashReport(error, process.argv.slice(2), cwd, env))
    process.exit(exitCodes.bug)
  })
  const code = await main(process.argv.slice(2), { stdin, stdout, stderr, env, cwd })
  await flushed(stdout)
  await flushed(stderr)
  if (stdout.errored && !isGone(stdout.errored)) lost(stdout.errored)
  process.exit(code)
}
