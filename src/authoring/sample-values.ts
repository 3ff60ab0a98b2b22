// Sample values: values of a type, small and at its edges, to call tools with.
// Owns: which values. Does not own: whether a tool takes them: a schema may ask for more than its type can say.
//   V1. The same type gives the same values. Each fits its type; none: no value could be made (a pattern that is not matched by chance).
import type { Type, Value } from '#model/type.ts'
import { validate } from '#types/validate.ts'

const MAX_NESTING = 8
const MAX_VALUES = 3
/** Calls of one tool. */
const MAX_CALLS = 6
const texts = ['', 'a', 'two words', 'x1', '0', 'A', 'example.txt', '2026-01-01', 'https://example.com/', 'äöü 漢字\n👍']

/** At most MAX_VALUES values of a type; none where none could be made. */
export function samplesOf(type: Type, nesting = 0): Value[] {
  if (nesting > MAX_NESTING) return []
  return made(type, nesting).filter(each => validate(type, each) === null).slice(0, MAX_VALUES) // V1
}

function made(type: Type, nesting: number): Value[] {
  switch (type.kind) {
    case 'null': return [null]
    case 'bool': return [true, false]
    case 'int': return numbers(type).map(Math.trunc)
    case 'float': return [...numbers(type), (type.min ?? 0) + 0.5]
    case 'string': return stringsOf(type)
    case 'path': return ['example.txt', 'folder/other.txt']
    case 'url': return ['https://example.com/page']
    case 'bytes': return ['AQID', '']
    case 'duration': case 'size': case 'tokens': case 'money': return [1_000, 0]
    case 'any': case 'json': case 'variable': return [{ a: [1, 'b'] }, 1, 'text']
    case 'literal': return [type.value]
    case 'list': {
      const items = samplesOf(type.item, nesting + 1)
      return items.length === 0 ? [[]] : [items, [], [items[0]!]]
    }
    case 'map': {
      const [first] = samplesOf(type.value, nesting + 1)
      return first === undefined ? [{}] : [{ key: first }, {}]
    }
    case 'record': return records(Object.entries(type.fields).map(([name, field]) => ({ name, optional: field.optional, values: samplesOf(field.type, nesting + 1) })))
    case 'union': return type.members.flatMap(member => samplesOf(member, nesting + 1).slice(0, 1)).concat(type.members.flatMap(member => samplesOf(member, nesting + 1).slice(1, 2)))
    case 'untrusted': case 'secret': return made(type.of, nesting)
    case 'function': case 'never': return []
  }
}

function numbers({ min, max }: { readonly min?: number; readonly max?: number }): number[] {
  const least = min ?? Math.min(max ?? 0, 0)
  return [least, least + 1, ...(max === undefined ? [least + 7] : [max])]
}

function stringsOf({ minLength = 0, maxLength = Infinity }: Extract<Type, { kind: 'string' }>): Value[] {
  const long = 'a'.repeat(Math.min(Math.max(minLength, 1), 10_000))
  return ['two words', 'äöü 漢字\n👍', '', ...texts, long].map(each => [...each].slice(0, maxLength).join(''))
}

interface Part {
  readonly name: string
  readonly optional: boolean
  readonly values: readonly Value[]
}

/** With all parts, without the optional ones, then with other values. */
function records(parts: readonly Part[]): { readonly [name: string]: Value }[] {
  if (parts.some(each => !each.optional && each.values.length === 0)) return []
  const pick = (at: number, wanted: readonly Part[]): { readonly [name: string]: Value } => Object.fromEntries(wanted.filter(each => each.values.length > 0).map(each => [each.name, each.values[at % each.values.length]!]))
  return [pick(0, parts), pick(0, parts.filter(each => !each.optional)), pick(1, parts), pick(2, parts)]
}

/** Arguments to call a tool with, at most MAX_CALLS, all different; none where no value of a parameter could be made. */
export function sampleArguments(params: readonly { readonly name: string; readonly type: Type; readonly optional: boolean; readonly rest?: boolean }[]): { readonly [name: string]: Value }[] {
  const parts = params.map(({ name, type, optional, rest }): Part => ({ name, optional, values: samplesOf(rest === true ? { kind: 'list', item: type } : type) }))
  const all = records(parts)
  const seen = new Set<string>()
  return all.filter(each => {
    const key = JSON.stringify(each)
    return !seen.has(key) && seen.add(key)
  }).slice(0, MAX_CALLS)
}
