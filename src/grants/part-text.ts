// Part text: a text of which only parts are known before a run.
// Owns: how the unknown parts are written, putting others in their place. Does not own: what a call may do with it (verdict.ts).
//   H1. An unknown part is one character that no program may write in a grant or argument: texts that hold such a character are taken as unknown altogether.
//   H2. A parameter of a workflow is the same unknown wherever it stands; `anything` is another text at each place.
//   H3. `word` is the text of a number, true or false: not empty, without `/`, wildcards, blanks or braces, and never `.` or `..`.

export const anything = '\u{10FFFE}'
export const word = '\u{10FFFD}'
const FIRST_PARAM = 0xF0000
/** Parameters that can be told apart; the rest are `anything`. */
const MAX_PARAMS = 1_000
const unknown = /[\u{F0000}-\u{10FFFF}]/u
const params = /[\u{F0000}-\u{F03E7}]/gu

/**
 * - `exact`: the text itself
 * - `glob`: a pattern whose matches will be looked for
 * - `found`: some path that this glob finds
 * - `pattern`: all that this argument of a grant covers
 * - `tokens`: any number of arguments, whatever they are
 */
export interface PartText {
  readonly kind: 'exact' | 'glob' | 'found' | 'pattern' | 'tokens'
  readonly text: string
}

/** The parameter at `index` of the workflow that is looked at. */
export function paramText(index: number): string {
  return index < MAX_PARAMS ? String.fromCodePoint(FIRST_PARAM + index) : anything
}

/** Whether all of it is known. */
export function isWhole(text: string): boolean {
  return !unknown.test(text)
}

/** Whether it holds what stands for another text at each place (H2). */
export function hasFresh(text: string): boolean {
  return text.includes(anything) || text.includes(word)
}

/** The text with each parameter replaced by what a caller gives for it. */
export function withParams(text: string, given: (index: number) => string): string {
  return text.replace(params, each => given(each.codePointAt(0)! - FIRST_PARAM))
}
