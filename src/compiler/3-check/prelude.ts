// Prelude: the functions that need no module, as a table of signatures.
// Owns: their names, parameters and types. Does not own: what they compute (interpreter/engine/evaluate; a test ties the names).
//   R1. A result that signatures cannot say (`sum` keeps the unit, `default` joins) is refined from the arguments' types.
//   R2. What may be empty gives `T?`: first, last, min, max, avg, maxBy, minBy; and int and float of a text.
import type { FunctionSignature, ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, boolType, floatType, intType, join, literalBase, nonNull, optional, qualifiersOf, qualifiersWithin, qualify, stringType, stripQualifiers, union } from '#types/construct.ts'
import { withoutUntrusted } from '#types/trust.ts'
import { type Family, familyOf } from './families.ts'

export interface PreludeFunction extends FunctionSignature {
  /** R1: the result from the arguments' types, by parameter; `usual` is what the signature says. */
  readonly refine?: (args: ReadonlyMap<string, Type>, usual: Type) => Type
}

const T: Type = { kind: 'variable', name: 'T' }
const U: Type = { kind: 'variable', name: 'U' }
const list = (item: Type): Type => ({ kind: 'list', item })
const map = (value: Type): Type => ({ kind: 'map', value })
const fn = (param: Type, result: Type): Type => ({ kind: 'function', params: [param], result })
const number: Type = floatType

type Param = readonly [name: string, type: Type, optional?: 'optional']

function define(doc: string, params: readonly Param[], result: Type, refine?: PreludeFunction['refine']): Omit<PreludeFunction, 'name'> {
  const made = params.map(([name, type, mode]): ParamSignature => ({ name, doc: '', type, optional: mode === 'optional' }))
  return { doc, params: made, result, effect: 'pure', runs: 'thread', needs: [], untrusted: false, ...(refine ? { refine } : {}) }
}

const bareArg = (args: ReadonlyMap<string, Type>, name: string): Type => stripQualifiers(args.get(name) ?? anyType)

/** The number type of a list's items: unit and all. */
function itemNumber(args: ReadonlyMap<string, Type>): Type {
  const items = bareArg(args, 'list')
  if (items.kind !== 'list') return items.kind === 'any' ? anyType : floatType
  const family = familyOf(items.item)
  if (family === 'any') return items.item.kind === 'never' ? intType : anyType
  return numberOfFamily(family)
}

function numberOfFamily(family: Family): Type {
  if (family === 'duration' || family === 'size' || family === 'tokens' || family === 'money') return { kind: family }
  return family === 'int' ? intType : floatType
}

const isWhole = (type: Type): boolean => literalBase(stripQualifiers(type)).kind === 'int'
const isUnknown = (args: ReadonlyMap<string, Type>): boolean => [...args.values()].some(type => stripQualifiers(type).kind === 'any')
const toInt = (args: ReadonlyMap<string, Type>, usual: Type): Type => {
  const family = familyOf(bareArg(args, 'value'))
  return family === 'text' || family === 'other' || family === 'any' ? usual : nonNull(usual)
}
const measured: Type = union([stringType, list(anyType), map(anyType)])
const numeric: Type = union([floatType, { kind: 'duration' }, { kind: 'size' }, { kind: 'tokens' }, { kind: 'money' }])

