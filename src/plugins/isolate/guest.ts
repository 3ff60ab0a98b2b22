// Guest: one plugin and its calls, on the plugin's side of the wall, whatever the wall is: a Node process (child.ts) or an engine (engine/kernel.ts).
// Owns: reading a definition, running tools, asking tek for every effect. Does not own: transport, permission: tek decides, on its own side.
//   G1. This code shares its world with the plugin and trusts nothing to it: every promise about permits is kept by the other side.
import { ToolFailure, type FetchResult, type ToolContext } from '#plugin-api/context.ts'
import { fitsApi, type Plugin } from '#plugin-api/define-plugin.ts'
import { invokeTool } from '#plugin-api/invoke.ts'
import { signatureOf, type SignatureProblem } from '#plugin-api/signature-of.ts'
import { HostError, type HostErrorCode } from '#host/host.ts'
import type { Outcome } from '#model/event.ts'
import { MODEL_CALL, type FromPlugin, type ThrownError, type ToPlugin } from './messages.ts'
import { GuestModels } from './guest-models.ts'
import { MAX_FRAME_BYTES } from './limits.ts'

const MAX_SHOWN_PROBLEMS = 9
const MAX_WORDS_LENGTH = 10_000

export interface Wall {
  /** False when the message is too large. */
  send(message: FromPlugin): boolean
  toBase64(bytes: Uint8Array): string
  fromBase64(text: string): Uint8Array
  newController(): AbortController
}

type CallMessage = Extract<ToPlugin, { kind: 'call' }>

interface Asker {
  readonly answer: (value: unknown) => void
  readonly refuse: (error: Error) => void
}

export class Guest {
  private readonly wall: Wall
  private plugin: Plugin | null = null
  private readonly models = new GuestModels()
  private asked = 0
  private readonly waiting = new Map<number, Asker>()
  private readonly running = new Map<number, AbortController>()

  constructor(wall: Wall) {
    this.wall = wall
  }

  /** Takes what a plugin's module exports, and says what it is. */
  adopt(loaded: unknown, hash: string): void {
    const { send } = this.wall
    if (typeof loaded !== 'object' || loaded === null || !('tekPlugin' in loaded) || loaded.tekPlugin !== true) {
      return void send({ kind: 'not-loaded', why: 'no-plugin', reason: loaded === undefined ? 'it has no default export' : 'its default export was not made by `definePlugin`' })
    }
    const defined = loaded as Plugin
    if (!fitsApi(String(defined.api))) return void send({ kind: 'not-loaded', why: 'api', reason: String(defined.api).slice(0, 100) })
    const { value, problems } = signatureOf(defined, { origin: 'plugin', hash })
    if (value === null) return void send({ kind: 'not-loaded', why: 'definition', where: problems[0]!.where, reason: allOf(problems) })
    this.plugin = defined
    const needsNode = typeof defined.needsNode === 'string' ? { needsNode: defined.needsNode } : {}
    if (!send({ kind: 'loaded', signature: value, ...needsNode })) send({ kind: 'not-loaded', why: 'definition', where: 'the whole', reason: `its description is larger than ${MAX_FRAME_BYTES} bytes` })
  }

  receive(message: Exclude<ToPlugin, { kind: 'load' }>): void {
    switch (message.kind) {
      case 'call': return void this.call(message)
      case 'abort': return this.running.get(message.call)?.abort()
      case 'answer':
      case 'refusal': {
        const asker = this.waiting.get(message.ask)
        this.waiting.delete(message.ask)
        if (message.kind === 'answer') asker?.answer(message.value)
        else asker?.refuse(thrown(message.error))
      }
    }
  }

  private async call(message: CallMessage): Promise<void> {
    const plugin = this.plugin!
    const controller = this.wall.newController()
    this.running.set(message.call, controller)
    const { fn, args } = message
    const outcome = await (fn.startsWith(MODEL_CALL)
      ? this.callModel(plugin, message, controller.signal)
      : invokeTool(plugin, { module: plugin.name, fn, args }, this.contextOf(message, controller.signal)))
    this.running.delete(message.call)
    if (this.wall.send({ kind: 'result', call: message.call, outcome })) return
    const failure = { code: 'plugin/bad-output', message: `\`${plugin.name}.${message.fn}\` gave back more than 4,000,000 bytes.`, task: '', retryable: false }
    this.wall.send({ kind: 'result', call: message.call, outcome: { kind: 'failure', failure } satisfies Outcome })
  }

