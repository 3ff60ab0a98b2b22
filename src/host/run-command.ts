// Run command: one program, without a shell, to its end.
// Owns: finding the program, its pipes, its time, its death. Does not own: whether it may run, or what its environment holds (guard).
//   R1. The child leads its own process group; on abort or time-out the whole tree gets SIGTERM, and SIGKILL 500 ms later.
//   R2. Output beyond the limit is read and dropped, so that a flooding child neither fills memory nor blocks.
//   R3. When the program has ended, what it left running in its group is ended too.
//   R4. A program without `/` is looked up on PATH; relative and empty entries of PATH are skipped.
//   R5. When this process ends before them, what it started ends too (not where it is killed by SIGKILL: then nobody is left to do it).
import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { errnoOf, fileError } from './errno.ts'
import { HostError, type Command, type CommandResult } from './host.ts'
import { signalTree } from '#base/process-tree.ts'

const KILL_AFTER_MS = 500
const DRAIN_MS = 500
const MAX_PATH_ENTRIES = 1_000

export async function runCommand(command: Command, signal: AbortSignal): Promise<CommandResult> {
  if (signal.aborted) throw cancelled(command)
  const folder = await stat(command.cwd).catch(error => { throw fileError(error, command.cwd) })
  if (!folder.isDirectory()) throw fileError({ code: 'ENOTDIR' }, command.cwd)
  const program = await findProgram(command.program, command.cwd, command.env['PATH'] ?? '')
  const startedMs = performance.now()
  const child = await start(program, command)
  const stdout = collect(child, 'stdout', command.maxOutputBytes)
  const stderr = collect(child, 'stderr', command.maxOutputBytes)
  child.stdin?.on('error', () => undefined) // a program may end before it has read everything
  child.stdin?.end(command.stdin ?? '')

  let timedOut = false
  const ending = endOf(child)
  const leader = child.pid!
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
    if (signal.aborted) throw cancelled(command)
    const elapsedMs = Math.round(performance.now() - startedMs)
    const truncated = stdout.truncated() || stderr.truncated()
    return { exitCode, signal: endedBy, stdout: stdout.text(), stderr: stderr.text(), truncated, timedOut, elapsedMs }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', ending.kill)
    underWay.delete(leader)
    if (underWay.size === 0) process.off('exit', endAll)
  }
}

/** Leaders of the programs that run. */
const underWay = new Set<number>()

function endAll(): void {
  for (const leader of underWay) signalTree(leader, 'SIGKILL') // R5
}

function cancelled(command: Command): HostError {
  return new HostError('cancelled', command.program, `\`${command.program}\` was stopped.`)
}

async function start(program: string, command: Command): Promise<ChildProcess> {
  try {
    const child = spawn(program, [...command.args], { cwd: command.cwd, env: { ...command.env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    await new Promise<void>((started, failed) => {
      child.once('spawn', started)
      child.once('error', failed)
    })
    return child
  } catch (error) { // thrown or told, as the system's code decides
    const code = errnoOf(error)
    if (code === 'E2BIG') throw new HostError('too-large', command.program, `The arguments of \`${command.program}\` are longer than the system allows.`)
    if (code === 'ENOENT' || code === 'ENOEXEC') throw new HostError('no-program', command.program, `\`${command.program}\` is not a program this machine can run.`)
    throw fileError(error, command.program)
  }
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr', maxBytes: number): { text(): string; truncated(): boolean } {
  const chunks: Buffer[] = []
  let kept = 0
  let truncated = false
  child[name]?.on('data', (chunk: Buffer) => {
    const room = maxBytes - kept
    if (chunk.length > room) truncated = true // R2
    if (room <= 0) return
    const part = chunk.subarray(0, room)
    chunks.push(part)
    kept += part.length
  })
  child[name]?.on('error', () => undefined)
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

function endOf(child: ChildProcess): Ending {
  const leader = child.pid!
  let killTimer: NodeJS.Timeout | undefined
  const kill = (): void => {
    signalTree(leader, 'SIGTERM') // R1
    killTimer ??= setTimeout(() => signalTree(leader, 'SIGKILL'), KILL_AFTER_MS)
  }
  const done = new Promise<{ exitCode: number | null; signal: string | null }>(finished => {
    child.once('exit', (exitCode, signal) => {
      const killed = killTimer !== undefined
      clearTimeout(killTimer)
      signalTree(leader, killed ? 'SIGKILL' : 'SIGTERM') // R3
      const drain = setTimeout(() => {
        signalTree(leader, 'SIGKILL')
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, DRAIN_MS)
      child.once('close', () => {
        clearTimeout(drain)
        signalTree(leader, 'SIGKILL')
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

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
