// Registry: what the npm registry says about packages, and which of a project's are behind.
// Owns: reading the registry's documents; the choice of the next compatible and the latest version. Does not own: installing.
//   R1. A registry is asked by the host, under `net` for it; commands are not needed. registry.npmjs.org, unless the program names another.
//   R2. Versions that are deprecated or pre-releases are never offered.
//   R3. The project's .npmrc may say that packages of a scope come from another registry: then that one is asked, if it is granted, and no other
//       learns their names. Nothing else of that file is used, and the token goes to the program's registry alone.
//   R4. Of workspaces, a name is one item with all who depend on it: npm's own list gives an array there, and they are upgraded together.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { isData, isPackageName, own, parseLock, peersOf, readJson } from './lock.ts'
import { directDependencies, inside, readProject } from './project.ts'
import { compareVersions, parseVersion, stepBetween, type Step, type Version } from './version.ts'

export const PUBLIC_REGISTRY = 'https://registry.npmjs.org'
const MAX_SETTINGS_BYTES = 1_000_000
const MAX_DOCUMENT_BYTES = 50_000_000
const MAX_VERSIONS = 20_000
const MAX_DEPENDENCIES = 2_000
const AT_ONCE = 8
const DAY_MS = 86_400_000

export interface Release {
  version: string
  published: number | null
  licence: string
  deprecated: boolean
  engines: string
  /** Ranges by name, without optional ones. */
  peers: Record<string, string>
}

export interface Listing {
  name: string
  latest: string
  releases: Release[]
}

export function parseListing(name: string, body: string): Listing {
  const root = readJson(body, `What the registry says about ${name}`)
  const [versions, times, tags] = [own(root, 'versions'), own(root, 'time'), own(root, 'dist-tags')]
  if (!isData(versions)) throw new ToolFailure('not-a-listing', `The registry's answer about ${name} holds no versions.`)
  const licenceOf = (value: unknown): string => (typeof value === 'string' ? value : isData(value) && typeof own(value, 'type') === 'string' ? String(own(value, 'type')) : '')
  const releases = Object.entries(versions).slice(0, MAX_VERSIONS).flatMap(([version, data]): Release[] => {
    if (parseVersion(version) === null || !isData(data)) return []
    const at = isData(times) ? Date.parse(String(own(times, version) ?? '')) : Number.NaN
    const engines = own(data, 'engines')
    return [{
      version, published: Number.isNaN(at) ? null : at, licence: licenceOf(own(data, 'license')).slice(0, 500),
      deprecated: typeof own(data, 'deprecated') === 'string' && own(data, 'deprecated') !== '', engines: isData(engines) && typeof own(engines, 'node') === 'string' ? String(own(engines, 'node')).slice(0, 200) : '',
      peers: peersOf(data),
    }]
  })
  const byVersion = (a: Release, b: Release) => compareVersions(parseVersion(a.version) as Version, parseVersion(b.version) as Version)
  const latest = isData(tags) ? own(tags, 'latest') : undefined
  return { name, latest: typeof latest === 'string' ? latest : '', releases: releases.sort(byVersion) }
}

/** Which registry is asked, and with what. */
export interface Registry {
  readonly address: string
  /** "" for none. */
  readonly token: string
}

export async function readListing(context: ToolContext, name: string, registry: Registry): Promise<Listing> {
  return parseListing(name, await readDocument(context, name, registry))
}

/** What a registry says of a package, as it says it. */
export async function readDocument(context: ToolContext, name: string, registry: Registry): Promise<string> {
  if (!isPackageName(name)) throw new ToolFailure('bad-name', `\`${name.slice(0, 100)}\` cannot be the name of a package.`)
  const headers = { accept: 'application/json', ...(registry.token === '' ? {} : { authorization: `Bearer ${registry.token}` }) }
  const answer = await context.fetch(documentAddress(name, registry), { headers, maxBodyBytes: MAX_DOCUMENT_BYTES, timeoutMs: 60_000 })
  if (answer.status === 404) throw new ToolFailure('no-such-package', `The registry knows no package ${name}.`)
  if (answer.status === 401 || answer.status === 403) {
    throw new ToolFailure('registry', `The registry ${hostOf(registry.address)} wants to know who asks about ${name} (${answer.status}).`, { help: 'Give it a token: `token:` takes a secret.' })
  }
  if (answer.status !== 200) throw new ToolFailure('registry', `The registry answered ${answer.status} about ${name}.`, { retryable: answer.status === 429 || answer.status >= 500 })
  return answer.body
}

export const documentAddress = (name: string, registry: Registry): string => `${addressOf(registry.address)}/${name.replace('/', '%2f')}`

/** An address of a registry without the slash at its end. */
export function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!isPlain) throw new ToolFailure('bad-registry', `\`${text.slice(0, 200)}\` is not the address of a registry.`)
  return url.href.replace(/\/+$/, '')
}

const hostOf = (address: string): string => new URL(address).host

