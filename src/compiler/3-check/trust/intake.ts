// Intake: where an agent takes in text from outside.
// Owns: its tools, its memory, the prompts it is given, and those of the agents it leads. Does not own: what follows (trace.ts, trifecta.ts).
//   I1. What an agent's own tools give reaches its answers; what the tools of an agent it leads give does too.
//   I2. What a lead takes in reaches the agents it leads, in the prompts it writes for them.
//   I3. A workflow that was not looked at yet is taken to give untrusted text.
import { qualifiersWithin } from '#types/construct.ts'
import type { AgentMember, Path } from '../../1-syntax/ast.ts'
import { findModule, type ModuleSym, type Program, type Sym } from '../../2-resolve/program.ts'
import type { FunctionSignature } from '#model/signature.ts'
import type { OutsideSource, Shape } from '../facts.ts'
import { sourceWords } from './words.ts'

/** Agents reached from one; more are left out, and their circles are reported elsewhere. */
const MAX_AGENTS = 1_000

export interface AgentWorld {
  readonly program: Program
  /** Null for a workflow that was not looked at yet. */
  knownShape(symbol: Sym): Shape | null
}

export type AgentTool =
  | { readonly kind: 'function'; readonly path: Path; readonly module: ModuleSym; readonly signature: FunctionSignature }
  | { readonly kind: 'workflow'; readonly path: Path; readonly symbol: Sym<'workflow'> }

/** The tools of an agent that there are. */
export function toolsOf(program: Program, agent: Sym<'agent'>): AgentTool[] {
  const { file } = agent.unit
  return agent.declaration.body.flatMap((member): AgentTool[] => (member.kind !== 'agent-tools' ? [] : member.tools.flatMap((path): AgentTool[] => {
    const [first, second, more] = path.parts
    if (first === undefined || more !== undefined) return []
    if (second === undefined) {
      const symbol = file.values.get(first.text)
      return symbol?.kind === 'workflow' ? [{ kind: 'workflow', path, symbol }] : []
    }
    const module = findModule(program, file, first.text)
    const functions = module?.signature?.functions
    if (!module || !functions || !Object.hasOwn(functions, second.text)) return []
    return [{ kind: 'function', path, module, signature: functions[second.text]! }]
  })))
}

/** The agents that one leads. */
export function ledBy(agent: Sym<'agent'>): Sym<'agent'>[] {
  return agent.declaration.leads.flatMap(path => {
    const symbol = agent.unit.file.values.get(path.parts.map(part => part.text).join('.'))
    return symbol?.kind === 'agent' ? [symbol] : []
  })
}

/** An agent and all it leads, directly or not. */
export function teamOf(agent: Sym<'agent'>): Sym<'agent'>[] {
  const team = new Set([agent])
  for (const each of team) if (team.size < MAX_AGENTS) for (const led of ledBy(each)) team.add(led)
  return [...team]
}

/** The first place where text from outside gets into what an agent of a team gives (I1); prompts aside. */
export function intakeOf(world: AgentWorld, team: readonly Sym<'agent'>[]): OutsideSource | null {
  for (const agent of team) {
    for (const tool of toolsOf(world.program, agent)) {
      const words = toolIntake(world, tool)
      if (words !== null) return { unit: agent.unit, at: tool.path, message: `${words} comes in through this tool of \`${agent.name}\``, words }
    }
    const memory = agent.declaration.body.find((member): member is Extract<AgentMember, { kind: 'agent-memory' }> => member.kind === 'agent-memory' && member.scope !== 'none')
    if (memory !== undefined) return { unit: agent.unit, at: memory, message: `\`${agent.name}\` remembers what it was told before`, words: 'what an agent remembers' }
  }
  return null
}

/** `text from the web`, when what a tool gives is untrusted. */
export function toolIntake(world: AgentWorld, tool: AgentTool): string | null {
  if (tool.kind === 'function') {
    const { signature, module } = tool
    return signature.untrusted || qualifiersWithin(signature.result).untrusted ? sourceWords({ target: { kind: 'function', module, signature }, args: [], variant: null }) : null
  }
  const shape = world.knownShape(tool.symbol)
  return shape === null || qualifiersWithin(shape.type).untrusted ? `what \`${tool.symbol.name}\` gives` : null // I3
}
