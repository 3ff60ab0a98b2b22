// Grant text: grants as people write them, `exec("npm", "test")`.
// Owns: reading and printing. Does not own: meaning (match.ts).
import type { Grant } from '#model/capability.ts'

const MAX_GRANT_LENGTH = 16_384

/**
 * Reads one grant. A string argument is written as in JSON; a grant without arguments may leave the brackets out.
 *
 * @example
 * parseGrant('exec("npm", "test")') // { name: 'exec', args: ['npm', 'test'] }
 */
export function parseGrant(text: string): Grant | null {
  if (text.length > MAX_GRANT_LENGTH) return null
  const head = /^\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?:\(([\s\S]*)\))?\s*$/.exec(text)
  if (head === null) return null
  const list = (head[2] ?? '').trim()
  try {
    const args: unknown = JSON.parse(`[${list}]`)
    return Array.isArray(args) && args.every(each => typeof each === 'string') ? { name: head[1]!, args } : null
  } catch {
    return null
  }
}

/**
 * A grant as a program writes it after `can`.
 *
 * @example
 * printGrant({ name: 'fs.read', args: ['src/**'] }) // 'fs.read("src/**")'
 */
export function printGrant(grant: Grant): string {
  return `${grant.name}(${grant.args.map(each => JSON.stringify(each)).join(', ')})`
}

/**
 * The argv pattern that stands for one given token: what would be read as a wildcard, or cut at a space, becomes `?`.
 */
export function tokenPattern(token: string): string {
  return token.replace(/[\s*]/g, '?')
}
