// Frames: JSON messages between tek and a plugin; in a process: four bytes of length (big endian), then UTF-8 text.
// Owns: the format and its limits. Does not own: what messages mean (messages.ts).
//   Between a plugin's engine and tek the text travels alone, under the same limits.
//   F1. A frame has at most 4 MB: the length is looked at before anything is kept.
//   F2. Nesting is at most 128: counted before the text is parsed.
import { MAX_DEPTH, MAX_FRAME_BYTES } from './limits.ts'

/** A message as text, or null when it is too large for one. */
export function encodeText(message: unknown): string | null {
  const text = JSON.stringify(message)
  return text.length > MAX_FRAME_BYTES || (text.length > MAX_FRAME_BYTES / 3 && Buffer.byteLength(text, 'utf8') > MAX_FRAME_BYTES) ? null : text // F1
}

/** What a text says, or how it breaks the rules. */
export function decodeText(text: string): { readonly message: unknown } | { readonly violation: string } {
  if (text.length > MAX_FRAME_BYTES) return { violation: `it sent a message of ${text.length.toLocaleString('en')} characters` }
  if (isTooDeep(text)) return { violation: `it sent a message nested more than ${MAX_DEPTH} deep` } // F2
  try {
    return { message: JSON.parse(text) }
  } catch {
    return { violation: 'it sent something that is no message' }
  }
}

/** A frame's bytes, or null when the message is too large for one. */
export function encodeFrame(message: unknown): Buffer | null {
  const text = encodeText(message)
  if (text === null) return null
  const body = Buffer.from(text, 'utf8')
  const frame = Buffer.allocUnsafe(body.length + 4)
  frame.writeUInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}

/** Cuts a stream of bytes into messages. After the first violation it reads no further. */
export class FrameReader {
  private chunks: Buffer[] = []
  private held = 0
  private broken = false
  private readonly onMessage: (message: unknown) => void
  private readonly onViolation: (reason: string) => void

  constructor(onMessage: (message: unknown) => void, onViolation: (reason: string) => void) {
    this.onMessage = onMessage
    this.onViolation = onViolation
  }

  push(chunk: Buffer): void {
    if (this.broken) return
    this.chunks.push(chunk)
    this.held += chunk.length
    for (;;) {
      if (this.broken || this.held < 4) return
      const length = this.peek(4).readUInt32BE()
      if (length > MAX_FRAME_BYTES) return this.violate(`it sent a message of ${length.toLocaleString('en')} bytes`) // F1
      if (this.held < length + 4) return
      const text = this.peek(length + 4).toString('utf8', 4)
      this.drop(length + 4)
      const said = decodeText(text)
      if ('violation' in said) return this.violate(said.violation)
      this.onMessage(said.message)
    }
  }

  private violate(reason: string): void {
    this.broken = true
    this.chunks = []
    this.held = 0
    this.onViolation(reason)
  }

  /** The first `bytes` held, in one piece. */
  private peek(bytes: number): Buffer {
    if (this.chunks[0]!.length < bytes) this.chunks = [Buffer.concat(this.chunks)]
    return this.chunks[0]!.subarray(0, bytes)
  }

  private drop(bytes: number): void {
    const first = this.chunks[0]!
    if (first.length === bytes) this.chunks.shift()
    else this.chunks[0] = first.subarray(bytes)
    this.held -= bytes
  }
}

/** F2: brackets outside strings. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) return true
    } else if (code === 0x5d || code === 0x7d) {
      depth--
    }
  }
  return false
}
