// Check: every declaration of a program, in an order in which what is used comes first.
// Owns: that order, one Checker per unit, the brand of a program without errors. Does not own: the rules of each construct.
//   C1. No error stops it: every unit is looked at.
//   C2. Diagnostics come out by file and place, and none twice.
//   C3. `CheckedProgram` is made here only, and only when nothing reported an error.
//   C4. A workflow that asks an agent comes after the workflows that are the agent's tools, as far as that goes.
import { invariant } from '#base/invariant.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { taskErrors } from '#diagnostics/catalog/task.ts'
import { trustErrors } from '#diagnostics/catalog/trust.ts'
import { type Diagnostic, hasErrors } from '#diagnostics/diagnostic.ts'
import type { Place } from '#model/source.ts'
import type { Type } from '#model/type.ts'
import { anyType, qualify, stringType } from '#types/construct.ts'
import type { AstNode, CanClause, ConstDecl, Expr, Name, Param, Path, Span, TypeNode, Value, WorkflowDecl } from '../1-syntax/ast.ts'
import { shortened } from '../2-resolve/load.ts'
import { type FileUnit, placeIn, type Program, type Sym, type Unit } from '../2-resolve/program.ts'
import { checkAgentLevels } from './agent-authority.ts'
import { checkAgent, checkLeads } from './agents.ts'
import type { Checker } from './checker.ts'
import { checkConst, checkModel, checkPromptTemplate, checkSecret, paramsOf, workflowParams } from './declarations.ts'
import { expectType, fitType } from './expect.ts'
import type { Caller, FileFacts, OutsideSource, Shape, UnitFacts } from './facts.ts'
import { askedGrants, checkCapabilityCycle, checkGrants, expandGrants } from './grants.ts'
import { orderGraph } from './graph.ts'
import { condition, infer } from './infer.ts'
import { checkLimits } from './limits.ts'
import { checkLoop } from './loops.ts'
import { type Mentions, mentionsOf, nodeMentions } from './mentions.ts'
import { checkSecretSources } from './rules/secret-sources.ts'
import { checkUnusedInFile, usesOfWorkflow } from './rules/unused-grants.ts'
import { pureCalls, Scope } from './scope.ts'
import { teamFacts } from './team.ts'
import { checkTest } from './tests.ts'
import { checkAgentTools } from './trust/agent-tools.ts'
import { intakeOf, teamOf, toolsOf } from './trust/intake.ts'
import { checkSecretFlows } from './trust/secrets.ts'
import { type Mark, markedPart, type TraceSetting } from './trust/trace.ts'
import { checkWebhookNames } from './triggers.ts'
import { checkTrifecta } from './trust/trifecta.ts'
import { createTypeTable, type TypeTable } from './type-nodes.ts'
import { checkWorkflow, strongest } from './workflow.ts'
import { checkLimitsHold } from './worst-case/limits-hold.ts'

declare const checked: unique symbol

/** A program without errors. The only thing `lower` takes. */
export interface CheckedProgram {
  readonly [checked]: true
  readonly program: Program
  readonly facts: ReadonlyMap<Unit, UnitFacts>
  readonly typeOf: (unit: Unit, node: TypeNode) => Type
}

export interface CheckResult {
  readonly facts: ReadonlyMap<Unit, UnitFacts>
  readonly diagnostics: Diagnostic[]
  /** Null when there is an error, here or in `before`. */
  readonly program: CheckedProgram | null
}

/**
 * Checks a program. `before` are the diagnostics of earlier phases: with an error among them there is no CheckedProgram.
 * With `strict`, what only a run can decide is an error.
 */
export function checkProgram(program: Program, before: readonly Diagnostic[], strict: boolean = false): CheckResult {
  const run = new CheckRun(program, strict)
  run.check()
  const diagnostics = ordered(run.diagnostics, program) // C2
  const isFine = !hasErrors(before) && !hasErrors(diagnostics)
  const value = { program, facts: run.facts, typeOf: (unit: Unit, node: TypeNode) => run.types.typeOf(unit, node) }
  return { facts: run.facts, diagnostics, program: isFine ? (value as unknown as CheckedProgram) : null } // C3
}

/** Different types of untrusted arguments with which one workflow is looked at; after these, once with all of them untrusted. */
const MAX_VARIANTS = 8
/** Workflows called by each other that untrusted text is followed through. */
const MAX_VARIANT_DEPTH = 32

