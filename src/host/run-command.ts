// Run command: one program, without a shell, to its end.
// Owns: finding the program, its pipes, its time, its death. Does not own: whether it may run, or what its environment holds (guard).
//   R1. The child leads its own process group; on abort or time-out the whole tree gets SIGTERM, and SIGKILL 500 ms later.
//   R2. Output beyond the limit is read and dropped, so that a flooding child neither fills memory nor blocks.
//   R3. When the program has ended, what it left running in its group is ended too.
//   R4. A program without `/` is looked up on PATH; relative and empty entries of PATH are skipped.
//   R5. When this process ends before them, what it started ends too (of unconfined ones not where it is killed by SIGKILL: nobody is left to do it).
//   R6. Confined, a program is started by a wrapper (sandbox/launch.ts). SIGTERM goes to what runs inside, SIGKILL to the wrapper, with which all
//       of it ends; a wrapper that could not set the sandbox up is a failure of its own, never a result of the program.
//   R7. Where this machine has no sandbox, a program that must be confined is refused, unless it was accepted by name that it is not.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { errnoOf, fileError } from './errno.ts'
import { HostError, type Command, type CommandResult, type ConfinedStart, type Confinement } from './host.ts'
import { signalDescendants, signalTree } from '#base/process-tree.ts'
import { Bounds, watchForeign } from './sandbox/bounds.ts'
import { sweepHeldNames } from './sandbox/held-names.ts'
import { inheritedDescriptors } from './sandbox/inherited.ts'
import { prepareForeign, prepareLaunch, type Launch } from './sandbox/launch.ts'
import { levelOfMachine, type LevelFound } from './sandbox/level.ts'
import { attemptsIn, MAX_REPORT_BYTES } from './sandbox/observer.ts'

const KILL_AFTER_MS = 500
const DRAIN_MS = 500
const MAX_PATH_ENTRIES = 1_000

let isSwept = false

/** How strongly this machine confines programs, and why not more strongly. The first to ask takes away what a tek that was killed has left behind. */
export function machineLevel(): Promise<LevelFound> {
  if (!isSwept) sweepHeldNames()
  isSwept = true
  return levelOfMachine((level, command) => runProgram(command, new AbortController().signal, level))
}

export async function runCommand(command: Command, signal: AbortSignal): Promise<CommandResult> {
  if (signal.aborted) throw cancelled(command.program)
  return runProgram(command, signal, command.confinement === undefined ? null : await levelFor(command.program, command.confinement))
}

/** The level a program is to be started at; null for unconfined (R7). */
async function levelFor(program: string, confinement: Confinement): Promise<2 | 3 | null> {
  const { level } = await machineLevel()
  if (level === 2 || level === 3) return level
  if (confinement.mayBeUnconfined) return null
  throw new HostError('refused', program, `\`${program}\` was not started: this machine has no sandbox to start it in.`)
}

/** @see Host.confine */
export async function confineCommand(command: Pick<Command, 'program' | 'args' | 'cwd' | 'env'>, confinement: Confinement): Promise<ConfinedStart> {
  const program = await findProgram(command.program, command.cwd, command.env['PATH'] ?? '')
  const level = await levelFor(command.program, confinement)
  return level === null ? { program, args: command.args, env: command.env, level: 0 } : confinedAt(level, { ...command, program }, confinement)
}

/** The same at a level that this machine has; the program by its path. */
export function confinedAt(level: 2 | 3, command: Pick<Command, 'program' | 'args' | 'cwd' | 'env'>, confinement: Confinement): ConfinedStart {
  return { ...prepareForeign(level, command, confinement), watch: wrapper => watchForeign(wrapper, confinement.limits) }
}

async function runProgram(command: Command, signal: AbortSignal, level: 2 | 3 | null): Promise<CommandResult> {
  const folder = await stat(command.cwd).catch(error => { throw fileError(error, command.cwd) })
  if (!folder.isDirectory()) throw fileError({ code: 'ENOTDIR' }, command.cwd)
  const program = await findProgram(command.program, command.cwd, command.env['PATH'] ?? '')
  const launch = level === null ? null : await prepared(level, program, command)
  const startedMs = performance.now()
  try {
    const child = await start(program, command, launch)
    const result = await toItsEnd(child, command, signal, launch)
    return { ...result, elapsedMs: Math.round(performance.now() - startedMs), ...(level !== null ? { level } : command.confinement === undefined ? {} : { level: 0 as const }) }
  } finally {
    launch?.ended()
  }
}

