// Context: the ToolContext a call is given. Every method checks its concrete argument against every level, counts, and only then asks the host.
// Owns: commands, network, environment, time, log. Does not own: files (guarded-files.ts), the meaning of grants (grants/).
//   C1. An action is allowed when it comes with a granted plugin grant (`implied`), or when every level of `authority` covers it.
//   C2. What is checked is what is done: paths are made absolute first, redirects are checked hop by hop, addresses when they are dialled.
//   C3. A child's environment is built here and inherits nothing. Names by which a variable makes a program load or run code need `env(NAME)`.
//   C4. A command sees of the machine's files what its call may read, and changes what its call may write (confinement.ts), on a host that can
//       confine it; where none can, it is refused unless the person who runs the program accepted that by name.
import { relative, resolve } from 'node:path'
import { hostOf, parseHostPattern } from '#grants/host-pattern.ts'
import { coreGrantKinds, matchesGrant, type GrantKinds } from '#grants/match.ts'
import { HostError, type CommandResult, type Host, type ProcessLimits } from '#host/host.ts'
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Authority, Grant } from '#model/capability.ts'
import { ToolFailure, type FetchOptions, type FetchResult, type RunOptions, type RunResult, type ToolContext } from '#plugin-api/context.ts'
import { needsOwnGrant } from './address.ts'
import { type Confined, confine } from './confinement.ts'
import { checkCopied, inCopy } from './copy-for-command.ts'
import { denied, isAllowed } from './guard.ts'
import { guardedFiles, type FileGrant, type FileGuard } from './guarded-files.ts'
import { RealPaths } from './real-paths.ts'

const DEFAULT_RUN_MS = 600_000
const MAX_RUN_MS = 86_400_000
const DEFAULT_OUTPUT_BYTES = 1_000_000
const MAX_OUTPUT_BYTES = 16_000_000
const DEFAULT_FETCH_MS = 30_000
const MAX_FETCH_MS = 3_600_000
const DEFAULT_BODY_BYTES = 5_000_000
const MAX_BODY_BYTES = 50_000_000
const MAX_RANDOM_BYTES = 65_536
const MAX_LOG_LENGTH = 10_000
const MAX_LOG_LINES = 10_000

/** Variables that make ordinary programs load or run something else (C3); a name that ends in `*` stands for all that begin so. */
const loadingVariables = [
  'PATH', 'ENV', 'BASH_ENV', 'SHELLOPTS', 'BASHOPTS', 'IFS', 'PS4', 'PROMPT_COMMAND', 'LD_*', 'DYLD_*', 'GCONV_PATH', 'NODE_*', 'npm_config_*', 'PYTHON*', 'PERL*', 'RUBY*',
  'JAVA_TOOL_OPTIONS', '_JAVA_OPTIONS', 'CLASSPATH', 'GIT_*', 'SSH_ASKPASS', 'EDITOR', 'VISUAL', 'PAGER', 'MANPAGER', 'BROWSER', 'LESSOPEN', 'LESSCLOSE', 'MAKEFLAGS', 'CC', 'CXX', 'HOME', 'XDG_*',
]
/** Of those families, the ones that only make git quieter or stricter. */
const harmlessVariables = new Set(['GIT_TERMINAL_PROMPT', 'GIT_CONFIG_NOSYSTEM', 'GIT_OPTIONAL_LOCKS', 'GIT_CEILING_DIRECTORIES', 'NODE_ENV', 'NODE_NO_WARNINGS', 'NODE_DISABLE_COLORS'])

function loadsCode(name: string): boolean {
  const upper = name.toUpperCase()
  return !harmlessVariables.has(name) && loadingVariables.some(each => (each.endsWith('*') ? upper.startsWith(each.slice(0, -1).toUpperCase()) : upper === each))
}

export type CountKind = 'read' | 'wrote' | 'ran' | 'fetched' | 'refused'

