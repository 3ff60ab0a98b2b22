// Not granted: a call that needs a grant which no `can` in force names.
// Whether the grant's argument covers the call's is containment, which is another rule's work.
//   N1. One report per grant and unit: the first call stands for the others, one clause mends them all.
//   N2. The clause offered asks for the least: the call's own argument where it is written out, `**` where only a run can tell.
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import type { Fix } from '#diagnostics/diagnostic.ts'
import type { GrantNeed } from '#model/signature.ts'
import type { CanClause, Span } from '../../1-syntax/ast.ts'
import type { Unit } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import type { CallFact } from '../facts.ts'

/** Reports the calls of a unit that its own `can` and its file's do not name. `owner` is for the message: `` the workflow `x` ``. */
export function checkGranted(checker: Checker, owner: string, cans: readonly CanClause[], bodyStart: Span): void {
  const own = new Set((checker.facts.grants ?? []).map(grant => grant.name))
  const file = checker.fileFacts.grants
  const reported = new Set<string>()
  for (const { at, name, fact } of checker.facts.callLog) {
    if (fact.target.kind !== 'function') continue
    for (const need of fact.target.signature.needs) {
      if (reported.has(need.grant)) continue
      const lacksOwn = !own.has(need.grant)
      if (!lacksOwn && (file === null || file.has(need.grant))) continue
      reported.add(need.grant) // N1
      const { text, isExact } = clauseFor(need, fact, checker.unit)
      const place = lacksOwn ? owner : 'this file'
      const fix = lacksOwn ? insertion(checker, cans, bodyStart, text, isExact) : null
      checker.report(capabilityErrors['not-granted']({ callee: name, grant: need.grant, place }, {
        at: checker.at(at), help: [`Add \`can ${text}\` to ${place}.`], fixes: fix === null ? [] : [fix],
      }))
    }
  }
}

/** N2. */
function clauseFor(need: GrantNeed, fact: CallFact, unit: Unit): { text: string; isExact: boolean } {
  let isExact = true
  const args = need.args.flatMap(arg => {
    if ('literal' in arg) return [JSON.stringify(arg.literal)]
    const given = fact.args.find(each => each.param.name === arg.param)
    if (given === undefined) {
      const standard = fact.target.kind === 'function' ? fact.target.signature.params.find(each => each.name === arg.param)?.default : undefined
      return typeof standard === 'string' ? [JSON.stringify(standard)] : []
    }
    return given.values.map(value => {
      if (value.kind === 'string-literal') return JSON.stringify(value.value)
      const isKnown = value.kind === 'template' && value.parts.every(part => part.kind === 'template-text' || (part.kind === 'name-expr' && isParam(unit, part.name)))
      isExact = false
      if (value.kind === 'name-expr' && isParam(unit, value.name)) return `"\${${value.name}}"`
      return isKnown ? unit.file.text.slice(unit.item.offset + value.start, unit.item.offset + value.end) : '"**"'
    })
  })
  return { text: args.length === 0 ? need.grant : `${need.grant}(${args.join(', ')})`, isExact }
}

function isParam(unit: Unit, name: string): boolean {
  return unit.declaration.kind === 'workflow' && unit.declaration.params.some(param => param.name.text === name)
}

function insertion(checker: Checker, cans: readonly CanClause[], bodyStart: Span, text: string, isExact: boolean): Fix | null {
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
