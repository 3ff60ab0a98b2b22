// Unused grants: what is asked for and can never be needed.
// Owns: which grants a workflow may come to use. Does not own: whether a call is covered (contained.ts).
//   U1. A grant counts as used when any call could ask for one of its name, in a sub-workflow as well; whether its argument fits is not asked,
//       since links on disk make a path lead elsewhere.
//   U2. A tool may do more under the guard than it declares: only the modules of FRUGAL are known to keep to the names they declare.
//   U3. Nothing is said of agents and loops, of a workflow that asks an agent, or of a file that has no tasks.
//   U4. Nor where a plugin or a file that is used could not be loaded: what its calls need is not known.
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import type { Fix } from '#diagnostics/diagnostic.ts'
import type { CanClause, GrantNode, WorkflowDecl } from '../../1-syntax/ast.ts'
import type { Sym } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import type { CallFact, GrantUses, Shape } from '../facts.ts'
import { expandGrants } from '../grants.ts'
import { sourceText } from './clause-offer.ts'
import type { WorkflowRule } from './rule.ts'
import { secretNeeds } from './secret-sources.ts'

const FRUGAL = new Set(['fs', 'text', 'hash', 'http', 'env', 'time', 'random'])

/** Names of the grants that a workflow's calls may ask for; null when any (U1). */
export function usesOfWorkflow(checker: Checker): GrantUses {
  const { facts } = checker
  if (facts.workflow?.nodes.some(node => node.declaration.kind === 'task' && node.declaration.by !== null) !== false) return null // U3
  const uses = new Set(secretNeeds(facts).map(each => each.need.name))
  if (facts.workflow.triggers.some(each => each.kind === 'file')) uses.add('fs.read')
  for (const { fact } of facts.callLog) {
    const more = usesOfCall(checker, fact)
    if (more === null) return null
    for (const name of more) uses.add(name)
  }
  return uses
}

function usesOfCall(checker: Checker, { target }: CallFact): GrantUses {
  if (target.kind === 'workflow') {
    const { uses, asks } = checker.shapeOf(target.symbol)
    return uses === null ? null : new Set([...uses, ...asks.map(each => each.grant.name)])
  }
  if (target.kind !== 'function' || target.signature.effect === 'pure') return new Set()
  const { module, signature } = target
  if (module.kind !== 'std' || !FRUGAL.has(module.signature?.name ?? '')) return null // U2
  return new Set(signature.needs.map(need => need.grant))
}

/** Reports the grants of a workflow's own `can` that it never uses. */
export const unusedGrants: WorkflowRule = (checker, workflow, facts) => {
  if (checker.hasErrors() || workflow.broken || !facts.nodes.some(node => node.declaration.kind === 'task')) return
  const uses = usesOfWorkflow(checker)
  if (uses === null) return
  const cans = workflow.body.filter(member => member.kind === 'can')
  for (const can of cans) reportUnused(checker, can, uses, `the workflow \`${workflow.name.text}\``)
}

/** Reports the grants of a file's `can` that none of its workflows ever uses (U3). */
export function checkUnusedInFile(checker: Checker, can: CanClause, symbols: readonly Sym[], shapeOf: (symbol: Sym) => Shape): void {
  if (can.broken || symbols.some(symbol => symbol.kind === 'agent' || symbol.kind === 'loop')) return
  const workflows = symbols.filter(symbol => symbol.kind === 'workflow')
  if (!workflows.some(symbol => (symbol.declaration as WorkflowDecl).body.some(member => member.kind === 'task'))) return
  const uses = new Set<string>()
  for (const symbol of workflows) {
    const shape = shapeOf(symbol)
    if (shape.uses === null) return
    for (const name of [...shape.uses, ...shape.asks.map(each => each.grant.name)]) uses.add(name)
  }
  reportUnused(checker, can, uses, 'this file')
}

function reportUnused(checker: Checker, can: CanClause, uses: ReadonlySet<string>, place: string): void {
  if (checker.program.files.some(file => file.unknown.size > 0 || [...file.modules.values()].some(module => module.signature === null))) return // U4
  for (const node of can.grants) {
    const names = (expandGrants(checker.program, checker.unit, [{ ...can, grants: [node] }]) ?? []).map(each => each.name)
    if (names.length === 0 || names.some(name => uses.has(name))) continue
    checker.report(capabilityErrors.unused({ grant: sourceText(checker.unit, node), place }, { at: checker.at(node), fixes: [removal(checker, can, node)] }))
  }
}

/** The edit that takes a grant away; the last one takes its `can` along. */
function removal(checker: Checker, can: CanClause, node: GrantNode): Fix {
  const { file, item } = checker.unit
  const index = can.grants.indexOf(node)
  const [before, after] = [can.grants[index - 1], can.grants[index + 1]]
  let start = item.offset + (before === undefined ? node.start : before.end)
  let end = item.offset + (before === undefined && after !== undefined ? after.start : node.end)
  if (before === undefined && after === undefined) {
    start = item.offset + can.start
    const lineStart = file.text.lastIndexOf('\n', start - 1) + 1
    const isAlone = /^[ \t]*$/.test(file.text.slice(lineStart, start)) && /^[ \t]*(?:\r?\n|$)/.test(file.text.slice(end))
    if (isAlone) {
      start = lineStart
      end += /^[ \t]*(?:\r?\n)?/.exec(file.text.slice(end))![0].length
    }
  }
  return { title: 'Take it away', safe: true, edits: [{ at: { path: file.path, start, end }, newText: '' }] }
}
