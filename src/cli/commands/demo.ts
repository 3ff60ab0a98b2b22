// Demo: `tek demo crash`, which kills tek twenty times and counts what became of 2,000 effects; `tek demo` lists what there is.
// Owns: the options, the folder, the exit code. Does not own: killing (crash-demo/ordeal.ts), counting (effect-server.ts), words (picture.ts).
//   D1. Everything happens in a temporary folder, which is removed unless it is asked for, and on the loopback address.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Option } from 'clipanion'
import { neutralise } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { doneTasks } from '../crash-demo/done-tasks.ts'
import { effectServer, type EffectServer } from '../crash-demo/effect-server.ts'
import { isKept, Ordeal, type Verdict } from '../crash-demo/ordeal.ts'
import { Picture, verdictLines } from '../crash-demo/picture.ts'
import { programName, programText } from '../crash-demo/program.ts'
import { bundledPrograms, packageFolder } from '../install-place.ts'

const DEFAULT_TASKS = 2_000
const MAX_TASKS = 100_000
const DEFAULT_KILLS = 20
const MAX_KILLS = 1_000

export class DemoCommand extends TekCommand {
  static override paths = [['demo']]
  static override usage = {
    description: 'shows what tek promises, on your machine',
    details: [
      'crash: tasks with one effect each, the process killed with SIGKILL at random instants and gone on with by `tek resume`; a server on this machine counts.',
      'It needs no key and no network. The exit code is 1 if an effect was lost or doubled.',
      '`--without-keys` lets that server ignore the key that tek sends with each request: then effects are doubled, and the count shows it.',
    ].join('\n'),
    examples: [['what there is', 'tek demo'], ['2,000 tasks, 20 kills', 'tek demo crash'], ['a small one, its folder kept', 'tek demo crash --tasks 200 --kills 5 --keep']] as [string, string][],
  }
  demo = Option.String({ name: 'DEMO', required: false })
  tasks = Option.String('--tasks', String(DEFAULT_TASKS), { description: `tasks with an effect each (default: ${DEFAULT_TASKS})` })
  kills = Option.String('--kills', String(DEFAULT_KILLS), { description: `how often it is killed (default: ${DEFAULT_KILLS})` })
  withoutKeys = Option.Boolean('--without-keys', false, { description: 'the server ignores the keys: effects are doubled' })
  keep = Option.Boolean('--keep', false, { description: 'leave the folder with the program and its journal' })
  json = Option.Boolean('--json', false, { description: 'print the counts as JSON' })

  override async execute(): Promise<ExitCode> {
    if (this.demo === undefined) return this.list()
    if (this.demo !== 'crash') throw new CliFailure([cliErrors['bad-value']({ option: 'demo', value: this.demo, allowed: '`crash`' })], exitCodes.usage)
    const tasks = countOf('--tasks', this.tasks, 1, MAX_TASKS)
    const kills = countOf('--kills', this.kills, 0, MAX_KILLS)
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tek-crash-'))) // D1
    const server = await effectServer(!this.withoutKeys)
    const stop = new AbortController()
    const interrupted = (): void => stop.abort()
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', interrupted)
    try {
      const began = performance.now()
      const verdict = await this.crash(folder, server, tasks, kills, stop.signal)
      if (stop.signal.aborted) return exitCodes.interrupted
      this.tell(verdict, tasks, performance.now() - began, folder)
      return isKept(verdict) ? exitCodes.fine : exitCodes.failed
    } finally {
      process.off('SIGINT', interrupted)
      process.off('SIGTERM', interrupted)
      await server.close()
      if (!this.keep) rmSync(folder, { recursive: true, force: true })
    }
  }

  private list(): ExitCode {
    const programs = bundledPrograms()
    if (this.json) this.printJson({ version: 1, demos: ['crash'], programs })
    else {
      this.context.out.write(`tek demo crash     ${DEFAULT_TASKS} tasks, killed ${DEFAULT_KILLS} times: is any effect lost or doubled?\n`)
      this.context.out.write(`Programs that come with tek, run by name on your own folder: ${programs.map(each => `tek run ${each}`).join(', ')}\n`)
    }
    return exitCodes.fine
  }

  private async crash(folder: string, server: EffectServer, tasks: number, kills: number, signal: AbortSignal): Promise<Verdict> {
    const text = programText(server.port)
    writeFileSync(join(folder, programName), text)
    const { err } = this.context
    if (!this.json) err.write(`${text}\ntek run ${programName} --tasks ${tasks}, killed ${kills} times, each time followed by tek resume${this.keep ? `, in ${neutralise(folder)}` : ''}\n\n`)
    const picture = new Picture(err, tasks, kills)
    const ordeal = new Ordeal({
      tasks, kills, folder, server, signal,
      command: [process.execPath, join(packageFolder(), 'dist', 'tek.mjs')],
      doneTasks: () => doneTasks(folder),
      onProgress: progress => { if (!this.json) picture.show(progress) },
    })
    const verdict = await ordeal.run()
    if (!this.json) picture.close()
    return verdict
  }

  private tell(verdict: Verdict, tasks: number, elapsedMs: number, folder: string): void {
    const kept = this.keep ? folder : null
    if (this.json) return this.printJson({ version: 1, ok: isKept(verdict), tasks, ...verdict, kills: verdict.kills.length, killed: verdict.kills, elapsedMs: Math.round(elapsedMs), folder: kept })
    const { out } = this.context
    const [first = '', ...others] = verdictLines(verdict, tasks, elapsedMs, !this.withoutKeys)
    out.write(`${out.paint(isKept(verdict) ? 'green' : 'red', first)}\n${others.join('\n')}\n`)
    if (kept !== null) out.write(`The program and its journal: ${neutralise(kept)}\n`)
  }
}

function countOf(option: string, text: string, least: number, most: number): number {
  const count = Number(text)
  if (text.trim() !== '' && Number.isInteger(count) && count >= least && count <= most) return count
  throw new CliFailure([cliErrors['bad-value']({ option, value: text, allowed: `a whole number from ${least} to ${most}` })], exitCodes.usage)
}
