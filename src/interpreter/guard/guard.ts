// Guard: may this be done? The one place where grants meet concrete actions.
// Owns: the decision over all levels, and its words. Does not own: the meaning of patterns (grants/), links and addresses (context.ts), the doing.
//   G1. Deny by default: with no level nothing is allowed, and every level must hold a grant that covers the action.
//   G2. A refusal says what was wanted, and its help is the clause that would allow exactly that.
import { expandBraces } from '#grants/glob.ts'
import { printGrant, tokenPattern } from '#grants/grant-text.ts'
import { hostOf } from '#grants/host-pattern.ts'
import { coreGrantKinds, matchesGrant, type GrantKinds } from '#grants/match.ts'
import { absoluteSegments, isControlFile } from '#grants/path-pattern.ts'
import type { Authority, Grant } from '#model/capability.ts'
import type { Failure } from '#model/event.ts'
import { ToolFailure } from '#plugin-api/context.ts'

const MAX_SHOWN_LENGTH = 500

/** Whether every level covers a concrete action (G1). */
export function isAllowed(levels: readonly Authority[], wanted: Grant, cwd: string, kindsOf: GrantKinds = coreGrantKinds): boolean {
  return levels.length > 0 && levels.every(level => level.some(grant => matchesGrant(grant, wanted, cwd, kindsOf)))
}

/**
 * The first need that is not covered, as a failure without its task; null when all are.
 * The paths are taken as they are written; what they lead to on disk is checked when they are used.
 *
 * @param levels every one must allow: permit, file, workflow, agent …
 * @param needs concrete grants of one call, as its signature derives them from the arguments.
 * @param kindsOf kinds of the parameters of plugins' grants.
 */
export function checkNeeds(levels: readonly Authority[], needs: readonly Grant[], cwd: string, kindsOf: GrantKinds = coreGrantKinds): Omit<Failure, 'task'> | null {
  for (const need of needs) {
    if (isAllowed(levels, need, cwd, kindsOf) || areAlternativesAllowed(levels, need, cwd, kindsOf)) continue
    const { code, message, retryable, help } = denied(need, cwd)
    return { code, message, retryable, ...(help === undefined ? {} : { help }) }
  }
  return null
}

/** A glob with `{a,b}` is allowed when each of the patterns it stands for is. */
function areAlternativesAllowed(levels: readonly Authority[], need: Grant, cwd: string, kindsOf: GrantKinds): boolean {
  const [pattern] = need.args
  if (pattern === undefined || need.args.length !== 1 || kindsOf(need.name)?.[0] !== 'path' || !pattern.includes('{')) return false
  return expandBraces(pattern)?.every(each => isAllowed(levels, { name: need.name, args: [each] }, cwd, kindsOf)) ?? false
}

const words: Readonly<Record<string, (grant: Grant) => string>> = {
  'fs.read': grant => `read ${quoted(grant.args[0])}`,
  'fs.write': grant => `write ${quoted(grant.args[0])}`,
  exec: grant => `run ${quoted(grant.args.join(' '))}`,
  net: grant => `connect to ${quoted(grant.args[0])}`,
  env: grant => `read the environment variable ${quoted(grant.args[0])}`,
  mcp: grant => `call ${quoted(grant.args[1])} of the server ${quoted(grant.args[0])}`,
}

function quoted(text: string | undefined): string {
  const shown = JSON.stringify(text ?? '').slice(1, -1).replaceAll('\\"', '"')
  return `\`${shown.length > MAX_SHOWN_LENGTH ? `${shown.slice(0, MAX_SHOWN_LENGTH)}…` : shown}\``
}

/** The refusal of a concrete action (G2). */
export function denied(wanted: Grant, cwd: string, byLink = false): ToolFailure {
  const grant = asWritten(wanted, cwd)
  const what = words[grant.name]?.(grant) ?? `use ${quoted(printGrant(grant))}`
  if (byLink) {
    const help = 'Look where the link leads, and grant that place by its own name if the program should reach it.'
    return new ToolFailure('permit/denied', `This may not ${what}: a link leads from there to a place that nothing grants.`, { help })
  }
  return new ToolFailure('permit/denied', `This may not ${what}: nothing grants it.`, { help: helpFor(grant, cwd) })
}

function helpFor(grant: Grant, cwd: string): string {
  const clause = `can ${printGrant(grant)}`
  const path = grant.name.startsWith('fs.') ? grant.args[0] : undefined
  const segments = path === undefined ? null : absoluteSegments(path, path.startsWith('/') ? '/' : cwd)
  const folder = absoluteSegments(cwd, '/') ?? []
  const inside = segments !== null && folder.every((segment, index) => segments[index] === segment)
  if (segments !== null && isControlFile(inside ? segments.slice(folder.length) : segments)) {
    return `This file steers tek or git itself, so no wildcard covers it; \`${clause}\` names it.`
  }
  return `If it should, write \`${clause}\` in the file and in the workflow or agent that does it.`
}

/** A concrete action as the narrowest grant a program could write for it. */
function asWritten(wanted: Grant, cwd: string): Grant {
  const [first = '', ...rest] = wanted.args
  if (wanted.name === 'fs.read' || wanted.name === 'fs.write') return { name: wanted.name, args: [fromFolder(first, cwd)] }
  if (wanted.name === 'net') return { name: 'net', args: [hostOf(first) ?? first] }
  if (wanted.name === 'mcp') return { name: 'mcp', args: [first.split('#')[0]!, ...rest] } // a program names no definition
  if (wanted.name === 'exec') return { name: 'exec', args: [first, ...rest.map(tokenPattern)] }
  return wanted
}

function fromFolder(path: string, cwd: string): string {
  if (path === cwd) return '.'
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path
}
