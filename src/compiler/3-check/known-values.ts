// Known values: what can be told of a value before a run, as far as grants care: texts, and lists of them.
// Owns: following names to tasks, lets, consts and `for` items. Does not own: what grants cover (grants/verdict.ts).
//   K1. What is said holds for every value: where in doubt it is `anything`.
//   K2. A value is looked at once per workflow; a chain of names deeper than MAX_DEPTH is not followed.
import { anything, isWhole, paramText, type PartText, word } from '#grants/part-text.ts'
import type { Type } from '#model/type.ts'
import { stripQualifiers } from '#types/construct.ts'
import type { CallExpr, Expr, LiteralExpr, OnFailureClause, PipeExpr, TemplateExpr, WorkflowDecl } from '../1-syntax/ast.ts'
import type { Sym, Unit } from '../2-resolve/program.ts'
import type { CallFact, NodeFacts, UnitFacts } from './facts.ts'
import { familyOf } from './families.ts'

const MAX_DEPTH = 64
/** Texts that a value may be one of. */
const MAX_TEXTS = 64
const MAX_TEXT_LENGTH = 16_384

export type Known =
  /** One of these. */
  | { readonly kind: 'text'; readonly texts: readonly PartText[] }
  /** A list; `items` when each is known and in its place, `each` what every item is. */
  | { readonly kind: 'list'; readonly items: readonly Known[] | null; readonly each: Known }

const text = (value: string, kind: PartText['kind'] = 'exact'): Known => ({ kind: 'text', texts: [{ kind, text: value.length <= MAX_TEXT_LENGTH ? value : anything }] })
export const unknownValue: Known = text(anything)
const written = (value: string): Known => (isWhole(value) ? text(value) : unknownValue)

/** Functions of the prelude that give some items of their first argument. */
const KEEPS = new Set(['filter', 'sort', 'sortBy', 'take', 'drop', 'unique'])
/** Tools that give paths which their argument, a glob, finds. */
const FINDS: ReadonlyMap<string, string> = new Map([['fs.glob', 'pattern']])
/** Tools that give back the path they were given. */
const GIVES_BACK: ReadonlyMap<string, string> = new Map([
  ['fs.write', 'path'], ['fs.writeBytes', 'path'], ['fs.append', 'path'], ['fs.makeDirectory', 'path'], ['fs.copy', 'to'], ['fs.move', 'to'],
])

/** The full name of a function of tek's own, or ''. */
function stdName({ target }: CallFact): string {
  return target.kind === 'function' && target.module.kind === 'std' ? `${target.module.signature?.name}.${target.signature.name}` : ''
}

/** Whether a parameter of a function is itself a glob. */
export const isGlobParam = (fact: CallFact, param: string): boolean => FINDS.get(stdName(fact)) === param

type Items = ReadonlyMap<string, Known>
const NO_ITEMS: Items = new Map()

/** What is known of the values of one unit. */
export class KnownValues {
  private readonly facts: UnitFacts
  private readonly params: ReadonlyMap<string, number>
  private readonly fallback: OnFailureClause | null
  private readonly nodes = new Map<number, Known>()
  private depth = 0

  constructor(facts: UnitFacts, workflow: WorkflowDecl | null) {
    this.facts = facts
    this.params = new Map(workflow?.params.map((param, index) => [param.name.text, index]))
    this.fallback = workflow?.body.findLast((member): member is OnFailureClause => member.kind === 'on-failure') ?? null
  }

  /** The names that hold in a task: the item of its `for`. */
  itemsOf(node: NodeFacts): Items {
    const { declaration } = node
    if (declaration.kind !== 'task' || declaration.forEach === null) return NO_ITEMS
    return new Map([[declaration.forEach.item.text, itemOf(this.of(declaration.forEach.list, NO_ITEMS))]])
  }

  of(expr: Expr, items: Items): Known {
    if (this.depth > MAX_DEPTH) return unknownValue // K2
    this.depth++
    try {
      return this.look(expr, items)
    } finally {
      this.depth--
    }
  }

  private look(expr: Expr, items: Items): Known {
    switch (expr.kind) {
      case 'group':
        return this.of(expr.inner, items)
      case 'string-literal':
        return written(expr.value)
      case 'template':
        return this.template(expr, items)
      case 'name-expr':
        return this.name(expr.name, expr, items)
      case 'list':
        return listOf(expr.items.map(item => this.of(item, items)))
      case 'comprehension': {
        const item = itemOf(this.of(expr.list, items))
        return { kind: 'list', items: null, each: this.of(expr.value, new Map([...items, [expr.item.text, item]])) }
      }
      case 'if':
        return either(this.of(expr.then, items), this.of(expr.else, items))
      case 'match':
        return expr.arms.length === 0 || expr.arms.length > MAX_TEXTS ? this.byType(expr) : expr.arms.map(arm => this.of(arm.value, items)).reduce(either)
      case 'binary':
        if (expr.op === '??') return either(this.of(expr.left, items), this.of(expr.right, items))
        return expr.op === '+' && this.isText(expr.left) && this.isText(expr.right) ? joined([this.of(expr.left, items), this.of(expr.right, items)]) : this.byType(expr)
      case 'index':
        return this.isList(expr.object) ? itemOf(this.of(expr.object, items)) : this.byType(expr)
      case 'call':
      case 'pipe':
        return this.call(expr, items)
      default:
        return this.byType(expr)
    }
  }

