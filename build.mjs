// Build: the bundles in dist/, in a few seconds, and in a clone the `tek` command.
// Owns: what is bundled and what stays outside. Does not own: type declarations (`node build.mjs --types`, run when packing).
//   B1. The command line is split into chunks that are loaded when used: `tek check` loads no database, pool, zod or esbuild.
//   B2. An error anywhere ends the build with exit code 1.
//   B3. Chunks lie beside the entries, so that a URL relative to a module is relative to dist/ in every bundle.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))
const dist = join(root, 'dist')
const at = (...parts) => join(root, ...parts)
const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'))

/** Installed beside tek, never bundled: they are native, start workers, or must exist once. */
const external = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies ?? {}), 'typescript']

/** CommonJS packages inside an ES module bundle still call `require` for built-ins. */
const requireBanner = "import { createRequire as tekCreateRequire } from 'node:module'; const require = tekCreateRequire(import.meta.url);"

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  conditions: ['tek-source'],
  outExtension: { '.js': '.mjs' },
  external,
  legalComments: 'linked',
  logLevel: 'warning',
  absWorkingDir: root,
}

/** While parts of the source are missing (`--partial`), what is missing stays unresolved instead of ending the build. */
const partial = process.argv.includes('--partial')
const missingStays = {
  name: 'missing-stays',
  setup(builder) {
    builder.onResolve({ filter: /^[#.]/ }, args => {
      const path = args.path.startsWith('#') ? at('src', args.path.slice(1)) : join(args.resolveDir, args.path)
      if (/\.ts$/.test(path) && !existsSync(path)) return { path: pathToFileURL(path).href, external: true }
    })
  },
}

const entries = {
  tek: 'src/cli/bin.ts',
  index: 'src/tek.ts',
  plugin: 'src/plugin-api/index.ts',
  testing: 'src/testing/index.ts',
  'pool-worker': 'src/interpreter/pool/worker.ts',
  'plugin-child': 'src/plugins/isolate/child.ts',
}

async function buildEntries() {
  const missing = Object.values(entries).filter(path => !existsSync(at(path)))
  if (missing.length > 0) {
    if (!partial) throw new Error(`missing: ${missing.join(', ')}`)
    console.warn(`build: without ${missing.join(', ')}`)
  }
  await build({
    ...common,
    entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(at(path)))),
    outdir: dist,
    splitting: true,
    chunkNames: '[name]-[hash]', // B3
    minifySyntax: true,
    banner: { js: requireBanner },
    plugins: partial ? [missingStays] : [],
  })
  const cli = join(dist, 'tek.mjs')
  writeFileSync(cli, `#!/usr/bin/env node\n${readFileSync(cli, 'utf8')}`)
  chmodSync(cli, 0o755)
}

/** Each module of the standard library as one file, and the signatures that the checker reads instead of loading them. */
async function buildStdlib() {
  const folder = at('stdlib')
  if (!existsSync(folder)) return
  const names = readdirSync(folder, { withFileTypes: true }).filter(each => each.isDirectory() && existsSync(join(folder, each.name, 'plugin.ts'))).map(each => each.name).sort()
  const out = join(dist, 'stdlib')
  await build({
    ...common,
    entryPoints: Object.fromEntries(names.map(name => [name, `stdlib/${name}/plugin.ts`])),
    outdir: out,
    // One copy of the plugin API for the host, the workers and the modules: a failure thrown in one is recognised in the others.
    external: [...external, 'tek-lang/plugin'],
    conditions: [],
    minifySyntax: true,
    banner: { js: requireBanner },
  })
  if (!existsSync(at('src/plugins/std-manifest.ts'))) return
  const tool = join(dist, 'std-manifest.tmp.mjs')
  await build({ ...common, entryPoints: { 'std-manifest.tmp': 'src/plugins/std-manifest.ts' }, outdir: dist, external: [...external, 'tek-lang/plugin'], conditions: [], banner: { js: requireBanner } })
  try {
    const { stdManifest } = await import(pathToFileURL(tool).href)
    const modules = []
    for (const name of names) {
      const file = join(out, `${name}.mjs`)
      modules.push({ name, plugin: (await import(pathToFileURL(file).href)).default, hash: createHash('sha256').update(readFileSync(file)).digest('hex') })
    }
    const signatures = stdManifest(modules)
    writeFileSync(join(out, 'signatures.json'), typeof signatures === 'string' ? signatures : `${JSON.stringify(signatures)}\n`)
  } finally {
    rmSync(tool, { force: true })
  }
}

function copyPrograms() {
  const from = at('stdlib', 'programs')
  if (!existsSync(from)) return
  mkdirSync(join(dist, 'programs'), { recursive: true })
  for (const name of readdirSync(from).filter(each => each.endsWith('.tek'))) copyFileSync(join(from, name), join(dist, 'programs', name))
}

/** `npx tek` in a clone: npm links a package's own command only into projects that depend on it. */
function linkCommand() {
  const bin = at('node_modules', '.bin')
  if (!existsSync(bin) || process.platform === 'win32') return
  const link = join(bin, 'tek')
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link)
  symlinkSync(relative(bin, join(dist, 'tek.mjs')), link)
}

/** Declarations of the public entries, by the compiler, for the packed package. */
function writeTypes() {
  const result = spawnSync(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', at('tsconfig.types.json')], { stdio: 'inherit' })
  if (result.status !== 0) throw new Error('the declarations do not build')
}

const started = performance.now()
rmSync(dist, { recursive: true, force: true })
try {
  await buildEntries()
  await buildStdlib()
  copyPrograms()
  if (process.argv.includes('--types')) writeTypes()
  linkCommand()
  console.log(`built dist in ${((performance.now() - started) / 1000).toFixed(1)} s`)
} catch (error) {
  console.error(`build failed: ${error instanceof Error ? error.message : error}`) // B2
  process.exitCode = 1
}
