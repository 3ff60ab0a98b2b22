// Agents: their parts, their tools, whom they lead.
// Owns: names in an agent, whether a model can be shown its tools, circles of leads. Does not own: what an agent may do at run time (guard).
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { thousands } from '#base/terminal-text.ts'
import { MAX_AGENT_TOOLS, MAX_MEMORY_TOKENS, MAX_TOOL_NAME_LENGTH } from '#model/plan.ts'
import type { FunctionSignature } from '#model/signature.ts'
import { qualifiersWithin, stringType } from '#types/construct.ts'
import type { AgentDecl, AgentMemory, CanClause, Path, Span } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { shortened } from '../2-resolve/load.ts'
import type { Sym } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { findAgent } from './clauses.ts'
import { checkModelName } from './declarations.ts'
import { functionNamed, lookUpFunction } from './find-function.ts'
import { checkGrants, expandGrants } from './grants.ts'
import { checkLimits } from './limits.ts'
import { clauseFor, insertion } from './rules/clause-offer.ts'
import { pureCalls, Scope } from './scope.ts'
import { checkTeamTool, isTeamModule } from './team.ts'
import { notJson, toolName } from './tools.ts'
import { ledBy, toolsOf } from './trust/intake.ts'
import { isUntrusted, reportSink } from './trust/sinks.ts'
import { checkHasModel } from './workflow.ts'

export function checkAgent(checker: Checker, agent: AgentDecl): void {
  const scope = new Scope(null, pureCalls('an agent'))
  const cans = agent.body.filter((member): member is CanClause => member.kind === 'can')
  checker.facts.grants = expandGrants(checker.program, checker.unit, cans)
  const hasModel = agent.body.some(member => member.kind === 'agent-model')
  for (const led of agent.leads) if (findAgent(checker, led) && hasModel) checkHasModel(checker, led)
  checkToolNames(checker, agent)
  for (const member of agent.body) {
    switch (member.kind) {
      case 'agent-model':
        if (member.value.kind === 'name-expr') checkModelName(checker, member.value)
        else if (member.value.kind !== 'error-expr') {
          const help = ['Declare it first: `model smart = …`, and name it here: `model smart`.']
          checker.report(nameErrors['unknown-model']({ name: 'this' }, { at: checker.at(member.value), help }))
        }
        break
      case 'agent-role':
        checker.expect(member.value, scope.inside(pureCalls('`role`')), stringType, 'The role')
        if (isUntrusted(checker, member.value)) reportSink(checker, member.value, `the system prompt of \`${agent.name.text}\``)
        break
      case 'agent-tools':
        for (const tool of member.tools) checkTool(checker, agent, tool)
        break
      case 'agent-approve':
        for (const tool of member.tools) checkApproved(checker, agent, tool)
        break
      case 'after-untrusted':
        break
      case 'agent-memory':
        checkMemory(checker, agent, member, scope)
        break
      case 'can':
        checkGrants(checker, member.grants, scope)
        break
      case 'limits':
        checkLimits(checker, member, 'agent')
        break
    }
  }
}

