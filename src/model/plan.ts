// Plan: a checked program, lowered to plain data. The meeting point of compiler and interpreter.
// Owns: the shape, its version. Does not own: how it is made (compiler/4-lower) or carried out (interpreter/engine).
//   P1. Plain JSON, versioned; `hash` covers everything but `hash`, `places`, `docs`, `undecided`, `trusted` and `worst`: formatting a file changes no hash.
//   P2. Names are resolved: a reference says what it refers to, by index or by key; nothing is looked up by scope at run time.
//   P3. Nodes of a workflow are in an order in which every node comes after the nodes it depends on.
//   P4. Every effectful call has been given its module, function and effect; the interpreter needs no signature.
//   P5. A file's `can` and `limits` hold for each workflow and agent of that file, whoever calls it.
//   P6. Docs of tools, of their parameters and in the types of agents' answers are told to models: they are part of the hash.
//   P7. An agent's `model m` is itself the request for `llm(m)` and for the models that `m` falls back on: agents, the workflows that ask them, leads and
//       files with a `can` ask for it, unless they name `llm` themselves.
import type { ServerFacts } from './signature.ts'
import type { Type } from './type.ts'
import type { PlanWorst } from './worst.ts'

/** Raised when an older tek would carry out a plan otherwise than it is meant. 2: levels of other files than the entry's; 3: waiting, deadlines of questions, triggers. */
export const planVersion = 3
/** Older formats that this tek carries out as they were meant. */
export const readableVersions: readonly number[] = [2, planVersion]

export interface Plan {
  /** One of `readableVersions`; what is made now has `planVersion`. */
  readonly version: number
  readonly hash: string
  readonly edition: number
  readonly modules: readonly PlanModule[]
  /** Evaluated once, in order, at the start of a run. */
  readonly constants: readonly { readonly name: string; readonly value: PlanExpr }[]
  /** Secrets of the program, by unique key, in order of their keys; absent when it has none. Only where they come from: no plan holds a value. */
  readonly secrets?: readonly PlanSecret[]
  /** Keyed by unique key: the name, or `file#name` for one from another file. */
  readonly workflows: Readonly<Record<string, PlanWorkflow>>
  /** Keys of the entry file's public workflows, in order of declaration. */
  readonly entries: readonly string[]
  /** Named prompt templates. */
  readonly prompts: Readonly<Record<string, { readonly params: readonly string[]; readonly text: PlanExpr }>>
  readonly tests: readonly PlanTest[]
  /** Level of the entry file; null = the union of what the declarations ask for. */
  readonly authority: readonly PlanGrant[] | null
  readonly limits: PlanLimits
  /** Levels of the other files that have one, in order of their paths; absent when none has. // P5 */
  readonly files?: readonly PlanFile[]
  /** Keys of the program's agents. */
  readonly agents: readonly string[]
  /** Each of them, by key; absent when there are none. // P6 */
  readonly agentBodies?: Readonly<Record<string, PlanAgent>>
  /** Every declared model, by key; absent when there are none. */
  readonly models?: Readonly<Record<string, PlanModel>>
  /** In plans of version 2, in place of `agentBodies`: what the agents that have a `can` ask for. */
  readonly agentAuthority?: Readonly<Record<string, readonly PlanGrant[]>>
  /** Reasons of `accept risk`, in order; absent when nothing is accepted. */
  readonly accepted?: readonly string[]
  readonly loops: readonly string[]
  /** Each of them, by key; absent when there are none. */
  readonly loopBodies?: Readonly<Record<string, PlanLoop>>
  /** Where things stand in the source, for messages. Key: `workflow` or `workflow/node` or `test:index`. Not hashed. */
  readonly places: Readonly<Record<string, { readonly path: string; readonly line: number; readonly column: number; readonly endLine: number; readonly endColumn: number }>>
  /** Doc comments, by the same keys. Not hashed. */
  readonly docs: Readonly<Record<string, string>>
  /** Calls that could not be proved to be granted: the guard decides when they are made. For people; not hashed, absent when there are none. */
  readonly undecided?: readonly PlanUndecided[]
  /** Values that a person vouches for, with `trust(…)` or by answering `approve`. For people; not hashed, absent when there are none. */
  readonly trusted?: readonly PlanTrusted[]
  /** The most that runs can spend. Derived from the rest: for people, not hashed. */
  readonly worst?: PlanWorst
}