/** A program that is not there, or that cannot be run, is told before a wrapper is started for it. */
async function prepared(level: 2 | 3, program: string, command: Command): Promise<Launch> {
  if (!(await isProgram(program))) throw noProgram(command.program)
  return prepareLaunch(level, { program, args: command.args, cwd: command.cwd, env: command.env }, command.confinement!)
}

async function toItsEnd(child: ChildProcess, command: Command, signal: AbortSignal, launch: Launch | null): Promise<Omit<CommandResult, 'elapsedMs'>> {
  const stdout = collect(child.stdout, command.maxOutputBytes)
  const stderr = collect(child.stderr, command.maxOutputBytes)
  child.stdin?.on('error', () => undefined) // a program may end before it has read everything
  child.stdin?.end(command.stdin ?? '')

  let timedOut = false
  const ending = endOf(child, launch !== null)
  const leader = child.pid!
  const inside = launch === null ? null : new Inside(child, command)
  const report = launch !== null && command.confinement?.observe ? collect(child.stdio[4] as NodeJS.ReadableStream, MAX_REPORT_BYTES) : null
  underWay.add(leader)
  if (underWay.size === 1) process.on('exit', endAll)
  const timer = setTimeout(() => {
    timedOut = true
    ending.kill()
  }, Math.min(command.timeoutMs, 2 ** 31 - 1))
  signal.addEventListener('abort', ending.kill)
  if (signal.aborted) ending.kill()
  try {
    const { exitCode, signal: endedBy } = await ending.done
    const watched = (await inside?.end(exitCode, endedBy, timedOut || signal.aborted, stderr.text())) ?? null
    if (signal.aborted) throw cancelled(command.program)
    const truncated = stdout.truncated() || stderr.truncated()
    return { exitCode, signal: endedBy, stdout: stdout.text(), stderr: stderr.text(), truncated, timedOut, ...watched, ...triedIn(report, command) }
  } finally {
    inside?.stop()
    clearTimeout(timer)
    signal.removeEventListener('abort', ending.kill)
    underWay.delete(leader)
    if (underWay.size === 0) process.off('exit', endAll)
  }
}

function triedIn(report: { text(): string } | null, { confinement }: Command): Pick<CommandResult, 'tried'> {
  const tried = report === null ? null : attemptsIn(report.text(), [...confinement!.readable, ...confinement!.writable])
  return tried === null ? {} : { tried }
}

const MAX_STATUS_LENGTH = 10_000

/** What a wrapper says of the program inside, and the watch over it. */
class Inside {
  private said = ''
  private bounds: Bounds | null = null
  private readonly program: string

  constructor(child: ChildProcess, command: Command) {
    this.program = command.program
    const { limits } = command.confinement!
    const status = child.stdio[3] as NodeJS.ReadableStream
    status.on('error', () => undefined)
    status.on('data', (chunk: Buffer) => {
      if (this.said.length < MAX_STATUS_LENGTH) this.said += chunk.toString('latin1')
      const first = /"child-pid" ?: ?(\d+)/.exec(this.said)?.[1]
      if (first !== undefined) this.bounds ??= new Bounds(Number(first), child.pid!, limits)
    })
  }

  stop(): void {
    this.bounds?.stop()
  }

  /** @throws {HostError} `refused` when the program was never started. // R6 */
  async end(exitCode: number | null, signal: string | null, wasEnded: boolean, stderr: string): Promise<Pick<CommandResult, 'endedFor' | 'peak'>> {
    const found = await this.bounds?.end({ exitCode, signal }, wasEnded)
    if (found?.endedFor !== undefined) return found
    const failed = /"failed" ?: ?"(.*)"/.exec(this.said)?.[1]
    const wasStarted = failed === undefined && this.said.includes('"exit-code"') // said only of a program that was reached
    if (!wasStarted && !wasEnded && signal === null && exitCode !== 0) {
      throw new HostError('refused', this.program, `The sandbox for \`${this.program}\` could not be set up: ${(failed ?? stderr.trim().split('\n')[0] ?? '').slice(0, 500) || 'it does not say why'}.`)
    }
    return found ?? {}
  }
}

/** Leaders of the programs that run. */
const underWay = new Set<number>()

function endAll(): void {
  for (const leader of underWay) signalTree(leader, 'SIGKILL') // R5
}

function cancelled(program: string): HostError {
  return new HostError('cancelled', program, `\`${program}\` was stopped.`)
}

const noProgram = (program: string): HostError => new HostError('no-program', program, `\`${program}\` is not a program this machine can run.`)

