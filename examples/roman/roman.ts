// A third-party plugin: one file of TypeScript, bundled when a program uses it, run in a process of its own.
import { definePlugin, pure, ToolFailure, z } from 'tek-lang/plugin'

const NUMERALS: readonly (readonly [number, string])[] = [
  [1000, 'M'], [900, 'CM'], [500, 'D'], [400, 'CD'], [100, 'C'], [90, 'XC'], [50, 'L'], [40, 'XL'], [10, 'X'], [9, 'IX'], [5, 'V'], [4, 'IV'], [1, 'I'],
]
const GREATEST = 3999

function roman(value: number): string {
  if (value < 1 || value > GREATEST) throw new ToolFailure('out-of-range', `${value} has no Roman numeral; they go from 1 to ${GREATEST}.`)
  let [rest, text] = [value, '']
  for (const [worth, letters] of NUMERALS) {
    for (; rest >= worth; rest -= worth) text += letters
  }
  return text
}

export default definePlugin({
  name: 'roman',
  version: '1.0.0',
  doc: 'Roman numerals.',
  tools: {
    numeral: pure({
      doc: 'A whole number from 1 to 3999 as a Roman numeral.',
      input: { value: z.int().describe('The number.') },
      output: z.string(),
      example: 'roman.numeral(2026) == "MMXXVI"',
      run: ({ value }) => roman(value),
    }),
  },
})
