// Provider facts: what all providers over HTTP have in common.
// Owns: addresses, how long a server asks to wait, failures that others explained, arguments of a tool, the length of an answer, the sentence for a library that
// is not installed.
import { isModelFailure, ModelFailure, type Value } from 'tek-lang/plugin'

/** Characters of one answer, tools' arguments included. */
const MAX_ANSWER_LENGTH = 4_000_000
/** Causes of an error that are looked at. */
const MAX_CAUSES = 8

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

/** A failure that the socket's side explained already, however deep it lies in an error of a library. */
export function explainedBelow(error: unknown): ModelFailure | null {
  for (let at = error, depth = 0; at instanceof Error && depth < MAX_CAUSES; at = at.cause, depth++) if (isModelFailure(at)) return at
  return null
}

/** A tool's arguments, put together; what is no JSON has a problem instead. */
export function readArguments(json: string): { readonly input: Value; readonly problem?: string } {
  try {
    return { input: JSON.parse(json) as Value }
  } catch (error) {
    return { input: null, problem: `its arguments are no JSON: ${(error as Error).message}`.slice(0, 500) }
  }
}

/** Counts what comes of an answer. */
export class AnswerLength {
  private length = 0

  /** The same text. @throws {ModelFailure} `bad-answer` when the answer becomes longer than one may be. */
  within(text: string): string {
    this.length += text.length
    if (this.length > MAX_ANSWER_LENGTH) throw new ModelFailure('bad-answer', `The answer is longer than ${MAX_ANSWER_LENGTH.toLocaleString('en')} characters.`)
    return text
  }
}
