// Budget: how many tokens, and how much money, the conversations beneath a workflow may spend.
// Owns: what is spent and what is set aside, up the workflows. Does not own: what a question may cost (questions.ts), calls and tasks (dispatch.ts).
//   U1. What may be spent is set aside before a model is asked, in every budget around; what is spent and set aside together is never more than the limit.
//   U2. A question of which nothing was heard any more counts as if it had cost all that was set aside: its answer may have been paid for.
//   U3. An answer counts as what it cost. Where that is more than was set aside (Z1 of talk/size.ts does not hold), it is counted all the same.

/** Tokens, or micro-dollars. */
export interface Budget {
  readonly limit: number
  /** Of the workflow it holds for; null: of one conversation. */
  readonly workflow: string | null
  used: number
  /** Set aside for questions that are open. */
  reserved: number
  readonly parent: Budget | null
}

/** What a question may cost at most, or what it did cost. */
export interface Spending {
  readonly tokens: number
  readonly costMicros: number
}

/** The two budgets that hold for something. */
export interface Budgets {
  readonly tokens: Budget | null
  readonly cost: Budget | null
}

export function budgetOf(limit: number | undefined, workflow: string | null, parent: Budget | null): Budget | null {
  return limit === undefined ? parent : { limit, workflow, used: 0, reserved: 0, parent }
}

/** U1. */
export function setAside({ tokens, cost }: Budgets, spending: Spending): void {
  for (let at = tokens; at !== null; at = at.parent) at.reserved += spending.tokens
  for (let at = cost; at !== null; at = at.parent) at.reserved += spending.costMicros
}

/** What was set aside is free again; what was spent counts. */
export function settleBudgets({ tokens, cost }: Budgets, aside: Spending, spent: Spending): void {
  settle(tokens, aside.tokens, spent.tokens)
  settle(cost, aside.costMicros, spent.costMicros)
}

function settle(budget: Budget | null, aside: number, spent: number): void {
  for (let at = budget; at !== null; at = at.parent) {
    at.reserved -= aside
    at.used += spent
  }
}
