// Models: what a declared model costs and how much one request to it may hold.
// Owns: reading `model x = provider(…)`. Does not own: the price list (model/prices.ts), the options' types (declarations.ts).
//   M1. Along a chain of `fallback`s each figure is the largest; one model without a figure leaves the whole chain without it.
//   M2. What runs on this machine costs nothing, unless its price is stated: `onnx`, and any provider whose `baseUrl` is a loopback address.
import { MAX_MODEL_CHAIN } from '#model/plan.ts'
import { priceOf } from '#model/prices.ts'
import type { CallExpr, Expr, LiteralExpr, RecordExpr } from '../../1-syntax/ast.ts'
import type { Sym } from '../../2-resolve/program.ts'
import { isLoopback } from '../models.ts'

export interface ModelFacts {
  /** Micro-dollars per million tokens, of the dearer kind; null = unknown. */
  readonly microsPerMillion: number | null
  /** Tokens of one request, question and answer; null = unknown. */
  readonly tokensPerCall: number | null
  /** Milliseconds of one request; null = nothing limits it. */
  readonly timeoutMs: number | null
  /** Whether the price list was asked. */
  readonly isListed: boolean
}

const FREE: ModelFacts = { microsPerMillion: 0, tokensPerCall: null, timeoutMs: null, isListed: false }

export function modelFacts(symbol: Sym<'model'>): ModelFacts {
  let found: ModelFacts | null = null
  let next: Sym | undefined = symbol
  for (let step = 0; next?.kind === 'model' && step < MAX_MODEL_CHAIN; step++) {
    let { value }: { value: Expr } = next.declaration
    if (value.kind === 'name-expr') {
      next = next.unit.file.values.get(value.name)
      continue
    }
    if (value.kind !== 'call') break
    const own = ofCall(value)
    found = found === null ? own : both(found, own) // M1
    const fallback = argOf(value, 'fallback')
    next = fallback?.kind === 'name-expr' ? next.unit.file.values.get(fallback.name) : undefined
  }
  return found ?? { ...FREE, microsPerMillion: null }
}

function both(a: ModelFacts, b: ModelFacts): ModelFacts {
  const most = (x: number | null, y: number | null): number | null => (x === null || y === null ? null : Math.max(x, y))
  return {
    microsPerMillion: most(a.microsPerMillion, b.microsPerMillion), tokensPerCall: most(a.tokensPerCall, b.tokensPerCall),
    timeoutMs: a.timeoutMs === null || b.timeoutMs === null ? null : a.timeoutMs + b.timeoutMs, isListed: a.isListed || b.isListed,
  }
}

function ofCall(call: CallExpr): ModelFacts {
  const provider = call.callee.kind === 'name-expr' ? call.callee.name : ''
  const name = argOf(call, 'model') ?? call.args.find(arg => arg.name === null)?.value
  const listed = provider === 'anthropic' && name?.kind === 'string-literal' ? priceOf(name.value) : null
  const stated = statedPrice(argOf(call, 'price'))
  const isHere = provider === 'onnx' || isLoopback(urlOf(argOf(call, 'baseUrl')))
  const maxTokens = numberOf(argOf(call, 'maxTokens'))
  const answer = maxTokens ?? listed?.output ?? null
  return {
    microsPerMillion: stated ?? (isHere ? 0 : listed === null ? null : Math.max(listed.inputMicros, listed.outputMicros)), // M2
    tokensPerCall: listed === null || answer === null ? null : listed.context + answer,
    timeoutMs: numberOf(argOf(call, 'timeout')),
    isListed: !isHere && stated === null && listed !== null,
  }
}

const urlOf = (expr: Expr | undefined): string | null => (expr?.kind === 'string-literal' ? expr.value : null)

const argOf = (call: CallExpr, name: string): Expr | undefined => call.args.find(arg => arg.name?.text === name)?.value

function numberOf(expr: Expr | undefined): number | null {
  return expr?.kind === 'literal' && typeof expr.value === 'number' ? expr.value : null
}

/** `price: { input: $3, output: $15 }`, per million tokens. */
function statedPrice(expr: Expr | undefined): number | null {
  if (expr?.kind !== 'record') return null
  const [input, output] = [priceIn(expr, 'input'), priceIn(expr, 'output')]
  return input === null || output === null ? null : Math.max(input, output)
}

function priceIn(record: RecordExpr, name: string): number | null {
  const entry = record.entries.find(each => each.kind === 'entry' && each.key.text === name)
  return entry === undefined ? null : numberOf(entry.value as LiteralExpr)
}
