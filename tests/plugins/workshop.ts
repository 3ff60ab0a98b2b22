// Workshop: what tests of plugins need built: the child, the plugin entry, a tiny standard library, a project folder.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext, type CountKind } from '#interpreter/guard/context.ts'
import type { Authority } from '#model/capability.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { createPluginHost, type PluginHost } from '#plugins/load.ts'
import { stdManifest } from '#plugins/std-manifest.ts'

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

export interface Workshop {
  readonly childUrl: string
  readonly pluginEntryUrl: string
  readonly stdlibUrl: string
  /** A program that stands for tek: it calls `hang` of the project's plugin `p` and prints the plugin's process. */
  buildDriver(): Promise<string>
  remove(): void
}

/** Builds as the real build does: zod stays outside, so everything shares one copy. */
export async function openWorkshop(): Promise<Workshop> {
  const cache = join(repository, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'tek-plugins-'))
  const options: BuildOptions = { bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], external: ['zod'], outExtension: { '.js': '.mjs' }, absWorkingDir: repository }
  await build({ ...options, entryPoints: { 'plugin-child': 'src/plugins/isolate/child.ts', plugin: 'src/plugin-api/index.ts' }, outdir: folder })
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
    await build({ ...options, external: ['zod', 'esbuild'], outdir: folder, stdin: { resolveDir: repository, sourcefile: 'driver.ts', loader: 'ts', contents: `
import { createPluginHost } from './src/plugins/load.ts'
import { nodeHost } from './src/host/node-host.ts'
import { makeToolContext } from './src/interpreter/guard/context.ts'
const { folder, hash, stdlibUrl, childUrl, pluginEntryUrl } = JSON.parse(process.argv[2]!)
const host = nodeHost({ cwd: folder })
const tools = await createPluginHost({ host, projectDir: folder, stdlibUrl, childUrl, pluginEntryUrl }).toolRunner([{ name: 'p', origin: 'plugin', source: './p.ts', release: '1', hash }], folder)
const nothing = () => {}
const context = makeToolContext({ host, cwd: folder, authority: [[]], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: '', onCount: nothing, onProgress: nothing, onLog: message => console.log(message) })
await tools.call({ module: 'p', fn: 'hang', args: {} }, context)` }, entryNames: 'driver' })
    return join(folder, 'driver.mjs')
  }
  return { buildDriver, childUrl: url('plugin-child.mjs'), pluginEntryUrl: url('plugin.mjs'), stdlibUrl: `${url('stdlib')}/`, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface Project {
  readonly folder: string
  readonly plugins: PluginHost
  put(files: Readonly<Record<string, string>>): void
  path(name: string): string
  close(): Promise<void>
}

export function openProject(workshop: Workshop, files: Readonly<Record<string, string>> = {}, loadMs?: number): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tek-project-')))
  const project: Project = {
    folder,
    plugins: createPluginHost({ host: nodeHost({ cwd: folder }), projectDir: folder, ...workshop, ...(loadMs === undefined ? {} : { loadMs }) }),
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
