// Install: from a wish to an installed tree, without a network for any command and without a script of any package.
// Owns: the order: foresee and fetch documents, change manifests, let npm write the lock, fetch what it pins, let npm install exactly that.
// Does not own: fetching (fetching), npm's cache (cache), what manifests hold (project).
//   I1. tek fetches, under `net`; npm runs in the sandbox and offline, with the cache that tek filled, and runs no script unless that is asked for.
//   I2. What is so already is not done again. Every step may be done again after a crash: manifests are written whole, npm's lock is made of them.
//   I3. When npm cannot make a lock, the manifests become what they were.
import { resolve } from 'node:path'
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { prepareCache } from './cache.ts'
import { Documents, fetchFiles, pinnedFiles, type Fetched, type RegistryOf } from './fetching.ts'
import { isData, own, parseLock, rangesOf, readJson } from './lock.ts'
import { changedManifests, checkedChanges, directDependencies, inside, readProject, type Project, type Wanted } from './project.ts'
import { registries, type Registry } from './registry.ts'

const TIMEOUT_MS = 900_000
/** Packages that npm may name one after another because they were not foreseen. */
const MAX_SURPRISES = 200
const MAX_WARNINGS = 50

export interface Place {
  readonly dir: string
  /** npm's cache. */
  readonly cache: string
  readonly registry: Registry
}

export interface Installed extends Fetched {
  ok: boolean
  elapsed: number
  warnings: string[]
}

const isMissing = /request to (\S+) failed: cache mode is 'only-if-cached' but no cached response is available/

export async function runNpm(context: ToolContext, folder: string, args: readonly string[], timeoutMs = TIMEOUT_MS) {
  return context.run('npm', args, {
    timeoutMs, maxOutputBytes: 4_000_000, env: { CI: '1', NO_COLOR: '1', NO_UPDATE_NOTIFIER: '1' }, ...(folder === '.' ? {} : { cwd: folder }),
  })
}

const said = (stderr: string): string[] =>
  stderr.split('\n').filter(line => /^npm (?:error|ERR!)/.test(line) && !/complete log|debug-\d/.test(line)).map(line => line.replace(/^npm (?:error|ERR!) ?/, '')).filter(line => line.trim() !== '')

/** Runs npm to install something; the reason in npm's own words when it fails. */
async function runInstaller(context: ToolContext, folder: string, args: readonly string[], scripts: boolean): Promise<{ ok: true; elapsed: number; warnings: string[] } | { ok: false; missing: string }> {
  const result = await runNpm(context, folder, [...args.slice(0, 1), '--no-audit', '--no-fund', ...(scripts ? [] : ['--ignore-scripts']), ...args.slice(1)])
  if (result.exitCode === 0) return { ok: true, elapsed: Math.round(result.elapsedMs), warnings: result.stderr.split('\n').filter(line => /^npm (?:warn|WARN)/.test(line)).slice(0, MAX_WARNINGS) }
  const missing = isMissing.exec(result.stderr)?.[1]
  if (missing !== undefined && args.includes('--offline')) return { ok: false, missing }
  if (/EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|network/i.test(result.stderr)) {
    throw new ToolFailure('no-network', `npm ${args[0]} needs the network, and a command that tek starts has none.`, { help: 'Give it a `cache` that npm.fetch has filled, or install the packages before the run: `npm ci`.' })
  }
  const why = (said(result.stderr).slice(0, 6).join(' · ') || `exit code ${result.exitCode}`).slice(0, 800)
  if (/\bERESOLVE\b/.test(result.stderr)) throw new ToolFailure('peers', `npm ${args[0]} failed: ${why}`, { help: 'Its peers want other versions: upgrade them together (npm.group).' })
  throw new ToolFailure('install-failed', `npm ${args[0]} failed: ${why}`, { retryable: result.timedOut })
}

const offline = (context: ToolContext, { cache, registry }: Place): string[] => ['--offline', `--cache=${resolve(context.cwd, cache)}`, `--registry=${registry.address}`]

/** Whether all of it is there, by npm's notes and by the packages themselves. // I2 */
async function isInstalled(context: ToolContext, dir: string, changes: readonly Wanted[]): Promise<boolean> {
  const read = async (path: string): Promise<unknown> => readJson(await context.files.readText(inside(dir, path), { maxBytes: 50_000_000 }), path)
  const at = (value: unknown, ...keys: readonly string[]): unknown => keys.reduce<unknown>((found, key) => (isData(found) ? own(found, key) : undefined), value)
  try {
    const [manifest, lock, notes] = [await read('package.json'), await read('package-lock.json'), await read('node_modules/.package-lock.json')]
    for (const { package: name, to } of changes) {
      const isAsked = ['dependencies', 'devDependencies', 'optionalDependencies'].some(kind => at(manifest, kind, name) === to)
      const path = `node_modules/${name}`
      if (!isAsked || at(lock, 'packages', path, 'version') !== to || at(notes, 'packages', path, 'version') !== to || at(await read(`${path}/package.json`), 'version') !== to) return false
    }
    return true
  } catch {
    return false // something is not there, or may not be read: npm says what is wrong
  }
}

