// Permits: `tek permits`, what the programs of this folder may do, and taking it away.
// Owns: the list and `revoke`. Does not own: giving a permit: that is asked by the run that needs it.
//   M1. It runs nothing; a program is compiled only to say which of its grants it has no more use for.
import { Option } from 'clipanion'
import type { Paint } from '#base/terminal-text.ts'
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { printGrant } from '#grants/grant-text.ts'
import { coreGrantKinds } from '#grants/match.ts'
import type { Host } from '#host/host.ts'
import { dangerOf } from '#permits/dangers.ts'
import { unusedOf } from '#permits/difference.ts'
import { endOf } from '#permits/expiry.ts'
import { permitsFileName, type PermitEntry, type Permits, type Section, sections } from '#permits/permits-file.ts'
import { loadPermits, storePermit, type Stored } from '#permits/permits-store.ts'
import { safe } from '#permits/plain-words.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openProgram } from '../open-program.ts'
import { at } from '../source-files.ts'

/** What can be said of a permit without running anything. */
type State = 'holds' | 'expired' | 'program-gone' | 'program-does-not-compile'

interface Listed {
  readonly section: Section
  readonly program: string
  readonly entry: PermitEntry
  readonly state: State
  readonly unused: readonly string[]
}

export class PermitsCommand extends TekCommand {
  static override paths = [['permits']]
  static override usage = {
    description: 'what the programs of this folder may do, and taking it away',
    details: [
      'Without words it lists tek.permits.yaml: what each program may do, since when and until when, what it has no more use for.',
      '`revoke PROGRAM` takes away what a program and its tests may do; the next run asks again.',
    ].join('\n'),
    examples: [['what may what', 'tek permits'], ['take a permit away', 'tek permits revoke flow.tek'], ['for programs', 'tek permits --json']] as [string, string][],
  }
  action = Option.String({ name: 'revoke', required: false })
  program = Option.String({ name: 'PROGRAM', required: false })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    if (this.action !== undefined && this.action !== 'revoke') throw new CliFailure([cliErrors['too-many-arguments']({ command: 'permits', extra: this.action })], exitCodes.usage)
    const permits = readable(await loadPermits(host))
    if (this.action === 'revoke') return this.revoke(host, permits)
    const listed: Listed[] = []
    for (const section of sections) for (const [program, entry] of permits[section]) listed.push(await this.look(host, section, program, entry))
    if (this.json) this.printJson({ version: 1, permits: listed.map(({ section, program, entry, state, unused }) => ({ section, program, ...entry, may: entry.may.map(printGrant), state, unused })) })
    else if (listed.length === 0) this.context.err.write(`Nothing is permitted here: there is no ${permitsFileName}, or nothing in it.\n`)
    else {
      const isConfined = ((await host.isolation?.()) ?? 0) >= 2
      this.context.out.write(listed.map(each => listedText(each, this.context.out.paint, isConfined)).join('\n'))
    }
    return exitCodes.fine
  }

  private async revoke(host: Host, permits: Permits): Promise<ExitCode> {
    const { program } = this
    if (program === undefined) throw new CliFailure([cliErrors['missing-argument']({ command: 'permits revoke', what: 'a program, as `tek permits` lists it' })], exitCodes.usage)
    const found = sections.filter(section => permits[section].has(program))
    if (found.length === 0) throw new CliFailure([permitErrors['none-recorded']({ program })], exitCodes.usage)
    for (const section of found) {
      const failed = await storePermit(host, section, program, null)
      if (failed !== null) readable(failed)
    }
    if (this.json) this.printJson({ version: 1, revoked: program, sections: found })
    else this.context.out.write(`\`${safe(program)}\` may do nothing here any more; a run asks again.\n`)
    return exitCodes.fine
  }

  private async look(host: Host, section: Section, program: string, entry: PermitEntry): Promise<Listed> {
    const listed = (state: State, unused: readonly string[] = []): Listed => ({ section, program, entry, state, unused })
    if (entry.expires !== null && endOf(entry.expires)! <= host.now()) return listed('expired')
    if ((await host.files.stat(at(host, program)))?.kind !== 'file') return listed('program-gone')
    try {
      const { plan } = await openProgram(this.context, host, program, { quiet: true }) // M1
      return listed('holds', unusedOf(entry.may, plan, { cwd: host.cwd, kindsOf: coreGrantKinds }).map(printGrant))
    } catch (error) {
      if (error instanceof CliFailure) return listed('program-does-not-compile')
      throw error
    }
  }
}

function readable(stored: Stored): Permits {
  if (stored.kind === 'read') return stored.permits
  throw new CliFailure(stored.diagnostics, exitCodes.notPermitted, stored.text === null ? new Map() : new Map([[permitsFileName, stored.text]]))
}

const states: Readonly<Record<State, string>> = { holds: '', expired: 'expired', 'program-gone': 'there is no such program', 'program-does-not-compile': 'the program does not compile' }

function listedText({ section, program, entry, state, unused }: Listed, paint: Paint, isConfined: boolean): string {
  const until = entry.expires === null ? '' : `until ${entry.expires}`
  const about = [section === 'tests' ? 'its tests' : '', entry.granted === null ? '' : `since ${entry.granted}`, until, states[state]].filter(each => each !== '').join(', ')
  const lines = [`${paint('bold', safe(program))}${about === '' ? '' : paint(state === 'holds' ? 'dim' : 'yellow', ` · ${about}`)}`]
  if (entry.because !== null) lines.push(paint('dim', `  ${safe(entry.because)}`))
  for (const grant of entry.may) {
    const text = printGrant(grant)
    const danger = dangerOf(grant, isConfined)
    const asides = [danger === null ? '' : danger.isWarning ? paint('red', `! ${danger.says}`) : paint('dim', danger.says), unused.includes(text) ? paint('yellow', 'no more use for it') : ''].filter(each => each !== '')
    lines.push(`  ${safe(text)}${asides.length === 0 ? '' : `   ${asides.join(', ')}`}`)
  }
  return `${lines.join('\n')}\n`
}
