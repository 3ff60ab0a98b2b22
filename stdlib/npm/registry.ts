// Registry: what the npm registry says about packages, and which of a project's are behind.
// Owns: reading the registry's documents; the choice of the next compatible and the latest version. Does not own: installing.
//   R1. Only registry.npmjs.org is asked, by the host, under `net`; commands are not needed.
//   R2. Versions that are deprecated or pre-releases are never offered.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { isData, isPackageName, own, parseLock, readJson } from './lock.ts'
import { compareVersions, parseVersion, stepBetween, type Step, type Version } from './version.ts'

const REGISTRY = 'https://registry.npmjs.org'
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
}

export interface Listing {
  name: string
  latest: string
  releases: Release[]
}

function parseListing(name: string, body: string): Listing {
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
    }]
  })
  const byVersion = (a: Release, b: Release) => compareVersions(parseVersion(a.version) as Version, parseVersion(b.version) as Version)
  const latest = isData(tags) ? own(tags, 'latest') : undefined
  return { name, latest: typeof latest === 'string' ? latest : '', releases: releases.sort(byVersion) }
}

export async function readListing(context: ToolContext, name: string): Promise<Listing> {
  if (!isPackageName(name)) throw new ToolFailure('bad-name', `\`${name.slice(0, 100)}\` cannot be the name of a package.`)
  const answer = await context.fetch(`${REGISTRY}/${name.replace('/', '%2f')}`, { headers: { accept: 'application/json' }, maxBodyBytes: MAX_DOCUMENT_BYTES, timeoutMs: 60_000 })
  if (answer.status === 404) throw new ToolFailure('no-such-package', `The registry knows no package ${name}.`)
  if (answer.status !== 200) throw new ToolFailure('registry', `The registry answered ${answer.status} about ${name}.`, { retryable: answer.status === 429 || answer.status >= 500 })
  return parseListing(name, answer.body)
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
  releases: { version: string; licence: string; ageDays: number; engines: string }[]
}

/** How a package stands: null when there is nothing newer. `ageDays` is how long the newest offered version has been out. */
function standing(listing: Listing, current: string, dev: boolean, nowMs: number): Outdated | null {
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
  return {
    package: listing.name, current, minor: compatible[compatible.length - 1]?.version ?? current, latest: newest.version, step: stepBetween(from, parseVersion(newest.version) as Version), dev,
    licence: listing.releases.find(release => release.version === current)?.licence ?? '', ageDays: age(newest),
    releases: offered.map(release => ({ version: release.version, licence: release.licence, ageDays: age(release), engines: release.engines })),
  }
}

/** The direct dependencies of a project that are behind. */
export async function readOutdated(context: ToolContext, dir: string): Promise<Outdated[]> {
  const at = (name: string) => (dir === '.' ? name : `${dir.replace(/\/+$/, '')}/${name}`)
  const manifest = readJson(await context.files.readText(at('package.json')), 'package.json')
  const installed = new Map(parseLock(await context.files.readText(at('package-lock.json'), { maxBytes: MAX_DOCUMENT_BYTES })).map(entry => [entry.path, entry.version]))
  const wanted = (['dependencies', 'optionalDependencies', 'devDependencies'] as const).flatMap(kind => {
    const list = own(manifest, kind)
    return isData(list) ? Object.keys(list).filter(isPackageName).map(name => ({ name, dev: kind === 'devDependencies' })) : []
  })
  if (wanted.length > MAX_DEPENDENCIES) throw new ToolFailure('too-many', `The project names more than ${MAX_DEPENDENCIES} dependencies.`)
  const now = await context.now()
  const found: Outdated[] = []
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    const batch = await Promise.all(wanted.slice(start, start + AT_ONCE).map(async ({ name, dev }) => {
      const current = installed.get(`node_modules/${name}`)
      return current === undefined ? null : standing(await readListing(context, name), current, dev, now)
    }))
    found.push(...batch.filter(one => one !== null))
    context.progress(Math.min(1, (start + AT_ONCE) / wanted.length))
  }
  return found
}
