// random: chance from the system; each draw is journalled, so that a resumed run sees the same numbers.
// Owns: making numbers, choices and names from random bytes without bias. For chance that is the same in every run see list.shuffle.
import { definePlugin, reads, t, ToolFailure, z, type ToolContext } from 'tek-lang/plugin'

const MAX_BYTES = 1_024
const MAX_ITEMS = 100_000

/** A whole number from 0 to below `range`, unbiased: 53 random bits, drawn again in the rare case that they fall into the uneven rest. */
async function below(range: number, context: ToolContext): Promise<number> {
  const limit = Math.floor(2 ** 53 / range) * range
  for (;;) {
    const bits = Number(BigInt(`0x${await context.randomHex(8)}`) >> 11n)
    if (bits < limit) return bits % range
  }
}

export default definePlugin({
  name: 'random',
  version: '1.0.0',
  doc: 'Chance from the system. Each draw is journalled.',
  tools: {
    uuid: reads({
      doc: 'A random UUID (version 4, RFC 9562).',
      input: {}, output: z.string(),
      run: async (_, context) => {
        const hex = await context.randomHex(16)
        const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16)
        return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
      },
    }),
    int: reads({
      doc: 'A random int from `least` to `greatest`, both included.',
      input: { least: t.int.describe('The least result.'), greatest: t.int.describe('The greatest result.') }, output: t.int,
      run: async ({ least, greatest }, context) => {
        const range = greatest - least + 1
        if (range < 1 || !Number.isSafeInteger(range)) throw new ToolFailure('bad-range', `There is no int from ${least} to ${greatest} to draw.`)
        return least + (await below(range, context))
      },
    }),
    float: reads({
      doc: 'A random number from 0 to below 1.',
      input: {}, output: z.number(),
      run: async (_, context) => (await below(2 ** 53, context)) / 2 ** 53,
    }),
    hex: reads({
      doc: 'Random bytes as hexadecimal text.',
      input: { bytes: t.int.default(16).describe('Number of bytes, 1 to 1,024.') }, output: z.string(),
      run: ({ bytes }, context) => {
        if (bytes < 1 || bytes > MAX_BYTES) throw new ToolFailure('bad-count', `bytes must be from 1 to ${MAX_BYTES}.`)
        return context.randomHex(bytes)
      },
    }),
    choice: reads({
      doc: 'One item of a list at random; null when it is empty.',
      input: { items: z.array(t.variable('T')).describe('The list.') }, output: t.variable('T').nullable(),
      run: async ({ items }, context) => (items.length === 0 ? null : items[await below(items.length, context)]),
    }),
    shuffle: reads({
      doc: 'The items in random order; at most 100,000.',
      input: { items: z.array(t.variable('T')).describe('The list.') }, output: z.array(t.variable('T')),
      run: async ({ items }, context) => {
        if (items.length > MAX_ITEMS) throw new ToolFailure('too-many', `The list has more than ${MAX_ITEMS} items.`)
        const result = [...items]
        for (let i = result.length - 1; i > 0; i--) {
          const at = await below(i + 1, context)
          ;[result[i], result[at]] = [result[at], result[i]]
        }
        return result
      },
    }),
  },
})
