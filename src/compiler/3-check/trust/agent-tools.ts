// Agent tools: workflows that an agent may call, with what it may be talked into giving them.
// Owns: looking at such a workflow with untrusted parameters. Does not own: how text gets to an agent (intake.ts).
//   T1. Only when text from outside may get into its conversation (team.ts): else a model's words are the program's own.
//   T2. What a person is shown whole and says yes to is vouched for: `approve` in an agent, `after untrusted ask`.
import { qualify } from '#types/construct.ts'
import type { Sym } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import { askedWhen, sourceAround, type TeamWorld } from '../team.ts'
import { toolName } from '../tools.ts'
import { type AgentTool, toolsOf } from './intake.ts'

export function checkAgentTools(checker: Checker, world: TeamWorld, agent: Sym<'agent'>): void {
  const tools = toolsOf(checker.program, agent)
  const source = tools.length === 0 ? null : sourceAround(world, agent)
  if (source === null) return // T1
  for (const tool of tools) {
    const when = askedWhen(agent, tool.path, isSink(checker, tool))
    if (when !== 'never') {
      const name = tool.path.parts.map(part => part.text).join('.')
      const first = when === 'always' ? '' : 'once text from outside is in the conversation, '
      checker.facts.trusted.push({ at: tool.path, reason: `${first}a person is shown what \`${agent.name}\` gives \`${name}\` and asked`, tool: toolName(tool.path) }) // T2
    } else if (tool.kind === 'workflow') {
      const { symbol, path } = tool
      const params = new Map(checker.shapeOf(symbol).params.map(param => [param.name, qualify(param.type, { untrusted: true })]))
      if (params.size > 0) checker.variantOf(symbol, params, { kind: 'agent', unit: agent.unit, at: path, message: `the model of \`${agent.name}\` writes what this tool is given`, source }, path)
    }
  }
}

/** It changes the world, or an argument says where it acts. */
function isSink(checker: Checker, tool: AgentTool): boolean {
  const { effect, params } = tool.kind === 'function' ? tool.signature : checker.shapeOf(tool.symbol)
  return effect === 'write' || params.some(param => param.sink === true)
}