export interface ToolContextOptions {
  readonly host: Host
  /** Absolute. */
  readonly cwd: string
  /** Absolute; of the run, where `cwd` is a workspace beneath it. Absent: `cwd`. */
  readonly project?: string
  /** Every level must allow: permit, file, workflow, agent … */
  readonly authority: readonly Authority[]
  /** What comes with the plugin grants this call was allowed under (`GrantSignature.implies`). */
  readonly implied: Authority
  readonly signal: AbortSignal
  readonly idempotencyKey: string
  /** Absent: false. */
  readonly begunBefore?: boolean
  /** Adds to a file so that it is done once (append-notes.ts); absent: it is done whenever it is asked for. */
  appendOnce?(real: string, text: string): Promise<void>
  readonly taskPath: string
  readonly kindsOf?: GrantKinds
  /** What commands of this call may use of the machine. */
  readonly bounds?: { readonly memoryBytes?: number; readonly cpu?: number }
  /** Accepted by name: commands run unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined?: boolean
  /** Every decision on a concrete action, before anything is done by it. */
  onDecision?(wanted: Grant, allowed: boolean): void
  onCount(kind: CountKind): void
  onLog(message: string): void
  /** A likely reason why the call will fail, if it does; said in the log as well. */
  onHint?(hint: string): void
  onProgress(fraction: number, message?: string): void
}

/** The context of one call. */
export function makeToolContext(options: ToolContextOptions): ToolContext {
  const { host, cwd, signal } = options
  const guard = new CallGuard(options)
  let logLines = 0
  return {
    cwd, signal, idempotencyKey: options.idempotencyKey, begunBefore: options.begunBefore ?? false,
    files: guardedFiles(guard),
    run: (program, args, runOptions = {}) => run(guard, program, args, runOptions),
    fetch: (url, fetchOptions = {}) => fetch(guard, url, fetchOptions),
    env: async name => {
      guard.check({ name: 'env', args: [name] })
      return host.env(name)
    },
    now: async () => host.now(),
    randomHex: async bytes => host.randomHex(Math.max(0, Math.min(Math.trunc(bytes), MAX_RANDOM_BYTES))),
    sleep: ms => (host.sleep ?? sleepByClock)(Math.max(0, ms), signal),
    log(message) {
      if (logLines > MAX_LOG_LINES) return
      options.onLog(logLines++ === MAX_LOG_LINES ? `more than ${MAX_LOG_LINES} lines: the rest of this log is dropped` : String(message).slice(0, MAX_LOG_LENGTH))
    },
    progress(fraction, message) {
      if (!Number.isFinite(fraction)) return
      const shown = Math.max(0, Math.min(1, fraction))
      if (message === undefined) options.onProgress(shown)
      else options.onProgress(shown, String(message).slice(0, MAX_LOG_LENGTH))
    },
  }
}

class CallGuard implements FileGuard {
  readonly host: Host
  readonly cwd: string
  readonly project: string
  readonly signal: AbortSignal
  readonly paths: RealPaths
  readonly count: (kind: CountKind) => void
  private readonly options: ToolContextOptions
  private readonly kindsOf: GrantKinds
  private writes = 0

  /** Every level of authority, and what comes with this call. */
  get levels(): readonly Authority[] {
    return [...this.options.authority, this.options.implied]
  }

  constructor(options: ToolContextOptions) {
    this.options = options
    this.host = options.host
    this.cwd = options.cwd
    this.project = options.project ?? options.cwd
    this.signal = options.signal
    this.count = kind => options.onCount(kind)
    this.kindsOf = options.kindsOf ?? coreGrantKinds
    this.paths = new RealPaths(options.host.files, options.cwd)
  }

  /** What a command that this call starts may see and use; null where the host starts none of the machine's own. // C4 @throws {ToolFailure} */
  async confined(timeoutMs: number): Promise<Confined | null> {
    const { authority, implied, bounds, mayBeUnconfined = false } = this.options
    const level = await this.host.isolation?.()
    if (level === undefined) return null
    if (level < 2 && !mayBeUnconfined) throw noSandbox()
    return confine({ files: this.host.files, cwd: this.cwd, paths: this.paths, authority, implied, signal: this.signal, limits: limitsFor(this.host, bounds, timeoutMs), mayBeUnconfined })
  }

  hint(line: string): void {
    this.options.onLog(line)
    this.options.onHint?.(line)
  }

