// Tests: `test` blocks.
// Owns: what `given`, `let` and `expect` take; `denied`. Does not own: running them.
import { anyType, boolType } from '#types/construct.ts'
import type { TestDecl } from '../1-syntax/ast.ts'
import type { Checker } from './checker.ts'
import { findAgent } from './clauses.ts'
import { reportShadow } from './infer.ts'
import { pureCalls, Scope, worldCalls } from './scope.ts'
import { unwrapped } from './workflow.ts'
import { qualifiersWithin, qualify } from '#types/construct.ts'

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
    scope.add(member.name.text, { ref: { kind: 'local', name: member.name.text }, type: wanted === null ? found : qualify(wanted, qualifiersWithin(found)), span: member.name, what: 'a `let`' })
  }
}
