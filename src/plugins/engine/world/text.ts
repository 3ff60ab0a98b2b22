// Text: UTF-8, Base64 and their interfaces for a world that has none.
// Owns: TextEncoder, TextDecoder (UTF-8 alone), atob, btoa: https://encoding.spec.whatwg.org/#utf-8-decoder, RFC 4648 section 4.
//   T1. What is not well formed becomes U+FFFD when it is decoded, or fails when that was asked for; bytes never make an unpaired surrogate.

const CHUNK = 8_192
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digits = new Map([...alphabet].map((letter, index) => [letter, index]))

/** Each byte as the character with its number. */
export function textOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return text
}

/** The other way round; `text` holds no character above U+00FF. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

export function btoa(given: unknown): string {
  const text = String(given)
  const parts: string[] = []
  for (let at = 0; at < text.length; at += 3) {
    const [a, b, c] = [text.charCodeAt(at), at + 1 < text.length ? text.charCodeAt(at + 1) : 0, at + 2 < text.length ? text.charCodeAt(at + 2) : 0]
    if (a > 255 || b > 255 || c > 255) throw new TypeError('btoa takes characters up to U+00FF')
    const left = text.length - at
    parts.push(alphabet[a >> 2]! + alphabet[((a & 3) << 4) | (b >> 4)]! + (left > 1 ? alphabet[((b & 15) << 2) | (c >> 6)]! : '=') + (left > 2 ? alphabet[c & 63]! : '='))
  }
  return parts.join('')
}

export function atob(given: unknown): string {
  const text = String(given).replace(/[\t\n\f\r ]+/g, '')
  const body = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text
  const parts: string[] = []
  for (let at = 0; at < body.length; at += 4) {
    const group = [...body.slice(at, at + 4)].map(letter => digits.get(letter))
    if (group.length === 1 || group.includes(undefined)) throw new TypeError('atob takes Base64')
    const [a, b, c = 0, d = 0] = group as number[]
    const bits = (a! << 18) | (b! << 12) | (c << 6) | d
    parts.push(String.fromCharCode(bits >> 16, (bits >> 8) & 255, bits & 255).slice(0, group.length - 1))
  }
  return parts.join('')
}

export class EngineTextEncoder {
  readonly encoding = 'utf-8'

  encode(given: unknown = ''): Uint8Array {
    const text = String(given)
    const bytes = new Uint8Array(text.length * 3)
    let to = 0
    for (let at = 0; at < text.length; at++) {
      let code = text.codePointAt(at)!
      if (code > 0xffff) at++
      else if (code >= 0xd800 && code < 0xe000) code = 0xfffd // T1
      if (code < 0x80) {
        bytes[to++] = code
        continue
      }
      const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
      bytes[to++] = ([0, 0xc0, 0xe0, 0xf0][more]! | (code >> (6 * more))) & 0xff
      for (let left = more - 1; left >= 0; left--) bytes[to++] = 0x80 | ((code >> (6 * left)) & 0x3f)
    }
    return bytes.slice(0, to)
  }
}

export class EngineTextDecoder {
  readonly encoding = 'utf-8'
  readonly fatal: boolean
  readonly ignoreBOM: boolean

  constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(?:utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`TextDecoder knows utf-8, not ${label}`)
    this.fatal = options.fatal === true
    this.ignoreBOM = options.ignoreBOM === true
  }

  decode(given: ArrayBuffer | ArrayBufferView = new Uint8Array()): string {
    const bytes = ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given)
    const parts: string[] = []
    let points: number[] = []
    for (let at = 0; at < bytes.length; ) {
      const { point, length } = this.next(bytes, at)
      at += length
      points.push(point)
      if (points.length >= CHUNK) {
        parts.push(String.fromCodePoint(...points))
        points = []
      }
    }
    parts.push(String.fromCodePoint(...points))
    const text = parts.join('')
    return !this.ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  }

  /** The character that begins at `at`, and how many bytes it, or the broken beginning of one, takes. */
  private next(bytes: Uint8Array, at: number): { point: number; length: number } {
    const first = bytes[at]!
    if (first < 0x80) return { point: first, length: 1 }
    const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    let point = first & (0x3f >> more)
    let length = 1
    for (; length <= more; length++) {
      const byte = bytes[at + length]
      if (byte === undefined || byte < (length === 1 ? low : 0x80) || byte > (length === 1 ? high : 0xbf)) break
      point = (point << 6) | (byte & 0x3f)
    }
    if (more > 0 && length > more) return { point, length }
    if (this.fatal) throw new TypeError('The bytes are not UTF-8')
    return { point: 0xfffd, length } // T1
  }
}
