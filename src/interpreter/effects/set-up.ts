// Set up: what must be worked out before a workflow's tasks begin: arguments, defaults, authority.
// Owns: the stages and their order: arguments in the caller's names, then defaults in the order of the parameters, then grants.
import type { PlanExpr, PlanFile, PlanGrant } from '#model/plan.ts'
import type { TaskId } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import type { Scope as NameScope } from '#interpreter/engine/evaluation.ts'
import { fileEntered, type Setup, type SetupGrant } from '#interpreter/engine/open-scope.ts'
import type { State } from '#interpreter/engine/state.ts'
import { calleeOf, Names } from '#interpreter/engine/view.ts'

/** One expression of a setup; `accept` takes its value before the next is begun. */
export interface Stage {
  readonly expr: PlanExpr
  readonly names: NameScope
  accept(value: Value): void
}

/** The stages of the setup of a task's workflow and, once all have been accepted, its result. */
export function setUpStages(state: State, task: TaskId, constants: ReadonlyMap<string, Value>): { stages: Stage[]; result: () => Value } {
  const { plan } = state
  const { key, args } = calleeOf(state, task)
  const workflow = plan.workflows[key]
  if (workflow === undefined) return { stages: [], result: () => ({ args: {}, authority: null }) }
  const params = Object.create(null) as Record<string, Value> // a parameter may have any name, `__proto__` too
  const given = task === 0 ? Object.keys(state.args) : Object.keys(args)
  const names: NameScope = {
    param: name => params[name] ?? null,
    node: () => null,
    constant: name => constants.get(name) ?? null,
    local: () => undefined,
  }
  const stages: Stage[] = []
  if (task === 0) Object.assign(params, state.args)
  else if (given.length > 0) {
    stages.push({
      expr: { op: 'record', entries: Object.entries(args).map(([name, value]) => ({ key: name, value })) },
      names: new Names(state, task, 'setup', constants),
      accept: value => void Object.assign(params, value),
    })
  }
  for (const param of workflow.params) {
    if (given.includes(param.name)) continue
    stages.push({ expr: param.default ?? { op: 'value', value: null }, names, accept: value => void (params[param.name] = value) })
  }
  const own = grantsStage(workflow, names)
  const entered = fileEntered(state, task)
  const file = entered === null ? null : grantsStage(entered, noParams(constants))
  stages.push(...own.stages, ...(file?.stages ?? []))
  const result = (): Value => {
    const setup: Setup = { args: params, authority: own.grants(), ...(file === null ? {} : { file: file.grants() }) }
    return setup as unknown as Value
  }
  return { stages, result }
}

/** A file's clauses see its constants alone. */
function noParams(constants: ReadonlyMap<string, Value>): NameScope {
  return { param: () => null, node: () => null, constant: name => constants.get(name) ?? null, local: () => undefined }
}

function grantsStage(of: Pick<PlanFile, 'authority'>, names: NameScope): { stages: Stage[]; grants: () => readonly SetupGrant[] | null } {
  const { authority } = of
  if (authority === null) return { stages: [], grants: () => null }
  let values: readonly (readonly Value[])[] = []
  const stages = authority.some(grant => grant.args.length > 0)
    ? [{ expr: argumentsOf(authority), names, accept: (value: Value) => void (values = value as readonly (readonly Value[])[]) }]
    : []
  return {
    stages,
    grants: () => authority.map((grant, index) => ({ name: grant.name, args: (values[index] ?? []).map(String), implies: grant.implies })),
  }
}

const madeLists = new WeakMap<readonly PlanGrant[], PlanExpr>()

/** All arguments of all grants as one expression, made once so that it is compiled once. */
function argumentsOf(authority: readonly PlanGrant[]): PlanExpr {
  let made = madeLists.get(authority)
  if (made === undefined) {
    made = { op: 'list', items: authority.map(grant => ({ op: 'list', items: grant.args })) }
    madeLists.set(authority, made)
  }
  return made
}