/** What the clauses at the top of a file say. */
export interface PlanFile {
  readonly path: string
  /** Null when it has no `can`. */
  readonly authority: readonly PlanGrant[] | null
  readonly limits: PlanLimits
}

export interface PlanTrusted {
  /** Key of the workflow it is in. */
  readonly workflow: string
  readonly reason: string
  readonly path: string
  readonly line: number
  readonly column: number
}

export interface PlanUndecided {
  /** Key of the workflow it is in. */
  readonly workflow: string
  readonly callee: string
  /** What it needs, in the words of the program: `fs.read(path.join(root, file))`. */
  readonly grant: string
  readonly path: string
  readonly line: number
  readonly column: number
}

export interface PlanSecret {
  readonly name: string
  readonly source: SecretSource
}

export type SecretSource =
  /** A variable of the environment in which tek was started. */
  | { readonly kind: 'env'; readonly name: string }
  /** A file's text without the line end after it; `~/` is the home of whoever runs it. */
  | { readonly kind: 'file'; readonly path: string }
  /** What a program prints, without the line end after it. */
  | { readonly kind: 'command'; readonly program: string; readonly args: readonly string[] }

export interface PlanModule {
  readonly name: string
  /** `mcp`: a server of the Model Context Protocol. `loop`: what the stages of loops ask of tek itself (interpreter/loop/loop-tools.ts); only hidden workflows call it. */
  readonly origin: 'std' | 'plugin' | 'mcp' | 'loop'
  /** For `mcp`: the server's name; the lock file has the rest, and `hash` is that of its entry. For a plugin: the specifier as written, resolved relative to the file that names it (`/`-separated, relative to the entry file's folder). */
  readonly source: string
  readonly release: string
  readonly hash: string
  /** For a plugin: why it runs in a process of its own, as its author says; absent for one that runs in the engine. */
  readonly needsNode?: string
  /** For `mcp`: the server behind it. */
  readonly server?: ServerFacts
}

/** Why a workflow is in a plan that nobody wrote: to carry out one call of an agent, or a part of a loop. */
export type PlanStandsFor =
  /** An agent that is led: its only parameter is `task`. */
  | { readonly kind: 'agent'; readonly lead: string; readonly agent: string }
  /** Asks the lead, beside the conversation in which it delegated: its only parameter is `question`. */
  | { readonly kind: 'ask-lead'; readonly lead: string; readonly agent: string }
  /** Asks each of those it leads to choose: `question`, `options`. */
  | { readonly kind: 'vote'; readonly lead: string }
  /** Asks a person, then calls a tool; its parameters are the tool's. */
  | { readonly kind: 'asked-call'; readonly agent: string; readonly tool: string }
  /** One cycle of a loop: `cycle`, `champion`, `past`. */
  | { readonly kind: 'cycle'; readonly loop: string }
  /** What a cycle does with one candidate, from its gates to its score. */
  | { readonly kind: 'candidate'; readonly loop: string }
  /** What follows its promotion or its rollback. */
  | { readonly kind: 'actions'; readonly loop: string }

export interface PlanWorkflow {
  readonly name: string
  /** Absent: somebody wrote it. */
  readonly standsFor?: PlanStandsFor
  /** Index in `files` of the file it is from; absent in the entry file and where its file has no level. // P5 */
  readonly file?: number
  readonly params: readonly PlanParam[]
  readonly result: Type
  /** Null: declares no `can` (then nothing but pure work is allowed). */
  readonly authority: readonly PlanGrant[] | null
  readonly limits: PlanLimits
  /** Of a loop's candidate: index of the node whose value is its workspace, the folder in which all that comes after works; null there: the run's own. // engine/workspace.ts */
  readonly worksIn?: number
  readonly onFailure: PlanOnFailure
  /** Absent: it is only run by name or by other workflows. */
  readonly triggers?: readonly PlanTrigger[]
  readonly nodes: readonly PlanNode[]
  readonly returns: PlanExpr
  /** Indexes of the nodes `returns` mentions. */
  readonly returnsDependsOn: readonly number[]
}