/** Ranges that nothing in the lock answers for yet. */
function openWishes(project: Project, changes: readonly Wanted[]): Record<string, string> {
  const isOld = project.lock === null || (project.lockVersion ?? 1) < 2
  const locked = new Set(isOld ? [] : parseLock(project.lock ?? '').map(entry => entry.name))
  const wishes: Record<string, string> = {}
  for (const { data } of project.manifests) {
    for (const kind of ['dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies']) for (const [name, range] of Object.entries(rangesOf(own(data, kind)))) if (!locked.has(name)) wishes[name] = range
  }
  for (const { package: name, to } of changes) wishes[name] = to
  return wishes
}

/** Documents for what is wished, files for what is locked. */
export async function fetchAll(context: ToolContext, place: Place, changes: readonly Wanted[]): Promise<Fetched> {
  checkedChanges(changes)
  await prepareCache(context, place.cache)
  const project = await readProject(context, place.dir)
  const registryOf = await registries(context, inside(place.dir, '.npmrc'), place.registry)
  const documents = new Documents(context, place.cache, registryOf)
  await documents.follow(openWishes(project, changes))
  if (project.lock !== null && (project.lockVersion ?? 1) >= 2) await fetchFiles(context, place.cache, pinnedFiles(project.lock, registryOf), registryOf, documents.fetched)
  return documents.fetched
}

/** Lets npm write the lock for changed manifests. // I1, I3 */
export async function lock(context: ToolContext, place: Place, changes: readonly Wanted[]): Promise<{ registryOf: RegistryOf; fetched: Fetched; warnings: string[] }> {
  checkedChanges(changes)
  const { dir } = place
  await prepareCache(context, place.cache)
  const project = await readProject(context, dir)
  const registryOf = await registries(context, inside(dir, '.npmrc'), place.registry)
  const documents = new Documents(context, place.cache, registryOf)
  await documents.follow(openWishes(project, changes))
  const write = async (manifests: readonly { folder: string; text: string }[]): Promise<void> => {
    for (const { folder, text } of manifests) await context.files.writeText(inside(dir, inside(folder, 'package.json')), text)
  }
  const changed = changedManifests(project, changes)
  await write(changed)
  const asked = new Set<string>()
  try {
    for (let surprises = 0; ; surprises++) {
      const done = await runInstaller(context, dir, ['install', '--package-lock-only', ...offline(context, place)], false)
      if (done.ok) return { registryOf, fetched: documents.fetched, warnings: done.warnings }
      if (surprises >= MAX_SURPRISES || asked.has(done.missing) || !(await bring(documents, done.missing))) {
        throw new ToolFailure('not-foreseen', `npm wants ${done.missing.slice(0, 200)}, which cannot be fetched for it.`)
      }
      asked.add(done.missing)
    }
  } catch (problem) {
    await write(project.manifests.filter(each => changed.some(one => one.folder === each.folder)))
    throw problem
  }
}

/** Fetches what npm named. */
async function bring(documents: Documents, address: string): Promise<boolean> {
  const path = URL.canParse(address) ? decodeURIComponent(new URL(address).pathname).slice(1) : ''
  const file = /((?:@[^/]+\/)?[^/]+)\/-\/[^/]+$/.exec(path)?.[1]
  if (file !== undefined) return documents.file(file, address)
  const name = /((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1]
  if (name === undefined) return false
  await documents.follow({ [name]: '*' })
  return documents.has(name)
}

/** Installs exactly what the lock pins, out of the cache. */
export async function installLocked(context: ToolContext, place: Place, scripts: boolean): Promise<Installed> {
  const project = await readProject(context, place.dir)
  if (project.lock === null) throw new ToolFailure('no-lock', 'The project has no package-lock.json.', { help: 'npm.lock writes one.' })
  const registryOf = await registries(context, inside(place.dir, '.npmrc'), place.registry)
  const fetched: Fetched = { documents: 0, files: 0, bytes: 0 }
  await prepareCache(context, place.cache)
  await fetchFiles(context, place.cache, pinnedFiles(project.lock, registryOf), registryOf, fetched)
  const done = await runInstaller(context, place.dir, ['ci', ...offline(context, place)], scripts)
  if (!done.ok) throw new ToolFailure('not-foreseen', `npm wants ${done.missing.slice(0, 200)}, which the lock file does not pin.`)
  return { ...done, ...fetched }
}

/** Changes versions and installs the outcome. */
export async function installChanges(context: ToolContext, place: Place, changes: readonly Wanted[], scripts: boolean): Promise<Installed> {
  checkedChanges(changes)
  if (changes.length > 0 && await isInstalled(context, place.dir, changes) && directKnown(await readProject(context, place.dir), changes)) return { ok: true, elapsed: 0, warnings: [], documents: 0, files: 0, bytes: 0 } // I2
  const locked = await lock(context, place, changes)
  const done = await installLocked(context, place, scripts)
  return {
    ok: true, elapsed: done.elapsed, warnings: [...locked.warnings, ...done.warnings].slice(0, MAX_WARNINGS), documents: locked.fetched.documents, files: done.files, bytes: locked.fetched.bytes + done.bytes,
  }
}

/** No workspace names it with another version. */
const directKnown = (project: Project, changes: readonly Wanted[]): boolean => changedManifests(project, changes).length === 0 && changes.every(each => directDependencies(project).has(each.package))
