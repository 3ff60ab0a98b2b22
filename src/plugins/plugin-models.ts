// Plugin models: models that a plugin brings, as the gateway asks them.
// Owns: tek's side of the wall: opening, one question, which hosts a model may name. Does not own: the wall (isolate/, engine/), attempts (gateway).
//   M1. A model reaches the hosts that its plugin declares, and those that the program names in its options; it opens with no others.
//   M2. What it says is checked (isolate/model-shape.ts); what is no answer is a failure of its own.
//   M3. Giving up ends the call, and with it the sockets it opened; a plugin that does not stop is ended.
import { hostOf } from '#grants/host-pattern.ts'
import type { ChatFailureCode, ChatRequest } from '#model/chat.ts'
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { ModelFailure, type Model, type ModelContext, type ModelProvider } from '#plugin-api/model-provider.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import { HostError } from '#host/host.ts'
import { MODEL_CALL, type ModelCall, type ModelDoor } from './isolate/messages.ts'
import { FetchDoor } from './isolate/model-door.ts'
import { type ModelAnswer, readAnswer, readDelta, readOpened } from './isolate/model-shape.ts'

/** Milliseconds for a model to be opened: nothing is asked for that. */
const OPEN_MS = 10_000
const MAX_MESSAGE_LENGTH = 2_000
/** What failures of a call mean here; others may pass. */
const codes: Readonly<Record<string, ChatFailureCode>> = { 'plugin/bad-input': 'bad-request', 'plugin/bad-output': 'bad-answer', 'plugin/changed': 'unknown-model', 'plugin/gave-up': 'unknown-model', 'plugin/stuck': 'bad-answer' }

export interface PluginModels {
  readonly module: string
  readonly name: string
  readonly doc: string
  /** That the plugin declares, `host:port`. */
  readonly hosts: readonly string[]
  call(call: ToolCall, context: ToolContext): Promise<Outcome>
}

/** A provider whose models live behind the wall. */
export async function pluginProvider(models: PluginModels): Promise<ModelProvider> {
  const { z } = await import('zod')
  const options = z.record(z.string(), z.json())
  return {
    doc: models.doc, options,
    async open(model, given) {
      const own = given as Readonly<Record<string, Value>>
      const opened = readOpened(await callOf(models, { does: 'open', model, options: own as Value }, noContext(AbortSignal.timeout(OPEN_MS), closedDoor)))
      if (opened === null) throw new ModelFailure('bad-answer', `\`${models.module}.${models.name}\` gave back something else than a model.`)
      const allowed = new Set([...models.hosts, ...Object.values(own).filter(each => typeof each === 'string')].flatMap(each => hostIn(each as string)))
      const other = opened.hosts.find(each => !allowed.has(each))
      if (other !== undefined) throw new ModelFailure('bad-request', `\`${models.module}.${models.name}\` wants to reach ${other.slice(0, 200)}, which neither the plugin declares nor the program names.`) // M1
      return modelOf(models, model, own as Value, opened)
    },
  } satisfies ModelProvider
}

const hostIn = (text: string): string[] => {
  const host = hostOf(text)
  return host === null ? [] : [host]
}

function modelOf(models: PluginModels, model: string, options: Value, { abilities, hosts, parallel, countsTokens }: NonNullable<ReturnType<typeof readOpened>>): Model {
  const ask = async (does: 'ask' | 'count', request: ChatRequest, context: ModelContext): Promise<ModelAnswer> => {
    const door = new FetchDoor(context.fetch, context.signal)
    try {
      const { key, firstByteMs, idleMs, signal } = context
      const answer = readAnswer(await callOf(models, { does, model, options, request, key, firstByteMs, idleMs }, noContext(signal, door, text => {
        const delta = readDelta(text)
        if (delta !== null) context.onDelta(delta)
      })))
      if (answer === null) throw new ModelFailure('bad-answer', `\`${models.module}.${models.name}\` gave back something else than an answer.`) // M2
      if (answer.kind === 'failure') throw asFailure(answer)
      return answer
    } finally {
      await door.close() // M3
    }
  }
  return {
    abilities, hosts, ...(parallel === undefined ? {} : { parallel }),
    async ask(request, context) {
      const answer = await ask('ask', request, context)
      if (answer.kind !== 'reply') throw new ModelFailure('bad-answer', 'It counted instead of answering.')
      return answer.reply
    },
    ...(countsTokens ? { async countTokens(request: ChatRequest, context: ModelContext) {
      const answer = await ask('count', request, context)
      if (answer.kind !== 'counted') throw new ModelFailure('bad-answer', 'It answered instead of counting.')
      return answer.tokens
    } } : {}),
  }
}

async function callOf({ module, name, call }: PluginModels, args: ModelCall, context: ToolContext): Promise<unknown> {
  const outcome = await call({ module, fn: `${MODEL_CALL}${name}`, args: args as unknown as ToolCall['args'] }, context)
  if (outcome.kind === 'value') {
    const given = outcome.value as { readonly kind?: unknown } | null
    const failure = given !== null && typeof given === 'object' && given.kind === 'failure' ? readAnswer(given) : null
    if (args.does === 'open' && failure?.kind === 'failure') throw asFailure(failure)
    return given
  }
  const { code, message } = outcome.failure
  if (context.signal.aborted) throw new ModelFailure(args.does === 'open' ? 'timed-out' : 'cancelled', args.does === 'open' ? 'The plugin did not open its model in time.' : 'The request was given up.')
  throw new ModelFailure(codes[code] ?? 'server', message.slice(0, MAX_MESSAGE_LENGTH))
}

function asFailure({ code, message, retryAfterMs, details }: Extract<ModelAnswer, { kind: 'failure' }>): ModelFailure {
  return new ModelFailure(code, message, { ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ...(details === undefined ? {} : { details }) })
}

const closedDoor: ModelDoor = {
  begin: async url => { throw new HostError('refused', url.slice(0, 200), 'Nothing is reached while a model is opened.') },
  read: async () => null, leave: async () => {},
}

/** A call that may do nothing but speak through the door. */
function noContext(signal: AbortSignal, model: ModelDoor, onDelta: (text: string) => void = () => {}): ToolContext & { readonly model: ModelDoor } {
  const refuse = (): never => { throw new HostError('refused', '', 'A model reaches nothing but its own hosts.') }
  return {
    cwd: '', signal, idempotencyKey: '', begunBefore: false, model, run: refuse, fetch: refuse, env: refuse, now: refuse, randomHex: refuse, sleep: refuse, log: () => {},
    progress: (_, message) => onDelta(message ?? ''),
    files: { readText: refuse, readBytes: refuse, stat: refuse, list: refuse, glob: refuse, writeText: refuse, writeBytes: refuse, append: refuse, makeDirectory: refuse, remove: refuse, move: refuse },
  }
}
