// Messages: what tek and an isolated plugin say to each other, and the check of everything the plugin says.
// Owns: the shapes. Does not own: transport (frames.ts), who answers (conversation.ts, guest.ts).
//   M1. Nothing from a plugin is used before its shape was checked here: it may say anything.
import type { ChatRequest } from '#model/chat.ts'
import type { Outcome } from '#model/event.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Value } from '#model/type.ts'

export type ToPlugin =
  | { readonly kind: 'load'; readonly url: string; readonly hash: string; readonly cwd: string }
  | { readonly kind: 'call'; readonly call: number; readonly fn: string; readonly args: Readonly<Record<string, Value>>; readonly cwd: string; readonly idempotencyKey: string; readonly begunBefore: boolean }
  | { readonly kind: 'abort'; readonly call: number }
  | { readonly kind: 'answer'; readonly ask: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly ask: number; readonly error: ThrownError }

export type FromPlugin =
  | { readonly kind: 'loaded'; readonly signature: ModuleSignature; readonly needsNode?: string }
  /** `api`: the version the plugin was written for; `problems`: parts of its definition. */
  | { readonly kind: 'not-loaded'; readonly why: 'threw' | 'no-plugin' | 'api' | 'definition'; readonly reason: string; readonly where?: string }
  | { readonly kind: 'result'; readonly call: number; readonly outcome: Outcome }
  | { readonly kind: 'ask'; readonly call: number; readonly ask: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'log'; readonly call: number; readonly message: string }
  | { readonly kind: 'progress'; readonly call: number; readonly fraction: number; readonly message?: string }

/** What a call of a model is named, before the model's name: no tool has such a name. */
export const MODEL_CALL = 'model:'

/** Arguments of a call of a model. */
export interface ModelCall {
  readonly does: 'open' | 'ask' | 'count'
  readonly model: string
  readonly options: Value
  readonly request?: ChatRequest
  readonly key?: string | null
  readonly firstByteMs?: number
  readonly idleMs?: number
}

export interface DoorAnswer {
  readonly id: number
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
}

/** What a model reaches. */
export interface ModelDoor {
  begin(url: string, init: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }): Promise<DoorAnswer>
  /** Bytes as base64; null: it is over. */
  read(id: number): Promise<string | null>
  leave(id: number): Promise<void>
}

export interface ThrownError {
  readonly name: 'ToolFailure' | 'HostError'
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly help?: string
}

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isOptionalText = (value: unknown): boolean => value === undefined || isText(value)
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isOptionalNumber = (value: unknown): boolean => value === undefined || isNumber(value)
const isTextRecord = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isText)

/** The message, or null when it is none (M1). The signature's inside is checked by signature-shape.ts. */
export function readFromPlugin(message: unknown): FromPlugin | null {
  if (!isRecord(message)) return null
  const isCall = isNumber(message['call'])
  switch (message['kind']) {
    case 'loaded': return isRecord(message['signature']) && isOptionalText(message['needsNode']) ? (message as FromPlugin) : null
    case 'not-loaded': return isText(message['why']) && isText(message['reason']) && isOptionalText(message['where']) ? (message as FromPlugin) : null
    case 'result': return isCall && isOutcome(message['outcome']) ? (message as FromPlugin) : null
    case 'ask': return isCall && isNumber(message['ask']) && isText(message['method']) && Array.isArray(message['args']) ? (message as FromPlugin) : null
    case 'log': return isCall && isText(message['message']) ? (message as FromPlugin) : null
    case 'progress': return isCall && isNumber(message['fraction']) && isOptionalText(message['message']) ? (message as FromPlugin) : null
    default: return null
  }
}

function isOutcome(outcome: unknown): boolean {
  if (!isRecord(outcome)) return false
  if (outcome['kind'] === 'value') return 'value' in outcome
  const failure = outcome['failure']
  return outcome['kind'] === 'failure' && isRecord(failure) && isText(failure['code']) && isText(failure['message']) && typeof failure['retryable'] === 'boolean'
    && isOptionalText(failure['help']) && isOptionalText(failure['details'])
}

type Check = (value: unknown) => boolean

const isReadOptions: Check = value => value === undefined || (isRecord(value) && isOptionalNumber(value['maxBytes']))
const isGlobOptions: Check = value => value === undefined || (isRecord(value) && isOptionalNumber(value['maxFiles']))
const isRunOptions: Check = value => value === undefined || (isRecord(value) && isOptionalText(value['cwd']) && isOptionalText(value['stdin'])
  && (value['env'] === undefined || isTextRecord(value['env'])) && isOptionalNumber(value['timeoutMs']) && isOptionalNumber(value['maxOutputBytes'])
  && (value['inCopy'] === undefined || typeof value['inCopy'] === 'boolean'))
const isFetchOptions: Check = value => value === undefined || (isRecord(value) && isOptionalText(value['method']) && isOptionalText(value['body'])
  && (value['headers'] === undefined || isTextRecord(value['headers'])) && isOptionalNumber(value['timeoutMs']) && isOptionalNumber(value['maxBodyBytes'])
  && (value['asBytes'] === undefined || typeof value['asBytes'] === 'boolean'))

/** Methods of ToolContext that a plugin may ask for, with the shapes of their arguments. Bytes travel as base64. */
const askable: ReadonlyMap<string, readonly Check[]> = new Map<string, readonly Check[]>([
  ['run', [isText, value => Array.isArray(value) && value.every(isText), isRunOptions]],
  ['fetch', [isText, isFetchOptions]],
  ['env', [isText]], ['now', []], ['randomHex', [isNumber]], ['sleep', [isNumber]],
  ['files.readText', [isText, isReadOptions]], ['files.readBytes', [isText, isReadOptions]], ['files.stat', [isText]], ['files.list', [isText]],
  ['files.glob', [isText, isGlobOptions]], ['files.writeText', [isText, isText]], ['files.writeBytes', [isText, isText]], ['files.append', [isText, isText]],
  ['model.begin', [isText, isFetchOptions]], ['model.read', [isNumber]], ['model.leave', [isNumber]],
  ['files.makeDirectory', [isText]], ['files.remove', [isText]], ['files.move', [isText, isText]],
])

/** Whether a method exists and its arguments have the right shapes. */
export function mayAsk(method: string, args: readonly unknown[]): boolean {
  const checks = askable.get(method)
  return checks !== undefined && args.length <= checks.length && checks.every((check, index) => check(args[index] ?? undefined))
}
