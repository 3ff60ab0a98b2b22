// Level: how strongly this machine can confine a program, found out by trying.
// Owns: the probe and its memory. Does not own: the sandboxes themselves.
//   V1. A level holds only when four short programs in it fail at what it promises to stop: reading a file outside, reaching a listener on this
//       machine's loopback, outliving their command, reading the environment of who started them. The strongest level that holds is used.
//   V2. The answer is kept for this boot, user and launchers in tek's cache folder; another kernel, user or launcher is probed again.
//   V3. TEK_SANDBOX=2 in tek's own environment asks for level 2 where there would be 3 (for tests); 1 or 0 asks for none. It never makes a command
//       run without a sandbox: below level 2 commands are refused unless that was accepted by name.
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Command, CommandResult, Confinement, IsolationLevel } from '../host.ts'
import { processIdentity } from '../process-identity.ts'
import { bubblewrapTakesDescriptors, launcher } from './launchers.ts'
import { seccompArchitecture } from './seccomp.ts'
import { cacheFolder } from './system-view.ts'

const PROBE_TIMEOUT_MS = 10_000
const MAX_PROBE_OUTPUT_BYTES = 100_000
/** Of what the sandboxes are made; raised when one of them changes. */
const SANDBOX_VERSION = 1
const MAX_KEPT_BYTES = 10_000

export interface LevelFound {
  readonly level: IsolationLevel
  /** Why each stronger level is not to be had. */
  readonly missing: readonly { readonly level: 2 | 3; readonly why: string }[]
}

/** Runs one command at one level. */
export type RunAt = (level: 2 | 3, command: Command & { readonly confinement: Confinement }) => Promise<CommandResult>

let known: Promise<LevelFound> | null = null

/** The level of this machine, probed once a boot. */
export function levelOfMachine(runAt: RunAt): Promise<LevelFound> {
  return (known ??= find(runAt))
}

async function find(runAt: RunAt): Promise<LevelFound> {
  if (process.platform !== 'linux') return none(`tek has no sandbox for ${process.platform} yet`)
  if (seccompArchitecture() === null) return none(`tek has no system call filter for ${process.arch}`)
  const most = Number(process.env['TEK_SANDBOX'] ?? 3) // V3
  const path = keptPath()
  const kept = path === null ? null : readKept(path)
  if (kept !== null && most >= 3) return kept
  const missing: { level: 2 | 3; why: string }[] = []
  let isPlain = most >= 3
  for (const level of [3, 2] as const) {
    const lacking = most < level ? 'TEK_SANDBOX asks for less' : lacks(level)
    const why = lacking ?? (await probe(level, runAt))
    if (why === null) {
      if (isPlain && path !== null) keep(path, { level, missing })
      return { level, missing }
    }
    isPlain &&= lacking !== null
    missing.push({ level, why })
  }
  return { level: 1, missing }
}

const none = (why: string): LevelFound => ({ level: 1, missing: [{ level: 3, why }, { level: 2, why }] })

/** What a level needs and this machine does not have; null when it has it all. */
function lacks(level: 2 | 3): string | null {
  if (level === 2) return launcher('perl') === null ? 'there is no perl in /usr/bin' : null
  const bwrap = launcher('bwrap')
  if (bwrap === null) return 'bubblewrap is not installed'
  if (launcher('prlimit') === null) return 'there is no prlimit (util-linux) in /usr/bin'
  return bubblewrapTakesDescriptors(bwrap) ? null : 'the installed bubblewrap is too old: it has no --bind-fd (0.10, or an older one with the fix of CVE-2024-42472)'
}

