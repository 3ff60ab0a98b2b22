// Agent authority: each level narrows: an agent asks for no more than its lead, its file and the workflow that asks it.
// Owns: `agent/exceeds`, what a workflow that is a tool asks for. Does not own: what covers what (grants/verdict.ts), tools' own needs (agents.ts).
//   A1. A lead must be proved to have what it hands on. For a workflow and the file, whose arguments a run may fill, only what is provably more is an error:
//       a run takes the least of all levels.
//   A2. A level that names `llm` itself means those models alone; one that does not asks for what is beneath it (4-lower/lower-llm.ts).
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import type { Fix } from '#diagnostics/diagnostic.ts'
import { coreGrantKinds } from '#grants/match.ts'
import { anything, withParams } from '#grants/part-text.ts'
import { type PartGrant, type Verdict, verdictOf } from '#grants/verdict.ts'
import type { CanClause, Path, Span } from '../1-syntax/ast.ts'
import { chainOf, modelOfAgent } from '../2-resolve/models.ts'
import { placeIn, type Sym } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import type { AskedGrant } from './facts.ts'
import { askedGrants, expandGrants } from './grants.ts'
import { insertion, sourceText } from './rules/clause-offer.ts'
import { kindsOfAsked } from './rules/contained.ts'
import { type AgentTool, ledBy, toolsOf } from './trust/intake.ts'

const MAX_RELATED = 3

/** What an agent asks for. */
export function agentAsks(checker: Checker, agent: Sym<'agent'>): readonly AskedGrant[] {
  return askedGrants(expandGrants(checker.program, agent.unit, agent.declaration.body.filter(member => member.kind === 'can')) ?? [])
}

function covers(checker: Checker, level: readonly AskedGrant[], { grant, fact }: AskedGrant): Verdict {
  const wanted: PartGrant = { name: grant.name, args: grant.args.map(text => ({ kind: 'pattern', text: withParams(text, () => anything) })) }
  return verdictOf(level.map(each => each.grant), wanted, kindsOfAsked(checker, fact.name))
}

/** Reports what an agent asks for beyond its file, and what it hands on, to agents and to workflows that are its tools, beyond what it has. */
export function checkAgentLevels(checker: Checker, agent: Sym<'agent'>): void {
  const { declaration } = agent
  const own = agentAsks(checker, agent)
  const cans = declaration.body.filter((member): member is CanClause => member.kind === 'can')
  const widening = (asked: AskedGrant): Fix[] => {
    const fix = insertion(checker, cans, declaration.leads.at(-1) ?? declaration.name, { text: sourceText(asked.fact.unit, asked.fact.node), isExact: false })
    return fix === null ? [] : [fix]
  }
  for (const asked of checker.fileFacts.grants === null ? [] : own) {
    if (covers(checker, checker.fileFacts.asked, asked) !== 'outside') continue
    reportExceeds(checker, agent, asked, 'this file', checker.fileFacts.asked, asked.fact.unit === checker.unit ? asked.fact.node : declaration.name)
  }
  checkModelsWithin(checker, agent, 'this file', checker.fileFacts.asked, declaration.name)
  for (const led of ledBy(agent)) {
    checkModelsWithin(checker, led, `its lead \`${agent.name}\``, own, declaration.leads.find(path => path.parts.at(-1)?.text === led.name) ?? declaration.name)
    const at = declaration.leads.find(path => path.parts.at(-1)?.text === led.name) ?? declaration.name
    for (const asked of agentAsks(checker, led)) {
      if (covers(checker, own, asked) !== 'inside') reportExceeds(checker, led, asked, `its lead \`${agent.name}\``, own, at, widening(asked)) // A1
    }
  }
  for (const tool of toolsOf(checker.program, agent)) if (tool.kind === 'workflow') checkWorkflowTool(checker, agent, own, tool, widening)
}

/** Reports the first model of an agent that a level which names models leaves out. // A2 */
function checkModelsWithin(checker: Checker, agent: Sym<'agent'>, place: string, level: readonly AskedGrant[], at: Span): void {
  const named = level.filter(each => each.grant.name === 'llm')
  const model = modelOfAgent(agent)
  if (named.length === 0 || model === null) return
  const outside = chainOf(model).find(({ key }) => verdictOf(named.map(each => each.grant), { name: 'llm', args: [{ kind: 'pattern', text: key }] }, coreGrantKinds) !== 'inside')
  if (outside === undefined) return
  const related = named.map(({ fact }) => ({ at: placeIn(fact.unit, fact.node), message: 'these are the models it names' })).slice(0, MAX_RELATED)
  const help = [outside === model ? `It is the model of \`${agent.name}\`.` : `Its model \`${model.name}\` falls back on it.`, `Name it there too, or name no \`llm\`: then ${place} asks for what its agents do.`]
  checker.report(agentErrors.exceeds({ agent: agent.name, grant: `llm(${outside.name})`, place }, { at: checker.at(at), related, help }))
}

type WorkflowTool = Extract<AgentTool, { kind: 'workflow' }>

function checkWorkflowTool(checker: Checker, agent: Sym<'agent'>, own: readonly AskedGrant[], { symbol, path }: WorkflowTool, widening: (asked: AskedGrant) => Fix[]): void {
  for (const asked of checker.shapeOf(symbol).asks) {
    if (covers(checker, own, asked) !== 'outside') continue
    const { unit, node } = asked.fact
    checker.report(capabilityErrors['exceeds-caller']({ callee: symbol.name, grant: sourceText(unit, node), place: `the agent \`${agent.name}\`` }, {
      at: checker.at(path), related: [{ at: placeIn(unit, node), message: `\`${symbol.name}\` asks for it here` }],
      help: [`Ask for less in \`${symbol.name}\`, or for more in the agent.`], fixes: widening(asked),
    }))
  }
}

/** Reports what an agent asks for and the workflow that asks it does not have. */
export function checkAskedAgent(checker: Checker, by: Path, owner: string, cans: readonly CanClause[], bodyStart: Span): void {
  const agent = checker.facts.agents.get(by)
  if (agent === undefined) return
  const own = askedGrants(checker.facts.grants ?? [])
  checkModelsWithin(checker, agent, owner, own, by)
  for (const asked of agentAsks(checker, agent)) {
    if (covers(checker, own, asked) !== 'outside') continue
    const fix = insertion(checker, cans, bodyStart, { text: sourceText(asked.fact.unit, asked.fact.node), isExact: asked.grant.args.every(text => !text.includes(anything)) })
    reportExceeds(checker, agent, asked, owner, own, by, fix === null ? [] : [fix])
  }
}

function reportExceeds(checker: Checker, agent: Sym<'agent'>, asked: AskedGrant, place: string, level: readonly AskedGrant[], at: Span, fixes: readonly Fix[] = []): void {
  const grant = sourceText(asked.fact.unit, asked.fact.node)
  const has = level.filter(each => each.grant.name === asked.grant.name).map(({ fact }) => ({ at: placeIn(fact.unit, fact.node), message: 'this is what it has' }))
  const related = [{ at: placeIn(asked.fact.unit, asked.fact.node), message: `\`${agent.name}\` asks for it here` }, ...has].slice(0, MAX_RELATED)
  checker.report(agentErrors.exceeds({ agent: agent.name, grant, place }, { at: checker.at(at), related, help: [`Ask for less in \`${agent.name}\`, or for more in ${place}.`], fixes }))
}
