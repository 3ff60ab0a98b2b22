// Talk: one conversation of an agent with its model and its tools. Pure: replies and results in, the next step out.
// Owns: whose turn it is, what is asked next, when and why it ends. Does not own: asking (gateway), calling (guard), budgets of those around it (engine).
//   K1. The same replies and results in the same order give the same steps: a conversation is read back from its record without asking again.
//   K2. A tool is called only where the model stopped to call it, and only with arguments of its parameters' types; anything else is answered by an error that says
//       what is wrong, and costs a turn.
//   K3. Results go back together, in the order of the calls, when the last of them is there.
//   K4. Near a limit the model gets one turn to answer with what it has, without tools; then it ends, and says at which limit.
//   K5. Once text from outside is in the conversation, a tool that acts on the world is refused, or a person is asked, as the program says. The mark stays.
//   K7. An answer that is not what was wanted is mended as one that is not of its type: both together at most MAX_REPAIRS times.
//   K8. What comes from outside is shown to a model cleaned, and between marks that say what it is; a prompt that holds some, cleaned.
//   K9. What would not fit into the model is made room for, as far as results can be shortened. // shorten.ts
//   K6. The same calls with the same results, MAX_REPEATS times in a row, end it.
import { canonicalJson } from '#base/json.ts'
import { type ChatBlock, type ChatMessage, type ChatReply, type ChatRequest, type ChatUsage, noUsage } from '#model/chat.ts'
import type { Type, Value } from '#model/type.ts'
import { fromJsonValue } from '#types/codec.ts'
import { toJsonSchema } from '#types/json-schema.ts'
import { validate } from '#types/validate.ts'
import { answerSchema, missedWords, quoted, readAnswer, repairWords, textOf } from './answer.ts'
import { type Letter, letterWords } from './letter.ts'
import { cleaned, fromOutside } from './outside-text.ts'
import { fitted } from './shorten.ts'
import { MAX_CALLS_A_TURN, MAX_REPAIRS, MAX_REPEATS, MAX_SHOWN_LENGTH, type TalkCall, type TalkSpec, type TalkTool } from './spec.ts'

/** Tokens that are kept back for the last answer. */
const WRAP_UP_TOKENS = 2_000
const WRAP_UP_WORDS = 'This is your last turn: no more tools. Answer now, as well as you can with what you have.'

export type TalkEnd = 'turns' | 'tokens' | 'cost' | 'refusal' | 'repeats' | 'answer-cut-off' | 'wrong-answer' | 'objective-missed' | 'context-full'

export type TalkStep =
  /** Turns are counted from 1. */
  | { readonly kind: 'ask'; readonly turn: number; readonly request: Omit<ChatRequest, 'model'> }
  /** To be called, side by side. `needsPerson`: only after a person allowed it. */
  | { readonly kind: 'call'; readonly calls: readonly (TalkCall & { readonly needsPerson: boolean })[] }
  /** For results that are not there yet. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly end: TalkEnd; readonly message: string; readonly details?: string }

/** What came of a call. */
export type CallResult = { readonly kind: 'value'; readonly value: Value } | { readonly kind: 'failure'; readonly message: string }

interface OpenCall {
  readonly call: number
  readonly id: string
  readonly tool: TalkTool | null
  readonly input: Value
  result: CallResult | null
  /** The result may hold what the outside said. */
  isOutside: boolean
}

export class Talk {
  readonly spec: TalkSpec
  readonly messages: ChatMessage[]
  /** Turns that were answered. */
  turns = 0
  usage: ChatUsage = noUsage
  costMicros = 0
  /** What those that it delegated to have spent. // K4 */
  readonly beside = { tokens: 0, costMicros: 0 }
  /** K5. */
  isTainted: boolean
  /** What others told it and it has not read: it does with its next question. */
  readonly letters: Letter[] = []
  private readonly tools: ReadonlyMap<string, TalkTool>
  /** As every question shows them: the same objects, so that nobody works them out twice. */
  private readonly shownTools: ChatRequest['tools']
  private readonly shownAnswer: NonNullable<ChatRequest['answer']> | null
  private open: OpenCall[] = []
  private calls = 0
  private repairs = 0
  private last = ''
  private repeats = 0
  private isWrappingUp = false
  private lastTurnTokens = 0
  /** Messages that the last turn's tokens are of. */
  private countedMessages = 0
  /** Of the last answer. */
  private lastText = ''

