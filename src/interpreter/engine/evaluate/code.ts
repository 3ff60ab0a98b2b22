// Code: an expression, compiled. Either a plain function (no tool call within) or a generator that stops at each tool call.
// Owns: the shape, how a part is settled inside a generator, the requests a generator makes. Does not own: compiling (plain.ts, effects.ts).
//   C1. A part without calls is one plain function: no allocation, no generator, whatever its size.
//   C2. Inside a generator a plain part is settled with fresh fuel; when that runs out the part is asked for as `heavy`, and evaluated from its
//       beginning elsewhere. It has no effects, so nothing happens twice.
import type { Outcome } from '#model/event.ts'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { EXHAUSTED, Failing, failing, type Frame, type Fuel } from './frame.ts'

/** A tool call with everything known. */
export interface CallRequest {
  readonly module: string
  readonly fn: string
  readonly effect: 'pure' | 'read' | 'write'
  readonly runs: 'thread' | 'host'
  readonly args: Readonly<Record<string, Value>>
  readonly needs: readonly { readonly name: string; readonly args: readonly string[] }[]
  /** Arguments in which stand-ins of secrets are replaced. */
  readonly secretArgs: readonly string[]
  /** The call is not made: its outcome is whether the guard refuses it. */
  readonly isTrial?: true
}

export type Request = { readonly kind: 'call'; readonly call: CallRequest } | { readonly kind: 'heavy'; readonly code: Code }

export type Run = (frame: Frame) => Value
export type Effect = (frame: Frame) => Generator<Request, Value, Outcome>

export interface Code {
  readonly expr: PlanExpr
  /** Nodes in the expression: steps it costs, but for loops and big values. */
  readonly weight: number
  /** Exactly one of the two is there. */
  readonly run: Run | null
  readonly effect: Effect | null
  /** Slots of the names bound around it. */
  readonly names: ReadonlyMap<string, number>
}

export function tooLong(steps: number): Failing {
  return failing('run/expression-too-long', `The expression took more than ${steps} steps.`, 'Split it over several tasks, or take fewer items.')
}

export function valueOf(outcome: Outcome): Value {
  if (outcome.kind === 'value') return outcome.value
  throw new Failing(outcome.failure)
}

/** Runs a plain part; EXHAUSTED when it should be evaluated elsewhere. */
export function runPlain(code: Code, frame: Frame, fuel: Fuel): Value | typeof EXHAUSTED {
  const elsewhere = fuel.inlineSteps !== null && fuel.inlineSteps < fuel.maxSteps
  frame.fuel = (elsewhere ? fuel.inlineSteps! : fuel.maxSteps) - code.weight
  try {
    return code.run!(frame)
  } catch (error) {
    if (error !== EXHAUSTED) throw error
    if (elsewhere) return EXHAUSTED
    throw tooLong(fuel.maxSteps)
  }
}

/** The value of a part inside a generator. // C2 */
export function* settle(code: Code, frame: Frame): Generator<Request, Value, Outcome> {
  if (code.effect !== null) return yield* code.effect(frame)
  const value = runPlain(code, frame, frame.limits)
  return value === EXHAUSTED ? valueOf(yield { kind: 'heavy', code }) : value
}