  /** C1, for arguments that need no look at the disk. @throws {ToolFailure} */
  check(wanted: Grant): void {
    const allowed = this.permits(wanted)
    this.decided(wanted, allowed)
    if (!allowed) throw this.refusal(wanted)
  }

  /** Told before anything is done by it. @throws when it may not be done after all: the run is being stopped, or the decision cannot be kept. */
  decided(wanted: Grant, allowed: boolean): void {
    this.options.onDecision?.(wanted, allowed)
  }

  nextWrite(): { readonly write?: string } {
    const { idempotencyKey } = this.options
    return /^[0-9a-f]{40}$/.test(idempotencyKey) ? { write: `${idempotencyKey.slice(0, 20)}x${this.writes++}` } : {}
  }

  append(real: string, text: string): Promise<void> {
    return this.options.appendOnce?.(real, text) ?? this.host.files.append(real, text, { exact: true })
  }

  permits(wanted: Grant): boolean {
    const { implied, authority } = this.options
    return implied.some(grant => matchesGrant(grant, wanted, this.cwd, this.kindsOf)) || isAllowed(authority, wanted, this.cwd, this.kindsOf)
  }

  /** Without help from a wildcard: `net("*")` is no grant for the machine's own network. */
  permitsExactly(wanted: Grant): boolean {
    const { implied, authority } = this.options
    const holds = (level: Authority): boolean => level.some(grant =>
      grant.name === wanted.name && parseHostPattern(grant.args[0] ?? '')?.kind === 'exact' && matchesGrant(grant, wanted, this.cwd, this.kindsOf))
    return holds(implied) || (authority.length > 0 && authority.every(holds))
  }

  allows(name: FileGrant, real: string): Promise<boolean> {
    return this.atEveryLevel(level => this.paths.covers(level, name, real))
  }

  allowsByName(name: FileGrant, real: string): Promise<boolean> {
    return this.atEveryLevel(level => this.paths.covers(level, name, real, true))
  }

  allowsPattern(name: FileGrant, base: readonly string[], rest: readonly string[]): Promise<boolean> {
    return this.atEveryLevel(level => this.paths.coversPattern(level, name, { base, rest }))
  }

  refuse(name: FileGrant, path: string, byLink = false): ToolFailure {
    const wanted = { name, args: [path.includes('\0') ? path : resolve(this.cwd, path)] }
    this.decided(wanted, false)
    return this.refusal(wanted, byLink)
  }

  private refusal(wanted: Grant, byLink = false): ToolFailure {
    this.count('refused')
    return denied(wanted, this.cwd, byLink)
  }

  /** Awaits only what is not known yet. */
  private async atEveryLevel(covers: (level: Authority) => boolean | Promise<boolean>): Promise<boolean> {
    const { implied, authority } = this.options
    if (implied.length > 0 && await covers(implied)) return true
    for (const level of authority) {
      const answer = covers(level)
      if (!(typeof answer === 'boolean' ? answer : await answer)) return false
    }
    return authority.length > 0
  }
}

async function run(guard: CallGuard, program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const argv = args.map(String)
  guard.check({ name: 'exec', args: [program, ...argv] })
  for (const name of Object.keys(options.env ?? {})) if (loadsCode(name)) guard.check({ name: 'env', args: [name] }) // C3
  const folder = await folderOf(guard, options.cwd)
  const timeoutMs = Math.max(1, Math.min(options.timeoutMs ?? DEFAULT_RUN_MS, MAX_RUN_MS))
  await guard.paths.settle(guard.levels) // links that it makes widen no grant
  const confined = await guard.confined(timeoutMs)
  guard.count('ran')
  // C2: a program named by a path is the one below the run's folder, wherever the command is started; in a copy, the copy's own.
  const started = options.inCopy ? inCopy(folder, program, argv) : { program: program.includes('/') ? resolve(guard.cwd, program) : program, args: argv }
  const result = await guard.host.run({
    ...started, cwd: folder,
    env: { ...await ownEnvironment(guard, confined), ...options.env },
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    timeoutMs,
    maxOutputBytes: Math.max(0, Math.min(options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES, MAX_OUTPUT_BYTES)),
    ...(confined === null ? {} : { confinement: options.observe ? { ...confined.confinement, observe: true } : confined.confinement }),
  }, guard.signal)
  if (options.inCopy) checkCopied(program, result)
  if (confined === null) return result
  const made = await confined.after()
  if (made.length > 0) throw madeControlFiles(guard, program, made)
  if (options.observe) return result
  if (result.endedFor !== undefined) throw overBound(program, result, confined.confinement.limits)
  if (result.exitCode === 0 || !confined.isBlind) return result
  guard.hint(`\`${program}\` saw no file of this folder: a command sees those that are granted and no others. \`can fs.read("**")\` shows it all of them.`)
  return result
}