/** A loop: its cycles are runs of a hidden workflow, one after another (loops/drive-loop.ts). */
export interface PlanLoop {
  readonly name: string
  /** Workspaces of candidates: a worktree of a git repository or a copy of a folder, by a path beneath the run's folder; null: candidates are values alone. */
  readonly over: { readonly kind: 'git' | 'copy'; readonly path: PlanExpr } | null
  readonly limits: PlanLimits
  /** `every` and `cron`: when a cycle begins; without any, as soon as the one before is over. */
  readonly triggers: readonly PlanTrigger[]
  /** Key of the workflow of one cycle. */
  readonly cycle: string
  /** It asks for earlier cycles, with `last`. */
  readonly looksBack?: true
  /** Key of the workflow that it rewrites; null: it rewrites none. */
  readonly evolves: string | null
}

export interface PlanParam {
  readonly name: string
  readonly type: Type
  readonly default: PlanExpr | null
}

export interface PlanNode {
  readonly name: string
  readonly kind: 'let' | 'task'
  /** Indexes of nodes whose values or completion it needs. */
  readonly dependsOn: readonly number[]
  /** The part of `dependsOn` given by `after` alone (no data flows; a failure there still blocks). */
  readonly forEach: { readonly item: string; readonly list: PlanExpr; readonly width: PlanExpr | null } | null
  readonly when: PlanExpr | null
  readonly body: PlanBody
  /** Type of one value (of an item, in a `for`), before `when` and `on failure` widen it. */
  readonly type: Type
  /** True when only a run can tell that a value fits `type` (it is `json`, or a refinement asks for more): validate it. */
  readonly mustCheck?: true
  readonly retry: { readonly count: number; readonly fromMs: number; readonly toMs: number } | null
  readonly timeoutMs: number | null
  readonly cache: { readonly ageMs: number | null; readonly by: PlanExpr | null } | null
  readonly verify: {
    readonly runs: number
    readonly agree: number | null
    readonly upTo: number | null
    readonly key: PlanExpr | null
    /** In a loop: disagreement is no failure; the task's value says of each run what it came to (engine/attempt.ts A5). */
    readonly tells?: true
  } | null
  /** Of a loop's hidden workflows: tek's own work, which counts against no limit of tasks or calls. */
  readonly uncounted?: true
  /** Higher first: low -1, normal 0, high 1. */
  readonly priority: number
  readonly needs: { readonly cpu: number; readonly memoryBytes: number } | null
  readonly onFailure: PlanOnFailure | null
  /** What must hold of the value, as local `answer`, in order; absent: nothing. An agent is told what does not, as of an answer of the wrong type. */
  readonly ensure?: readonly { readonly condition: PlanExpr; /** What is to hold, in the words of the program or of its condition. */ readonly says: PlanExpr; /** These hold text from outside. */ readonly isUntrusted?: true }[]
  /** The question a person answers before the body; its deadlines are in `approval`. */
  readonly approve: PlanExpr | null
  /** Absent: the question waits for ever. */
  readonly approval?: PlanApproval
  /** Time that passes before the body, once all it depends on is over; absent: none. */
  readonly wait?: PlanWait
  readonly label: PlanExpr | null
}

/** The longest time that a clause, a deadline or an interval may name. */
export const MAX_WAIT_MS = 365 * 86_400_000
/** Triggers of one workflow. */
export const MAX_TRIGGERS = 16
/** How often a question may be passed on. */
export const MAX_ESCALATIONS = 8

