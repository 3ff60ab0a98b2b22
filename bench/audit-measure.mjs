// Bundles audit-child.ts once and runs one of its measurements: microseconds for each of `count` times.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from './measure.mjs'

let bundled = null

export async function auditMeasure({ root, folder }, what, count) {
  bundled ??= bundle(root)
  return ((await runScript(await bundled, [what, mkdtempSync(join(folder, 'audit-')), count])).elapsedMs * 1000) / count
}

/** Beside the installed packages, of which SQLite is loaded from there. */
async function bundle(root) {
  const { build } = await import('esbuild')
  const outfile = join(root, 'node_modules', '.cache', 'tek-bench', 'audit-child.mjs')
  await build({ entryPoints: [join(root, 'bench/audit-child.ts')], outfile, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], external: ['better-sqlite3'], logLevel: 'error',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" } })
  return outfile
}
