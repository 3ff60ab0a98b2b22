// Rollback: `tek rollback LOOP [VERSION]`, an earlier champion of a loop is champion again.
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { rollBack } from '#loops/loop-records.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { databasePath } from '../recorded-runs.ts'
import { whoDid } from '../who.ts'

export class RollbackCommand extends TekCommand {
  static override paths = [['rollback']]
  static override usage = {
    description: 'makes an earlier version of a loop champion again, with its files',
    details: [
      'LOOP is the name of a loop that has run in this folder, or PROGRAM:LOOP. Without VERSION it goes back to the one that the champion came from;',
      '0 is as it was before the first. Nothing is lost: the version that is left stays in `tek versions`, and can be gone back to.',
    ].join('\n'),
    examples: [['one back', 'tek rollback upgrades'], ['to a version', 'tek rollback upgrades 3'], ['to the beginning', 'tek rollback upgrades 0']] as [string, string][],
  }
  loop = Option.String({ name: 'LOOP' })
  to = Option.String({ name: 'VERSION', required: false })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })
  unconfined = Option.Boolean('--unconfined', false, { description: 'where this machine has no sandbox, let git run with all your rights' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const version = this.to === undefined ? null : Number(this.to)
    if (version !== null && (!Number.isInteger(version) || version < 0)) throw new CliFailure([cliErrors['bad-value']({ option: 'VERSION', value: this.to!, allowed: 'the number of a version' })], exitCodes.usage)
    const { row, from, to } = answered(await rollBack(host, databasePath(host.cwd), this.loop, version, whoDid('tek rollback'), this.unconfined))
    if (this.json) this.printJson({ version: 1, loop: row.name, program: row.program, from, to })
    else this.context.out.write(`${row.name}: version ${from} is no longer champion, ${to === 0 ? 'it is as before the first version' : `version ${to} is`}.\n`)
    return exitCodes.fine
  }
}
