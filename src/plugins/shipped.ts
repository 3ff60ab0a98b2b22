// Shipped: the description of a plugin that is in its package, so that checking a program runs none of its code.
// Owns: the file's name and form, and when it is believed. Does not own: packing (authoring/), describing (isolate/).
//   S1. It counts for the very build it was made for, by hash; otherwise the plugin is asked, as without it.
//   S2. It is compared with what the plugin says of itself before it is called (load.ts, P6): what lies here is refused there.
//   S3. For which version of the plugin interface the plugin was written counts whatever the hash.
import { join } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { ModuleSignature } from '#model/signature.ts'
import { fitsApi, pluginApiVersion } from '#plugin-api/define-plugin.ts'
import { readSignature } from './isolate/signature-shape.ts'

export const SHIPPED_FILE = 'tek.signature.json'
const SHIPPED_VERSION = 1
const MAX_SHIPPED_BYTES = 4_000_000

export function shippedText(signature: ModuleSignature, api: string): string {
  return `${JSON.stringify({ version: SHIPPED_VERSION, api, hash: signature.hash, signature }, null, 2)}\n`
}

/** Null: there is none, or it is of another build. A diagnostic: this tek is not the one that the plugin was written for. */
export async function shippedSignature(host: Host, root: string, source: string, hash: string): Promise<ModuleSignature | Diagnostic | null> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(await host.files.readBytes(join(root, SHIPPED_FILE), MAX_SHIPPED_BYTES)))
  } catch {
    return null
  }
  if (typeof json !== 'object' || json === null) return null
  const { version, api, hash: of, signature } = json as Record<string, unknown>
  if (version !== SHIPPED_VERSION) return null
  if (typeof api === 'string' && !fitsApi(api)) return pluginErrors['api-mismatch']({ source, needs: api.slice(0, 100), have: pluginApiVersion }) // S3
  return of === hash ? readSignature(signature, hash) : null // S1
}
