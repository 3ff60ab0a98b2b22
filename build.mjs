// Build: the bundles in dist/, in a few seconds, and in a clone the `tek` command.
// Owns: what is bundled and what stays outside. Does not own: type declarations (`node build.mjs --types`, run when packing).
//   B1. The command line is one script whose parts run when they are used: `tek check` loads no database, pool, zod or esbuild.
//   B2. An error anywhere ends the build with exit code 1.
//   B3. Chunks lie beside the entries, so that a URL relative to a module is relative to dist/ in every bundle.
//   B4. A `tek` that is running keeps working: files are made aside and moved in one by one, entries last; what an older build left is
//       removed only some minutes later (at once when packing).
//   B5. The declarations of the public entries need nothing but what is installed with tek.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))
const dist = join(root, 'dist')
const at = (...parts) => join(root, ...parts)
const fresh = join(dist, `.fresh-${process.pid}`)
const STALE_MS = 10 * 60 * 1000
/** With declarations of the public entries, and nothing left from older builds. */
const forPacking = process.argv.includes('--types')
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
  // White space and syntax alone: names stay, so that a crash report can be read. Less to read at every start.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
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
  'plugin-engine': 'src/plugins/engine/worker.ts',
  'code-cache': 'src/cli/code-cache.ts',
  'language-server': 'src/cli/language-server.ts',
}

async function buildEntries() {
  const missing = Object.values(entries).filter(path => !existsSync(at(path)))
  if (missing.length > 0) {
    if (!partial) throw new Error(`missing: ${missing.join(', ')}`)
    console.warn(`build: without ${missing.join(', ')}`)
  }
  const { metafile } = await build({
    ...common,
    entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(at(path)))),
    outdir: fresh,
    metafile: true,
    splitting: true,
    chunkNames: '[name]-[hash]', // B3
    minifySyntax: true,
    banner: { js: requireBanner },
    plugins: [ourZod, ...(partial ? [missingStays] : [])],
  })
  await buildZod()
  await buildProtocol()
  await buildCommandLine()
  const cli = join(fresh, 'tek.mjs')
  writeFileSync(cli, `#!/usr/bin/env node\n${readFileSync(cli, 'utf8')}`)
  chmodSync(cli, 0o755)
  noteBundled(metafile)
}

/** The command line as one script, so that its compiled code can be kept (src/cli/code-cache.ts). It begins with the id of its content. */
async function buildCommandLine() {
  const outfile = join(fresh, 'main.cjs')
  const { metafile } = await build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    outfile,
    metafile: true,
    define: { 'import.meta.url': 'tekModuleUrl' },
    banner: { js: "const tekModuleUrl = require('node:url').pathToFileURL(__filename).href;" },
  })
  // Compiled code that is kept has no loader of its own: `import(…)` goes through the one that code-cache.ts gives.
  const code = readFileSync(outfile, 'utf8').replace(/(?<![.\w$])import\(/g, 'tekImport(').replace(/[^\0-\x7f]/g, escaped) // esbuild leaves only patterns as they are
  writeFileSync(outfile, `/*${createHash('sha256').update(code).digest('hex').slice(0, 16)}*/${code}`)
  noteBundled(metafile)
}

