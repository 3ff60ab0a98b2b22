// Conversation: what tek and one running plugin say to each other, whatever carries it: calls, their asks, their ends.
// Owns: the open calls. Does not own: transport (process.ts, engine.ts), the decision about an ask: the call's ToolContext, the guard, makes it.
//   C1. Every message from the plugin is checked (messages.ts); one that breaks the rules ends the plugin.
//   C2. A call that was cancelled has 2 s to end; then the plugin is ended with everything it started.
//   C3. What comes for a call that has ended is dropped, and an ask of such a call is never put to anyone.
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Outcome } from '#model/event.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import { answerAsk } from './answer-ask.ts'
import { ABORT_GRACE_MS, MAX_OPEN_ASKS } from './limits.ts'
import { readFromPlugin, type FromPlugin, type ToPlugin } from './messages.ts'
import { failed, fromDiagnostic } from './outcomes.ts'

/** Why a call ends that did nothing itself. */
export const NOT_STOPPING = 'it did not stop when another call of it was cancelled'
export const ENDED_BESIDE = 'another call of it had to be ended'

interface OpenCall {
  readonly context: ToolContext
  readonly tool: string
  readonly finish: (outcome: Outcome) => void
  openAsks: number
}

export interface Transport {
  /** False when the message is too large. */
  send(message: ToPlugin): boolean
  kill(reason: string): void
}

export type LoadAnswer = Extract<FromPlugin, { kind: 'loaded' | 'not-loaded' }>

export class Conversation {
  private readonly transport: Transport
  private readonly calls = new Map<number, OpenCall>()
  private next = 0
  private onLoad: ((answer: LoadAnswer) => void) | null = null

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** The plugin's answer to being loaded, or the reason for which it ended before. */
  loading(begin: () => void, ended: Promise<string>, limitMs: number): Promise<LoadAnswer | string> {
    return new Promise(done => {
      const timer = setTimeout(() => this.transport.kill(`it was not loaded within ${limitMs / 1_000} s`), limitMs)
      this.onLoad = answer => {
        clearTimeout(timer)
        done(answer)
      }
      void ended.then(reason => {
        clearTimeout(timer)
        done(reason)
      })
      begin()
    })
  }

  call(call: ToolCall, context: ToolContext): Promise<Outcome> {
    const id = ++this.next
    return new Promise(done => {
      let grace: NodeJS.Timeout | undefined
      const abort = (): void => {
        this.transport.send({ kind: 'abort', call: id })
        grace ??= setTimeout(() => this.transport.kill(NOT_STOPPING), ABORT_GRACE_MS) // C2
      }
      const finish = (outcome: Outcome): void => {
        clearTimeout(grace)
        context.signal.removeEventListener('abort', abort)
        this.calls.delete(id)
        done(outcome)
      }
      this.calls.set(id, { context, tool: `${call.module}.${call.fn}`, finish, openAsks: 0 })
      if (!this.transport.send({ kind: 'call', call: id, fn: call.fn, args: call.args, cwd: context.cwd, idempotencyKey: context.idempotencyKey, begunBefore: context.begunBefore })) {
        finish(failed('plugin/bad-input', `The arguments of \`${call.module}.${call.fn}\` are too large to be handed to a plugin.`))
      }
      if (context.signal.aborted) abort()
      else context.signal.addEventListener('abort', abort, { once: true })
    })
  }

  receive(given: unknown): void {
    const message = readFromPlugin(given) // C1
    if (message === null) return this.transport.kill('it sent a message of an unknown form')
    if (message.kind === 'loaded' || message.kind === 'not-loaded') {
      this.onLoad?.(message)
      this.onLoad = null
      return
    }
    const open = this.calls.get(message.call)
    if (open === undefined) return // C3
    switch (message.kind) {
      case 'result': return open.finish(message.outcome)
      case 'log': return open.context.log(message.message)
      case 'progress': return open.context.progress(message.fraction, message.message)
      case 'ask': return this.ask(open, message)
    }
  }

  /** Ends the calls that wait although nothing is under way: only where the plugin cannot wake itself. */
  endStuck(): void {
    const open = [...this.calls]
    if (open.some(([, each]) => each.openAsks > 0)) return
    for (const [call, { tool, finish }] of open) {
      this.transport.send({ kind: 'abort', call })
      finish(fromDiagnostic(pluginErrors['stuck']({ tool })))
    }
  }

  isOpen(call: number): boolean {
    return this.calls.has(call)
  }

  isIdle(): boolean {
    return this.calls.size === 0
  }

  /** Ends the plugin for what one call did. */
  endFor(call: number, reason: string): void {
    this.calls.get(call)?.finish(failed('plugin/died', reason, { retryable: true }))
    this.transport.kill(ENDED_BESIDE)
  }

  /** Ends every open call: the plugin is gone. */
  endAll(reason: string, details: string): void {
    for (const open of [...this.calls.values()]) open.finish(failed('plugin/died', reason, { retryable: true, ...(details === '' ? {} : { details }) }))
  }

  private ask(open: OpenCall, message: Extract<FromPlugin, { kind: 'ask' }>): void {
    if (++open.openAsks > MAX_OPEN_ASKS) return this.transport.kill(`it asked for more than ${MAX_OPEN_ASKS} things at once`)
    void answerAsk(open.context, message).then(answer => {
      open.openAsks--
      if (this.transport.send(answer)) return
      this.transport.send({ kind: 'refusal', ask: message.ask, error: { name: 'HostError', code: 'too-large', message: 'The answer is larger than a plugin can be handed at once (4 MB).', retryable: false } })
    })
  }
}
