// Output lines: what a run printed beside what good runs print, whatever the order of lines and the numbers in them.
// Owns: masks. Does not own: differences of texts line by line (std text).
//   O1. Numbers, hashes, and names of temporary files count as equal; so does the order: runners print parallel files as they end.
//   O2. A line that not every good run has is noise: that it is missing says nothing, that it is there neither.
const MAX_LINES = 200_000
const MAX_LINE = 1_000
/** Lines given back of each side. */
export const MAX_SHOWN = 200

/** A line without what changes from run to run. */
const masked = (line: string): string => line.slice(0, MAX_LINE).replace(/\b[0-9a-f]{8,}\b/gi, '#').replace(/\d+(?:[.,:]\d+)*/g, '0').replace(/[-_.][A-Za-z0-9]{6,12}(?=[/\s'"]|$)/g, found => (/\d/.test(found) ? '-#' : found)).trim()

const linesOf = (text: string): string[] => text.replace(/\u001b\[[0-9;?]{0,50}[A-Za-z]/g, '').split(/\r\n|\n|\r/).slice(0, MAX_LINES)

/** Lines that every good run prints and the other does not, and lines of the other that no good run prints. // O1, O2 */
export function lineDifferences(good: readonly string[], other: string): { missing: string[]; added: string[] } {
  const known = good.map(text => new Set(linesOf(text).map(masked)))
  const lines = linesOf(other)
  const here = new Set(lines.map(masked))
  const missing = linesOf(good[0] ?? '').filter(line => line.trim() !== '' && !here.has(masked(line)) && known.every(set => set.has(masked(line))))
  const added = lines.filter(line => line.trim() !== '' && !known.some(set => set.has(masked(line))))
  return { missing: missing.slice(0, MAX_SHOWN), added: added.slice(0, MAX_SHOWN) }
}
