// Host: the only door to the machine. Everything above asks this interface; node-host.ts answers on a real machine, testing/ in memory.
// Owns: what can be asked. Does not own: who may ask (guard).
//   H1. No call throws for what a user or machine can cause: it rejects or throws a HostError with a code from the list below.

export type HostErrorCode =
  | 'not-found' | 'not-a-file' | 'not-a-directory' | 'no-permission' | 'read-only' | 'disk-full' | 'too-large' | 'exists'
  | 'not-utf8' | 'timed-out' | 'cancelled' | 'no-network' | 'refused' | 'no-program' | 'other'

export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: HostErrorCode
  /** The file, program or address it is about. */
  readonly subject: string
  constructor(code: HostErrorCode, subject: string, message: string) {
    super(message)
    this.code = code
    this.subject = subject
  }
}

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other'
  readonly sizeBytes: number
  readonly modifiedMs: number
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

export interface HostFiles {
  /** Synchronous: used by the compiler for source files only. */
  readTextSync(path: string, maxBytes: number): string
  statSync(path: string): FileStat | null
  readBytes(path: string, maxBytes: number): Promise<Uint8Array>
  stat(path: string): Promise<FileStat | null>
  list(directory: string): Promise<readonly DirectoryEntry[]>
  /** Absolute path with every link resolved; of the nearest existing ancestor plus the rest when the file does not exist yet. */
  realPath(path: string): Promise<string>
  /** Writes to a temporary name beside it, then renames: the file is the old one or the new one, never half. Makes parent folders. */
  writeAtomic(path: string, data: string | Uint8Array): Promise<void>
  append(path: string, data: string): Promise<void>
  makeDirectory(path: string): Promise<void>
  remove(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly timeoutMs: number
  readonly maxOutputBytes: number
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** True when output beyond `maxOutputBytes` was dropped (the child is still read to its end). */
  readonly truncated: boolean
  readonly timedOut: boolean
  readonly elapsedMs: number
}

export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  /** Called with each redirect's target before it is followed; throws to refuse. */
  readonly mayFollow: (url: string) => void
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly url: string
}

export interface Host {
  /** Absolute working directory. */
  readonly cwd: string
  readonly files: HostFiles
  /** Milliseconds since 1970 (wall clock; may jump). */
  now(): number
  /** Milliseconds that never go back. */
  monotonic(): number
  /** `bytes` random bytes from the system, as hexadecimal. */
  randomHex(bytes: number): string
  env(name: string): string | undefined
  run(command: Command, signal: AbortSignal): Promise<CommandResult>
  fetch(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>
  /** Number of processors, bytes of memory, as the system says. */
  machine(): { readonly cpus: number; readonly memoryBytes: number; readonly platform: string; readonly nodeVersion: string }
}