/** `registry = address` and `@scope:registry = address`. */
const REGISTRY_LINE = /^[ \t]*(?:(@[a-z0-9~][a-z0-9._~-]*):)?registry[ \t]*=[ \t]*"?([^\s"]+)"?[ \t]*$/gim

/** The registry of each package, as the program and the project's .npmrc say. // R3 */
export async function registries(context: ToolContext, file: string, asked: Registry): Promise<(name: string) => Registry> {
  const own = addressOf(asked.address)
  const text = await context.files.readText(file, { maxBytes: MAX_SETTINGS_BYTES }).catch(() => '') // none, or not to be read
  const scopes = new Map<string, string>()
  for (const [, scope = '', value = ''] of text.matchAll(REGISTRY_LINE)) scopes.set(scope.toLowerCase(), addressOf(value))
  const usual = scopes.get('') ?? own
  if (usual !== own && own === PUBLIC_REGISTRY) {
    const grant = `net("${hostOf(usual)}${new URL(usual).port !== '' ? '' : usual.startsWith('https:') ? ':443' : ':80'}")`
    const help = `Pass \`registry: "${usual}"\`, and grant \`${grant}\`.`
    throw new ToolFailure('other-registry', `The project's .npmrc takes packages from ${usual}, and the program asks the public registry.`, { help })
  }
  return name => {
    const scoped = name.startsWith('@') ? scopes.get(name.slice(0, name.indexOf('/')).toLowerCase()) : undefined
    return scoped === undefined || scoped === own ? asked : { address: scoped, token: '' }
  }
}

export interface Outdated {
  package: string
  current: string
  minor: string
  latest: string
  step: Step
  dev: boolean
  licence: string
  ageDays: number
  /** Peers of the current version. */
  peers: Record<string, string>
  /** Folders whose package.json names it, "." the project's own. */
  dependents: string[]
  releases: { version: string; step: Step; licence: string; ageDays: number; engines: string; peers: Record<string, string> }[]
}

/** How a package stands: null when there is nothing newer. `ageDays` is how long the newest offered version has been out. */
function standing(listing: Listing, current: string, { dev, dependents }: { dev: boolean; dependents: string[] }, nowMs: number): Outdated | null {
  const from = parseVersion(current)
  if (from === null) return null
  const age = (release: Release) => (release.published === null ? 0 : Math.max(0, Math.floor((nowMs - release.published) / DAY_MS)))
  const latestTag = parseVersion(listing.latest)
  const offered = listing.releases.filter(release => { // R2
    const version = parseVersion(release.version)
    return version !== null && version.pre.length === 0 && !release.deprecated && compareVersions(version, from) > 0 && (latestTag === null || compareVersions(version, latestTag) <= 0)
  })
  const newest = offered[offered.length - 1]
  if (newest === undefined) return null
  const compatible = offered.filter(release => stepBetween(from, parseVersion(release.version) as Version) !== 'major')
  const today = listing.releases.find(release => release.version === current)
  return {
    package: listing.name, current, minor: compatible[compatible.length - 1]?.version ?? current, latest: newest.version, step: stepBetween(from, parseVersion(newest.version) as Version), dev,
    licence: today?.licence ?? '', ageDays: age(newest), peers: today?.peers ?? {}, dependents,
    releases: offered.map(release => ({
      version: release.version, step: stepBetween(from, parseVersion(release.version) as Version), licence: release.licence, ageDays: age(release), engines: release.engines, peers: release.peers,
    })),
  }
}

/** The direct dependencies of a project, its workspaces' too, that are behind: one item a name, by the oldest version that is used. // R4 */
export async function readOutdated(context: ToolContext, dir: string, asked: Registry): Promise<Outdated[]> {
  const project = await readProject(context, dir)
  const installed = new Map(parseLock(project.lock ?? '').map(entry => [entry.path, entry.version]))
  const wanted = directDependencies(project)
  if (wanted.size > MAX_DEPENDENCIES) throw new ToolFailure('too-many', `The project names more than ${MAX_DEPENDENCIES} dependencies.`)
  const registryOf = await registries(context, inside(dir, '.npmrc'), asked)
  const now = await context.now()
  const found: Outdated[] = []
  const names = [...wanted]
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const batch = await Promise.all(names.slice(start, start + AT_ONCE).map(async ([name, { dev, dependents }]) => {
      const versions = dependents.flatMap(folder => installed.get(`${folder === '.' ? '' : `${folder}/`}node_modules/${name}`) ?? installed.get(`node_modules/${name}`) ?? [])
      const current = versions.sort((a, b) => compareTexts(a, b))[0]
      return current === undefined ? null : standing(await readListing(context, name, registryOf(name)), current, { dev, dependents }, now)
    }))
    found.push(...batch.filter(one => one !== null))
    context.progress(Math.min(1, (start + AT_ONCE) / names.length))
  }
  return found
}

function compareTexts(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  return left === null || right === null ? 0 : compareVersions(left, right)
}
