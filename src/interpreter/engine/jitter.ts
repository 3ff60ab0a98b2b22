// Jitter: how long to wait before another attempt.
// Owns: exponential growth and its spread.
//   J1. The same run, task and attempt always wait the same time: nothing is drawn, the spread comes from a hash of their names.
import { MAX_BACKOFF_MS } from './protocol.ts'

/** Milliseconds before the attempt after the `tries`-th: between half of and the whole of `fromMs · 2^(tries-1)`, at most `toMs`. */
export function backoffMs(retry: { readonly fromMs: number; readonly toMs: number }, tries: number, seed: string): number {
  const full = Math.min(MAX_BACKOFF_MS, Math.max(retry.toMs, retry.fromMs), retry.fromMs * 2 ** Math.min(tries - 1, 40))
  return Math.round(full * (0.5 + 0.5 * fraction(seed)))
}

/** 0..1, from FNV-1a (32 bits) with a final mix. */
function fraction(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
