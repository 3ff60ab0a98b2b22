// Lower: a checked program as a plan.
// Owns: which declarations are in the plan, their keys, places and docs. Does not own: expressions (lower-expression.ts), tasks (lower-workflow.ts).
//   L1. Total: it takes only a CheckedProgram, and a surprise here is a bug in tek.
//   L2. Equal programs give equal hashes: nothing of layout, comments or the order of unrelated declarations gets into what is hashed.
import { invariant } from '#base/invariant.ts'
import type { Plan, PlanExpr, PlanGiven, PlanSecret, PlanTest, SecretSource } from '#model/plan.ts'
import { planVersion } from '#model/plan.ts'
import { hashPlan } from '#types/plan-json.ts'
import type { EditionDecl, GivenMember, SecretDecl, TestDecl } from '../1-syntax/ast.ts'
import type { Sym, SymbolKind, Unit } from '../2-resolve/program.ts'
import type { CheckedProgram } from '../3-check/check.ts'
import { lowerAgent, lowerModel } from './lower-agent.ts'
import { lookUpFunction } from '../3-check/find-function.ts'
import { type LowerAt, LowerContext } from './lower-context.ts'
import { lowerExpr } from './lower-expression.ts'
import { acceptedRisks, fileLevel, otherFiles } from './lower-file.ts'
import { withModelGrants } from './lower-llm.ts'
import { lowerLoop } from './lower-loop.ts'
import { lowerBody, lowerWorkflow } from './lower-workflow.ts'
import { lowerWorst } from './lower-worst.ts'
import { PlaceTable, writtenAt } from './places.ts'

const DEFAULT_EDITION = 2026

/**
 * The plan of a checked program.
 *
 * @example
 * const { program } = compile(input)
 * if (program !== null) save(lower(program))
 */
export function lower(checked: CheckedProgram): Plan {
  const { program } = checked
  const { entry } = program
  const context = new LowerContext(checked)
  const places = new PlaceTable()
  const workflows: Record<string, Plan['workflows'][string]> = {}
  const lowered: Sym<'workflow'>[] = []
  const prompts: Record<string, Plan['prompts'][string]> = {}

  const constants = [...checked.facts.keys()].flatMap(unit => constantOf(context, unit))
  const own = [...entry.values.values()].filter(symbol => symbol.unit.file === entry)
  for (const symbol of own) if (symbol.kind === 'workflow') context.needWorkflow(symbol)
  const declared = program.files.flatMap(file => [...file.values.values()].filter(symbol => symbol.unit.file === file))
  const symbolsOf = <K extends SymbolKind>(kind: K): Sym<K>[] => declared.filter((symbol): symbol is Sym<K> => symbol.kind === kind).sort((a, b) => (a.key < b.key ? -1 : 1)) // L2
  const agents = symbolsOf('agent')
  const agentBodies = Object.fromEntries(agents.map(symbol => [symbol.key, lowerAgent(context, symbol)]))
  const models = Object.fromEntries(symbolsOf('model').filter(symbol => symbol.declaration.value.kind === 'call').map(symbol => [symbol.key, lowerModel(context, symbol)]))
  const loops = symbolsOf('loop').map(symbol => ({ symbol, ...lowerLoop(context, symbol) }))
  for (const { symbol, workflows: hidden } of loops) {
    for (const key of Object.keys(hidden)) places.add(key, symbol.unit, symbol.declaration.name, '')
    Object.assign(workflows, hidden)
    const cycle = Object.keys(hidden).find(key => hidden[key]?.standsFor?.kind === 'cycle')!
    places.addUndecidedOf(symbol.unit, cycle, checked.facts.get(symbol.unit)?.undecided ?? [])
    places.addTrustedOf(symbol.unit, cycle, checked.facts.get(symbol.unit)?.trusted ?? [])
  }
  const tests = entry.units.flatMap(unit => (unit.declaration.kind === 'test' ? [lowerTest(context, unit, unit.declaration)] : []))
  for (const symbol of agents) places.addTrusted(symbol, checked.facts.get(symbol.unit)?.trusted ?? [])
  for (let symbol = context.nextWorkflow(); symbol !== undefined; symbol = context.nextWorkflow()) {
    workflows[symbol.key] = lowerWorkflow(context, symbol)
    lowered.push(symbol)
    places.addWorkflow(symbol)
    places.addUndecided(symbol, checked.facts.get(symbol.unit)?.undecided ?? [])
    places.addTrusted(symbol, checked.facts.get(symbol.unit)?.trusted ?? [])
  }
  for (let symbol = context.nextPrompt(); symbol !== undefined; symbol = context.nextPrompt()) prompts[symbol.key] = lowerPrompt(context, symbol)
  entry.units.filter(unit => unit.declaration.kind === 'test').forEach((unit, index) => places.add(`test:${index}`, unit, (unit.declaration as TestDecl).name, unit.declaration.doc))

  const level = fileLevel(context, entry)
  const others = otherFiles(context, entry, [...lowered, ...agents, ...loops.map(each => each.symbol)].map(symbol => symbol.unit.file))
  for (const { symbol, workflows: hidden } of loops) {
    const file = others.indexOf.get(symbol.unit.file)
    if (file !== undefined) for (const key of Object.keys(hidden)) workflows[key] = { ...workflows[key]!, file }
  }
  for (const { key, unit, kind } of [...lowered, ...agents]) {
    const file = others.indexOf.get(unit.file)
    if (file === undefined) continue
    if (kind === 'agent') agentBodies[key] = { ...agentBodies[key]!, file }
    else workflows[key] = { ...workflows[key]!, file }
  }
  Object.assign(workflows, context.hidden.table())
  const levels = withModelGrants({ workflows, agentBodies, models, authority: level.authority, ...(others.files.length === 0 ? {} : { files: others.files }) })
  const entries = own.filter((symbol): symbol is Sym<'workflow'> => symbol.kind === 'workflow' && !symbol.name.startsWith('_')).sort((a, b) => a.unit.item.offset - b.unit.item.offset)
  const plan: Plan = {
    version: planVersion,
    hash: '',
    edition: entry.units.map(unit => unit.declaration).find((each): each is EditionDecl => each.kind === 'edition')?.year ?? DEFAULT_EDITION,
    modules: context.modules(),
    ...secretsOf(declared),
    constants,
    workflows: sortedByKey(context.hidden.withAuthority(levels.workflows, levels.agentBodies)), // L2
    entries: entries.map(symbol => symbol.key),
    prompts: sortedByKey(prompts),
    tests,
    authority: levels.authority,
    limits: level.limits,
    ...(levels.files === undefined ? {} : { files: levels.files }),
    agents: agents.map(symbol => symbol.key),
    ...(agents.length === 0 ? {} : { agentBodies: levels.agentBodies }),
    ...(Object.keys(models).length === 0 ? {} : { models }),
    ...acceptedRisks(program.files),
    loops: loops.map(each => each.symbol.key),
    ...(loops.length === 0 ? {} : { loopBodies: Object.fromEntries(loops.map(({ symbol, loop }) => [symbol.key, loop])) }),
    places: places.places(),
    docs: places.docs(),
    ...(places.undecided().length === 0 ? {} : { undecided: places.undecided() }),
    worst: lowerWorst(checked, entry, entries, places),
    ...(places.trusted().length === 0 ? {} : { trusted: places.trusted() }),
  }
  return { ...plan, hash: hashPlan(plan) }
}