const ANY_SHAPE: Shape = { type: anyType, params: [], effect: 'pure', callsModel: false, fails: false, asks: [], uses: new Set() }

class CheckRun {
  readonly diagnostics: Diagnostic[] = []
  readonly facts = new Map<Unit, UnitFacts>()
  readonly types: TypeTable
  readonly program: Program
  readonly strict: boolean
  private readonly shapes = new Map<Sym, Shape>()
  private readonly files = new Map<FileUnit, FileFacts>()
  private readonly variants = new Map<Sym, Map<string, UnitFacts>>()
  private variantDepth = 0
  /** The first prompt with untrusted text that each agent is given. */
  readonly told = new Map<Sym<'agent'>, OutsideSource>()

  constructor(program: Program, strict: boolean) {
    this.program = program
    this.strict = strict
    this.types = createTypeTable(program, (_unit, diagnostic) => this.diagnostics.push(diagnostic))
  }

  check(): void {
    this.declareTypes()
    const symbols = this.valueSymbols()
    const units = new Map(symbols.map(symbol => [symbol.unit, symbol]))
    for (const symbol of this.inOrder(symbols)) {
      const checker = this.checkerOf(symbol.unit)
      this.checkSymbol(symbol, checker)
      checkSecretFlows(checker)
      checkSecretSources(checker)
    }
    for (const file of this.program.files) {
      for (const unit of file.units) {
        if (units.has(unit)) continue
        const checker = this.checkerOf(unit)
        this.checkOther(unit, checker)
        checkSecretFlows(checker)
      }
    }
    this.diagnostics.push(...checkWebhookNames(this.program.files))
    if (!hasErrors(this.diagnostics)) {
      for (const file of this.program.files) this.checkFileGrants(file)
      this.diagnostics.push(...checkLimitsHold(this.program, unit => this.facts.get(unit)))
    }
  }

  private declareTypes(): void {
    for (const file of this.program.files) {
      const symbols = [...file.types.values()].filter(symbol => symbol.unit.file === file)
      const indexes = new Map(symbols.map((symbol, index) => [symbol.name, index]))
      const edges = symbols.map(symbol => typeMentions(symbol.declaration.type).flatMap(name => indexes.get(name) ?? []))
      for (const index of orderGraph(edges).order) this.types.ofSymbol(symbols[index]!)
    }
  }

  private valueSymbols(): Sym[] {
    return this.program.files.flatMap(file => [...file.values.values()].filter(symbol => symbol.unit.file === file))
  }

  /** Consts and workflows after those they mention; circles are reported. */
  private inOrder(symbols: readonly Sym[]): Sym[] {
    const indexes = new Map<Sym, number>(symbols.map((symbol, index) => [symbol, index]))
    const edges = symbols.map(symbol => {
      const names: Mentions = new Map()
      if (symbol.kind === 'const') mentionsOf((symbol.declaration as ConstDecl).value, names)
      else if (symbol.kind === 'workflow') workflowMentions(symbol.declaration as WorkflowDecl, names)
      else if (symbol.kind === 'prompt' || symbol.kind === 'agent' || symbol.kind === 'loop') return []
      return [...names.keys()].flatMap(name => {
        const other = symbol.unit.file.values.get(name)
        return other === undefined || (other.kind !== symbol.kind && other.kind !== 'const') ? [] : indexes.get(other) ?? []
      })
    })
    const { order: byUse, cycles } = orderGraph(edges)
    for (const cycle of cycles) this.reportCircle(cycle.map(index => symbols[index]!))
    const order = cycles.length > 0 ? byUse : this.afterTools(symbols, indexes, edges) ?? byUse
    // Prompts come first: workflows call them. Agents and loops come last: they use all others.
    const rank = (symbol: Sym): number => (symbol.kind === 'prompt' ? 1 : symbol.kind === 'const' ? 0 : symbol.kind === 'workflow' ? 2 : 3)
    return order.map(index => symbols[index]!).map((symbol, index) => ({ symbol, index })).sort((a, b) => rank(a.symbol) - rank(b.symbol) || a.index - b.index).map(each => each.symbol)
  }

