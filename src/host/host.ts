// Host: the only door to the machine. Everything above asks this interface; node-host.ts answers on a real machine, testing/ in memory.
// Owns: what can be asked. Does not own: who may ask (guard).
//   H1. No call throws for what a user or machine can cause: it rejects or throws a HostError with a code from the list below.

import type { ProcessIdentity } from './process-identity.ts'

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

/**
 * How a path is to be taken. `exact`: the path has no links in it (it came from `realPath`) and must still have none when it is opened;
 * otherwise `refused`. On Linux the check is made on the opened descriptor, so a link put there in between is not followed;
 * elsewhere only the last part is checked, which narrows that race and does not close it.
 */
export interface PathOptions {
  readonly exact?: boolean
}

export interface WriteOptions extends PathOptions {
  /** Letters and digits that tell this write from every other: made again after a crash, it clears away the temporary file of the first time. */
  readonly write?: string
}

export interface HostFiles {
  /** Synchronous: used by the compiler for source files only. */
  readTextSync(path: string, maxBytes: number): string
  statSync(path: string): FileStat | null
  readBytes(path: string, maxBytes: number, options?: PathOptions): Promise<Uint8Array>
  /** By an exact path of what lies there itself; otherwise of what a link leads to. */
  stat(path: string, options?: PathOptions): Promise<FileStat | null>
  /** In the order of names; at most 100,000 entries (`too-large` beyond). */
  list(directory: string, options?: PathOptions): Promise<readonly DirectoryEntry[]>
  /** Absolute path with every link resolved; of the nearest existing ancestor plus the rest when the file does not exist yet. */
  realPath(path: string): Promise<string>
  /** Writes to a temporary name beside it, then renames: the file is the old one or the new one, never half. Makes parent folders. */
  writeAtomic(path: string, data: string | Uint8Array, options?: WriteOptions): Promise<void>
  append(path: string, data: string, options?: PathOptions): Promise<void>
  makeDirectory(path: string, options?: PathOptions): Promise<void>
  /** Removes a file, a link (not what it points to), or a folder with everything in it. Nothing there: does nothing. */
  remove(path: string, options?: PathOptions): Promise<void>
  /** Makes parent folders of `to`. */
  rename(from: string, to: string, options?: PathOptions): Promise<void>
}

/** How strongly this machine can confine a program: 0 language and guard, 1 no sandbox to be had, 2 namespaces with Landlock and seccomp, 3 bubblewrap. */
export type IsolationLevel = 0 | 1 | 2 | 3

/** What a program that is started may see and use. All paths are absolute, with no links in them. */
export interface Confinement {
  /** Files and folders it may read; a folder stands for everything beneath it. What is not named does not exist for it, but for the system's own folders. */
  readonly readable: readonly string[]
  /** Files and folders it may read and change. */
  readonly writable: readonly string[]
  /** Beneath those, what stays out of sight: control files. */
  readonly hidden: readonly string[]
  readonly limits: ProcessLimits
  /** The person who runs it accepted by name that it runs unconfined where the machine has no sandbox; otherwise it is `refused` there. */
  readonly mayBeUnconfined: boolean
  /** Says afterwards what it tried (`CommandResult.tried`). */
  readonly observe?: boolean
}

/** Bounds of one program and everything it starts, together. */
export interface ProcessLimits {
  readonly memoryBytes: number
  readonly processes: number
  /** Processor time. */
  readonly cpuMs: number
  /** Of one file it writes. */
  readonly fileBytes: number
}

/**
 * A program as it is to be started, confined. Descriptors 0 to 4 are the program's, as they are given; no other reaches it. It must be started
 * by this process within 30 s, in any folder, with exactly this environment. What is started is a wrapper: the program is ended by ending it
 * (its whole tree goes with it), and its exit code is 128 + n where signal n ended the program.
 */
export interface ConfinedStart {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly level: IsolationLevel
  /**
   * Watches, from its start on, what the program and everything beneath it use together, and ends what uses more than its limits. To be told when the
   * wrapper has ended. Absent where it is not confined: then nothing bounds the whole of it.
   */
  watch?(wrapper: number): BoundsWatched
}

/** How a wrapper ended. */
export interface WatchedEnd {
  readonly exitCode: number | null
  readonly signal: string | null
}

export interface BoundsWatched {
  /** Ends the watch: the limit for which the program was ended by it, null for none. */
  end(ended: WatchedEnd): Promise<'memory' | 'processes' | 'cpu' | null>
}

