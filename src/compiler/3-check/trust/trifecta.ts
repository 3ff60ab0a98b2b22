// Trifecta: an agent that can read private data, take in text from outside and send data out, all at once.
// Owns: `agent/lethal-trifecta`. Does not own: how text gets in (intake.ts), what an agent may do (agents.ts).
//   L1. A team is judged as one: what an agent that is led takes in and may do counts for its lead. The smallest team is reported.
//   L2. A program that a tool may run can do all of it: `exec` reads and sends. A request sends even when it only reads: its address says things.
//   L3. A file that says `accept risk "…"` with a reason takes it on itself; the reason stands where reviewers read.
//   L4. A tool that is only called after a person has seen what it would send, `approve` in the agent, sends nothing by itself.
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import type { Place } from '#model/source.ts'
import { placeIn, type Sym } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import { askedWhen, type TeamWorld } from '../team.ts'
import { type AgentTool, intakeOf, ledBy, teamOf, toolsOf } from './intake.ts'

interface Leg {
  readonly at: Place
  readonly message: string
}

interface Legs {
  readonly reads: Leg | null
  readonly takesIn: Leg | null
  readonly sends: Leg | null
}

/** Grants that let a tool see what is not for everybody. */
const PRIVATE = new Set(['fs.read', 'env', 'git.read', 'exec'])
/** Grants that let a tool reach other machines. */
const OUTWARD = new Set(['net', 'mcp', 'exec'])

export function checkTrifecta(checker: Checker, world: TeamWorld, agent: Sym<'agent'>): void {
  const { reads, takesIn, sends } = legsOf(world, teamOf(agent))
  if (reads === null || takesIn === null || sends === null || isAccepted(agent)) return
  const isReportedBelow = ledBy(agent).some(led => Object.values(legsOf(world, teamOf(led))).every(leg => leg !== null)) // L1
  if (isReportedBelow) return
  checker.report(agentErrors['lethal-trifecta']({ agent: agent.name }, {
    at: checker.at(agent.declaration.name), related: [takesIn, reads, sends], flow: 'does all three: one message from a stranger is enough',
  }))
}

function legsOf(world: TeamWorld, team: readonly Sym<'agent'>[]): Legs {
  let reads: Leg | null = null
  let sends: Leg | null = null
  for (const agent of team) {
    for (const tool of toolsOf(world.program, agent)) {
      const name = tool.path.parts.map(part => part.text).join('.')
      const at = placeIn(agent.unit, tool.path)
      const needs = needsOf(world, tool)
      const reading = needs.find(need => PRIVATE.has(need.grant) || need.access === 'read')
      if (reading !== undefined) reads ??= { at, message: `\`${name}\` reads what is private (\`${reading.grant}\`)` }
      const sending = needs.find(need => OUTWARD.has(need.grant) || (need.access === 'write' && need.isForeign))
      if (sending !== undefined && askedWhen(agent, tool.path, false) !== 'always') sends ??= { at, message: `\`${name}\` sends data out (\`${sending.grant}\`)` }
    }
  }
  const source = team.map(agent => world.told.get(agent)).find(each => each !== undefined) ?? intakeOf(world, team)
  return { reads, sends, takesIn: source === null ? null : { at: placeIn(source.unit, source.at), message: source.message } }
}

interface Need {
  readonly grant: string
  readonly access: 'read' | 'write' | null
  /** Declared by a plugin: others may see what it writes. */
  readonly isForeign: boolean
}

function needsOf(world: TeamWorld, tool: AgentTool): Need[] {
  if (tool.kind === 'function') {
    const own = tool.module.signature
    return tool.signature.needs.map(({ grant }) => {
      const prefix = `${own?.name}.`
      const declared = own !== null && grant.startsWith(prefix) ? own.grants[grant.slice(prefix.length)] : undefined
      return { grant, access: declared?.access ?? null, isForeign: tool.module.kind !== 'std' }
    })
  }
  const modules = [...tool.symbol.unit.file.modules.values()]
  return (world.knownShape(tool.symbol)?.asks ?? []).map(({ grant }) => {
    const module = modules.find(each => each.kind === 'plugin' && grant.name.startsWith(`${each.signature?.name}.`))
    const declared = module?.signature?.grants[grant.name.slice(grant.name.indexOf('.') + 1)]
    return { grant: grant.name, access: declared?.access ?? null, isForeign: module !== undefined }
  })
}

/** L3. */
function isAccepted(agent: Sym<'agent'>): boolean {
  return agent.unit.file.units.some(({ declaration }) => declaration.kind === 'accept' && declaration.reason.kind === 'string-literal' && /\p{L}/u.test(declaration.reason.value))
}
