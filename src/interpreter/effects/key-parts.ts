// Key parts: what the key of a cached result is made of, part by part, so that it can be told afterwards which of them changed.
// Owns: the key. Does not own: where results are kept (journal), words for a change (why.ts).
//   K1. A key covers the body and what must hold of its value, every value they mention (or the value of `cache by` instead), and the code of every module it calls.
//       A body that is a workflow covers all that workflow may reach; one that an agent does the agent, its models and its tools. Constants are covered by their code, which is all they are made of.
//   K2. A secret is in a key by its name alone: a key made of its value would be a place to try values against, and stand-ins change with every run.
//   K3. Tasks are in a key by their names: one that is put in before another makes nothing run again.
//   K4. Two keys differ just where a part differs: plan, events and these functions give the parts again.
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import type { TaskId } from '#model/event.ts'
import type { Plan, PlanAgent, PlanBody, PlanExpr, PlanNode, PlanTool } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { freeReferences } from '#interpreter/engine/evaluation.ts'
import { modelChain } from '#interpreter/engine/questions.ts'
import type { State } from '#interpreter/engine/state.ts'
import { workspaceOf } from '#interpreter/engine/workspace.ts'
import { Names } from '#interpreter/engine/view.ts'
import { showStandIns } from '#interpreter/secrets/stand-in.ts'

/** Raised when keys are made differently, so that older ones are not met by chance. */
const KEY_VERSION = 2

/** Values that a key is made of, by part: `param root`, `task files`, `item file`, or `by` alone. */
export type KeyInputs = ReadonlyMap<string, Value>
/** Hashes of the code that a key is made of, by part: `body`, `module std.text`, `workflow build`, … */
export type KeyCode = ReadonlyMap<string, string>

/** The key of a task's result. `by` is the value of `cache by`; undefined where the key is made of the inputs. */
export function cacheKey(state: State, task: TaskId, by: Value | undefined): string {
  const inputs = [...keyInputs(state, task, by)].map(([part, value]): [string, string] => [part, hashOf(value)])
  return sha256(canonicalJson([KEY_VERSION, [...keyCode(state, task)], inputs])) // K1
}

/** Equal values have equal hashes. // K2 */
export function hashOf(value: Value): string {
  return sha256(showStandIns(canonicalJson(value as Json)))
}

export function keyInputs(state: State, task: TaskId, by: Value | undefined): KeyInputs {
  if (by !== undefined) return new Map([['by', by]])
  const names = new Names(state, task, 'body', new Map())
  const node = state.nodeOf(task)
  const { nodes } = state.scopeOf(task).shape.workflow
  const inputs = new Map<string, Value>()
  for (const expr of [...expressionsOf(node.body), ...ensuredBy(node)]) {
    const free = freeReferences(expr)
    for (const name of free.params) inputs.set(`param ${name}`, names.param(name))
    for (const index of free.nodes) inputs.set(`task ${nodes[index]!.name}`, names.node(index)) // K3
    for (const name of free.locals) if (name === node.forEach?.item) inputs.set(`item ${name}`, names.local(name) ?? null)
  }
  const workspace = workspaceOf(state, task)
  if (workspace !== null) inputs.set('workspace', workspace) // other files, other results
  return inputs
}

/** What must hold of a value; `answer` is none of its inputs. */
function ensuredBy({ ensure = [] }: PlanNode): PlanExpr[] {
  return ensure.map(each => each.condition)
}

function expressionsOf(body: PlanBody): PlanExpr[] {
  switch (body.kind) {
    case 'expr':
      return [body.value]
    case 'workflow':
      return Object.keys(body.args).sort().map(name => body.args[name]!)
    case 'agent':
      return [body.prompt]
  }
}

const codes = new WeakMap<PlanNode, KeyCode>()

/** The body of a task and everything it reaches by name. */
export function keyCode(state: State, task: TaskId): KeyCode {
  const node = state.nodeOf(task)
  let code = codes.get(node)
  if (code === undefined) {
    const { nodes } = state.scopeOf(task).shape.workflow
    const ensured = ensuredBy(node)
    const conditions: [string, string][] = ensured.length === 0 ? [] : [['ensure', hashOf(named(ensured, nodes) as Value)]]
    code = new Map([['body', hashOf(named(node.body, nodes) as Value)], ...conditions, ...reached(state.plan, ensured), ...reached(state.plan, node.body)])
    codes.set(node, code)
  }
  return code
}

/** A piece of plan in which tasks are mentioned by name. // K3 */
function named(piece: unknown, nodes: readonly PlanNode[]): unknown {
  return JSON.parse(JSON.stringify(piece, (_, at: { op?: unknown; index?: unknown } | null) => (at?.op === 'node' && typeof at.index === 'number' ? { op: 'node', name: nodes[at.index]!.name } : at)))
}

/** The agent that a piece of plan is asked of, with the keys of its models; null where it is not such a piece. */
export function agentIn({ agentBodies, ...plan }: Plan, piece: object): { readonly key: string; readonly agent: PlanAgent; readonly models: readonly string[] } | null {
  const { kind, agent: key } = piece as { readonly kind?: unknown; readonly agent?: unknown }
  const agent = kind === 'agent' && typeof key === 'string' && agentBodies !== undefined && Object.hasOwn(agentBodies, key) ? agentBodies[key]! : null
  return agent === null ? null : { key: key as string, agent, models: agent.model === null ? [] : modelChain(plan, agent.model) }
}

/** Keys of the workflows that may carry out calls of a tool. */
export function workflowsOf(tool: PlanTool): readonly string[] {
  const asked = 'asked' in tool && tool.asked !== undefined ? [tool.asked] : []
  return tool.kind === 'workflow' ? [tool.workflow, ...asked] : tool.kind === 'ask-lead' ? Object.values(tool.leads) : asked
}

/** What a piece of plan mentions by name (modules, prompts, constants, workflows) and what those mention, in the order in which it is met. */
function reached(plan: Plan, piece: unknown): Map<string, string> {
  const found = new Map<string, string>()
  const left: unknown[] = [piece]
  const add = (part: string, code: unknown): void => {
    if (found.has(part)) return
    found.set(part, hashOf((code === undefined ? null : JSON.parse(JSON.stringify(code))) as Value))
    left.push(code)
  }
  while (left.length > 0) {
    const at = left.pop()
    if (typeof at !== 'object' || at === null) continue
    const { op, kind, module, prompt, workflow, name } = at as Record<string, unknown>
    const asked = agentIn(plan, at)
    if (asked !== null) {
      add(`agent ${asked.key}`, asked.agent)
      for (const key of asked.models) add(`model ${key}`, plan.models?.[key])
      for (const tool of asked.agent.tools) for (const each of workflowsOf(tool)) add(`workflow ${each}`, plan.workflows[each])
    }
    if ((op === 'call' || kind === 'function') && typeof module === 'string') {
      const used = plan.modules.find(each => each.name === module)
      add(`${used?.origin === 'std' ? 'module std.' : 'module '}${module}`, used?.hash)
    }
    if (op === 'prompt' && typeof prompt === 'string') add(`prompt ${prompt}`, plan.prompts[prompt])
    if (op === 'constant' && typeof name === 'string') add(`constant ${name}`, plan.constants.find(each => each.name === name)?.value)
    if (kind === 'workflow' && typeof workflow === 'string') add(`workflow ${workflow}`, plan.workflows[workflow])
    for (const part of Object.values(at)) left.push(part)
  }
  return found
}
