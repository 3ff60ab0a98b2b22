// Bundle: a plugin's sources, put together into one file in the project's cache. The only file that knows esbuild.
// Owns: the build, its limits, the cache, whether a plugin needs Node. Does not own: running what it made (isolate/, engine/).
//   B1. The hash is made of esbuild's version, the options, the plugin interface's version, name and content of every input, and what was made of them: the
//       same on every machine.
//   B2. On a hit esbuild is not even imported: an index per entry file lists the inputs, and their contents are compared.
//   B3. Files come from the plugin's own folder or from a node_modules folder above it, by real path; nothing native. What was hashed is what is built, and
//       no comment in a file leads esbuild to another one.
//   B4. Files of the cache are written under a temporary name and renamed; a damaged one is a miss, and so is one that is not what its hash says.
//   B5. `tek-lang/plugin` is tek's own published entry, whatever is installed: a plugin file works without node_modules.
//   B6. A plugin runs in an engine unless its definition says `needsNode: 'why'` in plain text. One that imports a module of Node without saying so is refused.
import { createRequire, isBuiltin } from 'node:module'
import { basename, dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildOptions, BuildFailure, Loader, Message, Plugin as BuildPlugin } from 'esbuild'
import { sha256 } from '#base/hash.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import { pluginApiVersion } from '#plugin-api/define-plugin.ts'
import type { FoundPlugin } from './discover.ts'

const MAX_BUNDLE_BYTES = 5_000_000
const MAX_INPUT_BYTES = 20_000_000
const MAX_INPUTS = 10_000

/** Where a plugin runs: in an engine without any power, or, when it needs Node, in a confined process. */
export type PluginMode = 'engine' | 'process'

const banner = "import { createRequire as tekCreateRequire } from 'node:module'; const require = tekCreateRequire(import.meta.url);"
const shared = {
  bundle: true, write: false, sourcemap: 'external', sourcesContent: false, logLevel: 'silent', tsconfigRaw: '{}', legalComments: 'none', charset: 'utf8',
} as const satisfies BuildOptions
const optionsOf = {
  engine: { ...shared, format: 'iife', globalName: 'tekLoaded', platform: 'neutral', target: 'es2023', mainFields: ['browser', 'module', 'main'], conditions: ['browser', 'module'] },
  process: { ...shared, format: 'esm', platform: 'node', target: 'node20', banner: { js: banner } },
} as const satisfies Record<PluginMode, BuildOptions>

export interface Bundle {
  readonly hash: string
  readonly mode: PluginMode
  /** Why it needs Node, in its author's words; null when it does not. */
  readonly needsNode: string | null
  /** Absolute path of the built module. */
  readonly file: string
  /** What the file held when it was looked at. */
  readonly text: string
  /** Whether it was in the cache already. */
  readonly cached: boolean
  /** Absolute paths of the files it is made of, sorted. */
  readonly inputs: readonly string[]
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
  readonly mode: PluginMode
  readonly needsNode: string | null
  readonly inputs: readonly (readonly [path: string, sha: string])[]
}

export async function bundlePlugin(plugin: FoundPlugin, options: BundleOptions): Promise<Bundle | Diagnostic> {
  const { host, cacheDir } = options
  const identity = JSON.stringify([esbuildVersion(), optionsOf, pluginApiVersion])
  const recipe = sha256(JSON.stringify([identity, options.pluginEntryUrl]))
  const hashOf = (inputs: Index['inputs'], text: string): string => {
    const own = text.replaceAll(options.pluginEntryUrl, 'tek-lang/plugin')
    return sha256(JSON.stringify([identity, inputs.map(([path, sha]) => [relative(plugin.root, path), sha]), sha256(own)])) // B1
  }
  const indexFile = join(cacheDir, `${sha256(plugin.entry).slice(0, 32)}.json`)
  const hit = await findInCache(host, cacheDir, indexFile, recipe, hashOf)
  if (hit !== null) return hit // B2
  const built = await buildInItsMode(plugin, options)
  if ('code' in built) return built
  const { mode, needsNode, inputs } = built
  const text = `${built.text}\n`
  const hash = hashOf(inputs, text)
  const file = join(cacheDir, `${hash}.${extensionOf[mode]}`)
  try {
    await host.files.writeAtomic(`${file}.map`, built.map) // B4
    await host.files.writeAtomic(file, `${text}${mapComment(file)}`)
    await host.files.writeAtomic(indexFile, JSON.stringify({ recipe, hash, mode, needsNode, inputs } satisfies Index))
  } catch (error) {
    if (error instanceof HostError) return pluginErrors['cannot-be-kept']({ source: plugin.source, reason: error.message })
    throw error
  }
  return { hash, mode, needsNode, file, text, cached: false, inputs: inputs.map(([path]) => path) }
}

