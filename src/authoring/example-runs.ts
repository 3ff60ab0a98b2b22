// Example runs: the examples that tools carry, as programs.
// Owns: making a program of an example, and what it must give. Does not own: checking and running it (tek.ts).
//   X1. The example of a tool that looks at the world is checked but not run: it would need that world.
import { join } from 'node:path'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { FunctionSignature, ModuleSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import { check, plan, run } from '#tek.ts'
import type { PluginPackage } from './plugin-package.ts'

const FILE = 'example.tek'
const MAX_RUN_MS = 60_000

export async function checkExamples(host: Host, { folder, source }: PluginPackage, signature: ModuleSignature, tekVersion: string, mayBeUnconfined: boolean, placeOf: (tool: string) => Place | undefined): Promise<Diagnostic[]> {
  const found: Diagnostic[] = []
  for (const fn of Object.values(signature.functions)) {
    if (fn.example === undefined) continue
    const reason = await problemOf(host, join(folder, FILE), source, signature.name, fn, tekVersion, mayBeUnconfined)
    const at = placeOf(fn.name)
    if (reason !== null) found.push(pluginErrors['bad-example']({ tool: fn.name, reason }, at === undefined ? {} : { at }))
  }
  return found
}

async function problemOf(host: Host, path: string, source: string, module: string, fn: FunctionSignature, tekVersion: string, mayBeUnconfined: boolean): Promise<string | null> {
  const text = `use plugin ${JSON.stringify(source)} as ${module}\n\nworkflow main() -> any {\n  can fs.read("**"), fs.write("**"), exec("**"), net("*"), env("*")\n\n  task holds = ${fn.example!}\n  return holds\n}\n`
  const asked = fn.effect === 'pure' ? text.replace(/^ {2}can .*\n\n/m, '') : text
  const checked = await check(host, path, { readText: each => (each === path ? asked : undefined) })
  const wrong = checked.diagnostics.find(each => each.severity === 'error' && !each.code.startsWith('capability/') && !each.code.startsWith('trust/'))
  if (wrong !== undefined) return `\`${fn.example!}\`: ${wrong.message}`
  if (fn.effect !== 'pure' || checked.program === null) return null // X1
  const answer = await run(host, {
    plan: plan(checked), program: FILE, folder: join(path, '..'), args: {}, database: null, permit: { grants: [], by: 'flag' }, mayBeUnconfined,
    isMeasured: false, tekVersion, onNotice: () => {}, signal: AbortSignal.timeout(MAX_RUN_MS),
  })
  if (answer.kind === 'refused') return answer.diagnostics[0]?.message ?? 'it cannot be run'
  const { outcome } = answer.value
  if (outcome?.kind === 'value') return outcome.value === true ? null : `\`${fn.example!}\` gives ${JSON.stringify(outcome.value)}`
  return outcome === null || outcome === undefined ? 'it did not end' : outcome.failure.message
}
