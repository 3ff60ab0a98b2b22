// Trace: the way of a marked value, from where it came in to where it stands, step by step.
// Owns: the walk back over the tree. Does not own: whether a value is marked (its type says that), what is an error (sinks.ts, secrets.ts).
//   P1. It is made only for a report: a program without errors pays nothing for it.
//   P2. It explains and decides nothing: where two ways lead to a value it shows one.
//   P3. It ends: a part is looked at once for each set of facts, and a way has at most MAX_STEPS steps.
import type { Type } from '#model/type.ts'
import { qualifiersWithin, stripQualifiers } from '#types/construct.ts'
import type { AstNode, Expr, LetDecl, Span, TaskDecl, TypeNode, Value } from '../../1-syntax/ast.ts'
import { walk } from '../../1-syntax/visit.ts'
import type { Unit } from '../../2-resolve/program.ts'
import type { CallFact, UnitFacts } from '../facts.ts'
import { sourceWords } from './words.ts'

/** Steps of one way; a longer one is cut at its source. */
const MAX_STEPS = 128
/** Things a value goes through that one step names. */
const MAX_PHRASES = 3

export type Mark = 'untrusted' | 'secret'

export interface Step {
  readonly unit: Unit
  readonly at: Span
  readonly message: string
  readonly declared?: Declared
}

/** What a step takes from: a task, let or parameter, whose type says what may come in. */
export interface Declared {
  readonly unit: Unit
  readonly name: string
  /** Fields taken from it, the first one first. */
  readonly fields: readonly string[]
  /** Its type as written; null where there is none. */
  readonly written: TypeNode | null
  /** Where a type could be written, after what, and with which sign before it; null where none can. */
  readonly place: { readonly after: Span; readonly sign: ' -> ' | ': ' } | null
  /** Whether a model or a caller is told its type before it gives a value. */
  readonly isTold: boolean
}

export interface Way {
  /** From the source on; the place it ends at is not among them. */
  readonly steps: readonly Step[]
  /** `text from the web`. */
  readonly source: string
}

export interface TraceSetting {
  readonly mark: Mark
  factsOf(unit: Unit): UnitFacts | null
  /** What makes the answers of an agent untrusted, besides its prompt. */
  agentSource(path: AstNode, facts: UnitFacts): { readonly unit: Unit; readonly at: Span; readonly message: string; readonly words: string } | null
}

/** The way that leads to a marked expression. */
export function traceWay(setting: TraceSetting, facts: UnitFacts, expr: Expr): Way {
  return new Walk(setting).from(facts, expr)
}

/** A step at which nothing happens to the value. */
export const USED = 'is used here'

/** What is looked at next. */
interface Spot {
  readonly facts: UnitFacts
  readonly expr: Expr
}

class Walk {
  private readonly setting: TraceSetting
  /** From the end back. */
  private readonly steps: Step[] = []
  private readonly seen = new Map<UnitFacts, Set<Expr>>()
  private phrases: string[] = []
  /** Fields taken from the value looked at, the last first. */
  private fields: string[] = []
  private source = 'untrusted text'

  constructor(setting: TraceSetting) {
    this.setting = setting
  }

  from(facts: UnitFacts, expr: Expr): Way {
    let spot: Spot | null = { facts, expr }
    while (spot !== null && this.steps.length < MAX_STEPS && this.isNew(spot)) spot = this.back(spot) // P3
    return { steps: this.steps.reverse(), source: this.source }
  }

  private isNew({ facts, expr }: Spot): boolean {
    const known = this.seen.get(facts) ?? new Set()
    this.seen.set(facts, known)
    return known.has(expr) ? false : (known.add(expr), true)
  }

  private has(facts: UnitFacts, expr: Expr | null): boolean {
    const type = expr === null ? undefined : facts.types.get(expr)
    return type !== undefined && isMarked(type, this.setting.mark)
  }

  private step(facts: UnitFacts, at: Span, message: string, more: Partial<Step> = {}): void {
    this.steps.push({ unit: facts.unit, at, message, ...more })
    this.phrases = []
  }

  /** What the value goes through on its way from this step to the next, in the order in which it does. */
  private taken(fallback: string): string {
    const through = this.phrases.reverse().slice(-MAX_PHRASES)
    return through.length === 0 ? fallback : `goes ${through.join(', ')}`
  }

