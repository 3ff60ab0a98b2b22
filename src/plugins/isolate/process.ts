// Process: one third-party plugin in its own Node process.
// Owns: starting, loading, calls and their asks, death and restart. Does not own: the decision about an ask: the call's ToolContext, the guard, makes it.
//   I1. The process inherits nothing: empty environment, three pipes for output, two for messages. It is a separate process, not a sandbox:
//       what Node itself lets a program do is not taken away from it here.
//   I2. Loading has 10 s. A process that dies in a call fails that call (retryable) and is started again for the next, at most 3 times.
//   I3. A call that was cancelled has 2 s to end; then the process is ended with everything it started.
//   I4. Every message from it is checked (messages.ts); one that breaks the rules ends the process.
//   I5. A call that only ends because another one had to be ended (I3) is done once more when it changes nothing.
import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { signalTree } from '#base/process-tree.ts'
import type { Outcome } from '#model/event.ts'
import { pluginApiVersion } from '#plugin-api/define-plugin.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { ModuleSignature } from '#model/signature.ts'
import { answerAsk } from './answer-ask.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import { failed, fromDiagnostic } from './outcomes.ts'
import { readFromPlugin, type FromPlugin, type ToPlugin } from './messages.ts'
import { readSignature } from './signature-shape.ts'

const LOAD_MS = 10_000
const ABORT_GRACE_MS = 2_000
const MAX_RESTARTS = 3
const MAX_OPEN_ASKS = 1_000
const MAX_LOAD_OUTPUT_BYTES = 16_000_000
const KEPT_OUTPUT_BYTES = 4_000
const MAX_HEAP_MB = 512
const NOT_STOPPING = 'it did not stop when another call of it was cancelled'
const MAX_UNREAD_BYTES = 64_000_000

export interface PluginSource {
  /** As written in the program, for messages. */
  readonly source: string
  readonly file: string
  readonly hash: string
}

export interface ProcessOptions {
  readonly childUrl: string
  /** The project's folder; stack frames are shown relative to it. */
  readonly cwd: string
  readonly loadMs?: number
}

interface OpenCall {
  readonly context: ToolContext
  readonly finish: (outcome: Outcome) => void
  openAsks: number
}

/** A started and loaded process. */
class Running {
  readonly calls = new Map<number, OpenCall>()
  readonly child: ChildProcess
  private readonly input: Writable
  private next = 0
  private printed = 0
  private lastWords = ''
  private isLoaded = false
  private why: string | null = null
  private onLoad: ((message: FromPlugin) => void) | null = null
  readonly ended: Promise<string>

  constructor(options: ProcessOptions) {
    this.child = spawn(process.execPath, ['--enable-source-maps', `--max-old-space-size=${MAX_HEAP_MB}`, fileURLToPath(options.childUrl)], {
      cwd: options.cwd, env: {}, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'], windowsHide: true, // I1
    })
    this.input = this.child.stdio[3] as Writable
    this.input.on('error', () => undefined) // seen as its end
    const reader = new FrameReader(message => this.receive(message), reason => this.kill(reason)) // I4
    ;(this.child.stdio[4] as Readable).on('data', (chunk: Buffer) => reader.push(chunk)).on('error', () => undefined)
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', (chunk: Buffer) => this.hear(chunk)).on('error', () => undefined)
    this.ended = new Promise(done => {
      this.child.once('error', error => done(error.message))
      this.child.once('exit', (code, signal) => done(this.why ?? (signal === null ? `it ended its process (exit code ${code})` : `its process was ended by ${signal}`)))
    })
    void this.ended.then(reason => this.afterEnd(reason))
  }

  load(source: PluginSource, cwd: string, loadMs: number): Promise<FromPlugin | string> {
    return new Promise(done => {
      const timer = setTimeout(() => this.kill(`it was not loaded within ${loadMs / 1_000} s`), loadMs) // I2
      this.onLoad = message => {
        clearTimeout(timer)
        this.isLoaded = message.kind === 'loaded'
        done(message)
      }
      void this.ended.then(reason => {
        clearTimeout(timer)
        done(reason)
      })
      this.send({ kind: 'load', url: pathToFileURL(source.file).href, hash: source.hash, cwd })
    })
  }

