// Printing: what a plugin prints goes into its run's log.
// Owns: putting values into one line. Does not own: how many lines are kept (the call's context).

const MAX_LINE_LENGTH = 10_000

type Print = (...values: readonly unknown[]) => void

export function printing(log: (line: string) => void): Record<string, Print> {
  const print: Print = (...values) => log(values.map(shown).join(' ').slice(0, MAX_LINE_LENGTH))
  return Object.fromEntries(['log', 'info', 'debug', 'warn', 'error', 'trace'].map(name => [name, print]))
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return `${value.name}: ${value.message}`
  try {
    return (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)) ?? 'undefined'
  } catch {
    return '(a value that cannot be shown)'
  }
}
