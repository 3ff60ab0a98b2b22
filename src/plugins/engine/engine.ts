// Engine: one third-party plugin in a QuickJS of its own, compiled to WebAssembly, in a thread of its own. How plugins run unless they need Node.
// Owns: tek's half: starting it, its messages, its end. Does not own: calls (isolate/conversation.ts), restarts (isolate/instance.ts), the machine.
//   E1. The plugin has no power but texts to tek: no files, network, processes, environment, clock, chance, timers, native code or other plugins.
//   E2. Every message from it is checked for size, depth and form before it is used; one that breaks the rules ends the engine.
//   E3. An engine that does not look at its time any more is ended from outside, by ending its thread.
//   E4. Nothing inside wakes by itself: calls that are open when nothing is under way on either side can never end, and are ended.
//   E5. Answers it does not read are bounded: one that goes on asking without looking at them is ended.
//   E6. Places in stacks are translated to the plugin's own source here, and say nothing of this machine.
import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Outcome } from '#model/event.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { Bundle } from '../bundle.ts'
import { Conversation, type LoadAnswer } from '../isolate/conversation.ts'
import { decodeText, encodeText } from '../isolate/frames.ts'
import type { Running } from '../isolate/instance.ts'
import { LOAD_MS } from '../isolate/limits.ts'
import type { ToPlugin } from '../isolate/messages.ts'
import type { Picture } from './machine.ts'
import { readPicture } from './picture.ts'
import { BUSY_SINCE, clockBits, DONE, PLACES, READ, READ_KB, SENT, STOP, TAKEN, TAKEN_KB, type EngineData, type FromEngine, type ToEngine } from './protocol.ts'
import { SourcePlaces } from './source-places.ts'
import { wasm, type WasmCode } from './web-assembly.ts'

/** Running time of one call. */
export const CALL_CPU_MS = 5_000
const WATCH_MS = 250
/** Beyond its time, before its thread is ended from outside. */
const UNRESPONSIVE_MS = 2_000
/** WebAssembly uses the thread's stack; the engine's own limit is to be reached first. */
const STACK_MB = 16
const MAX_WORDS = 20
const MAX_UNREAD = 2_000
const MAX_UNREAD_KB = 64_000
const MAX_REASON_LENGTH = 4_000

interface Code {
  readonly module: WasmCode
  readonly picture: Picture
}

const codes = new Map<string, Promise<Code>>()

/** Read and compiled once in a process. */
function codeIn(folderUrl: string): Promise<Code> {
  let code = codes.get(folderUrl)
  if (code === undefined) {
    code = Promise.all(['quickjs.wasm', 'kernel.bin'].map(name => readFile(new URL(name, folderUrl)))).then(async ([code, kernel]) => ({
      picture: readPicture(kernel!, code!), module: await wasm.compile(code!),
    }))
    codes.set(folderUrl, code)
  }
  return code
}

export interface EngineOptions {
  /** URL of the built worker.ts; `engine/quickjs.wasm` and `engine/kernel.bin` lie beside it. */
  readonly workerUrl: string
  /** The project's folder; places are shown relative to it. */
  readonly cwd: string
  readonly loadMs?: number
  readonly callCpuMs?: number
}

/** The engines of one host of plugins. One is kept ready while a run is being set up: a thread takes longer to begin than a plugin to load. */
export class Engines {
  private readonly options: EngineOptions
  private spare: Promise<EngineRunning> | null = null

  constructor(options: EngineOptions) {
    this.options = options
  }

  prepare(): void {
    this.spare ??= this.begin()
    this.spare.catch(() => undefined) // said when it is needed
  }

  /** @param pure only for pure functions: it is as after loading before each call. */
  async start(bundle: Bundle, pure: boolean): Promise<Running> {
    const spare = this.spare
    this.spare = null
    const engine = await (spare ?? this.begin())
    engine.willRun(bundle, pure)
    return engine
  }

  async close(): Promise<void> {
    const spare = await this.spare?.catch(() => null)
    spare?.kill('it was closed')
  }

  private async begin(): Promise<EngineRunning> {
    return new EngineRunning(await codeIn(new URL('engine/', this.options.workerUrl).href), this.options)
  }
}

class EngineRunning implements Running {
  readonly ended: Promise<string>
  private readonly worker: Worker
  private readonly cwd: string
  private places: SourcePlaces | null = null
  private pure = false
  private readonly conversation: Conversation
  private readonly seen: Int32Array<SharedArrayBuffer>
  private readonly callCpuMs: number
  private readonly watch: NodeJS.Timeout
  private readonly callOfAsk = new Map<number, number>()
  private readonly lastWords: string[] = []
  private isOver = false
  private posted = 0
  private answered = 0
  private answeredKb = 0
  private end!: (reason: string) => void