  call(call: ToolCall, context: ToolContext): Promise<Outcome> {
    const id = ++this.next
    return new Promise(done => {
      let grace: NodeJS.Timeout | undefined
      const abort = (): void => {
        this.send({ kind: 'abort', call: id })
        grace ??= setTimeout(() => this.kill(NOT_STOPPING), ABORT_GRACE_MS) // I3
      }
      const finish = (outcome: Outcome): void => {
        clearTimeout(grace)
        context.signal.removeEventListener('abort', abort)
        this.calls.delete(id)
        done(outcome)
      }
      this.calls.set(id, { context, finish, openAsks: 0 })
      if (!this.send({ kind: 'call', call: id, fn: call.fn, args: call.args, cwd: context.cwd, idempotencyKey: context.idempotencyKey })) {
        finish(failed('plugin/bad-input', `The arguments of \`${call.module}.${call.fn}\` are too large to be handed to a plugin.`))
      }
      if (context.signal.aborted) abort()
      else context.signal.addEventListener('abort', abort, { once: true })
    })
  }

  /** What it printed last, for the details of a failure. */
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
    for (const open of [...this.calls.values()]) {
      open.finish(failed('plugin/died', cause === null ? reason : `${reason}: ${cause}`, { retryable: true, ...(this.lastWords === '' ? {} : { details: this.lastWords }) }))
    }
  }

  private send(message: ToPlugin): boolean {
    const frame = encodeFrame(message)
    if (frame === null) return false
    this.input.write(frame)
    if (this.input.writableLength > MAX_UNREAD_BYTES) this.kill('it does not read what it is sent')
    return true
  }

  private hear(chunk: Buffer): void {
    this.printed += chunk.length
    this.lastWords = (this.lastWords + chunk.toString('utf8')).slice(-KEPT_OUTPUT_BYTES)
    if (!this.isLoaded && this.printed > MAX_LOAD_OUTPUT_BYTES) this.kill('it printed more than 16 MB while it was being loaded')
  }

  private receive(given: unknown): void {
    const message = readFromPlugin(given)
    if (message === null) return this.kill('it sent a message of an unknown form')
    if (message.kind === 'loaded' || message.kind === 'not-loaded') return this.onLoad?.(message)
    const open = this.calls.get(message.call)
    if (open === undefined) return // late: the call has ended
    switch (message.kind) {
      case 'result': return open.finish(message.outcome)
      case 'log': return open.context.log(message.message)
      case 'progress': return open.context.progress(message.fraction, message.message)
      case 'ask': return this.ask(open, message)
    }
  }

  private ask(open: OpenCall, message: Extract<FromPlugin, { kind: 'ask' }>): void {
    if (++open.openAsks > MAX_OPEN_ASKS) return this.kill(`it asked for more than ${MAX_OPEN_ASKS} things at once`)
    void answerAsk(open.context, message).then(answer => {
      open.openAsks--
      if (!this.send(answer)) this.send({ kind: 'refusal', ask: message.ask, error: { name: 'HostError', code: 'too-large', message: 'The answer is larger than a plugin can be handed at once (4 MB).', retryable: false } })
    })
  }
}


/** Whether a call ended with its process although it was not the one that would not stop. */
function isBystander(outcome: Outcome, context: ToolContext): boolean {
  return outcome.kind === 'failure' && outcome.failure.code === 'plugin/died' && outcome.failure.message === NOT_STOPPING && !context.signal.aborted
}

/** A plugin and the process it is in at the moment. */
export class PluginProcess {
  private readonly plugin: PluginSource
  private readonly options: ProcessOptions
  private running: Promise<{ process: Running; signature: ModuleSignature } | Diagnostic> | null = null
  private current: Running | null = null
  private deaths = 0
  private closed = false