const extensionOf = { engine: 'js', process: 'mjs' } as const
const mapComment = (file: string): string => `//# sourceMappingURL=${basename(file)}.map\n`

function esbuildVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('esbuild/package.json')
  return (manifest as { version: string }).version
}

async function findInCache(host: Host, cacheDir: string, indexFile: string, recipe: string, hashOf: (inputs: Index['inputs'], text: string) => string): Promise<Bundle | null> {
  const read = async (path: string): Promise<string> => new TextDecoder().decode(await host.files.readBytes(path, MAX_INPUT_BYTES))
  try {
    const { hash, mode, needsNode, inputs, ...index } = JSON.parse(await read(indexFile)) as Index
    if (index.recipe !== recipe || inputs.length === 0 || extensionOf[mode] === undefined) return null
    for (const [path, sha] of inputs) if (sha256(await host.files.readBytes(path, MAX_INPUT_BYTES)) !== sha) return null
    const file = join(cacheDir, `${hash}.${extensionOf[mode]}`)
    const kept = await read(file)
    const text = kept.endsWith(mapComment(file)) ? kept.slice(0, -mapComment(file).length) : kept
    if (hashOf(inputs, text) !== hash || needsNodeIn(text) !== needsNode || (mode === 'process') !== (needsNode !== null)) return null
    return { hash, mode, needsNode, file, text, cached: true, inputs: inputs.map(([path]) => path) }
  } catch {
    return null // B4: nothing there, damaged, or an input is gone
  }
}

/** B6: what `needsNode` says in the built text, in which comments are gone and texts stand as esbuild writes them. */
function needsNodeIn(text: string): string | null {
  const found = /(?<![\w$.])needsNode: (?:("(?:[^"\\\n]|\\.)*")|'([^'\\\n]*)'|`([^`\\$]*)`)/.exec(text)
  if (found === null) return null
  const reason = found[1] === undefined ? (found[2] ?? found[3]!) : (JSON.parse(found[1]) as string)
  return reason.trim() === '' ? null : reason
}

interface Built {
  readonly text: string
  readonly map: string
  readonly inputs: [string, string][]
}

/** B6 */
async function buildInItsMode(plugin: FoundPlugin, options: BundleOptions): Promise<(Built & { mode: PluginMode; needsNode: string | null }) | Diagnostic> {
  const inEngine = await build('engine', plugin, options)
  if ('code' in inEngine ? inEngine.code !== 'plugin/needs-node' && inEngine.code !== 'plugin/does-not-build' : needsNodeIn(inEngine.text) === null) {
    return 'code' in inEngine ? inEngine : { ...inEngine, mode: 'engine', needsNode: null }
  }
  const inProcess = await build('process', plugin, options)
  if ('code' in inProcess) return inProcess
  const needsNode = needsNodeIn(inProcess.text)
  if (needsNode === null) return 'code' in inEngine ? inEngine : { ...inEngine, mode: 'engine', needsNode }
  return { ...inProcess, mode: 'process', needsNode }
}

async function build(mode: PluginMode, plugin: FoundPlugin, options: BundleOptions): Promise<Built | Diagnostic> {
  const esbuild = await import('esbuild')
  const inputs = new Map<string, string>()
  const outfile = join(options.cacheDir, 'plugin.mjs') // absolute, in the folder where the result will lie: the map's paths are relative to it
  try {
    const result = await esbuild.build({
      ...optionsOf[mode], entryPoints: [plugin.entry], outfile, absWorkingDir: plugin.root, plugins: [gate(mode, plugin, options, inputs)],
    })
    const text = result.outputFiles.find(each => each.path === outfile)?.text ?? ''
    if (Buffer.byteLength(text) > MAX_BUNDLE_BYTES) return pluginErrors['too-large']({ source: plugin.source, limitMb: MAX_BUNDLE_BYTES / 1_000_000 })
    const map = result.outputFiles.find(each => each.path === `${outfile}.map`)?.text ?? ''
    return { text, map, inputs: [...inputs].sort(([a], [b]) => (a < b ? -1 : 1)) }
  } catch (error) {
    const failure = error as Partial<BuildFailure>
    const first = failure.errors?.[0]
    if (first === undefined) throw error
    if (first.detail instanceof NodeModule) return pluginErrors['needs-node']({ source: plugin.source, module: first.detail.name, place: placeOf(first, plugin) })
    if (isDiagnostic(first.detail)) return first.detail
    return pluginErrors['does-not-build']({ source: plugin.source, reason: placed(first, plugin) }, { help: [...(failure.errors ?? []).slice(1, 3).map(each => `Also: ${placed(each, plugin)}`), ...adviceOn(first)] })
  }
}

