// Delivery: the body of a delivery as arguments of the workflow it begins.
// Owns: what JSON may come in, which of its fields are taken. Does not own: who sent it (signature.ts).
//   D1. Only the parameters that the trigger names are taken, each checked by its type; every other field of the body is left alone: senders add fields.
//   D2. A body nests at most MAX_BODY_DEPTH deep, which is seen before it is taken apart.
import type { PlanParam } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { fromJsonValue } from '#types/codec.ts'
import { printType } from '#types/print.ts'
import { MAX_VALUE_DEPTH, validate } from '#types/validate.ts'

export const MAX_BODY_DEPTH = MAX_VALUE_DEPTH
const MAX_PROBLEM_LENGTH = 300

export interface Problem {
  readonly param: string
  readonly problem: string
}

export type Body = { readonly args: Readonly<Record<string, Value>> } | { readonly unreadable: string } | { readonly problems: readonly Problem[] }

/** The arguments in a body; or why it cannot be read; or what of it does not fit. */
export function readBody(body: Uint8Array, params: readonly PlanParam[], names: readonly string[]): Body {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return { unreadable: 'the body is not UTF-8' }
  }
  if (nestsTooDeep(text)) return { unreadable: `the body nests more than ${MAX_BODY_DEPTH} deep` }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { unreadable: 'the body is not JSON' }
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { unreadable: 'the body is not a JSON object' }
  const args: [string, Value][] = []
  const problems: Problem[] = []
  for (const { name, type, default: standard } of params) {
    if (!names.includes(name)) continue // D1
    if (!Object.hasOwn(json, name)) {
      if (standard === null && validate(type, null) !== null) problems.push({ param: name, problem: `${printType(type)} is needed` })
      continue
    }
    const parsed = fromJsonValue(type, (json as Record<string, unknown>)[name])
    if ('problem' in parsed) problems.push({ param: name, problem: parsed.problem.slice(0, MAX_PROBLEM_LENGTH) })
    else args.push([name, parsed.value])
  }
  return problems.length > 0 ? { problems } : { args: Object.fromEntries(args) }
}

/** Counts brackets outside of texts; what is no JSON is found afterwards. // D2 */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isText) {
      if (code === 0x5c) at++
      else if (code === 0x22) isText = false
    } else if (code === 0x22) isText = true
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_BODY_DEPTH) return true
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return false
}
