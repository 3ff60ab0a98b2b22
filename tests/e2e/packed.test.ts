// Packed: what `npm pack` makes, as someone who installs it meets it: sizes, the command, types, both kinds of modules, a plugin of their own.
// Owns: packing a copy of the sources and laying it out as an installation. Nothing is fetched: the dependencies are copied from this clone.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const MAX_INSTALLED_MB = 60
const PATIENCE_MS = 120_000
const hasNpm = spawnSync('npm', ['--version']).status === 0
const hasTar = spawnSync('tar', ['--version']).status === 0

let folder: string
let project: string

/** Runs a program in the installation's project, without anything of this clone in its environment. */
function run(program: string, args: readonly string[], cwd = project): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: PATIENCE_MS, env: { PATH: process.env['PATH'] ?? '', HOME: folder, npm_config_update_notifier: 'false' } })
  return { code: status, out: stdout, err: stderr }
}

const tek = (args: readonly string[], cwd = project) => run(process.execPath, [join(project, 'node_modules/tek-lang/dist/tek.mjs'), ...args], cwd)
const tsc = (args: readonly string[]) => run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '--strict', '--noEmit', '--target', 'es2023', '--exactOptionalPropertyTypes', ...args])

function write(name: string, text: string, under = project): void {
  mkdirSync(dirname(join(under, name)), { recursive: true })
  writeFileSync(join(under, name), text)
}

/** A clone as git would make it, with the packages that are installed here, each by a link (but no `.bin`, in which a build would put its command). */
function cloneSources(to: string): void {
  for (const name of ['src', 'stdlib', 'examples', 'docs', 'grammar', 'build.mjs', 'package.json', 'tsconfig.json', 'tsconfig.types.json', 'README.md', 'LICENSE']) cpSync(join(repository, name), join(to, name), { recursive: true })
  mkdirSync(join(to, 'node_modules'))
  for (const name of readdirSync(join(repository, 'node_modules')).filter(each => !each.startsWith('.'))) symlinkSync(join(repository, 'node_modules', name), join(to, 'node_modules', name))
}

/** The packages that an installation of tek brings, by the lock file: no development and no optional peer ones. */
function runtimePackages(): string[] {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean; peer?: boolean; devOptional?: boolean }> }
  return Object.entries(lock.packages).filter(([path, { dev, peer, devOptional }]) => path.startsWith('node_modules/') && !dev && !peer && !devOptional && existsSync(join(repository, path))).map(([path]) => path)
}

/** A database that was compiled here leaves its object files behind; one that npm fetches ready made has none. */
const isInstalled = (path: string): boolean => !/\/build\/Release\/(?:obj|\.deps|[^/]*\.a$)/.test(path)

function sizeMb(path: string): number {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter(each => each.isFile())
  return files.reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0) / 1_000_000
}

