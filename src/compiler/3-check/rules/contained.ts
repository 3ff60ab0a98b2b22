// Contained: whether what each call needs is covered by what its workflow or loop, and its file, ask for.
// Owns: the three verdicts (proved, refused whatever happens, known only when it runs) and their reports. Does not own: grants that nothing names
// (not-granted.ts), what covers what (grants/verdict.ts), what is known of an argument (known-values.ts).
//   V1. An error only where no value could be allowed; a call counts as proved only where every value is.
//   V2. A sub-workflow is proved by its own `can`, once its `can` is proved to be no more than its caller's.
//   V3. What only a run can tell may not depend on untrusted text: then whoever wrote that text would choose.
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import { coreGrantKinds, type GrantKinds } from '#grants/match.ts'
import { anything, isWhole, type PartText, withParams } from '#grants/part-text.ts'
import { type PartGrant, together, type Verdict, verdictOf } from '#grants/verdict.ts'
import type { Grant } from '#model/capability.ts'
import type { GrantNeed } from '#model/signature.ts'
import { isOptional } from '#types/construct.ts'
import type { CanClause, Expr, Span, WorkflowDecl } from '../../1-syntax/ast.ts'
import { placeIn } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import type { AskedGrant, CallFact, GrantFact, NodeFacts, Undecided } from '../facts.ts'
import { askedGrants } from '../grants.ts'
import { isGlobParam, itemOf, type Known, KnownValues, writtenText } from '../known-values.ts'
import { checkTrustedNeed } from '../trust/undecided.ts'
import { clauseFor, insertion, needText, sourceText } from './clause-offer.ts'

/** Ways in which the arguments of one call may combine. */
const MAX_COMBINATIONS = 64
const MAX_RELATED = 3

type Values = (expr: Expr) => Known

/** A level of authority and how messages speak of it. */
interface Level {
  readonly asked: readonly AskedGrant[]
  readonly grants: readonly Grant[]
  readonly place: string
  readonly isOwn: boolean
}

/** Reports the calls of a unit that nothing it asks for can cover, and notes those that only a run can tell. */
export function checkContained(checker: Checker, owner: string, cans: readonly CanClause[], bodyStart: Span): void {
  const { facts } = checker
  if (!facts.callLog.some(({ fact }) => fact.target.kind === 'workflow' || (fact.target.kind === 'function' && fact.target.signature.needs.length > 0))) return
  const { declaration } = checker.unit
  const known = new KnownValues(facts, declaration.kind === 'workflow' ? declaration : null)
  const levels = levelsOf(checker, owner)
  const undecided: Undecided[] = []
  const seen = new Set<object>()
  const look = (from: number, to: number, node: NodeFacts | null): void => {
    const items = node === null ? new Map<string, Known>() : known.itemsOf(node)
    const values: Values = expr => known.of(expr, items)
    for (const { expr, name, fact } of facts.callLog.slice(from, to)) {
      if (seen.has(expr)) continue
      seen.add(expr)
      if (fact.target.kind === 'workflow') undecided.push(...checkCallee(checker, levels, { at: expr, name, fact }, values))
      else if (fact.target.kind === 'function') {
        for (const need of fact.target.signature.needs) {
          const open = checkNeed(checker, levels, { at: expr, name, fact }, need, values, { cans, bodyStart })
          if (open.length > 0) checkTrustedNeed(checker, name, fact, need) // V3
          undecided.push(...open)
        }
      }
    }
  }
  for (const node of facts.workflow?.nodes ?? []) if (node.calls.to > node.calls.from) look(node.calls.from, node.calls.to, node)
  look(0, facts.callLog.length, null)
  facts.undecided = undecided
  if (!checker.strict) return
  for (const { at, callee, grant } of undecided) checker.report(capabilityErrors['decided-at-run-time']({ callee, grant }, { at: checker.at(at) }))
}

