// Plan JSON, types: whether some JSON is a type that a plan may hold.
// Owns: its shape. Does not own: what types mean (the rest of this folder). Depth is bounded before anything is looked at (plan-json.ts V2).

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const LEAF_TYPES = new Set(['any', 'never', 'null', 'bool', 'int', 'float', 'string', 'path', 'url', 'bytes', 'duration', 'size', 'tokens', 'money', 'json'])

/** The first problem, or null. */
export function typeProblem(value: unknown, at: string): string | null {
  if (!isRecord(value)) return `${at} is no type`
  const kind = value['kind'] as string
  if (LEAF_TYPES.has(kind)) return null
  if (kind === 'literal') return ['string', 'number', 'boolean'].includes(typeof value['value']) ? null : `${at} has no value`
  if (kind === 'list') return typeProblem(value['item'], `${at}.item`)
  if (kind === 'map') return typeProblem(value['value'], `${at}.value`)
  if (kind === 'untrusted' || kind === 'secret') return typeProblem(value['of'], `${at}.of`)
  if (kind === 'union' && Array.isArray(value['members'])) return first(value['members'].map((each, index) => [each, `${at}.members[${index}]`]))
  if (kind === 'record' && isRecord(value['fields'])) return first(Object.entries(value['fields']).map(([name, field]) => [isRecord(field) ? field['type'] : null, `${at}.fields.${name}`]))
  return `${at}.kind is unknown`
}

function first(parts: readonly (readonly [unknown, string])[]): string | null {
  for (const [part, at] of parts) {
    const problem = typeProblem(part, at)
    if (problem !== null) return problem
  }
  return null
}
