// Team: agents that lead, are led and speak with each other, as one.
// Owns: who may speak with whom, the tools of std.team that an agent may be given, whether a conversation may hold text from outside.
// Does not own: carrying messages (interpreter/engine), how text gets to an agent by its own tools (trust/intake.ts).
//   T1. Who is led gets what its lead holds, in the words of its task; the lead gets it back, in the answer. So text that comes in anywhere beneath a lead may be held by
//       each agent beneath it.
//   T2. What an agent gives its lead is what came in at itself or beneath it; where anybody writes messages or asks back, what anybody beneath the same leads took in:
//       a message is read by whom it is for, whatever tools that one has.
//   T3. Tools of std.team do nothing outside a conversation: called anywhere else they would wait for nobody.
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import type { AgentDecl, Path } from '../1-syntax/ast.ts'
import type { ModuleSym, Program, Sym } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import type { OutsideSource, TeamFacts } from './facts.ts'
import { type AgentWorld, intakeOf, ledBy, teamOf, toolsOf } from './trust/intake.ts'

export const isTeamModule = (module: ModuleSym): boolean => module.kind === 'std' && module.source === 'team'

export type TeamDeed = 'vote' | 'ask-lead' | 'send' | 'receive' | 'listen'

/** What each tool of std.team is for, by its name. */
const TEAM_TOOLS: ReadonlyMap<string, TeamDeed> = new Map([
  ['vote', 'vote'], ['askLead', 'ask-lead'], ['send', 'send'], ['receive', 'receive'], ['listen', 'listen'],
])

/** What a tool of an agent does among agents; null for one that is of no team. */
export function teamDeed(module: ModuleSym, name: string): TeamDeed | null {
  return isTeamModule(module) ? (TEAM_TOOLS.get(name) ?? null) : null
}

/** The agents of a program that lead one directly, in order of their keys. */
export function leadsOf(program: Program, agent: Sym<'agent'>): readonly Sym<'agent'>[] {
  let found = knownLeads.get(program)
  if (found === undefined) knownLeads.set(program, (found = findLeads(program)))
  return found.get(agent) ?? []
}

/** Who leads whom never changes in a program: it is found once. */
const knownLeads = new WeakMap<Program, ReadonlyMap<Sym, readonly Sym<'agent'>[]>>()

function findLeads(program: Program): Map<Sym, Sym<'agent'>[]> {
  const declared = program.files.flatMap(file => [...file.values.values()].filter((each): each is Sym<'agent'> => each.kind === 'agent' && each.unit.file === file))
  const found = new Map<Sym, Sym<'agent'>[]>()
  for (const lead of declared.sort((a, b) => (a.key < b.key ? -1 : 1))) for (const led of new Set(ledBy(lead))) found.set(led, [...(found.get(led) ?? []), lead])
  return found
}

/** Those that lead an agent, directly or not. */
function aboveOf(program: Program, agent: Sym<'agent'>): Sym<'agent'>[] {
  const found = new Set<Sym<'agent'>>([agent])
  for (const each of found) for (const lead of leadsOf(program, each)) found.add(lead)
  found.delete(agent)
  return [...found]
}

/** Agents whose words may reach a conversation of one: all beneath those that lead it. // T1 */
function around(program: Program, agent: Sym<'agent'>): Sym<'agent'>[] {
  const found = new Set([agent, ...aboveOf(program, agent)])
  for (const each of found) for (const led of ledBy(each)) found.add(led)
  return [...found]
}

export interface TeamWorld extends AgentWorld {
  /** The first prompt with untrusted text that each agent is given. */
  readonly told: ReadonlyMap<Sym<'agent'>, OutsideSource>
}

/** Where text from outside comes in that a conversation of an agent may hold; null: nowhere. // T1 */
export function sourceAround(world: TeamWorld, agent: Sym<'agent'>): OutsideSource | null {
  const above = [agent, ...aboveOf(world.program, agent)]
  return intakeOf(world, around(world.program, agent)) ?? above.map(each => world.told.get(each)).find(each => each !== undefined) ?? null
}

/** What lowering has to know of an agent's conversations. */
export function teamFacts(world: TeamWorld, agent: Sym<'agent'>): TeamFacts {
  const holds = sourceAround(world, agent) !== null
  const talks = (each: Sym<'agent'>): boolean => toolsOf(world.program, each).some(tool => tool.kind === 'function' && ['send', 'ask-lead'].includes(teamDeed(tool.module, tool.signature.name) ?? ''))
  return { holds, gives: intakeOf(world, teamOf(agent)) !== null || (holds && around(world.program, agent).some(talks)) } // T2
}

/** Reports a tool of std.team that an agent has nobody for. */
export function checkTeamTool(checker: Checker, agent: AgentDecl, symbol: Sym<'agent'> | null, tool: Path, module: ModuleSym): void {
  const deed = teamDeed(module, tool.parts[1]?.text ?? '')
  if (deed === null || symbol === null) return
  const name = tool.parts.map(part => part.text).join('.')
  const at = checker.at(tool)
  if (deed === 'vote') {
    if (agent.leads.length === 0) checker.report(agentErrors['nobody-led']({ agent: agent.name.text, tool: name }, { at }))
  } else if (agent.leads.length === 0 && leadsOf(checker.program, symbol).length === 0) checker.report(agentErrors['no-team']({ agent: agent.name.text, tool: name }, { at }))
  else if (deed === 'ask-lead' && leadsOf(checker.program, symbol).length === 0) checker.report(agentErrors['no-team']({ agent: agent.name.text, tool: name }, { at }))
}

/** Whether a person is asked before an agent calls one of its tools: always, or once its conversation holds text from outside. */
export function askedWhen({ declaration }: Sym<'agent'>, tool: Path, isSink: boolean): 'always' | 'after-untrusted' | 'never' {
  const written = (path: Path): string => path.parts.map(part => part.text).join('.')
  if (declaration.body.some(member => member.kind === 'agent-approve' && member.tools.some(each => written(each) === written(tool)))) return 'always'
  return isSink && declaration.body.some(member => member.kind === 'after-untrusted' && member.action === 'ask') ? 'after-untrusted' : 'never'
}
