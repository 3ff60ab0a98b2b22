// Sarif: diagnostics as SARIF 2.1.0 (OASIS standard), for code scanning services.
// Owns: the mapping. Does not own: which diagnostics there are.
//   F1. Paths are relative URI references; columns are UTF-16 code units, declared so.
//   F2. A file whose text is not at hand is named without a region.
import type { Place } from '#model/source.ts'
import type { Diagnostic, Severity } from '../diagnostic.ts'
import type { SourceTexts } from './source-lines.ts'

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = { error: 'error', warning: 'warning', info: 'note' }

/** One SARIF log with one run, as text with a line end. */
export function renderSarif(diagnostics: readonly Diagnostic[], sources: SourceTexts, tekVersion: string): string {
  const codes = [...new Set(diagnostics.map(each => each.code))].sort()
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'tek', semanticVersion: tekVersion, rules: codes.map(id => ({ id, help: { text: `Run \`tek explain ${id}\`.` } })) } },
        columnKind: 'utf16CodeUnits',
        results: diagnostics.map(each => result(each, codes, sources)),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

function result(diagnostic: Diagnostic, codes: readonly string[], sources: SourceTexts): object {
  const help = diagnostic.help.map(each => ` ${each}`).join('')
  return {
    ruleId: diagnostic.code,
    ruleIndex: codes.indexOf(diagnostic.code),
    level: levels[diagnostic.severity],
    message: { text: `${diagnostic.message}${help}` },
    ...(diagnostic.at ? { locations: [{ physicalLocation: physicalLocation(diagnostic.at, sources) }] } : {}),
    ...(diagnostic.related.length > 0
      ? {
          relatedLocations: diagnostic.related.map((each, index) => ({
            id: index, message: { text: each.message }, physicalLocation: physicalLocation(each.at, sources),
          })),
        }
      : {}),
    ...(diagnostic.fixes.length > 0 ? { fixes: diagnostic.fixes.map(fix => sarifFix(fix, sources)) } : {}),
  }
}

function sarifFix(fix: Diagnostic['fixes'][number], sources: SourceTexts): object {
  const paths = [...new Set(fix.edits.map(edit => edit.at.path))]
  return {
    description: { text: fix.title },
    artifactChanges: paths.map(path => ({
      artifactLocation: { uri: uri(path) },
      replacements: fix.edits.filter(edit => edit.at.path === path).map(edit => ({
        deletedRegion: region(edit.at, sources) ?? { charOffset: edit.at.start, charLength: edit.at.end - edit.at.start },
        insertedContent: { text: edit.newText },
      })),
    })),
  }
}

function physicalLocation(place: Place, sources: SourceTexts): object {
  const where = region(place, sources)
  return { artifactLocation: { uri: uri(place.path) }, ...(where ? { region: where } : {}) } // F2
}

function region(place: Place, sources: SourceTexts): object | null {
  const lines = sources.lines(place.path)
  if (!lines) return null
  const start = lines.position(place.start)
  const end = lines.position(place.end)
  return {
    startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column,
    charOffset: start.offset, charLength: end.offset - start.offset,
  }
}

/** RFC 3986: each segment percent-encoded; an absolute path becomes a file URI. */
function uri(path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return path.startsWith('/') ? `file://${encoded}` : encoded // F1
}
