// Load: the plugin side of tek as the rest sees it: signatures for the checker, a ToolRunner for the interpreter.
// Owns: joining discovery, bundle, cache of signatures, engines, processes and the standard library. Does not own: any of their insides.
//   P1. The standard library runs in this process and its worker threads; everything else in an engine or a confined process of its own.
//   P2. A plugin's code is started only to describe itself when its bundle has changed, and to run; a description found in the cache or in its package (shipped.ts)
//       needs neither it nor, where the bundle is known, esbuild.
//   P3. A result from a plugin is checked against its signature here: what the plugin says of itself is not believed.
//   P4. Pure functions have an engine of their own that is as after loading before each call: what they give depends on their arguments alone, also
//       when the plugin would rather remember what another tool has read. A process cannot promise that: there, every result is untrusted.
//   P5. What a tool that looks at the world, or changes it, gives back is untrusted, whatever it declares.
//   P6. What is run is what was checked: the bundle by its hash, what it runs in, and the description that it gives of itself then.
import { join } from 'node:path'
import { canonicalJson, type Json } from '#base/json.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { Outcome } from '#model/event.ts'
import type { PlanModule } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { invokePure, invokeTool } from '#plugin-api/invoke.ts'
import { ModelFailure, type ModelProvider } from '#plugin-api/model-provider.ts'
import type { PureFunction, ToolCall, ToolRunner } from '#plugin-api/tool-runner.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { anyType } from '#types/construct.ts'
import { validate } from '#types/validate.ts'
import { substitute } from '#types/variables.ts'
import { bundlePlugin, type Bundle } from './bundle.ts'
import { discoverPlugin } from './discover.ts'
import { fromDiagnostic } from './isolate/outcomes.ts'
import type { Engines } from './engine/engine.ts'
import type { PluginInstance } from './isolate/instance.ts'
import { readSignature } from './isolate/signature-shape.ts'
import { wrongGrant } from './known-grants.ts'
import { shippedSignature } from './shipped.ts'
import { StdLibrary } from './std.ts'

const MAX_SIGNATURE_BYTES = 4_000_000
const MAX_MESSAGE_LENGTH = 2_000
const MAX_DETAILS_LENGTH = 16_000

