// Questions: when a conversation may ask its model, and what is set aside for that.
// Owns: what a question costs at most, the order of those that wait for room in a budget, what becomes of a question that is not answered.
// Does not own: what is asked (talk/), what the answer means (talks.ts).
//   Q1. A question is asked only when all that it may cost is set aside: what it holds at most and the longest answer, at the dearest price of the models that
//       may answer it.
//   Q2. One that finds too little room waits while others' questions hold some, and nobody passes it there; when none do, its answer may be as long as what is
//       left allows, at least LEAST_ANSWER_TOKENS; else the limit is reached: of its own limits it fails, at those of a workflow the run stops.
//   Q3. While the run stops, nothing is asked: a conversation goes on from there when the run does.
//   Q4. A question that was under way when a run broke off is asked again, in the same turn; it counts twice. // U2
import type { ChatFailureCode, LostAttempt } from '#model/chat.ts'
import type { Outcome, TaskId } from '#model/event.ts'
import { MAX_MODEL_CHAIN, type Plan, type PlanModel } from '#model/plan.ts'
import { conversationEnded, isPaused } from './agent-life.ts'
import { type Budget, setAside, settleBudgets, type Spending } from './budget.ts'
import { taintAround } from './delegation.ts'
import { failures } from './failures.ts'
import { leaveTeam } from './messages.ts'
import { pathOf } from './path.ts'
import type { Conversation, OpenQuestion, State } from './state.ts'
import { STANDARD_ANSWER_TOKENS } from './talk/spec.ts'

/** Tokens of an answer that is worth a question. */
const LEAST_ANSWER_TOKENS = 256
/** What goes into a provider's cache costs more than what is merely read. */
const CACHE_WRITE_FACTOR = 1.25

type Price = PlanModel['price']

/** Keys of a model and of those that answer where it cannot, in order. */
export function modelChain({ models }: Plan, key: string): readonly string[] {
  const chain: string[] = []
  for (let at: string | null = key; at !== null && chain.length < MAX_MODEL_CHAIN && !chain.includes(at) && models !== undefined && Object.hasOwn(models, at); at = models[at]!.fallback) chain.push(at)
  return chain
}

export function priceOf({ models }: Plan, key: string): Price {
  return models !== undefined && Object.hasOwn(models, key) ? models[key]!.price : null
}

/** The most tokens of an answer, as its model or tek bounds it. */
export function answerTokensOf({ models }: Plan, key: string): number {
  const own = models !== undefined && Object.hasOwn(models, key) ? models[key]!.answerTokens : null
  return own ?? STANDARD_ANSWER_TOKENS
}

/** The dearest prices of a chain; where one is unknown, its key. */
export function dearestOf(plan: Plan, chain: readonly string[]): { readonly inputMicros: number; readonly outputMicros: number } | string {
  let [inputMicros, outputMicros] = [0, 0]
  for (const key of chain) {
    const price = priceOf(plan, key)
    if (price === null) return key
    inputMicros = Math.max(inputMicros, price.inputMicros)
    outputMicros = Math.max(outputMicros, price.outputMicros)
  }
  return { inputMicros, outputMicros }
}

/** Asks whatever there is room for. // Q1 Q2 Q3 */
export function askReady(state: State): void {
  const blocked = new Set<Budget>()
  for (const task of state.toAsk) {
    if (state.isStopping || state.pendingStop !== null) return // Q3
    const talk = state.talks.get(task)!
    if (isPaused(state, talk.key)) continue
    const room = roomFor(state, talk, blocked)
    if (room.kind === 'wait') continue
    if (room.kind === 'ask') open(state, task, talk, room.answerTokens)
    else if (room.budget.workflow === null) {
      state.toAsk.delete(task)
      const whose = room.budget === talk.budgets[room.what] ? 'The agent' : 'An agent that delegated this'
      const message = `${whose} used up its limit of ${amount(room)}: what is left is too little for another question.`
      state.toEnd.push({ task, attempt: state.tasks.attempt[task]!, outcome: { kind: 'failure', failure: failures.talkEnded(pathOf(state, task), room.what, message, undefined) } })
    } else state.pendingStop = { detail: `\`${pathOf(state, task)}\` goes beyond the limit of ${amount(room)} in \`${room.budget.workflow}\`.`, isFinal: true, isAskedFor: false }
  }
}

interface Limit {
  readonly what: 'tokens' | 'cost'
  readonly budget: Budget
}

type Room = { readonly kind: 'ask'; readonly answerTokens: number } | { readonly kind: 'wait' } | ({ readonly kind: 'over' } & Limit)

