// ExpectDiagnostics: programs with the diagnostics they must give written beneath the lines they are about.
// Owns: reading such files and comparing. Does not own: running anything.
//   X1. A case begins with `--- name`; its program is what follows up to the next case, expectations included, so that lines keep
//       their numbers and what is shown is what was read.
//   X2. An expectation is a comment line `//   ^^^^ error family/slug` below the line it is about; its carets stand under the span. A
//       span of several lines is marked up to the end of its first line, an empty one with a single caret.
//   X3. Expectations and diagnostics must match one to one: code, severity, line and columns.
import type { Diagnostic, Severity } from '#diagnostics/diagnostic.ts'

export interface ExpectedDiagnostic {
  readonly code: string
  readonly severity: Severity
  /** Counted from 1, within the case's source. */
  readonly line: number
  /** Counted from 1, in UTF-16 code units. */
  readonly startColumn: number
  /** Exclusive. */
  readonly endColumn: number
}

export interface ExpectationCase {
  readonly name: string
  readonly source: string
  readonly expected: readonly ExpectedDiagnostic[]
}

const EXPECTATION = /^(\s*\/\/\s*)(\^+)\s+(error|warning|info)\s+([a-z-]+\/[a-z0-9-]+)\s*$/
const HEADER = /^--- (.+)$/

/**
 * The cases of a fixture file.
 *
 * @param text cases cut by lines `--- name`; what stands before the first is a comment to the reader.
 * @example
 * readCases('--- empty name\nconst = 1\n//    ^ error syntax/expected-name\n')[0].expected[0].line // 1
 */
export function readCases(text: string): ExpectationCase[] {
  const cases: ExpectationCase[] = []
  let name: string | null = null
  let lines: string[] = []
  const finish = (): void => {
    if (name !== null) cases.push({ name, source: lines.join('\n'), expected: readExpected(lines) })
  }
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    const header = HEADER.exec(line)
    if (header === null) lines.push(line)
    else {
      finish()
      name = header[1]!.trim()
      lines = []
    }
  }
  finish()
  return cases
}

function readExpected(lines: readonly string[]): ExpectedDiagnostic[] {
  const expected: ExpectedDiagnostic[] = []
  let about = 0
  lines.forEach((line, index) => {
    const found = EXPECTATION.exec(line)
    if (found === null) about = index + 1
    else {
      const startColumn = found[1]!.length + 1
      expected.push({ code: found[4]!, severity: found[3] as Severity, line: about, startColumn, endColumn: startColumn + found[2]!.length })
    }
  })
  return expected
}

/**
 * Null when the diagnostics are the expected ones (X3), else a text that shows the difference, with the lines to write for what came.
 *
 * @param source the case's source, as `readCases` gave it.
 */
export function compareDiagnostics(source: string, expected: readonly ExpectedDiagnostic[], actual: readonly Diagnostic[]): string | null {
  const wanted = expected.map(keyOf)
  const came = actual.map(each => keyOf(locate(source, each)))
  const missing = wanted.filter((key, index) => count(wanted, key, index) > count(came, key))
  const surplus = came.filter((key, index) => count(came, key, index) > count(wanted, key))
  if (missing.length === 0 && surplus.length === 0) return null
  const shown = actual.map(each => {
    const { line, startColumn, endColumn } = locate(source, each)
    const before = source.split('\n')[line - 1] ?? ''
    return `${before}\n//${' '.repeat(Math.max(0, startColumn - 3))}${'^'.repeat(endColumn - startColumn)} ${each.severity} ${each.code}\n   (${each.message})`
  })
  return [...missing.map(key => `missing: ${key}`), ...surplus.map(key => `not expected: ${key}`), 'it gave:', ...shown].join('\n')
}

/** How often `key` occurs, up to and including `last`. */
function count(keys: readonly string[], key: string, last = keys.length - 1): number {
  return keys.slice(0, last + 1).filter(each => each === key).length
}

function keyOf({ line, startColumn, endColumn, severity, code }: ExpectedDiagnostic): string {
  return `line ${line}, columns ${startColumn}-${endColumn}: ${severity} ${code}`
}

/** Where a diagnostic stands, in lines and columns (X2); one without a place counts as standing at the start. */
function locate(source: string, { code, severity, at }: Diagnostic): ExpectedDiagnostic {
  const start = at?.start ?? 0
  const lineStart = source.lastIndexOf('\n', start - 1) + 1
  const lineEnd = source.indexOf('\n', start)
  const end = Math.min(at?.end ?? 0, lineEnd < 0 ? source.length : lineEnd)
  const line = source.slice(0, start).split('\n').length
  const startColumn = start - lineStart + 1
  return { code, severity, line, startColumn, endColumn: Math.max(startColumn + 1, end - lineStart + 1) }
}