  constructor(spec: TalkSpec) {
    this.spec = spec
    this.tools = new Map(spec.tools.map(tool => [tool.name, tool]))
    this.shownTools = spec.tools.map(({ name, description, input }) => ({ name, description, input: toJsonSchema(input) as ChatRequest['tools'][number]['input'] }))
    this.shownAnswer = spec.answer === null ? null : { name: 'answer', schema: answerSchema(spec.answer) }
    this.isTainted = spec.isPromptUntrusted
    this.messages = [...spec.before]
    this.say(spec.isPromptUntrusted ? cleaned(spec.prompt).text : spec.prompt) // K8
  }

  /** The first step. */
  begin(): TalkStep {
    return this.ask()
  }

  /**
   * A model answered.
   *
   * @param asked what was settled when it was asked: the price of the model that answered, the most tokens of this answer; absent: as the spec says.
   */
  replied(reply: ChatReply, asked: { readonly price: TalkSpec['price']; readonly answerTokens: number } = this.spec): TalkStep {
    this.turns++
    this.count(reply.usage, asked.price)
    this.messages.push({ role: 'assistant', content: reply.content })
    this.countedMessages = this.messages.length
    switch (reply.stop) {
      case 'refusal':
        return { kind: 'failed', end: 'refusal', message: 'The model refused to answer.', details: quoted(textOf(reply)) }
      case 'context-full':
        return { kind: 'failed', end: 'context-full', message: 'The conversation is longer than the model can hold.' }
      case 'max-tokens':
        return { kind: 'failed', end: 'answer-cut-off', message: `The answer is longer than ${asked.answerTokens} tokens.`, details: quoted(textOf(reply)) }
      case 'tool-use':
        return this.isWrappingUp ? this.overLimit() : this.called(reply.content) // K2
      default:
        return this.answered(textOf(reply))
    }
  }

  /**
   * A call came to its end.
   *
   * @param isUntrusted whether its result holds text from outside; absent: as its tool says.
   */
  finished(call: number, result: CallResult, isUntrusted?: boolean): TalkStep {
    const found = this.open.find(each => each.call === call)
    if (found === undefined || found.result !== null) return { kind: 'wait' }
    found.result = result
    found.isOutside = isUntrusted ?? found.tool?.isUntrusted === true
    if (found.isOutside) this.isTainted = true // K5: a failure may say what the outside said
    return this.open.every(each => each.result !== null) ? this.handBack() : { kind: 'wait' }
  }

  /**
   * The answer is not what was wanted, though it is of its type. // K7
   *
   * @param says what does not hold, in the words of the program.
   * @param isUntrusted whether these words hold text from outside.
   */
  missed(says: string, isUntrusted = false): TalkStep {
    const failed = (why: string): TalkStep => ({ kind: 'failed', end: 'objective-missed', message: `The answer is not what was wanted${why}: ${quoted(says)}`, details: quoted(this.lastText) })
    if (this.repairs >= MAX_REPAIRS) return failed(`, after ${MAX_REPAIRS} repairs`)
    if (this.isWrappingUp || this.limitReached() !== null) return failed(', and there is no turn left to mend it')
    this.repairs++
    if (isUntrusted) this.isTainted = true // K5
    this.say(missedWords(isUntrusted ? fromOutside(quoted(says)) : quoted(says))) // K8
    return this.ask()
  }

  /** What was said so far, with what is known of the calls under way. */
  transcript(): ChatMessage[] {
    return this.open.length === 0 ? this.messages.slice() : [...this.messages, { role: 'user', content: this.open.map(resultBlock) }]
  }

  /** Calls without a result, which are made again when a run goes on. */
  unfinished(): readonly TalkCall[] {
    return this.open.flatMap(each => (each.result === null && each.tool !== null ? [{ call: each.call, tool: each.tool.name, input: each.input as TalkCall['input'] }] : []))
  }

  private ask(): TalkStep {
    const over = this.limitReached()
    if (over !== null) return this.isWrappingUp ? this.overLimit() : this.failedFor(over)
    const { role, tools, answerTokens } = this.spec
    for (const letter of this.letters.splice(0)) {
      this.say(letter.isTainted ? fromOutside(letterWords(letter)) : letterWords(letter)) // K8
      if (letter.isTainted) this.isTainted = true // K5
    }
    this.isWrappingUp = this.isLastTurn()
    if (this.isWrappingUp && this.turns > 0) this.say(WRAP_UP_WORDS) // K4
    this.makeRoom()
    return {
      kind: 'ask', turn: this.turns + 1,
      request: {
        system: role, messages: this.messages.slice(), maxTokens: answerTokens,
        tools: this.shownTools,
        ...(this.isWrappingUp && tools.length > 0 ? { toolChoice: 'none' as const } : {}),
        ...(this.shownAnswer === null ? {} : { answer: this.shownAnswer }),
      },
    }
  }

