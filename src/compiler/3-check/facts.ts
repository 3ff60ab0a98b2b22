// Facts: what checking learns about a unit, in side maps; what lowering and the editor read.
// Owns: the shapes. Does not own: how they are found.
//   F1. Facts are kept by unit: two units may share nodes (equal text), and mean different things by them.
import type { Grant } from '#model/capability.ts'
import type { PlanTrigger } from '#model/plan.ts'
import type { FunctionSignature, ParamSignature } from '#model/signature.ts'
import type { Type, Value } from '#model/type.ts'
import type { AstNode, CallExpr, Expr, GrantNode, LetDecl, Path, PipeExpr, Span, TaskDecl } from '../1-syntax/ast.ts'
import type { ModuleSym, Sym, Unit } from '../2-resolve/program.ts'

/** What a name in an expression refers to. */
export type Ref =
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'node'; readonly name: string; readonly index: number }
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'const'; readonly symbol: Sym }
  | { readonly kind: 'symbol'; readonly symbol: Sym }
  | { readonly kind: 'module-constant'; readonly module: ModuleSym; readonly name: string; readonly value: Value }

export type CallTarget =
  | { readonly kind: 'prelude'; readonly name: string }
  | { readonly kind: 'function'; readonly module: ModuleSym; readonly signature: FunctionSignature }
  | { readonly kind: 'workflow'; readonly symbol: Sym<'workflow'> }
  | { readonly kind: 'prompt'; readonly symbol: Sym<'prompt'> }
  | { readonly kind: 'denied' }
  /** A branch of `decide`, an action or a look back: only in loops. */
  | { readonly kind: 'loop'; readonly name: string }

export interface CallFact {
  readonly target: CallTarget
  /** In order of parameters; absent optional ones are left out. */
  readonly args: readonly { readonly param: ParamSignature; readonly values: readonly Expr[] }[]
  /** Of a workflow called with untrusted values: what was learnt about it with these. */
  variant: UnitFacts | null
}

/** Who gives the parameters of a workflow that is looked at again with untrusted ones. */
export type Caller =
  | { readonly kind: 'call'; readonly facts: UnitFacts; readonly fact: CallFact }
  /** As a tool: a model writes them. */
  | { readonly kind: 'agent'; readonly unit: Unit; readonly at: Span; readonly message: string; readonly source: OutsideSource }

/** A place where text from outside comes in. */
export interface OutsideSource {
  readonly unit: Unit
  readonly at: Span
  readonly message: string
  /** `text from the web`. */
  readonly words: string
}

/** A value that a person vouches for. */
export interface Vouched {
  readonly at: Span
  readonly reason: string
  /** Of an agent: the tool that is called with it, as models know it. */
  readonly tool?: string
}

export interface GrantFact {
  /** Full name: `fs.read`; with a named capability, each grant in it. */
  readonly name: string
  readonly node: GrantNode
  /** Where the node stands: a named capability's grants come from another unit. */
  readonly unit: Unit
  readonly implies: readonly { readonly name: string; readonly args: readonly string[] }[]
}

/** A grant as asked for, its arguments as texts in which parameters are unknown (grants/part-text.ts). */
export interface AskedGrant {
  readonly fact: GrantFact
  readonly grant: Grant
}

/** A call whose arguments only a run can tell to be granted. */
export interface Undecided {
  readonly at: Span
  readonly callee: string
  /** What it needs, in the words of the program: `fs.read(path.join(root, file))`. */
  readonly grant: string
}

/** Names of grants that may be asked for when it runs; null when any may be. */
export type GrantUses = ReadonlySet<string> | null

export type Effect = 'pure' | 'read' | 'write'

export interface NodeFacts {
  readonly declaration: TaskDecl | LetDecl
  readonly name: string
  /** Index in the order written. */
  readonly written: number
  /** Indexes (as written) it uses or waits for. */
  readonly dependsOn: readonly number[]
  /** Type of one value, before `for`, `when` and `on failure`. */
  type: Type
  /** True when the annotation asks for more than is known of the value. */
  mustCheck: boolean
  /** Type that others see. */
  seen: Type
  effect: Effect
  callsModel: boolean
  /** True when it may fail on purpose, so that it is never idle. */
  fails: boolean
  /** Its calls in `callLog`: from this one up to that. */
  calls: { readonly from: number; readonly to: number }
}

export interface WorkflowFacts {
  readonly nodes: readonly NodeFacts[]
  /** Indexes of `nodes` such that every one comes after those it depends on; nodes in a circle are left out. */
  readonly order: readonly number[]
  readonly returnsDependsOn: readonly number[]
  result: Type
  /** What begins it by itself, as far as it is without mistakes. */
  triggers: readonly PlanTrigger[]
  readonly grants: readonly GrantFact[] | null
}

/** Of `model x = provider(…)`. */
export interface ModelFact {
  /** Null for a provider of tek. */
  readonly module: ModuleSym | null
  readonly provider: string
  readonly args: CallFact['args']
}

/** Of a tool of an agent that is a workflow: what its declaration alone does not tell. */
export interface WorkflowToolFact {
  readonly isUntrusted: boolean
  readonly effect: Effect
  readonly params: readonly ParamSignature[]
}

/** Of an agent: what its conversations may hold. */
export interface TeamFacts {
  /** Text from outside, from wherever in its team. */
  readonly holds: boolean
  /** What it gives whoever leads it comes from outside. */
  readonly gives: boolean
}

export interface UnitFacts {
  readonly unit: Unit
  readonly types: Map<AstNode, Type>
  readonly refs: Map<AstNode, Ref>
  readonly calls: Map<CallExpr | PipeExpr, CallFact>
  /** Every call in the order met, for rules. */
  readonly callLog: { readonly at: Span; readonly name: string; readonly expr: CallExpr | PipeExpr; readonly fact: CallFact }[]
  readonly agents: Map<AstNode, Sym<'agent'>>
  grants: readonly GrantFact[] | null
  workflow: WorkflowFacts | null
  /** Of a loop: when its cycles begin, as far as that is without mistakes. */
  loopTriggers: readonly PlanTrigger[]
  /** Of a model that is declared by a call. */
  model: ModelFact | null
  readonly workflowTools: Map<Path, WorkflowToolFact>
  /** Of an agent. */
  team: TeamFacts | null
  undecided: readonly Undecided[]
  readonly trusted: Vouched[]
  /** True when it names a secret. */
  usesSecrets: boolean
  /** Set when the unit is looked at once more, with untrusted parameters. */
  readonly caller: Caller | null
}

/** What holds for a whole file. */
export interface FileFacts {
  /** Names of the grants of its own `can` clauses; null when it has none. */
  readonly grants: ReadonlySet<string> | null
  readonly asked: readonly AskedGrant[]
  /** Names of its limits. */
  readonly limits: ReadonlySet<string>
}

/** What a value's declaration gives to those who use it. */
export interface Shape {
  readonly type: Type
  readonly params: readonly ParamSignature[]
  readonly effect: Effect
  readonly callsModel: boolean
  readonly fails: boolean
  /** Of a workflow: its `can`. */
  readonly asks: readonly AskedGrant[]
  readonly uses: GrantUses
}