/** How a program that lives for more than this call would be confined by what the call may do, and its environment; null where the host starts none. @throws {ToolFailure} */
export async function commandConfinement(options: ToolContextOptions): Promise<{ readonly confined: Confined | null; readonly env: Readonly<Record<string, string>> }> {
  const guard = new CallGuard(options)
  await guard.paths.settle(guard.levels)
  const confined = await guard.confined(MAX_RUN_MS)
  return { confined, env: await ownEnvironment(guard, confined) }
}

/** What every command is given: nothing of tek's own environment. */
async function ownEnvironment(guard: CallGuard, confined: Confined | null): Promise<Record<string, string>> {
  return { PATH: searchPath(guard), LANG: 'C.UTF-8', TERM: 'dumb', HOME: confined === null || confined.confinement.mayBeUnconfined ? await privateHome(guard) : SANDBOX_HOME }
}

/** A sandbox has a home of its own, empty at the start, whatever is said here. */
const SANDBOX_HOME = '/tmp/home'
const DEFAULT_MEMORY_BYTES = 4 * 1024 ** 3
const MAX_PROCESSES = 256
const MAX_FILE_BYTES = 4 * 1024 ** 3

function limitsFor(host: Host, bounds: ToolContextOptions['bounds'], timeoutMs: number): ProcessLimits {
  const { cpus, memoryBytes } = host.machine()
  return {
    memoryBytes: bounds?.memoryBytes ?? Math.min(DEFAULT_MEMORY_BYTES, Math.floor(memoryBytes * 0.75)),
    processes: MAX_PROCESSES, fileBytes: MAX_FILE_BYTES,
    cpuMs: Math.ceil(timeoutMs * Math.max(1, bounds?.cpu ?? cpus)),
  }
}

function noSandbox(): ToolFailure {
  const { code, message, help } = permitErrors['no-sandbox']({})
  return new ToolFailure(code, message, { help: help[0]! })
}

