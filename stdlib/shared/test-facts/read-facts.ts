// Read facts: what a test command printed, as facts; whichever runner it was.
// Owns: the order in which the formats are tried. Does not own: any of them.
//   R1. Text may come from anybody: colours and carriage returns are taken out, everything is bounded (facts.ts), nothing in it is run or loaded.
//   R2. Formats for machines win over those for people: a runner may print both.
import { noFacts, type TestFacts } from './facts.ts'
import { readJson } from './json.ts'
import { readJunit } from './junit.ts'
import { readLines } from './lines.ts'
import { readTap } from './tap.ts'

export const MAX_OUTPUT_LENGTH = 40_000_000
const COLOURS = /\u001b\[[0-9;?]{0,50}[A-Za-z]/g

export const withoutColours = (output: string): string => output.replace(COLOURS, '').replace(/\r\n?/g, '\n')

/** Facts of a test run, from its output; runner "unknown" with no tests where it is none of the known ones. */
export function readFacts(output: string): TestFacts {
  if (output.length > MAX_OUTPUT_LENGTH) return noFacts()
  const text = withoutColours(output)
  const found = readJson(text) ?? readJunit(text) ?? readTap(text)
  if (found !== null && found.tests.length > 0) return found
  const lines = readLines(text)
  return lines.runner === 'unknown' && found !== null ? found : lines // a known runner that ran nothing is not an unknown one
}
