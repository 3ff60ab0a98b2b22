// Ast: the tree of a tek file as written.
// Owns: the shape of every construct of grammar/tek.ebnf. Does not own: names, types, authority (side maps of later phases).
//   A1. Nodes are frozen values. Later phases key their maps by the node object itself.
//   A2. Spans are offsets relative to the start of the declaration they lie in (`Item.offset`), so that a declaration whose
//       text did not change keeps the very same nodes when text above it is edited.
//   A3. Half-built nodes are kept: a missing part is an `ErrorExpr`/`ErrorType` or an empty list, never `undefined` where
//       the type says otherwise. A declaration with a syntax error has `broken: true`; rules stay silent about what is missing.

export interface Span {
  readonly start: number
  readonly end: number
}

export interface Name extends Span {
  readonly kind: 'name'
  readonly text: string
}

/** `a.b.c`, at least one part. */
export interface Path extends Span {
  readonly kind: 'path'
  readonly parts: readonly Name[]
}

// ── Module ────────────────────────────────────────────────────────────────────────────────────

export interface Module {
  readonly kind: 'module'
  readonly path: string
  readonly items: readonly Item[]
}

/** A declaration and where it begins in the file. */
export interface Item {
  readonly offset: number
  readonly declaration: Declaration
}

export type Declaration =
  | EditionDecl | UseDecl | CanClause | LimitsClause | AcceptDecl | TypeDecl | ConstDecl | SecretDecl | CapabilityDecl
  | ModelDecl | PromptDecl | WorkflowDecl | AgentDecl | LoopDecl | TestDecl

interface DeclarationBase extends Span {
  /** Text of the `///` lines before it, joined by `\n`, without the slashes; '' when there are none. */
  readonly doc: string
  /** True when the text has a syntax error somewhere in this declaration. */
  readonly broken: boolean
}

export interface EditionDecl extends DeclarationBase { readonly kind: 'edition'; readonly year: number }

export interface UseDecl extends DeclarationBase {
  readonly kind: 'use'
  readonly what:
    | { readonly kind: 'module'; readonly path: Path; readonly alias: Name | null }
    | { readonly kind: 'file'; readonly file: StringLiteral; readonly names: readonly Name[] }
    | { readonly kind: 'plugin'; readonly source: StringLiteral; readonly alias: Name }
    | { readonly kind: 'mcp'; readonly server: StringLiteral; readonly alias: Name }
}

export interface AcceptDecl extends DeclarationBase { readonly kind: 'accept'; readonly reason: StringExpr }
export interface TypeDecl extends DeclarationBase { readonly kind: 'type'; readonly name: Name; readonly type: TypeNode }
export interface ConstDecl extends DeclarationBase { readonly kind: 'const'; readonly name: Name; readonly type: TypeNode | null; readonly value: Expr }
export interface SecretDecl extends DeclarationBase { readonly kind: 'secret'; readonly name: Name; readonly value: Expr }
export interface CapabilityDecl extends DeclarationBase { readonly kind: 'capability'; readonly name: Name; readonly grants: readonly GrantNode[] }
export interface ModelDecl extends DeclarationBase { readonly kind: 'model'; readonly name: Name; readonly value: Expr }
export interface PromptDecl extends DeclarationBase { readonly kind: 'prompt'; readonly name: Name; readonly params: readonly Param[]; readonly text: StringExpr }

export interface WorkflowDecl extends DeclarationBase {
  readonly kind: 'workflow'
  readonly name: Name
  readonly params: readonly Param[]
  readonly result: TypeNode | null
  /** In the order written. */
  readonly body: readonly WorkflowMember[]
  readonly returns: Expr | null
}

export type WorkflowMember = CanClause | LimitsClause | OnFailureClause | TriggerClause | TaskDecl | LetDecl

export interface Param extends Span {
  readonly kind: 'param'
  readonly doc: string
  readonly name: Name
  readonly type: TypeNode
  readonly default: Expr | null
}

