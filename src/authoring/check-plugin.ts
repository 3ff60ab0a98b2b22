// Check plugin: everything that can be said of a plugin before anybody uses it.
// Owns: the order of the checks, and joining what they find. Does not own: each check (its own file).
//   C1. The plugin's code runs only where a program's would: in its engine, or its confined process, with no world but one in memory.
//   C2. What cannot be loaded is one finding, that of the loader, beside those of the package.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { PlanModule } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import { pluginApiVersion } from '#plugin-api/define-plugin.ts'
import { bundlePlugin, type Bundle } from '#plugins/bundle.ts'
import { createPluginHost, type PluginHostOptions } from '#plugins/load.ts'
import { checkExamples } from './example-runs.ts'
import { definitionSource, type DefinitionSource, keyPlace, partPlace, toolPlace } from './definition-places.ts'
import { checkGrants, unusedGrants } from './grant-contract.ts'
import { checkModels } from './model-checks.ts'
import { manifestFindings, type PluginPackage } from './plugin-package.ts'
import { checkTools } from './tool-contract.ts'
import { effectFindings } from './visible-effects.ts'

export interface CheckPluginOptions {
  readonly host: Host
  /** Where tek's built parts lie. */
  readonly parts: Required<Pick<PluginHostOptions, 'stdlibUrl' | 'childUrl' | 'pluginEntryUrl'>>
  readonly tekVersion: string
  /** Accepted by name: a plugin that needs Node runs unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined: boolean
}

export interface CheckedPlugin {
  readonly diagnostics: readonly Diagnostic[]
  /** Path as shown → text, of every file that a diagnostic may name. */
  readonly sources: ReadonlyMap<string, string>
  /** Null: it cannot be loaded. */
  readonly signature: ModuleSignature | null
  readonly bundle: Bundle | null
  /** The version of the plugin interface that it says it was written for; null: it says none. */
  readonly api: string | null
  readonly calls: number
  /** What could not be called, for want of arguments. */
  readonly skipped: readonly string[]
}

export async function checkPlugin(plugin: PluginPackage, options: CheckPluginOptions): Promise<CheckedPlugin> {
  const { host, parts, mayBeUnconfined } = options
  const { root, entry, source, folder, shown, manifest } = plugin
  const sources = new Map(manifest === null ? [] : [[shown(manifest.path), manifest.text]])
  const none = { sources, signature: null, bundle: null, api: null, calls: 0, skipped: [] }
  const found = { source, entry, root }
  const cacheDir = join(root, '.tek', 'cache', 'plugins')
  const bundle = await bundlePlugin(found, { host, cacheDir, pluginEntryUrl: parts.pluginEntryUrl })
  if ('code' in bundle) return { ...none, diagnostics: [bundle, ...manifestFindings(plugin, null)] } // C2
  const texts = definitionsOf(bundle, plugin)
  for (const each of texts) sources.set(each.path, each.text)
  const plugins = createPluginHost({ host, projectDir: root, ...parts, mayBeUnconfined: () => mayBeUnconfined })
  try {
    const signature = await plugins.signature({ kind: 'plugin', from: join(folder, 'check.tek'), source })
    if (signature === null || 'code' in signature) return { ...none, bundle, diagnostics: [...(signature === null ? [] : [placed(signature, texts)]), ...manifestFindings(plugin, null)] }
    const std = (await Promise.all((await plugins.stdNames()).map(name => plugins.signature({ kind: 'std', name })))).filter((each): each is ModuleSignature => each !== null && !('code' in each))
    const placeOf = (name: string): Place | undefined => toolPlace(texts, name)?.name ?? keyPlace(texts, name) ?? undefined
    const partOf = (section: 'grants' | 'models') => (name: string): Place | undefined => partPlace(texts, section, name) ?? undefined
    const api = statedApi(bundle.text)
    const diagnostics: Diagnostic[] = [
      ...manifestFindings(plugin, signature.release),
      ...(api === null ? [pluginErrors['unstated-api']({ have: pluginApiVersion }, placeExtras(keyPlace(texts, 'version')))] : []),
      ...(await reproducibleFindings(bundle, plugin, options)),
      ...docFindings(signature, texts),
      ...checkGrants(signature, std, partOf('grants')), ...unusedGrants(signature, partOf('grants')),
    ]
    for (const fn of Object.values(signature.functions)) {
      const place = toolPlace(texts, fn.name)
      if (place !== null) diagnostics.push(...effectFindings(fn, place, signature, std))
    }
    const module = { name: signature.name, origin: 'plugin', source, release: signature.release, hash: signature.hash, ...(signature.needsNode === undefined ? {} : { needsNode: signature.needsNode }) } as PlanModule
    const runner = await plugins.toolRunner([module], folder)
    const tools = await checkTools(signature, runner, placeOf)
    const told = new Set(diagnostics.filter(each => each.code === 'plugin/undeclared-grant').map(each => /`([^`]*)`/.exec(each.message)?.[1]))
    diagnostics.push(...tools.findings.filter(each => each.code !== 'plugin/undeclared-grant' || !told.has(/`([^`]*)`/.exec(each.message)?.[1])))
    await runner.close()
    diagnostics.push(...(await checkModels(signature, name => plugins.modelProvider(`${signature.name}.${name}`, [module], folder), partOf('models'))))
    diagnostics.push(...(await checkExamples(host, plugin, signature, options.tekVersion, mayBeUnconfined, placeOf)))
    return { diagnostics, sources, signature, bundle, api, calls: tools.calls, skipped: tools.skipped }
  } finally {
    await plugins.close()
  }
}