  constructor(plugin: PluginSource, options: ProcessOptions) {
    this.plugin = plugin
    this.options = options
  }

  /** Starts it if need be. */
  async signature(): Promise<ModuleSignature | Diagnostic> {
    const started = await this.started()
    return 'process' in started ? started.signature : started
  }

  /** Runs one call to its end; never rejects. */
  async call(call: ToolCall, context: ToolContext, options: { readonly mayRepeat: boolean }): Promise<Outcome> {
    if (this.deaths > MAX_RESTARTS) return fromDiagnostic(pluginErrors['gave-up']({ plugin: call.module, times: this.deaths }))
    const started = await this.started()
    if (!('process' in started)) return fromDiagnostic(started)
    let outcome = await started.process.call(call, context)
    if (isBystander(outcome, context) && options.mayRepeat) { // I5
      const again = await this.started()
      if ('process' in again) outcome = await again.process.call(call, context)
    }
    if (outcome.kind === 'value' || outcome.failure.code !== 'plugin/died') return outcome
    if (context.signal.aborted) return failed('run/cancelled', `\`${call.module}.${call.fn}\` was stopped.`)
    const said = pluginErrors['died']({ plugin: call.module, reason: outcome.failure.message })
    return fromDiagnostic(said, { retryable: true, ...(outcome.failure.details === undefined ? {} : { details: outcome.failure.details }) })
  }

  async close(): Promise<void> {
    this.closed = true
    this.current?.kill('it was closed')
    await this.current?.ended
  }

  private started(): Promise<{ process: Running; signature: ModuleSignature } | Diagnostic> {
    this.running ??= this.start()
    return this.running
  }

  private async start(): Promise<{ process: Running; signature: ModuleSignature } | Diagnostic> {
    const { source } = this.plugin
    const failedToLoad = (reason: string): Diagnostic => pluginErrors['failed-to-load']({ source, reason })
    if (this.closed) return failedToLoad('tek is being closed.')
    const process = new Running(this.options)
    this.current = process
    const answer = await process.load(this.plugin, this.options.cwd, this.options.loadMs ?? LOAD_MS)
    if (typeof answer === 'string') return failedToLoad(`${answer}.${lastLine(process.words())}`)
    if (answer.kind === 'not-loaded') {
      process.kill('it was not loaded')
      return notLoaded(source, answer)
    }
    const signature = answer.kind === 'loaded' ? readSignature(answer.signature, this.plugin.hash) : null
    if (signature === null) {
      process.kill('it described itself wrongly')
      return failedToLoad('it described itself in an unknown form.')
    }
    void process.ended.then(() => {
      if (this.current !== process || this.closed) return
      this.deaths++
      this.running = null // I2
    })
    return { process, signature }
  }
}

/** What Node says of its own end among the last words: an error that nobody caught, or too little memory. */
function causeIn(words: string): string | null {
  if (words.includes('JavaScript heap out of memory')) return `it needed more than ${MAX_HEAP_MB} MB of memory`
  return /^(?:Uncaught )?(\w*(?:Error|Exception)\b.{0,300})$/m.exec(words)?.[1] ?? null
}

function lastLine(words: string): string {
  const line = words.trimEnd().split('\n').at(-1)?.slice(0, 200) ?? ''
  return line === '' ? '' : ` It last printed: ${line}`
}

function notLoaded(source: string, answer: Extract<FromPlugin, { kind: 'not-loaded' }>): Diagnostic {
  const reason = answer.reason.slice(0, 4_000)
  switch (answer.why) {
    case 'no-plugin': return pluginErrors['not-a-plugin']({ source, reason })
    case 'api': return pluginErrors['api-mismatch']({ source, needs: reason, have: pluginApiVersion })
    case 'definition': return pluginErrors['bad-definition']({ source, where: (answer.where ?? '').slice(0, 400), reason })
    default: return pluginErrors['failed-to-load']({ source, reason })
  }
}
