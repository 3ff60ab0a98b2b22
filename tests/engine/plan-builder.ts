// Plan builder: plans for tests of the interpreter, written by hand in few words.
import { planVersion, type Plan, type PlanBody, type PlanExpr, type PlanLimits, type PlanNode, type PlanOnFailure, type PlanValue, type PlanWorkflow } from '#model/plan.ts'

export const value = (v: PlanValue): PlanExpr => ({ op: 'value', value: v })
export const node = (index: number): PlanExpr => ({ op: 'node', index })
export const param = (name: string): PlanExpr => ({ op: 'param', name })
export const local = (name: string): PlanExpr => ({ op: 'local', name })
export const list = (...items: PlanExpr[]): PlanExpr => ({ op: 'list', items })
export const binary = (op: '+' | '-' | '*' | '/' | '==' | '<' | '>', left: PlanExpr, right: PlanExpr): PlanExpr => ({ op, left, right })
export const prelude = (fn: string, ...args: PlanExpr[]): PlanExpr => ({ op: 'prelude', fn, args })
export const call = (fn: string, args: Record<string, PlanExpr> = {}, more: Partial<Extract<PlanExpr, { op: 'call' }>> = {}): PlanExpr =>
  ({ op: 'call', module: 'test', fn, effect: 'write', runs: 'host', args, needs: [], ...more })
export const expr = (of: PlanExpr): PlanBody => ({ kind: 'expr', value: of })
export const sub = (workflow: string, args: Record<string, PlanExpr> = {}): PlanBody => ({ kind: 'workflow', workflow, args })

export function task(name: string, body: PlanBody | PlanExpr, more: Partial<PlanNode> = {}): PlanNode {
  const whole: PlanBody = 'op' in body ? expr(body) : body
  return {
    name, kind: 'task', dependsOn: [], forEach: null, when: null, body: whole, type: { kind: 'any' }, retry: null, timeoutMs: null, cache: null, verify: null,
    priority: 0, needs: null, onFailure: null, approve: null, label: null, ...more,
  }
}

export function workflow(nodes: PlanNode[], returns: PlanExpr, more: Partial<PlanWorkflow> = {}): PlanWorkflow {
  return { name: 'main', params: [], result: { kind: 'any' }, authority: [], limits: {}, onFailure: { kind: 'stop' } satisfies PlanOnFailure, nodes, returns, returnsDependsOn: [], ...more }
}

export function plan(workflows: Record<string, PlanWorkflow>, more: Partial<Plan> & { limits?: PlanLimits } = {}): Plan {
  const named = Object.fromEntries(Object.entries(workflows).map(([key, each]) => [key, { ...each, name: key }]))
  return {
    version: planVersion, hash: 'plan-hash', edition: 2026, modules: [], constants: [], workflows: named, entries: [Object.keys(workflows)[0]!], prompts: {}, tests: [],
    authority: null, limits: {}, agents: [], loops: [], places: {}, docs: {}, ...more,
  }
}