function sortedByKey<T>(table: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function constantOf(context: LowerContext, unit: Unit): { name: string; value: PlanExpr }[] {
  if (unit.declaration.kind !== 'const') return []
  const symbol = unit.file.values.get(unit.declaration.name.text)
  return symbol === undefined ? [] : [{ name: symbol.key, value: lowerExpr(context.at(unit), unit.declaration.value) }]
}

/** Every secret that is declared, used or not: what a program calls a secret is kept out of its journal however it got in. */
function secretsOf(declared: readonly Sym[]): { readonly secrets?: readonly PlanSecret[] } {
  const secrets = declared.flatMap(symbol => (symbol.kind === 'secret' ? [{ name: symbol.key, source: sourceOf(symbol.declaration) }] : []))
  return secrets.length === 0 ? {} : { secrets: secrets.sort((a, b) => (a.name < b.name ? -1 : 1)) } // L2
}

function sourceOf({ value }: SecretDecl): SecretSource {
  const kind = value.kind === 'call' && value.callee.kind === 'name-expr' ? value.callee.name : ''
  const [first = '', ...rest] = value.kind === 'call' ? value.args.map(each => (each.value.kind === 'string-literal' ? each.value.value : '')) : []
  if (kind === 'env') return { kind, name: first }
  if (kind === 'file') return { kind, path: first }
  invariant(kind === 'command', 'the secret of a checked program has a source')
  return { kind: 'command', program: first, args: rest }
}

function lowerPrompt(context: LowerContext, symbol: Sym<'prompt'>): Plan['prompts'][string] {
  return { params: symbol.declaration.params.map(param => param.name.text), text: lowerExpr(context.at(symbol.unit), symbol.declaration.text) }
}

function lowerTest(context: LowerContext, unit: Unit, test: TestDecl): PlanTest {
  const at = context.at(unit)
  const given: PlanGiven[] = []
  const steps: PlanTest['steps'][number][] = []
  for (const member of test.body) {
    if (member.kind === 'given' || member.kind === 'given-cassette' || member.kind === 'given-tool') given.push(lowerGiven(at, member))
    else if (member.kind === 'let') steps.push({ kind: 'let', name: member.name.text, body: lowerBody(at, member.value) })
    else steps.push({ kind: 'expect', condition: lowerExpr(at, member.condition), text: writtenAt(unit, member.condition) })
  }
  const name = lowerExpr(at, test.name)
  return { name: name.op === 'value' ? String(name.value) : unit.file.text.slice(unit.item.offset + test.name.start, unit.item.offset + test.name.end), given, steps }
}

function lowerGiven(at: LowerAt, given: GivenMember): PlanGiven {
  if (given.kind === 'given-tool') {
    const { does, tool, value } = given
    const found = lookUpFunction(at.context.checked.program, at.unit.file, tool)
    invariant(found !== null, 'what stands in for a tool of a checked program names one')
    return { kind: does, module: at.context.needModule(at.unit, found.module), fn: found.signature.name, value: lowerExpr(at, value) }
  }
  const agent = at.facts.agents.get(given.agent)
  invariant(agent !== undefined, 'what stands in for an agent of a checked program names one')
  return given.kind === 'given' ? { agent: agent.key, replies: lowerExpr(at, given.replies) } : { kind: 'replays', agent: agent.key, cassette: given.cassette.value }
}
