// Schema: checks a value against a JSON Schema (2020-12), without generating code.
// Owns: type, enum, const, properties, required, additionalProperties, patternProperties, propertyNames, items, prefixItems, contains, uniqueItems, dependentRequired,
//   the bounds of numbers, texts, lists and records, pattern (RE2), allOf, anyOf, oneOf, not, if/then/else, and `$ref` inside the document.
// Does not own: `format` (not checked), references to other documents (refused), `unevaluated…` and dynamic references (refused).
//   S1. Recursion is bounded by MAX_DEPTH of value and schema together, work by MAX_STEPS.
import { RE2JS } from 're2js'
import { ToolFailure } from 'tek-lang/plugin'
import { canonical } from '../shared/canonical.ts'
import { field, isRecord, type Json } from './limits.ts'
import { pointerOf, valueAt } from './pointer.ts'

const MAX_PROBLEMS = 100
const MAX_STEPS = 5_000_000
const MAX_DEPTH = 256
const REFUSED = ['unevaluatedProperties', 'unevaluatedItems', '$dynamicRef', '$recursiveRef']

export interface Problem {
  pointer: string
  message: string
}

const kindOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'object' ? 'object' : typeof value)
const hasType = (value: Json, type: string): boolean => (type === 'integer' ? typeof value === 'number' && Number.isInteger(value) : kindOf(value) === type)
const shown = (value: Json): string => canonical(value).slice(0, 80)

class Check {
  steps = 0
  readonly root: Json
  readonly patterns = new Map<string, RE2JS>()
  constructor(root: Json) {
    this.root = root
  }

  private matches(pattern: string, text: string): boolean {
    let compiled = this.patterns.get(pattern)
    if (compiled === undefined) {
      try {
        compiled = RE2JS.compile(pattern)
      } catch (problem) {
        throw new ToolFailure('bad-schema', `The schema's pattern \`${pattern.slice(0, 100)}\` cannot be used: ${(problem as Error).message}.`)
      }
      this.patterns.set(pattern, compiled)
    }
    return compiled.matcher(text).find()
  }

  private resolved(reference: string): Json {
    if (!reference.startsWith('#')) throw new ToolFailure('bad-schema', `The reference \`${reference.slice(0, 100)}\` leads out of the schema.`)
    const target = valueAt(this.root, decodeURIComponent(reference.slice(1)))
    if (target === undefined) throw new ToolFailure('bad-schema', `The reference \`${reference.slice(0, 100)}\` leads nowhere.`)
    return target
  }

  problems(value: Json, schema: Json, at: readonly string[], depth: number): Problem[] {
    if (depth > MAX_DEPTH) throw new ToolFailure('too-deep', `The schema goes more than ${MAX_DEPTH} deep; does a reference lead to itself?`)
    if (++this.steps > MAX_STEPS) throw new ToolFailure('too-large', `The check takes more than ${MAX_STEPS} steps.`)
    if (schema === true) return []
    if (schema === false) return [{ pointer: pointerOf(at), message: 'nothing is allowed here' }]
    if (!isRecord(schema)) throw new ToolFailure('bad-schema', `A schema is a record or a bool, not ${shown(schema)}.`)
    for (const keyword of REFUSED) if (field(schema, keyword) !== undefined) throw new ToolFailure('bad-schema', `The keyword \`${keyword}\` is not supported.`)
    const found: Problem[] = []
    const say = (message: string) => found.push({ pointer: pointerOf(at), message })
    const reference = field(schema, '$ref')
    if (typeof reference === 'string') found.push(...this.problems(value, this.resolved(reference), at, depth + 1))
    this.own(value, schema, say)
    if (isRecord(value)) found.push(...this.ofRecord(value, schema, at, depth, say))
    if (Array.isArray(value)) found.push(...this.ofList(value, schema, at, depth, say))
    found.push(...this.combined(value, schema, at, depth, say))
    return found.slice(0, MAX_PROBLEMS)
  }

  private own(value: Json, schema: { [key: string]: Json }, say: (message: string) => void): void {
    const number = (name: string) => {
      const limit = field(schema, name)
      return typeof limit === 'number' ? limit : null
    }
    const types = field(schema, 'type')
    const wanted = typeof types === 'string' ? [types] : Array.isArray(types) ? types.map(String) : null
    if (wanted !== null && !wanted.some(type => hasType(value, type))) say(`must be ${wanted.join(' or ')}, is ${kindOf(value)}`)
    const options = field(schema, 'enum')
    if (Array.isArray(options) && !options.some(option => canonical(option) === canonical(value))) say(`must be one of ${options.map(shown).join(', ')}`)
    const constant = field(schema, 'const')
    if (constant !== undefined && canonical(constant) !== canonical(value)) say(`must be ${shown(constant)}`)
    const bound = (name: string, actual: number, fine: (actual: number, limit: number) => boolean, words: string) => {
      const limit = number(name)
      if (limit !== null && !fine(actual, limit)) say(`${words} ${limit}, is ${actual}`)
    }
    if (typeof value === 'number') {
      bound('minimum', value, (a, b) => a >= b, 'must be at least')
      bound('maximum', value, (a, b) => a <= b, 'must be at most')
      bound('exclusiveMinimum', value, (a, b) => a > b, 'must be more than')
      bound('exclusiveMaximum', value, (a, b) => a < b, 'must be less than')
      bound('multipleOf', value, (a, b) => b > 0 && Math.abs(a / b - Math.round(a / b)) < 1e-9, 'must be a multiple of')
    }
    if (typeof value === 'string') {
      const length = [...value].length
      bound('minLength', length, (a, b) => a >= b, 'length must be at least')
      bound('maxLength', length, (a, b) => a <= b, 'length must be at most')
      const pattern = field(schema, 'pattern')
      if (typeof pattern === 'string' && !this.matches(pattern, value)) say(`must match ${pattern}`)
    }
    const size = Array.isArray(value) ? value.length : isRecord(value) ? Object.keys(value).length : null
    if (size !== null) {
      bound(Array.isArray(value) ? 'minItems' : 'minProperties', size, (a, b) => a >= b, 'size must be at least')
      bound(Array.isArray(value) ? 'maxItems' : 'maxProperties', size, (a, b) => a <= b, 'size must be at most')
    }
  }