/** Deadlines of a question. When the last one passes unanswered, the task fails with `run/not-approved`. */
export interface PlanApproval {
  readonly withinMs: number
  /** Whom it is passed on to in turn, each with a deadline of its own. */
  readonly escalate: readonly { readonly to: string; readonly withinMs: number }[]
}

/** `for`: a duration; `until`: a point in time, in milliseconds since 1970 (one that has passed is no wait). */
export interface PlanWait {
  readonly kind: 'for' | 'until'
  readonly value: PlanExpr
}

/** What begins a run of a workflow while `tek serve` watches. */
export type PlanTrigger =
  /** From the first look on, at each multiple of the interval. */
  | { readonly kind: 'every'; readonly intervalMs: number; readonly missed: 'run' | 'skip' }
  /** Five fields (POSIX crontab) or six with seconds first, by the clock of an IANA zone. */
  | { readonly kind: 'cron'; readonly pattern: string; readonly zone: string; readonly missed: 'run' | 'skip' }
  /** Files that are made, changed or go; the parameter of type `path[]`, if there is one, takes their paths. */
  | { readonly kind: 'file'; readonly pattern: string; readonly param: string | null }
  /** `POST /<name>`; fields of its JSON body are parameters. `secret`: key of the secret that signs it. */
  | { readonly kind: 'webhook'; readonly name: string; readonly secret: string | null; /** Parameters that it may set. */ readonly params: readonly string[] }

export type PlanOnFailure = { readonly kind: 'stop' } | { readonly kind: 'continue' } | { readonly kind: 'use'; readonly value: PlanExpr }

export type PlanBody =
  | { readonly kind: 'expr'; readonly value: PlanExpr }
  /** A sub-workflow. */
  | { readonly kind: 'workflow'; readonly workflow: string; readonly args: Readonly<Record<string, PlanExpr>> }
  /** Asks an agent; the answer is of the node's type. `isUntrusted`: the prompt holds text from outside, by its type. */
  | {
      readonly kind: 'agent'
      readonly agent: string
      readonly prompt: PlanExpr
      readonly isUntrusted?: true
      /** It answers without tools. */
      readonly hasNoTools?: true
    }

/** Tools of one agent. */
export const MAX_AGENT_TOOLS = 200
/** Letters of a tool's name, as models' servers take it. */
export const MAX_TOOL_NAME_LENGTH = 64
/** Models of a chain of `fallback`s. */
export const MAX_MODEL_CHAIN = 16
/** Tokens of earlier conversations that an agent is reminded of where the program says nothing. */
export const STANDARD_MEMORY_TOKENS = 16_000
/** Tokens that `keep` may name. */
export const MAX_MEMORY_TOKENS = 1_000_000

/** Who is asked by a task: a model with a role and tools, within what it may do. */
export interface PlanAgent {
  readonly name: string
  readonly doc: string
  /** Key of its model; null: a worker without one. */
  readonly model: string | null
  /** System prompt: mentions constants and prompt templates only. */
  readonly role: PlanExpr | null
  /** Its own `can`, with the models it asks (P7). */
  readonly authority: readonly PlanGrant[]
  readonly tools: readonly PlanTool[]
  /** Keys of the agents it leads. */
  readonly leads: readonly string[]
  /** Per execution. */
  readonly limits: PlanLimits
  readonly memory:
    | { readonly kind: 'none' }
    | ({ readonly kind: 'run' } & PlanMemoryBounds)
    | ({ readonly kind: 'thread'; readonly name: PlanExpr } & PlanMemoryBounds)
  /** What happens to a call that acts on the world once the conversation holds text from outside: `ask` a person; absent: it is refused. */
  readonly afterUntrusted?: 'ask'
  /** As in a workflow. // P5 */
  readonly file?: number
}

/** How much of earlier conversations is kept. */
export interface PlanMemoryBounds {
  /** Tokens; absent: STANDARD_MEMORY_TOKENS. */
  readonly keepTokens?: number
  /** What is beyond them is put into a few words by the agent's model; absent: it is dropped, the oldest first. */
  readonly summarises?: true
}

