// Modules: the whole standard library from source, with its signatures.
import { existsSync, readdirSync } from 'node:fs'
import type { ModuleSignature } from '#model/signature.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { signatureOf } from '#plugin-api/signature-of.ts'

const names = readdirSync('stdlib').filter(name => existsSync(`stdlib/${name}/plugin.ts`)).sort()

export const plugins: ReadonlyMap<string, Plugin> = new Map(
  await Promise.all(names.map(async name => [name, ((await import(`../../stdlib/${name}/plugin.ts`)) as { default: Plugin }).default] as const)),
)

export const signatures: ReadonlyMap<string, ModuleSignature> = new Map([...plugins].map(([name, plugin]) => {
  const { value, problems } = signatureOf(plugin, { origin: 'std', hash: name })
  if (value === null) throw new Error(`${name}: ${problems.map(each => `${each.where}: ${each.reason}`).join('; ')}`)
  return [name, value]
}))
