// Tool runner: how the interpreter reaches plugins without knowing them. Not part of the published entry.
// Owns: the interface. Does not own: loading (plugins/), guarding (interpreter/guard).
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from './context.ts'

export interface ToolCall {
  readonly module: string
  readonly fn: string
  readonly args: Readonly<Record<string, Value>>
}

/** A pure function of a trusted module, called synchronously from expressions. Throws ToolFailure, nothing else. */
export type PureFunction = (args: Readonly<Record<string, Value>>) => Value

export interface ToolRunner {
  /** Null when the module is not trusted in this process or is not loaded: then it is called through `call`. */
  pure(module: string, fn: string): PureFunction | null
  /** Runs one call to its end. Never rejects. The outcome's failure has `task: ''`; the caller fills it in. */
  call(call: ToolCall, context: ToolContext): Promise<Outcome>
  /** URL of the trusted module's code for worker threads, or null when it may not run there. */
  threadModule(module: string): string | null
  close(): Promise<void>
}
