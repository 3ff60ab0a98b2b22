// Bundles a child of the benchmarks that looks at the inside of tek, once, and runs it. Beside the installed packages, of which SQLite is loaded from there.
import { join } from 'node:path'
import { runScript } from './measure.mjs'

const bundled = new Map()

/** What the child `name` (audit, journal) prints: JSON. */
export async function bundledChild({ root }, name, args, options) {
  if (!bundled.has(name)) bundled.set(name, bundle(root, name))
  return runScript(await bundled.get(name), args, options)
}

async function bundle(root, name) {
  const { build } = await import('esbuild')
  const outfile = join(root, 'node_modules', '.cache', 'tek-bench', `${name}-child.mjs`)
  await build({ entryPoints: [join(root, `bench/${name}-child.ts`)], outfile, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], external: ['better-sqlite3'], logLevel: 'error',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" } })
  return outfile
}
