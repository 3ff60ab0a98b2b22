// Terminal text: how wide text is on a terminal, how it is cut, coloured, and made harmless.
// Owns: columns and escape codes. Does not own: whether colour is wanted (whoever owns the stream knows that).
//   W1. Text that came from outside never moves the cursor or hides a part of itself: control characters are shown as pictures, direction marks
//       and characters that have no shape at all as U+FFFD. Joiners stay: scripts and emoji are written with them.
//   W2. Width counts columns: combining marks and format characters 0, wide East Asian characters and emoji 2, all else 1 (Unicode UAX #11).

const ESCAPE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const EMOJI = /^\p{Emoji_Presentation}$/u

/** First and last code points of the blocks that are two columns wide. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], [0x2e80, 0x303e], [0x3041, 0x4dbf], [0x4e00, 0xa4cf], [0xa960, 0xa97f], [0xac00, 0xd7a3],
  [0xf900, 0xfaff], [0xfe30, 0xfe6f], [0xff00, 0xff60], [0xffe0, 0xffe6], [0x1f300, 0x1faff], [0x20000, 0x3fffd],
]

/**
 * Text whose control characters are shown instead of obeyed (W1). Line ends and tabs stay.
 *
 * @example
 * neutralise('a\u001b[31mb') // 'a␛[31mb'
 */
export function neutralise(text: string): string {
  return text.replace(ESCAPE, character => {
    const code = character.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '\u2421' : '\ufffd'
  })
}

/**
 * The same on one line: what comes from outside makes no line of its own that could be taken for one of ours.
 *
 * @example
 * neutraliseLine('ok\ndone  b') // 'ok done  b'
 */
export function neutraliseLine(text: string): string {
  return neutralise(text).replace(/[\n\t]/g, ' ')
}

/**
 * Columns that text takes on a terminal (W2).
 *
 * @example
 * displayWidth('naïve 日本') // 10
 */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** Columns of one code point. */
export function characterWidth(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0)!
  if (code < 0x300) return 1
  if (ZERO.test(character)) return 0
  if (WIDE.some(([first, last]) => code >= first && code <= last) || EMOJI.test(character)) return 2
  return 1
}

/**
 * Text cut to at most `columns`, the last column an ellipsis when something was cut.
 *
 * @example
 * cutToWidth('reconnects', 6) // 'recon…'
 */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += characterWidth(character)
    if (width > columns - 1) break
    kept += character
  }
  return columns > 0 ? `${kept}…` : ''
}

/**
 * Text filled with spaces up to `columns`.
 *
 * @example
 * padToWidth('日', 4) // '日  '
 */
export function padToWidth(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)))
}

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'dim' | 'bold'
/** Colours text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], dim: [2, 22], bold: [1, 22],
}

export const plainPaint: Paint = (_, text) => text
/** SGR sequences (ECMA-48 8.3.117). */
export const ansiPaint: Paint = (colour, text) => (text === '' ? '' : `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m`)

/**
 * Text of a number with its thousands apart, the same on every machine.
 *
 * @example
 * thousands(1204) // '1,204'
 */
export function thousands(count: number): string {
  return String(Math.trunc(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/**
 * A length of time in the words people use, from milliseconds.
 *
 * @example
 * elapsed(6_240) // '6.2 s'
 * elapsed(75_000) // '1 min 15 s'
 */
export function elapsed(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}
