// Tests: `test` blocks.
// Owns: what `given`, `let` and `expect` take; `denied`; what a test may do. Does not own: running them.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { FunctionSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, boolType, listOf, recordOf, stringType } from '#types/construct.ts'
import { mentionsVariable } from '#types/variables.ts'
import type { CanClause, GivenMember, Path, TestDecl, TestMember } from '../1-syntax/ast.ts'
import type { FileUnit } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { findAgent } from './clauses.ts'
import { type FoundFunction, functionNamed } from './find-function.ts'
import { isTeamModule } from './team.ts'
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
    if (isGiven(member)) {
      checkGiven(checker, member, scope.inside(pureCalls('`given`')))
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

const isGiven = (member: TestMember): member is GivenMember => member.kind === 'given' || member.kind === 'given-cassette' || member.kind === 'given-tool'

function checkGiven(checker: Checker, given: GivenMember, scope: Scope): void {
  if (given.kind === 'given-tool') return checkGivenTool(checker, given, scope)
  findAgent(checker, given.agent)
  if (given.kind === 'given') checker.infer(given.replies, scope)
  else if (given.cassette.value.trim() === '' && given.cassette.text !== '') checker.report(taskErrors['bad-given']({ problem: '`replays` names a file, and this is empty' }, { at: checker.at(given.cassette) }))
}

/** What stands in the place of a tool is of its result's type, or makes one of the record of its arguments. */
function checkGivenTool(checker: Checker, { tool, does, value }: Extract<GivenMember, { kind: 'given-tool' }>, scope: Scope): void {
  const found = findFunction(checker, tool)
  if (does === 'fails') {
    checker.expect(value, scope, stringType, 'What the failure says')
    return
  }
  const { result, args } = found === null ? { result: anyType, args: anyType } : { result: mentionsVariable(found.signature.result) ? anyType : found.signature.result, args: argsOf(found.signature) }
  let inner = value
  while (inner.kind === 'group') inner = inner.inner
  const name = tool.parts.map(part => part.text).join('.')
  if (inner.kind === 'lambda') checker.expect(value, scope, { kind: 'function', params: [args], result }, `What \`${name}\` gives`)
  else checker.expect(value, scope, result, `What \`${name}\` gives`)
}

/** The arguments of a call as one record. */
function argsOf({ params }: FunctionSignature): Type {
  return recordOf(Object.fromEntries(params.map(({ name, type, optional, rest }) => [name, { type: rest === true ? listOf(type) : mentionsVariable(type) ? anyType : type, optional: optional || rest === true }])))
}

/** The function that a path names; reports one that there is not, and one that a test has nothing to put in the place of. */
function findFunction(checker: Checker, path: Path): FoundFunction | null {
  const found = functionNamed(checker, path)
  if (found === null) return null
  const { module, signature } = found
  const name = path.parts.map(part => part.text).join('.')
  const problem = module.kind === 'std' && signature.effect === 'pure' ? `\`${name}\` only works something out: it gives the same in a test`
    : isTeamModule(module) ? `\`${name}\` reaches nobody outside the agents, which a test gives their replies` : null
  if (problem === null) return found
  checker.report(taskErrors['bad-given']({ problem }, { at: checker.at(path) }))
  return null
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
