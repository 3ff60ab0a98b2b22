// Range: which versions a dependency accepts, as npm reads it (node-semver's grammar).
// Owns: reading ranges, matching. Does not own: versions (version), tags and addresses in place of a range.
//   G1. A pre-release fits only where the range itself names one of the same three numbers.
//   G2. What is no range fits nothing. A range has at most MAX_PARTS parts.
import { compareVersions, parseVersion, type Version } from './version.ts'

const MAX_LENGTH = 1_000
const MAX_PARTS = 100

interface Bound {
  readonly op: '<' | '<=' | '>' | '>=' | '='
  readonly version: Version
}

type Numbers = readonly [number, number, number]

const PARTIAL = /^[v=\s]*(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*])(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?)?)?$/

const made = (numbers: Numbers, pre: readonly string[] = []): Version => ({ text: numbers.join('.') + (pre.length === 0 ? '' : `-${pre.join('.')}`), numbers, pre })

/** Numbers that are given, `null` for any. */
function partial(text: string): { numbers: (number | null)[]; pre: string[] } | null {
  const found = PARTIAL.exec(text)
  if (found === null) return null
  const numbers = found.slice(1, 4).map(part => (part === undefined || /[xX*]/.test(part) ? null : Number(part)))
  const first = numbers.indexOf(null)
  return { numbers: first < 0 ? numbers : numbers.map((each, at) => (at >= first ? null : each)), pre: found[4]?.split('.') ?? [] }
}

const floor = (numbers: readonly (number | null)[]): Numbers => [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0]
/** Ends with a pre-release mark that the range itself does not name. // G1 */
const ends = new WeakSet<Version>()
function end(numbers: Numbers): Version {
  const version = made(numbers, ['0'])
  ends.add(version)
  return version
}

/** The first version beyond those that share the given numbers up to a place; it has a pre-release mark, so that none of its own fit. */
const beyond = (numbers: readonly (number | null)[], place: number): Version => end([0, 1, 2].map(at => (at < place ? (numbers[at] ?? 0) : at === place ? (numbers[at] ?? 0) + 1 : 0)) as unknown as Numbers)

function boundsOf(comparator: string): Bound[] | null {
  const found = /^(\^|~>?|>=?|<=?|=)?\s*(.*)$/.exec(comparator)
  const [op = '', given] = [found?.[1], partial(found?.[2] ?? '')]
  if (given === null) return null
  const { numbers, pre } = given
  const known = numbers.indexOf(null) < 0 ? 3 : numbers.indexOf(null)
  const low = made(floor(numbers), known === 3 ? pre : [])
  const from: Bound = { op: '>=', version: low }
  if (known === 0) return op === '<' || op === '>' ? [{ op: '<', version: end([0, 0, 0]) }] : [{ op: '>=', version: made([0, 0, 0]) }]
  if (op === '^') {
    const first = numbers.findIndex(each => each !== 0)
    return [from, { op: '<', version: beyond(numbers, first < 0 || first >= known ? known - 1 : first) }]
  }
  if (op.startsWith('~')) return [from, { op: '<', version: beyond(numbers, Math.min(known - 1, 1)) }]
  if (op === '>') return known === 3 ? [{ op: '>', version: low }] : [{ op: '>=', version: { ...beyond(numbers, known - 1), pre: [] } }]
  if (op === '>=') return [from]
  if (op === '<') return [{ op: '<', version: known === 3 ? low : end(low.numbers) }]
  if (op === '<=') return [known === 3 ? { op: '<=', version: low } : { op: '<', version: beyond(numbers, known - 1) }]
  return known === 3 ? [{ op: '=', version: low }] : [from, { op: '<', version: beyond(numbers, known - 1) }]
}

function alternative(text: string): Bound[] | null {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text)
  const parts = hyphen !== null ? [`>=${hyphen[1]}`, `<=${hyphen[2]}`] : text.replace(/([<>=~^]=?|~>)\s+/g, '$1').split(/\s+/).filter(part => part !== '')
  if (parts.length > MAX_PARTS) return null
  const bounds: Bound[] = []
  for (const part of parts.length === 0 ? ['*'] : parts) {
    const found = boundsOf(part)
    if (found === null) return null
    bounds.push(...found)
  }
  return bounds
}

/** The versions at which something begins or ends to fit. */
export const breakpoints = (range: string): Version[] => range.split('||', MAX_PARTS).flatMap(part => (alternative(part.trim()) ?? []).map(bound => bound.version))

const holds = ({ op }: Bound, order: number): boolean => (op === '<' ? order < 0 : op === '<=' ? order <= 0 : op === '>' ? order > 0 : op === '>=' ? order >= 0 : order === 0)

/** Whether a text is a range at all, and not a tag or an address. */
export const isRange = (text: string): boolean => text.length <= MAX_LENGTH && text.split('||', MAX_PARTS).every(part => alternative(part.trim()) !== null)

/**
 * Whether a version fits a range.
 *
 * @example
 * satisfies('1.4.0', '^1.2.3 || >=3') // true
 */
export function satisfies(version: string, range: string): boolean {
  const wanted = parseVersion(version)
  if (wanted === null || range.length > MAX_LENGTH) return false
  return range.split('||', MAX_PARTS).some(part => {
    const bounds = alternative(part.trim())
    if (bounds === null || !bounds.every(bound => holds(bound, compareVersions(wanted, bound.version)))) return false
    return wanted.pre.length === 0 || bounds.some(bound => bound.version.pre.length > 0 && !ends.has(bound.version) && bound.version.numbers.every((number, at) => number === wanted.numbers[at])) // G1
  })
}
