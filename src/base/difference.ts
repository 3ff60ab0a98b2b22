// Difference: in what two plain values differ, place by place.
// Owns: finding it, within bounds. Does not own: showing it.
//   D1. What is equal is not told; of two records the fields that differ, of two lists the items, of two texts of several lines the lines.
//   D2. Items of lists are aligned where that can be afforded (MAX_ALIGNED): one that was put in does not make all that follow differ.
//   D3. At most so many places are told as were asked for, and that there are more.
import { canonicalJson, type Json } from './json.ts'

/** Pairs of items that are compared to align two lists; longer ones are compared item by item. // D2 */
const MAX_ALIGNED = 250_000
/** Levels that are looked into; what is deeper differs as a whole. */
const MAX_LEVELS = 64
/** Places that are told where nothing is said. */
const STANDARD_PLACES = 40

export interface Difference {
  /** Names of fields and numbers of items (from 0) on the way; `line 3` (from 1) within a text. */
  readonly path: readonly (string | number)[]
  /** `added`: only on the right; `removed`: only on the left. */
  readonly kind: 'added' | 'removed' | 'changed'
  readonly left?: Json
  readonly right?: Json
}

export interface Differences {
  readonly places: readonly Difference[]
  /** There are more than are told. // D3 */
  readonly isMore: boolean
}

type Path = readonly (string | number)[]

/**
 * The places in which two values differ, in the order of the left one.
 *
 * @param most places that are told, at most.
 * @example
 * differencesOf({ a: [1, 2] }, { a: [1, 3] }).places // [{ path: ['a', 1], kind: 'changed', left: 2, right: 3 }]
 */
export function differencesOf(left: Json, right: Json, most: number = STANDARD_PLACES): Differences {
  const finder = new Finder(most + 1)
  finder.compare(left, right, [])
  return { places: finder.found.slice(0, most), isMore: finder.found.length > most }
}

class Finder {
  readonly found: Difference[] = []
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  compare(left: Json, right: Json, path: Path): void {
    if (this.found.length >= this.most || same(left, right)) return
    if (path.length >= MAX_LEVELS) return this.add({ path, kind: 'changed', left, right })
    if (Array.isArray(left) && Array.isArray(right)) return this.lists(left as readonly Json[], right as readonly Json[], path, index => index)
    if (isRecord(left) && isRecord(right)) return this.records(left, right, path)
    if (typeof left === 'string' && typeof right === 'string' && left.includes('\n') && right.includes('\n')) return this.lists(left.split('\n'), right.split('\n'), path, index => `line ${index + 1}`)
    this.add({ path, kind: 'changed', left, right })
  }

  private add(difference: Difference): void {
    if (this.found.length < this.most) this.found.push(difference)
  }

  private records(left: Readonly<Record<string, Json | undefined>>, right: Readonly<Record<string, Json | undefined>>, path: Path): void {
    for (const [name, value] of Object.entries(left)) {
      if (value === undefined) continue
      const other = Object.hasOwn(right, name) ? right[name] : undefined
      if (other === undefined) this.add({ path: [...path, name], kind: 'removed', left: value })
      else this.compare(value, other, [...path, name])
    }
    for (const [name, value] of Object.entries(right)) {
      if (value !== undefined && (!Object.hasOwn(left, name) || left[name] === undefined)) this.add({ path: [...path, name], kind: 'added', right: value })
    }
  }

  private lists(left: readonly Json[], right: readonly Json[], path: Path, step: (index: number) => string | number): void {
    for (const { from, to } of aligned(left, right)) {
      if (this.found.length >= this.most) return
      if (from === null) this.add({ path: [...path, step(to!)], kind: 'added', right: right[to!]! })
      else if (to === null) this.add({ path: [...path, step(from)], kind: 'removed', left: left[from]! })
      else this.compare(left[from]!, right[to]!, [...path, step(to)])
    }
  }
}

interface Pair {
  readonly from: number | null
  readonly to: number | null
}

/** Which item stands for which; equal ones are left out. // D2 */
function aligned(left: readonly Json[], right: readonly Json[]): Pair[] {
  const [a, b] = [left.map(canonicalJson), right.map(canonicalJson)]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let [endA, endB] = [a.length, b.length]
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1]
  const kept = (endA - start) * (endB - start) <= MAX_ALIGNED && endA - start !== endB - start ? commonOf(a.slice(start, endA), b.slice(start, endB)) : []
  const pairs: Pair[] = []
  let [i, j] = [start, start]
  for (const [from, to] of [...kept.map(([x, y]) => [x + start, y + start] as const), [endA, endB] as const]) {
    while (i < from && j < to) pairs.push({ from: i++, to: j++ })
    while (i < from) pairs.push({ from: i++, to: null })
    while (j < to) pairs.push({ from: null, to: j++ })
    ;[i, j] = [from + 1, to + 1]
  }
  return pairs
}

/** Positions of a longest common part of two lists. */
function commonOf(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!)
    }
  }
  const found: (readonly [number, number])[] = []
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([i++, j++])
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++
    else j++
  }
  return found
}

const same = (left: Json, right: Json): boolean => left === right || (typeof left === 'object' && typeof right === 'object' && canonicalJson(left) === canonicalJson(right))

function isRecord(value: Json): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A path as it is written in a program: `items[2].name`. */
export function pathText(path: Difference['path']): string {
  const text = path.map(each => (typeof each === 'number' ? `[${each}]` : /^line \d+$/.test(each) ? ` ${each}` : /^[A-Za-z_]\w*$/.test(each) ? `.${each}` : `.${JSON.stringify(each)}`)).join('')
  return text.replace(/^[. ]/, '')
}
