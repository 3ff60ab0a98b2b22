// Validate: does a value that came from outside have this type?
// Owns: the run-time meaning of every type. Does not own: representations outside tek (codec.ts).
//   V1. Agrees with JSON Schema as json-schema.ts writes it, and is stricter in three things: depth, text that is well-formed Unicode, text patterns by RE2.
//   V2. A path in the answer is built only when something is wrong; good values cost no allocation.
//   V3. Qualifiers change nothing: they say where a value may go, not what it is.
import { compilePattern } from '#base/pattern.ts'
import { isWellFormed, textLength, toWellFormed } from '#base/unicode.ts'
import type { Type } from '#model/type.ts'
import { printType } from './print.ts'

/** Levels of lists and records in a value. */
export const MAX_VALUE_DEPTH = 128

/** Parts of a value, counted as often as they are mentioned: a value that holds itself, or one part a million times, comes to an end. */
const MAX_VALUE_NODES = 20_000_000
let nodesLeft = 0

export interface ValueProblem {
  /** `findings[3].line`; empty for the value itself. */
  readonly path: string
  /** `int is needed, the text "x" is given` */
  readonly message: string
}

/**
 * What is wrong with a value, or null when it has the type.
 *
 * @param limits.depth levels of nesting allowed (default 128).
 * @example
 * validate({ kind: 'list', item: { kind: 'int' } }, [1, 'x']) // { path: '[1]', message: 'int is needed, the text "x" is given' }
 */
export function validate(type: Type, value: unknown, limits: { readonly depth?: number } = {}): ValueProblem | null {
  nodesLeft = MAX_VALUE_NODES
  const problem = check(type, value, limits.depth ?? MAX_VALUE_DEPTH)
  return problem !== null && problem.path.startsWith('.') ? { path: problem.path.slice(1), message: problem.message } : problem
}

