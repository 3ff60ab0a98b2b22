// Builds the measurements of the interpreter with esbuild and runs them: `node bench/engine/run.mjs S1 S5`.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const outdir = `${root}node_modules/.cache/tek-bench`
await build({
  absWorkingDir: root, outdir, bundle: true, platform: 'node', format: 'esm', target: 'node20', conditions: ['tek-source'], outExtension: { '.js': '.mjs' },
  entryPoints: { measure: 'bench/engine/measure.ts', 'pool-worker': 'src/interpreter/pool/worker.ts' },
  external: ['better-sqlite3', 'piscina', 'zod'],
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
const names = process.argv.slice(2)
for (const name of names.length > 0 ? names : ['S1', 'S2', 'S3', 'S4', 'S5', 'S6']) {
  const { status } = spawnSync(process.execPath, ['--expose-gc', `${outdir}/measure.mjs`, name], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