  /** C4: the order in which the workflows that are tools of an agent come before those that ask it; null when nobody asks an agent. */
  private afterTools(symbols: readonly Sym[], indexes: ReadonlyMap<Sym, number>, edges: readonly (readonly number[])[]): readonly number[] | null {
    const asks = (symbol: Sym): boolean => symbol.kind === 'workflow' && symbol.declaration.body.some(member => member.kind === 'task' && member.by !== null)
    if (!symbols.some(asks)) return null
    const more = symbols.map((symbol, index) => {
      if (symbol.kind !== 'workflow') return edges[index]!
      const agents = symbol.declaration.body.flatMap(member => {
        const agent = member.kind === 'task' && member.by !== null ? symbol.unit.file.values.get(member.by.parts.map(part => part.text).join('.')) : undefined
        return agent?.kind === 'agent' ? teamOf(agent) : []
      })
      if (agents.length === 0) return edges[index]!
      return [...edges[index]!, ...agents.flatMap(agent => toolsOf(this.program, agent)).flatMap(tool => (tool.kind === 'workflow' ? indexes.get(tool.symbol) ?? [] : []))]
    })
    return orderGraph(more).order
  }

  private reportCircle(cycle: readonly Sym[]): void {
    const path = shortened([...cycle, cycle[0]!].map(symbol => `\`${symbol.name}\``)).join(' → ')
    const [first] = cycle
    invariant(first !== undefined, 'a circle has a member')
    const at = placeIn(first.unit, (first.declaration as { name: Name }).name)
    this.diagnostics.push(first.kind === 'workflow' ? taskErrors['workflow-recursion']({ path }, { at }) : nameErrors['circular-const']({ path }, { at }))
  }

  private checkSymbol(symbol: Sym, checker: Checker): void {
    const { declaration } = symbol
    switch (declaration.kind) {
      case 'const':
        this.shapes.set(symbol, { ...ANY_SHAPE, type: checkConst(checker, declaration) })
        return
      case 'prompt':
        this.shapes.set(symbol, { ...ANY_SHAPE, params: paramsOf(checker, declaration.params), type: stringType })
        this.shapes.set(symbol, { ...this.shapes.get(symbol)!, type: checkPromptTemplate(checker, declaration) })
        return
      case 'workflow':
        checkWorkflow(checker, declaration)
        this.shapes.set(symbol, this.workflowShape(checker, declaration))
        return
      case 'secret':
        return checkSecret(checker, declaration)
      case 'model':
        return checkModel(checker, symbol as Sym<'model'>)
      case 'agent':
        checkAgent(checker, declaration)
        checkLeads(checker, symbol as Sym<'agent'>)
        checkAgentLevels(checker, symbol as Sym<'agent'>)
        checkAgentTools(checker, this, symbol as Sym<'agent'>)
        checker.facts.team = teamFacts(this, symbol as Sym<'agent'>)
        return checkTrifecta(checker, this, symbol as Sym<'agent'>)
      case 'loop':
        return checkLoop(checker, declaration)
      default:
        return
    }
  }

  private workflowShape(checker: Checker, declaration: WorkflowDecl): Shape {
    const facts = checker.facts.workflow!
    const effect = facts.nodes.reduce((all, node) => strongest(all, node.effect), 'pure' as Shape['effect'])
    return {
      params: workflowParams(checker, declaration), type: facts.result, effect,
      callsModel: facts.nodes.some(node => node.callsModel), fails: facts.nodes.some(node => node.fails),
      asks: askedGrants(facts.grants ?? []), uses: usesOfWorkflow(checker),
    }
  }

  /** What has no name others can use: clauses of the file, capabilities, tests. */
  private checkOther(unit: Unit, checker: Checker): void {
    const { declaration } = unit
    const scope = new Scope(null, pureCalls('a grant'))
    switch (declaration.kind) {
      case 'can':
        return checkGrants(checker, declaration.grants, scope)
      case 'capability': {
        checkGrants(checker, declaration.grants, scope)
        const symbol = unit.file.capabilities.get(declaration.name.text)
        return symbol === undefined || symbol.unit !== unit ? undefined : checkCapabilityCycle(checker, symbol)
      }
      case 'limits':
        return checkLimits(checker, declaration, 'file')
      case 'test':
        return checkTest(checker, declaration)
      case 'workflow': // A second one of the same name: reported as a duplicate, looked at all the same (C1).
        return checkWorkflow(checker, declaration)
      case 'const':
        checkConst(checker, declaration)
        return
      default:
        return
    }
  }

  /** The file's own `can`, once what its workflows use is known. */
  private checkFileGrants(file: FileUnit): void {
    const cans = file.units.filter(unit => unit.declaration.kind === 'can')
    if (cans.length === 0) return
    const own = [...file.values.values()].filter(symbol => symbol.unit.file === file)
    for (const can of cans) {
      const checker = this.facts.has(can) ? this.checkerQuiet(can) : this.checkerOf(can)
      checkUnusedInFile(checker, can.declaration as CanClause, own, symbol => this.shapeOf(symbol))
    }
  }