/** Families of tek's own codes and grants: a plugin's codes and grants begin with its name. */
export const reservedNames: ReadonlySet<string> = new Set([
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
  /** URL of the built engine/worker.ts, with `engine/` beside it. */
  readonly engineUrl?: string
  /** URL of the built plugin-api/index.ts: what `tek-lang/plugin` is inside a plugin. */
  readonly pluginEntryUrl?: string
  /** Time for a plugin to load; default 10 s. */
  readonly loadMs?: number
  /** Running time of one call in an engine; default 5 s. */
  readonly callCpuMs?: number
  /** Whether the person who runs the program accepted that this plugin's process runs unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined?: (source: string) => boolean
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
  /** A provider of models by its name in programs, `module.name` where a plugin of these brings it; null: there is none. */
  modelProvider(name: string, modules: readonly PlanModule[], folder: string): Promise<ModelProvider | null>
  /** Plugins are about to be called: what takes longest is begun now. */
  prepare(): void
  /** Ends every engine and process. */
  close(): Promise<void>
}

interface Ready {
  /** P4: the same for a plugin in a process. */
  readonly forPure: PluginInstance
  readonly forOthers: PluginInstance
  readonly signature: ModuleSignature
}

export function createPluginHost(options: PluginHostOptions): PluginHost {
  const { host, projectDir } = options
  const childUrl = options.childUrl ?? new URL('./plugin-child.mjs', import.meta.url).href
  const engineUrl = options.engineUrl ?? new URL('./plugin-engine.mjs', childUrl).href
  const pluginEntryUrl = options.pluginEntryUrl ?? new URL('./plugin.mjs', childUrl).href
  const cacheDir = join(projectDir, '.tek', 'cache', 'plugins')
  const std = new StdLibrary(options.stdlibUrl)
  const instances = new Set<PluginInstance>()

  const build = async (from: string, source: string): Promise<(Bundle & { readonly root: string }) | Diagnostic> => {
    const found = await discoverPlugin(host, from, source)
    if ('code' in found) return found
    const bundle = await bundlePlugin(found, { host, cacheDir, pluginEntryUrl })
    return 'code' in bundle ? bundle : { ...bundle, root: found.root }
  }
  /** What is known of a plugin without starting it. // P2 */
  const known = async (bundle: Bundle & { readonly root: string }, source: string): Promise<ModuleSignature | Diagnostic | null> => {
    const shipped = await shippedSignature(host, bundle.root, source, bundle.hash)
    if (shipped !== null && 'code' in shipped) return shipped
    return (await readCached(host, cacheDir, bundle)) ?? (shipped === null ? null : distrusted(shipped, bundle))
  }
  const limits = { ...(options.loadMs === undefined ? {} : { loadMs: options.loadMs }), ...(options.callCpuMs === undefined ? {} : { callCpuMs: options.callCpuMs }) }
  let begun: Promise<Engines> | null = null
  const engines = (): Promise<Engines> => (begun ??= import('./engine/engine.ts').then(({ Engines }) => new Engines({ workerUrl: engineUrl, cwd: projectDir, ...limits })))
  const makeInstance = async (bundle: Bundle, source: string, pure: boolean): Promise<PluginInstance> => {
    const { PluginInstance } = await import('./isolate/instance.ts')
    const instance = new PluginInstance(source, bundle, { ...limits, start: async () => {
      if (bundle.mode === 'engine') return (await engines()).start(bundle, pure)
      const mayBeUnconfined = options.mayBeUnconfined?.(source) ?? false
      return (await import('./isolate/process.ts')).startProcess(source, bundle, { host, childUrl, pluginEntryUrl, cwd: projectDir, mayBeUnconfined })
    } })
    instances.add(instance)
    return instance
  }
  const pluginSignature = async (from: string, source: string): Promise<ModuleSignature | Diagnostic> => {
    const bundle = await build(from, source)
    if ('code' in bundle) return bundle
    const signature = (await known(bundle, source)) ?? (await describe(bundle, source)) // P2
    if ('code' in signature) return signature
    if (reservedNames.has(signature.name) || (await std.names()).includes(signature.name)) return pluginErrors['reserved-name']({ source, name: signature.name })
    const wrong = wrongGrant(signature, await std.signatures())
    if (wrong !== null) return pluginErrors['bad-definition']({ source, ...wrong })
    return signature
  }
  const describe = async (bundle: Bundle, source: string): Promise<ModuleSignature | Diagnostic> => {
    const instance = await makeInstance(bundle, source, true)
    const described = await instance.signature()
    instances.delete(instance)
    await instance.close()
    if ('code' in described) return described
    const signature = distrusted(described, bundle)
    // A cache that cannot be written only costs time.
    await host.files.writeAtomic(join(cacheDir, `${bundle.hash}.signature.json`), JSON.stringify(signature)).catch(() => undefined)
    return signature
  }
  /** @param fn the first function that is called. */
  const ready = async (module: PlanModule, folder: string, fn: string): Promise<Ready | Diagnostic> => {
    const from = join(folder, 'entry.tek')
    let source = module.source
    let bundle = await build(from, source)
    if ('code' in bundle && bundle.code === 'plugin/not-found' && !source.startsWith('.')) bundle = await build(from, (source = `./${source}`))
    if ('code' in bundle) return bundle
    if (bundle.hash !== module.hash || bundle.needsNode !== (module.needsNode ?? null)) return pluginErrors['changed']({ source }) // P6
    const forOthers = await makeInstance(bundle, source, false)
    const forPure = bundle.mode === 'process' ? forOthers : await makeInstance(bundle, source, true)
    const checked = await known(bundle, source)
    if (checked !== null && 'code' in checked) return checked
    const isPure = checked !== null && Object.hasOwn(checked.functions, fn) && checked.functions[fn]!.effect === 'pure'
    const described = await (isPure ? forPure : forOthers).signature()
    if ('code' in described) return described
    const signature = distrusted(described, bundle)
    if (checked !== null && textOf(checked) !== textOf(signature)) return pluginErrors['changed']({ source }) // P6
    return { forPure, forOthers, signature }
  }

  return {
    stdNames: () => std.names(),
    signature: request => (request.kind === 'std' ? std.signature(request.name) : pluginSignature(request.from, request.source)),
    async toolRunner(modules, folder) {
      const trusted = modules.filter(module => module.origin === 'std')
      const loaded = new Map(await Promise.all(trusted.map(async ({ name }) => [name, await std.plugin(name)] as const)))
      const foreign = new Map(modules.filter(module => module.origin === 'plugin').map(module => [module.name, module]))
      return new Runner(std, loaded, (name, fn) => {
        const module = foreign.get(name)
        return module === undefined ? null : ready(module, folder, fn)
      })
    },
    async modelProvider(name, modules, folder) {
      const [alias, own] = name.split('.', 2) as [string, string?]
      if (own === undefined) return std.modelProvider(name)
      const module = modules.find(each => each.origin === 'plugin' && each.name === alias)
      if (module === undefined) return null
      const started = await ready(module, folder, '')
      if ('code' in started) throw new ModelFailure('unknown-model', started.message)
      const { models } = started.signature
      if (!Object.hasOwn(models, own)) return null
      const { doc, hosts = [] } = models[own]!
      return (await import('./plugin-models.ts')).pluginProvider({ module: alias, name: own, doc, hosts, call: (call, context) => started.forOthers.call(call, context, { mayRepeat: false }) })
    },
    prepare: () => void engines().then(each => each.prepare()),
    async close() {
      await Promise.all([...instances].map(instance => instance.close()))
      await (await begun)?.close()
    },
  }
}

const textOf = (signature: ModuleSignature): string => canonicalJson(signature as unknown as Json)

/** P4, P5 */
function distrusted(signature: ModuleSignature, bundle: Bundle): ModuleSignature {
  const functions = Object.entries(signature.functions).map(([name, fn]) => [name, { ...fn, untrusted: fn.untrusted || fn.effect !== 'pure' || bundle.mode === 'process' }] as const)
  const { needsNode: _, ...rest } = signature
  return { ...rest, functions: Object.fromEntries(functions), ...(bundle.needsNode === null ? {} : { needsNode: bundle.needsNode }) }
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
  private readonly find: (module: string, fn: string) => Promise<Ready | Diagnostic> | null
  private readonly pures = new Map<string, PureFunction>()
  private readonly started = new Map<string, Promise<Ready | Diagnostic> | null>()

  constructor(std: StdLibrary, loaded: ReadonlyMap<string, Plugin>, find: (module: string, fn: string) => Promise<Ready | Diagnostic> | null) {
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
      starting = this.find(call.module, call.fn)
      this.started.set(call.module, starting)
    }
    const started = await starting
    if (started === null) return fromDiagnostic(pluginErrors['unknown-tool']({ plugin: call.module, tool: call.fn }))
    if ('code' in started) return fromDiagnostic(started)
    const fn = Object.hasOwn(started.signature.functions, call.fn) ? started.signature.functions[call.fn] : undefined
    const instance = fn?.effect === 'pure' ? started.forPure : started.forOthers
    return checked(await instance.call(call, context, { mayRepeat: fn?.effect !== 'write' }), call, started.signature)
  }

  threadModule(module: string): string | null {
    return this.loaded.has(module) ? this.std.codeUrl(module) : null
  }

  async close(): Promise<void> {
    for (const starting of this.started.values()) {
      const started = await starting
      if (started !== null && 'signature' in started) await Promise.all([started.forPure.close(), started.forOthers.close()])
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
