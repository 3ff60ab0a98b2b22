// Talks: conversations of agents as bodies of tasks: from the prompt to the value, by way of questions to models and calls of tools.
// Owns: what a conversation is made of, what its steps ask of the world. Does not own: how it goes on (talk/), when a question is asked (questions.ts), what
// follows from its end (attempt.ts).
//   C1. A conversation is one attempt: tried again, it begins again. It is folded from its events alone: no recorded turn is asked again.
//   C2. What its calls may do is bounded by the agent's levels, within those of the workflow that asks it.
//   C4. A call beyond the agent's own `limits { calls }` is refused in the same way: it may answer with what it has.
//   C3. A call before which a person is to be asked goes by way of the workflow that asks; where the plan has none it is refused: the agent is told why, and it costs a turn.
//   C5. What a conversation delegates counts as its own: tokens and money against its limits, and the calls of agents inside against its `limits { calls }`.
import type { ChatRequest, ChatUsage } from '#model/chat.ts'
import type { ModelOutcome, Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { ThreadEntry } from '#model/memory.ts'
import type { Plan, PlanTool } from '#model/plan.ts'
import type { Type, Value } from '#model/type.ts'
import { turnAnswered } from './agent-life.ts'
import { agentOf, limitOfAgent, readRole } from './agent-role.ts'
import { attemptEnded } from './attempt.ts'
import { budgetOf, type Spending } from './budget.ts'
import { besideOf, comesBack, deskAround, type Delegated, delegatorOf, isPromptTainted, MAX_LEAD_QUESTIONS, MAX_OPEN_DESKS, openDesk, payerOf, resultOf, stepAside } from './delegation.ts'
import { failures } from './failures.ts'
import { nameThread, recall, type RecallStep, summaryAnswered } from './memory.ts'
import { joinTeam, listen, receive, send } from './messages.ts'
import { pathOf } from './path.ts'
import { answerTokensOf, dearestOf, markAsked, modelChain, priceOf, settleQuestion } from './questions.ts'
import type { Conversation, State } from './state.ts'
import { type Counted, countedBy, inputTokensAtMost } from './talk/size.ts'
import { MAX_TOOLS, MAX_TURNS, STANDARD_TURNS, type TalkSpec } from './talk/spec.ts'
import { type CallResult, costOf, Talk, type TalkStep, tokensOf } from './talk/talk.ts'

/** An attempt at a body that an agent does begins. */
export function openTalk(state: State, task: TaskId): void {
  const agent = agentOf(state, task)
  const { body } = state.nodeOf(task)
  if (agent === null || agent.model === null || body.kind !== 'agent') return // said by `unstartable`
  const around = state.scopeOf(task).budgets
  const budgets = {
    tokens: budgetOf(limitOfAgent(state, task, agent, 'tokens'), null, around.tokens),
    cost: budgetOf(limitOfAgent(state, task, agent, 'costMicros'), null, around.cost),
  }
  state.talks.set(task, {
    key: body.agent, agent, model: agent.model, budgets, prompt: null, role: null, recalling: null, levels: [], talk: null, step: null, calls: 0, ensureCalls: 0, desks: new Map(), receiving: null,
    inputTokens: 0, counted: null, open: null, end: null,
  })
}

/** What the agent is asked is worked out: what it is comes next. */
export function promptAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const talk = state.talks.get(task)
  if (talk === undefined || talk.prompt !== null) return
  if (outcome.kind === 'failure') return attemptEnded(state, task, outcome)
  talk.prompt = typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value)
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'role' })
}

/** Its role and authority are worked out: what it is reminded of comes next. */
export function roleAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const talk = state.talks.get(task)
  if (talk === undefined || talk.prompt === null || talk.role !== null) return
  if (outcome.kind === 'failure') return attemptEnded(state, task, outcome)
  const { agent, model, budgets } = talk
  const unpriced = budgets.cost === null ? null : dearestOf(state.plan, modelChain(state.plan, model))
  if (typeof unpriced === 'string') return attemptEnded(state, task, { kind: 'failure', failure: failures.noPrice(pathOf(state, task), unpriced, budgets.cost!.workflow) })
  const { role, levels } = readRole(state, task, agent, outcome.value)
  talk.role = role
  talk.levels = levels // C2
  beginOnceRecalled(state, task, talk)
}

