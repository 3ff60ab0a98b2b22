// Plugin package: a folder that holds a plugin, or one file of it, as its author has it before anybody installs it.
// Owns: finding the entry, reading package.json, what is wrong with it. Does not own: the plugin's code (check-plugin.ts), what is packed (pack-plugin.ts).
//   P1. A file alone is a plugin without a package: what only a package owes is then not asked of it.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import type { Place } from '#model/source.ts'

const MAX_MANIFEST_BYTES = 1_000_000
const MAX_FOLDER_DEPTH = 20
const MAX_FILES = 10_000
/** What npm runs for whoever installs. */
const installScripts = ['preinstall', 'install', 'postinstall'] as const
const leftOut: ReadonlySet<string> = new Set(['node_modules', '.git', '.tek'])

export interface PluginPackage {
  /** Absolute, links resolved. */
  readonly root: string
  /** Absolute path of the file that says `definePlugin`. */
  readonly entry: string
  /** As a program in `folder` would name it: the package by its folder, so that it is what an installed one is. */
  readonly source: string
  readonly folder: string
  /** Null: a file alone. // P1 */
  readonly manifest: Manifest | null
  /** A path as people are shown it. */
  readonly shown: (path: string) => string
}

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly text: string
  readonly path: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** The plugin at a path; diagnostics where there is none. */
export async function openPackage(host: Host, path: string): Promise<PluginPackage | Diagnostic> {
  const shown = (each: string): string => {
    const found = relative(host.cwd, each)
    return found.startsWith('..') ? each : found === '' ? '.' : found
  }
  const stat = await host.files.stat(path)
  if (stat === null) return pluginErrors['not-found']({ source: shown(path), looked: 'there is nothing at that path' })
  const real = await host.files.realPath(path)
  if (stat.kind === 'file') {
    const root = packageAbove(real)
    return root === null ? { root: dirname(real), entry: real, source: `./${basename(real)}`, folder: dirname(real), manifest: null, shown } : openFolder(host, root, shown)
  }
  return openFolder(host, real, shown)
}

/** The folder of the package whose entry a file is. */
function packageAbove(file: string): string | null {
  for (let folder = dirname(file), left = MAX_FOLDER_DEPTH; left > 0; folder = dirname(folder), left--) {
    if (existsSync(join(folder, 'package.json'))) return entryIn(folder) === file ? folder : null
    if (dirname(folder) === folder) return null
  }
  return null
}

function entryIn(folder: string): string | null {
  try {
    const { tek } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { tek?: unknown }
    return typeof tek === 'string' ? join(folder, tek) : null
  } catch {
    return null
  }
}

async function openFolder(host: Host, root: string, shown: (path: string) => string): Promise<PluginPackage | Diagnostic> {
  const path = join(root, 'package.json')
  const bad = (reason: string, at?: Place): Diagnostic => pluginErrors['bad-manifest']({ file: shown(path), reason }, at === undefined ? {} : { at })
  let text: string
  try {
    text = host.files.readTextSync(path, MAX_MANIFEST_BYTES)
  } catch (error) {
    if (error instanceof HostError) return bad(error.code === 'not-found' ? 'there is no such file' : error.message)
    throw error
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return bad(`it is no JSON: ${error instanceof Error ? error.message : ''}`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return bad('it is no object')
  const fields = json as Record<string, unknown>
  const { name, version, tek } = fields
  if (typeof tek !== 'string') return bad('it names no entry: `"tek": "./src/plugin.ts"`')
  const entry = join(root, tek)
  const at = placeOfKey(shown(path), text, 'tek')
  if ((await host.files.stat(entry))?.kind !== 'file') return bad(`its entry \`${tek}\` does not exist`, at)
  const real = await host.files.realPath(entry)
  if (!real.startsWith(`${root}/`)) return bad(`its entry \`${tek}\` lies outside the package`, at)
  return {
    root, entry: real, source: `./${basename(root)}`, folder: dirname(root), shown,
    manifest: { name: typeof name === 'string' ? name : '', version: typeof version === 'string' ? version : '', text, path, fields },
  }
}

/** What a package owes beside its code. `release`: what the definition calls its version; null where that is not known. */
export function manifestFindings({ manifest, root, shown }: PluginPackage, release: string | null): Diagnostic[] {
  if (manifest === null) return []
  const { fields, path, text } = manifest
  const found: Diagnostic[] = []
  const bad = (key: string, reason: string): void => void found.push(pluginErrors['bad-manifest']({ file: shown(path), reason }, { at: placeOfKey(shown(path), text, key) }))
  if (!/^(?:@[a-z0-9-][a-z0-9-._]*\/)?[a-z0-9-][a-z0-9-._]*$/.test(manifest.name)) bad('name', 'its `name` is none that npm takes: small letters, digits, `-`, perhaps a scope')
  if (!/^\d+\.\d+\.\d+(?:[-+][\w.+-]*)?$/.test(manifest.version)) bad('version', 'its `version` is none such as 1.0.0')
  else if (release !== null && release !== manifest.version) bad('version', `its \`version\` is ${manifest.version}, and that of the definition ${release}`)
  if (fieldOf(fields['peerDependencies'], 'tek-lang') === undefined) bad('peerDependencies', 'it does not name `tek-lang` in `peerDependencies`')
  for (const script of installScripts) {
    if (fieldOf(fields['scripts'], script) !== undefined) found.push(pluginErrors['install-script']({ script }, { at: placeOfKey(shown(path), text, script) }))
  }
  const native = filesUnder(root).find(each => each.endsWith('.node') || basename(each) === 'binding.gyp')
  if (native !== undefined || fields['gypfile'] === true) found.push(pluginErrors['native-code']({ source: manifest.name, file: native === undefined ? 'gypfile' : relative(root, native) }))
  return found
}

const fieldOf = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined)

function placeOfKey(path: string, text: string, key: string): Place {
  const start = Math.max(0, text.indexOf(JSON.stringify(key)))
  return { path, start, end: text.indexOf(JSON.stringify(key)) < 0 ? 0 : start + key.length + 2 }
}

/** Every file of a package that is its own, sorted; at most MAX_FILES. */
export function filesUnder(folder: string, depth = 0): string[] {
  if (depth > MAX_FOLDER_DEPTH) return []
  const found: string[] = []
  for (const each of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length >= MAX_FILES || leftOut.has(each.name)) continue
    if (each.isDirectory()) found.push(...filesUnder(join(folder, each.name), depth + 1))
    else if (each.isFile()) found.push(join(folder, each.name))
  }
  return found.slice(0, MAX_FILES)
}
