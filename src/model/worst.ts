// Worst: the most that a run can spend, as it is known before the run. What `tek plan` shows.
// Owns: the shape. Does not own: how it is found (compiler/3-check/worst-case), its drawing (cli).
//   W1. Upper bounds of one run that is not interrupted: what a killed process had begun is done again when the run goes on.
//   W2. No guess: what nothing bounds says so, and names the place that would have to.

export interface PlanWorst {
  /** The price list that costs were counted with; absent when none of its prices was used. */
  readonly prices?: { readonly of: string; readonly date: string }
  /** Of each workflow a run can begin with, each agent (one execution of it) and each loop, by key. */
  readonly workflows: Readonly<Record<string, WorstCase>>
  readonly agents: Readonly<Record<string, WorstCase>>
  readonly loops: Readonly<Record<string, WorstCase>>
}

export interface WorstCase {
  /** Tasks that are begun: each item of a `for`, and each task of a sub-workflow, in place of the `for` and of the call. */
  readonly tasks: WorstAmount
  /** Executions of their bodies: further attempts and runs of a `verify` included. */
  readonly attempts: WorstAmount
  /** Calls of tools that act on the world. */
  readonly calls: WorstAmount
  /** Of those, the calls that start programs. */
  readonly programs: WorstAmount
  /** Answers asked of models. */
  readonly modelCalls: WorstAmount
  readonly tokens: WorstAmount
  readonly costMicros: WorstAmount
  /** Milliseconds of waiting: for tools, models, further attempts. Calculating is not counted. */
  readonly timeMs: WorstAmount
}

export type WorstAmount =
  | {
      readonly kind: 'at-most'
      readonly amount: number
      /** How it comes about: `200 items of \`files\` × 3 attempts`. '' where there is nothing to say. */
      readonly how: string
      /** The limit that makes it no more, and what it would be without. */
      readonly limit?: { readonly name: string; readonly of: string; readonly without: string }
    }
  /** `because` is a sentence; the place is what would have to be bounded. */
  | { readonly kind: 'not-bounded'; readonly because: string; readonly path: string; readonly line: number; readonly column: number }
