// Versions: `tek versions LOOP`, the champions that a loop had.
import { Option } from 'clipanion'
import { cutToWidth, neutraliseLine, padToWidth } from '#base/terminal-text.ts'
import { recordedLoop } from '#loops/loop-records.ts'
import type { LoopVersion } from '#interpreter/journal/loops.ts'
import { answered, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { databasePath } from '../recorded-runs.ts'

const MAX_SHOWN = 50

export class VersionsCommand extends TekCommand {
  static override paths = [['versions']]
  static override usage = {
    description: 'the champions that a loop had, the newest first',
    details: 'LOOP is the name of a loop that has run in this folder, or PROGRAM:LOOP. `*` marks the one that is champion now; `tek rollback LOOP VERSION` goes back to another.',
    examples: [['a loop', 'tek versions upgrades'], ['for programs', 'tek versions upgrades --json']] as [string, string][],
  }
  loop = Option.String({ name: 'LOOP' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { row, champion, versions } = answered(await recordedLoop(host, databasePath(host.cwd), this.loop))
    if (this.json) {
      this.printJson({ version: 1, loop: row.name, program: row.program, champion: row.champion, versions })
      return exitCodes.fine
    }
    const { out } = this.context
    if (versions.length === 0) out.write(`${row.name} has had no champion yet.\n`)
    for (const each of versions.slice(0, MAX_SHOWN)) out.write(`${cutToWidth(line(each, each.version === champion?.version), out.columns())}\n`)
    if (versions.length > MAX_SHOWN) out.write(`and ${versions.length - MAX_SHOWN} older ones (--json lists more)\n`)
    return exitCodes.fine
  }
}

function line({ version, atMs, score, candidate, cycle, content }: LoopVersion, isChampion: boolean): string {
  const when = new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')
  if (version === 0) return `${isChampion ? '*' : ' '} ${padToWidth('0', 5)} as it was before the first version`
  const files = content === null ? '' : `  ${(JSON.parse(content) as { readonly is: string }).is.slice(0, 12)}`
  const facts = `${padToWidth(String(version), 5)} ${when}  cycle ${padToWidth(String(cycle), 6)} score ${padToWidth(String(Math.round(score * 1_000) / 1_000), 6)}${files}`
  return `${isChampion ? '*' : ' '} ${facts}  ${neutraliseLine(JSON.stringify(candidate))}`
}