export interface TaskDecl extends Span {
  readonly kind: 'task'
  readonly doc: string
  readonly name: Name
  readonly forEach: { readonly item: Name; readonly list: Expr } | null
  readonly by: Path | null
  readonly result: TypeNode | null
  readonly after: readonly Name[]
  readonly when: Expr | null
  readonly clauses: readonly Clause[]
  readonly value: Value
}

export interface LetDecl extends Span { readonly kind: 'let'; readonly doc: string; readonly name: Name; readonly type: TypeNode | null; readonly value: Expr }

/** The right-hand side of a task or stage. */
export type Value = Expr | PromptValue
export interface PromptValue extends Span { readonly kind: 'prompt-value'; readonly text: StringExpr }

// ── Clauses ───────────────────────────────────────────────────────────────────────────────────

export interface CanClause extends Span { readonly kind: 'can'; readonly doc: string; readonly broken: boolean; readonly grants: readonly GrantNode[] }
/** `name` refers to a capability, `fs.read(…)` to a grant of a module. */
export interface GrantNode extends Span { readonly kind: 'grant'; readonly path: Path; readonly args: readonly Arg[] | null }
export interface LimitsClause extends Span { readonly kind: 'limits'; readonly doc: string; readonly broken: boolean; readonly values: RecordExpr }

export interface OnFailureClause extends Span {
  readonly kind: 'on-failure'
  readonly action: { readonly kind: 'stop' } | { readonly kind: 'continue' } | { readonly kind: 'use'; readonly value: Expr }
}

export interface TriggerClause extends Span {
  readonly kind: 'trigger'
  readonly on:
    | { readonly kind: 'every'; readonly value: Expr; readonly skips: boolean }
    | { readonly kind: 'cron'; readonly text: StringLiteral; readonly zone: StringLiteral | null; readonly skips: boolean }
    | { readonly kind: 'file'; readonly value: Expr }
    | { readonly kind: 'webhook'; readonly text: StringLiteral; readonly secret: Name | null }
}

export type Clause =
  | (Span & { readonly kind: 'retry'; readonly count: number; readonly backoff: { readonly from: LiteralExpr; readonly to: LiteralExpr | null } | null })
  | (Span & { readonly kind: 'timeout'; readonly value: LiteralExpr })
  | (Span & { readonly kind: 'cache'; readonly age: LiteralExpr | null; readonly by: Expr | null })
  | (Span & { readonly kind: 'verify'; readonly runs: number; readonly agree: number | null; readonly upTo: number | null; readonly key: Expr | null; readonly judge: Path | null })
  | (Span & { readonly kind: 'evidence'; readonly passes: Name })
  | (Span & { readonly kind: 'priority'; readonly level: Name })
  | (Span & { readonly kind: 'needs'; readonly values: RecordExpr })
  | (Span & { readonly kind: 'parallel'; readonly width: Expr })
  | OnFailureClause
  | ApproveClause
  | (Span & { readonly kind: 'wait'; readonly until: boolean; readonly value: Expr })
  | (Span & { readonly kind: 'label'; readonly text: StringExpr })
  | EnsureClause

/** What must hold of the value; `says` is null where the condition speaks for itself. */
export interface EnsureClause extends Span { readonly kind: 'ensure'; readonly condition: Expr; readonly says: StringExpr | null }

/** `within` is null where the question waits for ever; then nobody is passed on to. */
export interface ApproveClause extends Span {
  readonly kind: 'approve'
  readonly question: StringExpr
  readonly within: LiteralExpr | null
  readonly escalate: readonly (Span & { readonly to: StringLiteral; readonly within: LiteralExpr })[]
}

// ── Agents, loops, tests ──────────────────────────────────────────────────────────────────────

export interface AgentDecl extends DeclarationBase {
  readonly kind: 'agent'
  readonly name: Name
  readonly leads: readonly Path[]
  readonly body: readonly AgentMember[]
}
export type AgentMember =
  | (Span & { readonly kind: 'agent-model'; readonly value: Expr })
  | (Span & { readonly kind: 'agent-role'; readonly value: Expr })
  | (Span & { readonly kind: 'agent-tools'; readonly tools: readonly Path[] })
  /** Tools before each call of which a person is asked. */
  | (Span & { readonly kind: 'agent-approve'; readonly tools: readonly Path[] })
  | (Span & { readonly kind: 'after-untrusted'; readonly action: 'refuse' | 'ask' })
  | AgentMemory
  | CanClause
  | LimitsClause

