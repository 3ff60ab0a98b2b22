// Prices: what well-known models cost, as data with a date.
// Owns: the list. Does not own: which model a program uses (compiler), accounts.
//   R1. Public list prices of the API, in micro-dollars per million tokens, without discounts. They change: `tek plan` shows the date,
//       a program states its own with `price: { input: $3, output: $15 }`.
//   R2. A model is known by its exact name, with or without the date of its release at the end: a name that is merely alike has no price.
//   R3. What has several prices, or none that is published, is left out: then the cost is not bounded by this list.

export interface ModelPrice {
  /** Micro-dollars per million tokens. */
  readonly inputMicros: number
  readonly outputMicros: number
  /** Tokens of one request, question and answer together. */
  readonly context: number
  /** Tokens of one answer, where the program sets no `maxTokens`. */
  readonly output: number
}

export const priceList = { of: 'Anthropic list prices', date: '2026-11-21' } as const

const dollars = (input: number, output: number, context: number, most: number): ModelPrice => ({ inputMicros: input * 1_000_000, outputMicros: output * 1_000_000, context, output: most })

const PRICES: ReadonlyMap<string, ModelPrice> = new Map([
  ['claude-fable-5-1', dollars(10, 50, 1_000_000, 128_000)],
  ['claude-opus-5-5', dollars(4, 20, 1_000_000, 128_000)],
  ['claude-opus-5', dollars(5, 25, 1_000_000, 128_000)],
  ['claude-opus-4-5', dollars(5, 25, 200_000, 64_000)],
  ['claude-sonnet-5-5', dollars(2, 10, 1_000_000, 128_000)],
  ['claude-sonnet-5', dollars(2, 10, 1_000_000, 128_000)],
  ['claude-sonnet-4-5', dollars(3, 15, 200_000, 64_000)],
  ['claude-haiku-4-5', dollars(1, 5, 200_000, 64_000)],
])

/**
 * The price of a model by its name; null when the list has none (R2, R3).
 *
 * @param model as a program writes it: `claude-sonnet-4-5`, `claude-sonnet-4-5-20250929`.
 * @example
 * priceOf('claude-haiku-4-5')?.outputMicros // 5_000_000: $5 per million tokens
 */
export function priceOf(model: string): ModelPrice | null {
  return PRICES.get(model.replace(/-20\d{6}$/, '')) ?? null
}
