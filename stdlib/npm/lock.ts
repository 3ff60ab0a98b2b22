// Lock: what a package-lock.json says is installed, without asking anyone.
// Owns: lockfile versions 1, 2 and 3. Does not own: other managers' locks.
//   K1. Fields are read only when they have the kind they should have; names that could not be packages are left out.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_TEXT_LENGTH = 50_000_000
const MAX_PACKAGES = 200_000
const MAX_NESTING = 100

export interface Package {
  name: string
  version: string
  /** Where it stands: `node_modules/a/node_modules/b`. */
  path: string
  dev: boolean
  optional: boolean
  licence: string | null
  resolved: string | null
  integrity: boolean
  installScript: boolean
  /** It comes inside another package, and is pinned with that one. */
  bundled: boolean
  /** Ranges of the peers that must be there. */
  peers: Record<string, string>
}

type Data = { readonly [key: string]: unknown }
export const isData = (value: unknown): value is Data => value !== null && typeof value === 'object' && !Array.isArray(value)
export const own = (data: Data, name: string): unknown => (Object.hasOwn(data, name) ? data[name] : undefined)
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, 2_000) : null)

export const isPackageName = (name: string): boolean => /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-zA-Z0-9~_][a-zA-Z0-9._~-]*$/.test(name) && name.length <= 214

export function readJson(text: string, what: string): Data {
  if (text.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-large', `${what} is larger than ${MAX_TEXT_LENGTH} characters.`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch {
    throw new ToolFailure('not-json', `${what} is not JSON.`)
  }
  if (!isData(parsed)) throw new ToolFailure('not-json', `${what} is not a JSON record.`)
  return parsed
}

const MAX_RANGES = 2_000

/** Names and ranges of a part of a manifest; what could be neither is left out. */
export function rangesOf(value: unknown): Record<string, string> {
  if (!isData(value)) return {}
  return Object.fromEntries(Object.entries(value).slice(0, MAX_RANGES).flatMap(([name, range]) => (isPackageName(name) && typeof range === 'string' && range.length <= 500 ? [[name, range]] : [])))
}

/** Peers that must be there. */
export function peersOf(data: Data): Record<string, string> {
  const meta = own(data, 'peerDependenciesMeta')
  const isOptional = (name: string): boolean => {
    const about = isData(meta) ? own(meta, name) : undefined
    return isData(about) && own(about, 'optional') === true
  }
  return Object.fromEntries(Object.entries(rangesOf(own(data, 'peerDependencies'))).filter(([name]) => !isOptional(name)))
}

const licenceOf = (value: unknown): string | null => (typeof value === 'string' ? textOf(value) : isData(value) ? textOf(own(value, 'type')) : null)

function fromEntry(name: string, path: string, data: Data): Package | null {
  const version = textOf(own(data, 'version'))
  if (!isPackageName(name) || version === null) return null
  return {
    name, version, path, dev: own(data, 'dev') === true || own(data, 'devOptional') === true, optional: own(data, 'optional') === true || own(data, 'devOptional') === true,
    licence: licenceOf(own(data, 'license')), resolved: textOf(own(data, 'resolved')), integrity: typeof own(data, 'integrity') === 'string', installScript: own(data, 'hasInstallScript') === true,
    bundled: own(data, 'inBundle') === true || own(data, 'bundled') === true, peers: peersOf(data),
  }
}

function fromTree(dependencies: unknown, path: string, depth: number, found: Package[]): void {
  if (!isData(dependencies)) return
  if (depth > MAX_NESTING) throw new ToolFailure('too-deep', `The lock file is nested more than ${MAX_NESTING} deep.`)
  for (const [name, data] of Object.entries(dependencies)) {
    if (!isData(data)) continue
    const here = `${path}node_modules/${name}`
    const entry = fromEntry(name, here, data)
    if (entry !== null) found.push(entry)
    fromTree(own(data, 'dependencies'), `${here}/`, depth + 1, found)
  }
}

/** The packages of a lock file, by path. */
export function parseLock(text: string): Package[] {
  const root = readJson(text, 'The lock file')
  const packages = own(root, 'packages')
  const found: Package[] = []
  if (isData(packages)) {
    for (const [path, data] of Object.entries(packages)) {
      if (!isData(data) || !path.includes('node_modules/') || own(data, 'link') === true) continue
      const entry = fromEntry(textOf(own(data, 'name')) ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), path, data)
      if (entry !== null) found.push(entry)
    }
  } else if (own(root, 'lockfileVersion') !== undefined || own(root, 'dependencies') !== undefined) fromTree(own(root, 'dependencies'), '', 0, found)
  else throw new ToolFailure('not-a-lock', 'The file is not a lock file of npm.')
  if (found.length > MAX_PACKAGES) throw new ToolFailure('too-many', `The lock file names more than ${MAX_PACKAGES} packages.`)
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