function madeControlFiles(guard: CallGuard, program: string, paths: readonly string[]): ToolFailure {
  guard.count('refused')
  const shown = paths.map(path => `\`${path.startsWith(`${guard.cwd}/`) ? path.slice(guard.cwd.length + 1) : path}\``).join(', ')
  return new ToolFailure('permit/denied', `\`${program}\` made ${shown}, which steer tek or git: no wildcard covers them, and they were taken away again.`, { help: 'A grant for `fs.write` that names them allows it.' })
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`

/** A command that was ended for what it used: which bound, how much was seen, and how to give it more. */
function overBound(program: string, { endedFor, peak }: CommandResult, limits: ProcessLimits): ToolFailure {
  const { code, message, help } = runErrors['over-bound']({
    program, bound: endedFor!,
    allowed: endedFor === 'memory' ? mebibytes(limits.memoryBytes) : endedFor === 'processes' ? `${limits.processes} processes` : `${Math.ceil(limits.cpuMs / 1_000)} s of processor time`,
    seen: peak === undefined ? null : endedFor === 'memory' ? mebibytes(peak.memoryBytes) : endedFor === 'processes' ? `${peak.processes} processes` : `${Math.ceil(peak.cpuMs / 1_000)} s`,
  })
  return new ToolFailure(code, message, { help: help[0]! })
}

/** Where programs are looked for: never in the project itself, where a file could take the name of a granted program. */
function searchPath(guard: CallGuard): string {
  const folders = (guard.host.env('PATH') ?? '/usr/bin:/bin').split(':')
  return folders.filter(folder => folder.startsWith('/') && folder !== guard.project && !folder.startsWith(`${guard.project}/`)).join(':')
}

/** A command starts inside the run's folder, or in one that may be read. */
async function folderOf(guard: CallGuard, cwd: string | undefined): Promise<string> {
  if (cwd === undefined) return guard.cwd
  const real = await guard.paths.of(cwd)
  const isInside = !relative(await guard.paths.of(guard.cwd), real).startsWith('..')
  if (!isInside && !(await guard.allows('fs.read', real))) throw guard.refuse('fs.read', cwd)
  return real
}

/** A home of tek's own, so that a program finds no one's settings or keys. Where none can be made, one that does not exist. */
async function privateHome(guard: CallGuard): Promise<string> {
  const home = resolve(guard.project, '.tek', 'home')
  return guard.host.files.makeDirectory(home).then(() => home, () => '/nonexistent')
}

async function fetch(guard: CallGuard, url: string, options: FetchOptions): Promise<FetchResult> {
  checkHost(guard, url)
  checkMessage(url, options)
  let current = url
  guard.count('fetched')
  return guard.host.fetch({
    method: (options.method ?? 'GET').toUpperCase(), url, headers: options.headers ?? {},
    ...(options.body === undefined ? {} : { body: options.body }),
    timeoutMs: Math.max(1, Math.min(options.timeoutMs ?? DEFAULT_FETCH_MS, MAX_FETCH_MS)),
    maxBodyBytes: Math.max(0, Math.min(options.maxBodyBytes ?? DEFAULT_BODY_BYTES, MAX_BODY_BYTES)),
    ...(options.asBytes ? { wantsBytes: true } : {}),
    mayFollow(target) { // C2
      checkHost(guard, target)
      current = target
    },
    mayConnect(hostname, address) {
      const port = parseHostPattern(hostOf(current) ?? '')?.port ?? '443'
      const host = address.includes(':') ? `[${address}]` : address
      if (needsOwnGrant(hostname, address) && !guard.permitsExactly({ name: 'net', args: [`${host}:${port}`] })) throw refuseAddress(guard, `${host}:${port}`, hostname)
    },
  }, guard.signal)
}

function checkHost(guard: CallGuard, url: string): void {
  const host = hostOf(url)
  if (host === null || !/^https?:/i.test(url)) throw new HostError('refused', url, `\`${url}\` is not an http or https address.`)
  guard.check({ name: 'net', args: [host] })
}

/** Headers that say where a message goes or where it ends are ours to write; tunnels and echoes are not for tools. */
const ownHeaders = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive'])

function checkMessage(url: string, options: FetchOptions): void {
  const method = (options.method ?? 'GET').toUpperCase()
  if (!/^[A-Z]{1,20}$/.test(method) || method === 'CONNECT' || method === 'TRACE') throw new HostError('refused', url, `\`${method.slice(0, 20)}\` is no method a tool may use.`)
  const header = Object.keys(options.headers ?? {}).find(name => ownHeaders.has(name.toLowerCase()) || /^proxy-/i.test(name))
  if (header !== undefined) throw new HostError('refused', url, `The header \`${header}\` is written by tek itself.`)
}

function refuseAddress(guard: CallGuard, host: string, hostname: string): ToolFailure {
  guard.decided({ name: 'net', args: [host] }, false)
  guard.count('refused')
  const failure = denied({ name: 'net', args: [host] }, guard.cwd)
  return hostname === host.replace(/:\d+$/, '') ? failure : new ToolFailure(failure.code, `\`${hostname}\` stands for ${host}, an address of this machine's own network: nothing grants it.`, { help: failure.help! })
}

function sleepByClock(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    if (signal.aborted) return failed(new HostError('cancelled', 'sleep', 'The wait was stopped.'))
    const stop = (): void => {
      clearTimeout(timer)
      failed(new HostError('cancelled', 'sleep', 'The wait was stopped.'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      done()
    }, Math.min(ms, 2 ** 31 - 1))
    signal.addEventListener('abort', stop, { once: true })
  })
}