  private template(expr: TemplateExpr, items: Items): Known {
    return joined(expr.parts.map(part => (part.kind === 'template-text' ? written(part.value) : this.of(part, items))))
  }

  private name(name: string, expr: Expr, items: Items): Known {
    const ref = this.facts.refs.get(expr)
    switch (ref?.kind) {
      case 'param': {
        const index = this.params.get(name)
        return index === undefined || this.isList(expr) || !this.isSimple(expr) ? this.byType(expr) : text(paramText(index))
      }
      case 'local':
        return items.get(name) ?? this.byType(expr)
      case 'node':
        return this.node(ref.index)
      case 'const':
        return symbolValue(ref.symbol, 0)
      default:
        return this.byType(expr)
    }
  }

  private node(index: number): Known {
    let known = this.nodes.get(index)
    if (known === undefined) {
      this.nodes.set(index, unknownValue) // a circle: reported elsewhere
      known = this.nodeValue(this.facts.workflow!.nodes[index]!)
      this.nodes.set(index, known)
    }
    return known
  }

  private nodeValue(node: NodeFacts): Known {
    const { declaration } = node
    if (declaration.kind === 'let') return this.of(declaration.value, NO_ITEMS)
    if (declaration.by !== null || declaration.value.kind === 'prompt-value') return unknownValue
    const own = declaration.clauses.find((clause): clause is OnFailureClause => clause.kind === 'on-failure') ?? this.fallback
    if (own?.action.kind === 'use') return unknownValue // K1
    if (declaration.forEach === null) return this.of(declaration.value, NO_ITEMS)
    return { kind: 'list', items: null, each: this.of(declaration.value, this.itemsOf(node)) }
  }

  private call(expr: CallExpr | PipeExpr, items: Items): Known {
    const fact = this.facts.calls.get(expr)
    const first = fact?.args[0]?.values[0]
    if (fact === undefined || first === undefined) return this.byType(expr)
    if (fact.target.kind === 'prelude') {
      if (KEEPS.has(fact.target.name) && this.isList(first)) return { kind: 'list', items: null, each: itemOf(this.of(first, items)) }
      if (fact.target.name === 'flatten') return { kind: 'list', items: null, each: itemOf(itemOf(this.of(first, items))) }
      if (fact.target.name === 'first' || fact.target.name === 'last') return this.isList(first) ? itemOf(this.of(first, items)) : this.byType(expr)
      return fact.target.name === 'trust' ? this.of(first, items) : this.byType(expr)
    }
    const name = stdName(fact)
    const param = FINDS.get(name) ?? GIVES_BACK.get(name)
    const given = param === undefined ? undefined : fact.args.find(arg => arg.param.name === param)?.values[0]
    if (given === undefined) return this.byType(expr)
    const known = this.of(given, items)
    if (!FINDS.has(name)) return known
    if (known.kind !== 'text') return this.byType(expr)
    return { kind: 'list', items: null, each: { kind: 'text', texts: known.texts.map(each => ({ kind: 'found', text: each.kind === 'exact' ? each.text : anything })) } }
  }

  private typeOf(expr: Expr): Type | null {
    const type = this.facts.types.get(expr)
    return type === undefined ? null : stripQualifiers(type)
  }

  private isText(expr: Expr): boolean {
    const type = this.typeOf(expr)
    return type !== null && familyOf(type) === 'text'
  }

  private isList(expr: Expr): boolean {
    return this.typeOf(expr)?.kind === 'list'
  }

  /** A text, a number or true or false, and never null. */
  private isSimple(expr: Expr): boolean {
    const type = this.typeOf(expr)
    return type !== null && ['text', 'int', 'float', 'bool'].includes(familyOf(type))
  }

  private byType(expr: Expr): Known {
    const type = this.typeOf(expr)
    return type === null ? unknownValue : ofType(type)
  }
}

function ofType(type: Type): Known {
  const bare = stripQualifiers(type)
  if (bare.kind === 'list') return { kind: 'list', items: null, each: ofType(bare.item) }
  const members = bare.kind === 'union' ? bare.members : [bare]
  const texts = members.map(member => (member.kind === 'literal' && typeof member.value === 'string' ? member.value : null))
  if (texts.every(each => each !== null) && texts.length <= MAX_TEXTS) return texts.map(written).reduce(either)
  return ['int', 'float', 'bool'].includes(familyOf(bare)) ? text(word) : unknownValue
}

/** What each item of a list is. */
export function itemOf(known: Known): Known {
  return known.kind === 'list' ? known.each : unknownValue
}

