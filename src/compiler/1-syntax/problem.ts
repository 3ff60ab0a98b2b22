// Problem: places and fixes inside one piece of a file.
// Owns: offsets that count from the piece's start, and moving a piece's diagnostics to where it stands in the file.
import type { Diagnostic, Fix } from '#diagnostics/diagnostic.ts'
import type { Place } from '#model/source.ts'

/** A place within the piece being read; `moveTo` gives it its file. */
export function placeAt(start: number, end: number): Place {
  return { path: '', start, end }
}

/** A safe fix that replaces one stretch. */
export function replaceFix(title: string, start: number, end: number, newText: string): Fix {
  return { title, safe: true, edits: [{ at: placeAt(start, end), newText }] }
}

/** A piece's diagnostic, moved to `offset` of the file at `path`. */
export function moveTo(diagnostic: Diagnostic, path: string, offset: number): Diagnostic {
  const move = (at: Place): Place => ({ path, start: at.start + offset, end: at.end + offset })
  return {
    ...diagnostic,
    ...(diagnostic.at === undefined ? {} : { at: move(diagnostic.at) }),
    related: diagnostic.related.map(each => ({ ...each, at: move(each.at) })),
    fixes: diagnostic.fixes.map(fix => ({ ...fix, edits: fix.edits.map(edit => ({ ...edit, at: move(edit.at) })) })),
  }
}