/** A character as it may also stand in a pattern. */
function escaped(character) {
  if (/[\ud800-\udfff]/.test(character)) throw new Error(`a pattern holds ${character}, which has no short escape`)
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Compiled code of what `check` and `run` use, for the Node that builds; another Node makes its own at its first start. */
function keepCompiledCode() {
  const warmUp = `
    import { loadBundle } from ${JSON.stringify(pathToFileURL(join(dist, 'code-cache.mjs')).href)}
    const { exports, keep } = loadBundle(new URL(${JSON.stringify(pathToFileURL(join(dist, 'main.cjs')).href)}))
    const nowhere = { write: (_text, done) => (done?.(), true), on: () => {}, once: () => {}, end: () => {}, isTTY: false }
    const around = { stdin: process.stdin, stdout: nowhere, stderr: nowhere, cwd: ${JSON.stringify(root)}, env: {} }
    for (const words of [['check', 'examples/todos.tek'], ['run', 'examples/todos.tek', '--root', 'examples', '--no-journal', '--quiet']]) await exports.main(words, around)
    keep()
    process.exit()`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', warmUp], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the compiled code cannot be kept: ${stderr}`)
}

/** Each module of the standard library as one file, and the signatures that the checker reads instead of loading them. */
async function buildStdlib() {
  const names = readdirSync(at('stdlib'), { withFileTypes: true }).filter(each => each.isDirectory() && existsSync(at('stdlib', each.name, 'plugin.ts'))).map(each => each.name).sort()
  const out = join(fresh, 'stdlib')
  const { metafile } = await build({
    ...common,
    entryPoints: { ...Object.fromEntries(names.map(name => [name, `stdlib/${name}/plugin.ts`])), models: 'stdlib/models/providers.ts', 'onnx-child': 'stdlib/models/onnx-child.ts' },
    outdir: out,
    metafile: true,
    // One copy of the plugin API for the host, the workers and the modules: a failure thrown in one is recognised in the others.
    external: [...external, 'tek-lang/plugin'],
    minifySyntax: true,
    banner: { js: requireBanner },
  })
  noteBundled(metafile)
  // The tool that describes the modules is bundled from source, so that it needs nothing that is built already.
  const lines = [
    "import { stdManifest } from './src/plugins/std-manifest.ts'",
    ...names.map((name, index) => `import plugin${index} from './stdlib/${name}/plugin.ts'`),
    `export const manifest = hashes => stdManifest([${names.map((name, index) => `{ name: '${name}', plugin: plugin${index}, hash: hashes[${index}] }`).join(', ')}])`,
  ]
  const tool = join(fresh, 'describe-stdlib.mjs')
  await build({ ...common, stdin: { contents: lines.join('\n'), resolveDir: root, loader: 'ts' }, outfile: tool, banner: { js: requireBanner } })
  const { manifest } = await import(pathToFileURL(tool).href)
  rmSync(tool)
  writeFileSync(join(out, 'signatures.json'), manifest(names.map(name => createHash('sha256').update(readFileSync(join(out, `${name}.mjs`))).digest('hex'))))
}

/** zod brings its messages in 60 languages, each a file; here it speaks one. */
const englishOnly = {
  name: 'english-only',
  setup(builder) {
    builder.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'" }))
  },
}

/** zod beside the entries as one file: loading the package takes longer than anything else at the start of a program that uses a module. */
const ourZod = {
  name: 'our-zod',
  setup(builder) {
    builder.onResolve({ filter: /^zod$/ }, () => ({ path: './zod.mjs', external: true })) // B3
  },
}

async function buildZod() {
  const { metafile } = await build({ ...common, external: [], stdin: { contents: "export * from 'zod'", resolveDir: root }, outfile: join(fresh, 'zod.mjs'), metafile: true, plugins: [englishOnly] })
  noteBundled(metafile)
}

/** The Model Context Protocol: each side one file, loaded when a program uses a server, or is one. No validator of schemas is in them (src/mcp/session.ts, S2). */
async function buildProtocol() {
  const { metafile } = await build({
    ...common,
    external: external.filter(each => each !== 'zod'),
    entryPoints: { 'mcp-client': 'src/mcp/session.ts', 'mcp-server': 'src/mcp/protocol-server.ts' },
    outdir: fresh,
    metafile: true,
    plugins: [ourZod, noValidator],
    banner: { js: requireBanner },
  })
  noteBundled(metafile)
}

/** The protocol's library brings a validator of schemas that writes code from them; ours takes what it is given, and tek's types decide. */
const noValidator = {
  name: 'no-validator',
  setup(builder) {
    builder.onResolve({ filter: /\/_shims$/ }, () => ({ path: 'shims', namespace: 'no-validator' }))
    builder.onLoad({ filter: /.*/, namespace: 'no-validator' }, () => ({ contents: "export { default as process } from 'node:process'\nexport const CORS_IS_POSSIBLE = false\nexport class DefaultJsonSchemaValidator {\n  getValidator() {\n    return data => ({ valid: true, data, errorMessage: undefined })\n  }\n}", resolveDir: root }))
  },
}

/** What plugins run in: QuickJS as WebAssembly, and a picture of its memory with tek's kernel and zod in it (src/plugins/engine/picture.ts). */
async function buildEngine() {
  const out = join(fresh, 'engine')
  mkdirSync(out, { recursive: true })
  const kernel = await build({ ...common, external: [], platform: 'neutral', mainFields: ['module', 'main'], format: 'iife', target: 'es2023', entryPoints: ['src/plugins/engine/kernel.ts'], outfile: join(out, 'kernel.js'), write: false, metafile: true, plugins: [englishOnly] })
  noteBundled(kernel.metafile)
  const tool = join(fresh, 'make-picture.mjs')
  await build({ ...common, entryPoints: ['src/plugins/engine/picture.ts'], outfile: tool, banner: { js: requireBanner } })
  const { makePicture } = await import(pathToFileURL(tool).href)
  rmSync(tool)
  const wasm = readFileSync(createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))
  writeFileSync(join(out, 'quickjs.wasm'), wasm)
  writeFileSync(join(out, 'kernel.bin'), await makePicture(new Uint8Array(wasm), kernel.outputFiles[0].text))
}

