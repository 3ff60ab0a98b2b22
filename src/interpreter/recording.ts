// Recording: the cassette of a run, from its record.
// Owns: which questions are in it, in what order, how they are told apart. Does not own: the form of one (gateway/cassette-question.ts), writing the file.
//   R1. It is made of the plan and the events alone: also of a run that failed, was stopped, or went on in another process; every answer of the record is in it.
//   R2. Conversations are in the order of their tasks' paths, items by number: two recordings of one run differ only in what was said.
//   R3. No secret is in it: texts are as they were sent, which is after redaction, and they are redacted here once more with what is known at the end.
import { canonicalJson, type Json } from '#base/json.ts'
import { type Cassette, type CassetteConversation, type CassetteMessage, type CassetteTurn, cassetteVersion } from '#model/cassette.ts'
import type { ModelOutcome, RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { pathOf } from './engine/path.ts'
import { initialState, type State } from './engine/state.ts'
import { questionOf as askedIn, type Question } from './engine/talks.ts'
import { transition } from './engine/transition.ts'
import { unbounded } from './find-task.ts'
import { hashOf, keptMessage, questionOf, wholeBlocks } from './gateway/cassette-question.ts'
import { mapTexts } from './secrets/stand-in.ts'

const DAY_LENGTH = 'yyyy-mm-dd'.length

interface Open {
  readonly conversation: Omit<CassetteConversation, 'turns'>
  readonly turns: CassetteTurn[]
  /** As the next question would begin if nothing of it were left out. */
  messages: readonly CassetteMessage[]
}

/**
 * What the models of a run were asked and answered.
 *
 * @param redact takes every secret out of a text.
 */
export function cassetteOf(plan: Plan, program: string, events: Iterable<RunEvent>, redact: (text: string) => string): Cassette {
  const state = initialState(plan, unbounded)
  const all: Open[] = []
  const open = new Map<number, Open>()
  let [workflow, atMs] = ['', 0]
  for (const event of events) {
    if (event.kind === 'run-started') [workflow, atMs] = [event.workflow, event.atMs]
    if (event.kind === 'model-answered') {
      const question = currentQuestion(state, event)
      if (question !== null) {
        const before = event.turn === 1 ? undefined : open.get(event.task)
        const now = before?.conversation.agent === question.agent ? before : begun(question, pathOf(state, event.task), redact)
        if (now !== before) {
          all.push(now)
          open.set(event.task, now)
        }
        addTurn(now, question, event.outcome, redact)
      }
    }
    transition(state, event)
  }
  const conversations = all.filter(({ turns }) => turns.length > 0).sort((a, b) => inOrder(a.conversation.task, b.conversation.task)) // R2
  return {
    cassette: cassetteVersion, program, workflow: plan.workflows[workflow]?.name ?? workflow, recorded: new Date(atMs).toISOString().slice(0, DAY_LENGTH),
    conversations: conversations.map(({ conversation, turns }) => ({ ...conversation, turns })),
  }
}

function currentQuestion(state: State, { task, attempt, turn }: Extract<RunEvent, { kind: 'model-answered' }>): Question | null {
  const talk = task < state.tasks.size && state.tasks.attempt[task] === attempt ? state.talks.get(task) : undefined
  return talk?.step?.kind === 'ask' && talk.step.turn === turn ? askedIn(state, task) : null
}

/** R3. */
function redacted<Data>(data: Data, redact: (text: string) => string): Data {
  return mapTexts(data as unknown as Value, redact) as unknown as Data
}

function begun({ agent, request }: Question, task: string, redact: (text: string) => string): Open {
  const { role, tools, answer } = questionOf(redacted(request, redact))
  return { conversation: { agent, task, role, tools, answer }, turns: [], messages: [] }
}

function addTurn(open: Open, { request: asked }: Question, given: ModelOutcome, redact: (text: string) => string): void {
  const [request, outcome] = [redacted(asked, redact), redacted(given, redact)]
  const said = saidOf(outcome)
  if (said === null) return
  const { messages, toolChoice } = questionOf(request)
  const kept = commonStart(open.messages, messages)
  open.turns.push({
    request: hashOf(request), ...(kept === open.messages.length ? {} : { keeps: kept }), asked: messages.slice(kept), ...(toolChoice === undefined ? {} : { toolChoice }), ...said,
  })
  open.messages = outcome.kind === 'reply' ? [...messages, keptMessage({ role: 'assistant', content: outcome.reply.content })] : messages
}

/** Null where a model was not asked after all: what kept it from being asked is no answer. */
function saidOf(outcome: ModelOutcome): Pick<CassetteTurn, 'answered' | 'failed'> | null {
  if (outcome.kind === 'reply') {
    const { content, ...reply } = outcome.reply
    return { answered: { asked: outcome.model, ...reply, content: wholeBlocks(content) } }
  }
  const { code, message } = outcome.failure
  return code.startsWith('model/') && code !== 'model/cancelled' ? { failed: { code, message } } : null
}

function commonStart(before: readonly CassetteMessage[], now: readonly CassetteMessage[]): number {
  let count = 0
  while (count < before.length && count < now.length && canonicalJson(before[count] as unknown as Json) === canonicalJson(now[count] as unknown as Json)) count++
  return count
}

/** By names and numbers on the way: `a[2]` before `a[10]`. */
function inOrder(a: string, b: string): number {
  const [left, right] = [a.split(/(\d+)/), b.split(/(\d+)/)]
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x, y] = [left[at]!, right[at]!]
    if (x !== y) return at % 2 === 1 && Number(x) !== Number(y) ? Number(x) - Number(y) : x < y ? -1 : 1
  }
  return left.length - right.length
}
