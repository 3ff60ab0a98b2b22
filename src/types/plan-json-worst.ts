// Plan JSON, worst: whether the worst case of some JSON is one.
// Owns: its shape. Does not own: whether it is true of the plan; it is for people (model/worst.ts).

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isIndex = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)

const AMOUNTS = ['tasks', 'attempts', 'calls', 'programs', 'modelCalls', 'tokens', 'costMicros', 'timeMs']

/** What is wrong with the most that runs can spend, or null. */
export function worstProblem(value: unknown, at: string): string | null {
  if (!isRecord(value)) return `${at} is no worst case`
  const { prices } = value
  if (prices !== undefined && !(isRecord(prices) && typeof prices['of'] === 'string' && typeof prices['date'] === 'string')) return `${at}.prices has no date`
  for (const part of ['workflows', 'agents', 'loops']) {
    const table = value[part]
    if (!isRecord(table)) return `${at}.${part} is no object`
    for (const [key, each] of Object.entries(table)) {
      const wrong = isRecord(each) ? AMOUNTS.find(name => !isAmount(each[name])) : AMOUNTS[0]
      if (wrong !== undefined) return `${at}.${part}.${key}.${wrong} is no amount`
    }
  }
  return null
}

function isAmount(value: unknown): boolean {
  if (!isRecord(value)) return false
  if (value['kind'] === 'not-bounded') return typeof value['because'] === 'string' && typeof value['path'] === 'string' && isIndex(value['line']) && isIndex(value['column'])
  const { limit } = value
  return value['kind'] === 'at-most' && isNumber(value['amount']) && typeof value['how'] === 'string'
    && (limit === undefined || (isRecord(limit) && ['name', 'of', 'without'].every(key => typeof limit[key] === 'string')))
}
