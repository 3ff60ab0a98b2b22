// Compile: `tek compile`, a program as a plan that runs without its source.
// Owns: where the plan goes. Does not own: the plan (compiler/4-lower).
import { Option } from 'clipanion'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openProgram } from '../open-program.ts'
import { writeFile } from '../source-files.ts'

export class CompileCommand extends TekCommand {
  static override paths = [['compile']]
  static override usage = {
    description: 'lowers a program to a plan that runs without its source',
    details: 'The plan is JSON, on standard output unless -o names a file. Its hash covers what the program does, not how it is laid out.',
    examples: [
      ['write the plan to a file', 'tek compile flow.tek -o plan.json'],
      ['run it elsewhere', 'tek run plan.json --root src'],
      ['its hash alone', 'tek compile flow.tek --hash'],
    ] as [string, string][],
  }
  file = Option.String({ name: 'FILE' })
  to = Option.String('-o,--out', { description: 'file to write the plan to' })
  hash = Option.Boolean('--hash', false, { description: 'print only the hash of the plan' })
  json = Option.Boolean('--json', false, { description: 'with -o: say what was written as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { plan, shown } = await openProgram(this.context, host, this.file)
    const text = `${JSON.stringify(plan, null, 2)}\n`
    if (this.to !== undefined) await writeFile(host, this.to, text)
    if (this.hash) this.context.out.write(`${plan.hash}\n`)
    else if (this.to === undefined) this.context.out.write(text)
    else if (this.json) this.printJson({ version: 1, program: shown, plan: this.to, hash: plan.hash, workflows: plan.entries })
    else this.context.err.write(`${shown} → ${this.to}  ${plan.hash.slice(0, 12)}\n`)
    return exitCodes.fine
  }
}