/** Folders of the packages whose code is inside the bundles. */
const bundled = new Set()

function noteBundled({ inputs }) {
  for (const path of Object.keys(inputs)) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
    if (folder) bundled.add(folder)
  }
}

/** The licences of what is bundled go with it, as they ask. */
function writeLicences() {
  const parts = [...bundled].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(at(folder, 'package.json'), 'utf8'))
    const file = readdirSync(at(folder)).find(each => /^licen[cs]e/i.test(each))
    return `${name} ${version} (${license})\n\n${file ? readFileSync(at(folder, file), 'utf8').trim() : 'No licence file in the package.'}\n`
  })
  writeFileSync(join(fresh, 'THIRD-PARTY-LICENSES.txt'), parts.join(`\n${'-'.repeat(80)}\n\n`))
}

/** Examples that are useful enough on their own to be run by name: `tek run repo-health`. */
const programs = ['repo-health', 'jail', 'flaky', 'upgrade-dependencies']

function copyPrograms() {
  mkdirSync(join(fresh, 'programs'), { recursive: true })
  for (const name of programs) copyFileSync(at('examples', `${name}.tek`), join(fresh, 'programs', `${name}.tek`))
}

/** What `tek init` begins projects with. */
function copyTemplates() {
  for (const path of filesBeneath(at('examples', 'templates'))) {
    if (path.includes('.tek/')) continue // what a run left there
    mkdirSync(join(fresh, 'templates', path, '..'), { recursive: true })
    copyFileSync(at('examples', 'templates', path), join(fresh, 'templates', path))
  }
}

/** Paths of all files beneath a folder, relative to it. */
function filesBeneath(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter(each => each.isFile()).map(each => relative(folder, join(each.parentPath ?? each.path, each.name)))
}

/** B4 */
function putInPlace() {
  const made = filesBeneath(fresh)
  const isEntry = path => Object.keys(entries).some(name => path === `${name}.mjs`)
  for (const path of [...made.filter(each => !isEntry(each)), ...made.filter(isEntry)]) {
    mkdirSync(join(dist, path, '..'), { recursive: true })
    renameSync(join(fresh, path), join(dist, path))
  }
  rmSync(fresh, { recursive: true, force: true })
  const kept = new Set(made)
  for (const path of filesBeneath(dist)) {
    if (kept.has(path) || path.startsWith('types') || path.startsWith('.fresh-')) continue
    if (forPacking || Date.now() - statSync(join(dist, path)).mtimeMs > STALE_MS) rmSync(join(dist, path))
  }
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
  // `#model/x.ts` is a name inside this package's source only; in what is published every import is relative and names a `.js`.
  const types = join(dist, 'types')
  for (const path of filesBeneath(types)) {
    const up = relative(join(types, path, '..'), types) || '.'
    const text = readFileSync(join(types, path), 'utf8')
    const mended = text.replace(/(from |import\()(['"])(#|\.{1,2}\/)([^'"]+)\.ts\2/g, (_, before, quote, start, rest) => `${before}${quote}${start === '#' ? `./${up}/` : start}${rest}.js${quote}`)
    if (mended !== text) writeFileSync(join(types, path), mended)
  }
  keepReachable(types)
}

/** B5. Drops declarations that no public entry leads to. */
function keepReachable(types) {
  const reached = new Set(Object.values(manifest.exports).flatMap(({ types: path }) => (path ? [at(path)] : [])))
  for (const path of reached) {
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()['"]([^'"]+)['"]/g)) {
      if (name.startsWith('.')) reached.add(join(path, '..', name.replace(/\.js$/, '.d.ts')))
      else if (!Object.hasOwn(manifest.dependencies, name)) throw new Error(`${relative(types, path)} needs ${name}, which is not installed with tek`)
    }
  }
  for (const path of filesBeneath(types)) if (!reached.has(join(types, path))) rmSync(join(types, path))
}

const started = performance.now()
try {
  mkdirSync(fresh, { recursive: true })
  await buildEntries()
  await buildStdlib()
  await buildEngine()
  copyPrograms()
  copyTemplates()
  writeLicences()
  putInPlace()
  keepCompiledCode()
  if (forPacking) writeTypes()
  linkCommand()
  console.log(`built dist in ${((performance.now() - started) / 1000).toFixed(1)} s`)
} catch (error) {
  rmSync(fresh, { recursive: true, force: true })
  console.error(`build failed: ${error instanceof Error ? error.message : error}`) // B2
  process.exitCode = 1
}
