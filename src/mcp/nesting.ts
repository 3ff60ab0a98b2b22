// Nesting: how deep the JSON in a stream of bytes is nested, counted before anything parses it.
// Owns: the count. Does not own: what JSON is (JSON.parse).
//   N1. Texts do not count, however many brackets they hold. Bytes between messages (SSE's field names, line ends) hold no brackets and change nothing.

/** Levels of one message of a server. */
export const MAX_MESSAGE_NESTING = 100

export class Nesting {
  private depth = 0
  private isInText = false
  private isEscaped = false

  /** Counts on; false as soon as a message is nested deeper than is allowed. */
  take(bytes: Uint8Array): boolean {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!
      if (this.isInText) {
        if (this.isEscaped) this.isEscaped = false
        else if (byte === 0x5c) this.isEscaped = true
        else if (byte === 0x22) this.isInText = false
      } else if (byte === 0x22) this.isInText = true
      else if (byte === 0x5b || byte === 0x7b) {
        if (++this.depth > MAX_MESSAGE_NESTING) return false
      } else if ((byte === 0x5d || byte === 0x7d) && this.depth > 0) this.depth--
    }
    return true
  }

  /** A message is over; what was open in it is forgotten. */
  reset(): void {
    this.depth = 0
    this.isInText = this.isEscaped = false
  }
}
