// Agent cost: the most that one execution of an agent can spend.
// Owns: turns, answers, tools, those it leads. Does not own: how often it is asked (worst-case.ts), its model's price (models.ts).
//   A1. An agent answers at most `turns` times, and twice more to mend an answer that does not fit its type. Without tools and agents to lead one
//       turn is all there is.
//   A2. In one turn a model may ask for several tools: only `limits { calls }` bounds them. A tool that is a workflow spends what that workflow does.
//   A3. An agent's limits hold for one execution and for all that it hands on.
import type { Sym } from '../../2-resolve/program.ts'
import { type Bound, capped, counted, one, plus, type Site, smaller, times, unbounded, zero } from './bound.ts'
import { type AgentCost, type Cases, limitsOf } from './cost.ts'
import { modelFacts, type ModelFacts } from './models.ts'
import { addAmounts, type Amounts, amounts, maxAmounts, nothing, timesAmounts } from './spending.ts'

/** Turns in which an answer that does not fit its type is mended. */
const REPAIR_TURNS = 2

export function agentSpending(cases: Cases, symbol: Sym<'agent'>): AgentCost {
  const { name, declaration, unit } = symbol
  const limits = limitsOf(symbol)
  const of = `\`${name}\``
  const site: Site = { unit, span: declaration.name }
  const tools = declaration.body.flatMap(member => (member.kind === 'agent-tools' ? member.tools : []))
  const model = modelOf(symbol)
  const isAlone = tools.length === 0 && declaration.leads.length === 0
  const turns = typeof limits['turns'] === 'number' ? counted(limits['turns'], `turns of ${of}`, site)
    : isAlone ? one : unbounded(`${of} has no \`limits { turns }\``, site)
  const modelCalls = model === null ? zero : { ...plus(turns, counted(REPAIR_TURNS, 'turns to mend an answer', site)), isWhole: true, ...whole(turns, of, site) } // A1
  const toolCalls = tools.length === 0 ? zero : capped(unbounded(`${of} may call several tools in a turn, and has no \`limits { calls }\``, site), limits.calls, 'calls', of) // A2
  const handedOn = beneath(cases, symbol, tools.map(tool => tool.parts), toolCalls, site)
  const tokens = tokensOf(model, modelCalls, of, site)
  const free = model?.microsPerMillion === 0
  if (model?.isListed === true) cases.usesPrices = true
  const all = plus(tokens, handedOn.tokens)
  const ownTokens = capped(tokens, limits.tokens, 'tokens', of)
  const cost = model === null || free ? zero
    : model.microsPerMillion === null ? unbounded(`nobody has said what the model of ${of} costs: \`price: { input: $3, output: $15 }\` does, or \`limits { cost }\` bounds it`, site)
    : ownTokens.open !== null ? ownTokens : { ...ownTokens, amount: Math.ceil((ownTokens.amount * model.microsPerMillion) / 1_000_000), factors: [], isWhole: true }
  const most: Amounts = {
    ...handedOn, modelCalls: plus(modelCalls, handedOn.modelCalls), calls: capped(plus(toolCalls, handedOn.calls), limits.calls, 'calls', of),
    tokens: flat(capped(all, limits.tokens, 'tokens', of), of, site, 'tokens'), costMicros: flat(capped(plus(cost, handedOn.costMicros), limits.costMicros, 'cost', of), of, site, 'cost'),
  }
  // What the declaration itself sets aside for one execution.
  const sure = amounts({ tokens: flat(declared(limits.tokens), of, site, 'tokens'), costMicros: free ? zero : flat(declared(limits.costMicros), of, site, 'cost') })
  return { spending: { most, sure, each: nothing }, timeMs: timeOf(model, modelCalls, isAlone, limits.timeMs, of, site) }
}

const declared = (amount: number | undefined): Bound => (amount === undefined ? zero : { ...one, amount })

/** One execution as a single factor, whatever it is made of. */
function flat(bound: Bound, of: string, at: Site, unit: 'tokens' | 'cost'): Bound {
  if (bound.open !== null || bound.amount === 0) return bound
  return counted(bound.amount, `for each execution of ${of}`, at, unit)
}

function whole(turns: Bound, of: string, at: Site): Partial<Bound> {
  return turns.open !== null ? {} : { factors: counted(turns.amount + REPAIR_TURNS, `answers of ${of}`, at).factors }
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

/** What its tools that are workflows, and the agents it leads, spend. */
function beneath(cases: Cases, { declaration, unit }: Sym<'agent'>, tools: readonly (readonly { readonly text: string }[])[], toolCalls: Bound, site: Site): Amounts {
  const flows = tools.flatMap(parts => {
    const found = parts.length === 1 ? unit.file.values.get(parts[0]!.text) : undefined
    return found?.kind === 'workflow' ? [cases.workflow(found as Sym<'workflow'>).spending.most] : []
  })
  const led = declaration.leads.flatMap(lead => {
    const found = unit.file.values.get(lead.parts.at(-1)?.text ?? '')
    return found?.kind === 'agent' ? [cases.agent(found as Sym<'agent'>).spending.most] : []
  })
  const work = flows.length === 0 ? nothing : timesAmounts(toolCalls, flows.reduce(maxAmounts, nothing))
  if (led.length === 0) return work
  const often = unbounded(`\`${declaration.name.text}\` may ask its agents as often as it likes`, site)
  return addAmounts(work, timesAmounts(often, led.reduce(maxAmounts, nothing)))
}

function modelOf({ declaration, unit }: Sym<'agent'>): ModelFacts | null {
  const member = declaration.body.find(each => each.kind === 'agent-model')
  if (member?.kind !== 'agent-model' || member.value.kind !== 'name-expr') return null
  const found = unit.file.values.get(member.value.name)
  return found?.kind === 'model' ? modelFacts(found as Sym<'model'>) : null
}
