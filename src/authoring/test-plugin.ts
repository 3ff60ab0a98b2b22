// Test plugin: the tests that a plugin's author wrote: `test` blocks of programs, and files for node:test.
// Owns: finding them, and making the second kind run without a build of their own. Does not own: running programs' tests (`tek test`), node:test.
//   U1. A unit test is its author's own code and runs as such, with the author's rights, as `npm test` does.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { bundleTest } from '#plugins/bundle.ts'
import { filesUnder, type PluginPackage } from './plugin-package.ts'

const MAX_TEST_MS = 10 * 60_000

export interface AuthorTests {
  /** Relative to the package. */
  readonly programs: readonly string[]
  readonly units: readonly string[]
  /** Written for a runner of their own. */
  readonly others: readonly string[]
}

export function testsOf({ root }: PluginPackage): AuthorTests {
  const all = filesUnder(root).map(each => relative(root, each))
  const text = (path: string): string => readFileSync(join(root, path), 'utf8')
  const files = all.filter(each => /\.test\.[cm]?[jt]s$/.test(each))
  return {
    programs: all.filter(each => each.endsWith('.tek') && /^test\s+"/m.test(text(each))),
    units: files.filter(each => /['"]node:test['"]/.test(text(each))),
    others: files.filter(each => !/['"]node:test['"]/.test(text(each))),
  }
}

/** Makes modules of the unit tests; the paths to give to node:test. */
export async function buildUnits({ root, source }: PluginPackage, units: readonly string[], entries: Readonly<Record<string, string>>): Promise<readonly string[] | Diagnostic> {
  const built: string[] = []
  for (const unit of units) {
    const outfile = join(root, '.tek', 'cache', 'plugin-tests', `${unit.replace(/\.[cm]?[jt]s$/, '').replaceAll(/[/\\]/g, '-')}.mjs`)
    const reason = await bundleTest(join(root, unit), outfile, entries)
    if (reason !== null) return pluginErrors['does-not-build']({ source, reason })
    built.push(outfile)
  }
  return built
}

/** Runs a program of Node in the package's folder, to its exit code. // U1 */
export function runNode(args: readonly string[], cwd: string, env: Readonly<Record<string, string | undefined>>, say: (text: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args], { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: MAX_TEST_MS })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', say)
    child.on('error', reject)
    child.on('close', code => resolve(code ?? 1))
  })
}
