// Context: what a tool is given while it runs. The only way a tool reaches the world.
// Owns: the shape. Does not own: the answers (interpreter/guard stands behind every method and refuses what was not granted).
//   C1. Every method that touches the machine is asynchronous and guarded; it rejects with ToolFailure `permit/denied` when not granted.
//   C2. The same interface is offered in the host's process, in a worker thread and in a plugin's own process.

export interface ToolContext {
  /** Absolute working directory of the run; relative paths are relative to it. */
  readonly cwd: string
  /** Aborted when the attempt is cancelled, times out, or the run stops. */
  readonly signal: AbortSignal
  /** The same for every execution of this call in this attempt, so that a repeated effect can be recognised. */
  readonly idempotencyKey: string
  /** This very call was begun before, by a process that ended before it could record how it went: what it does may have been done. */
  readonly begunBefore: boolean
  readonly files: ToolFiles
  /** Runs a program without a shell. Needs `exec`. The environment holds PATH, LANG, TERM=dumb, a private HOME and what `env` names. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Needs `net(host:port)`. Redirects are checked hop by hop. */
  fetch(url: string, options?: FetchOptions): Promise<FetchResult>
  /** Needs `env(NAME)`. */
  env(name: string): Promise<string | undefined>
  /** Wall clock, milliseconds since 1970. */
  now(): Promise<number>
  randomHex(bytes: number): Promise<string>
  /** Resolves after `ms`, or rejects when the signal is aborted. */
  sleep(ms: number): Promise<void>
  /** A line in the run's log; at most 10,000 characters are kept. */
  log(message: string): void
  /** Fraction done, 0..1, shown in live progress. */
  progress(fraction: number, message?: string): void
}

export interface ToolFiles {
  readText(path: string, options?: { maxBytes?: number }): Promise<string>
  readBytes(path: string, options?: { maxBytes?: number }): Promise<Uint8Array>
  /** Null when there is nothing at `path`. */
  stat(path: string): Promise<{ kind: 'file' | 'directory' | 'other'; sizeBytes: number; modifiedMs: number } | null>
  list(directory: string): Promise<readonly { name: string; kind: 'file' | 'directory' | 'link' | 'other' }[]>
  /** Files (not folders) matching a glob, sorted, relative to the working directory unless the pattern is absolute. `.git`, `.tek` and `node_modules` are left out unless the pattern names them. */
  glob(pattern: string, options?: { maxFiles?: number }): Promise<readonly string[]>
  /** Atomic: temporary name, then rename. Makes parent folders. Needs `fs.write`. */
  writeText(path: string, text: string): Promise<void>
  writeBytes(path: string, bytes: Uint8Array): Promise<void>
  /** Once, also where the call is made again after a crash, if it asks for the same appends in the same order. Needs `fs.write`. */
  append(path: string, text: string): Promise<void>
  makeDirectory(path: string): Promise<void>
  remove(path: string): Promise<void>
  move(from: string, to: string): Promise<void>
}

export interface RunOptions {
  cwd?: string
  /** Added to the base environment; values are given to the child as they are. */
  env?: Readonly<Record<string, string>>
  stdin?: string
  /** Milliseconds; default 10 minutes. */
  timeoutMs?: number
  /** Per stream; default 1 MB. */
  maxOutputBytes?: number
  /** Tells afterwards what it tried (`RunResult.tried`), also where it was ended for a bound. It costs time. */
  observe?: boolean
  /** Starts it in a copy of the folder, made in the sandbox's own /tmp and gone afterwards: the command may change what it likes, the folder stays as it is. */
  inCopy?: boolean
}

export interface RunResult {
  exitCode: number | null
  signal: string | null
  stdout: string
  stderr: string
  truncated: boolean
  timedOut: boolean
  elapsedMs: number
  /** How it was confined: 3 bubblewrap, 2 namespaces with Landlock and seccomp, 0 not at all. */
  level?: number
  /** Where `observe` was asked for: the bound for which it was ended. */
  endedFor?: 'memory' | 'processes' | 'cpu'
  /** Where `observe` was asked for and could be done. */
  tried?: readonly TriedAction[]
}

/** Something that an observed program, or one it started, tried. */
export interface TriedAction {
  action: 'read' | 'write' | 'connect' | 'look-up' | 'start'
  /** A path (`~/…` in the home of the person who runs it), an address, a name, a program. */
  target: string
  allowed: boolean
  times: number
  /** In the sandbox's own /tmp or home, which are gone afterwards. */
  isPrivate?: true
}

export interface FetchOptions {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string
  timeoutMs?: number
  maxBodyBytes?: number
  /** The body is wanted as it came: `FetchResult.bytes`. */
  asBytes?: boolean
}

export interface FetchResult {
  status: number
  headers: Readonly<Record<string, string>>
  /** "" where bytes were asked for. */
  body: string
  bytes?: Uint8Array
  url: string
}

/** How a tool says that it failed, in the user's words. Anything else thrown is reported as a crash of the plugin. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  /** `slug` for the plugin's own codes (shown as `<plugin>/slug`), or a full `family/slug` of tek. */
  readonly code: string
  /** True when trying again may help (a time-out, a busy server). */
  readonly retryable: boolean
  /** The next step, in one line. */
  readonly help: string | undefined
  constructor(code: string, message: string, options: { retryable?: boolean; help?: string } = {}) {
    super(message)
    this.code = code
    this.retryable = options.retryable ?? false
    this.help = options.help
  }
}
