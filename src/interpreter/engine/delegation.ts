// Delegation: calls of a conversation that workflows carry out inside the run: agents it leads, workflows as tools, questions to a person or to its lead, votes.
// Owns: desks: what a call becomes, where it lives, whom its end is told. Does not own: which calls are delegated and what the model is told (talks.ts), the tasks
// inside (they are tasks like any others), giving up (cancel.ts), messages (messages.ts).
//   D1. A desk is a workflow of one task, made for one call when the journal says that the call was begun. The task is named by the call, `review/2.reader`; its body
//       is the workflow of the tool with what the model gave. So everything inside has numbers, a path, limits, an end and a record like any task, and goes on by
//       itself after a crash. Of the call itself nothing is recorded but `call-started`: its end is folded from the ends of those tasks.
//   D2. What is inside lives under the conversation: its levels of authority, budgets, quotas, bounds, limiter and depth. A question to the lead lives under the
//       lead's conversation, whose agent answers it, though its path says who asked.
//   D3. A conversation that waits for nothing but desks and messages steps aside: it holds no place while those inside need one, and lines up again for its next
//       question. So `parallel 1` lets a lead lead.
//   D4. A desk that failed is a result: the model is told, and goes on. What ends the conversation gives up its desks, with everything inside.
//   D5. Trust goes both ways: what is said at a desk is text from outside if the conversation holds such text, also to agents that a workflow asks with it; what comes
//       back is, if a conversation inside held any, however the task ended. Why a workflow failed may be in the words of what it read. A lead that is asked
//       knows what it holds when it begins to answer. What a person has seen and said yes to is vouched for.
//   D6. Side by side: MAX_OPEN_DESKS; of questions to the lead in one conversation: MAX_LEAD_QUESTIONS; one inside the other: MAX_WORKFLOW_DEPTH.
//   D7. A question to the lead is a conversation beside the lead's own: it knows what was said there so far, has no tools, and changes nothing of it. What was asked and
//       answered is told to the lead with what comes of the delegation.
import type { ChatMessage } from '#model/chat.ts'
import type { Outcome, TaskId } from '#model/event.ts'
import type { PlanExpr, PlanNode, PlanTool, PlanValue, PlanWorkflow } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { limitOfAgent } from './agent-role.ts'
import { failures } from './failures.ts'
import { least } from './open-scope.ts'
import { pathOf } from './path.ts'
import { laneOf, lineUp, stepOut } from './place.ts'
import { MAX_TASKS } from './protocol.ts'
import type { Shape } from './shape.ts'
import type { Conversation, Desk, Scope, State } from './state.ts'
import { phase } from './tasks.ts'
import type { CallResult } from './talk/talk.ts'

/** Calls of one answer that workflows carry out side by side; more are refused, and may be made in a later turn. */
export const MAX_OPEN_DESKS = 16
/** Questions that one conversation may ask its lead. */
export const MAX_LEAD_QUESTIONS = 8

/** What a call is carried out by. */
export interface Delegated {
  readonly call: number
  readonly tool: PlanTool
  /** Key of the workflow. */
  readonly workflow: string
  readonly input: Readonly<Record<string, Value>>
  /** The conversation that is asked, where it is a question to the lead. */
  readonly lead: TaskId | null
}

/** Begins to carry out a call; or the failure that the model is told. */
export function openDesk(state: State, task: TaskId, talk: Conversation, delegated: Delegated): Outcome | null {
  const { call, tool, workflow: key, lead } = delegated
  const workflow = Object.hasOwn(state.plan.workflows, key) ? state.plan.workflows[key] : undefined
  if (workflow === undefined) return { kind: 'failure', failure: failures.unknownWorkflow(pathOf(state, task), key) }
  if (state.counts.total >= MAX_TASKS) return { kind: 'failure', failure: failures.tooManyTasks(pathOf(state, task), state.counts.total + 1) }
  const { tasks } = state
  const under = lead === null ? { task, talk } : { task: lead, talk: state.talks.get(lead)! } // D2
  const base = tasks.allocate(1)
  const scope = deskScope(state, task, under, { call, tool, lead, isTainted: talk.talk!.isTainted || under.talk.talk!.isTainted, isGivenTainted: talk.talk!.isTainted, asked: [] }, nodeFor(delegated, workflow), base)
  state.scopes.push(scope)
  talk.desks.set(call, scope)
  state.counts.total++
  tasks.scope[base] = scope.index
  tasks.rank[base] = tasks.rank[task]!
  tasks.phase[base] = phase.setup
  state.out.push({ kind: 'evaluate', task: base, attempt: 1, part: 'setup' })
  return null
}

