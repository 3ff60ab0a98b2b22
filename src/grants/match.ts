// Match: whether a grant covers a concrete action, and whether it covers another grant.
// Owns: the meaning of each kind of grant argument. Does not own: links on disk, DNS (interpreter/guard).
//   M1. Deny by default: an unknown form, a missing argument or one too many matches nothing.
//   M2. containsGrant(a, b) implies that matchesGrant(a, x) whenever matchesGrant(b, x); the other way it may err on the side of "no".
//   M3. A pattern in argv is cut at spaces (`exec("npm", "run build")`); a concrete argument never is.
//   M4. `mcp` names a server and, if it names a second, a tool or a pattern of tools; without one, all tools of the server.
import type { Grant, GrantParamKind } from '#model/capability.ts'
import type { ModuleSignature } from '#model/signature.ts'
import { isContained, type Automaton } from './automaton.ts'
import { containsHost, hostOf, parseHostPattern } from './host-pattern.ts'
import { argvAutomaton, argvText, pathAutomaton } from './pattern-automaton.ts'
import { absoluteSegments, coversPath, parsePathPattern } from './path-pattern.ts'

/** Kinds of a grant's parameters, in order; null when the grant is unknown. */
export type GrantKinds = (name: string) => readonly GrantParamKind[] | null

const coreKinds: Readonly<Record<string, readonly GrantParamKind[]>> = {
  'fs.read': ['path'], 'fs.write': ['path'], exec: ['name', 'argv'], net: ['host'], env: ['name'], llm: ['name'], mcp: ['name', 'name'], ml: ['name'],
  'agent.spawn': [], 'program.modify': [],
}

export const coreGrantNames: readonly string[] = Object.keys(coreKinds)

/** The grants tek itself knows. Those of plugins come from their signatures. */
export const coreGrantKinds: GrantKinds = name => (Object.hasOwn(coreKinds, name) ? coreKinds[name]! : null)

/** Kinds as the signatures of a program's modules declare them, beside those tek knows itself. */
export function grantKindsOf(modules: readonly ModuleSignature[]): GrantKinds {
  const declared = new Map<string, readonly GrantParamKind[]>()
  for (const { name, grants } of modules) for (const grant of Object.values(grants)) declared.set(`${name}.${grant.name}`, grant.params.map(param => param.kind))
  return name => coreGrantKinds(name) ?? declared.get(name) ?? null
}

/** Where the working directory is not known, relative patterns are compared with relative ones. */
const unknownFolder = '/\u{1}'

/**
 * Whether `grant` covers `wanted`, whose arguments are concrete: a path, a host or URL, a name, the tokens of a command.
 *
 * @param cwd absolute; relative paths and patterns start there.
 * @example
 * matchesGrant({ name: 'fs.read', args: ['src/**'] }, { name: 'fs.read', args: ['src/a.ts'] }, '/project') // true
 */
export function matchesGrant(grant: Grant, wanted: Grant, cwd: string, kindsOf: GrantKinds = coreGrantKinds): boolean {
  if (grant.name !== wanted.name) return false
  return everyArgument(grant, wanted, kindsOf, (kind, pattern, given) => {
    switch (kind) {
      case 'path': return matchesPath(pattern[0]!, given[0]!, cwd)
      case 'unknown': return pattern[0] === given[0] || (!hasDots(given[0]!) && matchesPath(pattern[0]!, given[0]!, cwd))
      case 'host': return matchesHost(pattern[0]!, given[0]!)
      case 'name': return matchesName(pattern[0]!, given[0]!, cwd)
      case 'argv': return !given.some(each => each.includes('\0')) && (argvOf(pattern)?.accepts(argvText(given)) ?? false)
    }
  })
}

/**
 * Whether everything that `inner` allows is allowed by `outer` (M2).
 *
 * @param cwd absolute; without it relative patterns are compared with relative ones only.
 * @example
 * containsGrant({ name: 'fs.read', args: ['src/**'] }, { name: 'fs.read', args: ['src/*.ts'] }) // true
 */
export function containsGrant(outer: Grant, inner: Grant, cwd?: string, kindsOf: GrantKinds = coreGrantKinds): boolean {
  if (outer.name !== inner.name) return false
  return everyArgument(outer, inner, kindsOf, (kind, pattern, given) => {
    switch (kind) {
      case 'path': return containsPath(pattern[0]!, given[0]!, cwd)
      case 'unknown': return pattern[0] === given[0] || (!hasDots(given[0]!) && containsPath(pattern[0]!, given[0]!, cwd))
      case 'host': return containsHostText(pattern[0]!, given[0]!)
      case 'name': return matchesName(pattern[0]!, given[0]!, cwd ?? unknownFolder)
      case 'argv': return containsArgv(pattern, given)
    }
  })
}

/** An argument of a grant whose parameters are not known here is compared as a path, but what only `..` would make fit does not. */
function hasDots(text: string): boolean {
  return text.split('/').includes('..')
}

