// Provider facts: what all providers over HTTP have in common.
// Owns: addresses, how long a server asks to wait, the sentence for a library that is not installed.
import { ModelFailure } from 'tek-lang/plugin'

/** Longest wait that a server may ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000

export function asUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new ModelFailure('bad-request', `\`${text.slice(0, 200)}\` is not an http or https address.`)
  return url
}

/** `host:port` as grants name it. */
export function hostOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
}

/**
 * How long a server asks to wait: `retry-after-ms`, then `retry-after` in seconds or as a date (RFC 9110, section 10.2.3).
 *
 * @returns milliseconds; null when it says nothing that can be read.
 * @example
 * retryAfterMs(new Headers({ 'retry-after': '2' })) // 2_000
 */
export function retryAfterMs(headers: Headers | undefined, nowMs: number = Date.now()): number | null {
  const given = [Number(headers?.get('retry-after-ms') ?? NaN), Number(headers?.get('retry-after') ?? NaN) * 1_000, Date.parse(headers?.get('retry-after') ?? '') - nowMs]
  const ms = given.find(each => Number.isFinite(each))
  return ms === undefined ? null : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS)
}

export function missingLibrary(name: string): ModelFailure {
  return new ModelFailure('library-missing', `This model needs the package \`${name}\`, which is not installed: \`npm install ${name}\`.`)
}
