// Std manifest: the signatures of the standard library as one JSON file, made when tek is built.
// Owns: making the file. Does not own: building the library (build.mjs), the file's form and reading it when tek runs (std.ts).
// Apart from std.ts because it needs zod, which a running tek does without.
import { TekBug } from '#base/invariant.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { signatureOf } from '#plugin-api/signature-of.ts'
import { stdManifestVersion } from './std.ts'

/**
 * The text of `signatures.json`: the same for the same modules, whatever their order.
 *
 * @param loaded each built module's default export and the hash of its bundle.
 * @throws {TekBug} when a definition cannot be described, or its name is not its folder's.
 */
export function stdManifest(loaded: readonly { readonly name: string; readonly plugin: Plugin; readonly hash: string }[]): string {
  const modules: Record<string, ModuleSignature> = {}
  for (const { name, plugin, hash } of loaded) {
    if (plugin.name !== name) throw new TekBug(`the module in stdlib/${name} calls itself \`${plugin.name}\``)
    const { value, problems } = signatureOf(plugin, { origin: 'std', hash })
    if (value === null) throw new TekBug(`stdlib/${name}: ${problems.map(each => `${each.where}: ${each.reason}`).join('; ')}`)
    modules[name] = value
  }
  return canonicalJson({ version: stdManifestVersion, modules } as unknown as Json)
}