/** A file of a plugin's own tests as a module that Node runs: tek's entries and packages stay outside, the rest is in it. */
export async function bundleTest(entry: string, outfile: string, entries: Readonly<Record<string, string>>): Promise<string | null> {
  const esbuild = await import('esbuild')
  const published = {
    name: 'published',
    setup(build: Parameters<BuildPlugin['setup']>[0]) {
      build.onResolve({ filter: /^tek-lang\// }, ({ path }) => (Object.hasOwn(entries, path) ? { path: entries[path]!, external: true } : undefined)) // B5
    },
  }
  try {
    await esbuild.build({ bundle: true, format: 'esm', platform: 'node', target: 'node20', sourcemap: 'inline', logLevel: 'silent', tsconfigRaw: '{}', packages: 'external', entryPoints: [entry], outfile, plugins: [published] })
    return null
  } catch (error) {
    const first = (error as Partial<BuildFailure>).errors?.[0]
    if (first === undefined) throw error
    return first.location === null ? first.text : `${first.location.file}:${first.location.line}:${first.location.column + 1}: ${first.text}`
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
  return message.location === null ? message.text : `${placeOf(message, plugin)}: ${message.text}`
}

function placeOf({ location }: Message, plugin: FoundPlugin): string {
  return location === null ? basename(plugin.entry) : `${location.file || basename(plugin.entry)}:${location.line}:${location.column + 1}`
}

/** In an error of a build for the engine: a module of Node was imported. */
class NodeModule {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

const loaders: Readonly<Record<string, Loader>> = { '.mts': 'ts', '.cts': 'ts', '.mjs': 'js', '.cjs': 'js' }
const mapOfInput = /^[ \t]*\/(?:\/|\*)[#@][ \t]*sourceMappingURL=.*$/gm

/** B3, B5: what may be imported. Every file read is noted with its hash. */
function gate(mode: PluginMode, plugin: FoundPlugin, options: BundleOptions, inputs: Map<string, string>): BuildPlugin {
  const refuse = (diagnostic: Diagnostic) => ({ errors: [{ text: diagnostic.message, detail: diagnostic }] })
  return {
    name: 'gate',
    setup(build) {
      if (mode === 'engine') {
        build.onResolve({ filter: /^tek-lang\/plugin$/ }, () => ({ path: 'tek-lang/plugin', namespace: 'engine' }))
        build.onLoad({ filter: /.*/, namespace: 'engine' }, () => ({ contents: 'module.exports = globalThis.tekPlugin', loader: 'js' })) // engine/kernel.ts
        build.onResolve({ filter: /^(?:node:)?[\w/]+$/ }, ({ path }) => (isBuiltin(path) ? { errors: [{ text: path, detail: new NodeModule(path) }] } : undefined))
      } else {
        // `require` takes no URL.
        build.onResolve({ filter: /^tek-lang\/plugin$/ }, ({ kind }) => ({ path: kind === 'require-call' ? fileURLToPath(options.pluginEntryUrl) : options.pluginEntryUrl, external: true }))
      }
      build.onResolve({ filter: /^https?:|^data:|^file:/ }, args => refuse(pluginErrors['imports-outside']({ source: plugin.source, file: args.path.slice(0, 100) })))
      build.onLoad({ filter: /.*/, namespace: 'file' }, async args => {
        const real = await options.host.files.realPath(args.path)
        if (!mayUse(real, plugin.root)) return refuse(pluginErrors['imports-outside']({ source: plugin.source, file: real }))
        if (real.endsWith('.node')) return refuse(pluginErrors['native-code']({ source: plugin.source, file: basename(real) }))
        if (inputs.size >= MAX_INPUTS) return refuse(pluginErrors['too-large']({ source: plugin.source, limitMb: MAX_BUNDLE_BYTES / 1_000_000 }))
        const bytes = await options.host.files.readBytes(real, MAX_INPUT_BYTES)
        inputs.set(real, sha256(bytes))
        const loader = loaders[extname(real)] ?? 'default'
        return { contents: /[jt]sx?$/.test(real) ? new TextDecoder().decode(bytes).replace(mapOfInput, '') : bytes, loader }
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