export interface AgentMemory extends Span {
  readonly kind: 'agent-memory'
  readonly scope: 'none' | 'run' | 'thread'
  readonly thread: Expr | null
  readonly keep: LiteralExpr | null
  readonly summarises: boolean
}

export type StageName = 'sense' | 'decide' | 'replicate' | 'differentiate' | 'quiesce' | 'run' | 'observe' | 'score' | 'vary'

export interface LoopDecl extends DeclarationBase {
  readonly kind: 'loop'
  readonly name: Name
  readonly evolves: Path | null
  readonly over: Expr | null
  readonly body: readonly LoopMember[]
}
export type LoopMember =
  | CanClause | LimitsClause | TriggerClause
  | (Span & { readonly kind: 'stop-when'; readonly condition: Expr })
  | (Span & { readonly kind: 'stage'; readonly doc: string; readonly stage: StageName; readonly name: Name; readonly by: Path | null; readonly result: TypeNode | null; readonly clauses: readonly Clause[]; readonly value: Value })
  | (Span & { readonly kind: 'gate'; readonly name: StringExpr; readonly condition: Expr })
  | (Span & { readonly kind: 'outcome'; readonly outcome: 'promote' | 'rollback'; readonly when: Expr; readonly actions: readonly CallExpr[] })

export interface TestDecl extends DeclarationBase {
  readonly kind: 'test'
  readonly name: StringExpr
  readonly body: readonly TestMember[]
}
export type TestMember =
  | GivenMember
  | LetDecl
  | (Span & { readonly kind: 'expect'; readonly condition: Expr })

/** What stands in the place of a model or of a tool. */
export type GivenMember =
  | (Span & { readonly kind: 'given'; readonly agent: Path; readonly replies: Expr })
  | (Span & { readonly kind: 'given-cassette'; readonly agent: Path; readonly cassette: StringLiteral })
  | (Span & { readonly kind: 'given-tool'; readonly tool: Path; readonly does: 'returns' | 'fails'; readonly value: Expr })

// ── Types ─────────────────────────────────────────────────────────────────────────────────────

export type TypeNode =
  | (Span & { readonly kind: 'type-name'; readonly path: Path; readonly of: TypeNode | null; readonly refinements: readonly Refinement[] })
  | (Span & { readonly kind: 'type-record'; readonly fields: readonly TypeField[] })
  | (Span & { readonly kind: 'type-literal'; readonly value: string | number | boolean | null; readonly unit: Unit | null })
  | (Span & { readonly kind: 'type-list'; readonly item: TypeNode })
  | (Span & { readonly kind: 'type-optional'; readonly inner: TypeNode })
  | (Span & { readonly kind: 'type-union'; readonly members: readonly TypeNode[] })
  | (Span & { readonly kind: 'type-qualified'; readonly qualifier: 'untrusted' | 'secret'; readonly inner: TypeNode })
  | (Span & { readonly kind: 'type-error' })

export interface TypeField extends Span { readonly kind: 'type-field'; readonly doc: string; readonly name: Name; readonly optional: boolean; readonly type: TypeNode }

/** `matches: r"…"`, `max: 80`, or `0..100` (then `name` is null and `to` may be set). */
export interface Refinement extends Span {
  readonly kind: 'refinement'
  readonly name: Name | null
  readonly value: Expr
  readonly to: Expr | null
}

// ── Expressions ───────────────────────────────────────────────────────────────────────────────

export type Unit = 'duration' | 'size' | 'tokens' | 'percent' | 'money'

export type Expr =
  | LiteralExpr | StringExpr | NameExpr | ListExpr | ComprehensionExpr | RecordExpr | MemberExpr | IndexExpr | CallExpr | LambdaExpr
  | UnaryExpr | BinaryExpr | PipeExpr | IfExpr | MatchExpr | GroupExpr | ErrorExpr

