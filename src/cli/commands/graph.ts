// Graph: `tek graph`, the tasks of a program or of a run and what they wait for.
// Owns: formats and where the drawing goes. Does not own: layout and drawing (src/graph).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { graphOfPlan, graphOfRun, type Graph } from '#graph/graph.ts'
import { drawTerminal } from '#graph/terminal.ts'
import { drawDot, drawMermaid } from '#graph/text-formats.ts'
import type { Host } from '#host/host.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseWorkflow, openProgram } from '../open-program.ts'
import { findRun, recordedRuns } from '../recorded-runs.ts'
import { writeFile } from '../source-files.ts'

const formats = ['terminal', 'svg', 'mermaid', 'dot', 'json'] as const
type Format = (typeof formats)[number]

export class GraphCommand extends TekCommand {
  static override paths = [['graph']]
  static override usage = {
    description: 'draws the tasks and what they wait for',
    details: 'FILE is a program (a path, a bundled name or a compiled plan) or the id of a run, whose tasks are then coloured by how they ended.',
    examples: [
      ['in the terminal', 'tek graph flow.tek'],
      ['as a picture', 'tek graph flow.tek --format svg -o flow.svg'],
      ['for a Markdown page', 'tek graph flow.tek --format mermaid'],
      ['one workflow of several', 'tek graph flow.tek --workflow review'],
      ['the newest run', 'tek graph last'],
    ] as [string, string][],
  }
  what = Option.String({ name: 'FILE' })
  format = Option.String('--format', { description: 'terminal (default), svg, mermaid, dot or json' })
  workflow = Option.String('--workflow', { description: 'which workflow, where there are several' })
  to = Option.String('-o,--out', { description: 'file to write to; .svg, .mmd and .dot choose the format' })
  json = Option.Boolean('--json', false, { description: 'the same as --format json' })

  override async execute(): Promise<ExitCode> {
    const format = this.chosenFormat()
    const host = await this.context.host()
    const text = await this.draw(await this.graph(host), format)
    if (this.to === undefined) this.context.out.write(text)
    else await writeFile(host, this.to, text)
    return exitCodes.fine
  }

  private chosenFormat(): Format {
    const byName: Readonly<Record<string, Format>> = { svg: 'svg', mmd: 'mermaid', dot: 'dot', gv: 'dot', json: 'json' }
    const asked = this.format ?? (this.json ? 'json' : (byName[this.to?.split('.').at(-1) ?? ''] ?? 'terminal'))
    const format = formats.find(each => each === asked)
    if (!format) throw new CliFailure([cliErrors['bad-value']({ option: '--format', value: asked, allowed: 'terminal, svg, mermaid, dot or json' })], exitCodes.usage)
    return format
  }

  private async graph(host: Host): Promise<Graph> {
    const looksLikeRun = this.what === 'last' || (/^[0-9a-z-]+$/.test(this.what) && (await recordedRuns(host)).some(each => each.runId.startsWith(this.what)))
    if (looksLikeRun) return graphOfRun(await findRun(host, this.what))
    const program = await openProgram(this.context, host, this.what)
    return graphOfPlan(program.plan, chooseWorkflow(program, this.workflow))
  }

  private async draw(graph: Graph, format: Format): Promise<string> {
    const { out } = this.context
    if (format === 'json') return `${JSON.stringify({ version: 1, ...graph }, null, 2)}\n`
    if (format === 'mermaid') return drawMermaid(graph)
    if (format === 'dot') return drawDot(graph)
    if (format === 'svg') return (await import('#graph/svg.ts')).drawSvg(graph)
    return drawTerminal(graph, { columns: out.columns(), paint: this.to === undefined ? out.paint : (_, text) => text })
  }
}