/** The one task of a desk. // D1 */
function nodeFor({ call, tool, workflow, input }: Delegated, { result }: PlanWorkflow): PlanNode {
  const args = Object.fromEntries(Object.entries(input).map(([name, value]): [string, PlanExpr] => [name, { op: 'value', value: value as PlanValue }]))
  return {
    name: `${call}.${tool.name}`, kind: 'task', dependsOn: [], forEach: null, when: null, body: { kind: 'workflow', workflow, args }, type: result, retry: null, timeoutMs: null,
    cache: null, verify: null, priority: 0, needs: null, onFailure: { kind: 'stop' }, approve: null, label: null,
  }
}

/** D2. */
function deskScope(state: State, task: TaskId, under: { readonly task: TaskId; readonly talk: Conversation }, desk: Desk, node: PlanNode, base: TaskId): Scope {
  const around = state.scopeOf(under.task)
  const { agent, budgets, levels } = under.talk
  const group = state.tasks.group[under.task]!
  const at = (group === -1 ? under.task : group) - around.base
  const bound = (name: 'memoryBytes' | 'cpu'): number | null => least(around.bounds[name], limitOfAgent(state, under.task, agent, name))
  return {
    index: state.scopes.length, task, attempt: state.tasks.attempt[task]!, shape: shapeFor(state, node, agent.file, around.shape.key), base, params: {}, depth: Math.max(around.depth, state.scopeOf(task).depth),
    levels: [...around.levels, ...levels],
    limiter: around.limiter, quota: around.quota, callQuota: around.callQuota, budgets, bounds: { memoryBytes: bound('memoryBytes'), cpu: bound('cpu') },
    timeMs: null, openedAtMs: state.drivenMs, tail: around.tail + around.shape.toEnd[at]!, priority: around.priority + state.nodeOf(under.task).priority, lane: laneOf(state, under.task),
    desk, remaining: 1, isOpen: true,
  }
}

/** `file`: that of the agent, whose level stands among those of the conversation already. */
function shapeFor(state: State, node: PlanNode, file: number | undefined, key: string): Shape {
  const length = node.body.kind === 'workflow' ? (state.shapes.of(node.body.workflow)?.length ?? 0) : 0
  const workflow: PlanWorkflow = {
    name: node.name, params: [], result: node.type, authority: null, limits: {}, onFailure: { kind: 'stop' }, nodes: [node], returns: { op: 'node', index: 0 }, returnsDependsOn: [0],
    ...(file === undefined ? {} : { file }),
  }
  const own = Float64Array.of(length)
  return { key, workflow, starts: new Int32Array(2), dependents: new Int32Array(0), dependencyCounts: new Int32Array(1), toEnd: own, own, taskCount: 1, length }
}

type DeskScope = Scope & { readonly desk: Desk }

export const isDesk = (scope: Scope): scope is DeskScope => scope.desk !== null

/** The task of a desk is over: its conversation is told. */
export function deskOver(state: State, scope: DeskScope): void {
  scope.isOpen = false
  const value = state.tasks.values[scope.base]
  const outcome: Outcome = value === undefined ? { kind: 'failure', failure: state.failures.get(scope.base)! } : { kind: 'value', value } // D4
  const { task, attempt } = scope
  if (scope.desk.lead !== null) noteQuestion(state, scope, resultOf(outcome))
  state.toTell.push({ task, attempt, call: scope.desk.call, result: withAsked(scope.desk, resultOf(outcome)), isTainted: isResultTainted(state, scope) })
}

/** A question to the lead was answered, or not: the lead is told with what comes of the delegation. */
function noteQuestion(state: State, { base, task }: DeskScope, result: CallResult): void {
  const { body } = state.nodeOf(base)
  const question = body.kind === 'workflow' ? body.args['question'] : undefined
  deskAround(state, task)?.desk.asked.push({ question: question?.op === 'value' ? String(question.value) : '', answer: result.kind === 'value' ? textOf(result.value) : result.message })
}

