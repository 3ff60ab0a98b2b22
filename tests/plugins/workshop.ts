// Workshop: what tests of plugins need built: the child, the plugin entry, a tiny standard library, a project folder.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext, type CountKind } from '#interpreter/guard/context.ts'
import type { Authority } from '#model/capability.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { makePicture } from '#plugins/engine/picture.ts'
import { createPluginHost, type PluginHost } from '#plugins/load.ts'
import { stdManifest } from '#plugins/std-manifest.ts'

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

export interface Workshop {
  readonly childUrl: string
  readonly engineUrl: string
  readonly pluginEntryUrl: string
  readonly stdlibUrl: string
  /** A program that stands for tek: it calls `hang` of the project's plugin `p` and prints what that logs. */
  buildDriver(): Promise<string>
  /** How many processes run this workshop's child (Linux): their numbers inside a sandbox are not those outside. */
  processes(): number
  remove(): void
}

/** Builds as the real build does: zod stays outside, so everything shares one copy. */
export async function openWorkshop(): Promise<Workshop> {
  const cache = join(repository, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'tek-plugins-'))
  const options: BuildOptions = { bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], external: ['zod'], outExtension: { '.js': '.mjs' }, absWorkingDir: repository }
  const packages = ['@jitl/quickjs-wasmfile-release-sync']
  await build({ ...options, external: ['zod', ...packages], entryPoints: { 'plugin-child': 'src/plugins/isolate/child.ts', 'plugin-engine': 'src/plugins/engine/worker.ts', plugin: 'src/plugin-api/index.ts' }, outdir: folder })
  await buildEngine(folder)
  writeFileSync(join(folder, 'tiny.ts'), `import { definePlugin, pure, reads, z } from 'tek-lang/plugin'
export default definePlugin({ name: 'tiny', version: '1.0.0', doc: 'Tiny.', tools: {
  twice: pure({ doc: 'Doubles.', input: { n: z.int() }, output: z.int(), run: ({ n }) => n * 2 }),
  now: reads({ doc: 'Clock.', input: {}, output: z.number(), run: (_, context) => context.now() }),
} })`)
  await build({ ...options, entryPoints: { tiny: join(folder, 'tiny.ts') }, outdir: join(folder, 'stdlib') })
  const tiny = (await import(pathToFileURL(join(folder, 'stdlib/tiny.mjs')).href)) as { default: Plugin }
  writeFileSync(join(folder, 'stdlib/signatures.json'), stdManifest([{ name: 'tiny', plugin: tiny.default, hash: 'tiny-hash' }]))
  const url = (name: string): string => pathToFileURL(join(folder, name)).href
  const buildDriver = async (): Promise<string> => {
    await build({ ...options, external: ['zod', 'esbuild', '@jitl/quickjs-wasmfile-release-sync'], outdir: folder, stdin: { resolveDir: repository, sourcefile: 'driver.ts', loader: 'ts', contents: `
import { createPluginHost } from './src/plugins/load.ts'
import { nodeHost } from './src/host/node-host.ts'
import { makeToolContext } from './src/interpreter/guard/context.ts'
const { folder, hash, needsNode, stdlibUrl, childUrl, engineUrl, pluginEntryUrl } = JSON.parse(process.argv[2]!)
const host = nodeHost({ cwd: folder })
const tools = await createPluginHost({ host, projectDir: folder, stdlibUrl, childUrl, engineUrl, pluginEntryUrl, mayBeUnconfined: () => true }).toolRunner([{ name: 'p', origin: 'plugin', source: './p.ts', release: '1', hash, ...(needsNode ? { needsNode } : {}) }], folder)
const nothing = () => {}
const context = makeToolContext({ host, cwd: folder, authority: [[]], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: '', onCount: nothing, onProgress: nothing, onLog: message => console.log(message) })
await tools.call({ module: 'p', fn: 'hang', args: {} }, context)` }, entryNames: 'driver' })
    return join(folder, 'driver.mjs')
  }
  const processes = (): number => readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(name => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(join(folder, 'plugin-child.mjs')) && !/\) Z /.test(readFileSync(`/proc/${name}/stat`, 'utf8'))
    } catch {
      return false
    }
  }).length
  return { buildDriver, processes, childUrl: url('plugin-child.mjs'), engineUrl: url('plugin-engine.mjs'), pluginEntryUrl: url('plugin.mjs'), stdlibUrl: `${url('stdlib')}/`, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** As build.mjs does it. */
async function buildEngine(folder: string): Promise<void> {
  const kernel = await build({
    bundle: true, format: 'iife', platform: 'neutral', mainFields: ['module', 'main'], conditions: ['tek-source'], target: 'es2023', minifyWhitespace: true, minifySyntax: true,
    absWorkingDir: repository, entryPoints: ['src/plugins/engine/kernel.ts'], write: false,
  })
  const code = readFileSync(createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))
  mkdirSync(join(folder, 'engine'))
  writeFileSync(join(folder, 'engine/quickjs.wasm'), code)
  writeFileSync(join(folder, 'engine/kernel.bin'), await makePicture(code, kernel.outputFiles[0]!.text))
}

export interface Project {
  readonly folder: string
  readonly plugins: PluginHost
  put(files: Readonly<Record<string, string>>): void
  path(name: string): string
  close(): Promise<void>
}

export interface ProjectOptions {
  readonly loadMs?: number
  readonly callCpuMs?: number
  /** Default: what `needsNode` needs is accepted to run unconfined, where the machine has no sandbox. */
  readonly mayBeUnconfined?: () => boolean
  readonly host?: Host
}

export function openProject(workshop: Workshop, files: Readonly<Record<string, string>> = {}, { host, ...options }: ProjectOptions = {}): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tek-project-')))
  const project: Project = {
    folder,
    plugins: createPluginHost({ host: host ?? nodeHost({ cwd: folder }), projectDir: folder, mayBeUnconfined: () => true, ...workshop, ...options }),
    path: name => join(folder, name),
    put(more) {
      for (const [name, text] of Object.entries(more)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), text)
      }
    },
    async close() {
      await project.plugins.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  project.put(files)
  return project
}

export interface Watched {
  readonly context: ReturnType<typeof makeToolContext>
  readonly counts: CountKind[]
  readonly log: string[]
  readonly abort: AbortController
}

export function watchedContext(folder: string, authority: Authority = []): Watched {
  const counts: CountKind[] = []
  const log: string[] = []
  const abort = new AbortController()
  const context = makeToolContext({
    host: nodeHost({ cwd: folder }), cwd: folder, authority: [authority], implied: [], signal: abort.signal, idempotencyKey: 'key', taskPath: 'task',
    onCount: kind => counts.push(kind), onLog: message => log.push(message), onProgress: fraction => log.push(`progress ${fraction}`),
  })
  return { context, counts, log, abort }
}
