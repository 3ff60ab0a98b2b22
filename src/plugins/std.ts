// Std: the standard library at run time: signatures from one file, code loaded only when a program uses it.
// Owns: reading the manifest, importing modules into this process (they are tek's own, so trusted). Does not own: making the manifest.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { TekBug } from '#base/invariant.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import type { ModelProvider } from '#plugin-api/model-provider.ts'

export const stdManifestVersion = 1

export interface StdManifest {
  readonly version: typeof stdManifestVersion
  /** By module name; the code of `name` lies beside the manifest in `name.mjs`. */
  readonly modules: Readonly<Record<string, ModuleSignature>>
}

export class StdLibrary {
  private readonly folderUrl: string
  private manifest: Promise<StdManifest> | null = null
  private readonly loaded = new Map<string, Promise<Plugin>>()
  private readonly urls = new Map<string, string>()

  /** @param folderUrl URL of the folder that holds `signatures.json`, with a slash at its end. */
  constructor(folderUrl: string) {
    this.folderUrl = folderUrl
  }

  async signature(name: string): Promise<ModuleSignature | null> {
    const { modules } = await this.read()
    return Object.hasOwn(modules, name) ? (modules[name] ?? null) : null
  }

  async names(): Promise<string[]> {
    return Object.keys((await this.read()).modules)
  }

  async signatures(): Promise<ModuleSignature[]> {
    return Object.values((await this.read()).modules)
  }

  /** The module's plugin; imported once. */
  plugin(name: string): Promise<Plugin> {
    let plugin = this.loaded.get(name)
    if (plugin === undefined) {
      plugin = this.importModule(name)
      this.loaded.set(name, plugin)
    }
    return plugin
  }

  codeUrl(name: string): string {
    let url = this.urls.get(name)
    if (url === undefined) this.urls.set(name, (url = new URL(`${name}.mjs`, this.folderUrl).href)) // asked for with every call in a thread
    return url
  }

  /** A provider of models by its name; null: there is none. */
  async modelProvider(name: string): Promise<ModelProvider | null> {
    const { providers } = (await import(this.codeUrl('models'))) as { readonly providers: Readonly<Record<string, ModelProvider>> }
    return Object.hasOwn(providers, name) ? providers[name]! : null
  }

  private async importModule(name: string): Promise<Plugin> {
    if ((await this.signature(name)) === null) throw new TekBug(`there is no std module \`${name}\``)
    return ((await import(this.codeUrl(name))) as { default: Plugin }).default
  }

  private read(): Promise<StdManifest> {
    this.manifest ??= readFile(fileURLToPath(new URL('signatures.json', this.folderUrl)), 'utf8').then(text => {
      const manifest = JSON.parse(text) as StdManifest
      if (manifest.version !== stdManifestVersion) throw new TekBug(`the standard library's manifest has version ${manifest.version}`)
      return manifest
    })
    return this.manifest
  }
}