  private back({ facts, expr }: Spot): Spot | null {
    const first = (parts: readonly Expr[]): Spot | null => {
      const found = parts.find(part => this.has(facts, part))
      return found === undefined ? null : { facts, expr: found }
    }
    switch (expr.kind) {
      case 'group':
        return { facts, expr: expr.inner }
      case 'template':
        this.phrases.push('into a text')
        return first(expr.parts.filter(part => part.kind !== 'template-text'))
      case 'list':
        this.phrases.push('into a list')
        return first(expr.items)
      case 'record': {
        const field = this.fields.pop()
        const marked = expr.entries.filter(entry => this.has(facts, entry.value))
        const named = marked.find(entry => entry.kind === 'entry' && entry.key.text === field) ?? marked[0]
        if (named?.kind === 'entry') this.phrases.push(`into the field \`${named.key.text}\``)
        else if (field !== undefined) this.fields.push(field)
        return named === undefined ? null : { facts, expr: named.value }
      }
      case 'comprehension':
        return first([expr.value, expr.list])
      case 'lambda':
        return { facts, expr: expr.body }
      case 'if':
        return first([expr.then, expr.else])
      case 'match':
        return first(expr.arms.map(arm => arm.value))
      case 'binary':
        return first([expr.left, expr.right])
      case 'member':
      case 'index':
      case 'name-expr':
        return this.reference(facts, expr)
      case 'call':
      case 'pipe':
        return this.call(facts, expr)
      default:
        return null
    }
  }

  /** `x`, `x.f[0].g`: one step, named by what the value goes through from there. */
  private reference(facts: UnitFacts, expr: Expr): Spot | null {
    const path: string[] = []
    let base: Expr = expr
    while (base.kind === 'member' || base.kind === 'index' || base.kind === 'group') {
      if (base.kind === 'member') path.unshift(base.name.text)
      base = base.kind === 'group' ? base.inner : base.object
    }
    for (let index = path.length - 1; index >= 0; index--) this.fields.push(path[index]!) // the outermost field is taken last
    if (base.kind !== 'name-expr') return { facts, expr: base }
    const ref = facts.refs.get(base)
    switch (ref?.kind) {
      case 'node':
        return this.node(facts, expr, ref.index)
      case 'param':
        return this.param(facts, expr, ref.name)
      case 'local':
        return this.local(facts, expr, ref.name)
      case 'const': {
        const declared = this.setting.factsOf(ref.symbol.unit)
        this.step(facts, expr, this.taken(USED))
        return declared === null || ref.symbol.kind !== 'const' ? null : { facts: declared, expr: ref.symbol.declaration.value }
      }
      case 'symbol':
        this.source = `the secret \`${ref.symbol.name}\``
        this.step(facts, expr, this.taken(USED))
        this.step({ ...facts, unit: ref.symbol.unit }, (ref.symbol.declaration as { name: Span }).name, 'the secret is declared here')
        return null
      default:
        return null
    }
  }

  private node(facts: UnitFacts, at: Expr, index: number): Spot | null {
    const node = facts.workflow?.nodes[index]
    if (node === undefined) return null
    const { declaration } = node
    const isText = stripQualifiers(node.type).kind === 'string'
    this.step(facts, at, this.taken(USED), { declared: { ...declaredBy(declaration, isText), unit: facts.unit, name: node.name, fields: [...this.fields].reverse() } })
    if (declaration.kind === 'let') return { facts, expr: declaration.value }
    if (declaration.by !== null) return this.agentAnswer(facts, declaration, declaration.by)
    if (declaration.value.kind !== 'prompt-value' && this.has(facts, declaration.value)) return { facts, expr: declaration.value }
    const instead = declaration.clauses.flatMap(clause => (clause.kind === 'on-failure' && clause.action.kind === 'use' ? [clause.action.value] : []))
    return instead[0] !== undefined && this.has(facts, instead[0]) ? { facts, expr: instead[0] } : null
  }

  /** An answer is as trusted as what the agent was told and what its tools give. */
  private agentAnswer(facts: UnitFacts, task: TaskDecl, by: AstNode): Spot | null {
    const text = textOf(task.value)
    const name = 'parts' in by ? by.parts.map(part => (part as { text: string }).text).join('.') : task.name.text
    this.fields = []
    if (this.has(facts, text)) {
      this.step(facts, by, `so what \`${name}\` answers may be what that text asked for`)
      this.phrases.push(`the prompt of \`${name}\``)
      if (text!.kind !== 'template') return { facts, expr: text! }
      const part = text!.parts.find(each => each.kind !== 'template-text' && this.has(facts, each))
      this.phrases = [`into the prompt of \`${name}\``]
      return part === undefined ? null : { facts, expr: part as Expr }
    }
    const source = this.setting.agentSource(by, facts)
    if (source === null) return null
    this.step(facts, by, `\`${name}\` reads it, so its answer may be what that text asked for`)
    this.steps.push({ unit: source.unit, at: source.at, message: source.message })
    this.source = source.words
    return null
  }

