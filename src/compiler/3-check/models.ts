// Models: what the declaration of a model says in numbers.
// Owns: reading them, constants followed, the list price where none is stated. Does not own: whether they are written so that they can be read (declarations.ts).
//   M1. What runs on this machine costs nothing, unless its price is stated: `onnx`, and any provider whose `baseUrl` is a loopback address.
import type { PlanModel } from '#model/plan.ts'
import { priceOf } from '#model/prices.ts'
import type { Expr } from '../1-syntax/ast.ts'
import type { ModelFact, UnitFacts } from './facts.ts'
import { literalOf, textOf } from './known-values.ts'

/** The value given for an option. */
export function argOf({ args }: ModelFact, name: string): Expr | undefined {
  return args.find(({ param }) => param.name === name)?.values[0]
}

export function modelNumbers(facts: UnitFacts, fact: ModelFact): Pick<PlanModel, 'model' | 'price' | 'contextTokens' | 'answerTokens' | 'timeoutMs'> {
  const given = (name: string): Expr | undefined => argOf(fact, name)
  const number = (expr: Expr | undefined): number | null => {
    const value = expr === undefined ? undefined : literalOf(facts, expr)?.value
    return typeof value === 'number' ? value : null
  }
  const model = textOf(facts, given('model')) ?? ''
  const listed = fact.module === null && fact.provider === 'anthropic' ? priceOf(model) : null
  const stated = given('price')
  const priceIn = (name: string): number => (stated?.kind === 'record' ? number(stated.entries.find(each => each.kind === 'entry' && each.key.text === name)?.value) : null) ?? 0
  const isHere = (fact.module === null && fact.provider === 'onnx') || isLoopback(textOf(facts, given('baseUrl')))
  const price = stated !== undefined ? { inputMicros: priceIn('input'), outputMicros: priceIn('output') }
    : isHere ? { inputMicros: 0, outputMicros: 0 } // M1
    : listed === null ? null : { inputMicros: listed.inputMicros, outputMicros: listed.outputMicros }
  return { model, price, contextTokens: listed?.context ?? null, answerTokens: number(given('maxTokens')), timeoutMs: number(given('timeout')) }
}

export function isLoopback(url: string | null): boolean {
  if (url === null || !URL.canParse(url)) return false
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
