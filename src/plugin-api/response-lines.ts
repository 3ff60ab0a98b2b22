// Response lines: the answer of a server as it comes, line by line. Published.
// Owns: putting pieces together. Does not own: what a line means.
//   L1. A line end never lies within a character of UTF-8: pieces are cut at its byte.
const LINE_END = 0x0a
/** Bytes of one line. */
const MAX_LINE_BYTES = 4_000_000

/**
 * The lines of an answer, without their ends, each as soon as it is there; the last one also without an end.
 *
 * @param response what `context.fetch` gave.
 * @throws {RangeError} when a line is longer than 4,000,000 bytes.
 * @example
 * for await (const line of linesOf(await fetch(url))) onDelta({ kind: 'text', text: line })
 */
export async function* linesOf(response: Pick<Response, 'body'>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  let held: Uint8Array[] = []
  let length = 0
  const take = (): string => {
    const all = new Uint8Array(length)
    let at = 0
    for (const each of held) {
      all.set(each, at)
      at += each.length
    }
    held = []
    length = 0
    const text = decoder.decode(all)
    return text.endsWith('\r') ? text.slice(0, -1) : text
  }
  const hold = (bytes: Uint8Array): void => {
    held.push(bytes)
    length += bytes.length
    if (length > MAX_LINE_BYTES) throw new RangeError(`a line is longer than ${MAX_LINE_BYTES} bytes`)
  }
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    let from = 0
    for (let end = piece.indexOf(LINE_END); end !== -1; end = piece.indexOf(LINE_END, from)) { // L1
      hold(piece.subarray(from, end))
      yield take()
      from = end + 1
    }
    if (from < piece.length) hold(piece.subarray(from))
  }
  if (length > 0) yield take()
}
