// Bundle: a plugin's sources, put together into one file in the project's cache. The only file that knows esbuild.
// Owns: the build, its limits, the cache. Does not own: running what it made (isolate/).
//   B1. The hash is made of esbuild's version, the options, the plugin interface's version, and name and content of every input: the same on every machine.
//   B2. On a hit esbuild is not even imported: an index per entry file lists the inputs, and their contents are compared.
//   B3. Files come from the plugin's own folder or from a node_modules folder above it, by real path; nothing native.
//   B4. Files of the cache are written under a temporary name and renamed; a damaged one is a miss.
//   B5. `tek-lang/plugin` is tek's own published entry, whatever is installed: a plugin file works without node_modules.
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildOptions, BuildFailure, Message, Plugin as BuildPlugin } from 'esbuild'
import { sha256 } from '#base/hash.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import { pluginApiVersion } from '#plugin-api/define-plugin.ts'
import type { FoundPlugin } from './discover.ts'

const MAX_BUNDLE_BYTES = 5_000_000
const MAX_INPUT_BYTES = 20_000_000
const MAX_INPUTS = 10_000

const banner = "import { createRequire as tekCreateRequire } from 'node:module'; const require = tekCreateRequire(import.meta.url);"
const fixedOptions = {
  bundle: true, write: false, format: 'esm', platform: 'node', target: 'node20', sourcemap: 'external', sourcesContent: false, logLevel: 'silent',
  tsconfigRaw: '{}', legalComments: 'none', charset: 'utf8', banner: { js: banner },
} as const satisfies BuildOptions

export interface Bundle {
  readonly hash: string
  /** Absolute path of the built module. */
  readonly file: string
  /** Whether it was in the cache already. */
  readonly cached: boolean
}

export interface BundleOptions {
  readonly host: Host
  /** `<project>/.tek/cache/plugins` */
  readonly cacheDir: string
  /** URL of tek's published plugin entry (B5). */
  readonly pluginEntryUrl: string
}

interface Index {
  readonly recipe: string
  readonly hash: string
  readonly inputs: readonly (readonly [path: string, sha: string])[]
}

export async function bundlePlugin(plugin: FoundPlugin, options: BundleOptions): Promise<Bundle | Diagnostic> {
  const { host, cacheDir } = options
  const version = esbuildVersion()
  const identity = JSON.stringify([version, fixedOptions, pluginApiVersion])
  const recipe = sha256(JSON.stringify([identity, options.pluginEntryUrl]))
  const indexFile = join(cacheDir, `${sha256(plugin.entry).slice(0, 32)}.json`)
  const hit = await findInCache(host, cacheDir, indexFile, recipe)
  if (hit !== null) return hit // B2
  const built = await build(plugin, options)
  if ('code' in built) return built
  const hash = sha256(JSON.stringify([identity, built.inputs.map(([path, sha]) => [relative(plugin.root, path), sha])])) // B1
  const file = join(cacheDir, `${hash}.mjs`)
  try {
    await host.files.writeAtomic(`${file}.map`, built.map) // B4
    await host.files.writeAtomic(file, `${built.text}\n//# sourceMappingURL=${basename(file)}.map\n`)
    await host.files.writeAtomic(indexFile, JSON.stringify({ recipe, hash, inputs: built.inputs } satisfies Index))
  } catch (error) {
    if (error instanceof HostError) return pluginErrors['cannot-be-kept']({ source: plugin.source, reason: error.message })
    throw error
  }
  return { hash, file, cached: false }
}

function esbuildVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('esbuild/package.json')
  return (manifest as { version: string }).version
}

async function findInCache(host: Host, cacheDir: string, indexFile: string, recipe: string): Promise<Bundle | null> {
  try {
    const index = JSON.parse(new TextDecoder().decode(await host.files.readBytes(indexFile, MAX_INPUT_BYTES))) as Index
    if (index.recipe !== recipe || !/^[0-9a-f]{64}$/.test(index.hash) || index.inputs.length === 0) return null
    const file = join(cacheDir, `${index.hash}.mjs`)
    for (const [path, sha] of index.inputs) if (sha256(await host.files.readBytes(path, MAX_INPUT_BYTES)) !== sha) return null
    return (await host.files.stat(file))?.kind === 'file' ? { hash: index.hash, file, cached: true } : null
  } catch {
    return null // B4: nothing there, damaged, or an input is gone
  }
}

