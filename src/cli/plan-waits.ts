// Plan waits: what begins a workflow by itself, whom it asks, and for what it waits.
// Owns: these facts, and their words on the screen of `tek plan`. Does not own: the screen (plan-text.ts), what a run waits for (telemetry/wait-words.ts).
import { timeText } from '#compiler/3-check/worst-case/amount-text.ts'
import { printPlanExpr, printTrigger } from '#compiler/4-lower/print-plan-expr.ts'
import type { Plan, PlanExpr } from '#model/plan.ts'
import { reachedFrom } from './plan-facts.ts'

/** A task that waits; `task` is `name`, or `workflow/name` beneath, or `agent name` of one that asks before it calls a tool. */
export type PlannedWait =
  | {
      readonly kind: 'approval'
      readonly task: string
      /** As the program writes it. */
      readonly question: string
      /** Whom it is passed on to in turn, and when it is over, in milliseconds since it was asked; empty and null: it waits for ever. */
      readonly passedOn: readonly { readonly to: string; readonly afterMs: number }[]
      readonly overAfterMs: number | null
    }
  | { readonly kind: 'time'; readonly task: string; readonly until: boolean; /** Null where only a run knows. */ readonly ms: number | null; readonly text: string }

/** The waits of a workflow and of those that it calls, in the order of the plan. */
export function waitsOf(plan: Plan, workflow: string): PlannedWait[] {
  const found: PlannedWait[] = []
  for (const key of reachedFrom(plan, workflow).workflows) {
    const { nodes = [], standsFor } = plan.workflows[key] ?? {}
    const names = nodes.map(node => node.name)
    for (const { name, approve, approval, wait } of nodes) {
      const task = standsFor?.kind === 'asked-call' ? `agent ${standsFor.agent}` : key === workflow ? name : `${key}/${name}`
      if (approve !== null) {
        let afterMs = approval?.withinMs ?? 0
        const passedOn = (approval?.escalate ?? []).map(({ to, withinMs }) => {
          const each = { to, afterMs }
          afterMs += withinMs
          return each
        })
        found.push({ kind: 'approval', task, question: printPlanExpr(approve, names), passedOn, overAfterMs: approval === undefined ? null : afterMs })
      }
      if (wait !== undefined) {
        const known = wait.kind === 'for' ? knownNumber(plan, wait.value) : null
        found.push({ kind: 'time', task, until: wait.kind === 'until', ms: known, text: known === null ? printPlanExpr(wait.value, names) : timeText(known) })
      }
    }
  }
  return found
}

/** The number that an expression is, in itself or by the name of a const. */
function knownNumber(plan: Plan, value: PlanExpr): number | null {
  const known = value.op === 'constant' ? plan.constants.find(each => each.name === value.name)?.value : value
  return known?.op === 'value' && typeof known.value === 'number' ? known.value : null
}

/** `deploy: "Deploy ${version}?", passed on to the owner after 2h, not approved after 3h`; `cool: 10m`. */
export function waitText(wait: PlannedWait): string {
  if (wait.kind === 'time') return `${wait.task}: ${wait.until ? 'until ' : ''}${wait.text}`
  const { task, question, passedOn, overAfterMs } = wait
  const deadlines = [...passedOn.map(({ to, afterMs }) => `passed on to ${to} after ${timeText(afterMs)}`), ...(overAfterMs === null ? [] : [`not approved after ${timeText(overAfterMs)}`])]
  return [`${task}: ${question}`, ...deadlines].join(', ')
}

/** What begins a workflow by itself, as a program writes it. */
export function triggersOf(plan: Plan, workflow: string): string[] {
  return (plan.workflows[workflow]?.triggers ?? []).map(printTrigger)
}
