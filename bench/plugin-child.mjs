// Plugin child: one measurement of a third-party plugin, in a process of its own. Prints `{ "value": number }`.
//   node bench/plugin-child.mjs call|start|memory engine|process|here
// Owns: building tek's plugin side for the purpose, the plugin that is measured. Does not own: rounds and medians (run.mjs).
//   `here`: the same function and the same checks in this process, as the standard library runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const CALLS = 300
const WARM_UP = 50
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [what, where] = process.argv.slice(2)
const text = 'word '.repeat(2_000) // 10 KB

mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
const tools = mkdtempSync(join(root, 'node_modules/.cache/bench-plugins-')) // beneath node_modules, so that packages are found
const folder = mkdtempSync(join(tmpdir(), 'tek-bench-plugin-'))
try {
  const contents = `
    export { createPluginHost } from './src/plugins/load.ts'
    export { nodeHost } from './src/host/node-host.ts'
    export { invokeTool } from './src/plugin-api/invoke.ts'
    export * as api from './src/plugin-api/index.ts'`
  await build({ stdin: { contents, resolveDir: root, loader: 'ts' }, outfile: join(tools, 'tools.mjs'), bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], packages: 'external' })
  const { createPluginHost, nodeHost, invokeTool, api } = await import(pathToFileURL(join(tools, 'tools.mjs')).href)
  const toolsOf = "upper: pure({ doc: '', input: { text: z.string() }, output: z.string(), run: ({ text }) => text.toUpperCase() })"
  const needs = where === 'process' ? "needsNode: 'a benchmark'," : ''
  writeFileSync(join(folder, 'p.ts'), `import { definePlugin, pure, z } from 'tek-lang/plugin'\nexport default definePlugin({ name: 'p', version: '1.0.0', doc: '', ${needs} tools: { ${toolsOf} } })\n`)
  const dist = pathToFileURL(join(root, 'dist/')).href
  const host = nodeHost({ cwd: folder })
  const open = () => createPluginHost({ host, projectDir: folder, stdlibUrl: `${dist}stdlib/`, childUrl: `${dist}plugin-child.mjs`, pluginEntryUrl: `${dist}plugin.mjs`, mayBeUnconfined: () => true })
  const context = { cwd: folder, idempotencyKey: 'k', signal: new AbortController().signal, log: () => {} }
  const start = async plugins => {
    const { hash, release, needsNode } = await plugins.signature({ kind: 'plugin', from: join(folder, 'x.tek'), source: './p.ts' })
    return plugins.toolRunner([{ name: 'p', origin: 'plugin', source: './p.ts', release, hash, ...(needsNode === undefined ? {} : { needsNode }) }], folder)
  }
  const { definePlugin, pure, z } = api
  const here = definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: { upper: pure({ doc: '', input: { text: z.string() }, output: z.string(), run: given => given.text.toUpperCase() }) } })
  const plugins = open()
  const runner = where === 'here' ? { call: (call, given) => invokeTool(here, call, given) } : await start(plugins)
  const call = async () => {
    const outcome = await runner.call({ module: 'p', fn: 'upper', args: { text } }, context)
    if (outcome.kind !== 'value') throw new Error(outcome.failure.message)
  }
  const median = values => values.sort((a, b) => a - b)[values.length >> 1]
  let value
  if (what === 'memory') {
    const before = process.memoryUsage().rss
    await call()
    value = (process.memoryUsage().rss - before) / 1e6
  } else if (what === 'start') {
    const times = []
    for (let round = 0; round < 5; round++) {
      const other = open()
      const prepared = await start(other)
      const from = performance.now()
      const outcome = await prepared.call({ module: 'p', fn: 'upper', args: { text: 'a' } }, context)
      times.push(performance.now() - from)
      if (outcome.kind !== 'value') throw new Error(outcome.failure.message)
      await other.close()
    }
    value = median(times)
  } else {
    const times = []
    for (let round = 0; round < CALLS; round++) {
      const from = performance.now()
      await call()
      if (round >= WARM_UP) times.push(performance.now() - from)
      await new Promise(done => setTimeout(done, 1)) // as a program calls: not in a burst
    }
    value = median(times)
  }
  await plugins.close()
  console.log(JSON.stringify({ value }))
} finally {
  for (const each of [tools, folder]) rmSync(each, { recursive: true, force: true })
}
