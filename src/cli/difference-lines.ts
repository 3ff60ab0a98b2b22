// Difference lines: in what two values differ, for people.
// Owns: the lines, their lengths. Does not own: finding the differences (base/difference.ts).
//   L1. Text from programs is made harmless; a long value is cut, a long text shown around the first place where it differs.
import { type Difference, differencesOf, pathText } from '#base/difference.ts'
import type { Json } from '#base/json.ts'
import { neutralise, neutraliseLine, type Paint } from '#base/terminal-text.ts'

/** Characters of a value in a line. */
const MAX_VALUE_CHARACTERS = 300
/** Characters of a long text before the first place that differs. */
const BEFORE = 40
/** Places that are shown. */
const MAX_PLACES = 20

/** A value on one line. */
export function valueText(value: unknown): string {
  const text = neutralise(JSON.stringify(value) ?? 'null')
  return text.length > MAX_VALUE_CHARACTERS ? `${cut(text, MAX_VALUE_CHARACTERS)}…` : text
}

/** A place at which the sides of a comparison differ, and what made the value there. */
export interface ShownDifference extends Omit<Difference, 'path'> {
  readonly path: string
  readonly madeBy: string | null
}

export interface ShownDifferences {
  readonly places: readonly ShownDifference[]
  readonly isMore: boolean
}

/** Where two values differ; null where they are best shown whole. `madeBy` says what made the left one at a path. */
export function shownDifferences(left: Json, right: Json, madeBy: (path: Difference['path']) => string | null): ShownDifferences | null {
  if (!isLarge(left) || !isLarge(right)) return null
  const { places, isMore } = differencesOf(left, right, MAX_PLACES)
  return places.length === 0 ? null : { places: places.map(({ path, ...each }) => ({ ...each, path: pathText(path), madeBy: madeBy(path) })), isMore }
}

/** What is only on the left with `-`, what is only on the right with `+`. */
export function differenceLines({ places, isMore }: ShownDifferences, paint: Paint): string[] {
  return [`they differ, ${paint('red', '- left')} ${paint('green', '+ right')}:`, ...places.flatMap(each => placeLines(each, paint)), ...(isMore ? ['  … and more'] : [])]
}

/** Both sides of a comparison, whole. */
export function sideLines(left: Json, right: Json, paint: Paint): string[] {
  const [a, b] = typeof left === 'string' && typeof right === 'string' ? aroundDifference(left, right) : [valueText(left), valueText(right)]
  return [paint('red', `left   ${a}`), paint('green', `right  ${b}`)]
}

function placeLines({ path, kind, left, right, madeBy }: ShownDifference, paint: Paint): string[] {
  const [a, b] = typeof left === 'string' && typeof right === 'string' ? aroundDifference(left, right) : [valueText(left), valueText(right)]
  const place = `${path === '' ? 'the whole' : neutraliseLine(path)}${madeBy === null ? '' : paint('dim', ` · ${neutraliseLine(madeBy)}`)}`
  return [`  ${place}`, ...(kind === 'added' ? [] : [paint('red', `  - ${a}`)]), ...(kind === 'removed' ? [] : [paint('green', `  + ${b}`)])]
}

/** Lists and records of some size, and texts of several lines, are compared place by place. */
function isLarge(value: Json): boolean {
  return typeof value === 'string' ? value.includes('\n') : typeof value === 'object' && value !== null
}

/** L1. */
function aroundDifference(left: string, right: string): readonly [string, string] {
  if (left.length <= MAX_VALUE_CHARACTERS && right.length <= MAX_VALUE_CHARACTERS) return [valueText(left), valueText(right)]
  let at = 0
  while (at < left.length && left[at] === right[at]) at++
  const from = Math.max(0, at - BEFORE)
  const part = (text: string): string => `${from > 0 ? '… ' : ''}${valueText(text.slice(from).replace(/^[\udc00-\udfff]/, ''))} (from character ${from + 1})`
  return [part(left), part(right)]
}

const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\ud800-\udbff]$/, '')
