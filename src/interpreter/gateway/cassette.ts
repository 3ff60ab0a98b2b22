// Cassette: models that answer as they were recorded.
// Owns: which recorded answer a question gets, what is said where there is none. Does not own: the file (model/cassette.ts), what of a question counts (cassette-question.ts).
//   T1. A question gets the answer that was recorded for its agent and its hash: of several, the first unused one of the same task, else the first unused one. Each is
//       given once. Nothing is reached, and nothing waits.
//   T2. There is no answer to a question that differs: a recording that answers whatever is asked would prove nothing. What differs from the nearest recorded question
//       is said, so that it can be told whether the program is wrong or the recording old.
//   T3. The tokens that were used count as if they had been used now: limits hold in a replay as in the run.
import { type Difference, type Differences, differencesOf, pathText } from '#base/difference.ts'
import type { Json } from '#base/json.ts'
import { modelErrors } from '#diagnostics/catalog/model.ts'
import type { Cassette, CassetteTurn } from '#model/cassette.ts'
import type { ChatReply } from '#model/chat.ts'
import type { ModelOutcome } from '#model/event.ts'
import { isRetryable } from '#plugin-api/model-provider.ts'
import { blocksOf, type CassetteQuestion, hashOf, questionOf, questionsOf } from './cassette-question.ts'
import type { AskedModels, Question } from './models.ts'

/** Recorded questions that an unknown one is compared with. */
const MAX_COMPARED = 40
/** Places that are told of the nearest. */
const MAX_PLACES = 6
/** Of a value in the words. */
const MAX_VALUE_CHARACTERS = 300

interface Recorded {
  readonly task: string
  readonly number: number
  readonly turn: CassetteTurn
  /** The whole question, made when it is compared. */
  question(): CassetteQuestion
  isUsed: boolean
}

export class RecordedModels implements AskedModels {
  readonly isScripted = true
  private readonly byAgent = new Map<string, Recorded[]>()

  constructor(cassettes: readonly Cassette[]) {
    for (const conversation of cassettes.flatMap(each => each.conversations)) {
      const { agent, task, turns } = conversation
      const own = this.byAgent.get(agent) ?? []
      this.byAgent.set(agent, own)
      let questions: readonly CassetteQuestion[] | null = null
      turns.forEach((turn, index) => own.push({ task, number: index + 1, turn, question: () => (questions ??= questionsOf(conversation))[index]!, isUsed: false }))
    }
  }

  async ask({ agent, task, chain, request }: Question): Promise<ModelOutcome> {
    const hash = hashOf(request)
    const own = this.byAgent.get(agent) ?? []
    const same = own.filter(each => each.turn.request === hash)
    const unused = same.filter(each => !each.isUsed)
    const found = unused.find(each => each.task === task) ?? unused[0] // T1
    if (found === undefined) return same.length > 0 ? usedUp(agent, same.length) : this.unknown(agent, task, own, questionOf(request))
    found.isUsed = true
    return outcomeOf(found.turn, chain)
  }

  /** T2. */
  private unknown(agent: string, task: string | undefined, own: readonly Recorded[], question: CassetteQuestion): ModelOutcome {
    if (own.length === 0) return noRecording({ agent, what: 'nobody' }, [...this.byAgent.keys()].slice(0, MAX_PLACES).map(each => `The cassette holds what \`${each}\` was answered.`).join('\n'))
    const nearness = (each: Recorded): number => (each.isUsed ? 2 : 0) + (each.task === task ? 0 : 1)
    const near = [...own].sort((a, b) => nearness(a) - nearness(b)).slice(0, MAX_COMPARED)
    let best: { readonly recorded: Recorded; readonly differences: Differences; readonly distance: number } | null = null
    for (const recorded of near) {
      const other = recorded.question()
      const differences = differencesOf(other as unknown as Json, question as unknown as Json, MAX_PLACES)
      const distance = Math.abs(other.messages.length - question.messages.length) * MAX_PLACES + differences.places.length + nearness(recorded)
      if (best === null || distance < best.distance) best = { recorded, differences, distance }
    }
    const { recorded, differences } = best!
    const lines = [`nearest recorded question: turn ${recorded.number} of ${recorded.task}`, ...differences.places.flatMap(differenceLines), ...(differences.isMore ? ['… and more'] : [])]
    return noRecording({ agent, what: 'other' }, lines.join('\n'))
  }
}

function outcomeOf({ answered, failed }: CassetteTurn, chain: readonly string[]): ModelOutcome {
  if (answered === undefined) {
    const { code, message } = failed!
    const slug = code.slice('model/'.length)
    return { kind: 'failure', failure: { code, message, task: '', retryable: Object.hasOwn(modelErrors.entries, slug) && isRetryable(slug as Parameters<typeof isRetryable>[0]) }, lost: [] }
  }
  const { asked, content, stop, usage, model, requestId } = answered
  const reply: ChatReply = { content: blocksOf(content), stop, usage, model, ...(requestId === undefined ? {} : { requestId }) }
  return { kind: 'reply', reply, model: chain.includes(asked) ? asked : (chain[0] ?? asked), lost: [] } // T3
}

function usedUp(agent: string, count: number): ModelOutcome {
  return noRecording({ agent, what: 'again', count }, '')
}

function noRecording(about: Parameters<(typeof modelErrors)['no-recording']>[0], details: string): ModelOutcome {
  const { code, message, help } = modelErrors['no-recording'](about)
  return { kind: 'failure', failure: { code, message, task: '', retryable: false, ...(help[0] === undefined ? {} : { help: help[0] }), ...(details === '' ? {} : { details }) }, lost: [] }
}

function differenceLines({ path, kind, left, right }: Difference): string[] {
  return [`${pathText(path)}`, ...(kind === 'added' ? [] : [`  - ${shown(left)}`]), ...(kind === 'removed' ? [] : [`  + ${shown(right)}`])]
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}…` : text
}
