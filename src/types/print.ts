// Print: a type as a user writes it.
// Owns: the text. Does not own: layout of long types (one line always).
import { unreachable } from '#base/invariant.ts'
import type { FieldType, Type } from '#model/type.ts'

/** Deeper parts are printed as `…`; messages never need them. */
const MAX_PRINTED_DEPTH = 32
const PLAIN_WORD = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * The type in tek's own spelling; a declared type by its name.
 *
 * @param options.expand prints the outermost declared type's definition instead of its name.
 * @example
 * printType({ kind: 'list', item: { kind: 'union', members: [{ kind: 'int' }, { kind: 'null' }] } }) // 'int?[]'
 */
export function printType(type: Type, options: { readonly expand?: boolean } = {}): string {
  return print(type, 0, options.expand === true)
}

function print(type: Type, depth: number, expand: boolean): string {
  if (depth > MAX_PRINTED_DEPTH) return '…'
  switch (type.kind) {
    case 'int':
    case 'float':
      return type.kind + refinement(type)
    case 'string':
      return `string${textRefinement(type)}`
    case 'literal':
      return JSON.stringify(type.value)
    case 'list':
      return `${postfixOperand(type.item, depth + 1)}[]`
    case 'map':
      return `map<${print(type.value, depth + 1, false)}>`
    case 'record':
      return type.name !== undefined && !expand ? type.name : record(type.fields, depth + 1)
    case 'union':
      return type.name !== undefined && !expand ? type.name : unionText(type.members, depth + 1)
    case 'function':
      return `(${type.params.map(param => print(param, depth + 1, false)).join(', ')}) => ${print(type.result, depth + 1, false)}`
    case 'variable':
      return type.name
    case 'untrusted':
    case 'secret':
      return `${type.kind} ${needsParens(type.of) ? `(${print(type.of, depth + 1, false)})` : print(type.of, depth + 1, false)}`
    case 'any':
    case 'never':
    case 'null':
    case 'bool':
    case 'path':
    case 'url':
    case 'bytes':
    case 'duration':
    case 'size':
    case 'tokens':
    case 'money':
    case 'json':
      return type.kind
    default:
      return unreachable(type)
  }
}

function record(fields: Readonly<Record<string, FieldType>>, depth: number): string {
  const parts = Object.entries(fields).map(([name, field]) => {
    const key = PLAIN_WORD.test(name) ? name : JSON.stringify(name)
    return `${key}${field.optional ? '?' : ''}: ${print(field.type, depth, false)}`
  })
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`
}

function unionText(members: readonly Type[], depth: number): string {
  const last = members.at(-1)
  if (members.length === 2 && last?.kind === 'null') return `${postfixOperand(members[0]!, depth)}?`
  return members.map(member => (member.kind === 'function' ? `(${print(member, depth, false)})` : print(member, depth, false))).join(' | ')
}

/** `[]` and `?` bind tighter than qualifiers, `|` and `=>`. */
function postfixOperand(type: Type, depth: number): string {
  const text = print(type, depth, false)
  return needsParens(type) || type.kind === 'untrusted' || type.kind === 'secret' ? `(${text})` : text
}

function needsParens(type: Type): boolean {
  if (type.kind === 'function') return true
  if (type.kind !== 'union' || type.name !== undefined) return false
  return !(type.members.length === 2 && type.members[1]!.kind === 'null')
}

function refinement(type: { readonly min?: number; readonly max?: number }): string {
  if (type.min !== undefined && type.max !== undefined) return `(${type.min}..${type.max})`
  if (type.min !== undefined) return `(min: ${type.min})`
  return type.max === undefined ? '' : `(max: ${type.max})`
}

function textRefinement(type: { readonly pattern?: string; readonly minLength?: number; readonly maxLength?: number }): string {
  const parts: string[] = []
  if (type.pattern !== undefined) {
    const isRaw = !/["\n\r]/.test(type.pattern)
    parts.push(`matches: ${isRaw ? `r"${type.pattern}"` : JSON.stringify(type.pattern).replaceAll('${', '\\${')}`)
  }
  if (type.minLength !== undefined) parts.push(`min: ${type.minLength}`)
  if (type.maxLength !== undefined) parts.push(`max: ${type.maxLength}`)
  return parts.length === 0 ? '' : `(${parts.join(', ')})`
}