  private checkerOf(unit: Unit): Checker {
    const facts = emptyFacts(unit, null)
    this.facts.set(unit, facts)
    return new UnitChecker(this, facts)
  }

  shapeOf(symbol: Sym): Shape {
    return this.shapes.get(symbol) ?? this.unfinished(symbol)
  }

  knownShape(symbol: Sym): Shape | null {
    return this.shapes.get(symbol) ?? null
  }

  /** A workflow looked at again with other types of parameters. Nothing but flows of untrusted text is reported then. */
  variantOf(symbol: Sym<'workflow'>, params: ReadonlyMap<string, Type>, caller: Caller, tooDeep: () => void): UnitFacts | null {
    if (!this.shapes.has(symbol)) return null // in a circle, which is reported
    const known = this.variants.get(symbol) ?? new Map<string, UnitFacts>()
    this.variants.set(symbol, known)
    const isOneTooMany = known.size >= MAX_VARIANTS
    const key = isOneTooMany ? '' : JSON.stringify([...params])
    const before = known.get(key)
    if (before !== undefined) return before
    if (this.variantDepth >= MAX_VARIANT_DEPTH) {
      tooDeep()
      return null
    }
    const facts = emptyFacts(symbol.unit, caller)
    known.set(key, facts)
    const given = isOneTooMany ? new Map(this.shapeOf(symbol).params.map(param => [param.name, qualify(param.type, { untrusted: true })])) : params
    this.variantDepth++
    checkWorkflow(new UnitChecker(this, facts, given), symbol.declaration)
    this.variantDepth--
    return facts
  }

  fileFacts(unit: Unit): FileFacts {
    const known = this.files.get(unit.file)
    if (known !== undefined) return known
    const declarations = unit.file.units.map(each => each.declaration)
    const cans = unit.file.units.filter(each => each.declaration.kind === 'can')
    const asked = cans.flatMap(can => askedGrants(expandGrants(this.program, can, [can.declaration as CanClause]) ?? []))
    const limits = declarations.flatMap(each => (each.kind === 'limits' ? each.values.entries.flatMap(entry => (entry.kind === 'entry' ? [entry.key.text] : [])) : []))
    const made = { grants: cans.length === 0 ? null : new Set(asked.map(each => each.fact.name)), asked, limits: new Set(limits) }
    this.files.set(unit.file, made)
    return made
  }

  /** In a circle, or used before it was looked at: its parameters are known all the same. */
  private unfinished(symbol: Sym): Shape {
    const { declaration } = symbol
    if (declaration.kind !== 'workflow') return ANY_SHAPE
    return { ...ANY_SHAPE, params: workflowParams(this.checkerQuiet(symbol.unit), declaration) }
  }

  private checkerQuiet(unit: Unit): Checker {
    const known = this.facts.get(unit)
    const checker = this.checkerOf(unit)
    if (known !== undefined) this.facts.set(unit, known)
    return checker
  }
}

/** The Checker of one unit within a run. */
class UnitChecker implements Checker {
  readonly facts: UnitFacts
  private readonly run: CheckRun
  private readonly given: ReadonlyMap<string, Type> | null
  private failed = false

  /** With `given`, types of parameters that differ from those declared. */
  constructor(run: CheckRun, facts: UnitFacts, given: ReadonlyMap<string, Type> | null = null) {
    this.run = run
    this.facts = facts
    this.given = given
  }

  get program(): Program {
    return this.run.program
  }

  get unit(): Unit {
    return this.facts.unit
  }

  get strict(): boolean {
    return this.run.strict
  }

  get fileFacts(): FileFacts {
    return this.run.fileFacts(this.facts.unit)
  }

  report(diagnostic: Diagnostic): void {
    if (this.given !== null && !diagnostic.code.startsWith('trust/')) return // said when it was looked at first
    this.failed ||= diagnostic.severity === 'error'
    this.run.diagnostics.push(diagnostic)
  }

  hasErrors(): boolean {
    return this.failed
  }

  at(span: Span): Place {
    return placeIn(this.facts.unit, span)
  }

  infer(expr: Expr, scope: Scope, expected?: Type): Type {
    return infer(this, expr, scope, expected)
  }