/** Reports the calls of a test that its file does not ask for; calls that are meant to be refused are left alone. */
export function checkTestContained(checker: Checker, grants: readonly GrantFact[]): void {
  const { facts } = checker
  const refused = new Set<unknown>([...facts.calls.values()].flatMap(fact => (fact.target.kind === 'denied' ? fact.args.flatMap(arg => arg.values) : [])))
  const asked = askedGrants(grants).map(({ fact, grant }) => ({ fact, grant: { name: grant.name, args: grant.args.map(fresh) } }))
  const file = level(asked, 'this file', false)
  const known = new KnownValues(facts, null)
  const values: Values = expr => known.of(expr, new Map())
  for (const { at, expr, name, fact } of facts.callLog) {
    if (fact.target.kind !== 'function' || refused.has(expr)) continue
    for (const need of fact.target.signature.needs) {
      const clause = clauseFor(need, fact, checker.unit)
      if (file.grants.some(grant => grant.name === need.grant)) checkNeed(checker, [file], { at: expr, name, fact }, need, values, { cans: [], bodyStart: at })
      else checker.report(capabilityErrors['not-granted']({ callee: name, grant: need.grant, place: 'this file' }, { at: checker.at(at), help: [`A test may do what its file may: add \`can ${clause.text}\` to it.`] }))
    }
  }
}

const level = (asked: readonly AskedGrant[], place: string, isOwn: boolean): Level => ({ asked, grants: asked.map(each => each.grant), place, isOwn })

function levelsOf(checker: Checker, owner: string): Level[] {
  const own = level(askedGrants(checker.facts.grants ?? []), owner, true)
  return checker.fileFacts.grants === null ? [own] : [own, level(checker.fileFacts.asked, 'this file', false)]
}

interface Call {
  readonly at: Span
  readonly name: string
  readonly fact: CallFact
}

function checkNeed(checker: Checker, levels: readonly Level[], { at, name, fact }: Call, need: GrantNeed, values: Values, offer: { readonly cans: readonly CanClause[]; readonly bodyStart: Span }): Undecided[] {
  if (levels.some(level => !level.grants.some(grant => grant.name === need.grant))) return [] // not-granted.ts
  const kindsOf = kindsFor(fact)
  const wanted = wantedBy(checker, need, fact, kindsOf, values)
  const undecided = [{ at, callee: name, grant: needText(need, fact, checker.unit) }]
  if (wanted === null) return undecided
  let isProved = true
  for (const level of levels) {
    const verdict = overAll(wanted, each => verdictOf(level.grants, each, kindsOf))
    if (verdict === 'outside') {
      const clause = clauseFor(need, fact, checker.unit)
      const fix = level.isOwn ? insertion(checker, offer.cans, offer.bodyStart, clause) : null
      checker.report(capabilityErrors.outside({ callee: name, grant: shown(wanted) ?? needText(need, fact, checker.unit), place: level.place }, {
        at: checker.at(at), related: relatedTo(level, need.grant), help: [...optionHelp(level, shown(wanted)), `If it should, add \`${clause.text}\` to a \`can\` of ${level.place}.`], fixes: fix === null ? [] : [fix],
      }))
      return []
    }
    isProved &&= verdict === 'inside'
  }
  return isProved ? [] : undecided
}

/** Why a `*` that stands there does not cover an option of a program. */
function optionHelp({ grants }: Level, wanted: string | null): string[] {
  const isOption = wanted !== null && wanted.startsWith('exec(') && wanted.includes('"-')
  if (!isOption || !grants.some(({ name, args }) => name === 'exec' && args.includes('*'))) return []
  return ['`*` stands for no argument that begins with `-`: write options out; `**` is any arguments.']
}

/** What is wanted of one call: every group is needed, and of each group one, it is not known which. */
interface Wanted {
  readonly groups: readonly (readonly PartGrant[])[]
  /** Whether nothing may be wanted in the end: a list that may be empty. */
  readonly mayBeNone: boolean
}

