// Serve: `tek serve`, programs that begin by themselves and runs that wait, until somebody ends it.
// Owns: its options, what the programs may do, the lines. Does not own: triggers, wakes, webhooks (serve/).
//   V1. Everything is permitted once, at the start; nobody is asked afterwards. A run that wakes may do what is permitted then, without a question.
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { Permit } from '#model/capability.ts'
import type { Answer } from '#tek.ts'
import type { ServeEvent } from '#serve/event.ts'
import type { ServedProgram } from '#serve/trigger.ts'
import { CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { tekVersion } from '../install-place.ts'
import { Interrupt } from '../interrupt.ts'
import { isBundledRun, openProgram, sourceHashes } from '../open-program.ts'
import { permitName, PermittedCommand } from '../permission.ts'
import { databasePath } from '../recorded-runs.ts'
import { serveLine } from '../serve-lines.ts'

const DEFAULT_RUNS = 4
const MAX_RUNS = 64
const MAX_PORT = 65_535
const MAX_PROGRAMS = 100

/** What a person mends in the program or the words, not on the machine. */
const mended: ReadonlySet<string> = new Set(['serve/no-triggers', 'serve/bad-trigger', 'serve/missing-argument', 'serve/webhook-twice', 'serve/unsigned-webhook'])

export class ServeCommand extends PermittedCommand {
  static override paths = [['serve']]
  static override usage = {
    description: 'begins workflows by their triggers, and wakes runs that wait',
    details: [
      'FILE is a program with triggers (every, cron, on file, on webhook). Without any, only runs of this folder that wait are woken: when their time has come, or',
      'when somebody answered.',
      'What the programs ask for is permitted at the start, as `tek run` does; nobody is asked afterwards.',
      'What fired is recorded before it begins: a killed `tek serve` loses no tick and no delivery and begins none twice, and goes on with its runs when it is',
      'started again. Ctrl-C or SIGTERM stops the runs under way; the next `tek serve` goes on with them. One serves a folder.',
      'The program of --notify is run, with your rights, for each question and each time one is passed on; it is given JSON.',
    ].join('\n'),
    examples: [
      ['a program with triggers', 'tek serve nightly.tek'],
      ['only wake what waits', 'tek serve'],
      ['from a crontab: what is due now', 'tek serve nightly.tek --once'],
      ['webhooks at a port of your choice', 'tek serve deploy.tek --port 8080'],
      ['hear of questions', 'tek serve release.tek --notify ./tell-me.sh'],
    ] as [string, string][],
  }
  files = Option.Rest({ name: 'FILE' })
  once = Option.Boolean('--once', false, { description: 'handle what is due now, wait for those runs, and end; opens no port' })
  runs = Option.String('--runs', { description: `most runs at once (default: ${DEFAULT_RUNS})` })
  takeOver = Option.Boolean('--take-over', false, { description: 'also go on with runs that others began and whose process died' })
  port = Option.String('--port', { description: 'port for webhooks (default: one that is free)' })
  bind = Option.String('--bind', { description: 'address for webhooks (default: 127.0.0.1)' })
  name = Option.Array('--host', [], { description: 'another name by which senders reach it, behind a proxy; may be repeated' })
  allowUnsigned = Option.Boolean('--allow-unsigned', false, { description: 'with --bind: accept webhooks that nothing signs' })
  notify = Option.String('--notify', { description: 'program that is told of each question that waits' })
  json = Option.Boolean('--json', false, { description: 'print events as JSON, one a line' })

  override async execute(): Promise<ExitCode> {
    const runs = wholeNumber('--runs', this.runs, DEFAULT_RUNS, 1, MAX_RUNS)
    const port = wholeNumber('--port', this.port, 0, 0, MAX_PORT)
    const host = await this.context.host()
    if (this.notify !== undefined) await expectProgram(this.notify, host.cwd, this.context.env['PATH'] ?? '')
    const programs = await this.programs(host)
    const { serve } = await import('#serve/serve.ts')
    const interrupt = new Interrupt(this.context.err)
    try {
      const environment = Object.fromEntries(Object.entries(this.context.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
      const ended = await serve(host, {
        programs, database: databasePath(host.cwd), runs, takeOver: this.takeOver, once: this.once, tekVersion: tekVersion(), mayBeUnconfined: this.unconfined,
        http: { bind: this.bind ?? '127.0.0.1', port, names: this.name, allowUnsigned: this.allowUnsigned },
        notify: this.notify === undefined ? null : { program: this.notify, env: environment },
        permitAgain: (journal, runId) => this.permitAgain(host, journal, runId), onEvent: event => this.say(event, host.now()), signal: interrupt.signal,
      })
      if (ended.kind === 'refused') throw new CliFailure(ended.diagnostics, ended.diagnostics.every(each => mended.has(each.code)) ? exitCodes.usage : exitCodes.failed)
      return this.once && ended.value.failures > 0 ? exitCodes.failed : exitCodes.fine
    } finally {
      interrupt.close()
    }
  }

  /** The programs with what each of their workflows that has triggers may do. // V1 */
  private async programs(host: Host): Promise<ServedProgram[]> {
    const names = [...new Set(this.files)]
    if (names.length > MAX_PROGRAMS) throw new CliFailure([cliErrors['too-many-arguments']({ command: 'serve', extra: names[MAX_PROGRAMS]! })], exitCodes.usage)
    const [{ asked }, { workflowsWithTriggers }] = await Promise.all([import('#tek.ts'), import('#serve/trigger.ts')])
    const served = new Map<string, ServedProgram>()
    for (const name of names) {
      if (name === '-') throw new CliFailure([cliErrors['bad-value']({ option: 'FILE', value: '-', allowed: 'programs with a name' })], exitCodes.usage)
      const program = await openProgram(this.context, host, name, { quiet: this.json, mayBeUnconfined: this.unconfined })
      const { plan, shown, folder, isBundled } = program
      const permits = new Map<string, Permit>()
      for (const workflow of workflowsWithTriggers(plan)) {
        const asks = await asked(host, { plan, folder, workflow, args: {} })
        permits.set(workflow, await this.permitFor(host, { ...asks, asked: asks.grants, section: 'programs', plan, shown, isBundled, isResumed: false }))
      }
      served.set(shown, { plan, shown, folder, permits, sources: sourceHashes(program) })
    }
    return [...served.values()]
  }

  private async permitAgain(host: Host, journal: Journal, runId: string): Promise<Answer<Permit>> {
    const [{ askedAgain }, { settlePermit }] = await Promise.all([import('#tek.ts'), import('#permits/settle.ts')])
    const found = await askedAgain(host, journal, runId)
    if (found.kind === 'refused') return found
    if (found.value === null) return { kind: 'answer', value: { grants: [], by: 'file' } } // finished: there is nothing to permit
    const { grants, kindsOf, plan, program } = found.value
    const isServed = this.files.length === 0 || this.files.some(each => permitName(each) === permitName(program)) // what flags allow, they allow what was named
    const flags = isServed ? await this.permitFlags(host) : { allow: [], allowAll: false, expires: null }
    const settled = await settlePermit(host, {
      asked: grants, kindsOf, plan, section: 'programs', shown: program, isBundled: await isBundledRun(host, found.value), isResumed: true, ...flags,
      program: permitName(program), accepted: null,
    }, null)
    return settled.kind === 'refused' ? settled : { kind: 'answer', value: settled.permit }
  }

  private say(event: ServeEvent, atMs: number): void {
    const { out } = this.context
    out.write(this.json ? `${JSON.stringify({ atMs, ...event })}\n` : `${serveLine(event, atMs, out.paint)}\n`)
  }
}

/** Nobody looks when a question is asked at night: a program that is not there is said at the start. */
async function expectProgram(program: string, cwd: string, path: string): Promise<void> {
  const { isThere } = await import('#host/run-command.ts')
  if (!(await isThere(program, cwd, path))) throw new CliFailure([cliErrors['bad-value']({ option: '--notify', value: program, allowed: 'a program that is there and may be run' })], exitCodes.usage)
}

function wholeNumber(option: string, text: string | undefined, standard: number, least: number, most: number): number {
  if (text === undefined) return standard
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new CliFailure([cliErrors['bad-value']({ option, value: text, allowed: `a whole number from ${least} to ${most}` })], exitCodes.usage)
}