function checkTool(checker: Checker, agent: AgentDecl, tool: Path): void {
  const { file } = checker.unit
  const [first, second] = tool.parts
  const name = tool.parts.map(part => part.text).join('.')
  const at = checker.at(tool)
  if (first === undefined || first.text === '' || file.unknown.has(first.text)) return
  if (second === undefined) {
    const symbol = file.values.get(first.text)
    if (symbol?.kind === 'workflow') return noteWorkflowTool(checker, tool, symbol)
    const known = [...file.values.values()].filter(each => each.kind === 'workflow').map(each => each.name)
    const isAgent = file.values.get(first.text)?.kind === 'agent'
    const isLed = agent.leads.some(each => toolName(each) === name)
    const help = [isLed ? `\`${agent.name.text}\` leads it, and that makes it a tool already: take it out here.` : `An agent leads others, it does not call them: \`agent ${agent.name.text} leads ${name} { … }\`.`]
    checker.report(nameErrors['unknown-tool']({ name }, { at, ...(isAgent ? { help } : suggest(name, known, at)) }))
    return
  }
  const found = functionNamed(checker, tool)
  if (found === null) return
  const { module, signature } = found
  if (isTeamModule(module)) return checkTeamTool(checker, agent, symbolOf(checker, agent), tool, module)
  checkOffered(checker, tool, signature)
  const own = new Set((checker.facts.grants ?? []).map(grant => grant.name))
  for (const need of signature.needs) {
    if (own.has(need.grant)) continue
    const place = `the agent \`${agent.name.text}\``
    const clause = clauseFor(need, { target: { kind: 'function', module, signature }, args: [], variant: null }, checker.unit)
    const cans = agent.body.filter((member): member is CanClause => member.kind === 'can')
    // What a model will give for the parameters is not known: everything, for a person to cut down.
    const text = need.args.length === 0 || clause.text.includes('(') ? clause.text : `${clause.text}(${need.args.map(() => '"**"').join(', ')})`
    const fix = insertion(checker, cans, agent.leads.at(-1) ?? agent.name, { text, isExact: false })
    checker.report(capabilityErrors['not-granted']({ callee: name, grant: need.grant, place }, {
      at, help: [`Add \`can ${need.grant}(…)\` to ${place}, or take the tool away.`], fixes: fix === null ? [] : [fix],
    }))
  }
}

/** Null for a second agent of the same name, which is reported. */
function symbolOf(checker: Checker, agent: AgentDecl): Sym<'agent'> | null {
  const symbol = checker.unit.file.values.get(agent.name.text)
  return symbol?.kind === 'agent' && symbol.unit === checker.unit ? symbol : null
}

/** A person can be asked about what the agent calls. */
function checkApproved(checker: Checker, agent: AgentDecl, path: Path): void {
  const name = path.parts.map(part => part.text).join('.')
  const tools = agent.body.flatMap(member => (member.kind === 'agent-tools' ? member.tools.map(tool => tool.parts.map(part => part.text).join('.')) : []))
  const at = checker.at(path)
  const found = lookUpFunction(checker.program, checker.unit.file, path)
  if (name === '') return
  if (!tools.includes(name)) checker.report(agentErrors['bad-approve']({ agent: agent.name.text, problem: `names \`${name}\`, which is none of its tools` }, { at, ...suggest(name, tools, at) }))
  else if (found !== null && isTeamModule(found.module)) checker.report(agentErrors['bad-approve']({ agent: agent.name.text, problem: `names \`${name}\`, which acts on nothing outside its team` }, { at }))
}

function checkMemory(checker: Checker, agent: AgentDecl, { scope: kind, thread, keep, summarises, ...at }: AgentMemory, scope: Scope): void {
  const complain = (problem: string, span: Span): void => checker.report(agentErrors['bad-memory']({ problem }, { at: checker.at(span) }))
  if (thread !== null) {
    checker.expect(thread, scope, stringType, 'The name of the thread')
    if (isUntrusted(checker, thread)) reportSink(checker, thread, `the name of the thread that \`${agent.name.text}\` remembers`)
  }
  if (kind === 'none' && (keep !== null || summarises)) complain('that is `none` keeps nothing', keep ?? at)
  else if (keep !== null && keep.text !== '') {
    const count = Number(keep.value)
    if ((keep.type !== 'tokens' && keep.type !== 'int') || !Number.isInteger(count) || count < 1) complain('keeps a number of tokens', keep)
    else if (count > MAX_MEMORY_TOKENS) complain(`keeps at most ${thousands(MAX_MEMORY_TOKENS)} tokens`, keep)
  }
}