export interface LiteralExpr extends Span {
  readonly kind: 'literal'
  /** The value in base units: durations in ms, sizes in bytes, tokens as a count, percent as a fraction, money in micro-dollars. */
  readonly value: number | boolean | null
  /** `int` and `float` for numbers without a unit; null for true, false, null. */
  readonly type: 'int' | 'float' | Unit | null
  /** As written, for the formatter: `1_000`, `200k`, `$0.50`. A literal of a refinement, pattern or range includes its sign. */
  readonly text: string
}
/** A string with no interpolation. */
export interface StringLiteral extends Span { readonly kind: 'string-literal'; readonly value: string; readonly style: StringStyle; readonly text: string }
export interface TemplateExpr extends Span {
  readonly kind: 'template'
  readonly style: StringStyle
  /** Text pieces (unescaped, dedented) and expressions, in order; texts are never adjacent. */
  readonly parts: readonly (TemplateText | Expr)[]
}
export interface TemplateText extends Span { readonly kind: 'template-text'; readonly value: string; readonly text: string }
export type StringExpr = StringLiteral | TemplateExpr
export type StringStyle = 'plain' | 'block' | 'raw'

export interface NameExpr extends Span { readonly kind: 'name-expr'; readonly name: string }
export interface ListExpr extends Span { readonly kind: 'list'; readonly items: readonly Expr[] }
export interface ComprehensionExpr extends Span { readonly kind: 'comprehension'; readonly value: Expr; readonly item: Name; readonly list: Expr; readonly condition: Expr | null }
export interface RecordExpr extends Span { readonly kind: 'record'; readonly entries: readonly RecordEntry[] }
export type RecordEntry =
  | (Span & { readonly kind: 'entry'; readonly key: Name; readonly quoted: boolean; readonly value: Expr })
  | (Span & { readonly kind: 'spread'; readonly value: Expr })
export interface MemberExpr extends Span { readonly kind: 'member'; readonly object: Expr; readonly name: Name; readonly optional: boolean }
export interface IndexExpr extends Span { readonly kind: 'index'; readonly object: Expr; readonly index: Expr }
export interface CallExpr extends Span { readonly kind: 'call'; readonly callee: Expr; readonly args: readonly Arg[] }
export interface Arg extends Span { readonly kind: 'arg'; readonly name: Name | null; readonly value: Expr }
export interface LambdaExpr extends Span { readonly kind: 'lambda'; readonly param: Name; readonly body: Expr }
export interface UnaryExpr extends Span { readonly kind: 'unary'; readonly op: '-' | 'not'; readonly value: Expr }
export type BinaryOp = '+' | '-' | '*' | '/' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in' | 'and' | 'or' | '??'
export interface BinaryExpr extends Span { readonly kind: 'binary'; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
/** `left |> path(args)`: `left` becomes the first argument. `args` is null for a bare name on the right. */
export interface PipeExpr extends Span { readonly kind: 'pipe'; readonly left: Expr; readonly target: Path; readonly args: readonly Arg[] | null }
export interface IfExpr extends Span { readonly kind: 'if'; readonly condition: Expr; readonly then: Expr; readonly else: Expr }
export interface MatchExpr extends Span { readonly kind: 'match'; readonly subject: Expr; readonly arms: readonly MatchArm[] }
export interface MatchArm extends Span { readonly kind: 'arm'; readonly patterns: readonly Pattern[]; readonly value: Expr }
export type Pattern =
  | (Span & { readonly kind: 'pattern-value'; readonly value: string | number | boolean | null; readonly unit: Unit | null })
  | (Span & { readonly kind: 'pattern-any' })
/** Parentheses are kept, for the formatter; they mean nothing. */
export interface GroupExpr extends Span { readonly kind: 'group'; readonly inner: Expr }
/** Stands where an expression was expected and could not be read. Type checks as `any`, reports nothing. */
export interface ErrorExpr extends Span { readonly kind: 'error-expr' }

/** Any node a map may be keyed by. */
export type AstNode =
  | Declaration | WorkflowMember | Clause | AgentMember | LoopMember | TestMember | Param | TypeNode | TypeField | Refinement
  | Expr | Value | GrantNode | Arg | RecordEntry | MatchArm | Pattern | Name | Path | TemplateText
