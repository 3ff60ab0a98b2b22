// Fetching: everything that npm will want, brought into its cache by tek: documents of the packages it may choose from, and the files that a lock pins.
// Owns: which packages those are, asking registries, the bounds. Does not own: the cache's layout (cache), what npm then chooses (install).
//   F1. A package comes from the registry of its name and from no other: a lock that names another host is refused, and nothing of it is fetched.
//   F2. Which packages npm will want is foreseen by its own rule (the newest version that fits); what was not foreseen npm names, and it is fetched then.
//       npm also looks into some packages for what is bundled in them before it locks them: those files are fetched then, too.
//   F3. Files for other systems are left out where the lock says for which they are.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { digestOf, hasContent, putContent, putDocument } from './cache.ts'
import { isData, isPackageName, own, peersOf, rangesOf, readJson } from './lock.ts'
import { isRange, satisfies } from './range.ts'
import { documentAddress, PUBLIC_REGISTRY, readDocument, type Registry } from './registry.ts'
import { compareVersions, parseVersion, type Version } from './version.ts'

const MAX_PACKAGES = 5_000
const MAX_FILE_BYTES = 50_000_000
const MAX_TOTAL_BYTES = 4_000_000_000
const AT_ONCE = 8
const FETCH_TIMEOUT_MS = 120_000

export interface Fetched {
  documents: number
  files: number
  bytes: number
}

export type RegistryOf = (name: string) => Registry

interface Document {
  readonly versions: readonly { readonly version: Version; readonly data: { readonly [key: string]: unknown } }[]
  readonly tags: { readonly [key: string]: unknown }
}

function readVersions(body: string, name: string): Document {
  const root = readJson(body, `What the registry says about ${name}`)
  const [versions, tags] = [own(root, 'versions'), own(root, 'dist-tags')]
  return {
    versions: isData(versions) ? Object.entries(versions).flatMap(([text, data]) => {
      const version = parseVersion(text)
      return version === null || !isData(data) ? [] : [{ version, data }]
    }) : [],
    tags: isData(tags) ? tags : {},
  }
}

/** What npm takes for a range: the version of `latest` when it fits, else the newest that fits. */
function chosen({ versions, tags }: Document, range: string): Document['versions'][number] | undefined {
  const tagged = (tag: string) => versions.find(each => each.version.text === own(tags, tag))
  if (!isRange(range)) return tagged(range)
  const latest = tagged('latest')
  if (latest !== undefined && satisfies(latest.version.text, range)) return latest
  return versions.filter(each => satisfies(each.version.text, range)).sort((a, b) => compareVersions(b.version, a.version))[0]
}

/** A range, `npm:other@range`, or an address, which is nobody's to fetch here. */
function readWish(name: string, wish: string): { name: string; range: string } | null {
  const alias = /^npm:((?:@[^@/]+\/)?[^@/]+)(?:@(.+))?$/.exec(wish)
  if (alias !== null) return isPackageName(alias[1] ?? '') ? { name: alias[1] ?? '', range: alias[2] ?? 'latest' } : null
  return /[:/]/.test(wish) ? null : { name, range: wish.trim() === '' ? '*' : wish }
}

/** Brings documents into the cache, one package after another as the ranges lead on. */
export class Documents {
  readonly fetched: Fetched = { documents: 0, files: 0, bytes: 0 }
  private readonly known = new Map<string, Promise<Document>>()
  private readonly seen = new Set<string>()
  private readonly context: ToolContext
  private readonly cache: string
  private readonly registryOf: RegistryOf

  constructor(context: ToolContext, cache: string, registryOf: RegistryOf) {
    this.context = context
    this.cache = cache
    this.registryOf = registryOf
  }

  has(name: string): boolean {
    return this.known.has(name)
  }

  /** @param wishes names with ranges; what those depend on comes along. // F2 */
  async follow(wishes: Readonly<Record<string, string>>): Promise<void> {
    let open = Object.entries(wishes)
    while (open.length > 0) {
      const next: [string, string][] = []
      for (let start = 0; start < open.length; start += AT_ONCE) {
        const found = await Promise.all(open.slice(start, start + AT_ONCE).map(([name, wish]) => this.one(name, wish)))
        for (const more of found) next.push(...Object.entries(more))
      }
      open = next
    }
  }

  /** A package's file that npm looks into before it locks it, for what is bundled in it; pinned by the registry's own document. */
  async file(name: string, address: string): Promise<boolean> {
    const { pathname } = new URL(address)
    for (const { version, data } of (await this.document(name)).versions) {
      const dist = own(data, 'dist')
      const [tarball, integrity, shasum] = isData(dist) ? [own(dist, 'tarball'), own(dist, 'integrity'), own(dist, 'shasum')] : []
      if (typeof tarball !== 'string' || !URL.canParse(tarball) || new URL(tarball).pathname !== pathname) continue
      const pinned = typeof integrity === 'string' ? integrity : typeof shasum === 'string' && /^[0-9a-f]{40}$/.test(shasum) ? `sha1-${Buffer.from(shasum, 'hex').toString('base64')}` : ''
      const registry = this.registryOf(name)
      if (digestOf(pinned) === null || !isOfRegistry(tarball, registry)) throw new ToolFailure('not-pinned', `The registry does not pin ${name} ${version.text} by a hash.`)
      await fetchFiles(this.context, this.cache, [{ path: '', name, resolved: tarball, integrity: pinned }], this.registryOf, this.fetched)
      return true
    }
    return false
  }