describe.skipIf(!hasNpm || !hasTar)('the packed package (needs npm and tar)', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tek-packed-'))
    const clone = join(folder, 'clone')
    project = join(folder, 'project')
    for (const each of [clone, project]) mkdirSync(each)
    cloneSources(clone)
    const packed = run('npm', ['pack', '--pack-destination', folder, '--offline'], clone)
    expect(packed.code, packed.err).toBe(0)
    const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))!
    mkdirSync(join(project, 'node_modules/tek-lang'), { recursive: true })
    expect(run('tar', ['-xzf', join(folder, tarball), '-C', join(project, 'node_modules/tek-lang'), '--strip-components=1']).code).toBe(0)
    for (const path of runtimePackages()) cpSync(join(repository, path), join(project, path), { recursive: true, filter: isInstalled })
    write('package.json', '{ "name": "mine", "private": true, "type": "module" }')
  }, PATIENCE_MS)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('is small, and holds what is built and nothing of how', () => {
    expect(sizeMb(join(project, 'node_modules'))).toBeLessThan(MAX_INSTALLED_MB)
    const names = readdirSync(join(project, 'node_modules/tek-lang')).sort()
    expect(names).toEqual(['LICENSE', 'README.md', 'dist', 'docs', 'grammar', 'package.json'])
    const dist = readdirSync(join(project, 'node_modules/tek-lang/dist'))
    expect(dist).toEqual(expect.arrayContaining(['tek.mjs', 'index.mjs', 'plugin.mjs', 'testing.mjs', 'plugin-child.mjs', 'pool-worker.mjs', 'programs', 'stdlib', 'types', 'THIRD-PARTY-LICENSES.txt']))
  })

  test('runs a bundled program by name on another repository', () => {
    const other = join(folder, 'other')
    write('src/a.js', 'export const a = 1 // TODO better\n', other)
    for (const args of [['init', '-q'], ['add', '-A'], ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'first']]) expect(run('git', args, other).code).toBe(0)
    const ended = tek(['run', 'repo-health'], other)
    expect(ended.code, ended.err).toBe(0)
    expect(readFileSync(join(other, 'report.html'), 'utf8')).toContain('<!doctype html>')
    expect(run('git', ['status', '--short'], other).out.split('\n').filter(line => line.startsWith(' M'))).toEqual([])
  })

  test('checks, explains, and runs a plugin that is one file', () => {
    write('plugins/greet.ts', readme().match(/```ts\n([\s\S]*?)```/)![1]!)
    write('main.tek', 'use plugin "./plugins/greet.ts" as greet\n\nworkflow main(name: string = "Ada") -> string {\n  task said = greet.hello(name)\n  return said\n}\n')
    expect(tek(['check', 'main.tek']).code).toBe(0)
    expect(tek(['run', 'main.tek', '--name', 'Bo']).out).toBe('Hello, Bo!\n')
    expect(tek(['explain', 'plugin/not-found']).out).toContain('plugin/not-found')
    write('wrong.tek', 'workflow main() -> string {\n  return 1\n}\n')
    expect(tek(['check', 'wrong.tek']).code).toBe(3)
  })

  test.each([['nodenext', ['--module', 'nodenext', '--moduleResolution', 'nodenext']], ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']]])('types under strict, resolved as %s', (_, flags) => {
    write('typed.ts', typedPlugin)
    write('uses.ts', "import { check, plan, run } from 'tek-lang'\nimport { memoryHost, invokeTool, signatureOf } from 'tek-lang/testing'\nexport const all: unknown[] = [check, plan, run, memoryHost, invokeTool, signatureOf]\n")
    const ended = tsc([...flags, 'typed.ts', 'uses.ts'])
    expect(ended.out + ended.err).toBe('')
  })

  test('loads as a module of either kind, each entry once', () => {
    const names = "Object.keys(plugin).includes('definePlugin') && typeof tek.run === 'function' && typeof testing.memoryHost === 'function'"
    write('esm.mjs', `import * as tek from 'tek-lang'\nimport * as plugin from 'tek-lang/plugin'\nimport * as testing from 'tek-lang/testing'\nconsole.log(${names})\n`)
    write('cjs.cjs', `const [tek, plugin, testing] = ['tek-lang', 'tek-lang/plugin', 'tek-lang/testing'].map(name => require(name))\nconsole.log(${names})\n`)
    for (const file of ['esm.mjs', 'cjs.cjs']) expect(run(process.execPath, [file]).out, file).toBe('true\n')
  })

  test('a plugin tests itself with tek-lang/testing', () => {
    write('self-test.mjs', `
import { definePlugin, reads, t, z } from 'tek-lang/plugin'
import { invokeTool, memoryHost, signatureOf } from 'tek-lang/testing'
const plugin = definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: { size: reads({ doc: '', input: { file: t.path }, output: z.int(), needs: { 'fs.read': ['$file'] }, run: async ({ file }, context) => (await context.files.readText(file)).length }) } })
const context = { cwd: '/', signal: new AbortController().signal, files: { readText: async () => 'four' } }
console.log(JSON.stringify([signatureOf(plugin, { origin: 'plugin', hash: '' }).problems, await invokeTool(plugin, { module: 'p', fn: 'size', args: { file: 'a' } }, context), typeof memoryHost]))
`)
    expect(JSON.parse(run(process.execPath, ['self-test.mjs']).out)).toEqual([[], { kind: 'value', value: 4 }, 'function'])
  })
})

const readme = (): string => readFileSync(join(repository, 'README.md'), 'utf8')

const typedPlugin = `import { definePlugin, pure, reads, t, ToolFailure, writes, z, type Plugin, type ToolContext } from 'tek-lang/plugin'

const Issue = z.object({ id: z.int(), title: z.string(), labels: z.array(z.string()).default([]) })
const load = (context: ToolContext, file: string): Promise<string> => context.files.readText(file)

const plugin: Plugin = definePlugin({
  name: 'rich', version: '1.0.0', doc: 'Issues.',
  types: { Issue },
  grants: { read: { doc: 'Read issues.', params: { project: 'name' }, access: 'read', implies: [['fs.read', 'issues/**']] } },
  tools: {
    load: reads({ doc: 'Loads.', input: { file: t.path, max: z.int().optional() }, output: z.array(Issue), needs: { 'fs.read': ['$file'] }, run: async ({ file, max }, context) => {
      const most: number | undefined = max
      if (most === 0) throw new ToolFailure('none', 'None are wanted.', { retryable: false })
      return [{ id: 1, title: await load(context, file) }]
    } }),
    save: writes({ doc: 'Saves.', input: { file: t.path }, output: z.null(), needs: { 'fs.write': ['$file'] }, run: async ({ file }, context) => {
      await context.files.writeText(file, '')
      return null
    } }),
    // @ts-expect-error a tool must give what it declares
    wrong: pure({ doc: 'Wrong.', input: { n: z.int() }, output: z.string(), run: ({ n }) => n }),
  },
})
export default plugin
`
