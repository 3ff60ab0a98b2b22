// Github: diagnostics as workflow commands, which GitHub Actions shows beside the lines of a change.
// Owns: the escaping of workflow commands. Does not own: which diagnostics there are.
//   H1. Data escapes `%`, CR and LF; a property escapes `:` and `,` as well: source text cannot start a command of its own.
import type { Diagnostic, Severity } from '../diagnostic.ts'
import type { SourceTexts } from './source-lines.ts'

const commands: Readonly<Record<Severity, 'error' | 'warning' | 'notice'>> = { error: 'error', warning: 'warning', info: 'notice' }

const data = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
const property = (text: string): string => data(text).replace(/:/g, '%3A').replace(/,/g, '%2C')

/** One line a diagnostic, each with a line end. */
export function renderGithub(diagnostics: readonly Diagnostic[], sources: SourceTexts): string {
  return diagnostics.map(each => `${line(each, sources)}\n`).join('')
}

function line(diagnostic: Diagnostic, sources: SourceTexts): string {
  const properties: string[] = []
  if (diagnostic.at) {
    properties.push(`file=${property(diagnostic.at.path)}`)
    const lines = sources.lines(diagnostic.at.path)
    if (lines) {
      const start = lines.position(diagnostic.at.start)
      const end = lines.position(diagnostic.at.end)
      properties.push(`line=${start.line}`, `endLine=${end.line}`)
      // GitHub takes columns only for a span within one line.
      if (start.line === end.line) properties.push(`col=${start.column}`, `endColumn=${end.column}`)
    }
  }
  properties.push(`title=${property(diagnostic.code)}`)
  return `::${commands[diagnostic.severity]} ${properties.join(',')}::${data([diagnostic.message, ...diagnostic.help].join('\n'))}`
}
