// Agent tools: workflows that an agent may call, with what it may be talked into giving them.
// Owns: looking at such a workflow with untrusted parameters. Does not own: how text gets to an agent (intake.ts).
//   T1. Only when text from outside gets to the agent, or to one that leads it: else a model's words are the program's own.
import { qualify } from '#types/construct.ts'
import type { Sym } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import { intakeOf, ledBy, teamOf, toolsOf } from './intake.ts'
import type { TeamWorld } from './trifecta.ts'

export function checkAgentTools(checker: Checker, world: TeamWorld, agent: Sym<'agent'>): void {
  const tools = toolsOf(checker.program, agent).filter(tool => tool.kind === 'workflow')
  if (tools.length === 0) return
  const reaching = [...teamOf(agent), ...leadsOf(agent)]
  const source = intakeOf(world, reaching) ?? reaching.map(each => world.told.get(each)).find(each => each !== undefined)
  if (source === undefined) return // T1
  for (const { symbol, path } of tools) {
    const params = new Map(checker.shapeOf(symbol).params.map(param => [param.name, qualify(param.type, { untrusted: true })]))
    if (params.size === 0) continue
    checker.variantOf(symbol, params, { kind: 'agent', unit: agent.unit, at: path, message: `the model of \`${agent.name}\` writes what this tool is given`, source }, path)
  }
}

/** The agents of the same file that lead one, directly or not. */
function leadsOf(agent: Sym<'agent'>): Sym<'agent'>[] {
  const agents = [...agent.unit.file.values.values()].filter((each): each is Sym<'agent'> => each.kind === 'agent')
  const found = new Set<Sym<'agent'>>([agent])
  for (const led of found) for (const each of agents) if (ledBy(each).includes(led)) found.add(each)
  found.delete(agent)
  return [...found]
}
