// Tests: `test` blocks.
// Owns: what `given`, `let` and `expect` take; `denied`; what a test may do. Does not own: running them.
import { anyType, boolType } from '#types/construct.ts'
import type { CanClause, TestDecl } from '../1-syntax/ast.ts'
import type { FileUnit } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { findAgent } from './clauses.ts'
import type { GrantFact } from './facts.ts'
import { expandGrants } from './grants.ts'
import { reportShadow } from './infer.ts'
import { checkTestContained } from './rules/contained.ts'
import { pureCalls, Scope, worldCalls } from './scope.ts'
import { settled } from './trust/settle.ts'
import { unwrapped } from './workflow.ts'

export function checkTest(checker: Checker, test: TestDecl): void {
  const scope = new Scope(null, { ...worldCalls('a test', null), inTest: true })
  scope.add('denied', { ref: { kind: 'local', name: 'denied' }, type: anyType, span: null, what: 'a function of tests', callable: { target: { kind: 'denied' }, params: [], result: boolType } })
  for (const member of test.body) {
    if (member.kind === 'given') {
      findAgent(checker, member.agent)
      checker.infer(member.replies, scope.inside(pureCalls('`given`')))
      continue
    }
    if (member.kind === 'expect') {
      checker.condition(member.condition, scope.inside(worldCalls('`expect`', null)), 'What follows `expect`')
      continue
    }
    const inner = scope.inside(worldCalls('a test', unwrapped(member.value)))
    const wanted = member.type === null ? null : checker.typeOf(member.type)
    const found = wanted === null ? checker.infer(member.value, inner) : checker.expect(member.value, inner, wanted, `The value of \`${member.name.text}\``)
    reportShadow(checker, scope, member.name)
    scope.add(member.name.text, { ref: { kind: 'local', name: member.name.text }, type: wanted === null ? found : settled(wanted, found), span: member.name, what: 'a `let`' })
  }
  checkTestContained(checker, grantsOfFile(checker, checker.unit.file))
}

/** What a test may do: what its file asks for, or else what all its workflows do. */
function grantsOfFile(checker: Checker, file: FileUnit): GrantFact[] {
  const cans = file.units.filter(unit => unit.declaration.kind === 'can')
  if (cans.length > 0) return cans.flatMap(unit => expandGrants(checker.program, unit, [unit.declaration as CanClause]) ?? [])
  return file.units.flatMap(unit => {
    if (unit.declaration.kind !== 'workflow') return []
    return expandGrants(checker.program, unit, unit.declaration.body.filter(member => member.kind === 'can')) ?? []
  })
}