interface PlanToolFacts {
  /** As a model calls it, unique within the agent: `fs_read`. */
  readonly name: string
  readonly doc: string
  /** A record of the parameters that a model may give, with their docs. */
  readonly input: Type
  /** What it gives comes from outside. */
  readonly isUntrusted: boolean
  /** It changes the world, or an argument says where it acts. */
  readonly isSink: boolean
}

export type PlanTool =
  | (PlanToolFacts & {
      readonly kind: 'function'
      readonly module: string
      readonly fn: string
      readonly effect: 'pure' | 'read' | 'write'
      readonly runs: 'thread' | 'host'
      readonly needs: readonly { readonly grant: string; readonly args: readonly PlanNeedArg[] }[]
      /** Arguments that a grant is made of, where the model gives none: the guard sees what the tool gets. */
      readonly standards?: Readonly<Record<string, PlanValue>>
      readonly result: Type
      /** Key of the workflow that asks a person and then makes the call; absent where nobody is ever asked. */
      readonly asked?: string
      /** A person is asked before every call; else only after text from outside, where the agent says so. */
      readonly alwaysAsks?: true
    })
  /** A workflow, or one that stands for an agent or a vote. */
  | (PlanToolFacts & { readonly kind: 'workflow'; readonly workflow: string; readonly asked?: string; readonly alwaysAsks?: true })
  /** Asks whoever delegated to this agent; by key of the lead, the workflow that does. */
  | (PlanToolFacts & { readonly kind: 'ask-lead'; readonly leads: Readonly<Record<string, string>> })
  /** Messages among the agents of a lead: see std.team. */
  | (PlanToolFacts & { readonly kind: 'message'; readonly does: 'send' | 'receive' | 'listen' })

/** A declared model. One that is declared by another's name alone is that other one. */
export interface PlanModel {
  /** `anthropic`, or `module.name` of one that a plugin brings. */
  readonly provider: string
  /** As the provider calls it. */
  readonly model: string
  /** Of the provider, without those that follow. They mention constants only. */
  readonly options: Readonly<Record<string, PlanExpr>>
  /** Key of the secret that is the account's key. */
  readonly key: string | null
  /** Key of the model that answers where this one cannot. */
  readonly fallback: string | null
  /** Micro-dollars per million tokens, as stated or listed; null: unknown. */
  readonly price: { readonly inputMicros: number; readonly outputMicros: number } | null
  /** Tokens of question and answer together. */
  readonly contextTokens: number | null
  /** Tokens of one answer, as the program bounds it. */
  readonly answerTokens: number | null
  readonly timeoutMs: number | null
}

/** A grant whose arguments may mention workflow parameters. */
export interface PlanGrant {
  readonly name: string
  readonly args: readonly PlanExpr[]
  /** Grants that come with it (see GrantSignature.implies). */
  readonly implies: readonly { readonly name: string; readonly args: readonly string[] }[]
}

export interface PlanLimits {
  readonly timeMs?: number
  readonly tokens?: number
  readonly costMicros?: number
  readonly tasks?: number
  /** Calls of tools. */
  readonly calls?: number
  readonly memoryBytes?: number
  /** Share of the machine's processors, 0 to 1. */
  readonly cpu?: number
  readonly parallel?: number
  readonly [other: string]: number | boolean | undefined
}

export interface PlanTest {
  readonly name: string
  readonly given: readonly PlanGiven[]
  /** Lets and expects in order; a let's value may be a workflow call. */
  readonly steps: readonly (
    | { readonly kind: 'let'; readonly name: string; readonly body: PlanBody }
    | { readonly kind: 'expect'; readonly condition: PlanExpr; readonly text: string }
  )[]
}