/** Begins the conversation once what it is reminded of is there. */
function beginOnceRecalled(state: State, task: TaskId, talk: Conversation): void {
  const step = recall(state, task, talk)
  if (step.kind === 'wait') return
  talk.talk = new Talk(specOf(state, task, talk, step))
  joinTeam(state, task, talk)
  follow(state, task, talk, talk.talk.begin())
}

/** The name of the thread that it remembers is worked out. */
export function threadAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const talk = state.talks.get(task)
  if (talk?.recalling == null || talk.recalling.thread !== null) return
  if (outcome.kind === 'failure') return attemptEnded(state, task, outcome)
  const problem = nameThread(talk.recalling, outcome.value)
  if (problem !== null) return attemptEnded(state, task, { kind: 'failure', failure: failures.badThread(pathOf(state, task), problem) })
  beginOnceRecalled(state, task, talk)
}

/** What is in its thread is recorded. */
export function recalled(state: State, task: TaskId, entries: readonly ThreadEntry[]): void {
  const talk = state.talks.get(task)
  if (talk?.recalling == null || talk.recalling.thread === null || talk.recalling.entries !== null) return
  talk.recalling.entries = entries
  beginOnceRecalled(state, task, talk)
}

function specOf(state: State, task: TaskId, { agent, model, prompt, role }: Conversation, { before, isUntrusted }: Extract<RecallStep, { kind: 'begin' }>): TalkSpec {
  const { plan } = state
  const { body, type } = state.nodeOf(task)
  const limit = (name: 'turns' | 'tokens' | 'costMicros'): number | undefined => limitOfAgent(state, task, agent, name)
  const beside = besideOf(state, task)
  const hasNoTools = body.kind === 'agent' && body.hasNoTools === true && beside === null
  return {
    agent: agent.name, role: role!, prompt: prompt!, isPromptUntrusted: isUntrusted || isPromptTainted(state, task), before: beside ?? before,
    tools: hasNoTools ? [] : agent.tools.slice(0, MAX_TOOLS).map(talkTool),
    answer: answerType(type),
    maxTurns: beside === null ? Math.min(limit('turns') ?? STANDARD_TURNS, MAX_TURNS) : 1, // a last turn is without tools, though the same ones are shown
    maxTokens: limit('tokens') ?? null, maxCostMicros: limit('costMicros') ?? null,
    answerTokens: answerTokensOf(plan, model), ...contextOf(plan, model), price: priceOf(plan, model), afterUntrusted: agent.afterUntrusted ?? 'refuse',
  }
}

/** What every model that may answer can hold. */
function contextOf(plan: Plan, model: string): { readonly contextTokens?: number } {
  const known = modelChain(plan, model).flatMap(key => plan.models?.[key]?.contextTokens ?? [])
  return known.length === 0 ? {} : { contextTokens: Math.min(...known) }
}

/** A tool before each call of which a person is asked is never refused for what the conversation holds. */
function talkTool(tool: PlanTool): TalkSpec['tools'][number] {
  const { name, doc, input, isUntrusted, isSink } = tool
  return { name, description: doc, input, isUntrusted, isSink: isSink && !alwaysAsks(tool) }
}

/** Null for plain text. */
function answerType(type: Type): Type | null {
  if (type.kind === 'untrusted' || type.kind === 'secret') return answerType(type.of)
  return type.kind === 'any' || (type.kind === 'string' && type.pattern === undefined && type.minLength === undefined && type.maxLength === undefined) ? null : type
}

