// Answer ask: one wish of a plugin's process, put to the call's guarded context.
// Owns: the table of methods, bytes as base64, errors as data. Does not own: the decision (the guard behind the context).
import { HostError } from '#host/host.ts'
import type { FetchOptions, RunOptions, ToolContext } from '#plugin-api/context.ts'
import { isModelFailure, isRetryable } from '#plugin-api/model-provider.ts'
import { mayAsk, type FromPlugin, type ModelDoor, type ThrownError, type ToPlugin } from './messages.ts'

/** Never rejects. */
export async function answerAsk(context: ToolContext, asked: Extract<FromPlugin, { kind: 'ask' }>): Promise<ToPlugin> {
  const { ask, method } = asked
  try {
    // An absent argument travels as null.
    const args = asked.args.map(each => each ?? undefined)
    if (!mayAsk(method, args)) throw new HostError('refused', method.slice(0, 100), `\`${method.slice(0, 100)}\` cannot be asked for in that way.`)
    return { kind: 'answer', ask, value: (await perform(context, method, args)) ?? null }
  } catch (error) {
    return { kind: 'refusal', ask, error: asData(error) }
  }
}

/** What a call of a model may ask for beside what tools may. */
interface Speaking extends ToolContext {
  readonly model?: ModelDoor
}

async function perform(context: Speaking, method: string, args: readonly unknown[]): Promise<unknown> {
  const { files, model } = context
  const [first, second, third] = args as [string, string, unknown]
  switch (method) {
    case 'run': return context.run(first, second as unknown as string[], third as RunOptions | undefined)
    case 'fetch': return context.fetch(first, second as unknown as FetchOptions | undefined)
      .then(({ bytes, ...answer }) => (bytes === undefined ? answer : { ...answer, bytes: Buffer.from(bytes).toString('base64') }))
    case 'env': return context.env(first)
    case 'now': return context.now()
    case 'randomHex': return context.randomHex(Number(first))
    case 'sleep': return context.sleep(Number(first))
    case 'model.begin': return doorOf(model, method).begin(first, (second ?? {}) as unknown as Parameters<ModelDoor['begin']>[1])
    case 'model.read': return doorOf(model, method).read(Number(first))
    case 'model.leave': return doorOf(model, method).leave(Number(first))
    case 'files.readText': return files.readText(first, second as { maxBytes?: number } | undefined)
    case 'files.readBytes': return files.readBytes(first, second as { maxBytes?: number } | undefined).then(bytes => Buffer.from(bytes).toString('base64'))
    case 'files.stat': return files.stat(first)
    case 'files.list': return files.list(first)
    case 'files.glob': return files.glob(first, second as { maxFiles?: number } | undefined)
    case 'files.writeText': return files.writeText(first, second)
    case 'files.writeBytes': return files.writeBytes(first, new Uint8Array(Buffer.from(second, 'base64')))
    case 'files.append': return files.append(first, second)
    case 'files.makeDirectory': return files.makeDirectory(first)
    case 'files.remove': return files.remove(first)
    default: return files.move(first, second)
  }
}

function doorOf(model: ModelDoor | undefined, method: string): ModelDoor {
  if (model === undefined) throw new HostError('refused', method, 'Only a model asks for that.')
  return model
}

function asData(error: unknown): ThrownError {
  const message = error instanceof Error ? error.message : String(error)
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'other'
  if (isModelFailure(error)) return { name: 'ToolFailure', code: `model/${error.code}`, message, retryable: isRetryable(error.code) }
  if (error instanceof Error && error.name === 'ToolFailure') {
    const { retryable, help } = error as { retryable?: unknown; help?: unknown }
    return { name: 'ToolFailure', code, message, retryable: retryable === true, ...(typeof help === 'string' ? { help } : {}) }
  }
  return { name: 'HostError', code: error instanceof Error && error.name === 'HostError' ? code : 'other', message, retryable: false }
}
