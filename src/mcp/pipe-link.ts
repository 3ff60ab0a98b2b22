// Pipe link: JSON-RPC with a program over its standard input and output, a message a line.
// Owns: the process, its frames and their bounds, its last words, its end. Does not own: the protocol (session.ts), how it is confined (host).
//   Source: MCP specification, basic/transports, "stdio".
//   P1. A line longer than MAX_FRAME_BYTES, or nested deeper than is allowed, ends the program: nothing of it is parsed.
//   P2. Lines that are no JSON are what careless programs print; they go to its log, and so many of them end it.
//   P3. Closing gives it CLOSE_MS to end by itself once its input is at its end, then its whole tree is killed. It is never left behind.
//   P4. What it does not read is bounded, too.
import { spawn, type ChildProcess } from 'node:child_process'
import { signalTree } from '#base/process-tree.ts'
import type { ConfinedStart } from '#host/host.ts'
import { Nesting } from './nesting.ts'

/** One message of a server over a pipe. */
export const MAX_FRAME_BYTES = 8 * 1_024 * 1_024
const MAX_UNREAD_BYTES = 16 * 1_024 * 1_024
const MAX_STRAY_LINES = 10_000
const MAX_LOG_LINE_LENGTH = 2_000
/** Characters of what it printed that are handed on as lines of a log. */
const MAX_LOG_LENGTH = 100_000
const KEPT_WORDS_LENGTH = 2_000
const CLOSE_MS = 1_000

export interface PipeOptions {
  /** What it prints beside the protocol, line by line. */
  readonly onLine: (line: string) => void
}

/** As the SDK takes a transport. Like the SDK's own over a program it has `pid` and `stderr`: by them the SDK knows that silence is an older server's way of saying no. */
export class PipeLink {
  onmessage?: (message: never) => void
  onerror?: (error: Error) => void
  onclose?: () => void
  readonly stderr = null
  /** Resolves with the reason when it has ended, whoever ended it. */
  readonly ended: Promise<string>
  private readonly child: ChildProcess
  private readonly options: PipeOptions
  private readonly nesting = new Nesting()
  private parts: Buffer[] = []
  private partBytes = 0
  private stray = 0
  private logged = 0
  private rest = ''
  private lastWords = ''
  private why: string | null = null

  constructor(start: ConfinedStart, folder: string, options: PipeOptions) {
    this.options = options
    this.child = spawn(start.program, start.args, { cwd: folder, env: start.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    this.child.stdin!.on('error', () => undefined) // seen as its end
    this.child.stdout!.on('data', (chunk: Buffer) => this.receive(chunk)).on('error', () => undefined)
    this.child.stderr!.on('data', (chunk: Buffer) => this.hear(chunk.toString('utf8'))).on('error', () => undefined)
    const watched = this.child.pid === undefined ? undefined : start.watch?.(this.child.pid)
    this.ended = new Promise(done => {
      this.child.once('error', error => done(error.message))
      this.child.once('exit', (exitCode, signal) => {
        const itself = signal === null ? `its process ended with exit code ${exitCode}` : `its process was ended by ${signal}`
        void (watched?.end({ exitCode, signal }) ?? Promise.resolve(null)).then(bound => done(this.why ?? (bound === null ? itself : `it used more ${bound === 'cpu' ? 'processor time' : bound} than it may`)))
      })
    })
    if (this.child.pid !== undefined) underWay.add(this.child.pid)
    if (underWay.size === 1) process.on('exit', endAll)
    void this.ended.then(() => this.afterEnd())
  }

  get pid(): number | null {
    return this.child.pid ?? null
  }

  /** Why it was ended from here; null: it was not. */
  get killedFor(): string | null {
    return this.why
  }

  /** What it printed last. */
  get words(): string {
    return this.lastWords
  }

  async start(): Promise<void> {}

  async send(message: unknown): Promise<void> {
    const input = this.child.stdin!
    if (this.why !== null || this.child.exitCode !== null || !input.writable) throw new Error('the server has ended')
    input.write(`${JSON.stringify(message)}\n`)
    if (input.writableLength > MAX_UNREAD_BYTES) this.kill('it does not read what it is sent') // P4
  }

  /** P3. */
  async close(): Promise<void> {
    this.child.stdin!.end()
    const timer = setTimeout(() => this.kill('it was closed'), CLOSE_MS)
    await this.ended
    clearTimeout(timer)
  }

  kill(reason: string): void {
    this.why ??= reason
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) signalTree(this.child.pid, 'SIGKILL')
  }

  private afterEnd(): void {
    const { pid } = this.child
    if (pid !== undefined) {
      signalTree(pid, 'SIGKILL') // what it left running in its group
      underWay.delete(pid)
    }
    if (underWay.size === 0) process.off('exit', endAll)
    if (this.rest !== '') this.hear('\n')
    this.onclose?.()
  }

  private receive(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      if (!this.take(chunk.subarray(from, end))) return
      from = end + 1
      const line = Buffer.concat(this.parts).toString('utf8')
      this.parts = []
      this.partBytes = 0
      this.nesting.reset()
      if (line.trim() !== '') this.read(line)
      if (this.why !== null) return
    }
    this.take(chunk.subarray(from))
  }

  /** P1. */
  private take(part: Buffer): boolean {
    if (this.why !== null) return false
    this.partBytes += part.length
    if (this.partBytes > MAX_FRAME_BYTES) this.kill(`it sent a message of more than ${MAX_FRAME_BYTES / 1_024 ** 2} MiB`)
    else if (!this.nesting.take(part)) this.kill('it sent a message that is nested too deeply')
    else this.parts.push(part)
    return this.why === null
  }

  private read(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      this.hear(`${line.slice(0, MAX_LOG_LINE_LENGTH)}\n`) // P2
      if (++this.stray > MAX_STRAY_LINES) this.kill('it prints to the output that is for the protocol')
      return
    }
    if (typeof message !== 'object' || message === null || (message as { jsonrpc?: unknown }).jsonrpc !== '2.0') return void this.onerror?.(new Error('a message that is not of the protocol'))
    this.onmessage?.(message as never)
  }

  private hear(text: string): void {
    this.lastWords = (this.lastWords + text).slice(-KEPT_WORDS_LENGTH)
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop()!.slice(0, MAX_LOG_LINE_LENGTH)
    for (const line of lines) {
      if (this.logged > MAX_LOG_LENGTH) return
      this.logged += line.length + 1
      this.options.onLine(this.logged > MAX_LOG_LENGTH ? 'it printed more than is kept; the rest of its log is dropped' : line.slice(0, MAX_LOG_LINE_LENGTH))
    }
  }
}

/** Leaders of the servers that run. */
const underWay = new Set<number>()

function endAll(): void {
  for (const leader of underWay) signalTree(leader, 'SIGKILL')
}
