// Agent cost: the most that one execution of an agent can spend.
// Owns: turns, answers, tools, those it leads. Does not own: how often it is asked (worst-case.ts), its model's price (models.ts).
//   A1. An agent answers at most `turns` times, and twice more to mend an answer that does not fit its type or is not what was wanted. Without tools and agents to lead
//       one turn is all there is. One that puts what it remembers into few words is asked once more for it.
//   A2. In one turn a model may ask for several tools: only `limits { calls }` bounds them. An agent that is led is a tool like any other, and so are a vote and a
//       question to the lead.
//   A3. Tokens and money of an agent's limits hold for all that it hands on. So do its calls for those of the conversations beneath it, not for those that the tasks of
//       a workflow make: they are the workflow's.
//   A4. What a lead is asked back is spent within the lead's limits: it is added to what the asking agent may spend by its own.
//   A5. All tokens within an agent's limit cost at most what the dearest model of its team asks for them.
import type { FunctionSignature } from '#model/signature.ts'
import type { Sym } from '../../2-resolve/program.ts'
import { askedWhen, leadsOf, teamDeed } from '../team.ts'
import { ledBy, toolsOf } from '../trust/intake.ts'
import { type Bound, capped, counted, larger, one, plus, type Site, smaller, times, unbounded, zero } from './bound.ts'
import { startsPrograms as isProgram } from './calls-in.ts'
import { type AgentCost, type Cases, limitsOf } from './cost.ts'
import { modelFacts, type ModelFacts } from './models.ts'
import { addAmounts, type Amounts, amounts, maxAmounts, nothing, timesAmounts } from './spending.ts'

/** Turns in which an answer is mended that does not fit its type, or is not what was wanted. */
export const REPAIR_TURNS = 2

export function agentSpending(cases: Cases, symbol: Sym<'agent'>): AgentCost {
  const { name, declaration, unit } = symbol
  const limits = limitsOf(symbol)
  const of = `\`${name}\``
  const site: Site = { unit, span: declaration.name }
  const tools = declaration.body.flatMap(member => (member.kind === 'agent-tools' ? member.tools : []))
  const led = ledBy(symbol)
  const model = modelOf(symbol)
  const isAlone = tools.length === 0 && led.length === 0
  const turns = typeof limits['turns'] === 'number' ? counted(limits['turns'], `turns of ${of}`, site)
    : isAlone ? one : unbounded(`${of} has no \`limits { turns }\``, site)
  const besides = REPAIR_TURNS + (declaration.body.some(member => member.kind === 'agent-memory' && member.summarises) ? 1 : 0)
  const modelCalls = model === null ? zero : { ...plus(turns, counted(besides, 'turns to mend an answer', site)), isWhole: true, ...whole(turns, besides, of, site) } // A1
  const often = tools.length === 0 ? 'may ask its agents as often as it likes' : 'may call several tools in a turn'
  const toolCalls = isAlone ? zero : capped(unbounded(`${of} ${often}, and has no \`limits { calls }\``, site), limits.calls, 'calls', of) // A2
  const { inside, asked, ledCalls, delegates, startsPrograms, ledPrice, leadPrice } = beneath(cases, symbol, led)
  const handedOn = timesAmounts(toolCalls, inside)
  const talkCalls = capped(plus(toolCalls, times(toolCalls, ledCalls)), limits.calls, 'calls', of) // A3
  const tokens = tokensOf(model, modelCalls, of, site)
  const free = model?.microsPerMillion === 0
  if (model?.isListed === true) cases.usesPrices = true
  const ownTokens = capped(tokens, limits.tokens, 'tokens', of)
  const cost = model === null || free ? zero
    : model.microsPerMillion === null ? unbounded(`nobody has said what the model of ${of} costs: \`price: { input: $3, output: $15 }\` does, or \`limits { cost }\` bounds it`, site)
    : ownTokens.open !== null ? ownTokens : { ...ownTokens, amount: Math.ceil((ownTokens.amount * model.microsPerMillion) / 1_000_000), factors: [], isWhole: true }
  const allTokens = capped(plus(tokens, handedOn.tokens), limits.tokens, 'tokens', of)
  const dearest = Math.max(priceOf(model), ledPrice)
  const allCost = plus(cost, handedOn.costMicros)
  const atDearest = allTokens.open === null && dearest < Infinity ? { ...one, amount: Math.ceil((allTokens.amount * dearest) / 1_000_000) } : allCost // A5
  const own: Amounts = {
    ...handedOn, modelCalls: plus(modelCalls, handedOn.modelCalls), calls: plus(talkCalls, handedOn.calls), programs: startsPrograms ? plus(toolCalls, handedOn.programs) : handedOn.programs,
    tokens: flat(allTokens, of, site, 'tokens'),
    costMicros: flat(capped(smaller(allCost, atDearest), limits.costMicros, 'cost', of), of, site, 'cost'),
  }
  const most = asked === nothing ? own : addAmounts(own, timesAmounts(toolCalls, asked)) // A4
  // What the declaration itself sets aside for one execution.
  const sure = amounts({ tokens: flat(declared(limits.tokens), of, site, 'tokens'), costMicros: free ? zero : flat(declared(limits.costMicros), of, site, 'cost') })
  return { spending: { most, sure, each: nothing }, talkCalls, workCalls: handedOn.calls, delegates, dearest: Math.max(dearest, leadPrice), timeMs: timeOf(model, modelCalls, isAlone, limits.timeMs, of, site) }
}

const declared = (amount: number | undefined): Bound => (amount === undefined ? zero : { ...one, amount })

/** One execution as a single factor, whatever it is made of. */
function flat(bound: Bound, of: string, at: Site, unit: 'tokens' | 'cost'): Bound {
  if (bound.open !== null || bound.amount === 0) return bound
  return counted(bound.amount, `for each execution of ${of}`, at, unit)
}

