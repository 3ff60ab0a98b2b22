// Upgrades: facts about an upgrade that a gate can ask for: what must move with it, what it brings and takes, which Nodes it runs on.
// Owns: groups by peers, differences of locks, comparing ranges of engines. Does not own: reading them from disk or registry.
//   U1. A group is closed: each peer that a new version wants, and each installed package that wants another peer than the new one, is in it or fits.
//       Where no version fits, there is a conflict and no group.
//   U2. Whether one range lies in another is decided exactly, on a version in each of the intervals into which the numbers in both ranges cut all versions.
import { licenceFamily } from './licence.ts'
import type { Package } from './lock.ts'
import { breakpoints, isRange, satisfies } from './range.ts'
import { compareVersions, parseVersion } from './version.ts'

const MAX_GROUP = 50

export interface Candidate {
  readonly package: string
  readonly current: string
  readonly peers: Readonly<Record<string, string>>
  readonly releases: readonly { readonly version: string; readonly peers: Readonly<Record<string, string>> }[]
}

export interface Group {
  changes: { package: string; to: string }[]
  conflict: string | null
}

type Installed = Pick<Package, 'name' | 'version' | 'peers'>

/** @param packages what the lock says is installed. */
export function groupOf(outdated: readonly Candidate[], packages: readonly Installed[], name: string, to: string): Group {
  const candidates = new Map(outdated.map(each => [each.package, each] as const))
  const moved = new Map<string, string>([[name, to]])
  const peersAt = (each: string, version: string): Readonly<Record<string, string>> => {
    const candidate = candidates.get(each)
    return candidate?.releases.find(release => release.version === version)?.peers ?? (candidate?.current === version ? candidate.peers : packages.find(one => one.name === each && one.version === version)?.peers ?? {})
  }
  const versionOf = (each: string): string | undefined => moved.get(each) ?? candidates.get(each)?.current ?? packages.find(one => one.name === each)?.version
  /** The newest version of a package that is where the others want it and wants them where they are. */
  const fitting = (each: string): string | undefined => [...(candidates.get(each)?.releases ?? [])].reverse().find(release => {
    const wanted = [...moved].every(([other, version]) => other === each || fits(peersAt(other, version)[each], release.version))
    return wanted && Object.entries(release.peers).every(([peer, range]) => !moved.has(peer) || fits(range, moved.get(peer) ?? ''))
  })?.version
  for (let round = 0; round <= MAX_GROUP; round++) { // U1
    const broken = firstBroken([...moved.keys()], [...new Set([...candidates.keys(), ...packages.map(each => each.name)])], versionOf, peersAt)
    if (broken === null) return { changes: [...moved].map(([each, version]) => ({ package: each, to: version })), conflict: null }
    const movable = [broken.who, broken.peer].find(each => !moved.has(each) && candidates.has(each))
    const version = movable === undefined ? undefined : fitting(movable)
    if (movable === undefined || version === undefined) return { changes: [], conflict: `${broken.who} ${versionOf(broken.who) ?? ''} wants ${broken.peer} ${broken.range}, and ${versionOf(broken.peer) ?? 'none'} would be there.` }
    moved.set(movable, version)
  }
  return { changes: [], conflict: `More than ${MAX_GROUP} packages would have to move together.` }
}

const fits = (range: string | undefined, version: string): boolean => range === undefined || !isRange(range) || satisfies(version, range)

function firstBroken(
  moved: readonly string[], all: readonly string[], versionOf: (name: string) => string | undefined, peersAt: (name: string, version: string) => Readonly<Record<string, string>>,
): { who: string; peer: string; range: string } | null {
  const concerned = new Set(moved)
  for (const who of all) {
    const version = versionOf(who)
    if (version === undefined) continue
    for (const [peer, range] of Object.entries(peersAt(who, version))) {
      if (!concerned.has(who) && !concerned.has(peer)) continue // what nothing moved is as it was
      const there = versionOf(peer)
      if (there !== undefined && !fits(range, there)) return { who, peer, range }
    }
  }
  return null
}

/** Whether every version of one range lies in the other. // U2 */
export function liesIn(inner: string, outer: string): boolean {
  if (!isRange(inner) || !isRange(outer)) return false
  const points = [...breakpoints(inner), ...breakpoints(outer)].sort(compareVersions)
  const around = ([major, minor, patch]: readonly [number, number, number]): string[] =>
    [[major, minor, patch], [major, minor, patch + 1], [major, minor + 1, 0], [major + 1, 0, 0], [major, minor, Math.max(0, patch - 1)]].map(numbers => numbers.join('.'))
  const probes = ['0.0.0', ...points.flatMap(({ numbers }) => around(numbers))]
  return probes.every(probe => !satisfies(probe, inner) || satisfies(probe, outer))
}

export interface LockChange {
  added: { name: string; version: string; licence: string | null }[]
  removed: { name: string; version: string }[]
  changed: { name: string; from: string; to: string; licence: string | null }[]
  /** Packages with an install script that no package of that name had before. */
  newInstallScripts: string[]
  /** Packages whose licence asks more than it did, or more than any of before. */
  stricterLicences: string[]
  /** Packages that are pinned to no registry's file by a hash. */
  notPinned: string[]
}

export function lockChange(before: readonly Package[], after: readonly Package[], isOfRegistry: (resolved: string) => boolean): LockChange {
  const versions = (list: readonly Package[]): Map<string, Package[]> => {
    const byName = new Map<string, Package[]>()
    for (const each of list) byName.set(each.name, [...(byName.get(each.name) ?? []), each])
    return byName
  }
  const [old, now] = [versions(before), versions(after)]
  const family = (each: Package): number => licenceFamily(each.licence ?? '')
  const strictest = Math.max(1, ...before.map(family).filter(each => each < 5))
  const result: LockChange = { added: [], removed: [], changed: [], newInstallScripts: [], stricterLicences: [], notPinned: [] }
  for (const [name, list] of now) {
    const known = old.get(name) ?? []
    for (const each of list) {
      if (known.some(one => one.version === each.version)) continue
      const one = newest(known)
      if (one === null) result.added.push({ name, version: each.version, licence: each.licence })
      else result.changed.push({ name, from: one.version, to: each.version, licence: each.licence })
      if (each.installScript && !known.some(other => other.installScript)) result.newInstallScripts.push(name)
      if (one === null ? family(each) > strictest : family(each) > family(one)) result.stricterLicences.push(name)
    }
    if (list.some(each => !each.bundled && (!each.integrity || each.resolved === null || !isOfRegistry(each.resolved)))) result.notPinned.push(name)
  }
  for (const [name, list] of old) for (const each of list) if (!now.has(name)) result.removed.push({ name, version: each.version })
  return { ...result, newInstallScripts: [...new Set(result.newInstallScripts)], stricterLicences: [...new Set(result.stricterLicences)] }
}

function newest(list: readonly Package[]): Package | null {
  return [...list].sort((a, b) => {
    const [left, right] = [parseVersion(a.version), parseVersion(b.version)]
    return left === null || right === null ? 0 : compareVersions(right, left)
  })[0] ?? null
}