  private async one(name: string, wish: string): Promise<Record<string, string>> {
    const asked = readWish(name, wish)
    if (asked === null || this.seen.has(`${asked.name}@${asked.range}`)) return {}
    this.seen.add(`${asked.name}@${asked.range}`)
    const found = chosen(await this.document(asked.name), asked.range)
    if (found === undefined) return {}
    return { ...rangesOf(own(found.data, 'dependencies')), ...rangesOf(own(found.data, 'optionalDependencies')), ...peersOf(found.data) }
  }

  private document(name: string): Promise<Document> {
    const before = this.known.get(name)
    if (before !== undefined) return before
    if (this.known.size >= MAX_PACKAGES) throw new ToolFailure('too-many', `More than ${MAX_PACKAGES} packages would have to be looked at.`)
    const reading = this.read(name)
    this.known.set(name, reading)
    return reading
  }

  private async read(name: string): Promise<Document> {
    const registry = this.registryOf(name)
    const body = await readDocument(this.context, name, registry)
    await putDocument(this.context, this.cache, documentAddress(name, registry), body, await this.context.now())
    this.fetched.documents++
    this.fetched.bytes += body.length
    return readVersions(body, name)
  }
}

interface Pinned {
  readonly path: string
  readonly name: string
  readonly resolved: string
  readonly integrity: string
}

const matches = (value: unknown, here: string): boolean => {
  const names = Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
  const wanted = names.filter(name => !name.startsWith('!'))
  return !names.includes(`!${here}`) && (wanted.length === 0 || wanted.includes(here))
}

/** The files that a lock pins for this system. @throws {ToolFailure} where something is pinned by nothing or comes from elsewhere. // F1, F3 */
export function pinnedFiles(lock: string, registryOf: RegistryOf): Pinned[] {
  const packages = own(readJson(lock, 'The lock file'), 'packages')
  if (!isData(packages)) throw new ToolFailure('old-lock', 'The lock file is of version 1, which does not say enough.', { help: '`npm install --package-lock-only` with a newer npm writes it anew.' })
  return Object.entries(packages).flatMap(([path, data]): Pinned[] => {
    if (!isData(data) || !path.includes('node_modules/') || own(data, 'link') === true || own(data, 'inBundle') === true) return []
    if (!matches(own(data, 'os'), process.platform) || !matches(own(data, 'cpu'), process.arch)) return []
    const given = own(data, 'name')
    const name = typeof given === 'string' ? given : path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const [resolved, integrity] = [own(data, 'resolved'), own(data, 'integrity')]
    if (!isPackageName(name)) throw new ToolFailure('bad-name', `The lock file pins \`${name.slice(0, 100)}\`, which cannot be the name of a package.`)
    if (typeof resolved !== 'string' || typeof integrity !== 'string' || digestOf(integrity) === null) {
      throw new ToolFailure('not-pinned', `The lock file does not pin ${name} to a file of a registry by its hash.`, { help: 'Packages from git, from addresses and from folders cannot be fetched beforehand.' })
    }
    if (!isOfRegistry(resolved, registryOf(name))) throw new ToolFailure('other-host', `The lock file takes ${name} from ${resolved.slice(0, 200)}, which is not its registry.`)
    return [{ path, name, resolved, integrity }]
  })
}

/** npm itself takes files that are pinned at the public registry from the one that is set. */
export function isOfRegistry(resolved: string, registry: Registry): boolean {
  if (!URL.canParse(resolved)) return false
  const { origin, username, password } = new URL(resolved)
  return username === '' && password === '' && (origin === new URL(registry.address).origin || origin === PUBLIC_REGISTRY)
}

function addressAt(resolved: string, registry: Registry): string {
  const [file, here] = [new URL(resolved), new URL(registry.address)]
  return file.origin === here.origin ? file.href : `${registry.address.replace(/\/+$/, '')}${file.pathname}`
}

/** Brings the pinned files into the cache that are not there yet. */
export async function fetchFiles(context: ToolContext, cache: string, pinned: readonly Pinned[], registryOf: RegistryOf, fetched: Fetched): Promise<void> {
  const wanted = new Map<string, Pinned>()
  for (const each of pinned) wanted.set(each.integrity, each)
  const files = [...wanted.values()]
  for (let start = 0; start < files.length; start += AT_ONCE) {
    await Promise.all(files.slice(start, start + AT_ONCE).map(async ({ name, resolved, integrity }) => {
      const digest = digestOf(integrity)!
      if (await hasContent(context, cache, digest)) return
      const registry = registryOf(name)
      const headers = { accept: '*/*', ...(registry.token === '' ? {} : { authorization: `Bearer ${registry.token}` }) }
      const answer = await context.fetch(addressAt(resolved, registry), { headers, asBytes: true, maxBodyBytes: MAX_FILE_BYTES, timeoutMs: FETCH_TIMEOUT_MS })
      if (answer.status !== 200 || answer.bytes === undefined) throw new ToolFailure('registry', `The registry answered ${answer.status} for a file of ${name}.`, { retryable: answer.status === 429 || answer.status >= 500 })
      fetched.files++
      fetched.bytes += answer.bytes.length
      if (fetched.bytes > MAX_TOTAL_BYTES) throw new ToolFailure('too-large', `The packages are larger than ${MAX_TOTAL_BYTES / 1e9} GB together.`)
      await putContent(context, cache, digest, answer.bytes, name)
    }))
    context.progress(Math.min(1, (start + AT_ONCE) / files.length))
  }
}