/** Null when the level holds; else what it let through. // V1 */
async function probe(level: 2 | 3, runAt: RunAt): Promise<string | null> {
  const folder = cacheFolder()
  const mark = randomBytes(12).toString('hex')
  const canary = join(folder, `canary-${mark}`)
  writeFileSync(canary, mark)
  const server = createServer(socket => socket.end(mark))
  const isListening = await new Promise<boolean>(done => server.once('error', () => done(false)).listen(0, '127.0.0.1', () => done(true)))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const seconds = `300.${String(parseInt(mark.slice(0, 8), 16))}`
  const sh = (script: string): Promise<CommandResult> => runAt(level, probeCommand('/bin/sh', ['-c', script]))
  try {
    const results = await Promise.all([
      sh(`cat '${canary}'; echo ran`),
      isListening ? runAt(level, probeCommand(process.execPath, ['-e', connecting(port)])) : null,
      sh(`(setsid sleep ${seconds} >/dev/null 2>&1 &); echo ran`),
      sh(`cat /proc/${process.pid}/environ /proc/1/environ | tr '\\0' '\\n'; echo ran`),
    ])
    const failed = results.find(result => result !== null && (result.exitCode !== 0 || !result.stdout.endsWith('ran\n')))
    if (failed) return `a program cannot be started in it: ${(failed.stderr.trim() || `exit code ${failed.exitCode}`).split('\n')[0]!.slice(0, 300)}`
    const [file, listener, , environment] = results
    if (file!.stdout.includes(mark)) return 'a file outside could be read in it'
    if (listener?.stdout.includes(mark)) return 'a listener of this machine could be reached from it'
    if (isRunning(seconds)) return 'a program outlived its command in it'
    if (ownEnvironment().some(line => environment!.stdout.split('\n').includes(line))) return 'the environment of the one who started it could be read in it'
    return null
  } catch (error) {
    return `a program cannot be started in it: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`
  } finally {
    server.close()
    rmSync(canary, { force: true })
  }
}

/** A program that shows what a listener of this machine says. */
function connecting(port: number): string {
  const show = (text: string): string => `require('fs').writeSync(1, ${text} + '\\n')`
  return `require('net').connect(${port}, '127.0.0.1').on('data', data => ${show('data')}).on('error', () => {}).on('close', () => ${show("'ran'")})`
}

function probeCommand(program: string, args: readonly string[]): Command & { confinement: Confinement } {
  return {
    program, args, cwd: '/usr', env: { PATH: '/usr/bin:/bin' }, timeoutMs: PROBE_TIMEOUT_MS, maxOutputBytes: MAX_PROBE_OUTPUT_BYTES,
    confinement: { readable: [], writable: [], hidden: [], mayBeUnconfined: false, limits: { memoryBytes: 1024 ** 3, processes: 32, cpuMs: PROBE_TIMEOUT_MS, fileBytes: 1024 ** 2 } },
  }
}

/** Lines of tek's own environment that say something; not those that a sandbox has too. */
function ownEnvironment(): string[] {
  return readFileSync('/proc/self/environ', 'utf8').split('\0').filter(line => line.length > 3 && !/^(?:PATH|LANG|TERM|HOME|TMPDIR|PWD|SHLVL|_)=/.test(line))
}

function isRunning(argument: string): boolean {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).some(number => {
    try {
      return readFileSync(`/proc/${number}/cmdline`, 'latin1').includes(argument)
    } catch {
      return false
    }
  })
}

/** V2. */
function keptPath(): string | null {
  try {
    const { bootId } = processIdentity()
    if (bootId === '') return null
    const programs = ['bwrap', 'prlimit', 'perl', 'sh'].map(name => {
      const path = launcher(name)
      const stat = path === null ? null : statSync(path)
      return stat === null ? `${name} -` : `${path} ${stat.ino} ${stat.size} ${stat.mtimeMs}`
    })
    const key = [SANDBOX_VERSION, bootId, userInfo().uid, process.execPath, process.version, ...programs].join('\n')
    return join(cacheFolder(), `sandbox-${createHash('sha256').update(key).digest('hex').slice(0, 24)}.json`)
  } catch {
    return null
  }
}

function readKept(path: string): LevelFound | null {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length > MAX_KEPT_BYTES) return null
    const { level, missing } = JSON.parse(text) as { level: unknown; missing: unknown }
    if ((level !== 1 && level !== 2 && level !== 3) || !Array.isArray(missing)) return null
    return { level, missing: missing.filter((each): each is { level: 2 | 3; why: string } => each !== null && typeof each === 'object' && typeof each.why === 'string') }
  } catch {
    return null
  }
}

/** Never what a probe alone ruled out: it may have been an accident, and is tried again. */
function keep(path: string, found: LevelFound): void {
  try {
    const fresh = `${path}.${process.pid}`
    writeFileSync(fresh, JSON.stringify(found), { mode: 0o600 })
    renameSync(fresh, path)
  } catch {
    // It will be probed again.
  }
}
