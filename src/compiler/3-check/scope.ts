// Scope: names in sight at one point of an expression, what is known about them there, and whether calls may stand there.
// Owns: lookup, narrowing by branch, the place of calls. Does not own: names of the file (2-resolve).
//   S1. A narrowing belongs to a reference as written (`x`, `x.kind`) and holds in the scope it was made for and those inside.
import type { ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import type { Expr, Span } from '../1-syntax/ast.ts'
import type { CallTarget, Ref } from './facts.ts'

export interface Local {
  readonly ref: Ref
  readonly type: Type
  /** Where it was made; null for names that stages give. */
  readonly span: Span | null
  /** `the parameter`, `the task`, for messages. */
  readonly what: string
  readonly callable?: LocalCallable
}

/** A function that only a test or a stage of a loop knows. */
export interface LocalCallable {
  readonly target: CallTarget
  readonly params: readonly ParamSignature[]
  readonly result: Type
  /** Told the types of the arguments of each call. */
  given?(args: ReadonlyMap<string, Type>): void
}

/** Whether calls that act on the world may stand here. */
export interface CallPlace {
  readonly allowed: 'none' | 'read' | 'write'
  /** Where this is, for messages: `a default value`, `` `sense` ``. */
  readonly place: string
  readonly inLambda: boolean
  /** The one expression that may be a call of a workflow. */
  readonly workflowCall: Expr | null
  readonly inTest?: true
}

export class Scope {
  readonly parent: Scope | null
  readonly calls: CallPlace
  private readonly locals = new Map<string, Local>()
  private readonly narrowed: ReadonlyMap<string, Type> | null

  constructor(parent: Scope | null, calls: CallPlace, narrowed: ReadonlyMap<string, Type> | null = null) {
    this.parent = parent
    this.calls = calls
    this.narrowed = narrowed
  }

  add(name: string, local: Local): void {
    this.locals.set(name, local)
  }

  find(name: string): Local | null {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const local = scope.locals.get(name)
      if (local !== undefined) return local
    }
    return null
  }

  /** What branches have learnt about a reference, or null. */
  narrowing(reference: string): Type | null {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const type = scope.narrowed?.get(reference)
      if (type !== undefined) return type
    }
    return null
  }

  /** Names of all locals in sight, nearest first. */
  names(): string[] {
    const all: string[] = []
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) all.push(...scope.locals.keys())
    return all
  }

  /** Names of the functions among them. */
  functions(): string[] {
    return this.names().filter(name => this.find(name)?.callable !== undefined)
  }

  /** A scope inside this one that knows more. */
  with(narrowed: ReadonlyMap<string, Type>): Scope {
    return narrowed.size === 0 ? this : new Scope(this, this.calls, narrowed) // S1
  }

  inside(calls: Partial<CallPlace> = {}): Scope {
    return new Scope(this, { ...this.calls, ...calls })
  }
}

/** `x.kind` for a chain of names, through parentheses; null for anything else. */
export function referenceOf(expr: Expr): string | null {
  if (expr.kind === 'name-expr') return expr.name
  if (expr.kind === 'group') return referenceOf(expr.inner)
  if (expr.kind !== 'member') return null
  const object = referenceOf(expr.object)
  return object === null ? null : `${object}.${expr.name.text}`
}

export const pureCalls = (place: string): CallPlace => ({ allowed: 'none', place, inLambda: false, workflowCall: null })
export const worldCalls = (place: string, workflowCall: Expr | null): CallPlace => ({ allowed: 'write', place, inLambda: false, workflowCall })