  private param(facts: UnitFacts, at: Expr, name: string): Spot | null {
    const { declaration } = facts.unit
    const params = declaration.kind === 'workflow' || declaration.kind === 'prompt' ? declaration.params : []
    const param = params.find(each => each.name.text === name)
    const declared: Declared | undefined = param === undefined || declaration.kind !== 'workflow' ? undefined : {
      unit: facts.unit, name, fields: [...this.fields].reverse(), written: param.type, place: null, isTold: true,
    }
    this.step(facts, at, this.taken(USED), declared === undefined ? {} : { declared })
    const { caller } = facts
    if (caller !== null && caller.kind === 'call') {
      const value = caller.fact.args.find(each => each.param.name === name)?.values[0]
      if (value !== undefined && this.has(caller.facts, value)) {
        this.phrases.push(`into \`${(declaration as { name: { text: string } }).name.text}\` as \`${name}\``)
        return { facts: caller.facts, expr: value }
      }
    } else if (caller !== null) {
      this.steps.push({ unit: caller.unit, at: caller.at, message: caller.message })
      this.steps.push({ unit: caller.source.unit, at: caller.source.at, message: caller.source.message })
      this.source = caller.source.words
      return null
    }
    const isDeclared = param?.type.kind === 'type-qualified'
    if (param !== undefined) this.step(facts, param.type, isDeclared ? `\`${name}\` is declared \`${this.setting.mark}\`` : `\`${name}\` comes in from outside here`)
    this.source = `the parameter \`${name}\``
    return null
  }

  /** A name that only a part of the declaration knows: what binds it stands around it. */
  private local(facts: UnitFacts, at: Expr, name: string): Spot | null {
    const around = parentsOf(facts.unit.declaration, at)
    for (let index = around.length - 1; index >= 0; index--) {
      const node = around[index]!
      if (node.kind === 'comprehension' && node.item.text === name && !holds(node.list, at)) return { facts, expr: node.list }
      if (node.kind === 'lambda' && node.param.text === name) return this.listOfLambda(facts, around.slice(0, index), node)
      if (node.kind === 'task' && node.forEach?.item.text === name) {
        this.step(facts, at, this.taken(USED))
        this.phrases.push('item by item')
        return { facts, expr: node.forEach.list }
      }
      if (node.kind === 'ensure' && name === 'answer') {
        const task = around.findLast(each => each.kind === 'task')
        if (task?.kind !== 'task') return null
        this.step(facts, at, this.taken(USED))
        if (task.by !== null) return this.agentAnswer(facts, task, task.by)
        return task.value.kind !== 'prompt-value' && this.has(facts, task.value) ? { facts, expr: task.value } : null
      }
      if (node.kind === 'on-failure' && name === 'error') {
        this.step(facts, at, this.taken('is what went wrong, in words that came from outside'))
        this.source = 'what went wrong'
        return null
      }
      if (node.kind === 'test') {
        const member = node.body.find(each => each.kind === 'let' && each.name.text === name)
        this.step(facts, at, this.taken(USED))
        return member?.kind === 'let' ? { facts, expr: member.value } : null
      }
      if (node.kind === 'loop') {
        this.step(facts, at, this.taken(USED))
        const stage = node.body.find(each => each.kind === 'stage' && each.stage === STAGES[name])
        if (stage?.kind !== 'stage') return null
        const found = this.markedIn(facts, stage.value)
        if (found !== null) return { facts, expr: found }
        if (stage.by !== null) this.step(facts, stage.by, 'an agent answers here')
        return null
      }
    }
    return null
  }

  private markedIn(facts: UnitFacts, value: Value): Expr | null {
    const own = textOf(value)
    if (this.has(facts, own)) return own
    let found: Expr | null = null
    walk(value, node => {
      if (found === null && facts.types.has(node) && this.has(facts, node as Expr)) found = node as Expr
      return found === null
    })
    return found
  }