function overAll({ groups: wanted, mayBeNone }: Wanted, verdict: (each: PartGrant) => Verdict): Verdict {
  const groups = wanted.map(group => together(group.map(verdict)))
  if (mayBeNone) return groups.every(each => each === 'inside') ? 'inside' : 'unknown'
  return groups.includes('outside') ? 'outside' : groups.every(each => each === 'inside') ? 'inside' : 'unknown'
}

function kindsFor(fact: CallFact): GrantKinds {
  const signature = fact.target.kind === 'function' ? fact.target.module.signature : null
  return name => {
    const core = coreGrantKinds(name)
    if (core !== null || !signature || !name.startsWith(`${signature.name}.`)) return core
    const own = name.slice(signature.name.length + 1)
    return Object.hasOwn(signature.grants, own) ? signature.grants[own]!.params.map(param => param.kind) : null
  }
}

/** Null when too little is known of the arguments to say anything. */
function wantedBy(checker: Checker, need: GrantNeed, fact: CallFact, kindsOf: GrantKinds, values: Values): Wanted | null {
  const kinds = kindsOf(need.grant)
  let groups: PartText[][][] = [[[]]]
  let mayBeNone = false
  for (const [index, arg] of need.args.entries()) {
    const isArgv = kinds?.[Math.min(index, kinds.length - 1)] === 'argv'
    const found = 'literal' in arg ? { choices: [[[exact(arg.literal)]]] } : argumentChoices(checker, arg.param, fact, isArgv, values)
    if (found === null) return null
    mayBeNone ||= found.mayBeNone === true
    const { choices } = found
    groups = groups.flatMap(group => choices.map(alternatives => group.flatMap(before => alternatives.map(each => [...before, ...each]))))
    if (groups.length > MAX_COMBINATIONS || groups.some(group => group.length > MAX_COMBINATIONS)) return null
  }
  return { groups: groups.map(group => group.map(args => ({ name: need.grant, args }))), mayBeNone }
}

const exact = (text: string): PartText => ({ kind: 'exact', text: isWhole(text) ? text : anything })

interface Choices {
  /** All these are needed (the items of a list), each one of these (alternatives), each so many texts (tokens). */
  readonly choices: PartText[][][]
  readonly mayBeNone?: boolean
}

function argumentChoices(checker: Checker, param: string, fact: CallFact, isArgv: boolean, values: Values): Choices | null {
  const given = fact.args.find(each => each.param.name === param)
  if (given === undefined || given.values.length === 0) {
    const standard = fact.target.kind === 'function' ? fact.target.signature.params.find(each => each.name === param)?.default : undefined
    if (typeof standard === 'string') return { choices: [[[exact(standard)]]] }
    return standard === undefined || standard === null ? { choices: [[[]]] } : null
  }
  if (given.values.some(value => isOptional(checker.facts.types.get(value) ?? given.param.type))) return null // left out, perhaps
  const known = given.values.map(values)
  if (isArgv) return { choices: [tokenAlternatives(known)] }
  if (known.length !== 1) return null
  const isGlob = isGlobParam(fact, param)
  const texts = (each: Known): PartText[][] | null => (each.kind === 'text' ? each.texts.map(text => [isGlob && text.kind === 'exact' ? { kind: 'glob', text: text.text } : text]) : null)
  const [only] = known
  if (only!.kind === 'text') return { choices: [texts(only!)!] }
  if (only!.items === null) {
    const each = texts(itemOf(only!))
    return each === null ? null : { choices: [each], mayBeNone: true }
  }
  const items = only!.items.map(texts)
  return items.every(each => each !== null) && items.length <= MAX_COMBINATIONS ? { choices: items, mayBeNone: items.length === 0 } : null
}

/** The command lines that some values may become. */
function tokenAlternatives(known: readonly Known[]): PartText[][] {
  let alternatives: PartText[][] = [[]]
  const add = (each: Known): void => {
    if (each.kind === 'list') {
      if (each.items === null) alternatives = alternatives.map(before => [...before, { kind: 'tokens', text: '' }])
      else each.items.forEach(add)
      return
    }
    const texts: readonly PartText[] = alternatives.length * each.texts.length > MAX_COMBINATIONS ? [{ kind: 'exact', text: anything }] : each.texts
    alternatives = alternatives.flatMap(before => texts.map(text => [...before, text]))
  }
  known.forEach(add)
  return alternatives
}

