// Models: which model a name stands for, and which one answers where it cannot.
// Owns: following names. Does not own: reports of names that stand for nothing, and of circles (3-check/models.ts).
//   M1. `model a = b` makes `a` another name of `b`: only models that are declared by a call of a provider are in a plan.
//   M2. Every walk ends: in a circle, or beyond MAX_MODEL_CHAIN, there is no model.
import { MAX_MODEL_CHAIN } from '#model/plan.ts'
import type { Expr } from '../1-syntax/ast.ts'
import type { FileUnit, Sym } from './program.ts'

/** The model that an expression names in a file, other names followed; null when it names none. */
export function modelNamed(file: FileUnit, expr: Expr | undefined): Sym<'model'> | null {
  let [where, next] = [file, expr]
  for (let step = 0; step < MAX_MODEL_CHAIN && next !== undefined; step++) {
    const symbol: Sym | undefined = next.kind === 'name-expr' ? where.values.get(next.name) : undefined
    if (symbol?.kind !== 'model') return null
    if (symbol.declaration.value.kind !== 'name-expr') return symbol
    ;[where, next] = [symbol.unit.file, symbol.declaration.value] // M1
  }
  return null
}

/** The model that a model falls back on, or null. */
export function fallbackOf({ unit, declaration: { value } }: Sym<'model'>): Sym<'model'> | null {
  return value.kind === 'call' ? modelNamed(unit.file, value.args.find(arg => arg.name?.text === 'fallback')?.value) : null
}

/** A model and those that answer in its place, in their order. */
export function chainOf(first: Sym<'model'>): Sym<'model'>[] {
  const chain = [first]
  for (let next = fallbackOf(first); next !== null && chain.length < MAX_MODEL_CHAIN && !chain.includes(next); next = fallbackOf(next)) chain.push(next)
  return chain
}

/** The model of an agent; null for one without. */
export function modelOfAgent({ unit, declaration }: Sym<'agent'>): Sym<'model'> | null {
  const member = declaration.body.find(each => each.kind === 'agent-model')
  return modelNamed(unit.file, member?.kind === 'agent-model' ? member.value : undefined)
}