  private listOfLambda(facts: UnitFacts, around: readonly AstNode[], lambda: Expr): Spot | null {
    for (let index = around.length - 1; index >= 0; index--) {
      const call = around[index]!
      if (call.kind !== 'call' && call.kind !== 'pipe') continue
      const values = facts.calls.get(call)?.args.flatMap(arg => arg.values) ?? []
      const list = values.find(value => value !== lambda && value.kind !== 'lambda' && this.has(facts, value))
      return list === undefined ? null : { facts, expr: list }
    }
    return null
  }

  private call(facts: UnitFacts, expr: Extract<Expr, { kind: 'call' | 'pipe' }>): Spot | null {
    const fact = facts.calls.get(expr)
    if (fact === undefined) return null
    const { target } = fact
    if (target.kind === 'workflow') return this.callee(facts, expr, fact)
    const name = nameOf(fact)
    if (target.kind === 'function' && this.setting.mark === 'untrusted' && (target.signature.untrusted || qualifiersWithin(target.signature.result).untrusted)) {
      this.source = sourceWords(fact)
      this.step(facts, expr, this.phrases.length === 0 ? `${this.source} comes in here` : `${this.source} comes in here and ${this.taken('')}`)
      return null
    }
    const values = fact.args.flatMap(arg => arg.values)
    const lambda = values.find(value => value.kind === 'lambda' && this.hasResult(facts, value))
    const found = (target.kind === 'prelude' && name !== 'filter' ? lambda : undefined) ?? values.find(value => value.kind !== 'lambda' && this.has(facts, value))
    this.phrases.push(target.kind === 'prompt' ? `into the prompt \`${name}\`` : `through \`${name}\``)
    if (found !== undefined) return { facts, expr: found }
    if (target.kind !== 'prompt') return null
    const inner = this.setting.factsOf(target.symbol.unit)
    return inner === null ? null : { facts: inner, expr: target.symbol.declaration.text }
  }

  private hasResult(facts: UnitFacts, lambda: Expr): boolean {
    return lambda.kind === 'lambda' && this.has(facts, lambda.body)
  }

  private callee(facts: UnitFacts, expr: Expr, fact: CallFact): Spot | null {
    if (fact.target.kind !== 'workflow') return null
    const { symbol } = fact.target
    const inner = fact.variant ?? this.setting.factsOf(symbol.unit)
    const { returns } = symbol.declaration
    this.step(facts, expr, `comes back from \`${symbol.name}\`${this.phrases.length === 0 ? '' : ` and ${this.taken('')}`}`)
    if (inner === null || returns === null || !this.has(inner, returns)) return null
    this.phrases.push('into the result')
    return { facts: inner, expr: returns }
  }
}

function declaredBy(declaration: TaskDecl | LetDecl, isText: boolean): Pick<Declared, 'written' | 'place' | 'isTold'> {
  if (declaration.kind === 'let') return { written: declaration.type, place: isText ? { after: declaration.name, sign: ': ' } : null, isTold: false }
  const after = declaration.by ?? declaration.forEach?.list ?? declaration.name
  return { written: declaration.result, place: isText ? { after, sign: ' -> ' } : null, isTold: declaration.by !== null }
}

/** The stage that makes a name of a loop. */
const STAGES: Readonly<Record<string, string>> = { sense: 'sense', decide: 'decide', candidate: 'differentiate', champion: 'differentiate', run: 'run', observe: 'observe' }

export const isMarked = (type: Type, mark: Mark): boolean => qualifiersWithin(type)[mark]

export function textOf(value: Value): Expr | null {
  return value.kind === 'prompt-value' ? value.text : value
}

/** The part of a prompt that is untrusted. */
export function markedPart(facts: UnitFacts, prompt: Value): Span {
  const text = textOf(prompt)
  const parts = text?.kind === 'template' ? text.parts : []
  return parts.find(part => part.kind !== 'template-text' && isMarked(facts.types.get(part) ?? { kind: 'any' }, 'untrusted')) ?? prompt
}

function nameOf({ target }: CallFact): string {
  if (target.kind === 'prelude' || target.kind === 'loop') return target.name
  if (target.kind === 'function') return `${target.module.name}.${target.signature.name}`
  return target.kind === 'denied' ? 'denied' : target.symbol.name
}

const holds = (outer: Span, inner: Span): boolean => outer.start <= inner.start && inner.end <= outer.end

/** The nodes around an expression, the outermost first. */
function parentsOf(root: AstNode, target: AstNode): readonly AstNode[] {
  let found: readonly AstNode[] = []
  walk(root, (node, parents) => {
    if (node === target) found = [...parents]
    return found.length === 0 && holds(node, target)
  })
  return found
}
