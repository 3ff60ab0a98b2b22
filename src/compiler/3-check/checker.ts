// Checker: what every part of checking one unit is given.
// Owns: the one object that is passed around; reporting; comparing a value's type with what its place asks for.
//   C1. After a report the type is `any`, which fits everywhere: one mistake, one report.
//   C2. A broken declaration (syntax error) reports nothing more about what is missing in it.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Place } from '#model/source.ts'
import type { Type } from '#model/type.ts'
import type { Expr, Param, Path, Span, TypeNode, Value } from '../1-syntax/ast.ts'
import type { Program, Sym, Unit } from '../2-resolve/program.ts'
import type { Caller, FileFacts, OutsideSource, Shape, UnitFacts } from './facts.ts'
import type { Scope } from './scope.ts'
import type { Mark, TraceSetting } from './trust/trace.ts'

export interface Checker {
  readonly program: Program
  readonly unit: Unit
  readonly facts: UnitFacts
  report(diagnostic: Diagnostic): void
  /** True when an error was reported in this unit: warnings about it may be its echo. */
  hasErrors(): boolean
  at(span: Span): Place
  /** The type of an expression. `expected` guides literals and lambdas; it is not enforced. */
  infer(expr: Expr, scope: Scope, expected?: Type): Type
  /** Infers and reports when the value does not fit; gives the inferred type. `place` begins a sentence: `The parameter \`x\``. */
  expect(expr: Expr, scope: Scope, expected: Type, place: string): Type
  /** Reports when a type already inferred does not fit. */
  fit(expr: Expr, type: Type, expected: Type, place: string): void
  /** Infers a bool, and reports when it is not one. */
  condition(expr: Expr, scope: Scope, place: string): void
  typeOf(node: TypeNode): Type
  /** The type of a parameter: as declared, or as it is given when the unit is looked at again with untrusted values. */
  paramType(param: Param): Type
  shapeOf(symbol: Sym): Shape
  /** What is known of another unit by now; undefined when it was not looked at yet. */
  factsOf(unit: Unit): UnitFacts | undefined
  /** A workflow looked at again with these types of its parameters; null where it cannot be, which is reported. */
  variantOf(symbol: Sym<'workflow'>, params: ReadonlyMap<string, Type>, caller: Caller, at: Span): UnitFacts | null
  traceSetting(mark: Mark): TraceSetting
  /** What makes the answers of the agent a path names untrusted, whatever it is asked. */
  agentSource(path: Path): OutsideSource | null
  /** Notes that an agent is given a prompt with untrusted text. */
  noteTold(path: Path, prompt: Value): void
  /** What the clauses at the top of the unit's file say; worked out once a file. */
  readonly fileFacts: FileFacts
  /** Whether what only a run can decide is an error. */
  readonly strict: boolean
}

const NUMBERS = new Set<Type['kind']>(['int', 'float'])

/**
 * The target with refinements dropped wherever the value's own type is the bare base type: what is not a literal is checked when it
 * runs (`int` may be given for `int(0..100)`; the literal 200 may not).
 */
export function withoutUnprovable(to: Type, from: Type): Type {
  const given = bare(from)
  switch (to.kind) {
    case 'int':
    case 'float':
      return NUMBERS.has(given.kind) ? { kind: to.kind } : to
    case 'string':
      return given.kind === 'string' || given.kind === 'path' || given.kind === 'url' ? { kind: 'string' } : to
    case 'list':
      return given.kind === 'list' ? { kind: 'list', item: withoutUnprovable(to.item, given.item) } : to
    case 'map':
      return given.kind === 'map' ? { kind: 'map', value: withoutUnprovable(to.value, given.value) } : to
    case 'record': {
      if (given.kind !== 'record') return to
      const fields: Record<string, { type: Type; optional: boolean }> = Object.create(null) as Record<string, { type: Type; optional: boolean }>
      for (const [name, field] of Object.entries(to.fields)) {
        const theirs = Object.hasOwn(given.fields, name) ? given.fields[name] : undefined
        fields[name] = theirs === undefined ? field : { ...field, type: withoutUnprovable(field.type, theirs.type) }
      }
      return { ...to, fields }
    }
    case 'union': {
      const parts = given.kind === 'union' ? given.members : [given]
      return { ...to, members: to.members.map(member => parts.reduce((all, part) => withoutUnprovable(all, part), member)) }
    }
    case 'untrusted':
    case 'secret':
      return { kind: to.kind, of: withoutUnprovable(to.of, given) }
    default:
      return to
  }
}

const bare = (type: Type): Type => (type.kind === 'untrusted' || type.kind === 'secret' ? bare(type.of) : type)
