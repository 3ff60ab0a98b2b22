// Load: the plugin side of tek as the rest sees it: signatures for the checker, a ToolRunner for the interpreter.
// Owns: joining discovery, bundle, cache of signatures, processes and the standard library. Does not own: any of their insides.
//   P1. The standard library runs in this process and its worker threads; everything else in a process of its own.
//   P2. A plugin's code is started only to describe itself when its bundle has changed, and to run; a description found in the cache needs neither it nor esbuild.
//   P3. A result from a plugin's process is checked against its signature here: what the process says of itself is not believed.
import { join } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { Outcome } from '#model/event.ts'
import type { PlanModule } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { invokePure, invokeTool } from '#plugin-api/invoke.ts'
import type { PureFunction, ToolCall, ToolRunner } from '#plugin-api/tool-runner.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { anyType } from '#types/construct.ts'
import { validate } from '#types/validate.ts'
import { substitute } from '#types/variables.ts'
import { bundlePlugin, type Bundle } from './bundle.ts'
import { discoverPlugin } from './discover.ts'
import { fromDiagnostic } from './isolate/outcomes.ts'
import type { PluginProcess } from './isolate/process.ts'
import { readSignature } from './isolate/signature-shape.ts'
import { wrongGrant } from './known-grants.ts'
import { StdLibrary } from './std.ts'

const MAX_SIGNATURE_BYTES = 4_000_000
const MAX_MESSAGE_LENGTH = 2_000
const MAX_DETAILS_LENGTH = 16_000

/** Families of tek's own codes and grants: a plugin's codes and grants begin with its name. */
const reservedNames = new Set([
  'std', 'tek', 'exec', 'net', 'env', 'llm', 'mcp', 'ml', 'program', 'syntax', 'name', 'type', 'trust', 'secret', 'capability', 'permit', 'task',
  'limit', 'loop', 'plugin', 'model', 'run', 'agent', 'plan', 'cli',
])

export type SignatureRequest =
  | { readonly kind: 'std'; readonly name: string }
  /** `from`: absolute path of the file that says `use plugin`. */
  | { readonly kind: 'plugin'; readonly from: string; readonly source: string }

export interface PluginHostOptions {
  readonly host: Host
  /** Absolute; `.tek/cache` lies in it. */
  readonly projectDir: string
  /** URL of the folder with `signatures.json`, with a slash at its end. */
  readonly stdlibUrl: string
  /** URL of the built isolate/child.ts. */
  readonly childUrl?: string
  /** URL of the built plugin-api/index.ts: what `tek-lang/plugin` is inside a plugin. */
  readonly pluginEntryUrl?: string
  /** Time for a plugin to load; default 10 s. */
  readonly loadMs?: number
}

export interface PluginHost {
  stdNames(): Promise<string[]>
  /** Null: there is no such std module. A diagnostic has no place yet. */
  signature(request: SignatureRequest): Promise<ModuleSignature | Diagnostic | null>
  /**
   * Calls for the modules of one plan; the std modules among them are loaded.
   *
   * @param folder absolute folder of the entry file, from which `source`s of plugins are resolved.
   */
  toolRunner(modules: readonly PlanModule[], folder: string): Promise<ToolRunner>
  /** Ends every plugin's process. */
  close(): Promise<void>
}

interface Ready {
  readonly process: PluginProcess
  readonly signature: ModuleSignature
}

export function createPluginHost(options: PluginHostOptions): PluginHost {
  const { host, projectDir } = options
  const childUrl = options.childUrl ?? new URL('./plugin-child.mjs', import.meta.url).href
  const pluginEntryUrl = options.pluginEntryUrl ?? new URL('./plugin.mjs', childUrl).href
  const cacheDir = join(projectDir, '.tek', 'cache', 'plugins')
  const std = new StdLibrary(options.stdlibUrl)
  const processes = new Set<PluginProcess>()

  const build = async (from: string, source: string): Promise<Bundle | Diagnostic> => {
    const found = await discoverPlugin(host, from, source)
    return 'code' in found ? found : bundlePlugin(found, { host, cacheDir, pluginEntryUrl })
  }
  const startProcess = async (bundle: Bundle, source: string): Promise<PluginProcess> => {
    const { PluginProcess } = await import('./isolate/process.ts')
    const process = new PluginProcess({ source, file: bundle.file, hash: bundle.hash }, { childUrl, cwd: projectDir, ...(options.loadMs === undefined ? {} : { loadMs: options.loadMs }) })
    processes.add(process)
    return process
  }
  const pluginSignature = async (from: string, source: string): Promise<ModuleSignature | Diagnostic> => {
    const bundle = await build(from, source)
    if ('code' in bundle) return bundle
    const signature = (await readCached(host, cacheDir, bundle)) ?? (await describe(bundle, source)) // P2
    if ('code' in signature) return signature
    if (reservedNames.has(signature.name) || (await std.names()).includes(signature.name)) return pluginErrors['reserved-name']({ source, name: signature.name })
    const wrong = wrongGrant(signature, await std.signatures())
    if (wrong !== null) return pluginErrors['bad-definition']({ source, ...wrong })
    return signature
  }
  const describe = async (bundle: Bundle, source: string): Promise<ModuleSignature | Diagnostic> => {
    const process = await startProcess(bundle, source)
    const signature = await process.signature()
    processes.delete(process)
    await process.close()
    // A cache that cannot be written only costs time.
    if (!('code' in signature)) await host.files.writeAtomic(join(cacheDir, `${bundle.hash}.signature.json`), JSON.stringify(signature)).catch(() => undefined)
    return signature
  }
  const ready = async (module: PlanModule, folder: string): Promise<Ready | Diagnostic> => {
    const from = join(folder, 'entry.tek')
    let source = module.source
    let bundle = await build(from, source)
    if ('code' in bundle && bundle.code === 'plugin/not-found' && !source.startsWith('.')) bundle = await build(from, (source = `./${source}`))
    if ('code' in bundle) return bundle
    if (bundle.hash !== module.hash) return pluginErrors['changed']({ source })
    const process = await startProcess(bundle, source)
    const signature = await process.signature()
    return 'code' in signature ? signature : { process, signature }
  }

  return {
    stdNames: () => std.names(),
    signature: request => (request.kind === 'std' ? std.signature(request.name) : pluginSignature(request.from, request.source)),
    async toolRunner(modules, folder) {
      const trusted = modules.filter(module => module.origin === 'std')
      const loaded = new Map(await Promise.all(trusted.map(async ({ name }) => [name, await std.plugin(name)] as const)))
      const foreign = new Map(modules.filter(module => module.origin === 'plugin').map(module => [module.name, module]))
      return new Runner(std, loaded, name => {
        const module = foreign.get(name)
        return module === undefined ? null : ready(module, folder)
      })
    },
    async close() {
      await Promise.all([...processes].map(process => process.close()))
    },
  }
}

