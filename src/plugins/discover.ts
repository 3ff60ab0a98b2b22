// Discover: from what a program wrote after `use plugin` to the file that implements it.
// Owns: paths, packages, the suggestions when there is nothing. Does not own: building (bundle.ts).
//   D1. A plugin file may use the files of its own folder; a plugin package those of its package. `root` is that folder, with links resolved.
import { basename, dirname, extname, join, resolve } from 'node:path'
import { didYouMean } from '#base/did-you-mean.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'

const MAX_PACKAGE_JSON_BYTES = 1_000_000
const MAX_FOLDERS_UP = 64
const extensions = ['.ts', '.mts', '.js', '.mjs']

export interface FoundPlugin {
  /** As written in the program. */
  readonly source: string
  /** Absolute, links resolved. */
  readonly entry: string
  readonly root: string
}

/**
 * Finds a plugin.
 *
 * @param from absolute path of the file that names it.
 * @param source `./plugins/jira.ts` or the name of a package.
 */
export async function discoverPlugin(host: Host, from: string, source: string): Promise<FoundPlugin | Diagnostic> {
  const folder = dirname(from)
  if (/^\.{0,2}\//.test(source)) return discoverFile(host, resolve(folder, source), source)
  if (!/^(?:@[\w.-]+\/)?[\w.-]+$/.test(source)) return pluginErrors['not-found']({ source, looked: 'it is neither a path that starts with `./` nor the name of a package' })
  return discoverPackage(host, folder, source)
}

async function discoverFile(host: Host, path: string, source: string): Promise<FoundPlugin | Diagnostic> {
  for (const candidate of [path, ...extensions.map(extension => path + extension)]) {
    const kind = (await host.files.stat(candidate))?.kind
    if (kind === 'directory') return discoverInPackage(host, candidate, source)
    if (kind === 'file') {
      const entry = await host.files.realPath(candidate)
      return { source, entry, root: dirname(entry) } // D1
    }
  }
  const entries = await host.files.list(dirname(path)).catch((): [] => [])
  const names = entries.filter(each => each.kind === 'directory' || extensions.includes(extname(each.name))).map(each => each.name)
  const near = didYouMean(basename(path), names)
  return pluginErrors['not-found']({ source, looked: 'no such file exists' }, { help: near.map(name => `Did you mean \`${source.slice(0, source.lastIndexOf('/') + 1)}${name}\`?`) })
}

async function discoverPackage(host: Host, folder: string, source: string): Promise<FoundPlugin | Diagnostic> {
  const seen: string[] = []
  for (let at = folder, left = MAX_FOLDERS_UP; left > 0; left--) {
    const modules = join(at, 'node_modules')
    if ((await host.files.stat(join(modules, source)))?.kind === 'directory') return discoverInPackage(host, join(modules, source), source)
    for (const entry of await host.files.list(modules).catch((): [] => [])) seen.push(entry.name)
    if (dirname(at) === at) break
    at = dirname(at)
  }
  return pluginErrors['not-found']({ source, looked: 'no such package is installed' }, { help: didYouMean(source, seen).map(name => `Did you mean \`${name}\`?`) })
}

async function discoverInPackage(host: Host, folder: string, source: string): Promise<FoundPlugin | Diagnostic> {
  const root = await host.files.realPath(folder)
  const named = await entryOf(host, root)
  const candidates = named === null ? extensions.map(extension => `index${extension}`) : [named]
  for (const candidate of candidates) {
    const path = resolve(root, candidate)
    if ((await host.files.stat(path))?.kind !== 'file') continue
    const entry = await host.files.realPath(path)
    if (!entry.startsWith(`${root}/`)) return pluginErrors['imports-outside']({ source, file: entry })
    return { source, entry, root }
  }
  const looked = named === null ? 'its package.json names no file (`"tek": "./plugin.ts"`)' : `its package.json names \`${named}\`, which does not exist`
  return pluginErrors['not-found']({ source, looked })
}

/** `tek` in package.json, else what an import of the package would load. */
async function entryOf(host: Host, root: string): Promise<string | null> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(await host.files.readBytes(join(root, 'package.json'), MAX_PACKAGE_JSON_BYTES)))
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) return null
    throw error
  }
  if (typeof json !== 'object' || json === null) return null
  const { tek, exports, main } = json as Record<string, unknown>
  return [tek, conditional(exports), main].find((each): each is string => typeof each === 'string') ?? null
}

function conditional(exports: unknown): unknown {
  if (typeof exports !== 'object' || exports === null) return exports
  const map = exports as Record<string, unknown>
  const dot = map['.'] ?? map
  if (typeof dot !== 'object' || dot === null) return dot
  const { node, default: fallback, import: module } = dot as Record<string, unknown>
  return [module, node, fallback].find(each => typeof each === 'string')
}