function whole(turns: Bound, besides: number, of: string, at: Site): Partial<Bound> {
  return turns.open !== null ? {} : { factors: counted(turns.amount + besides, `answers of ${of}`, at).factors }
}

function tokensOf(model: ModelFacts | null, modelCalls: Bound, of: string, site: Site): Bound {
  if (model === null) return zero
  if (model.tokensPerCall === null) return unbounded(`${of} has no \`limits { tokens }\`, and nobody knows how much its model takes in at once`, site)
  return times(modelCalls, counted(model.tokensPerCall, 'an answer', site, 'tokens'))
}

function timeOf(model: ModelFacts | null, modelCalls: Bound, isAlone: boolean, limitMs: number | undefined, of: string, site: Site): Bound {
  const answers = model === null ? zero : model.timeoutMs === null ? unbounded(`${of} has no \`limits { time }\``, site) : times(modelCalls, counted(model.timeoutMs, 'an answer', site, 'time'))
  const all = isAlone ? answers : unbounded(`${of} has no \`limits { time }\`, and nobody knows how long its tools take`, site)
  return limitMs === undefined ? all : smaller(all, counted(limitMs, `of ${of}`, site, 'time'))
}

interface Beneath {
  /** The most that one call of a tool comes to, besides the call itself and those of conversations beneath it. */
  readonly inside: Amounts
  /** The same for what is spent within the limits of whoever leads it. */
  readonly asked: Amounts
  /** Calls of the conversations that one call of a tool opens. */
  readonly ledCalls: Bound
  /** Tasks are carried out within its conversation. */
  readonly delegates: boolean
  /** One of its own tools starts a program. */
  readonly startsPrograms: boolean
  /** Micro-dollars per million tokens of the dearest model beneath it, and of whoever it may ask back; Infinity where nobody knows. */
  readonly ledPrice: number
  readonly leadPrice: number
}

const priceOf = (model: ModelFacts | null): number => (model === null ? 0 : (model.microsPerMillion ?? Infinity))

const oneTask = amounts({ tasks: one, attempts: one })

/** What one call of a tool may come to: a workflow, an agent that is led, a vote, a question to the lead, a call that a person is asked about. */
function beneath(cases: Cases, symbol: Sym<'agent'>, led: readonly Sym<'agent'>[]): Beneath {
  const { unit, declaration } = symbol
  const program = cases.program
  const agents = led.map(each => cases.agent(each))
  /** One execution without the calls of its conversation, which count for the lead's limit too. */
  const executions = agents.map(({ spending: { most }, workCalls }) => addAmounts(oneTask, { ...most, calls: workCalls }))
  let inside = executions.reduce(maxAmounts, nothing)
  let ledCalls = agents.reduce((all, each) => larger(all, each.talkCalls), zero)
  let asked = nothing
  let delegates = led.length > 0
  let startsPrograms = false
  let ledPrice = Math.max(0, ...agents.map(each => each.dearest))
  let leadPrice = 0
  for (const tool of toolsOf(program, symbol)) {
    if (tool.kind === 'workflow') {
      delegates = true
      const { most } = cases.workflow(tool.symbol).spending
      inside = maxAmounts(inside, most)
      if (most.modelCalls.amount > 0) ledPrice = Infinity
      continue
    }
    const { module, signature } = tool
    const deed = teamDeed(module, signature.name)
    const starts = isProgram({ target: { kind: 'function', module, signature }, args: [], variant: null })
    startsPrograms ||= starts
    if (deed === 'vote') {
      inside = maxAmounts(inside, executions.reduce(addAmounts, nothing))
      ledCalls = larger(ledCalls, agents.reduce((all, each) => plus(all, each.talkCalls), zero))
    } else if (deed === 'ask-lead') {
      for (const lead of leadsOf(program, symbol)) {
        asked = maxAmounts(asked, answerOf(lead, { unit, span: declaration.name }))
        leadPrice = Math.max(leadPrice, priceOf(modelOf(lead)))
      }
    } else if (deed === null && askedWhen(symbol, tool.path, isSink(signature)) !== 'never') {
      delegates = true
      inside = maxAmounts(inside, addAmounts(oneTask, amounts({ calls: one, programs: starts ? one : zero })))
    }
  }
  return { inside, asked, ledCalls, delegates, startsPrograms, ledPrice, leadPrice }
}

/** One answer of a lead that is asked back, mended as often as any. */
function answerOf(lead: Sym<'agent'>, site: Site): Amounts {
  const model = modelOf(lead)
  if (model === null) return nothing
  const of = `\`${lead.name}\``
  const modelCalls = counted(1 + REPAIR_TURNS, `answers of ${of} to a question`, site)
  const tokens = tokensOf(model, modelCalls, of, site)
  const cost = model.microsPerMillion === 0 ? zero
    : model.microsPerMillion === null ? unbounded(`nobody has said what the model of ${of} costs`, site)
    : tokens.open !== null ? tokens : { ...one, amount: Math.ceil((tokens.amount * model.microsPerMillion) / 1_000_000) }
  return { ...oneTask, modelCalls, tokens, costMicros: cost }
}

const isSink = (signature: FunctionSignature): boolean => signature.effect === 'write' || signature.params.some(param => param.sink === true)

function modelOf({ declaration, unit }: Sym<'agent'>): ModelFacts | null {
  const member = declaration.body.find(each => each.kind === 'agent-model')
  if (member?.kind !== 'agent-model' || member.value.kind !== 'name-expr') return null
  const found = unit.file.values.get(member.value.name)
  return found?.kind === 'model' ? modelFacts(found as Sym<'model'>) : null
}