/** V2. */
function checkCallee(checker: Checker, levels: readonly Level[], { at, name, fact }: Call, values: Values): Undecided[] {
  if (fact.target.kind !== 'workflow') return []
  const { symbol } = fact.target
  const isSameFile = symbol.unit.file === checker.unit.file
  const given = givenTexts(symbol.declaration, fact, values, expr => writtenText(symbol.unit, expr))
  const found: Undecided[] = []
  const reported = new Set<string>()
  for (const { grant, fact: asked } of checker.shapeOf(symbol).asks) {
    const wanted: PartGrant = { name: grant.name, args: grant.args.map(text => ({ kind: 'pattern', text: withParams(text, given) })) }
    const written = sourceText(asked.unit, asked.node)
    for (const level of levels) {
      if (!level.isOwn && isSameFile) continue // looked at where the callee's own calls are
      const verdict = verdictOf(level.grants, wanted, kindsOfAsked(checker, asked.name))
      if (verdict === 'inside') continue
      if (verdict === 'unknown') found.push({ at, callee: name, grant: written })
      else if (!reported.has(written)) {
        reported.add(written)
        const related = [{ at: placeIn(asked.unit, asked.node), message: `\`${name}\` asks for it here` }, ...relatedTo(level, grant.name)].slice(0, MAX_RELATED)
        checker.report(capabilityErrors['exceeds-caller']({ callee: name, grant: written, place: level.place }, {
          at: checker.at(at), related, help: [`Ask for less in \`${name}\`, or for more in ${level.place}.`],
        }))
      }
      break
    }
  }
  return found
}

/** The kinds of a grant that is asked for. */
export function kindsOfAsked(checker: Checker, name: string): GrantKinds {
  return asked => {
    if (asked !== name) return null
    const core = coreGrantKinds(name)
    if (core !== null) return core
    const [module = '', own = ''] = name.split('.')
    const all = [checker.program.std(module), ...checker.unit.file.modules.values()]
    const signature = all.find(each => each?.signature?.name === module)?.signature
    return signature && Object.hasOwn(signature.grants, own) ? signature.grants[own]!.params.map(param => param.kind) : null
  }
}

/** What a caller gives for each parameter, as one text. */
function givenTexts(workflow: WorkflowDecl, fact: CallFact, values: Values, standard: (expr: Expr) => string): (index: number) => string {
  return index => {
    const param = workflow.params[index]
    if (param === undefined) return anything
    const value = fact.args.find(each => each.param.name === param.name.text)?.values[0]
    if (value === undefined) return param.default === null ? anything : fresh(standard(param.default))
    const known = values(value)
    const [only, more] = known.kind === 'text' ? known.texts : []
    return only !== undefined && more === undefined && only.kind === 'exact' ? only.text : anything
  }
}

/** A default speaks of the callee's parameters, which the caller does not know. */
const fresh = (text: string): string => withParams(text, () => anything)

function relatedTo(level: Level, grant: string): { at: ReturnType<typeof placeIn>; message: string }[] {
  return level.asked.filter(each => each.grant.name === grant).slice(0, MAX_RELATED).map(({ fact }) => ({ at: placeIn(fact.unit, fact.node), message: 'this is what it asks for' }))
}

/** The grant as a program would write it, when all of it is known. */
function shown({ groups }: Wanted): string | null {
  const [group, moreGroups] = groups
  const [only, more] = group ?? []
  if (only === undefined || more !== undefined || moreGroups !== undefined || only.args.some(each => each.kind === 'tokens' || !isWhole(each.text))) return null
  return only.args.length === 0 ? only.name : `${only.name}(${only.args.map(each => JSON.stringify(each.text)).join(', ')})`
}
