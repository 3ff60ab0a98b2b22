// Mutation: one small mistake in a program that is correct without it, and what is expected to notice it before anything runs.
// Owns: the shape of a case. Does not own: the cases (*-mistakes.ts), the check (mutations.test.ts).
//   M1. `find` stands exactly once in the program; the mistake is `find` replaced by `put`.
//   M2. What nothing notices yet is a case too, with the reason: the share that is caught is of all mistakes, not of those that are.

/** Files beside this one, or the project's own examples. */
export const programs = {
  build: 'tests/security/mutations/programs/build.tek',
  releases: 'tests/security/mutations/programs/releases.tek',
  research: 'tests/security/mutations/programs/research.tek',
  roman: 'tests/security/mutations/programs/roman.tek',
  triage: 'tests/security/mutations/programs/triage.tek',
  upgrades: 'tests/security/mutations/programs/upgrades.tek',
  agents: 'examples/agents.tek',
  cache: 'examples/cache.tek',
  failures: 'examples/when-things-fail.tek',
  health: 'examples/repo-health.tek',
  pipeline: 'examples/pipeline/pipeline.tek',
  plan90: 'examples/plan-90.tek',
  subWorkflows: 'examples/sub-workflows.tek',
  todos: 'examples/todos.tek',
  verify: 'examples/verify.tek',
} as const

export type Program = keyof typeof programs

/** Why nothing says anything about a mistake. */
export interface Missed {
  readonly missedBecause: string
}

export interface Mutation {
  readonly family: string
  readonly program: Program
  readonly find: string
  readonly put: string
  /** A code, or `family/*`; or why it is missed. */
  readonly expected: string | Missed
}

type Row = readonly [program: Program, find: string, put: string, expected: string | Missed]

/** The cases of a family. */
export function family(name: string, rows: readonly Row[]): Mutation[] {
  return rows.map(([program, find, put, expected]) => ({ family: name, program, find, put, expected }))
}

export function missed(because: string): Missed {
  return { missedBecause: because }
}
