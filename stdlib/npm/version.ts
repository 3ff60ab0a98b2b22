// Version: semantic versions (semver.org 2.0.0): reading, order, and what kind of step it is from one to another.
//   V1. Below 1.0.0 the first number that is not 0 is the one that may break: 0.2 → 0.6 is a major step, 0.0.3 → 0.0.4 as well.

export interface Version {
  readonly text: string
  readonly numbers: readonly [number, number, number]
  readonly pre: readonly string[]
}

const PATTERN = /^v?(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})(?:-([0-9A-Za-z.-]{1,200}))?(?:\+[0-9A-Za-z.-]{1,200})?$/

export function parseVersion(text: string): Version | null {
  const found = PATTERN.exec(text.trim())
  return found === null ? null : { text: text.trim(), numbers: [Number(found[1]), Number(found[2]), Number(found[3])], pre: found[4]?.split('.') ?? [] }
}

export function compareVersions(a: Version, b: Version): number {
  for (let place = 0; place < 3; place++) {
    const difference = (a.numbers[place] ?? 0) - (b.numbers[place] ?? 0)
    if (difference !== 0) return difference
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length
  for (let place = 0; place < Math.max(a.pre.length, b.pre.length); place++) {
    const [left, right] = [a.pre[place], b.pre[place]]
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    if (left === right) continue
    const [leftNumber, rightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)]
    if (leftNumber && rightNumber) return Number(left) - Number(right)
    if (leftNumber !== rightNumber) return leftNumber ? -1 : 1
    return left < right ? -1 : 1
  }
  return 0
}

export type Step = 'none' | 'patch' | 'minor' | 'major'

/** The kind of step, with V1. Going back is 'none'. */
export function stepBetween(from: Version, to: Version): Step {
  if (compareVersions(from, to) >= 0) return 'none'
  const first = from.numbers.findIndex(number => number !== 0)
  const breaking = first < 0 ? 2 : first
  const changed = from.numbers.findIndex((number, place) => number !== to.numbers[place])
  if (changed >= 0 && changed <= breaking) return 'major'
  return changed === 1 ? 'minor' : 'patch'
}
