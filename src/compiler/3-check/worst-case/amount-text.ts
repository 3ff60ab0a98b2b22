// Amount text: amounts as people and programs write them.
// Owns: units and their words, the text of a product. Does not own: the amounts.
import type { Bound, Factor } from './bound.ts'

export type Quantity = 'tasks' | 'attempts' | 'calls' | 'programs' | 'modelCalls' | 'tokens' | 'cost' | 'time'

const grouped = (amount: number): string => String(Math.round(amount)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/** Three digits that matter, and no digit that says nothing. */
function short(amount: number): string {
  return String(Number(amount.toPrecision(3)))
}

function tokensText(amount: number): string {
  return amount >= 1_000_000 ? `${short(amount / 1_000_000)}M` : amount >= 10_000 ? `${short(amount / 1_000)}k` : String(amount)
}

const UNITS: readonly (readonly [ms: number, unit: string])[] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1_000, 's'], [1, 'ms']]

/** Two units at most: `1h 20m`. Rounded up. */
export function timeText(ms: number): string {
  const at = UNITS.findIndex(([unit]) => ms >= unit)
  if (at < 0) return '0s'
  const [unit, name] = UNITS[at]!
  const [small, smallName] = UNITS[at + 1] ?? [1, '']
  const rest = Math.ceil((ms % unit) / small)
  if (unit === 1 || unit === 1_000 || rest === 0) return `${unit === 1_000 ? short(ms / unit) : Math.floor(ms / unit)}${name}`
  return rest * small >= unit ? `${Math.floor(ms / unit) + 1}${name}` : `${Math.floor(ms / unit)}${name} ${rest}${smallName}`
}

/** A duration as one literal, no shorter than it is. */
function writtenTime(ms: number): string {
  const [unit, name] = UNITS.find(([each]) => ms >= each && ms % each === 0) ?? [1, 'ms']
  return `${Math.ceil(ms / unit)}${name}`
}

/** An amount for a reader, or as a literal of the language. */
export function amountText(quantity: Quantity, amount: number, form: 'read' | 'written' = 'read'): string {
  switch (quantity) {
    case 'tokens':
      return form === 'read' ? `${tokensText(amount)} tokens` : String(Math.ceil(amount))
    case 'cost':
      return `$${form === 'read' && amount > 0 && amount < 10_000 ? (amount / 1_000_000).toFixed(4) : (Math.ceil(amount / 10_000) / 100).toFixed(2)}`
    case 'time':
      return form === 'read' ? timeText(amount) : writtenTime(amount)
    default:
      return form === 'read' ? `${grouped(amount)} ${amount === 1 ? SINGULAR[quantity] : PLURAL[quantity]}` : String(amount)
  }
}

const SINGULAR = { tasks: 'task', attempts: 'attempt', calls: 'call', programs: 'call', modelCalls: 'answer' } as const
const PLURAL = { tasks: 'tasks', attempts: 'attempts', calls: 'calls', programs: 'calls', modelCalls: 'answers' } as const

/** ``200 items of `files` × 3 attempts, and 4 more``; '' where nothing multiplies. */
export function factorsText({ amount, factors, isWhole }: Bound, quantity: Quantity): string {
  const shown = factors.filter(({ count }) => count !== 1)
  if (shown.length === 0) return ''
  const [only, more] = shown
  if (isWhole && more === undefined && (only!.unit !== undefined || (quantity in PLURAL && only!.what.startsWith(PLURAL[quantity as keyof typeof PLURAL])))) return '' // it would say the amount again
  const product = shown.reduce((all, { count }) => all * count, 1)
  const text = shown.map(factorText).join(' × ')
  return isWhole || amount <= product ? text : `${text}, and ${amountText(quantity, amount - product)} more`
}

export function factorText({ count, what, unit }: Factor): string {
  return `${unit === undefined ? grouped(count) : amountText(unit, count)} ${what}`.trimEnd()
}