/** Pairs up arguments by their kinds; `argv` takes all that are left (M1). */
function everyArgument(
  grant: Grant, wanted: Grant, kindsOf: GrantKinds, covers: (kind: GrantParamKind | 'unknown', pattern: readonly string[], given: readonly string[]) => boolean,
): boolean {
  if (grant.name === 'mcp') return coversServer(grant.args, wanted.args)
  const kinds = kindsOf(grant.name) ?? wanted.args.map(() => 'unknown' as const)
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'argv') return covers(kind, grant.args.slice(index), wanted.args.slice(index))
    if (grant.args[index] === undefined || wanted.args[index] === undefined) return grant.args.length === index && wanted.args.length === index
    if (!covers(kind, [grant.args[index]], [wanted.args[index]])) return false
  }
  return grant.args.length === kinds.length && wanted.args.length === kinds.length
}

function matchesPath(pattern: string, path: string, cwd: string): boolean {
  const parsed = parsePathPattern(pattern, cwd)
  const concrete = absoluteSegments(path, cwd)
  return parsed !== null && concrete !== null && coversPath(parsed, concrete, absoluteSegments(cwd, '/') ?? [])
}

function containsPath(outerText: string, innerText: string, cwd: string | undefined): boolean {
  if (cwd === undefined && outerText.startsWith('/') !== innerText.startsWith('/')) return false
  const folder = cwd ?? unknownFolder
  const outer = parsePathPattern(outerText, folder)
  const inner = parsePathPattern(innerText, folder)
  if (outer === null || inner === null) return false
  const leftUnknown = cwd === undefined && !innerText.startsWith('/') && [outer, inner].some(each => each.base[0] !== '\u{1}')
  if (leftUnknown) return outerText === innerText
  if (inner.rest.length === 0) return coversPath(outer, inner.base, absoluteSegments(folder, '/') ?? [])
  // The bases hold no wildcards, whatever their characters: they are compared as they are, and only what follows is a pattern.
  const shared = Math.min(outer.base.length, inner.base.length)
  for (let index = 0; index < shared; index++) if (outer.base[index] !== inner.base[index]) return false
  if (outer.base.length > inner.base.length || outer.rest.length === 0) return false
  const left = inner.base.slice(shared)
  return isContained(pathAutomaton([...left, ...inner.rest]), pathAutomaton(outer.rest))
}

function matchesHost(pattern: string, given: string): boolean {
  const outer = parseHostPattern(pattern)
  const host = hostOf(given)
  const inner = host === null ? null : parseHostPattern(host)
  return outer !== null && inner !== null && (inner.kind === 'exact' || inner.kind === 'set') && containsHost(outer, inner)
}

function containsHostText(pattern: string, given: string): boolean {
  const outer = parseHostPattern(pattern)
  const inner = parseHostPattern(given)
  return outer !== null && inner !== null && containsHost(outer, inner)
}

/** Exactly, or `*` for any. A program named by a path is compared as a path. */
function matchesName(pattern: string, given: string, cwd: string): boolean {
  if (pattern === '*') return true
  if (!pattern.includes('/') || !given.includes('/')) return pattern === given
  const [wanted, have] = [absoluteSegments(pattern, cwd), absoluteSegments(given, cwd)]
  return wanted !== null && have !== null && wanted.join('/') === have.join('/')
}

/**
 * A server of tools and, where it is named, the tool: exactly, or a pattern with `*` (M4). A server may be named with the hash of its definition, `files#3fa29c01b4d7`:
 * without, every definition is meant.
 */
function coversServer([server, tool = '*', ...more]: readonly string[], [wanted, wantedTool = '*', ...others]: readonly string[]): boolean {
  if (server === undefined || wanted === undefined || more.length > 0 || others.length > 0) return false
  if (server !== '*' && server !== wanted && (server.includes('#') || !wanted.startsWith(`${server}#`))) return false
  return tool === '*' || tool === wantedTool || (tool.includes('*') && !/[\s?]/.test(tool + wantedTool) && containsArgv([tool], [wantedTool]))
}

function containsArgv(outer: readonly string[], inner: readonly string[]): boolean {
  const [wide, narrow] = [argvOf(outer), argvOf(inner)]
  return wide !== null && narrow !== null && isContained(narrow, wide)
}

const MAX_CACHED = 1_000
const cache = new Map<string, Automaton | null>()

/** The automaton of a grant's argv, or null when it is longer than any command needs. */
export function argvOf(patterns: readonly string[]): Automaton | null {
  const key = JSON.stringify(patterns)
  let automaton = cache.get(key)
  if (automaton === undefined) {
    if (cache.size >= MAX_CACHED) cache.clear()
    automaton = argvAutomaton(patterns.flatMap(each => (each === '' ? [''] : each.split(/\s+/).filter(token => token !== '')))) // M3
    cache.set(key, automaton)
  }
  return automaton
}
