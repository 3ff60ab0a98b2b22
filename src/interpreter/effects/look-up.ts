// Look up: results of earlier runs, by what they were made of.
// Owns: the key of a result. Does not own: where results are kept (journal).
//   K1. A key covers the body, every value it mentions (or the value of `cache by` instead), and the code of every module it calls.
//       A body that is a workflow covers all that workflow may reach.
//   K2. A secret is in a key by its name alone: a key made of its value would be a place to try values against, and stand-ins change with every run.
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import type { TaskId } from '#model/event.ts'
import type { Plan, PlanBody, PlanExpr, PlanNode } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { freeReferences } from '#interpreter/engine/evaluation.ts'
import { Names, nodeOf } from '#interpreter/engine/view.ts'
import { showStandIns } from '#interpreter/secrets/stand-in.ts'
import type { World } from '#interpreter/world.ts'

/** Raised when keys are made differently, so that older ones are not met by chance. */
const KEY_VERSION = 1

/** Answers a `look-up` command. */
export function lookUp(world: World, task: TaskId, by: Value | undefined): void {
  const node = nodeOf(world.state, task)!
  const key = cacheKey(world, task, node, by)
  const nowMs = world.host.now()
  const found = world.journal.cached(key, nowMs, node.cache?.ageMs ?? null)
  world.emit({ kind: 'cache-answered', atMs: nowMs, task, key, value: found?.value, hit: found !== null })
}

function cacheKey(world: World, task: TaskId, node: PlanNode, by: Value | undefined): string {
  const names = new Names(world.state, task, 'body', world.constants)
  const inputs = by === undefined ? expressionsOf(node.body).map(expr => inputsOf(expr, names)) : [{ by }]
  return sha256(showStandIns(canonicalJson([KEY_VERSION, codeHash(world.state.plan, node), inputs] as Json))) // K1, K2
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

function inputsOf(expr: PlanExpr, names: Names): Record<string, Value> {
  const free = freeReferences(expr)
  const inputs: Record<string, Value> = {}
  for (const name of free.params) inputs[`param ${name}`] = names.param(name)
  for (const index of free.nodes) inputs[`node ${index}`] = names.node(index)
  for (const name of free.constants) inputs[`constant ${name}`] = names.constant(name)
  for (const name of free.locals) inputs[`local ${name}`] = names.local(name) ?? null
  return inputs
}

const codeHashes = new WeakMap<PlanNode, string>()

/** Hash of a body and of everything it calls. */
function codeHash(plan: Plan, node: PlanNode): string {
  let hash = codeHashes.get(node)
  if (hash === undefined) {
    const reached = new Set<string>()
    const parts: unknown[] = [node.body]
    reach(plan, node.body, reached, parts)
    hash = sha256(canonicalJson(JSON.parse(JSON.stringify(parts)) as Json))
    codeHashes.set(node, hash)
  }
  return hash
}

/** Adds what a piece of plan mentions by name: modules' hashes, prompts, workflows, and what those mention. */
function reach(plan: Plan, piece: unknown, reached: Set<string>, parts: unknown[]): void {
  const left: unknown[] = [piece]
  const add = (kind: string, name: string, part: unknown): void => {
    if (reached.has(`${kind} ${name}`)) return
    reached.add(`${kind} ${name}`)
    parts.push([kind, name, part ?? null])
    left.push(part)
  }
  while (left.length > 0) {
    const at = left.pop()
    if (typeof at !== 'object' || at === null) continue
    const { op, kind, module, prompt, workflow, name } = at as Record<string, unknown>
    if (op === 'call' && typeof module === 'string') add('module', module, plan.modules.find(each => each.name === module)?.hash)
    if (op === 'prompt' && typeof prompt === 'string') add('prompt', prompt, plan.prompts[prompt])
    if (op === 'constant' && typeof name === 'string') add('constant', name, plan.constants.find(each => each.name === name)?.value)
    if (kind === 'workflow' && typeof workflow === 'string') add('workflow', workflow, plan.workflows[workflow])
    for (const part of Object.values(at)) left.push(part)
  }
}
