// Frame: what one evaluation carries: values of names, fuel, and how it fails.
// Owns: the limits of an expression, fuel, the two things that may be thrown inside the evaluator. Does not own: what an operation costs (each charges itself).
//   F1. Inside the evaluator two things are thrown, both caught by `Evaluation`: a `Failing` (a coded failure of the program) and `EXHAUSTED` (out of fuel).
//   F2. Fuel is counted in steps that depend on the expression and its values alone, so a run and its replay stop at the same place.
//   F3. Every text and list that is made passes `text` or `list` sizes here: no expression can fill the memory.
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'

/** Steps of one pure part of an expression, wherever it is evaluated. One to five seconds. */
export const MAX_EXPRESSION_STEPS = 50_000_000
/** Steps after which a pure part is worth a thread. About a millisecond. */
export const INLINE_STEPS = 20_000
/** UTF-16 units in one text. */
export const MAX_TEXT_UNITS = 16 * 1024 * 1024
/** Items in one list. */
export const MAX_LIST_ITEMS = 5_000_000
/** Levels of a value that is compared, printed or weighed. */
export const MAX_VALUE_DEPTH = 128
/** Parts of a value that leaves the evaluator: a result, an argument of a tool. */
export const MAX_VALUE_NODES = 10_000_000
/** Tool calls in one expression. */
export const MAX_CALLS = 100_000
/** Prompt templates that use prompt templates. */
export const MAX_PROMPT_DEPTH = 16

/** Where the names of an expression get their values. A missing local is undefined. */
export interface Scope {
  param(name: string): Value
  node(index: number): Value
  constant(name: string): Value
  local(name: string): Value | undefined
}

/** The synchronous function of a trusted module, or null when it must be called like a tool. */
export type PureFunctions = (module: string, fn: string) => ((args: Readonly<Record<string, Value>>) => Value) | null

export type Prompts = Plan['prompts']

/** How far pure parts are run. */
export interface Fuel {
  /** Steps before a part is asked for elsewhere; null when it never is. */
  readonly inlineSteps: number | null
  /** Steps after which it fails. */
  readonly maxSteps: number
}

/** A failure before a task's path is put to it. */
export interface StepFailure {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly help?: string
  readonly details?: string
}

/** Thrown to end an evaluation with a coded failure. Not an `Error`: it is an outcome, and a stack would cost microseconds. */
export class Failing {
  readonly failure: StepFailure
  constructor(failure: StepFailure) {
    this.failure = failure
  }
}

export function failing(code: string, message: string, help?: string): Failing {
  return new Failing(help === undefined ? { code, message, retryable: false } : { code, message, retryable: false, help })
}

/** Thrown when the fuel is used up. */
export const EXHAUSTED = Symbol('out of fuel')

export class Frame {
  readonly scope: Scope
  readonly pure: PureFunctions
  readonly prompts: Prompts
  /** Values of lambda parameters, comprehension items and intermediate results, by the slot the compiler gave each. */
  readonly slots: Value[] = []
  /** Steps left for the pure part under way. */
  fuel = 0
  readonly limits: Fuel
  /** Tool calls asked for so far. */
  calls = 0
  readonly promptDepth: number

  constructor(scope: Scope, pure: PureFunctions, prompts: Prompts, limits: Fuel, promptDepth = 0) {
    this.scope = scope
    this.pure = pure
    this.prompts = prompts
    this.limits = limits
    this.promptDepth = promptDepth
  }

  charge(steps: number): void {
    if ((this.fuel -= steps) < 0) throw EXHAUSTED
  }

  /** Checks and charges for a text of this many UTF-16 units. // F3 */
  text(units: number): void {
    if (units > MAX_TEXT_UNITS) {
      throw failing('run/value-too-large', `A text would be longer than ${MAX_TEXT_UNITS} characters.`, 'Work on it in parts, or write it to a file.')
    }
    this.charge(1 + (units >> 3))
  }

  /** Checks and charges for a list of this many items. // F3 */
  list(items: number): void {
    if (items > MAX_LIST_ITEMS) {
      throw failing('run/value-too-large', `A list would have more than ${MAX_LIST_ITEMS} items.`, 'Take fewer items, for example with `take(list, n)`.')
    }
    this.charge(1 + (items >> 4))
  }
}
