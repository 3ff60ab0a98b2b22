// Diff: `tek diff A B`, what differs between two programs.
// Owns: which two, and printing. Does not own: the structural diff (compiler/4-lower/diff.ts).
//   D1. The structural diff compares what the programs do: formatting, comments and order of declarations are no difference.
//   D2. The line diff is shown only where both have source.
import { createTwoFilesPatch } from 'diff'
import { Option } from 'clipanion'
import type { Paint } from '#base/terminal-text.ts'
import { diffPlans } from '#compiler/4-lower/diff.ts'
import { changeText } from '../change-text.ts'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openProgram, type OpenProgram } from '../open-program.ts'
import { paintPatch } from '../paint-patch.ts'

export class DiffCommand extends TekCommand {
  static override paths = [['diff']]
  static override usage = {
    description: 'what differs between two programs, layout aside',
    details: 'A and B are programs: paths, bundled names or compiled plans. Exit code 1 when they differ in what they do.',
    examples: [
      ['two versions', 'tek diff old.tek new.tek'],
      ['with the changed lines', 'tek diff old.tek new.tek --lines'],
      ['for programs', 'tek diff plan.json flow.tek --json'],
    ] as [string, string][],
  }
  a = Option.String({ name: 'A' })
  b = Option.String({ name: 'B' })
  lines = Option.Boolean('--lines', false, { description: 'show the changed lines too' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const a = await openProgram(this.context, host, this.a, { quiet: true })
    const b = await openProgram(this.context, host, this.b, { quiet: true })
    const changes = diffPlans(a.plan, b.plan)
    const { out, err } = this.context
    if (this.json) this.printJson({ version: 1, a: { program: a.shown, hash: a.plan.hash }, b: { program: b.shown, hash: b.plan.hash }, changes })
    else {
      for (const change of changes) out.write(`${changeText(change, out.paint)}\n`)
      if (this.lines) out.write(linePatch(a, b, out.paint))
      err.write(changes.length === 0 ? 'The two programs do the same.\n' : `${changes.length} difference${changes.length === 1 ? '' : 's'}\n`)
    }
    return changes.length === 0 ? exitCodes.fine : exitCodes.failed
  }
}

/** Changed lines of the two entry files; '' where one is a compiled plan (D2). */
function linePatch(a: OpenProgram, b: OpenProgram, paint: Paint): string {
  const [before, after] = [[...a.sources.values()][0], [...b.sources.values()][0]]
  if (before === undefined || after === undefined) return ''
  return paintPatch(createTwoFilesPatch(a.shown, b.shown, before, after), paint)
}
