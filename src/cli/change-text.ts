// Change text: a difference between two plans, for people.
import { cutToWidth, neutralise, type Paint } from '#base/terminal-text.ts'
import type { PlanChange } from '#compiler/4-lower/diff.ts'

const MAX_PART_COLUMNS = 500

/** The place of a change, and what stood there before and stands there now, each on a line. */
export function changeText({ kind, path, before, after }: PlanChange, paint: Paint): string {
  const where = neutralise(path.join(' · '))
  const side = (mark: '+' | '-', text: string): string => `    ${paint(mark === '+' ? 'green' : 'red', `${mark} ${cutToWidth(neutralise(text).replace(/[\n\t]/g, ' '), MAX_PART_COLUMNS)}`)}`
  const sides = [...(before === null || before === '' ? [] : [side('-', before)]), ...(after === null || after === '' ? [] : [side('+', after)])]
  return [`${paint(kind === 'added' ? 'green' : kind === 'removed' ? 'red' : 'yellow', kind.padEnd(8))} ${where}`, ...sides].join('\n')
}
