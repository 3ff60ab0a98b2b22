// Tool contract: each tool of a plugin, called as a program would call it, with values made from its schemas.
// Owns: what counts as breaking the contract. Does not own: the calls' walls (plugins/), what they may do (testing/call-tool.ts).
//   T1. A tool gives a value of its type, or fails with a code of its own. It crashes for no arguments that its schemas allow.
//   T2. `pure` means that the same arguments give the same result.
//   T3. Nothing of this machine is touched: a tool that looks at the world looks at an empty one in memory.
import { canonicalJson, type Json } from '#base/json.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Outcome } from '#model/event.ts'
import type { FunctionSignature, ModuleSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import type { Value } from '#model/type.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { callContext } from '#testing/call-tool.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { sampleArguments } from './sample-values.ts'

/** Milliseconds for one call. */
const MAX_CALL_MS = 30_000
const MAX_SHOWN_ARGUMENTS = 300
/** Failures that no tool means. */
const broken: ReadonlySet<string> = new Set(['plugin/crashed', 'plugin/bad-output', 'plugin/stuck', 'plugin/died', 'plugin/gave-up', 'plugin/changed', 'run/cancelled'])

export interface ToolFindings {
  readonly findings: readonly Diagnostic[]
  /** Tools for which no arguments could be made. */
  readonly skipped: readonly string[]
  readonly calls: number
}

/** @param placeOf where a tool is defined. */
export async function checkTools(signature: ModuleSignature, runner: ToolRunner, placeOf: (tool: string) => Place | undefined): Promise<ToolFindings> {
  const findings: Diagnostic[] = []
  const skipped: string[] = []
  let calls = 0
  for (const fn of Object.values(signature.functions)) {
    const given = sampleArguments(fn.params)
    if (given.length === 0) skipped.push(fn.name)
    for (const args of given) {
      const at = placeOf(fn.name)
      const found = await checkCall(signature, fn, args, runner)
      calls++
      if (found === null) continue
      findings.push(found(at === undefined ? {} : { at }))
      break // the first of a tool says enough
    }
  }
  return { findings, skipped, calls }
}

async function checkCall(signature: ModuleSignature, fn: FunctionSignature, args: { readonly [name: string]: Value }, runner: ToolRunner): Promise<((extras: { at?: Place }) => Diagnostic) | null> {
  const where = `\`${signature.name}.${fn.name}(${shown(args)})\``
  const call = async (): Promise<Outcome> => {
    const context = await callContext(signature, fn, args, { host: memoryHost(), signal: AbortSignal.timeout(MAX_CALL_MS) }) // T3
    return runner.call({ module: signature.name, fn: fn.name, args }, context)
  }
  const first = await call()
  if (first.kind === 'failure') {
    const { code, message } = first.failure
    if (code === 'permit/denied') return extras => pluginErrors['undeclared-grant']({ tool: fn.name, action: askedFor(message) }, extras)
    return broken.has(code) ? extras => pluginErrors['breaks-contract']({ where, reason: message }, extras) : null // T1
  }
  if (fn.effect !== 'pure') return null
  const second = await call()
  const same = second.kind === 'value' && canonicalJson(second.value as Json) === canonicalJson(first.value as Json)
  return same ? null : extras => pluginErrors['breaks-contract']({ where, reason: 'it is `pure`, and gave two results for the same arguments' }, extras) // T2
}

/** What the guard refused. */
const askedFor = (message: string): string => /^This may not (.+): nothing grants it/.exec(message)?.[1] ?? message

function shown(args: { readonly [name: string]: Value }): string {
  const text = Object.entries(args).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')
  return text.length > MAX_SHOWN_ARGUMENTS ? `${text.slice(0, MAX_SHOWN_ARGUMENTS)}…` : text
}
