// Messages: what goes between the loop and its worker threads.
//   M1. Plain data that structured clone carries. Everything of a lane goes over its one port: a port of its own for each call would cost
//       more than the call.
//   M2. Questions of a tool to its context carry the number of its call, and are answered only while that call is under way on that lane.
import type { Outcome } from '#model/event.ts'
import type { Plan, PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { MessagePort } from 'node:worker_threads'

/** A pure expression with the values it mentions. */
export interface ExpressionJob {
  readonly kind: 'expression'
  readonly expr: PlanExpr
  readonly locals: Readonly<Record<string, Value>>
  readonly params: Readonly<Record<string, Value>>
  /** By index of the node. */
  readonly nodes: Readonly<Record<string, Value>>
  readonly constants: Readonly<Record<string, Value>>
  readonly prompts: Plan['prompts']
  /** URLs of the modules whose pure functions it calls. */
  readonly modules: Readonly<Record<string, string>>
}

/** A call of a trusted tool; `context` is the number under which it reaches its context, null for a pure one. */
export interface CallJob {
  readonly kind: 'call'
  readonly url: string
  readonly call: ToolCall
  readonly context: number | null
  readonly cwd: string
  readonly idempotencyKey: string
  readonly begunBefore: boolean
}

export type Job = ExpressionJob | CallJob

/** What a thread is started with: it serves this port until it is told to end. */
export interface Lane {
  readonly port: MessagePort
}

export type LaneRequest =
  | { readonly kind: 'jobs'; readonly jobs: readonly Job[] }
  /** What the context of a call says. */
  | { readonly kind: 'context'; readonly context: number; readonly answer: ContextAnswer }
  | { readonly kind: 'end' }

export type LaneMessage = LaneAnswer | { readonly kind: 'context'; readonly context: number; readonly request: ContextRequest }

/** Outcomes of the next jobs of a request, in its order; one request may be answered in several. */
export interface LaneAnswer {
  readonly kind: 'outcomes'
  readonly outcomes: readonly Outcome[]
  /** Milliseconds all of them took. */
  readonly elapsedMs: number
}

/** From a thread to the context of its call. */
export type ContextRequest =
  | { readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly id: -1; readonly method: 'log' | 'progress'; readonly args: readonly unknown[] }

export type ContextAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly problem: { readonly code: string; readonly message: string; readonly retryable: boolean; readonly help: string | undefined } }
  /** The attempt was given up. */
  | { readonly id: -1; readonly abort: true }
