// Sinks: arguments that must be trusted, and the report when untrusted text gets there.
// Owns: `trust/untrusted-reaches-sink`, what is offered against it. Does not own: which parameters are sinks (signatures), the way (trace.ts).
//   K1. A parameter whose own type has no room for instructions is no sink: what is given for it is checked against that type when it runs.
//   K2. What is offered as safe takes freedom from the text; `trust` is offered without a reason, and compiles when a person has written one.
import { trustErrors } from '#diagnostics/catalog/trust.ts'
import type { Fix, RelatedPlace } from '#diagnostics/diagnostic.ts'
import { hasNoRoomForInstructions, qualifiersWithin } from '#types/construct.ts'
import type { Expr, Span, TypeNode } from '../../1-syntax/ast.ts'
import { placeIn, type Unit } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import type { CallFact } from '../facts.ts'
import { traceWay, USED, type Way } from './trace.ts'
import { sentence, sinkWords } from './words.ts'

/** A name: short, without blanks, dots and slashes, no option of a command. */
const NAME_TYPE = 'string(matches: r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max: 64)'

/** Reports arguments of a call that must be trusted and are not. */
export function checkSinks(checker: Checker, name: string, fact: CallFact): void {
  for (const { param, values } of fact.args) {
    if (param.sink !== true || hasNoRoomForInstructions(param.type)) continue // K1
    for (const value of values) if (isUntrusted(checker, value)) reportSink(checker, value, sinkWords(name, param, fact))
  }
}

export function isUntrusted(checker: Checker, value: Expr): boolean {
  const type = checker.facts.types.get(value)
  return type !== undefined && qualifiersWithin(type).untrusted
}

/** Reports that an untrusted value gets to a place that must be trusted; `sink` follows "reaches". */
export function reportSink(checker: Checker, value: Expr, sink: string): void {
  const way = traceWay(checker.traceSetting('untrusted'), checker.facts, value)
  const narrowing = narrowed(checker, way)
  checker.report(trustErrors['untrusted-reaches-sink']({ source: sentence(way.source), sink }, {
    at: checker.at(value), ...wayExtras(way, checker.unit, value, `ends in ${sink}`),
    help: [narrowing === null
      ? 'Let it choose among values of your own: `match`, `in ["a", "b"]`.'
      : 'A type with no room for instructions closes the way.'],
    fixes: [...(narrowing === null ? [] : [narrowing]), vouching(checker, value)],
  }))
}

/** The steps of a way as places of a diagnostic; the last one joins the place where the way ends. */
export function wayExtras(way: Way, unit: Unit, end: Span, flow: string): { related: RelatedPlace[]; flow: string } {
  const last = way.steps.at(-1)
  const isEnd = last !== undefined && last.unit === unit && last.at.start === end.start && last.at.end === end.end
  const steps = isEnd ? way.steps.slice(0, -1) : way.steps
  const related = steps.map(step => ({ at: placeIn(step.unit, step.at), message: step.message }))
  return { related, flow: isEnd && last.message !== USED ? `${last.message}, and ${flow}` : flow }
}

/** K2. */
function vouching(checker: Checker, value: Expr): Fix {
  const { path, start, end } = checker.at(value)
  return {
    title: 'Vouch for it: `trust(…, because: "")`, once you write why', safe: false,
    edits: [{ at: { path, start, end: start }, newText: 'trust(' }, { at: { path, start: end, end }, newText: ', because: "")' }],
  }
}

/** The nearest declaration on the way whose type can be made too narrow for instructions. */
function narrowed(checker: Checker, way: Way): Fix | null {
  for (const { declared } of [...way.steps].reverse()) {
    if (declared === undefined) continue
    const { unit, fields, written, place } = declared
    const title = `Let \`${[declared.name, ...fields].join('.')}\` be a short name`
    if (written !== null) {
      const found = typeNodeAt(checker, unit, written, fields)
      if (found !== null) return { title, safe: declared.isTold, edits: [{ at: placeIn(found.unit, found.node), newText: NAME_TYPE }] }
    } else if (place !== null && fields.length === 0) {
      const { path, end } = placeIn(unit, place.after)
      return { title, safe: false, edits: [{ at: { path, start: end, end }, newText: `${place.sign}${NAME_TYPE}` }] }
    }
  }
  return null
}

/** Where the type of a field is written as a plain `string`. */
function typeNodeAt(checker: Checker, unit: Unit, node: TypeNode, fields: readonly string[]): { unit: Unit; node: TypeNode } | null {
  switch (node.kind) {
    case 'type-list':
      return typeNodeAt(checker, unit, node.item, fields)
    case 'type-optional':
    case 'type-qualified':
      return typeNodeAt(checker, unit, node.inner, fields)
    case 'type-record': {
      const field = node.fields.find(each => each.name.text === fields[0])
      return field === undefined ? null : typeNodeAt(checker, unit, field.type, fields.slice(1))
    }
    case 'type-name': {
      const [name, more] = node.path.parts
      if (name === undefined || more !== undefined) return null
      if (name.text === 'string') return fields.length === 0 && node.refinements.length === 0 ? { unit, node } : null
      const symbol = unit.file.types.get(name.text)
      return symbol === undefined ? null : typeNodeAt(checker, symbol.unit, symbol.declaration.type, fields)
    }
    default:
      return null
  }
}
