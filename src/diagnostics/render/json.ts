// Json: diagnostics for programs, as one JSON object. The schema is in docs/cli.md and is only ever added to.
// Owns: the stable shape. Does not own: where it is printed.
//   J1. Lines and columns count from 1, columns in UTF-16 code units, `end` is exclusive; offsets count from 0.
import type { Place } from '#model/source.ts'
import type { Diagnostic } from '../diagnostic.ts'
import type { Tally } from './pretty.ts'
import type { Position, SourceTexts } from './source-lines.ts'

export const diagnosticsVersion = 1

export interface JsonPlace {
  readonly path: string
  /** Null when the file's text is not at hand. */
  readonly start: Position | null
  readonly end: Position | null
}

export interface JsonDiagnostic {
  readonly code: string
  readonly severity: string
  readonly message: string
  readonly at: JsonPlace | null
  readonly related: readonly (JsonPlace & { readonly message: string })[]
  readonly help: readonly string[]
  readonly fixes: readonly { readonly title: string; readonly safe: boolean; readonly edits: readonly (JsonPlace & { readonly newText: string })[] }[]
}

export function jsonPlace(place: Place, sources: SourceTexts): JsonPlace {
  const lines = sources.lines(place.path)
  return { path: place.path, start: lines?.position(place.start) ?? null, end: lines?.position(place.end) ?? null }
}

export function jsonDiagnostic(diagnostic: Diagnostic, sources: SourceTexts): JsonDiagnostic {
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    at: diagnostic.at ? jsonPlace(diagnostic.at, sources) : null,
    related: diagnostic.related.map(each => ({ ...jsonPlace(each.at, sources), message: each.message })),
    help: diagnostic.help,
    fixes: diagnostic.fixes.map(fix => ({
      title: fix.title, safe: fix.safe,
      edits: fix.edits.map(edit => ({ ...jsonPlace(edit.at, sources), newText: edit.newText })),
    })),
  }
}

/** `{ version, diagnostics, summary }` on lines of its own, with a line end. */
export function renderJson(diagnostics: readonly Diagnostic[], sources: SourceTexts, summary: Tally): string {
  const body = { version: diagnosticsVersion, diagnostics: diagnostics.map(each => jsonDiagnostic(each, sources)), summary }
  return `${JSON.stringify(body, null, 2)}\n`
}
