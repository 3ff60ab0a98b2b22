// Model checks: the published contract of models (testing/model-contract.ts), asked of a plugin's models through the real wall.
// Owns: the options they are opened with. Does not own: the contract.
//   M1. How an answer looks on the wire is its plugin's own: what depends on that is for its own tests, with a sample.
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { ModelSignature, ModuleSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import type { Value } from '#model/type.ts'
import type { ModelProvider } from '#plugin-api/model-provider.ts'
import { modelContract } from '#testing/model-contract.ts'
import { samplesOf } from './sample-values.ts'

/** Nothing listens there, and nothing is sent: the transport is not a network. */
const NOWHERE = 'http://127.0.0.1:9/'

export async function checkModels(signature: ModuleSignature, open: (name: string) => Promise<ModelProvider | null>, placeOf: (name: string) => Place | undefined): Promise<Diagnostic[]> {
  const found: Diagnostic[] = []
  for (const [name, model] of Object.entries(signature.models)) {
    const provider = await open(name)
    if (provider === null) continue
    const at = placeOf(name)
    for (const { name: what, run } of modelContract(provider, { model: 'example', options: optionsOf(model) })) {
      try {
        await run()
      } catch (error) {
        const reason = `${what}: ${error instanceof Error ? error.message : String(error)}`
        found.push(pluginErrors['breaks-contract']({ where: `The model \`${signature.name}.${name}\``, reason }, at === undefined ? {} : { at }))
      }
    }
  }
  return found
}

/** What it cannot be opened without, and addresses. */
function optionsOf({ params }: ModelSignature): Readonly<Record<string, Value>> {
  const given = params.slice(1).flatMap(({ name, type, optional }) => {
    const isAddress = /url|address|endpoint/i.test(name)
    if (optional && !isAddress) return []
    const [first] = isAddress ? [NOWHERE] : samplesOf(type)
    return first === undefined ? [] : [[name, first] as const]
  })
  return Object.fromEntries(given)
}
