// Clause offer: the grant that would allow a call, as a program would write it, and the edit that adds it.
// Owns: its words and its place. Does not own: which calls need one (not-granted.ts, contained.ts).
//   O1. The clause offered asks for the least: the call's own argument where it is written out, `**` where only a run can tell.
//   O2. The edit is safe only when every argument is written out.
import type { Fix } from '#diagnostics/diagnostic.ts'
import { tokenPattern } from '#grants/grant-text.ts'
import type { GrantNeed } from '#model/signature.ts'
import type { CanClause, Expr, Span } from '../../1-syntax/ast.ts'
import type { Unit } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import type { CallFact } from '../facts.ts'

/** Characters of the program shown in a message. */
const MAX_SHOWN = 80

export interface Clause {
  readonly text: string
  /** Whether every argument is written out. */
  readonly isExact: boolean
}

/** A grant as this file writes it: a plugin's name in the file is what stands after `as`. */
export function grantAsWritten(grant: string, { file }: Unit): string {
  const dot = grant.indexOf('.')
  for (const [alias, module] of file.modules) if (dot > 0 && module.kind === 'plugin' && module.signature?.name === grant.slice(0, dot)) return `${alias}${grant.slice(dot)}`
  return grant
}

/** The smallest clause for one need of a call (O1). */
export function clauseFor(need: GrantNeed, fact: CallFact, unit: Unit): Clause {
  let isExact = true
  const args = need.args.flatMap(arg => {
    if ('literal' in arg) return [JSON.stringify(arg.literal)]
    const given = fact.args.find(each => each.param.name === arg.param)
    if (given === undefined) {
      const standard = fact.target.kind === 'function' ? fact.target.signature.params.find(each => each.name === arg.param)?.default : undefined
      return typeof standard === 'string' ? [JSON.stringify(standard)] : []
    }
    return given.values.map(value => {
      const written = argumentText(value, unit, given.param.rest === true)
      isExact &&= written.isExact
      return written.text
    })
  })
  const name = grantAsWritten(need.grant, unit)
  return { text: args.length === 0 ? name : `${name}(${args.join(', ')})`, isExact }
}

function argumentText(value: Expr, unit: Unit, isToken: boolean): Clause {
  if (value.kind === 'string-literal') {
    const pattern = isToken ? tokenPattern(value.value) : value.value
    return { text: JSON.stringify(pattern), isExact: pattern === value.value }
  }
  if (value.kind === 'name-expr' && isParam(unit, value.name)) return { text: `"\${${value.name}}"`, isExact: false }
  const isKnown = value.kind === 'template' && value.parts.every(part => part.kind === 'template-text' || (part.kind === 'name-expr' && isParam(unit, part.name)))
  return { text: isKnown ? unit.file.text.slice(unit.item.offset + value.start, unit.item.offset + value.end) : '"**"', isExact: false }
}

function isParam(unit: Unit, name: string): boolean {
  return unit.declaration.kind === 'workflow' && unit.declaration.params.some(param => param.name.text === name)
}

/** What a call needs in the words of the program: `fs.read(path.join(root, file))`. */
export function needText(need: GrantNeed, fact: CallFact, unit: Unit): string {
  const args = need.args.flatMap(arg => {
    if ('literal' in arg) return [JSON.stringify(arg.literal)]
    return fact.args.find(each => each.param.name === arg.param)?.values.map(value => sourceText(unit, value)) ?? []
  })
  return args.length === 0 ? need.grant : `${need.grant}(${args.join(', ')})`
}

/** A piece of a declaration as written, on one line. */
export function sourceText(unit: Unit, { start, end }: Span): string {
  const text = unit.file.text.slice(unit.item.offset + start, unit.item.offset + end).replace(/\s+/g, ' ')
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** The edit that adds a clause to the last `can`, or makes one after `bodyStart` (O2). */
export function insertion(checker: Checker, cans: readonly CanClause[], bodyStart: Span, { text, isExact }: Clause): Fix | null {
  const { file, item } = checker.unit
  const last = cans.at(-1)
  const lastGrant = last?.grants.at(-1)
  if (lastGrant !== undefined) {
    const at = item.offset + lastGrant.end
    return { title: `Add \`${text}\` to \`can\``, safe: isExact, edits: [{ at: { path: file.path, start: at, end: at }, newText: `, ${text}` }] }
  }
  const brace = file.text.indexOf('{', item.offset + bodyStart.end)
  if (brace < 0) return null
  return { title: `Add \`can ${text}\``, safe: isExact, edits: [{ at: { path: file.path, start: brace + 1, end: brace + 1 }, newText: `\n  can ${text}` }] }
}
