// Permission: the flags, the terminal and the name by which a program is permitted what it asks for.
// Owns: `--allow`, `--allow-all`, `--unconfined`, `--expires`, reading an answer. Does not own: what is asked, shown and recorded (permits/).
//   P1. Somebody is asked only where both standard input and standard error are a terminal.
//   P2. What was typed before the question is no answer to it; Ctrl-C and the end of input are a no (read-line.ts).
import { isAbsolute, posix } from 'node:path'
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import type { Host } from '#host/host.ts'
import type { Grant, Permit } from '#model/capability.ts'
import type { Accepted } from '#permits/accepted.ts'
import type { PermitRequest, Settled } from '#permits/settle.ts'
import type { Person } from '#permits/question.ts'
import { CliFailure, TekCommand, type CliContext } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { LineReader } from './read-line.ts'
import { stdinPath } from './source-files.ts'

type PermitAsks = Omit<PermitRequest, 'allow' | 'allowAll' | 'expires' | 'program' | 'accepted'>

/** A command that runs programs. */
export abstract class PermittedCommand extends TekCommand {
  allow = Option.Array('--allow', [], { description: 'allow a grant for this time: --allow \'fs.read("src/**")\'; may be repeated' })
  allowAll = Option.Boolean('--allow-all', false, { description: 'allow what the program asks for, for this time (containers, CI)' })
  unconfined = Option.Boolean('--unconfined', false, { description: 'where this machine has no sandbox, let commands run with all your rights, for this time' })
  expires = Option.String('--expires', { description: 'when what you allow now ends: 8h, 30d, 4w or 2026-12-31' })

  /** What the program may do, or the failure with which it ends here. */
  protected async permitFor(host: Host, asks: PermitAsks): Promise<Permit> {
    const settled = await this.settle(host, asks)
    if (settled.kind === 'refused') throw new CliFailure(settled.diagnostics, exitCodes.notPermitted, settled.text === null ? new Map() : new Map([[permitsFile, settled.text]]))
    if (settled.withheld.length > 0) {
      const [{ printGrant }, { safe }] = await Promise.all([import('#grants/grant-text.ts'), import('#permits/plain-words.ts')])
      this.context.err.write(`Its permit no longer holds ${settled.withheld.map(each => safe(printGrant(each.grant))).join(', ')}: what needs it is refused.\n`)
    }
    return settled.permit
  }

  /** The same, and whoever asks says what follows. */
  protected async settle(host: Host, asks: PermitAsks): Promise<Settled> {
    const { settlePermit } = await import('#permits/settle.ts')
    const person = this.canAsk() ? personAt(this.context) : null
    const accepted = person === null ? null : await acceptedHere(host)
    return settlePermit(host, { ...asks, ...(await this.permitFlags(host)), program: permitName(asks.shown), accepted }, person)
  }

  protected canAsk(): boolean {
    return isTerminal(this.context) // P1
  }

  /** The values of the flags; a usage failure for one that cannot be read. */
  protected async permitFlags(host: Host): Promise<Pick<PermitRequest, 'allow' | 'allowAll' | 'expires'>> {
    if (this.allow.length === 0 && this.expires === undefined) return { allow: [], allowAll: this.allowAll, expires: null }
    const [{ readGrant }, { expiryOf }] = await Promise.all([import('#permits/permits-file.ts'), import('#permits/expiry.ts')])
    const allow = this.allow.map((text): Grant => {
      const grant = readGrant(text)
      if (typeof grant === 'string') throw new CliFailure([permitErrors['unknown-grant']({ grant: text, reason: grant })], exitCodes.usage)
      return grant
    })
    const expires = this.expires === undefined ? null : expiryOf(this.expires, host.now())
    if (this.expires !== undefined && expires === null) {
      const allowed = 'a length of time (8h, 30d, 4w, at most 3650d) or a date to come (2026-12-31)'
      throw new CliFailure([cliErrors['bad-value']({ option: '--expires', value: this.expires, allowed })], exitCodes.usage)
    }
    return { allow, allowAll: this.allowAll, expires }
  }
}

/** What this person has answered for in this folder; null where nothing of theirs can be kept outside of it. */
async function acceptedHere(host: Host): Promise<Accepted | null> {
  const [{ Accepted }, { userStore }] = await Promise.all([import('#permits/accepted.ts'), import('#host/user-store.ts')])
  const store = userStore(name => host.env(name), host.cwd)
  return store === null ? null : new Accepted(store, await host.files.realPath(host.cwd))
}

/** As permits/permits-file.ts says; here so that its parser is loaded only when it is needed. */
export const permitsFile = 'tek.permits.yaml'

/** The name by which a program is recorded; null for standard input. */
export function permitName(shown: string): string | null {
  if (shown === stdinPath) return null
  return isAbsolute(shown) ? shown : posix.normalize(shown)
}

/** Whether somebody can be asked. // P1 */
export function isTerminal({ stdin, err }: CliContext): boolean {
  return (stdin as { isTTY?: boolean }).isTTY === true && err.isTerminal
}

function personAt({ stdin, err }: CliContext): Person {
  const reader = new LineReader(stdin) // P2
  return {
    write: text => err.write(text),
    paint: err.paint,
    async ask(prompt) {
      if (reader.hasEnded) return null
      const answer = await reader.ask(() => err.write(prompt))
      if (answer === null) err.write('\n')
      return answer
    },
  }
}
