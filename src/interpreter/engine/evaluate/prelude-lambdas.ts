// Prelude lambdas: the functions that ask a lambda about each item.
// Owns: what they make of the items and the answers. Does not own: how the lambda is run (plain.ts, effects.ts), so that it may hold tool calls.
//   A1. The lambda is asked about every item in order, once; `all` and `any` stop as soon as they know.
//   A2. Each is a function of the list and the list of answers, so the answers may have been got one by one, over hours.
import type { Value } from '#model/type.ts'
import type { Frame } from './frame.ts'
import { bool } from './operators.ts'
import { extreme, flatten, HASHING_STEPS, sortByKeys } from './prelude-lists.ts'
import { setField, textOf } from './values.ts'

export interface LambdaFunction {
  /** Checks an answer as soon as it is there; true when no further answer is needed. */
  readonly enough: ((answer: Value) => boolean) | null
  /** `answers` may be shorter than `items` when `enough` said so. */
  readonly finish: (frame: Frame, items: readonly Value[], answers: readonly Value[]) => Value
}

const condition = (who: string, stopAt: boolean | null) => (answer: Value): boolean => bool(answer, `The condition of \`${who}\``) === stopAt

function where(frame: Frame, items: readonly Value[], answers: readonly Value[]): Value {
  frame.list(items.length)
  const out: Value[] = []
  for (let index = 0; index < items.length; index++) if (answers[index] === true) out.push(items[index]!)
  return out
}

/** Keys that are no texts become their text. First seen, first listed; keys that are whole numbers come before all others, as in every JSON object here. */
function groupBy(frame: Frame, items: readonly Value[], answers: readonly Value[]): Value {
  frame.list(items.length)
  frame.charge(items.length * HASHING_STEPS)
  const groups = new Map<string, Value[]>()
  for (let index = 0; index < items.length; index++) {
    const key = textOf(answers[index]!, frame)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [items[index]!])
    else group.push(items[index]!)
  }
  const out: Record<string, Value> = {}
  for (const [key, group] of groups) setField(out, key, group)
  return out
}

function count(answers: readonly Value[]): number {
  let found = 0
  for (const answer of answers) if (answer === true) found++
  return found
}

export const lambdaFunctions: Readonly<Record<string, LambdaFunction>> = {
  map: { enough: null, finish: (_, __, answers) => answers },
  flatMap: { enough: null, finish: (frame, _, answers) => flatten(frame, 'flatMap', answers) },
  filter: { enough: condition('filter', null), finish: where },
  count: { enough: condition('count', null), finish: (_, __, answers) => count(answers) },
  all: { enough: condition('all', false), finish: (_, __, answers) => answers.at(-1) !== false },
  any: { enough: condition('any', true), finish: (_, __, answers) => answers.at(-1) === true },
  sortBy: { enough: null, finish: (frame, items, answers) => sortByKeys(frame, 'sortBy', items, answers) },
  groupBy: { enough: null, finish: groupBy },
  maxBy: { enough: null, finish: (frame, items, answers) => extreme(frame, 'maxBy', items, answers, 1) },
  minBy: { enough: null, finish: (frame, items, answers) => extreme(frame, 'minBy', items, answers, -1) },
}