  private callModel(plugin: Plugin, { call, fn, args }: CallMessage, signal: AbortSignal): Promise<Outcome> {
    const { send, fromBase64 } = this.wall
    return this.models.call(plugin, fn, args, {
      signal, ask: this.asker(call), fromBase64, decode: bytes => new TextDecoder().decode(bytes),
      delta: delta => void send({ kind: 'progress', call, fraction: 0, message: JSON.stringify(delta) }),
    })
  }

  /** Puts wishes of a call to tek. */
  private asker(call: number): <T>(method: string, ...args: readonly unknown[]) => Promise<T> {
    return <T>(method: string, ...args: readonly unknown[]) => new Promise<T>((answer, refuse) => {
      const id = ++this.asked
      this.waiting.set(id, { answer: answer as (value: unknown) => void, refuse })
      if (this.wall.send({ kind: 'ask', call, ask: id, method, args })) return
      this.waiting.delete(id)
      refuse(new HostError('too-large', method, 'More than 4,000,000 bytes were to be handed over at once.'))
    })
  }

  private contextOf({ call, cwd, idempotencyKey, begunBefore }: CallMessage, signal: AbortSignal): ToolContext {
    const { send, toBase64, fromBase64 } = this.wall
    const ask = this.asker(call)
    return {
      cwd, signal, idempotencyKey, begunBefore,
      files: {
        readText: (path, options) => ask('files.readText', path, options),
        readBytes: async (path, options) => fromBase64(await ask<string>('files.readBytes', path, options)),
        stat: path => ask('files.stat', path),
        list: directory => ask('files.list', directory),
        glob: (pattern, options) => ask('files.glob', pattern, options),
        writeText: (path, text) => ask('files.writeText', path, text),
        writeBytes: (path, bytes) => ask('files.writeBytes', path, toBase64(bytes)),
        append: (path, text) => ask('files.append', path, text),
        makeDirectory: path => ask('files.makeDirectory', path),
        remove: path => ask('files.remove', path),
        move: (from, to) => ask('files.move', from, to),
      },
      run: (program, args, options) => ask('run', program, args, options),
      fetch: async (url, options) => {
        const { bytes, ...answer } = await ask<Omit<FetchResult, 'bytes'> & { readonly bytes?: string }>('fetch', url, options)
        return bytes === undefined ? answer : { ...answer, bytes: fromBase64(bytes) }
      },
      env: async name => (await ask<string | null>('env', name)) ?? undefined,
      now: () => ask('now'),
      randomHex: bytes => ask('randomHex', bytes),
      sleep: ms => ask('sleep', ms),
      log: message => void send({ kind: 'log', call, message: String(message).slice(0, MAX_WORDS_LENGTH) }),
      progress: (fraction, message) => void send({ kind: 'progress', call, fraction: Number(fraction), ...(message === undefined ? {} : { message: String(message).slice(0, MAX_WORDS_LENGTH) }) }),
    }
  }
}

/** The first problem's reason, and after it the other problems with their places. */
function allOf([first, ...others]: readonly SignatureProblem[]): string {
  const shown = others.slice(0, MAX_SHOWN_PROBLEMS).map(({ where, reason }) => `; ${where}: ${reason}`).join('')
  return `${first!.reason}${shown}${others.length > MAX_SHOWN_PROBLEMS ? `; and ${others.length - MAX_SHOWN_PROBLEMS} more` : ''}`
}

function thrown(error: ThrownError): Error {
  if (error.name === 'HostError') return new HostError(error.code as HostErrorCode, '', error.message)
  return new ToolFailure(error.code, error.message, { retryable: error.retryable, ...(error.help === undefined ? {} : { help: error.help }) })
}