  /** K9. */
  private makeRoom(): void {
    const { contextTokens, answerTokens, role } = this.spec
    if (contextTokens === undefined) return
    const fitting = fitted(this.messages, { system: role, tools: this.shownTools }, { contextTokens, answerTokens, countedTokens: this.lastTurnTokens, counted: this.countedMessages })
    if (fitting !== this.messages) this.messages.splice(0, this.messages.length, ...fitting)
  }

  /** Adds words of tek's own to what goes to the model next. */
  private say(text: string): void {
    const last = this.messages.at(-1)
    if (last?.role === 'user') this.messages[this.messages.length - 1] = { role: 'user', content: [...last.content, { kind: 'text', text }] }
    else this.messages.push({ role: 'user', content: [{ kind: 'text', text }] })
  }

  private answered(text: string): TalkStep {
    const { answer } = this.spec
    this.lastText = text
    const read = readAnswer(answer, text)
    if (read.kind === 'value') return { kind: 'done', value: read.value }
    if (this.repairs >= MAX_REPAIRS) return { kind: 'failed', end: 'wrong-answer', message: `The answer is not of its type, after ${MAX_REPAIRS} repairs: ${read.problem}.`, details: quoted(text) }
    this.repairs++
    this.say(repairWords(read.problem, answer === null ? null : answerSchema(answer)))
    return this.ask()
  }

  private called(content: readonly ChatBlock[]): TalkStep {
    this.open = []
    for (const block of content) {
      if (block.kind !== 'tool-use') continue
      const tool = this.tools.get(block.name) ?? null
      const open: OpenCall = { call: this.calls++, id: block.id, tool, input: block.input, result: null, isOutside: false }
      const refusal = this.open.length >= MAX_CALLS_A_TURN ? `more than ${MAX_CALLS_A_TURN} calls at once; ask for the rest in another turn` : this.refusalOf(block, tool)
      this.open.push(open)
      if (refusal !== null) open.result = { kind: 'failure', message: refusal }
      else this.open[this.open.length - 1] = { ...open, input: asValue(tool!.input, block.input) }
    }
    if (this.open.length === 0) return this.answered(textOf({ content })) // it stopped for a tool and named none
    if (this.open.every(each => each.result !== null)) return this.handBack()
    const calls = this.open.filter(each => each.result === null).map(({ call, tool, input }) => ({
      call, tool: tool!.name, input: input as TalkCall['input'], needsPerson: this.isTainted && tool!.isSink && this.spec.afterUntrusted === 'ask',
    }))
    return { kind: 'call', calls }
  }

  /** Why a call is not made; null when it is. // K2 K5 */
  private refusalOf(block: Extract<ChatBlock, { kind: 'tool-use' }>, tool: TalkTool | null): string | null {
    if (tool === null) return `there is no tool \`${block.name}\`; there are: ${[...this.tools.keys()].join(', ')}`
    if (block.problem !== undefined) return block.problem
    const unknown = unknownArgument(tool, block.input)
    if (unknown !== null) return `there is no argument \`${unknown}\`; there are: ${Object.keys(tool.input.kind === 'record' ? tool.input.fields : {}).join(', ')}`
    const read = fromJsonValue(tool.input, block.input)
    if ('problem' in read) return `its arguments do not fit: ${read.problem}`
    const problem = validate(tool.input, read.value)
    if (problem !== null) return `its arguments do not fit, at \`${problem.path}\`: ${problem.message}`
    if (this.isTainted && tool.isSink && this.spec.afterUntrusted === 'refuse') return 'refused: this conversation holds text from outside, and this tool acts on the world'
    return null
  }

  /** K3. */
  private handBack(): TalkStep {
    const content = this.open.map(resultBlock)
    const action = canonicalJson(this.open.map(({ tool, input, result }) => [tool?.name ?? null, input, result as unknown as Value]) as unknown as Value)
    this.repeats = action === this.last ? this.repeats + 1 : 1
    this.last = action
    this.open = []
    this.messages.push({ role: 'user', content })
    if (this.repeats >= MAX_REPEATS) return { kind: 'failed', end: 'repeats', message: `The agent did the same thing ${MAX_REPEATS} times in a row, with the same outcome.`, details: quoted(action) } // K6
    return this.ask()
  }

