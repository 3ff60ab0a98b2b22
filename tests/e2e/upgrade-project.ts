// Upgrade project: a git repository with an npm project in it, its dependencies in a registry on loopback, and what must never change of it.
// Owns: the packages, each with one property that decides what becomes of it. Does not own: running tek on it.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fakeRegistry, type FakePackage, type FakeRegistry } from '../stdlib/fake-registry.ts'
import { project } from './binary.ts'

const DAY_MS = 86_400_000
const OLD = Date.now() - 400 * DAY_MS
export const of = (name: string, version: string, more: Partial<FakePackage> = {}): FakePackage => ({ name, version, published: OLD, ...more, manifest: { license: 'MIT', ...more.manifest } })

/** By what decides: each has version 1.0.0 and one or more after it. */
export const PACKAGES: readonly FakePackage[] = [
  of('good', '1.0.0'), of('good', '1.1.0'),
  // What is loaded with `require` becomes a module that cannot be.
  of('esm', '1.0.0'), of('esm', '2.0.0', { manifest: { type: 'module' }, files: { 'index.js': 'await 0\nexport const version = "2.0.0"\n' } }),
  of('fresh', '1.0.0'), of('fresh', '1.0.1', { published: Date.now() - 2 * DAY_MS }),
  of('licence', '1.0.0'), of('licence', '1.1.0', { manifest: { license: 'AGPL-3.0-only' } }),
  of('scripted', '1.0.0'), of('scripted', '1.1.0', { manifest: { hasInstallScript: true, scripts: { install: 'node -e "1"' } } }),
  of('ui', '1.0.0'), of('ui', '2.0.0'),
  of('ui-dom', '1.0.0', { manifest: { peerDependencies: { ui: '^1.0.0' } } }), of('ui-dom', '2.0.0', { manifest: { peerDependencies: { ui: '^2.0.0' } } }),
  // Fails in half of its runs.
  of('shaky', '1.0.0'), of('shaky', '1.1.0', { files: { 'index.js': 'exports.version = require("node:crypto").randomInt(2) ? "1.1.0" : "oops"\n' } }),
  // A runner that finds no tests any more, and ends well.
  of('runner', '1.0.0', { files: { 'index.js': 'exports.run = tests => { console.log("TAP version 13"); let n = 0, bad = 0; for (const [name, test] of Object.entries(tests)) { let ok = true; try { test() } catch (e) { ok = false; console.log("# " + e.message) } bad += !ok; console.log((ok ? "ok " : "not ok ") + ++n + " - " + name) } console.log("1.." + n); process.exitCode = bad ? 1 : 0 }\n' } }),
  of('runner', '2.0.0', { files: { 'index.js': 'exports.run = () => {}\n' } }),
]

const suite = (names: readonly string[]): string => `
const tests = {}
for (const name of ${JSON.stringify(names)}) tests[name + ' works'] = () => { const { version } = require(name); if (!/^\\d+\\.\\d+\\.\\d+$/.test(version)) throw new Error(name + ' says ' + version) }
require('runner').run(tests)
`

export interface UpgradeProject {
  readonly path: string
  readonly registry: FakeRegistry
  git(...args: string[]): string
  write(name: string, text: string): void
  /** A hash of every file of the checkout and of git's own index and HEAD. */
  fingerprint(): string
  close(): Promise<void>
}

/** @param names the packages it depends on at 1.0.0. */
export async function upgradeProject(names: readonly string[], more: { readonly packages?: readonly FakePackage[]; readonly test?: string; readonly manifest?: Readonly<Record<string, unknown>> } = {}): Promise<UpgradeProject> {
  const all = ['runner', ...names]
  const registry = await fakeRegistry(more.packages ?? PACKAGES)
  const folder = project({
    'package.json': `${JSON.stringify({ name: 'app', version: '1.0.0', license: 'MIT', scripts: { test: more.test ?? 'node suite.js' }, dependencies: Object.fromEntries(all.map(name => [name, '1.0.0'])), ...more.manifest }, null, 2)}\n`,
    'suite.js': suite(names),
    '.gitignore': 'node_modules\n.tek\n',
  })
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(folder.path, '.git'), GIT_CONFIG_NOSYSTEM: '1' }
  const git = (...args: string[]): string => execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd: folder.path, encoding: 'utf8', env, stdio: 'pipe' }).trim()
  git('init', '-q', '-b', 'main')
  // As another process: this one serves the registry.
  const { spawn } = await import('node:child_process')
  const code = await new Promise(done => spawn('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund', `--registry=${registry.url}`], { cwd: folder.path, env, stdio: 'ignore' }).on('close', done))
  if (code !== 0) throw new Error(`npm could not write the lock file: ${code}`)
  git('add', '.')
  git('commit', '-qm', 'All at 1.0.0')
  return {
    path: folder.path, registry, git,
    write: (name, text) => void folder.write(name, text),
    fingerprint: () => {
      const hash = createHash('sha256')
      for (const entry of readdirSync(folder.path, { recursive: true, withFileTypes: true }).sort((a, b) => (join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1))) {
        const path = join(entry.parentPath, entry.name).slice(folder.path.length + 1)
        const isOurs = /^(\.tek|\.tek-work)(\/|$)/.test(path) || (/^\.git\//.test(path) && !/^\.git\/(HEAD|index|config|refs\/heads\/main)$/.test(path))
        if (entry.isFile() && !isOurs) hash.update(`${path}\0`).update(readFileSync(join(folder.path, path)))
      }
      return `${hash.digest('hex')} ${git('status', '--porcelain=v2', '--branch')}`
    },
    close: async () => {
      folder.remove()
      await registry.close()
    },
  }
}