/** D7. */
function withAsked({ asked }: Desk, result: CallResult): CallResult {
  if (asked.length === 0) return result
  const words = asked.map(({ question, answer }) => `Meanwhile you were asked: ${question}\nYou answered: ${answer}`).join('\n')
  return result.kind === 'value' ? { kind: 'value', value: `${textOf(result.value)}\n\n${words}` } : { kind: 'failure', message: `${result.message}\n\n${words}` }
}

const textOf = (value: Value): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** A failure in the words that the model is told. */
export function resultOf(outcome: Outcome): CallResult {
  if (outcome.kind === 'value') return outcome
  const { code, message, help, details } = outcome.failure
  return { kind: 'failure', message: [`${code}: ${message}`, help, details].filter(each => each !== undefined).join('\n') }
}

/** What a conversation that answers for a lead knows: what was said in the lead's; null for any other. // D7 */
export function besideOf(state: State, task: TaskId): readonly ChatMessage[] | null {
  const { standsFor } = state.scopeOf(task).shape.workflow
  const lead = standsFor?.kind === 'ask-lead' ? (deskAround(state, task)?.desk.lead ?? null) : null
  const talk = lead === null ? null : state.talks.get(lead)?.talk
  return talk?.transcript() ?? null
}

/** The desk that a task is at, through whatever workflows are between; null where no agent asked for it. */
export function deskAround(state: State, task: TaskId): DeskScope | null {
  for (let at = task; at !== 0; ) {
    const scope = state.scopeOf(at)
    if (isDesk(scope)) return scope
    at = scope.task
  }
  return null
}

/** The conversation whose agent asked for a task; null where none did. */
export function delegatorOf(state: State, task: TaskId): TaskId | null {
  return deskAround(state, task)?.task ?? null
}

/** The conversation that pays for one beneath it: of one that answers for a lead, that lead's. */
export function payerOf(state: State, task: TaskId): TaskId | null {
  const around = deskAround(state, task)
  return around === null ? null : (around.desk.lead ?? around.task)
}

/** Whether what a conversation is asked holds text from outside. // D5 */
export function isPromptTainted(state: State, task: TaskId): boolean {
  const { body } = state.nodeOf(task)
  const around = deskAround(state, task)
  const stands = state.scopeOf(task).shape.workflow.standsFor
  if (stands !== undefined && !('loop' in stands)) {
    const lead = around?.desk.lead ?? null
    return around === null || around.desk.isTainted || (lead !== null && state.talks.get(lead)?.talk?.isTainted === true)
  }
  return (body.kind === 'agent' && body.isUntrusted === true) || (around !== null && around.desk.isGivenTainted && standsForAt(state, around) !== 'asked-call')
}

/** What the workflow that a desk carries out stands for; undefined: somebody wrote it. */
function standsForAt(state: State, { base }: DeskScope): NonNullable<PlanWorkflow['standsFor']>['kind'] | undefined {
  const { body } = state.nodeOf(base)
  return body.kind === 'workflow' ? state.plan.workflows[body.workflow]?.standsFor?.kind : undefined
}

/** Whether what came of a desk holds text from outside. // D5 */
function isResultTainted(state: State, scope: DeskScope): boolean {
  const { base, desk } = scope
  const stands = standsForAt(state, scope)
  if (stands !== undefined && stands !== 'asked-call') return desk.isTainted // what only conversations make is as they are
  const failure = desk.tool.kind === 'workflow' ? state.failures.get(base) : undefined
  return desk.isTainted || desk.tool.isUntrusted || (failure !== undefined && failure.task !== pathOf(state, base)) // of one inside
}

/** A conversation ends that held text from outside. // D5 */
export function taintAround(state: State, task: TaskId): void {
  const around = deskAround(state, task)
  if (around !== null) around.desk.isTainted = true
}

/** D3. */
export function stepAside(state: State, task: TaskId, talk: Conversation): void {
  if (state.tasks.phase[task] !== phase.body || talk.step?.kind !== 'call' || !talk.talk!.unfinished().every(({ call }) => isInside(talk, call))) return
  stepOut(state, task)
  state.tasks.phase[task] = phase.away
}

/** A conversation that stepped aside has a question to ask: it takes its place in line. // D3 */
export function comesBack(state: State, task: TaskId): boolean {
  if (state.tasks.phase[task] !== phase.away) return false
  lineUp(state, task)
  return true
}

/** Whether a call is being carried out inside the run. */
export function isInside(talk: Conversation, call: number): boolean {
  return talk.desks.has(call) || talk.receiving?.call === call
}