  constructor(code: Code, options: EngineOptions) {
    const shared = new SharedArrayBuffer(PLACES * 4)
    this.cwd = options.cwd
    this.seen = new Int32Array(shared)
    this.callCpuMs = options.callCpuMs ?? CALL_CPU_MS
    const loadMs = options.loadMs ?? LOAD_MS
    const data: EngineData = { code: code.module, picture: code.picture, shared, callCpuMs: this.callCpuMs, loadMs }
    this.worker = new Worker(new URL(options.workerUrl), { workerData: data, env: {}, execArgv: [], stdout: true, stderr: true, resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 } })
    this.conversation = new Conversation({ send: message => this.send(message), kill: reason => this.kill(reason) })
    this.ended = new Promise(done => { this.end = done })
    this.worker.on('message', (message: FromEngine) => this.hear(message))
    this.worker.on('error', () => this.kill('its engine broke'))
    this.worker.on('exit', () => this.kill('its engine ended'))
    const longestMs = Math.max(loadMs, this.callCpuMs) + UNRESPONSIVE_MS
    this.watch = setInterval(() => { // E3
      const since = Atomics.load(this.seen, BUSY_SINCE)
      if (Atomics.load(this.seen, DONE) === this.posted && Atomics.load(this.seen, SENT) === Atomics.load(this.seen, TAKEN)) this.conversation.endStuck() // E4
      if (since !== 0 && (clockBits(Date.now()) - since + 0x7fff_ffff) % 0x7fff_ffff > longestMs) this.kill(`it used the processor for more than ${longestMs / 1_000} s without a pause`)
    }, WATCH_MS)
    this.watch.unref()
    this.worker.unref()
  }

  willRun(bundle: Bundle, pure: boolean): void {
    this.places = new SourcePlaces(bundle, this.cwd)
    this.pure = pure
  }

  async load(bundle: Bundle, limitMs: number): Promise<LoadAnswer | string> {
    this.worker.ref()
    const begin = (): void => this.post({ kind: 'load', bundle: bundle.text, hash: bundle.hash, pure: this.pure })
    const answer = await this.conversation.loading(begin, this.ended, limitMs + UNRESPONSIVE_MS)
    if (typeof answer !== 'string') this.worker.unref()
    return answer
  }

  async call(call: ToolCall, context: ToolContext): Promise<Outcome> {
    this.worker.ref()
    const outcome = await this.conversation.call(call, context)
    if (this.conversation.isIdle()) this.worker.unref()
    return this.places!.inOutcome(outcome) // E6
  }

  words(): string {
    return this.lastWords.join('\n')
  }

  kill(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    clearInterval(this.watch)
    Atomics.store(this.seen, STOP, 1)
    void this.worker.terminate()
    this.conversation.endAll(reason, '')
    this.end(reason)
  }

  private post(message: ToEngine): void {
    this.posted++
    this.worker.postMessage(message)
  }

  private send(message: ToPlugin): boolean {
    const text = encodeText(message)
    if (text === null || message.kind === 'load') return false
    const answers = message.kind === 'answer' || message.kind === 'refusal'
    const call = answers ? (this.callOfAsk.get(message.ask) ?? 0) : message.call
    if (answers) this.callOfAsk.delete(message.ask)
    this.post({ kind: 'say', call, text, opens: message.kind === 'call', answers })
    if (answers) this.mindUnread(text)
    return true
  }

  /** E5 */
  private mindUnread(text: string): void {
    this.answered++
    this.answeredKb += text.length >> 10
    const [unread, unreadKb] = [this.answered - Atomics.load(this.seen, READ), this.answeredKb - Atomics.load(this.seen, READ_KB)]
    if (unread > MAX_UNREAD || unreadKb > MAX_UNREAD_KB) this.kill('it asks for more than it reads')
  }

  private hear(message: FromEngine): void {
    if (this.isOver) return
    switch (message.kind) {
      case 'said': return this.take(message.text)
      case 'threw': return this.conversation.receive({ kind: 'not-loaded', why: 'threw', reason: this.places!.inError(message.error).slice(0, MAX_REASON_LENGTH) })
      case 'over': return this.conversation.endFor(message.call, `it used the processor for more than ${this.callCpuMs / 1_000} s in one call`)
      case 'broke': return this.kill(message.reason)
    }
  }

  private take(text: string): void {
    Atomics.add(this.seen, TAKEN, 1)
    Atomics.add(this.seen, TAKEN_KB, text.length >> 10)
    const said = decodeText(text) // E2
    if ('violation' in said) return this.kill(said.violation)
    const { kind, ask, call, message } = (said.message ?? {}) as { kind?: unknown; ask?: unknown; call?: unknown; message?: unknown }
    if (kind === 'ask' && typeof ask === 'number' && typeof call === 'number' && this.conversation.isOpen(call)) this.callOfAsk.set(ask, call)
    if (kind === 'log' && call === 0 && typeof message === 'string') {
      this.lastWords.push(message.slice(0, 200))
      if (this.lastWords.length > MAX_WORDS) this.lastWords.shift()
    }
    this.conversation.receive(said.message)
  }
}
