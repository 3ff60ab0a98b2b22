// Guest models: the models of a plugin, on the plugin's side of the wall.
// Owns: opening them, one question, `fetch` by way of tek, failures as data. Does not own: which hosts are reached: tek decides, on its own side.
//   M1. A model is opened once for each name and options; a question that finds none opened opens it: a plugin that was started again goes on.
import { isModelFailure, ModelFailure, type Model, type ModelContext, type ModelProvider } from '#plugin-api/model-provider.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import type { ChatDelta, ChatFailureCode, ChatRequest } from '#model/chat.ts'
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { MODEL_CALL, type DoorAnswer, type ModelCall } from './messages.ts'
import type { ModelAnswer, OpenedModel } from './model-shape.ts'

/** Characters of one piece of an answer, as it is told. */
const MAX_DELTA_LENGTH = 4_000
/** Models that are kept opened. */
const MAX_MODELS = 100
const MAX_WORDS_LENGTH = 10_000

export interface ModelAsker {
  readonly signal: AbortSignal
  ask<T>(method: string, ...args: readonly unknown[]): Promise<T>
  delta(delta: ChatDelta): void
  fromBase64(text: string): Uint8Array
  decode(bytes: Uint8Array): string
}

export class GuestModels {
  private readonly opened = new Map<string, Promise<Model>>()

  /** Does one call of tek. Never rejects. */
  async call(plugin: Plugin, fn: string, args: Readonly<Record<string, unknown>>, asker: ModelAsker): Promise<Outcome> {
    const { does, model, options, request, key, firstByteMs, idleMs } = args as unknown as ModelCall
    try {
      const opened = await this.open(plugin, fn.slice(MODEL_CALL.length), model, options)
      if (does === 'open') {
        const { abilities, hosts, parallel, countTokens } = opened
        return value({ abilities, hosts, ...(parallel === undefined ? {} : { parallel }), countsTokens: countTokens !== undefined } satisfies OpenedModel)
      }
      const context: ModelContext = { signal: asker.signal, key: key ?? null, firstByteMs: firstByteMs ?? 0, idleMs: idleMs ?? 0, fetch: fetchOf(asker), onDelta: delta => tell(asker, delta) }
      if (does === 'count') return value({ kind: 'counted', tokens: await opened.countTokens!(request as ChatRequest, context) } satisfies ModelAnswer)
      return value({ kind: 'reply', reply: await opened.ask(request as ChatRequest, context) } satisfies ModelAnswer)
    } catch (error) {
      return value(failureOf(error, asker.signal))
    }
  }

  /** M1. */
  private open(plugin: Plugin, name: string, model: string, options: Value): Promise<Model> {
    const key = JSON.stringify([name, model, options])
    let opened = this.opened.get(key)
    if (opened === undefined) {
      if (this.opened.size >= MAX_MODELS) this.opened.clear()
      this.opened.set(key, (opened = this.openNow(plugin, name, model, options)))
      opened.catch(() => this.opened.delete(key))
    }
    return opened
  }

  private async openNow(plugin: Plugin, name: string, model: string, options: Value): Promise<Model> {
    const provider: ModelProvider | undefined = Object.hasOwn(plugin.models ?? {}, name) ? plugin.models![name] : undefined
    if (provider === undefined) throw new ModelFailure('unknown-model', `The plugin \`${plugin.name}\` has no models \`${name}\`.`)
    const read = provider.options.safeParse(options)
    if (!read.success) throw new ModelFailure('bad-request', `Its options do not fit: ${read.error.issues[0]?.message ?? 'they are others'}.`)
    return provider.open(model, read.data, { folder: '' })
  }
}

const value = (given: unknown): Outcome => ({ kind: 'value', value: JSON.parse(JSON.stringify(given)) as Value })

function tell(asker: ModelAsker, delta: ChatDelta): void {
  if (delta.kind === 'tool-use') return asker.delta({ kind: 'tool-use', name: String(delta.name).slice(0, MAX_DELTA_LENGTH) })
  const text = String(delta.text)
  for (let at = 0; at < text.length; at += MAX_DELTA_LENGTH) asker.delta({ kind: delta.kind, text: text.slice(at, at + MAX_DELTA_LENGTH) })
}

function failureOf(error: unknown, signal: AbortSignal): ModelAnswer {
  const known = isModelFailure(error) ? error : fromTek(error)
  if (known !== null) {
    const { code, message, retryAfterMs, details } = known
    return { kind: 'failure', code, message, ...(retryAfterMs === null ? {} : { retryAfterMs }), ...(details === null ? {} : { details }) }
  }
  if (signal.aborted) return { kind: 'failure', code: 'cancelled', message: 'The request was given up.' }
  const said = error instanceof Error ? error.message : String(error)
  return { kind: 'failure', code: 'server', message: `The plugin's model crashed: ${said.slice(0, MAX_WORDS_LENGTH)}` }
}

/** A failure that tek handed in. */
function fromTek(error: unknown): ModelFailure | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  if (error.name === 'ToolFailure' && error.code.startsWith('model/')) return new ModelFailure(error.code.slice('model/'.length) as ChatFailureCode, error.message)
  return error.name === 'HostError' ? new ModelFailure('bad-request', error.message) : null
}

/** What models need of the web's `fetch`: a status, headers, and a body read at once or piece by piece. */
function fetchOf({ ask, fromBase64, decode }: ModelAsker): typeof fetch {
  return (async (input: string | URL, init: { readonly method?: string; readonly headers?: unknown; readonly body?: string } = {}) => {
    const { method, body: sent } = init
    const begun = { ...(method === undefined ? {} : { method }), headers: textHeaders(init.headers), ...(sent === undefined ? {} : { body: sent }) }
    const { id, status, headers } = await asked(() => ask<DoorAnswer>('model.begin', String(input), begun))
    const read = async (): Promise<Uint8Array | null> => {
      const piece = await asked(() => ask<string | null>('model.read', id))
      return piece === null ? null : fromBase64(piece)
    }
    const body = { [Symbol.asyncIterator]: () => ({
      next: async () => {
        const piece = await read()
        return piece === null ? { done: true as const, value: undefined } : { done: false as const, value: piece }
      },
      return: async () => {
        await ask('model.leave', id)
        return { done: true as const, value: undefined }
      },
    }) }
    const text = async (): Promise<string> => {
      const pieces: Uint8Array[] = []
      for await (const piece of body) pieces.push(piece)
      const all = new Uint8Array(pieces.reduce((sum, each) => sum + each.length, 0))
      let at = 0
      for (const piece of pieces) {
        all.set(piece, at)
        at += piece.length
      }
      return decode(all)
    }
    const byName = new Map(headers.map(([name, each]) => [name.toLowerCase(), each]))
    return { status, ok: status >= 200 && status < 300, headers: { get: (name: string) => byName.get(name.toLowerCase()) ?? null }, body, text, json: async () => JSON.parse(await text()) as unknown }
  }) as unknown as typeof fetch
}

/** Failures of tek come out as failures of a model. */
async function asked<T>(wish: () => Promise<T>): Promise<T> {
  try {
    return await wish()
  } catch (error) {
    throw fromTek(error) ?? error
  }
}

function textHeaders(given: unknown): Record<string, string> {
  if (typeof given !== 'object' || given === null) return {}
  const entries = Array.isArray(given) ? (given as [string, string][]) : Object.entries(given)
  return Object.fromEntries(entries.map(([name, each]) => [String(name), String(each)]))
}