const table: Readonly<Record<string, Omit<PreludeFunction, 'name'>>> = {
  len: define('How many items, characters or keys.', [['value', measured]], intType),
  range: define('The whole numbers from 0, or `from`, up to but without the end.', [['from', intType], ['to', intType, 'optional'], ['step', intType, 'optional']], list(intType)),
  sum: define('The sum of numbers; 0 for none.', [['list', list(numeric)]], floatType, args => itemNumber(args)),
  min: define('The least item; null for none.', [['list', list(T)]], optional(T), (_, usual) => widened(usual)),
  max: define('The greatest item; null for none.', [['list', list(T)]], optional(T), (_, usual) => widened(usual)),
  avg: define('The mean of numbers; null for none.', [['list', list(numeric)]], optional(floatType), args => {
    const item = itemNumber(args)
    return optional(item.kind === 'int' ? floatType : item)
  }),
  count: define('How many items meet a condition; `len` counts all.', [['list', list(T)], ['where', fn(T, boolType)]], intType),
  all: define('Whether every item meets a condition.', [['list', list(T)], ['where', fn(T, boolType)]], boolType),
  any: define('Whether at least one item meets a condition.', [['list', list(T)], ['where', fn(T, boolType)]], boolType),
  first: define('The first item; null for none.', [['list', list(T)]], optional(T)),
  last: define('The last item; null for none.', [['list', list(T)]], optional(T)),
  take: define('The first n items.', [['list', list(T)], ['n', intType]], list(T)),
  drop: define('All but the first n items.', [['list', list(T)], ['n', intType]], list(T)),
  sort: define('Items in order.', [['list', list(T)]], list(T)),
  sortBy: define('Items in the order of what the function gives for them.', [['list', list(T)], ['key', fn(T, anyType)]], list(T)),
  filter: define('The items that meet a condition.', [['list', list(T)], ['where', fn(T, boolType)]], list(T)),
  map: define('What the function gives for each item.', [['list', list(T)], ['each', fn(T, U)]], list(U)),
  flatMap: define('What the function gives for each item, in one list.', [['list', list(T)], ['each', fn(T, list(U))]], list(U)),
  flatten: define('A list of lists as one list; nulls among them are left out.', [['lists', list(optional(list(T)))]], list(T)),
  unique: define('Items without repetitions, in order of first appearance.', [['list', list(T)]], list(T)),
  groupBy: define('Items by what the function gives for them.', [['list', list(T)], ['key', fn(T, anyType)]], map(list(T)), (args, usual) => {
    const key = args.get('key') // the keys are text made of what it gives
    return qualify(usual, { untrusted: key?.kind === 'function' && qualifiersWithin(key.result).untrusted })
  }),
  zip: define('Pairs of items at the same place, as far as the shorter list goes.', [['left', list(T)], ['right', list(U)]], list(list(union([T, U])))),
  keys: define('The keys of a map or record, in order.', [['value', map(anyType)]], list(stringType)),
  values: define('The values of a map or record, in the order of their keys.', [['value', map(T)]], list(T)),
  contains: define('Whether a list holds an item, a text a part, or a map a key.', [['value', measured], ['part', anyType]], boolType),
  join: define('Items as one text, with a separator.', [['list', list(anyType)], ['separator', stringType, 'optional']], stringType),
  split: define('The parts of a text between separators.', [['text', stringType], ['separator', stringType]], list(stringType)),
  trim: define('A text without blanks at its ends.', [['text', stringType]], stringType),
  lower: define('A text in lower case.', [['text', stringType]], stringType),
  upper: define('A text in upper case.', [['text', stringType]], stringType),
  replace: define('A text with every `from` replaced by `to`.', [['text', stringType], ['from', stringType], ['to', stringType]], stringType),
  round: define('The nearest whole number, or number of so many digits.', [['value', number], ['digits', intType, 'optional']], intType, (args, usual) => (args.has('digits') ? floatType : usual)),
  floor: define('The greatest whole number that is not greater.', [['value', number]], intType),
  ceil: define('The least whole number that is not less.', [['value', number]], intType),
  mod: define('The remainder of a division, with the sign of the divisor.', [['value', number], ['by', number]], floatType, (args, usual) =>
    (isWhole(bareArg(args, 'value')) && isWhole(bareArg(args, 'by')) ? intType : isUnknown(args) ? anyType : usual)),
  abs: define('A number without its sign.', [['value', numeric]], floatType, args => {
    const family = familyOf(bareArg(args, 'value'))
    return family === 'any' ? anyType : numberOfFamily(family)
  }),
  maxBy: define('The item for which the function gives most; null for none.', [['list', list(T)], ['key', fn(T, anyType)]], optional(T)),
  minBy: define('The item for which the function gives least; null for none.', [['list', list(T)], ['key', fn(T, anyType)]], optional(T)),
  empty: define('Whether there is nothing in it.', [['value', optional(measured)]], boolType),
  default: define('The value, or another one where it is null.', [['value', optional(T)], ['otherwise', U]], union([T, U]), args => {
    const value = args.get('value') ?? anyType
    return join(nonNull(value), args.get('otherwise') ?? anyType)
  }),
  string: define('A value as text.', [['value', anyType]], stringType),
  int: define('A number as a whole one; a text as one, or null.', [['value', anyType]], optional(intType), toInt),
  float: define('A text or number as a number, or null.', [['value', anyType]], optional(floatType), toInt),
  fail: define('Fails the task.', [['message', stringType]], { kind: 'never' }),
  trust: define('Takes the mark `untrusted` off a value, for a reason that is kept.', [['value', T], ['because', stringType]], T, args => withoutUntrusted(args.get('value') ?? anyType)),
}

/** `1 | 2` → `int`: the least of two literals is no longer known. */
function widened(type: Type): Type {
  const bare = stripQualifiers(type)
  if (bare.kind !== 'union') return type
  return qualify(union(bare.members.map(member => (member.kind === 'literal' && typeof member.value === 'number' ? literalBase(member) : member))), qualifiersOf(type))
}

export const prelude: ReadonlyMap<string, PreludeFunction> = new Map(Object.entries(table).map(([name, made]) => [name, { ...made, name }]))

/** Every name of the prelude; the evaluator implements exactly these. */
export const preludeNames: ReadonlySet<string> = new Set(prelude.keys())
