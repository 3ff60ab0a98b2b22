// Protocol: what the two threads of an engine agree on: the words they exchange and a few numbers both can see at any time.
// Owns: the shapes. Does not own: what a plugin says: that travels as text inside (isolate/messages.ts).
import type { Picture } from './machine.ts'
import type { WasmCode } from './web-assembly.ts'

/** Places in the shared array of 32-bit numbers. */
export const STOP = 0
/** Messages tek has taken. */
export const TAKEN = 1
/** Kilobytes of them. */
export const TAKEN_KB = 2
/** Since when the engine works without a pause: the low 31 bits of the wall clock's milliseconds; 0 when it rests. */
export const BUSY_SINCE = 3
/** Messages of tek that it has dealt with. */
export const DONE = 4
/** Messages of the plugin that were sent. */
export const SENT = 5
/** Answers of tek that were read, and kilobytes of them. */
export const READ = 6
export const READ_KB = 7
export const PLACES = 8

export const clockBits = (nowMs: number): number => nowMs % 0x7fff_ffff || 1

export interface EngineData {
  readonly code: WasmCode
  readonly picture: Picture
  readonly shared: SharedArrayBuffer
  /** Running time that one call may use, milliseconds. */
  readonly callCpuMs: number
  readonly loadMs: number
}

export type ToEngine =
  | { readonly kind: 'load'; readonly bundle: string; readonly hash: string; readonly pure: boolean }
  /** A message for the plugin, and the call it is about. */
  | { readonly kind: 'say'; readonly call: number; readonly text: string; readonly opens: boolean; readonly answers: boolean }

export type FromEngine =
  | { readonly kind: 'said'; readonly text: string }
  /** The bundle threw when it was evaluated: the error as JSON, or its text. */
  | { readonly kind: 'threw'; readonly error: string }
  /** One call used up its time. */
  | { readonly kind: 'over'; readonly call: number }
  | { readonly kind: 'broke'; readonly reason: string }

/** What the bundle is called in stacks inside the engine. */
export const BUNDLE_NAME = 'plugin.js'
