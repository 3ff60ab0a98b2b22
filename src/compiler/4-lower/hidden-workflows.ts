// Hidden workflows: those that nobody wrote, as lowering comes upon them.
// Owns: the table of them, their authority. Does not own: what they are made of (lower-team.ts).
//   H1. Their authority is that of the agent they are for, as the plan has it in the end, with the models it asks.
import type { Plan, PlanAgent, PlanStandsFor, PlanWorkflow } from '#model/plan.ts'

/** Such workflows as they are made, by their keys; `of` is the key of the agent whose authority each has. */
export class HiddenWorkflows {
  private readonly made = new Map<string, { readonly of: string; readonly workflow: PlanWorkflow }>()

  /** Gives the key. */
  add(key: string, of: string, standsFor: PlanStandsFor, parts: Pick<PlanWorkflow, 'name' | 'params' | 'result' | 'nodes' | 'returns'>): string {
    const workflow: PlanWorkflow = {
      ...parts, standsFor, authority: null, limits: {}, onFailure: { kind: 'stop' }, returnsDependsOn: parts.nodes.map((_, index) => index),
    }
    this.made.set(key, { of, workflow })
    return key
  }

  table(): Record<string, PlanWorkflow> {
    return Object.fromEntries([...this.made].map(([key, { workflow }]) => [key, workflow]))
  }

  /** H1. */
  withAuthority(workflows: Plan['workflows'], agents: Readonly<Record<string, PlanAgent>>): Plan['workflows'] {
    const own = [...this.made].map(([key, { of }]) => [key, { ...workflows[key]!, authority: agents[of]!.authority }] as const)
    return { ...workflows, ...Object.fromEntries(own) }
  }
}