function roomFor({ plan }: State, { model, step, budgets, inputTokens }: Conversation, blocked: Set<Budget>): Room {
  const wanted = step?.kind === 'ask' ? step.request.maxTokens : STANDARD_ANSWER_TOKENS
  const dearest = dearestOf(plan, modelChain(plan, model))
  const price = typeof dearest === 'string' ? null : dearest
  let answerTokens = wanted
  let over: Limit | null = null
  const look = (what: Limit['what'], first: Budget | null, fits: (room: number) => number): boolean => {
    for (let budget = first; budget !== null; budget = budget.parent) {
      const most = fits(budget.limit - budget.used - budget.reserved)
      const isBlocked = blocked.has(budget)
      if (most >= wanted && !isBlocked) continue
      if (isBlocked || budget.reserved > 0) { // Q2
        blocked.add(budget)
        return false
      }
      answerTokens = Math.min(answerTokens, most)
      if (over === null && most < Math.min(wanted, LEAST_ANSWER_TOKENS)) over = { what, budget }
    }
    return true
  }
  if (!look('tokens', budgets.tokens, room => room - inputTokens)) return { kind: 'wait' }
  if (price !== null && !look('cost', budgets.cost, room => answerWithin(room, inputTokens, price))) return { kind: 'wait' }
  if (over !== null) return { kind: 'over', ...(over as Limit) }
  return { kind: 'ask', answerTokens }
}

/** Q1. */
function spendingAtMost(plan: Plan, { model, inputTokens }: Conversation, answerTokens: number): Spending {
  const dearest = dearestOf(plan, modelChain(plan, model))
  return { tokens: inputTokens + answerTokens, costMicros: typeof dearest === 'string' ? 0 : costAtMost(inputTokens, answerTokens, dearest) }
}

function costAtMost(inputTokens: number, answerTokens: number, { inputMicros, outputMicros }: NonNullable<Price>): number {
  return Math.ceil((inputTokens * inputMicros * CACHE_WRITE_FACTOR + answerTokens * outputMicros) / 1_000_000)
}

/** Tokens of an answer that cost no more than this together with the question. */
function answerWithin(micros: number, inputTokens: number, price: NonNullable<Price>): number {
  const left = micros - costAtMost(inputTokens, 0, price)
  return left < 0 ? -1 : price.outputMicros === 0 ? Infinity : Math.floor((left * 1_000_000) / price.outputMicros)
}

function amount({ what, budget: { limit } }: Limit): string {
  return what === 'tokens' ? `${limit.toLocaleString('en')} tokens` : `$${limit / 1_000_000}`
}

function open(state: State, task: TaskId, talk: Conversation, answerTokens: number): void {
  const aside = spendingAtMost(state.plan, talk, answerTokens)
  state.toAsk.delete(task)
  talk.open = { answerTokens, aside, isRecorded: false }
  setAside(talk.budgets, aside)
  if (talk.step?.kind === 'ask') state.out.push({ kind: 'ask-model', task, attempt: state.tasks.attempt[task]!, turn: talk.step.turn })
}

/** The record says that a question was asked: here it may not have found room yet, because that depends on the order in which others were answered. */
export function markAsked(state: State, task: TaskId, talk: Conversation): OpenQuestion {
  if (talk.open === null) open(state, task, talk, talk.step?.kind === 'ask' ? talk.step.request.maxTokens : STANDARD_ANSWER_TOKENS)
  talk.open!.isRecorded = true
  return talk.open!
}

/** Attempts that may have been paid for, though nothing came of them. */
const mayBePaid: ReadonlySet<ChatFailureCode> = new Set(['timed-out', 'cut-off', 'cancelled'])

/** A question came to its end. `cost`: what its answer cost, if there is one. */
export function settleQuestion(talk: Conversation, cost: Spending, lost: readonly LostAttempt[]): void {
  const { open: question, budgets } = talk
  if (question === null) return
  const again = lost.filter(({ code }) => mayBePaid.has(code)).length // U2
  settleBudgets(budgets, question.aside, { tokens: cost.tokens + again * question.aside.tokens, costMicros: cost.costMicros + again * question.aside.costMicros })
  talk.open = null
}

/** Nothing will be heard of a question any more. // U2 */
function loseQuestion(talk: Conversation): void {
  const { open: question, budgets } = talk
  if (question === null) return
  settleBudgets(budgets, question.aside, question.isRecorded ? question.aside : { tokens: 0, costMicros: 0 })
  talk.open = null
}

/** The run goes on: what was being asked is asked again. // Q4 */
export function askAgain(state: State): void {
  for (const [task, talk] of state.talks) {
    if (talk.open === null) continue
    loseQuestion(talk)
    state.toAsk.add(task)
  }
}

/** An attempt that an agent does is over; without an outcome, it is given up. */
export function closeTalk(state: State, task: TaskId, outcome: Outcome | null = null): void {
  const talk = state.talks.get(task)
  if (talk === undefined) return
  talk.end = outcome
  conversationEnded(state, talk.key, outcome)
  if (talk.talk?.isTainted === true) taintAround(state, task)
  leaveTeam(state, task, talk)
  loseQuestion(talk)
  state.talks.delete(task)
  state.toAsk.delete(task)
}