  private ofRecord(value: { [key: string]: Json }, schema: { [key: string]: Json }, at: readonly string[], depth: number, say: (m: string) => void): Problem[] {
    const found: Problem[] = []
    const required = field(schema, 'required')
    if (Array.isArray(required)) for (const name of required) if (!Object.hasOwn(value, String(name))) say(`must have the field \`${String(name)}\``)
    const dependent = field(schema, 'dependentRequired')
    if (isRecord(dependent)) {
      for (const [name, others] of Object.entries(dependent)) {
        if (!Object.hasOwn(value, name) || !Array.isArray(others)) continue
        for (const other of others) if (!Object.hasOwn(value, String(other))) say(`must have the field \`${String(other)}\` because it has \`${name}\``)
      }
    }
    const properties = field(schema, 'properties')
    const patterned = field(schema, 'patternProperties')
    const additional = field(schema, 'additionalProperties')
    const names = field(schema, 'propertyNames')
    for (const [name, child] of Object.entries(value)) {
      const here = [...at, name]
      const own = isRecord(properties) ? field(properties, name) : undefined
      let covered = own !== undefined
      if (own !== undefined) found.push(...this.problems(child, own, here, depth + 1))
      for (const [pattern, rule] of isRecord(patterned) ? Object.entries(patterned) : []) {
        if (!this.matches(pattern, name)) continue
        covered = true
        found.push(...this.problems(child, rule, here, depth + 1))
      }
      if (!covered && additional === false) found.push({ pointer: pointerOf(here), message: 'is not a field that is allowed here' })
      else if (!covered && additional !== undefined) found.push(...this.problems(child, additional, here, depth + 1))
      if (names !== undefined) found.push(...this.problems(name, names, here, depth + 1))
    }
    return found
  }

  private ofList(value: Json[], schema: { [key: string]: Json }, at: readonly string[], depth: number, say: (m: string) => void): Problem[] {
    const found: Problem[] = []
    const first = field(schema, 'prefixItems')
    const prefix = Array.isArray(first) ? first : []
    const items = field(schema, 'items')
    value.forEach((child, index) => {
      const rule = prefix[index] ?? items
      if (rule !== undefined) found.push(...this.problems(child, rule, [...at, String(index)], depth + 1))
    })
    if (field(schema, 'uniqueItems') === true && new Set(value.map(item => canonical(item))).size < value.length) say('must not hold the same value twice')
    const contains = field(schema, 'contains')
    if (contains !== undefined) {
      const count = value.filter(item => this.problems(item, contains, at, depth + 1).length === 0).length
      const [least, most] = [field(schema, 'minContains'), field(schema, 'maxContains')]
      if (count < (typeof least === 'number' ? least : 1)) say('must hold a matching item')
      if (typeof most === 'number' && count > most) say(`must hold at most ${most} matching items`)
    }
    return found
  }

  private combined(value: Json, schema: { [key: string]: Json }, at: readonly string[], depth: number, say: (m: string) => void): Problem[] {
    const found: Problem[] = []
    const passes = (rule: Json) => this.problems(value, rule, at, depth + 1).length === 0
    const rules = (name: string): Json[] => {
      const list = field(schema, name)
      return Array.isArray(list) ? list : []
    }
    for (const rule of rules('allOf')) found.push(...this.problems(value, rule, at, depth + 1))
    if (field(schema, 'anyOf') !== undefined && !rules('anyOf').some(passes)) say('must fit one of the allowed forms')
    if (field(schema, 'oneOf') !== undefined) {
      const fitting = rules('oneOf').filter(passes).length
      if (fitting !== 1) say(`must fit exactly one of the allowed forms, fits ${fitting}`)
    }
    const not = field(schema, 'not')
    if (not !== undefined && passes(not)) say('has a form that is not allowed')
    const condition = field(schema, 'if')
    if (condition !== undefined) {
      const branch = field(schema, passes(condition) ? 'then' : 'else')
      if (branch !== undefined) found.push(...this.problems(value, branch, at, depth + 1))
    }
    return found
  }
}

/** What is wrong with a value, by place; at most 100 problems. */
export const schemaProblems = (value: Json, schema: Json): Problem[] => new Check(schema).problems(value, schema, [], 0).slice(0, MAX_PROBLEMS)
