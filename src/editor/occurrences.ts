// Occurrences: every place in a file where a name stands for something, and what it stands for.
// Owns: from checked facts to targets. Does not own: what an editor does with them (definition, references, rename, colours, hover).
//   O1. A target is known by the place of its declaration, so that two checks of the same text agree on it.
//   O2. What the checker could not make sense of has no occurrence: nothing is guessed.
import type { Compiled } from '#compiler/compile.ts'
import type { FunctionSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import type { AstNode, Name, Path, Span } from '#compiler/1-syntax/ast.ts'
import { walk } from '#compiler/1-syntax/visit.ts'
import { findModule, placeIn, type FileUnit, type Program, type Sym, type SymbolKind, type Unit } from '#compiler/2-resolve/program.ts'
import type { CallFact, UnitFacts } from '#compiler/3-check/facts.ts'

export type Target =
  | { readonly kind: 'symbol'; readonly name: string; readonly symbol: Sym; readonly declaredAt: Place }
  /** A parameter, a task, a `let`, or what a `for`, a comprehension or a `=>` names. */
  | { readonly kind: 'param' | 'task' | 'local'; readonly name: string; readonly declaredAt: Place; readonly unit: Unit }
  | { readonly kind: 'function'; readonly name: string; readonly module: string; readonly signature: FunctionSignature; readonly declaredAt: null }
  | { readonly kind: 'module'; readonly name: string; readonly declaredAt: Place | null }

export interface Occurrence {
  readonly at: Place
  readonly target: Target
  readonly isDeclaration: boolean
}

/** `workflow review`: the key under which two occurrences are of one thing. // O1 */
export function keyOf(target: Target): string {
  const { declaredAt } = target
  if (declaredAt !== null) return `${declaredAt.path}:${declaredAt.start}`
  return target.kind === 'function' ? `${target.module}.${target.name}` : `module ${target.name}`
}

/**
 * The names of one file and what they stand for, in the order of the text.
 *
 * @param path as shown; a file that is not part of the program has none.
 * @example
 * occurrencesIn(checked, 'flow.tek').filter(each => each.isDeclaration)
 */
export function occurrencesIn(checked: Compiled, path: string): Occurrence[] {
  const { resolution, facts } = checked
  const file = fileOf(checked, path)
  if (file === undefined) return []
  const found = file.units.flatMap(unit => new Walk(resolution!, unit, facts.get(unit) ?? null).all())
  return found.sort((a, b) => a.at.start - b.at.start || a.at.end - b.at.end)
}

/** A file of a checked program, by its shown path. */
export function fileOf({ resolution }: Compiled, path: string): FileUnit | undefined {
  return resolution === null ? undefined : [resolution.entry, ...resolution.files].find(each => each.path === path)
}

class Walk {
  private readonly program: Program
  private readonly unit: Unit
  private readonly facts: UnitFacts | null
  private readonly found: Occurrence[] = []

  constructor(program: Program, unit: Unit, facts: UnitFacts | null) {
    this.program = program
    this.unit = unit
    this.facts = facts
  }

  all(): Occurrence[] {
    walk(this.unit.declaration, (node, parents) => this.visit(node, parents))
    return this.found
  }

  private visit(node: AstNode, parents: readonly AstNode[]): void {
    switch (node.kind) {
      case 'type': case 'const': case 'secret': case 'capability': case 'model': case 'prompt': case 'workflow': case 'agent': case 'loop':
        if (node.kind === 'agent') for (const path of node.leads) this.value(path)
        if (node.kind === 'loop' && node.evolves !== null) this.value(node.evolves)
        return this.declared(node.name, this.symbolOf(node.kind, node.name.text))
      case 'use':
        return this.use(node)
      case 'param':
        return this.declared(node.name, this.own('param', node.name))
      case 'let':
        return this.declared(node.name, this.own('task', node.name))
      case 'task':
        this.declared(node.name, this.own('task', node.name))
        if (node.forEach !== null) this.declared(node.forEach.item, this.own('local', node.forEach.item))
        if (node.by !== null) this.value(node.by)
        for (const name of node.after) this.mention(name, this.taskOf(name.text))
        return
      case 'stage':
        return node.by === null ? undefined : this.value(node.by)
      case 'lambda':
        return this.declared(node.param, this.own('local', node.param))
      case 'comprehension':
        return this.declared(node.item, this.own('local', node.item))
      case 'name-expr':
        return this.nameExpr(node, node.name, parents)
      case 'call':
        return this.call(node)
      case 'pipe':
        return this.pipe(node)
      case 'grant':
        return node.path.parts.length === 1 ? this.mention(node.path.parts[0]!, this.symbolIn(this.unit.file.capabilities, node.path.parts[0]!.text)) : this.modulePart(node.path)
      case 'type-name':
        return node.path.parts.length === 1 ? this.mention(node.path.parts[0]!, this.symbolIn(this.unit.file.types, node.path.parts[0]!.text)) : this.modulePart(node.path)
      case 'agent-tools': case 'agent-approve':
        return node.tools.forEach(path => this.tool(path))
      case 'given': case 'given-cassette':
        return this.value(node.agent)
      case 'given-tool':
        return this.tool(node.tool)
      case 'verify':
        return node.judge === null ? undefined : this.value(node.judge)
      case 'trigger':
        return node.on.kind === 'webhook' && node.on.secret !== null ? this.mention(node.on.secret, this.symbolIn(this.unit.file.values, node.on.secret.text)) : undefined
      default:
        return
    }
  }

  private place(span: Span): Place {
    return placeIn(this.unit, span)
  }

  private declared(name: Name, target: Target | null): void {
    if (target !== null && name.text !== '') this.found.push({ at: this.place(name), target, isDeclaration: true })
  }

  private mention(name: Span, target: Target | null): void {
    if (target !== null) this.found.push({ at: this.place(name), target, isDeclaration: false })
  }

  private own(kind: 'param' | 'task' | 'local', name: Name): Target {
    return { kind, name: name.text, declaredAt: this.place(name), unit: this.unit }
  }

  private symbolOf(kind: SymbolKind, name: string): Target | null {
    const { file } = this.unit
    const space: ReadonlyMap<string, Sym> = kind === 'type' ? file.types : kind === 'capability' ? file.capabilities : file.values
    return this.symbolIn(space, name)
  }

  private symbolIn(space: ReadonlyMap<string, Sym>, name: string): Target | null {
    const symbol = space.get(name)
    return symbol === undefined ? null : targetOf(symbol)
  }

  /** The path of an agent or a workflow. */
  private value(path: Path): void {
    const [first, second] = path.parts
    if (first !== undefined && second === undefined) this.mention(first, this.symbolIn(this.unit.file.values, first.text))
  }

  private tool(path: Path): void {
    const [first, second] = path.parts
    if (first === undefined) return
    if (second === undefined) return this.value(path)
    this.modulePart(path)
    const module = findModule(this.program, this.unit.file, first.text)
    const signature = module?.signature?.functions[second.text]
    if (module && signature !== undefined) this.mention(second, functionTarget(module.name, signature))
  }

  private modulePart(path: Path): void {
    const [first] = path.parts
    if (first !== undefined) this.mention(first, moduleTarget(this.program, this.unit.file, first.text))
  }

  private use(node: Extract<AstNode, { kind: 'use' }>): void {
    const { what } = node
    if (what.kind === 'file') return what.names.forEach(name => this.mention(name, this.symbolIn(this.unit.file.values, name.text) ?? this.symbolIn(this.unit.file.types, name.text) ?? this.symbolIn(this.unit.file.capabilities, name.text)))
    if (what.alias !== null) this.declared(what.alias, { kind: 'module', name: what.alias.text, declaredAt: this.place(what.alias) })
    else if (what.kind === 'module') this.mention(what.path.parts.at(-1)!, moduleTarget(this.program, this.unit.file, what.path.parts.at(-1)!.text))
  }

  private taskOf(name: string): Target | null {
    const { declaration } = this.unit
    const members: readonly AstNode[] = declaration.kind === 'workflow' || declaration.kind === 'test' ? declaration.body : []
    const found = members.find((each): each is Extract<AstNode, { kind: 'task' | 'let' }> => (each.kind === 'task' || each.kind === 'let') && each.name.text === name)
    return found === undefined ? null : this.own('task', found.name)
  }

  private paramOf(unit: Unit, name: string): Target | null {
    const { declaration } = unit
    const found = declaration.kind === 'workflow' || declaration.kind === 'prompt' ? declaration.params.find(each => each.name.text === name) : undefined
    return found === undefined ? null : { kind: 'param', name, declaredAt: placeIn(unit, found.name), unit }
  }

  private nameExpr(node: AstNode & Span, name: string, parents: readonly AstNode[]): void {
    const ref = this.facts?.refs.get(node)
    switch (ref?.kind) {
      case 'param':
        return this.mention(node, this.paramOf(this.unit, name))
      case 'node':
        return this.mention(node, this.taskOf(name))
      case 'local':
        return this.mention(node, this.localOf(name, parents) ?? this.taskOf(name))
      case 'const': case 'symbol':
        return this.mention(node, targetOf(ref.symbol))
      case undefined: // models, their keys and fallbacks are looked up by name, without an expression being checked
        return this.unit.declaration.kind === 'model' || parents.some(each => each.kind === 'agent-model') ? this.mention(node, this.symbolIn(this.unit.file.values, name)) : undefined
      default:
        return
    }
  }

  /** The innermost of what binds a name around it. */
  private localOf(name: string, parents: readonly AstNode[]): Target | null {
    for (const parent of parents.toReversed()) {
      const binder = parent.kind === 'lambda' ? parent.param : parent.kind === 'comprehension' ? parent.item : parent.kind === 'task' ? parent.forEach?.item : undefined
      if (binder?.text === name) return this.own('local', binder)
    }
    return null
  }

  private call(node: Extract<AstNode, { kind: 'call' }>): void {
    const fact = this.facts?.calls.get(node)
    const { callee } = node
    if (fact === undefined) return
    if (callee.kind === 'name-expr') this.mention(callee, symbolCalled(fact))
    else if (callee.kind === 'member' && callee.object.kind === 'name-expr' && fact.target.kind === 'function') {
      this.mention(callee.object, moduleTarget(this.program, this.unit.file, callee.object.name))
      this.mention(callee.name, functionTarget(fact.target.module.name, fact.target.signature))
    }
    this.argumentNames(fact, node.args)
  }

  private pipe(node: Extract<AstNode, { kind: 'pipe' }>): void {
    const fact = this.facts?.calls.get(node)
    if (fact === undefined) return
    const [first, second] = node.target.parts
    if (second === undefined) this.mention(first!, symbolCalled(fact))
    else if (fact.target.kind === 'function') {
      this.mention(first!, moduleTarget(this.program, this.unit.file, first!.text))
      this.mention(second, functionTarget(fact.target.module.name, fact.target.signature))
    }
    this.argumentNames(fact, node.args ?? [])
  }

  /** `root:` in `review(root: "src")` is the parameter of `review`. */
  private argumentNames({ target }: CallFact, args: readonly { readonly name: Name | null }[]): void {
    if (target.kind !== 'workflow' && target.kind !== 'prompt') return
    for (const { name } of args) if (name !== null) this.mention(name, this.paramOf(target.symbol.unit, name.text))
  }
}

function symbolCalled({ target }: CallFact): Target | null {
  return target.kind === 'workflow' || target.kind === 'prompt' ? targetOf(target.symbol) : null
}

export function targetOf(symbol: Sym): Target {
  return { kind: 'symbol', name: symbol.name, symbol, declaredAt: placeIn(symbol.unit, symbol.declaration.name) }
}

function functionTarget(module: string, signature: FunctionSignature): Target {
  return { kind: 'function', name: signature.name, module, signature, declaredAt: null }
}

/** A module's name; of one that a `use` names, the place of its name there. */
function moduleTarget(program: Program, file: FileUnit, name: string): Target | null {
  if (findModule(program, file, name) === null) return null
  for (const unit of file.units) {
    const { declaration } = unit
    if (declaration.kind !== 'use' || declaration.what.kind === 'file') continue
    const { alias } = declaration.what
    if (alias?.text === name) return { kind: 'module', name, declaredAt: placeIn(unit, alias) }
  }
  return { kind: 'module', name, declaredAt: null }
}

/** What stands at an offset, or just before it; null where nothing does. */
export function occurrenceAt(all: readonly Occurrence[], offset: number): Occurrence | null {
  return all.findLast(({ at }) => at.start <= offset && offset <= at.end) ?? null
}
