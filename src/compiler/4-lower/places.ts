// Places: where the parts of a plan stand in the source, their doc comments, calls left to the guard, values vouched for. Not hashed.
import type { Plan, PlanTrusted, PlanUndecided } from '#model/plan.ts'
import type { Span } from '../1-syntax/ast.ts'
import { placeIn, type FileUnit, type Sym, type Unit } from '../2-resolve/program.ts'
import type { Undecided, Vouched } from '../3-check/facts.ts'

export class PlaceTable {
  private readonly found: Record<string, Plan['places'][string]> = {}
  private readonly texts: Record<string, string> = {}
  private readonly calls: PlanUndecided[] = []
  private readonly vouched: PlanTrusted[] = []
  private readonly lines = new Map<FileUnit, readonly number[]>()

  addWorkflow(symbol: Sym<'workflow'>): void {
    const { declaration, unit, key } = symbol
    this.add(key, unit, declaration.name, declaration.doc)
    for (const member of declaration.body) if (member.kind === 'task' || member.kind === 'let') this.add(`${key}/${member.name.text}`, unit, member.name, member.doc)
  }

  add(key: string, unit: Unit, span: Span, doc: string): void {
    const { start, end } = placeIn(unit, span)
    const from = this.position(unit.file, start)
    const to = this.position(unit.file, end)
    this.found[key] = { path: unit.file.path, line: from.line, column: from.column, endLine: to.line, endColumn: to.column }
    if (doc !== '') this.texts[key] = doc
  }

  /** The calls of a workflow that could not be proved to be granted. */
  addUndecided(symbol: Sym<'workflow'>, calls: readonly Undecided[]): void {
    this.addUndecidedOf(symbol.unit, symbol.key, calls)
  }

  addUndecidedOf(unit: Unit, workflow: string, calls: readonly Undecided[]): void {
    for (const { at, callee, grant } of calls) this.calls.push({ workflow, callee, grant, ...this.placeOf(unit, at) })
  }

  /** What a person vouches for in a workflow, or when an agent calls a tool. */
  addTrusted(symbol: Sym<'workflow' | 'agent'>, values: readonly Vouched[]): void {
    for (const value of values) this.addTrustedOf(symbol.unit, value.tool === undefined ? symbol.key : `@asked:${symbol.key}/${value.tool}`, [value])
  }

  addTrustedOf(unit: Unit, workflow: string, values: readonly Vouched[]): void {
    for (const { at, reason } of values) this.vouched.push({ workflow, reason, ...this.placeOf(unit, at) })
  }

  trusted(): readonly PlanTrusted[] {
    return this.vouched
  }

  /** By place, workflows in the order in which they were added. */
  undecided(): readonly PlanUndecided[] {
    return this.calls
  }

  /** Where something stands, for a reader. */
  placeOf(unit: Unit, span: Span): { path: string; line: number; column: number } {
    return { path: unit.file.path, ...this.position(unit.file, placeIn(unit, span).start) }
  }

  places(): Plan['places'] {
    return this.found
  }

  docs(): Plan['docs'] {
    return this.texts
  }

  /** Line and column from 1. */
  private position(file: FileUnit, offset: number): { line: number; column: number } {
    const starts = this.lines.get(file) ?? lineStarts(file.text)
    this.lines.set(file, starts)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1)) starts.push(index + 1)
  return starts
}

/** The text of an expression on one line; blanks are joined so that layout does not change the plan. */
export function writtenAt(unit: Unit, span: Span): string {
  const { start, end } = placeIn(unit, span)
  return unit.file.text.slice(start, end).replace(/\s+/g, ' ')
}