/** Does what a step asks for. Calls that are all refused here lead to the next step at once: each time a turn is used up. */
function follow(state: State, task: TaskId, talk: Conversation, first: TalkStep): void {
  for (let step: TalkStep | null = first; step !== null; ) {
    switch (step.kind) {
      case 'wait':
        return stepAside(state, task, talk)
      case 'ask':
        talk.step = step
        talk.inputTokens = inputTokensAtMost(step.request, countedFor(state, talk))
        if (!comesBack(state, task)) state.toAsk.add(task)
        return
      case 'call':
        talk.step = step
        step = makeCalls(state, task, talk, step)
        continue
      case 'done':
        return attemptEnded(state, task, { kind: 'value', value: step.value })
      case 'failed':
        return attemptEnded(state, task, { kind: 'failure', failure: failures.talkEnded(pathOf(state, task), step.end, step.message, step.details) })
    }
  }
}

/** What was counted, where no other model may answer the next question: another one counts otherwise. */
function countedFor({ plan }: State, { model, counted }: Conversation): Counted | null {
  return modelChain(plan, model).every(key => key === counted?.model) ? counted : null
}

/** The next step, where each of the calls is refused. */
function makeCalls(state: State, task: TaskId, talk: Conversation, { calls }: Extract<TalkStep, { kind: 'call' }>): TalkStep | null {
  let next: TalkStep | null = null
  let desks = 0
  for (const { call } of calls) {
    const way = wayOf(state, task, talk, call)
    const refusal = callsUsedUp(state, task) ?? (way.kind === 'refused' ? way.why : way.kind === 'desk' && ++desks > MAX_OPEN_DESKS ? tooManyDesks : null) // C4
    if (refusal !== null) next = talk.talk!.finished(call, { kind: 'failure', message: refusal }, false)
    else {
      countCalls(state, task)
      state.out.push({ kind: 'call-for-agent', task, attempt: state.tasks.attempt[task]!, call })
    }
  }
  return next?.kind === 'wait' ? null : next
}

/** How a call is carried out. */
type Way =
  | { readonly kind: 'outside' }
  | { readonly kind: 'desk'; readonly delegated: Delegated }
  | { readonly kind: 'message'; readonly does: 'send' | 'receive' | 'listen'; readonly input: Readonly<Record<string, Value>> }
  | { readonly kind: 'refused'; readonly why: string }

function wayOf(state: State, task: TaskId, talk: Conversation, call: number): Way {
  const asked = callOf(state, task, call)
  if (asked === null) return { kind: 'refused', why: 'there is no such call' }
  const { tool, input } = asked
  const desk = (workflow: string, lead: TaskId | null = null): Way => ({ kind: 'desk', delegated: { call, tool, workflow, input, lead } })
  if (needsPerson(talk, tool, call)) { // C3
    const by = 'asked' in tool ? tool.asked : undefined
    return by === undefined ? { kind: 'refused', why: nobodyToAsk } : desk(by)
  }
  switch (tool.kind) {
    case 'function':
      return { kind: 'outside' }
    case 'workflow':
      return desk(tool.workflow)
    case 'ask-lead': {
      const around = deskAround(state, task)
      const key = around === null ? undefined : state.talks.get(around.task)?.key
      const workflow = key !== undefined && Object.hasOwn(tool.leads, key) ? tool.leads[key] : undefined
      if (around === null || workflow === undefined) return { kind: 'refused', why: noLead }
      return around.desk.asked.length >= MAX_LEAD_QUESTIONS ? { kind: 'refused', why: tooManyQuestions } : desk(workflow, around.task)
    }
    case 'message':
      return { kind: 'message', does: tool.does, input }
  }
}

const alwaysAsks = (tool: PlanTool): boolean => 'alwaysAsks' in tool && tool.alwaysAsks === true

function needsPerson({ step }: Conversation, tool: PlanTool, call: number): boolean {
  return alwaysAsks(tool) || (step?.kind === 'call' && step.calls.some(each => each.call === call && each.needsPerson))
}