  private count(usage: ChatUsage, price: TalkSpec['price']): void {
    const add = (key: keyof ChatUsage): number => this.usage[key] + usage[key]
    this.usage = { input: add('input'), output: add('output'), cacheRead: add('cacheRead'), cacheWrite: add('cacheWrite'), thinking: add('thinking') }
    this.lastTurnTokens = tokensOf(usage)
    if (price !== null) this.costMicros += costOf(usage, price)
  }

  /** Of all its turns. */
  get tokens(): number {
    return tokensOf(this.usage)
  }

  private limitReached(): 'turns' | 'tokens' | 'cost' | null {
    const { maxTurns, maxTokens, maxCostMicros } = this.spec
    if (this.turns >= maxTurns) return 'turns'
    if (maxTokens !== null && this.tokens + this.beside.tokens >= maxTokens) return 'tokens'
    return maxCostMicros !== null && this.costMicros + this.beside.costMicros >= maxCostMicros ? 'cost' : null
  }

  /** Whether what is left is enough for one more turn and no other. // K4 */
  private isLastTurn(): boolean {
    const { maxTurns, maxTokens, maxCostMicros } = this.spec
    if (this.turns === maxTurns - 1) return true
    if (this.turns === 0) return false
    const next = this.lastTurnTokens + WRAP_UP_TOKENS
    if (maxTokens !== null && maxTokens - this.tokens - this.beside.tokens < 2 * next) return true
    return maxCostMicros !== null && maxCostMicros - this.costMicros - this.beside.costMicros < (2 * this.costMicros) / this.turns
  }

  private overLimit(): TalkStep {
    return this.failedFor(this.limitReached() ?? (this.turns >= this.spec.maxTurns ? 'turns' : this.spec.maxTokens !== null ? 'tokens' : 'cost'))
  }

  private failedFor(end: 'turns' | 'tokens' | 'cost'): TalkStep {
    const { maxTurns, maxTokens, maxCostMicros } = this.spec
    const limit = end === 'turns' ? `${maxTurns} turns` : end === 'tokens' ? `${maxTokens} tokens` : `$${(maxCostMicros ?? 0) / 1_000_000}`
    return { kind: 'failed', end, message: `The agent used up its limit of ${limit} without an answer.` }
  }
}

function resultBlock({ id, result, isOutside }: OpenCall): ChatBlock {
  const text = shown(result === null ? 'This is being worked on.' : result.kind === 'value' ? asText(result.value) : result.message)
  return { kind: 'tool-result', id, isError: result?.kind === 'failure', content: [{ kind: 'text', text: isOutside && result !== null ? fromOutside(text) : text }] } // K8
}

/** Tokens of a usage, all kinds together. */
export function tokensOf({ input, output, cacheRead, cacheWrite }: ChatUsage): number {
  return input + output + cacheRead + cacheWrite
}

/** Micro-dollars, rounded up. What a cache holds is counted at the full price where nothing else is known: never less than it costs. */
export function costOf({ input, output, cacheRead, cacheWrite }: ChatUsage, { inputMicros, outputMicros }: { readonly inputMicros: number; readonly outputMicros: number }): number {
  return Math.ceil(((input + cacheRead) * inputMicros + cacheWrite * inputMicros * 1.25 + output * outputMicros) / 1_000_000)
}

function asValue(type: Type, input: Value): Value {
  const read = fromJsonValue(type, input)
  return 'problem' in read ? input : read.value
}

function unknownArgument({ input: type }: TalkTool, input: Value): string | null {
  if (type.kind !== 'record' || typeof input !== 'object' || input === null || Array.isArray(input)) return null
  return Object.keys(input).find(name => !Object.hasOwn(type.fields, name)) ?? null
}

function asText(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The beginning and the end of what is too long. */
function shown(text: string): string {
  if (text.length <= MAX_SHOWN_LENGTH) return text
  const half = MAX_SHOWN_LENGTH / 2
  return `${text.slice(0, half)}\n… ${(text.length - MAX_SHOWN_LENGTH).toLocaleString('en')} characters left out …\n${text.slice(-half)}`
}
