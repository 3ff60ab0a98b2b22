// Instance: a plugin and what it runs in at the moment: a process or an engine.
// Owns: starting, death and restart, the words about them. Does not own: either kind (process.ts, engine.ts), calls in flight (conversation.ts).
//   I1. Loading has 10 s. What dies in a call fails that call (retryable) and is started again for the next, at most 3 times.
//   I2. A call that only ends because another one had to be ended is done once more when it changes nothing.
//   I3. What the plugin says of itself when it is started is checked like everything it says; its hash is ours.
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Outcome } from '#model/event.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { pluginApiVersion } from '#plugin-api/define-plugin.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { Bundle } from '../bundle.ts'
import { ENDED_BESIDE, NOT_STOPPING, type LoadAnswer } from './conversation.ts'
import { LOAD_MS, MAX_RESTARTS } from './limits.ts'
import { failed, fromDiagnostic } from './outcomes.ts'
import { readSignature } from './signature-shape.ts'

/** A plugin that has been started. */
export interface Running {
  /** Resolves with the reason when it has ended, whoever ended it. */
  readonly ended: Promise<string>
  load(bundle: Bundle, limitMs: number): Promise<LoadAnswer | string>
  call(call: ToolCall, context: ToolContext): Promise<Outcome>
  /** What it printed last. */
  words(): string
  kill(reason: string): void
}

export interface InstanceOptions {
  readonly start: () => Promise<Running | Diagnostic>
  readonly loadMs?: number
}

interface Started {
  readonly running: Running
  readonly signature: ModuleSignature
}

/** Whether a call ended with its plugin although it was not the one that would not stop. */
function isBystander(outcome: Outcome, context: ToolContext): boolean {
  return outcome.kind === 'failure' && outcome.failure.code === 'plugin/died' && [NOT_STOPPING, ENDED_BESIDE].includes(outcome.failure.message) && !context.signal.aborted
}

export class PluginInstance {
  private readonly source: string
  private readonly bundle: Bundle
  private readonly options: InstanceOptions
  private starting: Promise<Started | Diagnostic> | null = null
  private current: Running | null = null
  private deaths = 0
  private closed = false

  /** @param source as written in the program, for messages. */
  constructor(source: string, bundle: Bundle, options: InstanceOptions) {
    this.source = source
    this.bundle = bundle
    this.options = options
  }

  /** Starts it if need be. */
  async signature(): Promise<ModuleSignature | Diagnostic> {
    const started = await this.started()
    return 'running' in started ? started.signature : started
  }

  /** Runs one call to its end; never rejects. */
  async call(call: ToolCall, context: ToolContext, options: { readonly mayRepeat: boolean }): Promise<Outcome> {
    if (this.deaths > MAX_RESTARTS) return fromDiagnostic(pluginErrors['gave-up']({ plugin: call.module, times: this.deaths }))
    const started = await this.started()
    if (!('running' in started)) return fromDiagnostic(started)
    let outcome = await started.running.call(call, context)
    if (isBystander(outcome, context) && options.mayRepeat) { // I2
      const again = await this.started()
      if ('running' in again) outcome = await again.running.call(call, context)
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

  private started(): Promise<Started | Diagnostic> {
    this.starting ??= this.start()
    return this.starting
  }

  private async start(): Promise<Started | Diagnostic> {
    const { source, bundle } = this
    const failedToLoad = (reason: string): Diagnostic => pluginErrors['failed-to-load']({ source, reason })
    if (this.closed) return failedToLoad('tek is being closed.')
    const running = await this.options.start()
    if ('severity' in running) return running
    this.current = running
    if (this.closed) running.kill('it was closed')
    const answer = await running.load(bundle, this.options.loadMs ?? LOAD_MS) // I1
    if (typeof answer === 'string') return failedToLoad(`${answer}.${lastLine(running.words())}`)
    if (answer.kind === 'not-loaded') {
      running.kill('it was not loaded')
      return notLoaded(source, answer)
    }
    const signature = readSignature(answer.signature, bundle.hash) // I3
    if (signature === null) {
      running.kill('it described itself wrongly')
      return failedToLoad('it described itself in an unknown form.')
    }
    if ((answer.needsNode ?? null) !== bundle.needsNode) {
      running.kill('it described itself wrongly')
      return pluginErrors['bad-definition']({ source, where: 'needsNode', reason: 'it must be a plain text where `definePlugin` is called, so that it can be read without running anything' })
    }
    void running.ended.then(() => {
      if (this.current !== running || this.closed) return
      this.deaths++
      this.starting = null
    })
    return { running, signature }
  }
}

function lastLine(words: string): string {
  const line = words.trimEnd().split('\n').at(-1)?.slice(0, 200) ?? ''
  return line === '' ? '' : ` It last printed: ${line}`
}

function notLoaded(source: string, answer: Extract<LoadAnswer, { kind: 'not-loaded' }>): Diagnostic {
  const reason = answer.reason.slice(0, 4_000)
  switch (answer.why) {
    case 'no-plugin': return pluginErrors['not-a-plugin']({ source, reason })
    case 'api': return pluginErrors['api-mismatch']({ source, needs: reason, have: pluginApiVersion })
    case 'definition': return pluginErrors['bad-definition']({ source, where: (answer.where ?? '').slice(0, 400), reason })
    default: return pluginErrors['failed-to-load']({ source, reason })
  }
}
