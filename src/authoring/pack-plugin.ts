// Pack plugin: a checked plugin as the archive that npm installs and publishes.
// Owns: which files are in it, and the description that goes with them. Does not own: the checks (check-plugin.ts), the archive's form (tarball.ts).
//   K1. In it is what the plugin is made of, by the list of its own build, and what package.json names: no file comes along by being there.
//   K2. The description goes with it as data, under the hash of the build: whoever checks a program need not run the plugin for it (plugins/shipped.ts).
//   K3. No script is run: what is packed are sources.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Bundle } from '#plugins/bundle.ts'
import { SHIPPED_FILE, shippedText } from '#plugins/shipped.ts'
import { filesUnder, type PluginPackage } from './plugin-package.ts'
import { tarball, type TarFile } from './tarball.ts'

const MAX_PACKAGE_MB = 20
const always = /^(?:readme|licen[cs]e|notice|changelog)(?:\.\w+)?$/i

export interface PackedPlugin {
  /** As `npm pack` names it. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
}

/** @param api the version of the plugin interface it was written for. */
export function packPlugin(plugin: PluginPackage, bundle: Bundle, signature: ModuleSignature, api: string): PackedPlugin | Diagnostic {
  const { root, manifest, source } = plugin
  if (manifest === null) return pluginErrors['bad-manifest']({ file: source, reason: 'it is one file: only a package, with a package.json, can be packed' })
  const files = packedFiles(plugin, bundle).map((path): TarFile => ({ path, bytes: readFileSync(join(root, path)) }))
  files.push({ path: SHIPPED_FILE, bytes: Buffer.from(shippedText(signature, api)) }) // K2
  const total = files.reduce((sum, each) => sum + each.bytes.length, 0)
  if (total > MAX_PACKAGE_MB * 1_000_000) return pluginErrors['too-large']({ source: manifest.name, limitMb: MAX_PACKAGE_MB })
  const bytes = tarball(files)
  if (bytes === null) return pluginErrors['bad-manifest']({ file: source, reason: 'a path in it is longer than an archive can hold' })
  const name = `${manifest.name.replace(/^@/, '').replaceAll('/', '-')}-${manifest.version}.tgz`
  return { name, bytes, files: files.map(each => ({ path: each.path, bytes: each.bytes.length })).sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** K1. Relative paths with `/`. */
function packedFiles({ root, manifest }: PluginPackage, bundle: Bundle): string[] {
  const found = new Set(['package.json', ...readdirSync(root).filter(each => always.test(each) && statSync(join(root, each)).isFile())])
  for (const each of bundle.inputs) {
    const path = relative(root, each)
    if (!path.startsWith('..') && !path.split('/').includes('node_modules')) found.add(path)
  }
  const named = manifest!.fields['files']
  for (const each of Array.isArray(named) ? named : []) {
    const path = typeof each === 'string' ? join(root, each) : root
    if (!path.startsWith(`${root}/`) || !existsSync(path)) continue
    for (const file of statSync(path).isDirectory() ? filesUnder(path) : [path]) found.add(relative(root, file))
  }
  found.delete(SHIPPED_FILE)
  return [...found].map(each => each.replaceAll('\\', '/'))
}