/** With a length that is a multiple of 4. A pattern by groups of four overflows the stack on some megabytes. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function check(type: Type, value: unknown, depth: number): ValueProblem | null {
  switch (type.kind) {
    case 'any':
    case 'json':
      return checkJson(value, depth)
    case 'untrusted':
    case 'secret':
      return check(type.of, value, depth) // V3
    case 'null':
      return value === null ? null : wrong(type, value)
    case 'bool':
      return typeof value === 'boolean' ? null : wrong(type, value)
    case 'int':
    case 'float':
      return checkNumber(type, value)
    case 'tokens':
    case 'money':
      return typeof value === 'number' && Number.isSafeInteger(value) ? null : wrong(type, value)
    case 'duration':
    case 'size':
      return typeof value === 'number' && Number.isFinite(value) ? null : wrong(type, value)
    case 'string':
      return checkText(type, value)
    case 'path':
    case 'url':
      return typeof value === 'string' ? wellFormed(value) : wrong(type, value)
    case 'bytes':
      if (typeof value !== 'string') return wrong(type, value)
      return value.length % 4 === 0 && BASE64.test(value) ? null : { path: '', message: 'bytes are needed as base64 text' }
    case 'literal':
      return value === type.value ? null : wrong(type, value)
    case 'list': {
      if (!Array.isArray(value)) return wrong(type, value)
      if (depth <= 0) return tooDeep
      if ((nodesLeft -= value.length + 1) < 0) return tooLarge
      for (let index = 0; index < value.length; index++) {
        const problem = check(type.item, value[index], depth - 1)
        if (problem !== null) return inside(`[${index}]`, problem)
      }
      return null
    }
    case 'map': {
      if (!isRecord(value)) return wrong(type, value)
      if (depth <= 0) return tooDeep
      for (const key of Object.keys(value)) {
        if (--nodesLeft < 0) return tooLarge
        const problem = wellFormed(key) ?? check(type.value, value[key], depth - 1)
        if (problem !== null) return inside(member(key), problem)
      }
      return null
    }
    case 'record':
      return checkRecord(type, value, depth)
    case 'union':
      return checkUnion(type, value, depth)
    case 'never':
    case 'function':
    case 'variable':
      return wrong(type, value)
  }
}

function checkNumber(type: Extract<Type, { kind: 'int' | 'float' }>, value: unknown): ValueProblem | null {
  if (typeof value !== 'number' || !(type.kind === 'int' ? Number.isSafeInteger(value) : Number.isFinite(value))) return wrong(type, value)
  if (type.min !== undefined && value < type.min) return { path: '', message: `${value} is below ${type.min}` }
  return type.max !== undefined && value > type.max ? { path: '', message: `${value} is above ${type.max}` } : null
}

function checkText(type: Extract<Type, { kind: 'string' }>, value: unknown): ValueProblem | null {
  if (typeof value !== 'string') return wrong(type, value)
  if (type.minLength !== undefined || type.maxLength !== undefined) {
    const length = textLength(value)
    if (length < (type.minLength ?? 0)) return { path: '', message: `the text is shorter than ${type.minLength} characters` }
    if (length > (type.maxLength ?? Infinity)) return { path: '', message: `the text is longer than ${type.maxLength} characters` }
  }
  if (type.pattern !== undefined) {
    const compiled = compilePattern(type.pattern)
    if ('problem' in compiled) return { path: '', message: `the pattern ${type.pattern} is not a regular expression: ${compiled.problem}` }
    if (!compiled.pattern.test(value)) return { path: '', message: `the text does not match ${type.pattern}` }
  }
  return wellFormed(value)
}

function checkRecord(type: Extract<Type, { kind: 'record' }>, value: unknown, depth: number): ValueProblem | null {
  if (!isRecord(value)) return wrong(type, value)
  if (depth <= 0) return tooDeep
  if (--nodesLeft < 0) return tooLarge
  const { fields } = type
  let known = 0
  for (const name in fields) {
    const field = fields[name]!
    const given = Object.hasOwn(value, name) ? value[name] : undefined
    if (given === undefined) {
      if (!field.optional) return { path: '', message: `the field \`${name}\` (${printType(field.type)}) is missing` }
      continue
    }
    known++
    const problem = check(field.type, given, depth - 1)
    if (problem !== null) return inside(member(name), problem)
  }
  const names = Object.keys(value)
  if (names.length > known) {
    // A field nobody asked for may stay, but it must be data: it is printed, compared and journalled with the rest.
    for (const name of names) {
      if (Object.hasOwn(fields, name) || value[name] === undefined) continue
      const problem = wellFormed(name) ?? checkJson(value[name], depth - 1)
      if (problem !== null) return inside(member(name), problem)
    }
  }
  return null
}

function checkUnion(type: Extract<Type, { kind: 'union' }>, value: unknown, depth: number): ValueProblem | null {
  let nearest: ValueProblem | null = null
  for (const each of type.members) {
    const problem = check(each, value, depth)
    if (problem === null) return null
    // The member whose failure lies deepest is most likely the one that was meant.
    if (problem.path !== '' && (nearest === null || problem.path.length > nearest.path.length)) nearest = problem
  }
  return nearest ?? wrong(type, value)
}

/** Any plain data: no functions, dates, NaN, or `undefined` in lists. */
function checkJson(value: unknown, depth: number): ValueProblem | null {
  switch (typeof value) {
    case 'string':
      return wellFormed(value)
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : { path: '', message: `${value} is not a number tek knows` }
    case 'object': {
      if (value === null) return null
      if (depth <= 0) return tooDeep
      if (Array.isArray(value)) {
        if ((nodesLeft -= value.length + 1) < 0) return tooLarge
        for (let index = 0; index < value.length; index++) {
          const problem = checkJson(value[index], depth - 1)
          if (problem !== null) return inside(`[${index}]`, problem)
        }
        return null
      }
      if (!isRecord(value)) break
      for (const key of Object.keys(value)) {
        if (--nodesLeft < 0) return tooLarge
        if (value[key] === undefined) continue
        const problem = wellFormed(key) ?? checkJson(value[key], depth - 1)
        if (problem !== null) return inside(member(key), problem)
      }
      return null
    }
    default:
  }
  return { path: '', message: `plain data is needed, ${describe(value)} is given` }
}

const tooDeep: ValueProblem = { path: '', message: 'the value is nested too deep' }
const tooLarge: ValueProblem = { path: '', message: 'the value has too many parts' }

function wellFormed(text: string): ValueProblem | null {
  return isWellFormed(text) ? null : { path: '', message: 'the text holds half of a character (a lone surrogate)' }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

const PLAIN_WORD = /^[A-Za-z_][A-Za-z0-9_]*$/

function member(key: string): string {
  return PLAIN_WORD.test(key) ? `.${key}` : `[${JSON.stringify(toWellFormed(key))}]`
}

function inside(step: string, problem: ValueProblem): ValueProblem {
  return { path: step + problem.path, message: problem.message }
}

function wrong(type: Type, value: unknown): ValueProblem {
  return { path: '', message: `${printType(type)} is needed, ${describe(value)} is given` }
}

const MAX_SHOWN_TEXT = 40

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'string':
      return value.length > MAX_SHOWN_TEXT ? 'a text' : `the text ${JSON.stringify(toWellFormed(value))}`
    case 'number':
    case 'boolean':
      return String(value)
    case 'object':
      return isRecord(value) ? 'a record' : 'something that is not data'
    default:
      return 'something that is not data'
  }
}
