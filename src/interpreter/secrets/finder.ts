// Finder: where any of many texts occurs in a text, in one pass.
// Owns: the search. Does not own: which texts are looked for (needles.ts), what is done about them (redactor.ts).
//   F1. Wu and Manber's method (TR-94-17, University of Arizona, 1994): a window as long as an anchor jumps over what cannot be the end of one.
//   F2. An anchor is WINDOW characters of a needle; a needle that may be wrapped has two, at its ends, so that one line end cannot break both.
//   F3. Work is bounded: a pass looks at each character a fixed number of times, and beyond MAX_HITS it gives up with `null`.
import { codesOf, type Codes } from './escapes.ts'
import type { Needle } from './needles.ts'

const WINDOW = 6
const BLOCK = 3
const TABLE_BITS = 16
const TABLE_SIZE = 1 << TABLE_BITS
/** Found places in one text; one that holds more is no longer worth showing. */
const MAX_HITS = 100_000

export interface Found {
  readonly start: number
  readonly end: number
  readonly secret: string
}

interface Anchor {
  readonly needle: Needle
  readonly wanted: Codes
  /** Where in the needle its window begins. */
  readonly at: number
}

const hash = (a: number, b: number, c: number): number => (Math.imul(a, 0x9e37) ^ Math.imul(b, 0x85eb) ^ Math.imul(c, 0xc2b3)) & (TABLE_SIZE - 1)

export class Finder {
  private readonly shifts = new Uint8Array(TABLE_SIZE).fill(WINDOW - BLOCK + 1)
  private readonly anchors = new Map<number, Anchor[]>()

  /** @param needles each at least as long as a window. */
  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      this.add(needle, 0)
      if (needle.mayBeWrapped && needle.text.length > WINDOW) this.add(needle, Math.max(1, needle.text.length - WINDOW)) // F2
    }
  }

  private add(needle: Needle, at: number): void {
    const wanted = codesOf(needle.text)
    for (let index = 0; index + BLOCK <= WINDOW; index++) {
      const block = hash(wanted[at + index]!, wanted[at + index + 1]!, wanted[at + index + 2]!)
      const shift = WINDOW - BLOCK - index
      if (shift < this.shifts[block]!) this.shifts[block] = shift
      if (shift === 0) this.anchors.set(block, [...(this.anchors.get(block) ?? []), { needle, wanted, at }])
    }
  }

  /** Every occurrence, in the order in which they begin to be seen; null when there are more than MAX_HITS. */
  find(text: Codes): Found[] | null {
    const { shifts, anchors } = this
    const found: Found[] = []
    for (let last = WINDOW - 1; last < text.length;) { // F1
      const block = hash(text[last - 2]!, text[last - 1]!, text[last]!)
      const shift = shifts[block]!
      if (shift > 0) {
        last += shift
        continue
      }
      for (const anchor of anchors.get(block)!) {
        const place = occurrence(text, last - WINDOW + 1, anchor)
        if (place !== null && found.push(place) > MAX_HITS) return null // F3
      }
      last++
    }
    return found
  }
}

/** The whole needle around its window at `start`, or null. */
function occurrence(text: Codes, start: number, { needle, wanted, at }: Anchor): Found | null {
  const { mayBeWrapped, secret } = needle
  let end = start
  for (let index = at; index < wanted.length; end++) {
    if (text[end] === wanted[index]) index++
    else if (!mayBeWrapped || index < at + WINDOW || !isBlank(text[end])) return null
  }
  let begin = start
  for (let index = at - 1; index >= 0;) {
    begin--
    if (text[begin] === wanted[index]) index--
    else if (!isBlank(text[begin])) return null
  }
  return { start: begin, end, secret }
}

function isBlank(code: number | undefined): boolean {
  return code === 10 || code === 13 || code === 32 || code === 9
}
