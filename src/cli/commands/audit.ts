// Audit: `tek audit verify` and `tek audit show`, what was decided in this folder, and whether that record is whole.
// Owns: the two forms, words for what is wrong. Does not own: finding it (interpreter/audit/verify.ts).
import { Option } from 'clipanion'
import { cutToWidth, displayWidth, neutralise, padToWidth, thousands } from '#base/terminal-text.ts'
import { auditErrors } from '#diagnostics/catalog/audit.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { AuditProblem, AuditVerdict } from '#interpreter/audit/verify.ts'
import type { AuditEntryShown } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

/** Entries that are printed for people; with --json, MAX_JSON_ENTRIES. */
const MAX_SHOWN_ENTRIES = 1_000
const MAX_JSON_ENTRIES = 1_000_000
const MAX_TASK_COLUMNS = 28
const MAX_CALL_COLUMNS = 18

export class AuditCommand extends TekCommand {
  static override paths = [['audit']]
  static override usage = {
    description: 'what was decided here, and whether that record is whole',
    details: [
      'ACTION is `verify` or `show`. `verify` looks at every entry, signature and what is remembered outside this folder; it exits with 1 when something does not fit.',
      '`show` lists the decisions of RUN (an id, its first letters, or `last`), or of every run.',
    ].join('\n'),
    examples: [
      ['is it whole?', 'tek audit verify'], ['the decisions of the newest run', 'tek audit show last'], ['what was refused, in all runs', 'tek audit show --refused'],
      ['for programs', 'tek audit show --json'], ['a log that another user has signed', 'tek audit verify --key MCowBQ…'],
    ] as [string, string][],
  }
  action = Option.String({ name: 'ACTION' })
  run = Option.String({ name: 'RUN', required: false })
  refused = Option.Boolean('--refused', false, { description: 'show only what was refused' })
  key = Option.Array('--key', { description: 'a public key to trust beside your own (verify); may be given more than once' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    if (this.action === 'verify') return this.verify()
    if (this.action === 'show') return this.show()
    throw new CliFailure([cliErrors['bad-value']({ option: 'ACTION', value: this.action, allowed: '`verify` or `show`' })], exitCodes.usage)
  }

  private async verify(): Promise<ExitCode> {
    if (this.run !== undefined) throw new CliFailure([cliErrors['too-many-arguments']({ command: 'audit verify', extra: this.run })], exitCodes.usage)
    const host = await this.context.host()
    if ((await host.files.stat(databasePath(host.cwd))) === null) throw new CliFailure([auditErrors['no-log']({})], exitCodes.failed)
    const { verifyAudit } = await import('#tek.ts')
    const verdict = answered(await verifyAudit(host, databasePath(host.cwd), this.key ?? []))
    const isWhole = verdict.problems.length === 0
    if (this.json) this.printJson({ version: 1, ok: isWhole, ...verdict })
    else this.context.out.write(`${[...sentences(verdict).map(each => this.context.out.paint('red', each)), ...facts(verdict)].join('\n')}\n`)
    if (isWhole || this.json) return isWhole ? exitCodes.fine : exitCodes.failed
    const isForeign = verdict.problems.every(each => each.kind === 'foreign-key')
    const help = [`It is whole otherwise. If you know whose key it is and trust them: tek audit verify --key KEY${verdict.key === null ? '. You have no key here' : ''}.`]
    throw new CliFailure([auditErrors.broken({ problems: verdict.problems.length }, isForeign ? { help } : {})], exitCodes.failed)
  }

  private async show(): Promise<ExitCode> {
    const host = await this.context.host()
    const runs = await recordedRuns(host)
    const chosen = this.run === undefined ? null : chooseRun(runs, this.run)
    const { auditEntries } = await import('#tek.ts')
    const limit = this.json ? MAX_JSON_ENTRIES : MAX_SHOWN_ENTRIES
    const options = { ...(chosen === null ? {} : { runId: chosen.runId }), isRefusedOnly: this.refused, limit }
    const { entries, total } = runs.length === 0 ? { entries: [], total: 0 } : answered(await auditEntries(databasePath(host.cwd), options))
    if (this.json) this.printJson({ version: 1, total, entries })
    else this.print(entries, total, chosen === null)
    return exitCodes.fine
  }

  private print(entries: readonly AuditEntryShown[], total: number, isOfAll: boolean): void {
    const { out, err } = this.context
    if (total === 0) err.write(this.refused ? 'Nothing was refused.\n' : 'Nothing is in the audit log.\n')
    if (total > entries.length) err.write(`The last ${thousands(entries.length)} of ${thousands(total)} entries (--json lists more).\n`)
    const widthOf = (most: number, text: (entry: AuditEntryShown) => string): number => Math.min(most, Math.max(0, ...entries.map(each => displayWidth(text(each)))))
    const taskWidth = widthOf(MAX_TASK_COLUMNS, each => neutralise(each.task))
    const callWidth = widthOf(MAX_CALL_COLUMNS, each => neutralise(each.call))
    const seqWidth = String(entries.at(-1)?.seq ?? 0).length
    for (const each of entries) {
      const column = (text: string, width: number): string => padToWidth(cutToWidth(neutralise(text), width), width)
      const head = `${String(each.seq).padStart(seqWidth)}  ${new Date(each.atMs).toISOString().slice(0, 19).replace('T', ' ')}  ${isOfAll ? `${each.runId.slice(0, SHORT_ID)}  ` : ''}`
      const where = `${column(each.task, taskWidth)}  ${column(each.call, callWidth)}  `
      const isBad = each.verdict === 'refused' || each.verdict.startsWith('failed') || each.kind === 'stopped'
      out.write(`${head}${where}${out.paint(isBad ? 'red' : 'green', neutralise(each.verdict).padEnd(7))}  ${neutralise(each.what)}`.trimEnd() + '\n')
    }
  }
}

/** What is wrong, a line each; what one key has signed is one line. */
function sentences({ problems }: AuditVerdict): string[] {
  const others = problems.filter(each => each.kind !== 'foreign-key').map(sentence)
  const foreign = problems.filter(each => each.kind === 'foreign-key')
  const lines = [...new Set(foreign.map(each => each.key))].map(key => {
    const own = foreign.filter(each => each.key === key)
    if (own.length === 1) return sentence(own[0]!)
    return `${own.length} entries, ${own[0]!.seq} the first and ${own.at(-1)!.seq} the last, were signed by another key than yours: ${neutralise(key).slice(0, 80)}`
  })
  return [...others, ...lines]
}

/** What is wrong, in one line. */
function sentence(problem: AuditProblem): string {
  switch (problem.kind) {
    case 'changed-table':
      return `\`${neutralise(problem.name)}\` is not as tek made it: a table or trigger was changed, added or removed.`
    case 'changed':
      return `Entry ${problem.seq} is not what was written there: it was edited, put in, or moved.`
    case 'missing':
      return problem.seq === problem.last ? `Entry ${problem.seq} is missing.` : `Entries ${problem.seq} to ${problem.last} are missing.`
    case 'rewritten':
      return `Entry ${problem.seq} is not the one that ${problem.by === 'signature' ? 'was signed' : 'is remembered outside this folder'}: the log was written anew.`
    case 'truncated':
      return `The log ends at entry ${problem.seq}; ${problem.by === 'signature' ? 'a signature covers' : 'what is remembered outside this folder goes'} up to entry ${problem.last}.`
    case 'bad-signature':
      return `The signature of entry ${problem.seq} is not good.`
    case 'foreign-key':
      return `Entry ${problem.seq} was signed by another key than yours: ${neutralise(problem.key).slice(0, 80)}`
    case 'signature-missing':
      return `The signature of entry ${problem.seq} is missing.`
  }
}

function facts(verdict: AuditVerdict): string[] {
  const { id, entries, fromMs, toMs, signedTo, remembered, key, hasStore, earlier } = verdict
  const when = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
  const lines = [`audit log ${id.slice(0, SHORT_ID)} · ${thousands(entries)} ${entries === 1 ? 'entry' : 'entries'}${fromMs === null || toMs === null ? '' : ` · ${when(fromMs)} to ${when(toMs)} UTC`}`]
  if (verdict.problems.length === 0) lines.push('Each entry follows from the one before it; tables and triggers are as they were made.')
  if (!hasStore) lines.push('Nothing outside this folder vouches for it: there is no home folder, or it lies in here. So a log written anew as a whole would look right.')
  else {
    const signed = signedTo === null ? (verdict.problems.some(each => each.kind === 'foreign-key') ? 'Nothing in it is signed by a key that you trust' : 'Nothing in it is signed') : `Signed up to entry ${thousands(signedTo)}`
    const known = remembered === null ? 'nothing of it is remembered outside this folder' : `remembered up to entry ${thousands(remembered.seq)} in ${neutralise(remembered.path)}`
    lines.push(`${signed}; ${known}.`)
  }
  if (key !== null) lines.push(`Your public key: ${key.publicKey} (its secret half: ${neutralise(key.path)})`)
  if (earlier.length > 0) lines.push(`Another log was kept here before, up to entry ${thousands(earlier[0]!.entries)}. If you removed it yourself, remove ${neutralise(earlier[0]!.path)} too.`)
  return lines
}
