// Talks: conversations of agents as bodies of tasks: from the prompt to the value, by way of questions to models and calls of tools.
// Owns: what a conversation is made of, what its steps ask of the world. Does not own: how it goes on (talk/), when a question is asked (questions.ts), what
// follows from its end (attempt.ts).
//   C1. A conversation is one attempt: tried again, it begins again. It is folded from its events alone: no recorded turn is asked again.
//   C2. What its calls may do is bounded by the agent's levels, within those of the workflow that asks it.
//   C4. A call beyond the agent's own `limits { calls }` is refused in the same way: it may answer with what it has.
//   C3. A call that only a person could allow is refused, and a workflow as a tool: the agent is told why, and it costs a turn.
import type { ChatRequest, ChatUsage } from '#model/chat.ts'
import type { ModelOutcome, Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { PlanTool } from '#model/plan.ts'
import type { Type, Value } from '#model/type.ts'
import { agentOf, limitOfAgent, readRole } from './agent-role.ts'
import { attemptEnded } from './attempt.ts'
import { budgetOf, type Spending } from './budget.ts'
import { failures } from './failures.ts'
import { pathOf } from './path.ts'
import { answerTokensOf, dearestOf, markAsked, modelChain, priceOf, settleQuestion } from './questions.ts'
import type { Conversation, State } from './state.ts'
import { inputTokensAtMost } from './talk/size.ts'
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
  state.talks.set(task, { key: body.agent, agent, model: agent.model, budgets, prompt: null, levels: [], talk: null, step: null, calls: 0, inputTokens: 0, open: null, end: null })
}

/** What the agent is asked is worked out: what it is comes next. */
export function promptAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const talk = state.talks.get(task)
  if (talk === undefined || talk.prompt !== null) return
  if (outcome.kind === 'failure') return attemptEnded(state, task, outcome)
  talk.prompt = typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value)
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'role' })
}

/** Its role and authority are worked out: the conversation begins. */
export function roleAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const talk = state.talks.get(task)
  if (talk === undefined || talk.prompt === null || talk.talk !== null) return
  if (outcome.kind === 'failure') return attemptEnded(state, task, outcome)
  const { agent, model, budgets } = talk
  const unpriced = budgets.cost === null ? null : dearestOf(state.plan, modelChain(state.plan, model))
  if (typeof unpriced === 'string') return attemptEnded(state, task, { kind: 'failure', failure: failures.noPrice(pathOf(state, task), unpriced, budgets.cost!.workflow) })
  const { role, levels } = readRole(state, task, agent, outcome.value)
  talk.levels = levels // C2
  talk.talk = new Talk(specOf(state, task, talk, role))
  follow(state, task, talk, talk.talk.begin())
}

function specOf(state: State, task: TaskId, { agent, model, prompt }: Conversation, role: string): TalkSpec {
  const { plan } = state
  const { body, type } = state.nodeOf(task)
  const limit = (name: 'turns' | 'tokens' | 'costMicros'): number | undefined => limitOfAgent(state, task, agent, name)
  return {
    agent: agent.name, role, prompt: prompt!, isPromptUntrusted: body.kind === 'agent' && body.isUntrusted === true, before: [],
    tools: agent.tools.slice(0, MAX_TOOLS).map(({ name, doc, input, isUntrusted, isSink }) => ({ name, description: doc, input, isUntrusted, isSink })),
    answer: answerType(type),
    maxTurns: Math.min(limit('turns') ?? STANDARD_TURNS, MAX_TURNS), maxTokens: limit('tokens') ?? null, maxCostMicros: limit('costMicros') ?? null,
    answerTokens: answerTokensOf(plan, model), price: priceOf(plan, model), afterUntrusted: 'refuse',
  }
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
        return
      case 'ask':
        talk.step = step
        talk.inputTokens = inputTokensAtMost(step.request)
        state.toAsk.add(task)
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

/** The next step, where each of the calls is refused. */
function makeCalls(state: State, task: TaskId, talk: Conversation, { calls }: Extract<TalkStep, { kind: 'call' }>): TalkStep | null {
  const most = limitOfAgent(state, task, talk.agent, 'calls') ?? Infinity
  let next: TalkStep | null = null
  for (const { call, tool, needsPerson } of calls) {
    const refusal = needsPerson ? needsAPerson : toolOf(talk, tool)?.kind === 'workflow' ? noWorkflows : talk.calls >= most ? callsUsedUp(most) : null // C3 C4
    if (refusal !== null) next = talk.talk!.finished(call, { kind: 'failure', message: refusal })
    else {
      talk.calls++
      state.out.push({ kind: 'call-for-agent', task, attempt: state.tasks.attempt[task]!, call })
    }
  }
  return next?.kind === 'wait' ? null : next
}

const needsAPerson = 'refused: this conversation holds text from outside, and nobody can be asked whether this tool may be called'
const noWorkflows = 'run/not-available-yet: a workflow cannot be called as a tool by this version of tek'
const callsUsedUp = (most: number): string => `refused: the limit of ${most} calls of this agent is used up; answer with what you have`

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
  follow(state, task, talk, talk.talk!.replied(reply, { price, answerTokens }))
}

function count(state: State, task: TaskId, { tokens, costMicros }: Spending): void {
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

/** A failure in the words that the model is told. */
function resultOf(outcome: Outcome): CallResult {
  if (outcome.kind === 'value') return outcome
  const { code, message, help, details } = outcome.failure
  return { kind: 'failure', message: [`${code}: ${message}`, help, details].filter(each => each !== undefined).join('\n') }
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

/** A call that a model asked for, as the journal names it; null where there is none of that number. */
export function callNameOf(state: State, task: TaskId, call: number): string | null {
  const tool = callOf(state, task, call)?.tool
  return tool === undefined ? null : tool.kind === 'function' ? `${tool.module}.${tool.fn}` : tool.name
}

/** A call that a model asked for, of the types of the tool's parameters; null where it is not to be made any more. */
export function callOf(state: State, task: TaskId, call: number): { readonly tool: PlanTool; readonly input: Readonly<Record<string, Value>> } | null {
  const talk = state.talks.get(task)
  const open = talk?.step?.kind === 'call' ? talk.talk!.unfinished().find(each => each.call === call) : undefined
  const tool = open === undefined ? undefined : toolOf(talk!, open.tool)
  return tool === undefined ? null : { tool, input: open!.input }
}