const nobodyToAsk = 'refused: this conversation holds text from outside, and nobody can be asked whether this tool may be called'
const noLead = 'nobody delegated this to you, so there is nobody to ask: go on with what you have'
const tooManyQuestions = `refused: ${MAX_LEAD_QUESTIONS} questions were asked; go on with what you have`
const tooManyDesks = `refused: at most ${MAX_OPEN_DESKS} of these at once; ask for the rest in another turn`

/** What is said of a call beyond the limit of the agent, or of one around it; null where there is none. // C4 C5 */
function callsUsedUp(state: State, task: TaskId): string | null {
  for (let at: TaskId | null = task; at !== null; at = delegatorOf(state, at)) {
    const talk = state.talks.get(at)
    const most = talk === undefined ? undefined : limitOfAgent(state, at, talk.agent, 'calls')
    if (talk !== undefined && most !== undefined && talk.calls >= most) return `refused: the limit of ${most} calls of ${at === task ? 'this agent' : `\`${talk.agent.name}\``} is used up; answer with what you have`
  }
  return null
}

function countCalls(state: State, task: TaskId): void {
  for (let at: TaskId | null = task; at !== null; at = delegatorOf(state, at)) {
    const talk = state.talks.get(at)
    if (talk !== undefined) talk.calls++
  }
}

/** Whether a call is carried out inside the run: nothing is asked of the world for it but the record that it was begun. */
export function isCarriedOutInside(state: State, task: TaskId, call: number): boolean {
  const talk = state.talks.get(task)
  return talk !== undefined && callOf(state, task, call) !== null && wayOf(state, task, talk, call).kind !== 'outside'
}

/** The record says that a call was begun. True where it is carried out inside the run. */
export function agentCallBegun(state: State, task: TaskId, call: number): boolean {
  const talk = state.talks.get(task)
  if (talk?.step?.kind !== 'call' || talk.desks.has(call) || !talk.talk!.unfinished().some(each => each.call === call)) return false
  const way = wayOf(state, task, talk, call)
  if (way.kind === 'outside') return false
  const came = carryOut(state, task, talk, call, way)
  follow(state, task, talk, came === null ? { kind: 'wait' } : talk.talk!.finished(call, came.result, came.isTainted))
  return true
}

/** What came of a call at once; null: it takes its time. */
function carryOut(state: State, task: TaskId, talk: Conversation, call: number, way: Exclude<Way, { kind: 'outside' }>): { readonly result: CallResult; readonly isTainted: boolean } | null {
  const told = (result: CallResult) => ({ result, isTainted: false })
  switch (way.kind) {
    case 'refused':
      return told({ kind: 'failure', message: way.why })
    case 'desk': {
      const failed = openDesk(state, task, talk, way.delegated)
      return failed === null ? null : told(resultOf(failed))
    }
    case 'message': {
      const text = (name: string): string => (typeof way.input[name] === 'string' ? way.input[name] : '')
      if (way.does === 'receive') return receive(state, task, talk, call)
      return told(way.does === 'listen' ? listen(state, task, text('topic')) : send(state, task, talk, text('to'), text('text')))
    }
  }
}

/** What is carried out inside the run came to its end. */
export function callTold(state: State, task: TaskId, call: number, result: CallResult, isTainted: boolean): void {
  const talk = state.talks.get(task)
  if (talk?.step?.kind !== 'call') return
  talk.desks.delete(call)
  follow(state, task, talk, talk.talk!.finished(call, result, isTainted))
}

function toolOf({ agent }: Conversation, name: string): PlanTool | undefined {
  return agent.tools.find(each => each.name === name)
}

/** A question is recorded. */
export function modelAsked(state: State, { task, turn }: Extract<RunEvent, { kind: 'model-asked' }>): void {
  const talk = state.talks.get(task)
  if (talk?.step?.kind === 'ask' && talk.step.turn === turn) markAsked(state, task, talk)
}

/** A model answered, or none did. */
export function modelAnswered(state: State, task: TaskId, turn: number, outcome: ModelOutcome): void {
  const talk = state.talks.get(task)
  if (talk?.step?.kind !== 'ask' || talk.step.turn !== turn) return
  const { answerTokens } = markAsked(state, task, talk)
  if (outcome.kind === 'failure') {
    settleQuestion(talk, { tokens: 0, costMicros: 0 }, outcome.lost)
    return attemptEnded(state, task, outcome)
  }
  const { reply, model, lost } = outcome
  const price = priceOf(state.plan, model)
  const cost = spendingOf(reply.usage, price)
  settleQuestion(talk, cost, lost)
  count(state, task, cost)
  turnAnswered(state, talk.key, cost)
  talk.counted = countedBy(model, reply.usage, talk.step.request, talk.counted)
  if (talk.talk !== null) return follow(state, task, talk, talk.talk.replied(reply, { price, answerTokens }))
  talk.step = null
  summaryAnswered(state, task, talk, reply)
  beginOnceRecalled(state, task, talk)
}

function count(state: State, task: TaskId, { tokens, costMicros }: Spending): void {
  for (let at = payerOf(state, task); at !== null; at = payerOf(state, at)) { // C5
    const beside = state.talks.get(at)?.talk?.beside
    if (beside === undefined) continue
    beside.tokens += tokens
    beside.costMicros += costMicros
  }
  const before = state.spent.get(task)
  if (state.isDriven) { // what a fork took over was paid for by the other run
    state.usage.tokens += tokens
    state.usage.costMicros += costMicros
  }
  state.spent.set(task, { turns: (before?.turns ?? 0) + 1, tokens: (before?.tokens ?? 0) + tokens, costMicros: (before?.costMicros ?? 0) + costMicros })
}

/** What an answer cost. */
export function spendingOf(usage: ChatUsage, price: TalkSpec['price']): Spending {
  return { tokens: tokensOf(usage), costMicros: price === null ? 0 : costOf(usage, price) }
}

/** A call that a model asked for came to its end. */
export function agentCallFinished(state: State, task: TaskId, call: number, outcome: Outcome): void {
  const talk = state.talks.get(task)
  if (talk?.step?.kind === 'call') follow(state, task, talk, talk.talk!.finished(call, resultOf(outcome)))
}

/** An answer is not what was wanted: the agent is told what does not hold, as of an answer of the wrong type. */
export function objectiveMissed(state: State, task: TaskId, says: string): void {
  const talk = state.talks.get(task)!
  const isUntrusted = state.nodeOf(task).ensure?.some(each => each.isUntrusted === true) === true
  follow(state, task, talk, talk.talk!.missed(says, isUntrusted))
}

/** A question that is to be put to a model. */
export interface Question {
  /** Key of the agent that asks. */
  readonly agent: string
  /** Key of its model. */
  readonly model: string
  readonly request: Omit<ChatRequest, 'model'>
}

/** The question of the open turn; null where none is to be asked any more. */
export function questionOf(state: State, task: TaskId): Question | null {
  const talk = state.talks.get(task)
  if (talk?.step?.kind !== 'ask' || talk.open === null) return null
  return { agent: talk.key, model: talk.model, request: { ...talk.step.request, maxTokens: talk.open.answerTokens } }
}

/** A call that a model asked for, as the journal names it: one that is carried out inside the run as the model does. Null where there is none of that number. */
export function callNameOf(state: State, task: TaskId, call: number): string | null {
  const tool = callOf(state, task, call)?.tool
  return tool === undefined ? null : tool.kind === 'function' && !isCarriedOutInside(state, task, call) ? `${tool.module}.${tool.fn}` : tool.name
}

/** A call that a model asked for, of the types of the tool's parameters; null where it is not to be made any more. */
export function callOf(state: State, task: TaskId, call: number): { readonly tool: PlanTool; readonly input: Readonly<Record<string, Value>> } | null {
  const talk = state.talks.get(task)
  const open = talk?.step?.kind === 'call' ? talk.talk!.unfinished().find(each => each.call === call) : undefined
  const tool = open === undefined ? undefined : toolOf(talk!, open.tool)
  return tool === undefined ? null : { tool, input: open!.input }
}