interface Built {
  readonly text: string
  readonly map: string
  readonly inputs: [string, string][]
}

async function build(plugin: FoundPlugin, options: BundleOptions): Promise<Built | Diagnostic> {
  const esbuild = await import('esbuild')
  const inputs = new Map<string, string>()
  const outfile = join(options.cacheDir, 'plugin.mjs') // absolute, in the folder where the result will lie: the map's paths are relative to it
  try {
    const result = await esbuild.build({
      ...fixedOptions, entryPoints: [plugin.entry], outfile, absWorkingDir: plugin.root, plugins: [gate(plugin, options, inputs)],
    })
    const text = result.outputFiles.find(each => each.path === outfile)?.text ?? ''
    if (text.length > MAX_BUNDLE_BYTES) return pluginErrors['too-large']({ source: plugin.source, limitMb: MAX_BUNDLE_BYTES / 1_000_000 })
    const map = result.outputFiles.find(each => each.path === `${outfile}.map`)?.text ?? ''
    return { text, map, inputs: [...inputs].sort(([a], [b]) => (a < b ? -1 : 1)) }
  } catch (error) {
    const failure = error as Partial<BuildFailure>
    const first = failure.errors?.[0]
    if (first === undefined) throw error
    if (isDiagnostic(first.detail)) return first.detail
    return pluginErrors['does-not-build']({ source: plugin.source, reason: placed(first, plugin) }, { help: [...(failure.errors ?? []).slice(1, 3).map(each => `Also: ${placed(each, plugin)}`), ...adviceOn(first)] })
  }
}

function isDiagnostic(detail: unknown): detail is Diagnostic {
  return typeof detail === 'object' && detail !== null && 'code' in detail && 'severity' in detail
}

/** A package that is not installed, and `zod`, which nobody needs to install. */
function adviceOn({ text }: Message): string[] {
  const missing = /^Could not resolve "((?:@[\w.-]+\/)?[\w.-]+)[^"]*"/.exec(text)?.[1]
  if (missing === undefined || missing.startsWith('.')) return []
  return [missing === 'zod' ? "Take `z` from 'tek-lang/plugin'." : `Install the package: \`npm install ${missing}\`.`]
}

/** `jira.ts:3:5: Expected ";"` with the path relative to the plugin's folder. */
function placed(message: Message, plugin: FoundPlugin): string {
  const at = message.location
  return at === null ? message.text : `${at.file || basename(plugin.entry)}:${at.line}:${at.column + 1}: ${message.text}`
}

/** B3, B5: what may be imported. Every file read is noted with its hash. */
function gate(plugin: FoundPlugin, options: BundleOptions, inputs: Map<string, string>): BuildPlugin {
  const refuse = (diagnostic: Diagnostic) => ({ errors: [{ text: diagnostic.message, detail: diagnostic }] })
  return {
    name: 'gate',
    setup(build) {
      // `require` takes no URL.
      build.onResolve({ filter: /^tek-lang\/plugin$/ }, ({ kind }) => ({ path: kind === 'require-call' ? fileURLToPath(options.pluginEntryUrl) : options.pluginEntryUrl, external: true }))
      build.onResolve({ filter: /^https?:|^data:|^file:/ }, args => refuse(pluginErrors['imports-outside']({ source: plugin.source, file: args.path.slice(0, 100) })))
      build.onLoad({ filter: /.*/ }, async args => {
        const real = await options.host.files.realPath(args.path)
        if (!mayUse(real, plugin.root)) return refuse(pluginErrors['imports-outside']({ source: plugin.source, file: real }))
        if (real.endsWith('.node')) return refuse(pluginErrors['native-code']({ source: plugin.source, file: basename(real) }))
        if (inputs.size >= MAX_INPUTS) return refuse(pluginErrors['too-large']({ source: plugin.source, limitMb: MAX_BUNDLE_BYTES / 1_000_000 }))
        inputs.set(real, sha256(await options.host.files.readBytes(real, MAX_INPUT_BYTES)))
        return undefined
      })
    },
  }
}

function mayUse(file: string, root: string): boolean {
  if (file.startsWith(`${root}/`)) return true
  for (let folder = root; ; folder = dirname(folder)) {
    if (file.startsWith(join(folder, 'node_modules/'))) return true
    if (dirname(folder) === folder) return false
  }
}
