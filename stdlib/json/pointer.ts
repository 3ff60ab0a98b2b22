// Pointer: places in a JSON value, by JSON Pointer (RFC 6901); merging (RFC 7396); differences.
// Owns: reading, setting and comparing by place. Nothing here changes its arguments.
//   P1. Records are built with Object.fromEntries, which defines fields, so that a field named `__proto__` is data.
import { ToolFailure } from 'tek-lang/plugin'
import { canonical } from '../shared/canonical.ts'
import { field, isRecord, MAX_DEPTH, tooDeep, type Json } from './limits.ts'

const MAX_DIFFERENCES = 100_000

export function pointerParts(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) {
    throw new ToolFailure('bad-pointer', `\`${pointer.slice(0, 100)}\` is not a JSON Pointer: it must be empty or begin with \`/\`.`)
  }
  if (/~(?![01])/.test(pointer)) throw new ToolFailure('bad-pointer', 'In a JSON Pointer `~` is written `~0` and `/` in a name `~1`.')
  return pointer.slice(1).split('/').map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export const pointerOf = (parts: readonly string[]): string => parts.map(part => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const listIndex = (part: string): number | null => (/^(?:0|[1-9]\d{0,8})$/.test(part) ? Number(part) : null)

/** The value at a place, or undefined. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  let here: Json | undefined = value
  for (const part of pointerParts(pointer)) {
    if (Array.isArray(here)) {
      const index = listIndex(part)
      here = index === null ? undefined : here[index]
    } else if (isRecord(here)) here = field(here, part)
    else return undefined
  }
  return here
}

/** A copy with another value at a place; records on the way are made, lists only grow at their end (`-` or their length). */
export function withValueAt(value: Json, pointer: string, replacement: Json): Json {
  const parts = pointerParts(pointer)
  if (parts.length > MAX_DEPTH) throw tooDeep()
  const put = (here: Json | undefined, at: number): Json => {
    const part = parts[at]
    if (part === undefined) return replacement
    if (Array.isArray(here)) {
      const index = part === '-' ? here.length : listIndex(part)
      if (index === null || index > here.length) throw new ToolFailure('no-such-place', `There is no place ${pointerOf(parts.slice(0, at + 1))} in the list.`)
      const copy = [...here]
      copy[index] = put(here[index], at + 1)
      return copy
    }
    if (here !== undefined && here !== null && !isRecord(here)) {
      throw new ToolFailure('no-such-place', `What is at ${pointerOf(parts.slice(0, at)) || 'the top'} is neither a record nor a list.`)
    }
    const entries = new Map(Object.entries(here ?? {}))
    entries.set(part, put(entries.get(part), at + 1))
    return Object.fromEntries(entries) // P1
  }
  return put(value, 0)
}

/** JSON Merge Patch (RFC 7396): records merge field by field, null removes a field, everything else replaces. */
export function mergePatch(target: Json, patch: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) throw tooDeep()
  if (!isRecord(patch)) return patch
  const entries = new Map(isRecord(target) ? Object.entries(target) : [])
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) entries.delete(name)
    else entries.set(name, mergePatch(entries.get(name) ?? null, change, depth + 1))
  }
  return Object.fromEntries(entries) // P1
}

export interface Difference {
  pointer: string
  kind: 'added' | 'removed' | 'changed'
  before: Json
  after: Json
}

export function differences(before: Json, after: Json): Difference[] {
  const found: Difference[] = []
  const note = (parts: readonly string[], kind: Difference['kind'], from: Json, to: Json) => {
    if (found.length >= MAX_DIFFERENCES) throw new ToolFailure('too-many', `There are more than ${MAX_DIFFERENCES} differences.`)
    found.push({ pointer: pointerOf(parts), kind, before: from, after: to })
  }
  const compare = (from: Json, to: Json, parts: readonly string[]): void => {
    if (parts.length > MAX_DEPTH) throw tooDeep()
    const bothLists = Array.isArray(from) && Array.isArray(to)
    if (bothLists || (isRecord(from) && isRecord(to))) {
      const [left, right] = [new Map(Object.entries(from)), new Map(Object.entries(to))]
      for (const [name, value] of left) {
        const other = right.get(name)
        if (other === undefined) note([...parts, name], 'removed', value, null)
        else compare(value, other, [...parts, name])
      }
      for (const [name, value] of right) if (!left.has(name)) note([...parts, name], 'added', null, value)
    } else if (canonical(from) !== canonical(to)) note(parts, 'changed', from, to)
  }
  compare(before, after, [])
  return found
}
