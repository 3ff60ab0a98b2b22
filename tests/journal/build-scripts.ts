// Build scripts: entries of tests that need a process or a thread of their own, bundled by esbuild where packages can be found.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles entries (paths from the project's root) and gives the folder they lie in. */
export async function buildScripts(name: string, entries: Record<string, string>, alsoExternal: readonly string[] = []): Promise<string> {
  const outdir = `${root}node_modules/.cache/tek-tests/${name}`
  await build({
    absWorkingDir: root, outdir, bundle: true, platform: 'node', format: 'esm', target: 'node20', conditions: ['tek-source'], outExtension: { '.js': '.mjs' },
    entryPoints: entries, external: ['better-sqlite3', 'piscina', 'zod', 'esbuild', ...alsoExternal], logLevel: 'error',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  })
  return outdir
}