async function readCached(host: Host, cacheDir: string, bundle: Bundle): Promise<ModuleSignature | null> {
  try {
    const bytes = await host.files.readBytes(join(cacheDir, `${bundle.hash}.signature.json`), MAX_SIGNATURE_BYTES)
    return readSignature(JSON.parse(new TextDecoder().decode(bytes)), bundle.hash)
  } catch {
    return null
  }
}

class Runner implements ToolRunner {
  private readonly std: StdLibrary
  private readonly loaded: ReadonlyMap<string, Plugin>
  private readonly find: (module: string) => Promise<Ready | Diagnostic> | null
  private readonly pures = new Map<string, PureFunction>()
  private readonly started = new Map<string, Promise<Ready | Diagnostic> | null>()

  constructor(std: StdLibrary, loaded: ReadonlyMap<string, Plugin>, find: (module: string) => Promise<Ready | Diagnostic> | null) {
    this.std = std
    this.loaded = loaded
    this.find = find
  }

  pure(module: string, fn: string): PureFunction | null {
    const plugin = this.loaded.get(module)
    if (plugin?.tools?.[fn]?.effect !== 'pure') return null
    const key = `${module}.${fn}`
    let pure = this.pures.get(key)
    if (pure === undefined) {
      pure = invokePure(plugin, fn)
      this.pures.set(key, pure)
    }
    return pure
  }

  async call(call: ToolCall, context: ToolContext): Promise<Outcome> {
    const plugin = this.loaded.get(call.module)
    if (plugin !== undefined) return invokeTool(plugin, call, context)
    let starting = this.started.get(call.module)
    if (starting === undefined) {
      starting = this.find(call.module)
      this.started.set(call.module, starting)
    }
    const started = await starting
    if (started === null) return fromDiagnostic(pluginErrors['unknown-tool']({ plugin: call.module, tool: call.fn }))
    if ('code' in started) return fromDiagnostic(started)
    const fn = Object.hasOwn(started.signature.functions, call.fn) ? started.signature.functions[call.fn] : undefined
    return checked(await started.process.call(call, context, { mayRepeat: fn?.effect !== 'write' }), call, started.signature)
  }

  threadModule(module: string): string | null {
    return this.loaded.has(module) ? this.std.codeUrl(module) : null
  }

  async close(): Promise<void> {
    for (const starting of this.started.values()) {
      const started = await starting
      if (started !== null && 'process' in started) await started.process.close()
    }
  }
}

/** P3. */
function checked(outcome: Outcome, call: ToolCall, signature: ModuleSignature): Outcome {
  if (outcome.kind === 'failure') {
    const { code, message, retryable, help, details } = outcome.failure
    const isCode = /^[\w.-]+\/[\w-]+$/.test(code) && code.length < 200
    return { kind: 'failure', failure: {
      code: isCode ? code : 'plugin/crashed', message: message.slice(0, MAX_MESSAGE_LENGTH), task: '', retryable,
      ...(help === undefined ? {} : { help: help.slice(0, MAX_MESSAGE_LENGTH) }), ...(details === undefined ? {} : { details: details.slice(0, MAX_DETAILS_LENGTH) }),
    } }
  }
  const tool = `${call.module}.${call.fn}`
  const fn = Object.hasOwn(signature.functions, call.fn) ? signature.functions[call.fn] : undefined
  if (fn === undefined) return fromDiagnostic(pluginErrors['unknown-tool']({ plugin: call.module, tool: call.fn }))
  const problem = validate(substitute(fn.result, new Map(), anyType), outcome.value)
  if (problem === null) return outcome
  return fromDiagnostic(pluginErrors['bad-output']({ tool, reason: `${problem.path === '' ? '' : `at \`${problem.path}\`: `}${problem.message}` }))
}