const placeExtras = (at: Place | null | undefined): { at?: Place } => (at === null || at === undefined ? {} : { at })

/** The plugin's own files, not those of packages. */
function definitionsOf(bundle: Bundle, { root, entry, shown }: PluginPackage): DefinitionSource[] {
  const own = bundle.inputs.filter(each => each.startsWith(`${root}/`) && !relative(root, each).includes('node_modules') && /\.[cm]?[jt]sx?$/.test(each))
  return [entry, ...own.filter(each => each !== entry)].map(each => definitionSource(shown(each), readFileSync(each, 'utf8')))
}

/** A finding of the loader, where its words name a part of the definition. */
function placed(diagnostic: Diagnostic, texts: readonly DefinitionSource[]): Diagnostic {
  const tool = /: tool (\w+)/.exec(diagnostic.message)?.[1]
  if (tool === undefined || diagnostic.at !== undefined) return diagnostic
  const place = toolPlace(texts, tool)
  const param = /, parameter (\w+)/.exec(diagnostic.message)?.[1]
  const at = (param === undefined || place === null ? null : keyPlace(texts, param, place)) ?? place?.name
  return at === undefined ? diagnostic : { ...diagnostic, at }
}

/** `api` as the definition says it in plain text, in the built code, which has no comments. */
function statedApi(text: string): string | null {
  return /(?<![\w$.])api: (["'])(\d+\.\d+)\1/.exec(text)?.[2] ?? null
}

/** A second build, into a cache of its own. */
async function reproducibleFindings(bundle: Bundle, { source, entry, root }: PluginPackage, { host, parts }: CheckPluginOptions): Promise<Diagnostic[]> {
  const cacheDir = join(root, '.tek', 'cache', `again-${host.randomHex(6)}`)
  try {
    const again = await bundlePlugin({ source, entry, root }, { host, cacheDir, pluginEntryUrl: parts.pluginEntryUrl })
    return 'code' in again || again.hash !== bundle.hash ? [pluginErrors['not-reproducible']({ source })] : []
  } finally {
    await host.files.remove(cacheDir).catch(() => undefined)
  }
}

function docFindings(signature: ModuleSignature, texts: readonly DefinitionSource[]): Diagnostic[] {
  const found: Diagnostic[] = []
  const need = (doc: string, where: string, at: Place | null | undefined): void => {
    if (doc.trim() === '') found.push(pluginErrors.undocumented({ where }, placeExtras(at)))
  }
  need(signature.doc, 'the plugin', keyPlace(texts, 'name'))
  for (const fn of Object.values(signature.functions)) {
    const place = toolPlace(texts, fn.name)
    need(fn.doc, `the tool \`${fn.name}\``, place?.name)
    for (const param of fn.params) need(param.doc, `the parameter \`${param.name}\` of \`${fn.name}\``, place === null ? null : (keyPlace(texts, param.name, place) ?? place.name))
  }
  for (const grant of Object.values(signature.grants)) need(grant.doc, `the grant \`${grant.name}\``, partPlace(texts, 'grants', grant.name))
  for (const [name, constant] of Object.entries(signature.constants)) need(constant.doc, `the constant \`${name}\``, keyPlace(texts, name))
  for (const [name, model] of Object.entries(signature.models)) {
    need(model.doc, `the models \`${name}\``, partPlace(texts, 'models', name))
    for (const option of model.params.slice(1)) need(option.doc, `the option \`${option.name}\` of the models \`${name}\``, keyPlace(texts, option.name))
  }
  return found
}
