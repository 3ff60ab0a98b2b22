// Apply fixes: the edits that diagnostics suggest, put into the text of one file.
// Owns: order and overlap of edits. Does not own: reading and writing files.
//   A1. Edits that overlap one already taken wait for the next round; a fix is applied whole or not at all.
//   A2. Only fixes whose edits all lie in this file.
import type { Diagnostic, TextEdit } from '#diagnostics/diagnostic.ts'

/**
 * The text with its fixes applied, and how many there were.
 *
 * @param unsafe also take the first fix of a diagnostic that is not marked safe.
 * @example
 * applyFixes('a.tek', 'let x', [], false) // { text: 'let x', count: 0 }
 */
export function applyFixes(path: string, text: string, diagnostics: readonly Diagnostic[], unsafe: boolean): { text: string; count: number } {
  const taken: TextEdit[] = []
  let count = 0
  for (const diagnostic of diagnostics) {
    const fix = diagnostic.fixes.find(each => each.safe) ?? (unsafe ? diagnostic.fixes[0] : undefined)
    if (!fix || fix.edits.length === 0) continue
    if (fix.edits.some(edit => edit.at.path !== path || edit.at.end > text.length)) continue // A2
    if (fix.edits.some(edit => taken.some(other => overlaps(edit, other)))) continue // A1
    taken.push(...fix.edits)
    count++
  }
  let mended = text
  for (const edit of taken.sort((a, b) => b.at.start - a.at.start)) mended = mended.slice(0, edit.at.start) + edit.newText + mended.slice(edit.at.end)
  return { text: mended, count: mended === text ? 0 : count }
}

function overlaps(a: TextEdit, b: TextEdit): boolean {
  return a.at.start < b.at.end && b.at.start < a.at.end || a.at.start === b.at.start
}