/** What a test puts in the place of the world. Several of one agent or tool are one list, in order. */
export type PlanGiven =
  | { readonly kind?: 'replies'; readonly agent: string; readonly replies: PlanExpr }
  /** Answers as recorded: path of a cassette, beside the file of the test. */
  | { readonly kind: 'replays'; readonly agent: string; readonly cassette: string }
  /** A tool gives this, or what a lambda makes of the record of its arguments; `fails`: the text is the message of a failure. */
  | { readonly kind: 'returns'; readonly module: string; readonly fn: string; readonly value: PlanExpr }
  | { readonly kind: 'fails'; readonly module: string; readonly fn: string; readonly value: PlanExpr }

/**
 * Expressions. `fn` of a `prelude` call is a prelude name; of a `call`, a function of a module.
 * Within a `record`, spreads are entries with `key: null`.
 */
export type PlanExpr =
  | { readonly op: 'value'; readonly value: PlanValue }
  | { readonly op: 'param'; readonly name: string }
  /** The value of node `index` of the same workflow. */
  | { readonly op: 'node'; readonly index: number }
  /** A lambda's, comprehension's or `for`'s variable, `error` in `on failure use`, or a test's `let`. */
  | { readonly op: 'local'; readonly name: string }
  | { readonly op: 'constant'; readonly name: string }
  /** A stand-in for a secret's value: the value itself is seen only by a tool's argument that takes secrets. */
  | { readonly op: 'secret'; readonly name: string }
  | { readonly op: 'list'; readonly items: readonly PlanExpr[] }
  | { readonly op: 'record'; readonly entries: readonly { readonly key: string | null; readonly value: PlanExpr }[] }
  | { readonly op: 'template'; readonly parts: readonly (string | PlanExpr)[] }
  | { readonly op: 'member'; readonly object: PlanExpr; readonly name: string; readonly optional: boolean }
  | { readonly op: 'index'; readonly object: PlanExpr; readonly index: PlanExpr }
  | { readonly op: 'negate' | 'not'; readonly value: PlanExpr }
  | {
      readonly op: 'and' | 'or' | 'coalesce' | '+' | '-' | '*' | '/' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in'
      readonly left: PlanExpr
      readonly right: PlanExpr
      /** `+ - *` whose result is a float by its type: beyond ±(2^53−1) is no overflow. */
      readonly float?: true
    }
  | { readonly op: 'if'; readonly condition: PlanExpr; readonly then: PlanExpr; readonly else: PlanExpr }
  | { readonly op: 'match'; readonly subject: PlanExpr; readonly arms: readonly { readonly patterns: readonly (PlanValue | { readonly any: true })[]; readonly value: PlanExpr }[] }
  | { readonly op: 'lambda'; readonly param: string; readonly body: PlanExpr }
  | { readonly op: 'comprehension'; readonly item: string; readonly list: PlanExpr; readonly condition: PlanExpr | null; readonly value: PlanExpr }
  | { readonly op: 'prelude'; readonly fn: string; readonly args: readonly PlanExpr[]; readonly named?: Readonly<Record<string, PlanExpr>> }
  | {
      readonly op: 'call'
      readonly module: string
      readonly fn: string
      readonly effect: 'pure' | 'read' | 'write'
      readonly runs: 'thread' | 'host'
      /** By parameter name; a `rest` parameter's value is a list. */
      readonly args: Readonly<Record<string, PlanExpr>>
      /** Grants needed, with the expressions of their arguments taken from `args` or literal. */
      readonly needs: readonly { readonly grant: string; readonly args: readonly PlanNeedArg[] }[]
      /** Arguments that may hold stand-ins of secrets, by the parameter's declaration; absent when there are none. */
      readonly secretArgs?: readonly string[]
    }
  | { readonly op: 'prompt'; readonly prompt: string; readonly args: Readonly<Record<string, PlanExpr>> }
  /** In tests: true when evaluating `call` is refused by the guard. */
  | { readonly op: 'denied'; readonly call: PlanExpr }

/** `each`: the parameter holds a list, and the grant is needed once for every item. */
export type PlanNeedArg = { readonly param: string; readonly each?: true } | { readonly literal: string }

export type PlanValue = null | boolean | number | string | readonly PlanValue[] | { readonly [key: string]: PlanValue }
