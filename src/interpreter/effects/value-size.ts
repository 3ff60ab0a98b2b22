// Value size: how large a value from outside may be.
//   Z1. Counting stops at the limit, so a huge value costs no more than the limit.
import type { Failure } from '#model/event.ts'
import type { Value } from '#model/type.ts'

/** Bytes of a value, roughly as its JSON, that a tool may give. */
export const MAX_VALUE_BYTES = 64 * 1_024 * 1_024
/** Lists and records inside each other. */
export const MAX_VALUE_DEPTH = 128

export function isTooLarge(value: Value): boolean {
  return measure(value, 0, MAX_VALUE_BYTES) < 0
}

/** What is left of the room after this value; negative when it does not fit. */
function measure(value: Value, depth: number, room: number): number {
  if (typeof value === 'string') return room - value.length - 2
  if (typeof value !== 'object' || value === null) return room - 8
  if (depth >= MAX_VALUE_DEPTH) return -1
  let left = room - 2
  if (Array.isArray(value)) {
    for (const item of value as readonly Value[]) if ((left = measure(item, depth + 1, left - 1)) < 0) return left // Z1
    return left
  }
  for (const [key, field] of Object.entries(value)) if ((left = measure(field as Value, depth + 1, left - key.length - 4)) < 0) return left // Z1
  return left
}

export function valueTooLarge(name: string): Failure {
  return {
    code: 'run/value-too-large', task: '', retryable: false,
    message: `\`${name}\` gave a value of more than ${MAX_VALUE_BYTES / 1_048_576} MB, or more than ${MAX_VALUE_DEPTH} lists and records inside each other.`,
    help: 'Ask for less: fewer items, or a part of the text.',
  }
}
