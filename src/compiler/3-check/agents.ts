// Agents: their parts, their tools, whom they lead.
// Owns: names in an agent, whether a model can be shown its tools, circles of leads. Does not own: what an agent may do at run time (guard).
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { MAX_AGENT_TOOLS, MAX_TOOL_NAME_LENGTH } from '#model/plan.ts'
import type { FunctionSignature } from '#model/signature.ts'
import { qualifiersWithin, stringType } from '#types/construct.ts'
import type { AgentDecl, CanClause, Path } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { findModule, type Sym } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { findAgent } from './clauses.ts'
import { checkModelName } from './declarations.ts'
import { checkGrants, expandGrants } from './grants.ts'
import { checkLimits } from './limits.ts'
import { clauseFor, insertion } from './rules/clause-offer.ts'
import { pureCalls, Scope } from './scope.ts'
import { notJson, toolName } from './tools.ts'
import { isUntrusted, reportSink } from './trust/sinks.ts'

export function checkAgent(checker: Checker, agent: AgentDecl): void {
  const scope = new Scope(null, pureCalls('an agent'))
  const cans = agent.body.filter((member): member is CanClause => member.kind === 'can')
  checker.facts.grants = expandGrants(checker.program, checker.unit, cans)
  for (const lead of agent.leads) findAgent(checker, lead)
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
        checkToolNames(checker, agent, member.tools)
        break
      case 'agent-memory':
        if (member.thread !== null) checker.expect(member.thread, scope, stringType, 'The name of the thread')
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
    const help = [`An agent leads others, it does not call them: \`agent ${agent.name.text} leads ${name} { … }\`.`]
    checker.report(nameErrors['unknown-tool']({ name }, { at, ...(isAgent ? { help } : suggest(name, known, at)) }))
    return
  }
  const module = findModule(checker.program, file, first.text)
  if (module === null) {
    const known = [...checker.program.stdNames, ...file.modules.keys()]
    checker.report(nameErrors['unknown-module']({ name: first.text }, { at: checker.at(first), ...suggest(first.text, known, checker.at(first)) }))
    return
  }
  if (module.signature === null) return
  const { functions } = module.signature
  if (!Object.hasOwn(functions, second.text) || tool.parts.length > 2) {
    const found = suggest(second.text, Object.keys(functions), checker.at(second))
    checker.report(nameErrors['unknown-function']({ module: first.text, name: second.text }, { at: checker.at(second), ...found }))
    return
  }
  checkOffered(checker, tool, functions[second.text]!)
  const own = new Set((checker.facts.grants ?? []).map(grant => grant.name))
  for (const need of functions[second.text]!.needs) {
    if (own.has(need.grant)) continue
    const place = `the agent \`${agent.name.text}\``
    const clause = clauseFor(need, { target: { kind: 'function', module, signature: functions[second.text]! }, args: [], variant: null }, checker.unit)
    const cans = agent.body.filter((member): member is CanClause => member.kind === 'can')
    // What a model will give for the parameters is not known: everything, for a person to cut down.
    const text = need.args.length === 0 || clause.text.includes('(') ? clause.text : `${clause.text}(${need.args.map(() => '"**"').join(', ')})`
    const fix = insertion(checker, cans, agent.leads.at(-1) ?? agent.name, { text, isExact: false })
    checker.report(capabilityErrors['not-granted']({ callee: name, grant: need.grant, place }, {
      at, help: [`Add \`can ${need.grant}(…)\` to ${place}, or take the tool away.`], fixes: fix === null ? [] : [fix],
    }))
  }
}

/** Models tell tools apart by name. */
function checkToolNames(checker: Checker, agent: AgentDecl, tools: readonly Path[]): void {
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

/** Reports agents that lead each other in a circle; once, at the agent that comes first. */
export function checkLeads(checker: Checker, symbol: Sym<'agent'>): void {
  const seen = new Set<Sym>()
  const stack: { readonly symbol: Sym<'agent'>; readonly path: readonly string[] }[] = [{ symbol, path: [symbol.name] }]
  while (stack.length > 0) {
    const each = stack.pop()!
    for (const lead of each.symbol.declaration.leads) {
      const next = each.symbol.unit.file.values.get(lead.parts.at(-1)?.text ?? '')
      if (next === symbol) {
        checker.report(agentErrors['leads-itself']({ path: [...each.path, symbol.name].map(step => `\`${step}\``).join(' → ') }, { at: checker.at(symbol.declaration.name) }))
        return
      }
      if (next?.kind !== 'agent' || seen.has(next)) continue
      // A circle further on is reported where it begins.
      if (next.unit.file === symbol.unit.file && next.unit.item.offset < symbol.unit.item.offset) continue
      seen.add(next)
      stack.push({ symbol: next as Sym<'agent'>, path: [...each.path, next.name] })
    }
  }
}
