// Prelude: every function that needs no module, by name.
// Owns: the list of names and the order of their parameters. Does not own: what each computes (the three prelude-*.ts files).
import { lambdaFunctions } from './prelude-lambdas.ts'
import { listFunctions } from './prelude-lists.ts'
import { valueFunctions, type Plain } from './prelude-values.ts'

/** Those that take values only. `count`, `all` and `any` of a list of bools are written with a lambda too. */
export const plainFunctions: ReadonlyMap<string, Plain> = new Map([...Object.entries(valueFunctions), ...Object.entries(listFunctions)])

/** Parameters by which arguments may be named, in order; of all functions of the prelude. `default` is `??` and has no code of its own. */
export const preludeParams: Readonly<Record<string, readonly string[]>> = {
  len: ['value'], range: ['from', 'to', 'step'], sum: ['list'], min: ['list'], max: ['list'], avg: ['list'], count: ['list', 'where'], all: ['list', 'where'],
  any: ['list', 'where'], first: ['list'], last: ['list'], take: ['list', 'n'], drop: ['list', 'n'], sort: ['list'], sortBy: ['list', 'key'], filter: ['list', 'where'],
  map: ['list', 'each'], flatMap: ['list', 'each'], flatten: ['lists'], unique: ['list'], groupBy: ['list', 'key'], zip: ['left', 'right'], keys: ['value'],
  values: ['value'], contains: ['value', 'part'], join: ['list', 'separator'], split: ['text', 'separator'], trim: ['text'], lower: ['text'], upper: ['text'],
  replace: ['text', 'from', 'to'], round: ['value', 'digits'], floor: ['value'], ceil: ['value'], mod: ['value', 'by'], abs: ['value'], maxBy: ['list', 'key'],
  minBy: ['list', 'key'], empty: ['value'], default: ['value', 'otherwise'], string: ['value'], int: ['value'], float: ['value'], fail: ['message'], trust: ['value', 'because'],
}

/** Every name of the prelude. */
export const preludeFunctions: ReadonlySet<string> = new Set(Object.keys(preludeParams))

export { lambdaFunctions }