async function start(program: string, command: Command, launch: Launch | null): Promise<ChildProcess> {
  try {
    const child = launch === null
      ? spawn(program, [...command.args], { cwd: command.cwd, env: { ...command.env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
      : spawn(launch.program, [...launch.args], { cwd: '/', env: { ...launch.env }, detached: true, stdio: stdioOf(launch, command.confinement?.observe === true) })
    await new Promise<void>((started, failed) => {
      child.once('spawn', started)
      child.once('error', failed)
    })
    launch?.started()
    return child
  } catch (error) { // thrown or told, as the system's code decides
    const code = errnoOf(error)
    if (code === 'E2BIG') throw new HostError('too-large', command.program, `The arguments of \`${command.program}\` are longer than the system allows.`)
    if (code === 'ENOENT' || code === 'ENOEXEC') throw noProgram(command.program)
    throw fileError(error, command.program)
  }
}

function stdioOf({ descriptors }: Launch, isObserved: boolean): StdioOptions {
  const pipes = Array<'pipe'>(isObserved ? 5 : 4).fill('pipe')
  return [...pipes, ...descriptors, ...nothing(pipes.length + descriptors.length)]
}

let nullDevice: number | null = null

/** /dev/null in the place of each descriptor that the child would inherit, and of those before it: places can only be given in order. */
function nothing(from: number): number[] {
  const last = Math.max(0, ...inheritedDescriptors())
  return Array.from({ length: Math.max(0, last + 1 - from) }, () => (nullDevice ??= openSync('/dev/null', 'r')))
}

function collect(stream: NodeJS.ReadableStream | null, maxBytes: number): { text(): string; truncated(): boolean } {
  const chunks: Buffer[] = []
  let kept = 0
  let truncated = false
  stream?.on('data', (chunk: Buffer) => {
    const room = maxBytes - kept
    if (chunk.length > room) truncated = true // R2
    if (room <= 0) return
    const part = chunk.subarray(0, room)
    chunks.push(part)
    kept += part.length
  })
  stream?.on('error', () => undefined)
  return {
    // A character cut in two by the limit comes out as U+FFFD and is dropped.
    text: () => { const text = Buffer.concat(chunks).toString('utf8'); return truncated ? text.replace(/\uFFFD$/, '') : text },
    truncated: () => truncated,
  }
}

interface Ending {
  readonly done: Promise<{ exitCode: number | null; signal: string | null }>
  readonly kill: () => void
}

function endOf(child: ChildProcess, isWrapped: boolean): Ending {
  const leader = child.pid!
  let killTimer: NodeJS.Timeout | undefined
  const kill = (): void => {
    if (isWrapped) signalDescendants(leader, 'SIGTERM') // R6
    else signalTree(leader, 'SIGTERM') // R1
    killTimer ??= setTimeout(() => signalTree(leader, 'SIGKILL'), KILL_AFTER_MS)
  }
  const done = new Promise<{ exitCode: number | null; signal: string | null }>(finished => {
    child.once('exit', (exitCode, signal) => {
      const killed = killTimer !== undefined
      clearTimeout(killTimer)
      const isLeft = !isWrapped && signalTree(leader, killed ? 'SIGKILL' : 'SIGTERM') // R3; a sandbox ends with its wrapper
      const drain = setTimeout(() => {
        signalTree(leader, 'SIGKILL')
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, DRAIN_MS)
      child.once('close', () => {
        clearTimeout(drain)
        if (isLeft) signalTree(leader, 'SIGKILL') // what had nothing left then has nothing now
        finished({ exitCode, signal })
      })
    })
  })
  return { done, kill }
}

/** The file of a program (R4). */
async function findProgram(program: string, cwd: string, path: string): Promise<string> {
  if (program.includes('/')) return resolve(cwd, program)
  if (program !== '' && !program.includes('\0')) {
    for (const folder of path.split(delimiter).slice(0, MAX_PATH_ENTRIES)) {
      if (!isAbsolute(folder)) continue
      const file = join(folder, program)
      if (await isProgram(file)) return file
    }
  }
  throw new HostError('no-program', program, `There is no program \`${program}\` on this machine's PATH.`)
}

/** Whether there is such a program, on PATH or at its place, that may be run. */
export async function isThere(program: string, cwd: string, path: string): Promise<boolean> {
  try {
    return await isProgram(await findProgram(program, cwd, path))
  } catch (error) {
    if (error instanceof HostError) return false
    throw error
  }
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
