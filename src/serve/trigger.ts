// Trigger: a trigger of a program that is served: its name in the journal, its words, whether it can be served at all.
// Owns: those. Does not own: when it fires (clock-triggers.ts, file-trigger.ts, webhooks/).
//   G1. Its name is made of program, workflow and what it says: a trigger that is changed is another one, `missed` aside. It begins with its kind.
import { canonicalJson, type Json } from '#base/json.ts'
import { serveErrors } from '#diagnostics/catalog/serve.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Permit } from '#model/capability.ts'
import type { Plan, PlanTrigger } from '#model/plan.ts'
import { printArgument } from '#types/codec.ts'
import { validate } from '#types/validate.ts'

export interface ServedProgram {
  readonly plan: Plan
  /** The program as shown to people. */
  readonly shown: string
  /** Absolute folder of the entry file. */
  readonly folder: string
  /** Hashes of its texts, recorded with its runs. */
  readonly sources?: Readonly<Record<string, string>>
  /** Accepted for each workflow that has triggers, by its key. */
  readonly permits: ReadonlyMap<string, Permit>
}

export interface ServedTrigger<On extends PlanTrigger = PlanTrigger> {
  readonly key: string
  readonly program: ServedProgram
  /** Key in the plan. */
  readonly workflow: string
  /** Its name, as shown. */
  readonly name: string
  readonly on: On
  /** As it is written: `every 10m`. */
  readonly words: string
}

/** Every trigger of the programs, or what is wrong with them. */
export function triggersOf(programs: readonly ServedProgram[]): { readonly triggers: readonly ServedTrigger[]; readonly problems: readonly Diagnostic[] } {
  const triggers: ServedTrigger[] = []
  const problems: Diagnostic[] = []
  for (const program of programs) {
    const before = triggers.length
    for (const workflow of workflowsWithTriggers(program.plan)) {
      const { name, params, triggers: own = [] } = program.plan.workflows[workflow]!
      for (const on of own) {
        const given = on.kind === 'webhook' ? on.params : on.kind === 'file' && on.param !== null ? [on.param] : []
        const lacking = params.find(each => !given.includes(each.name) && each.default === null && validate(each.type, null) !== null)
        if (lacking !== undefined) problems.push(serveErrors['missing-argument']({ workflow: name, name: lacking.name }))
        const { missed: _, ...said } = on as PlanTrigger & { missed?: unknown }
        triggers.push({ key: `${on.kind} ${program.shown} ${workflow} ${canonicalJson(said as unknown as Json)}`, program, workflow, name, on, words: wordsOf(on) }) // G1
      }
    }
    if (triggers.length === before) problems.push(serveErrors['no-triggers']({ program: program.shown }))
  }
  const byName = new Map<string, string[]>()
  for (const { on, name } of triggers) if (on.kind === 'webhook') byName.set(on.name, [...(byName.get(on.name) ?? []), name])
  for (const [name, workflows] of byName) if (workflows.length > 1) problems.push(serveErrors['webhook-twice']({ name, workflows }))
  return { triggers, problems }
}

/** Keys of the workflows that begin by themselves, in the order of the program. */
export function workflowsWithTriggers(plan: Plan): string[] {
  return plan.entries.filter(key => (plan.workflows[key]?.triggers ?? []).length > 0)
}

function wordsOf(on: PlanTrigger): string {
  switch (on.kind) {
    case 'every':
      return `every ${printArgument({ kind: 'duration' }, on.intervalMs)}`
    case 'cron':
      return `cron "${on.pattern}"${on.zone === 'UTC' ? '' : ` (${on.zone})`}`
    case 'file':
      return `on file "${on.pattern}"`
    case 'webhook':
      return `on webhook "${on.name}"`
  }
}
