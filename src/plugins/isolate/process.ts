// Process: one third-party plugin in its own Node process, for those that say they need Node.
// Owns: starting it confined, its pipe, its end. Does not own: calls (conversation.ts), restarts (instance.ts), how a program is confined (host).
//   P1. It starts inside the machine's sandbox: it sees its own code, the code that runs it and Node, changes nothing, reaches no network. A machine
//       without a sandbox refuses it, unless the person who runs the program accepted by name that it runs unconfined.
//       Node reads the bundle's file itself: one who may write `.tek/cache` as the user could change it between tek's look and Node's.
//   P2. It inherits nothing: empty environment, three pipes, no other descriptor.
//   P3. Every message from it is checked; one that breaks the rules ends the process.
//   P4. In the sandbox, what it and all it starts use together is watched by the host; the bound for which that ended it is named in the failure.
import { spawn, type ChildProcess } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { signalTree } from '#base/process-tree.ts'
import { HostError, type ConfinedStart, type Confinement, type Host } from '#host/host.ts'
import type { Outcome } from '#model/event.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { Bundle } from '../bundle.ts'
import { Conversation, type LoadAnswer } from './conversation.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import type { Running } from './instance.ts'
import type { ToPlugin } from './messages.ts'

const MAX_LOAD_OUTPUT_BYTES = 16_000_000
const KEPT_OUTPUT_BYTES = 4_000
const MAX_HEAP_MB = 512
/** All of it: heap, code, threads' stacks. */
const MAX_MEMORY_BYTES = 1024 * 1024 * 1024
const MAX_PROCESSES = 32
const MAX_CPU_MS = 30 * 60_000
const MAX_UNREAD_BYTES = 64_000_000

const overWords = {
  memory: `it and what it started used more than ${MAX_MEMORY_BYTES / 1024 ** 2} MiB of memory`,
  processes: `it started more than ${MAX_PROCESSES} processes`,
  cpu: `it and what it started used the processor for more than ${MAX_CPU_MS / 60_000} minutes`,
} as const

export interface ProcessOptions {
  readonly host: Host
  /** URL of the built child.ts. */
  readonly childUrl: string
  /** URL of what `tek-lang/plugin` is inside a plugin. */
  readonly pluginEntryUrl: string
  /** The project's folder; stack frames are shown relative to it. */
  readonly cwd: string
  readonly mayBeUnconfined: boolean
}

/** Starts the process, or says why this machine may not. */
export async function startProcess(source: string, bundle: Bundle, options: ProcessOptions): Promise<Running | Diagnostic> {
  const { host, cwd } = options
  const child = fileURLToPath(options.childUrl)
  const args = ['--enable-source-maps', `--max-old-space-size=${MAX_HEAP_MB}`, child]
  const command = { program: process.execPath, args, cwd: dirname(bundle.file), env: {} }
  const unconfined: ConfinedStart = { ...command, level: 1 }
  try {
    if (host.confine === undefined) {
      if (!options.mayBeUnconfined) return pluginErrors['no-sandbox']({ source, reason: 'this machine has none', because: bundle.needsNode ?? '' })
      return new ProcessRunning(unconfined, cwd, dirname(bundle.file))
    }
    const entry = fileURLToPath(options.pluginEntryUrl)
    const needed = [process.execPath, dirname(child), dirname(entry), await zodFolder(host, entry), bundle.file, `${bundle.file}.map`]
    const readable = await Promise.all(needed.map(path => host.files.realPath(path)))
    const confinement: Confinement = {
      readable: [...new Set(readable)], writable: [], hidden: [], mayBeUnconfined: options.mayBeUnconfined,
      limits: { memoryBytes: MAX_MEMORY_BYTES, processes: MAX_PROCESSES, cpuMs: MAX_CPU_MS, fileBytes: 0 },
    }
    return new ProcessRunning(await host.confine(command, confinement), cwd, dirname(bundle.file)) // P1
  } catch (error) {
    if (error instanceof HostError) return pluginErrors['no-sandbox']({ source, reason: error.message, because: bundle.needsNode ?? '' })
    throw error
  }
}

