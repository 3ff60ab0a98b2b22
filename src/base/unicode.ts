// Unicode: texts as sequences of Unicode scalar values, though JavaScript keeps them as UTF-16.
// Owns: length, slices and order by code point. Does not own: case mapping, normal forms, display width.
//   U1. Texts of one-unit characters (nearly all) are handled without copying; only texts with surrogate pairs pay more.

interface WellFormedText {
  isWellFormed(): boolean
  toWellFormed(): string
}

/** False when the text holds half of a surrogate pair (ES2024's method, which Node 20 has and the type library has not). */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormedText).isWellFormed()
}

/** The text with each lone half of a surrogate pair replaced by U+FFFD. */
export function toWellFormed(text: string): string {
  return (text as unknown as WellFormedText).toWellFormed()
}

/**
 * Length in code points.
 *
 * @example
 * textLength('a😀') // 2
 */
export function textLength(text: string): number {
  let length = text.length
  for (let index = 0; index < text.length; index++) if ((text.charCodeAt(index) & 0xfc00) === 0xdc00) length-- // U1
  return length
}

/**
 * Order by code point: negative, 0 or positive. UTF-16 order differs where surrogates meet U+E000..U+FFFF.
 *
 * @example
 * compareText('\uffff', '😀') < 0 // true
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const shorter = Math.min(a.length, b.length)
  for (let index = 0; index < shorter; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    if (left < 0xd800 || right < 0xd800) return left - right
    return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Puts surrogates (0xd800..0xdfff) above 0xe000..0xffff. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)

/** The character at a code point index, or null beyond the end. */
export function characterAt(text: string, index: number): string | null {
  const start = unitIndex(text, index)
  return start >= text.length ? null : String.fromCodePoint(text.codePointAt(start)!)
}

/** Where the `index`th code point begins, in UTF-16 units; the length when there are fewer. */
function unitIndex(text: string, index: number): number {
  let at = 0
  for (let left = index; left > 0 && at < text.length; left--) {
    at += (text.charCodeAt(at) & 0xfc00) === 0xd800 && at + 1 < text.length ? 2 : 1
  }
  return at
}
