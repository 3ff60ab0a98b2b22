// Test lines: what became of a test, for people and as JUnit.
// Owns: the words and the XML. Does not own: values and differences (difference-lines.ts).
//   L1. Text from programs is made harmless on a terminal, and valid in XML: what XML 1.0 has no character for is left out.
import type { Json } from '#base/json.ts'
import { elapsed, neutralise, neutraliseLine, type Paint, plainPaint } from '#base/terminal-text.ts'
import { toWellFormed } from '#base/unicode.ts'
import type { Failure } from '#model/event.ts'
import { differenceLines, sideLines, valueText } from './difference-lines.ts'
import type { TestResult, UnmetExpectation } from './run-test.ts'

const MAX_DETAIL_LINES = 40
const MS_A_SECOND = 1_000

/** A test and why it failed. */
export function resultText(result: TestResult, paint: Paint): string {
  const head = result.status === 'passed' ? `  ${paint('green', 'ok  ')}` : `  ${paint('red', 'FAIL')}`
  const lines = [`${head}  ${neutraliseLine(result.name)} · ${elapsed(result.elapsedMs)}`, ...reasonLines(result, paint).map(line => `        ${line}`)]
  for (const warning of result.warnings) lines.push(`        ${paint('yellow', 'warning')}: ${neutraliseLine(warning)}`)
  return `${lines.join('\n')}\n`
}

function reasonLines({ unmet, failure }: TestResult, paint: Paint): string[] {
  return [...unmet.flatMap(each => unmetLines(each, paint)), ...(failure === null ? [] : failureLines(failure))]
}

function unmetLines({ text, left, right, differences, madeBy, parts, notes }: UnmetExpectation, paint: Paint): string[] {
  const lines = [`expect ${neutraliseLine(text)}`]
  const sides = differences !== null ? differenceLines(differences, paint) : left === undefined || right === undefined ? [] : sideLines(left as Json, right as Json, paint)
  lines.push(...sides.map(line => `  ${line}`))
  if (differences === null && madeBy !== null) lines.push(`  left is made by ${neutraliseLine(madeBy)}`)
  const shown = parts.map(part => ({ ...part, text: neutraliseLine(part.text) }))
  for (const part of shown) lines.push(`  ${paint('cyan', part.text)} is ${valueText(part.value)}`)
  for (const note of notes) lines.push(`  ${neutraliseLine(note)}`)
  return lines
}

function failureLines({ code, message, task, help, details }: Failure): string[] {
  const lines = [`${code}: ${neutralise(message).replace(/\n/g, ' ')}${task === '' ? '' : ` (${neutraliseLine(task)})`}`]
  if (details !== undefined) lines.push(...neutralise(details).trimEnd().split('\n').slice(0, MAX_DETAIL_LINES).map(line => `  | ${line}`))
  if (help !== undefined) lines.push(`help: ${neutraliseLine(help)}`)
  return lines
}

/** A file that does not compile, as it stands in reports. */
export interface BrokenFile {
  readonly file: string
  readonly code: string
  readonly message: string
}

/** JUnit XML: a suite for each file. */
export function junitXml(results: readonly TestResult[], broken: readonly BrokenFile[]): string {
  const files = [...new Set([...results, ...broken].map(each => each.file))]
  const suites = files.map(file => {
    const own = results.filter(each => each.file === file)
    const errors = broken.filter(each => each.file === file)
    const failures = own.filter(each => each.status === 'failed')
    const cases = [
      ...own.map(each => {
        const place = `name="${xml(each.name)}" classname="${xml(file)}" file="${xml(file)}"${each.line === null ? '' : ` line="${each.line}"`} time="${seconds(each.elapsedMs)}"`
        if (each.status === 'passed') return `    <testcase ${place}/>`
        const reasons = reasonLines(each, plainPaint)
        return `    <testcase ${place}>\n      <failure message="${xml(reasons[0] ?? 'failed')}">${xml(reasons.join('\n'))}</failure>\n    </testcase>`
      }),
      ...errors.map(each => `    <testcase name="compiles" classname="${xml(file)}" file="${xml(file)}" time="0.000">\n      <error type="${xml(each.code)}" message="${xml(each.message)}"/>\n    </testcase>`),
    ]
    const time = seconds(own.reduce((sum, each) => sum + each.elapsedMs, 0))
    return `  <testsuite name="${xml(file)}" tests="${own.length + errors.length}" failures="${failures.length}" errors="${errors.length}" time="${time}">\n${cases.join('\n')}\n  </testsuite>`
  })
  const failed = results.filter(each => each.status === 'failed').length
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="${results.length + broken.length}" failures="${failed}" errors="${broken.length}">\n${suites.join('\n')}\n</testsuites>\n`
}

const seconds = (ms: number): string => (ms / MS_A_SECOND).toFixed(3)

/** L1. */
function xml(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;', '\t': '&#9;', '\r': '&#13;' }
  return toWellFormed(text).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '').replace(/[&<>"\n\t\r]/g, each => named[each]!)
}