/** Where Node finds the one package that tek's own entry imports. */
async function zodFolder(host: Host, entry: string): Promise<string> {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', 'zod')
    if ((await host.files.stat(found))?.kind === 'directory' || folder === dirname(folder)) return found
  }
}

class ProcessRunning implements Running {
  readonly ended: Promise<string>
  private readonly child: ChildProcess
  private readonly cwd: string
  private readonly conversation: Conversation
  private printed = 0
  private lastWords = ''
  private isLoaded = false
  private why: string | null = null

  constructor(start: ConfinedStart, cwd: string, folder: string) {
    this.cwd = cwd
    this.child = spawn(start.program, start.args, { cwd: folder, env: start.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true }) // P2
    this.conversation = new Conversation({ send: message => this.send(message), kill: reason => this.kill(reason) })
    this.child.stdin!.on('error', () => undefined) // seen as its end
    const reader = new FrameReader(message => this.conversation.receive(message), reason => this.kill(reason)) // P3
    this.child.stdout!.on('data', (chunk: Buffer) => reader.push(chunk)).on('error', () => undefined)
    this.child.stderr!.on('data', (chunk: Buffer) => this.hear(chunk)).on('error', () => undefined)
    const watched = this.child.pid === undefined ? undefined : start.watch?.(this.child.pid) // P4
    this.ended = new Promise(done => {
      this.child.once('error', error => done(error.message))
      this.child.once('exit', (exitCode, signal) => {
        const itself = signal === null ? `it ended its process (exit code ${exitCode})` : `its process was ended by ${signal}`
        void (watched?.end({ exitCode, signal }) ?? Promise.resolve(null)).then(bound => done((this.why ??= bound === null ? null : overWords[bound]) ?? itself))
      })
    })
    void this.ended.then(reason => this.afterEnd(reason))
  }

  async load(bundle: Bundle, limitMs: number): Promise<LoadAnswer | string> {
    const begin = (): void => void this.send({ kind: 'load', url: pathToFileURL(bundle.file).href, hash: bundle.hash, cwd: this.cwd })
    const answer = await this.conversation.loading(begin, this.ended, limitMs)
    this.isLoaded = typeof answer !== 'string' && answer.kind === 'loaded'
    return answer
  }

  call(call: ToolCall, context: ToolContext): Promise<Outcome> {
    return this.conversation.call(call, context)
  }

  words(): string {
    return this.lastWords
  }

  kill(reason: string): void {
    this.why ??= reason
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) signalTree(this.child.pid, 'SIGKILL')
  }

  private afterEnd(reason: string): void {
    if (this.child.pid !== undefined) signalTree(this.child.pid, 'SIGKILL') // what it left running in its group
    const cause = this.why === null ? causeIn(this.lastWords) : null
    this.conversation.endAll(cause === null ? reason : `${reason}: ${cause}`, this.lastWords)
  }

  private send(message: ToPlugin): boolean {
    const frame = encodeFrame(message)
    if (frame === null) return false
    const input = this.child.stdin!
    input.write(frame)
    if (input.writableLength > MAX_UNREAD_BYTES) this.kill('it does not read what it is sent')
    return true
  }

  private hear(chunk: Buffer): void {
    this.printed += chunk.length
    this.lastWords = (this.lastWords + chunk.toString('utf8')).slice(-KEPT_OUTPUT_BYTES)
    if (!this.isLoaded && this.printed > MAX_LOAD_OUTPUT_BYTES) this.kill('it printed more than 16 MB while it was being loaded')
  }
}

/** What Node says of its own end among the last words: an error that nobody caught, or too little memory. */
function causeIn(words: string): string | null {
  if (words.includes('JavaScript heap out of memory')) return `it needed more than ${MAX_HEAP_MB} MB of memory`
  return /^(?:Uncaught )?(\w*(?:Error|Exception)\b.{0,300})$/m.exec(words)?.[1] ?? null
}