/** Models tell tools apart by name. */
function checkToolNames(checker: Checker, agent: AgentDecl): void {
  const isAgent = (path: Path): boolean => path.parts.length === 1 && checker.unit.file.values.get(path.parts[0]!.text)?.kind === 'agent'
  const tools = [...agent.body.flatMap(member => (member.kind === 'agent-tools' ? member.tools.filter(path => !isAgent(path)) : [])), ...agent.leads] // an agent among them was reported
  const known = new Map<string, Path>()
  for (const path of tools) {
    const name = toolName(path)
    const first = known.get(name)
    const problem = first !== undefined ? `there are two of the name \`${name}\`` : name.length > MAX_TOOL_NAME_LENGTH ? `its name has more than ${MAX_TOOL_NAME_LENGTH} letters` : null
    const related = first === undefined ? [] : [{ at: checker.at(first), message: 'the first one is here' }]
    if (problem !== null) checker.report(agentErrors['bad-tools']({ agent: agent.name.text, problem }, { at: checker.at(path), related }))
    else known.set(name, path)
  }
  const problem = `there are more than ${MAX_AGENT_TOOLS}`
  if (tools.length > MAX_AGENT_TOOLS) checker.report(agentErrors['bad-tools']({ agent: agent.name.text, problem }, { at: checker.at(tools[MAX_AGENT_TOOLS]!) }))
}

/** Reports a parameter of a function that a model cannot give, and that cannot be left out. Those of a workflow are data in any case. */
function checkOffered(checker: Checker, tool: Path, { params }: FunctionSignature): void {
  for (const { name, type, optional } of params) {
    const what = optional ? null : notJson(type)
    if (what !== null) checker.report(agentErrors['tool-not-offered']({ tool: tool.parts.map(part => part.text).join('.'), param: name, what }, { at: checker.at(tool) }))
  }
}

function noteWorkflowTool(checker: Checker, tool: Path, symbol: Sym<'workflow'>): void {
  const { type, effect, params } = checker.shapeOf(symbol)
  checker.facts.workflowTools.set(tool, { isUntrusted: qualifiersWithin(type).untrusted, effect, params })
}

/** Reports agents that come to ask themselves: by leading each other, or by a workflow among their tools; once, at the agent that comes first. */
export function checkLeads(checker: Checker, symbol: Sym<'agent'>): void {
  const seen = new Set<Sym>()
  const stack: { readonly symbol: Sym; readonly path: readonly string[] }[] = [{ symbol, path: [symbol.name] }]
  while (stack.length > 0) {
    const each = stack.pop()!
    for (const next of askedBy(checker, each.symbol)) {
      if (next === symbol) {
        checker.report(agentErrors['leads-itself']({ path: shortened([...each.path, symbol.name].map(step => `\`${step}\``)).join(' → ') }, { at: checker.at(symbol.declaration.name) }))
        return
      }
      if (seen.has(next)) continue
      // A circle further on is reported where it begins.
      if (next.kind === 'agent' && next.unit.file === symbol.unit.file && next.unit.item.offset < symbol.unit.item.offset) continue
      seen.add(next)
      stack.push({ symbol: next, path: [...each.path, next.name] })
    }
  }
}

/** What an agent may ask: agents, and workflows; of a workflow, what its tasks ask. */
function askedBy(checker: Checker, symbol: Sym): Sym[] {
  if (symbol.kind === 'agent') return [...ledBy(symbol), ...toolsOf(checker.program, symbol).flatMap(tool => (tool.kind === 'workflow' ? [tool.symbol] : []))]
  if (symbol.kind !== 'workflow') return []
  const facts = checker.factsOf(symbol.unit)
  const agents = symbol.declaration.body.flatMap(member => (member.kind === 'task' && member.by !== null ? (facts?.agents.get(member.by) ?? []) : []))
  const workflows = (facts?.callLog ?? []).flatMap(({ fact }) => (fact.target.kind === 'workflow' ? [fact.target.symbol] : []))
  return [...agents, ...workflows]
}