/** Something a confined program tried. */
export interface Attempted {
  readonly action: 'read' | 'write' | 'connect' | 'look-up' | 'start'
  /** A path, an address, a program. At most 1,000 characters. */
  readonly target: string
  readonly allowed: boolean
  /** How often. */
  readonly times: number
  /** In the sandbox's own /tmp or home, which are gone afterwards. */
  readonly isPrivate?: true
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
  /** Absent: the caller is trusted with the whole machine (tek's own tests and probes). */
  readonly confinement?: Confinement
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
  /** How it was confined; absent when it was not asked to be. */
  readonly level?: IsolationLevel
  /** The bound for which it was ended. */
  readonly endedFor?: 'memory' | 'processes' | 'cpu'
  /** The most that it and everything it started used together, as far as was seen (every 20 ms). */
  readonly peak?: { readonly memoryBytes: number; readonly processes: number; readonly cpuMs: number }
  readonly tried?: readonly Attempted[]
}

export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  /** The answer's body is wanted as it came, not as text. */
  readonly wantsBytes?: boolean
  /** Called with each redirect's target before it is followed; throws to refuse. */
  readonly mayFollow: (url: string) => void
  /** Called with the name and each address it stands for, before that address is dialled (and no other is); throws to refuse. */
  readonly mayConnect?: (hostname: string, address: string) => void
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** "" where bytes were wanted. */
  readonly body: string
  readonly bytes?: Uint8Array
  readonly url: string
}

/** An exchange whose answer is read as it comes. */
export interface HttpStreamRequest extends Omit<HttpRequest, 'timeoutMs'> {
  /** Milliseconds until the answer's head is there. */
  readonly firstByteMs: number
  /** Milliseconds between two pieces of its body. */
  readonly idleMs: number
  /** What earlier exchanges left open, and this one may: absent, its connection is its own. */
  readonly connections?: HttpConnections
}

/** Connections that wait for another exchange with the same server: of one asker, never shared by two. */
export interface HttpConnections {
  close(): void
}

export interface HttpStream {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly url: string
  /**
   * To be read once. Ends by a HostError: `timed-out` after `idleMs` without a piece, `too-large`, `cancelled`, `no-network` when it is broken off.
   * Leaving off reading closes the socket.
   */
  readonly body: AsyncIterable<Uint8Array>
}

/** Absolute paths. What is left out by name is so at every depth. */
export interface HostTrees {
  copyTree(from: string, to: string, options?: { readonly leftOut?: readonly string[] }): Promise<void>
  hashTree(root: string, options?: { readonly leftOut?: readonly string[] }): Promise<string>
  /** Puts two folders in each other's place, by way of `spare` where the system cannot do it in one step. */
  exchange(a: string, b: string, spare: string): Promise<boolean>
  finishExchange(a: string, b: string, spare: string): Promise<void>
}

/** Shares from 0 to 1. */
export interface MachineUsage {
  /** Of the time of all processors, over the last moments. */
  readonly cpu: number
  /** Of the memory that this process may have: of the machine, or of its control group. */
  readonly memory: number
  /** Of what may be written by who is no administrator, as `df` says it. */
  readonly disk: number
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
  /** Who this process is to the others that share its journals. A host without it has no others. */
  identity?(): ProcessIdentity
  /** Whether a process of this machine and boot lives. */
  isAlive?(pid: number, since?: string): boolean
  /** Ends such a process at once with everything it has started: how many those were; null when it is another by now, or somebody else's. */
  endProcess?(target: Pick<ProcessIdentity, 'pid' | 'since'>): number | null
  /** Resolves after `ms` of this host's time, or rejects with `cancelled`. A host without it sleeps by the process's own clock. */
  sleep?(ms: number, signal: AbortSignal): Promise<void>
  run(command: Command, signal: AbortSignal): Promise<CommandResult>
  /** How strongly programs can be confined here: probed, never assumed. A host without it starts no programs of the machine. */
  isolation?(): Promise<IsolationLevel>
  /** The same program, wrapped so that it starts confined. Rejects with `refused` where this machine cannot and that was not accepted. */
  confine?(command: Pick<Command, 'program' | 'args' | 'cwd' | 'env'>, confinement: Confinement): Promise<ConfinedStart>
  fetch(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>
  /** The same, with the body as it comes. A host without it cannot be asked for streams. */
  stream?(request: HttpStreamRequest, signal: AbortSignal): Promise<HttpStream>
  /** Whole folders: copies, hashes, exchanges. A host without it keeps no workspaces. */
  trees?(): Promise<HostTrees>
  /** How much of the machine is in use now, and of the disk that a folder is on. A host without it does not know. */
  usage?(folder: string): Promise<MachineUsage>
  /** Where the connections of streams can wait for the next one; to be closed. A host without it opens one for each. */
  keepConnections?(): Promise<HttpConnections>
  /** Number of processors, bytes of memory, as the system says. */
  machine(): { readonly cpus: number; readonly memoryBytes: number; readonly platform: string; readonly nodeVersion: string }
}
