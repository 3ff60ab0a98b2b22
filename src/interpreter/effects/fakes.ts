// Fakes: what a test puts in the place of tools.
// Owns: which outcome a call gets, checking what goes in and comes out, which fakes were called. Does not own: the guard, which decides first (call-tool.ts).
//   K1. Who calls makes no difference: a task, an agent, a workflow beneath. Only the world is not touched.
//   K2. Several of one tool are given in order, one a call; the last one for every further call.
//   K3. What a tool would have refused of its arguments is refused here; what is given is of the tool's result type, or the call fails and says where it is not.
//   K4. In a test nothing outside the machine is reached, whatever the program may do: only what a fake stands for is decided by the program alone.
import type { Authority } from '#model/capability.ts'
import type { Failure, Outcome } from '#model/event.ts'
import type { PlanExpr, PlanGiven } from '#model/plan.ts'
import type { FunctionSignature, ModuleSignature, ParamSignature } from '#model/signature.ts'
import type { Type, Value } from '#model/type.ts'
import { mentionsVariable } from '#types/variables.ts'
import { validate } from '#types/validate.ts'
import type { CallRequest } from '#interpreter/engine/evaluation.ts'
import type { StepFailure } from '#interpreter/engine/evaluation.ts'

/** Grants that reach out of the machine. // K4 */
export const OUTSIDE: ReadonlySet<string> = new Set(['net', 'llm', 'mcp', 'ml'])

type ToolGiven = Extract<PlanGiven, { kind: 'returns' | 'fails' }>

export interface FakesSettings {
  readonly given: readonly PlanGiven[]
  /** What the modules of the plan offer, by their names there. */
  readonly signatures: ReadonlyMap<string, ModuleSignature>
  /** Works out an expression whose only local is this one. */
  readonly evaluate: (expr: PlanExpr, local: { readonly name: string; readonly value: Value } | null) => { readonly kind: 'value'; readonly value: Value } | { readonly kind: 'failed'; readonly failure: StepFailure }
}

export class Fakes {
  private readonly settings: FakesSettings
  private readonly byTool = new Map<string, { readonly all: readonly ToolGiven[]; calls: number }>()

  constructor(settings: FakesSettings) {
    this.settings = settings
    for (const each of settings.given) {
      if (each.kind !== 'returns' && each.kind !== 'fails') continue
      const name = nameOf(each)
      this.byTool.set(name, { all: [...(this.byTool.get(name)?.all ?? []), each], calls: 0 })
    }
  }

  has(call: Pick<CallRequest, 'module' | 'fn'>): boolean {
    return this.byTool.has(nameOf(call))
  }

  /** What a call gets that the guard has allowed. */
  outcomeOf(call: CallRequest): Outcome {
    const name = nameOf(call)
    const own = this.byTool.get(name)!
    const signature = this.settings.signatures.get(call.module)?.functions[call.fn]
    const args = signature === undefined ? call.args : withStandards(call.args, signature)
    const problem = signature === undefined ? null : argumentProblem(name, args, signature)
    if (problem !== null) return failed('plugin/bad-input', problem)
    const given = own.all[Math.min(own.calls++, own.all.length - 1)]! // K2
    const { value } = given
    const made = value.op === 'lambda' ? this.settings.evaluate(value.body, { name: value.param, value: args }) : this.settings.evaluate(value, null)
    if (made.kind === 'failed') return { kind: 'failure', failure: { ...made.failure, task: '' } }
    if (given.kind === 'fails') return failed(`${call.module}/failed`, String(made.value))
    const wrong = signature === undefined || mentionsVariable(signature.result) ? null : validate(signature.result, made.value)
    if (wrong === null) return made
    return failed('run/wrong-type', `What the test gives for \`${name}\` is not of its result type${wrong.path === '' ? '' : `, at \`${wrong.path}\``}: ${wrong.message}`)
  }

  /** Tools for which something is given, and that were never called. */
  unused(): string[] {
    return [...this.byTool].flatMap(([name, { calls }]) => (calls === 0 ? [name] : []))
  }
}

/** What a call may do in a test that touches the world: nothing outside. // K4 */
export const insideOnly = (levels: readonly Authority[]): Authority[] => levels.map(level => level.filter(grant => !OUTSIDE.has(grant.name)))

const nameOf = ({ module, fn }: { readonly module: string; readonly fn: string }): string => `${module}.${fn}`

function failed(code: string, message: string): Outcome {
  const failure: Failure = { code, message, task: '', retryable: false }
  return { kind: 'failure', failure }
}

function withStandards(args: CallRequest['args'], { params }: FunctionSignature): Record<string, Value> {
  const standards = params.flatMap((param): [string, Value][] => (Object.hasOwn(args, param.name) || param.default === undefined ? [] : [[param.name, param.default as Value]]))
  return { ...Object.fromEntries(standards), ...args }
}

/** K3. */
function argumentProblem(name: string, args: Readonly<Record<string, Value>>, { params }: FunctionSignature): string | null {
  for (const param of params) {
    const given = Object.hasOwn(args, param.name) ? args[param.name]! : null
    if (given === null && (param.optional || param.rest === true)) continue
    const problem = validate(typeOf(param), given)
    if (problem !== null) return `\`${param.name}\` of \`${name}\` cannot be that${problem.path === '' ? '' : `, at \`${problem.path}\``}: ${problem.message}`
  }
  return null
}

function typeOf({ type, rest, secret }: ParamSignature): Type {
  if (secret === true || mentionsVariable(type)) return { kind: 'any' }
  return rest === true ? { kind: 'list', item: type } : type
}