function listOf(items: readonly Known[]): Known {
  return { kind: 'list', items, each: items.length === 0 ? unknownValue : items.reduce(either) }
}

function either(a: Known, b: Known): Known {
  if (a === b) return a
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: null, each: either(a.each, b.each) }
  if (a.kind !== 'text' || b.kind !== 'text') return unknownValue
  const texts = [...a.texts]
  for (const each of b.texts) if (!texts.some(other => other.kind === each.kind && other.text === each.text)) texts.push(each)
  return texts.length > MAX_TEXTS ? unknownValue : { kind: 'text', texts }
}

/** Texts one after the other. */
function joined(parts: readonly Known[]): Known {
  let made: readonly string[] = ['']
  for (const part of parts) {
    const texts = part.kind === 'text' ? part.texts.map(each => (each.kind === 'exact' ? each.text : anything)) : [anything]
    if (made.length * texts.length > MAX_TEXTS) return unknownValue
    made = made.flatMap(before => texts.map(each => before + each))
  }
  return made.some(each => each.length > MAX_TEXT_LENGTH) ? unknownValue : { kind: 'text', texts: made.map(each => ({ kind: 'exact', text: each })) }
}

const consts = new WeakMap<Sym, Known>()

/** The value of a const; looked at once. */
function symbolValue(symbol: Sym | undefined, depth: number): Known {
  if (symbol?.kind !== 'const') return unknownValue
  let known = consts.get(symbol)
  if (known === undefined) {
    known = constValue(symbol.unit, symbol.declaration.value, depth)
    consts.set(symbol, known)
  }
  return known
}

/** By the names of the const's own file. */
function constValue(unit: Unit, expr: Expr, depth: number): Known {
  if (depth > MAX_DEPTH) return unknownValue // K2
  const inner = (each: Expr): Known => constValue(unit, each, depth + 1)
  switch (expr.kind) {
    case 'group':
      return inner(expr.inner)
    case 'string-literal':
      return written(expr.value)
    case 'template':
      return joined(expr.parts.map(part => (part.kind === 'template-text' ? written(part.value) : inner(part))))
    case 'list':
      return listOf(expr.items.map(inner))
    case 'name-expr':
      return symbolValue(unit.file.values.get(expr.name), depth + 1)
    default:
      return unknownValue
  }
}

/** The text of a grant's argument or of a default: of literals, consts, and parameters of the workflow it stands in. */
export function writtenText(unit: Unit, expr: Expr): string {
  const params = unit.declaration.kind === 'workflow' ? unit.declaration.params.map(param => param.name.text) : []
  const piece = (each: Expr): string => {
    if (each.kind === 'group') return piece(each.inner)
    const index = each.kind === 'name-expr' ? params.indexOf(each.name) : -1
    if (index >= 0) return paramText(index)
    if (each.kind === 'template') return each.parts.map(part => (part.kind === 'template-text' ? (isWhole(part.value) ? part.value : anything) : piece(part))).join('')
    const known = constValue(unit, each, 0)
    return known.kind === 'text' && known.texts.length === 1 ? known.texts[0]!.text : anything
  }
  return piece(expr)
}

/** The literal that a value is, in itself or by the names of consts; null where only a run can tell. */
export function literalOf(facts: UnitFacts, expr: Expr): LiteralExpr | null {
  if (expr.kind === 'group') return literalOf(facts, expr.inner)
  const ref = expr.kind === 'name-expr' ? facts.refs.get(expr) : undefined
  return ref?.kind === 'const' ? constLiteral(ref.symbol, 0) : expr.kind === 'literal' ? expr : null
}

/** A text that is written out, in place or by way of constants; null for any other. */
export function textOf(facts: UnitFacts, expr: Expr | undefined): string | null {
  let [next, depth] = [expr, 0]
  const first = expr?.kind === 'name-expr' ? facts.refs.get(expr) : undefined
  let symbol: Sym | undefined = first?.kind === 'const' ? first.symbol : undefined
  while (next !== undefined && depth++ <= MAX_DEPTH) {
    if (next.kind === 'string-literal') return next.value
    if (next.kind === 'group') next = next.inner
    else if (next.kind !== 'name-expr' || symbol?.kind !== 'const') return null
    else {
      const { unit, declaration }: Sym<'const'> = symbol
      next = declaration.value
      const inner = next.kind === 'name-expr' ? unit.file.values.get(next.name) : undefined
      symbol = inner
    }
  }
  return null
}

function constLiteral(symbol: Sym | undefined, depth: number): LiteralExpr | null {
  if (symbol?.kind !== 'const' || depth > MAX_DEPTH) return null // K2
  let expr: Expr = symbol.declaration.value
  while (expr.kind === 'group') expr = expr.inner
  if (expr.kind === 'literal') return expr
  return expr.kind === 'name-expr' ? constLiteral(symbol.unit.file.values.get(expr.name), depth + 1) : null
}
