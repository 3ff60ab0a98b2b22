// Hints: what the checker inferred and the text does not say: types of tasks, what they wait for, the signature of the call being typed.
// Owns: which hints there are and where. Does not own: showing them.
import type { Compiled } from '#compiler/compile.ts'
import { walk } from '#compiler/1-syntax/visit.ts'
import { placeIn } from '#compiler/2-resolve/program.ts'
import type { CallFact } from '#compiler/3-check/facts.ts'
import type { ParamSignature } from '#model/signature.ts'
import { printType } from '#types/print.ts'
import { paramText, signatureText } from './hover.ts'
import { fileOf } from './occurrences.ts'

/** Longer types are cut. */
const MAX_HINT_LENGTH = 60

export interface Hint {
  /** Offset in the file after which it is shown. */
  readonly offset: number
  readonly text: string
  readonly kind: 'type' | 'waits-for'
}

/** Types of tasks and lets that have no annotation, and what a task waits for. */
export function hintsOf(checked: Compiled, path: string): Hint[] {
  return (fileOf(checked, path)?.units ?? []).flatMap(unit => (checked.facts.get(unit)?.workflow?.nodes ?? []).flatMap(({ declaration, seen, dependsOn }, _index, nodes): Hint[] => {
    const end = placeIn(unit, declaration.name).end
    const annotation = declaration.kind === 'task' ? declaration.result : declaration.type
    const type = printType(seen)
    const waits = dependsOn.map(index => nodes.find(each => each.written === index)?.name).filter(name => name !== undefined)
    return [
      ...(annotation === null ? [{ offset: end, kind: 'type' as const, text: `: ${type.length > MAX_HINT_LENGTH ? `${type.slice(0, MAX_HINT_LENGTH)}…` : type}` }] : []),
      ...(declaration.kind === 'task' && waits.length > 0 ? [{ offset: end, kind: 'waits-for' as const, text: ` after ${waits.join(', ')}` }] : []),
    ]
  }))
}

export interface CallHelp {
  readonly label: string
  readonly doc: string
  readonly params: readonly { readonly label: string; readonly doc: string }[]
  readonly active: number
}

/** The innermost call around a place, and which of its parameters is being typed. */
export function callHelpAt(checked: Compiled, path: string, offset: number): CallHelp | null {
  for (const unit of fileOf(checked, path)?.units ?? []) {
    const calls = checked.facts.get(unit)?.calls
    if (calls === undefined) continue
    let best: { readonly fact: CallFact; readonly active: number } | null = null
    walk(unit.declaration, node => {
      if (node.kind !== 'call' || !calls.has(node)) return
      const from = placeIn(unit, node.callee).end
      const { end } = placeIn(unit, node)
      if (from < offset && offset < end) best = { fact: calls.get(node)!, active: Math.max(0, node.args.findLastIndex(arg => placeIn(unit, arg).start <= offset)) }
    })
    if (best !== null) return helpOf(best)
  }
  return null
}

function helpOf({ fact: { target }, active }: { readonly fact: CallFact; readonly active: number }): CallHelp | null {
  const params = (all: readonly ParamSignature[]): CallHelp['params'] => all.map(each => ({ label: paramText(each), doc: each.doc }))
  if (target.kind === 'function') return { label: signatureText(target.module.name, target.signature), doc: target.signature.doc, params: params(target.signature.params), active }
  if (target.kind !== 'workflow' && target.kind !== 'prompt') return null
  const { declaration, name, unit } = target.symbol
  const labels = declaration.params.map(each => unit.file.text.slice(unit.item.offset + each.start, unit.item.offset + each.end))
  return { label: `${name}(${labels.join(', ')})`, doc: declaration.doc, params: labels.map((label, index) => ({ label, doc: declaration.params[index]!.doc })), active }
}