  expect(expr: Expr, scope: Scope, expected: Type, place: string): Type {
    return expectType(this, expr, scope, expected, place)
  }

  fit(expr: Expr, type: Type, expected: Type, place: string): void {
    fitType(this, expr, type, expected, place)
  }

  condition(expr: Expr, scope: Scope, place: string): void {
    condition(this, expr, scope, place)
  }

  typeOf(node: TypeNode): Type {
    return this.run.types.typeOf(this.facts.unit, node)
  }

  shapeOf(symbol: Sym): Shape {
    return this.run.shapeOf(symbol)
  }

  factsOf(unit: Unit): UnitFacts | undefined {
    return this.run.facts.get(unit)
  }

  paramType(param: Param): Type {
    return this.given?.get(param.name.text) ?? this.typeOf(param.type)
  }

  variantOf(symbol: Sym<'workflow'>, params: ReadonlyMap<string, Type>, caller: Caller, at: Span): UnitFacts | null {
    return this.run.variantOf(symbol, params, caller, () => this.report(trustErrors['too-many-steps']({ workflow: symbol.name, limit: MAX_VARIANT_DEPTH }, { at: this.at(at) })))
  }

  traceSetting(mark: Mark): TraceSetting {
    return { mark, factsOf: unit => this.run.facts.get(unit) ?? null, agentSource: (path, facts) => agentIntake(this.run, facts, path) }
  }

  agentSource(path: Path): OutsideSource | null {
    return agentIntake(this.run, this.facts, path)
  }

  noteTold(path: Path, prompt: Value): void {
    const agent = this.facts.agents.get(path)
    if (agent !== undefined && !this.run.told.has(agent)) this.run.told.set(agent, { unit: this.unit, at: markedPart(this.facts, prompt), message: `\`${agent.name}\` is told text from outside here`, words: 'text from outside' })
  }
}

function agentIntake(run: CheckRun, facts: UnitFacts, path: AstNode): OutsideSource | null {
  const agent = facts.agents.get(path)
  return agent === undefined ? null : intakeOf(run, teamOf(agent))
}

function emptyFacts(unit: Unit, caller: Caller | null): UnitFacts {
  return {
    unit, types: new Map<AstNode, Type>(), refs: new Map(), calls: new Map(), callLog: [], agents: new Map(), grants: null, workflow: null, loopTriggers: [], model: null,
    workflowTools: new Map(), team: null, undecided: [], trusted: [], usesSecrets: false, caller,
  }
}

function workflowMentions(workflow: WorkflowDecl, names: Mentions): void {
  for (const param of workflow.params) if (param.default !== null) mentionsOf(param.default, names)
  for (const member of workflow.body) {
    if (member.kind === 'task' || member.kind === 'let') for (const [name, span] of nodeMentions(member).names) names.set(name, span)
    else if (member.kind === 'on-failure' && member.action.kind === 'use') mentionsOf(member.action.value, names)
  }
  if (workflow.returns !== null) mentionsOf(workflow.returns, names)
}

/** Names of types a type is made of. */
function typeMentions(node: TypeNode): string[] {
  switch (node.kind) {
    case 'type-name':
      return [...(node.path.parts.length === 1 ? [node.path.parts[0]!.text] : []), ...(node.of === null ? [] : typeMentions(node.of))]
    case 'type-record':
      return node.fields.flatMap(field => typeMentions(field.type))
    case 'type-list':
      return typeMentions(node.item)
    case 'type-optional':
    case 'type-qualified':
      return typeMentions(node.inner)
    case 'type-union':
      return node.members.flatMap(typeMentions)
    default:
      return []
  }
}

/** C2: by file in order of use (the entry last loaded, first shown), then by place; one report for the same mistake in the same place. */
function ordered(diagnostics: readonly Diagnostic[], program: Program): Diagnostic[] {
  const files = new Map([program.entry, ...program.files].map((file, index) => [file.path, index]))
  const seen = new Set<string>()
  const unique = diagnostics.filter(each => {
    const key = `${each.code}\0${each.at?.path}\0${each.at?.start}\0${each.at?.end}`
    return seen.has(key) ? false : (seen.add(key), true)
  })
  return unique.sort((a, b) => (files.get(a.at?.path ?? '') ?? 0) - (files.get(b.at?.path ?? '') ?? 0) || (a.at?.start ?? 0) - (b.at?.start ?? 0) || (a.at?.end ?? 0) - (b.at?.end ?? 0))
}
