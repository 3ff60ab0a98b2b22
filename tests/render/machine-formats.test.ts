// Formats for machines: JSON (its own schema), SARIF 2.1.0, GitHub annotations.
// The SARIF schema here is the part of the official one (OASIS, sarif-schema-2.1.0) that concerns what tek writes, written out by us:
// property names, required properties, enumerations and bounds are the standard's, and unknown properties are refused as the standard refuses them.
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { renderGithub } from '#diagnostics/render/github.ts'
import { renderJson } from '#diagnostics/render/json.ts'
import { tally } from '#diagnostics/render/pretty.ts'
import { renderSarif } from '#diagnostics/render/sarif.ts'
import { SourceTexts } from '#diagnostics/render/source-lines.ts'

const text = 'const a = 1\r\nconst b: int = "é🎉"\n'
const sources = new SourceTexts(new Map([['dir with space/a.tek', text]]))
const at = { path: 'dir with space/a.tek', start: text.indexOf('"'), end: text.lastIndexOf('"') + 1 }
const full: Diagnostic = {
  code: 'type/mismatch', severity: 'error', message: 'Expected int, found "é🎉": 100%, or not.', at,
  related: [{ at: { path: 'elsewhere.tek', start: 0, end: 1 }, message: 'declared here' }],
  help: ['Write a number.'],
  fixes: [{ title: 'write `0`', safe: true, edits: [{ at, newText: '0' }] }],
}
const bare: Diagnostic = { code: 'cli/file-not-found', severity: 'warning', message: 'There is no file `x`.\n::error::injected', related: [], help: [], fixes: [] }
const info: Diagnostic = { ...bare, severity: 'info', at: { path: 'gone,1:2.tek', start: 0, end: 0 } }
const all = [full, bare, info]

test('json', () => {
  const json = JSON.parse(renderJson(all, sources, tally(all, 2))) as Record<string, unknown>
  expect(json).toMatchObject({ version: 1, summary: { errors: 1, warnings: 1, files: 2 } })
  expect((json['diagnostics'] as unknown[])[0]).toEqual({
    code: 'type/mismatch', severity: 'error', message: full.message,
    at: { path: at.path, start: { offset: at.start, line: 2, column: 16 }, end: { offset: at.end, line: 2, column: 21 } },
    related: [{ path: 'elsewhere.tek', start: null, end: null, message: 'declared here' }],
    help: ['Write a number.'],
    fixes: [{ title: 'write `0`', safe: true, edits: [{ path: at.path, start: { offset: at.start, line: 2, column: 16 }, end: { offset: at.end, line: 2, column: 21 }, newText: '0' }] }],
  })
  expect((json['diagnostics'] as { at: unknown }[])[1]!.at).toBeNull()
})

const schema = JSON.parse(readFileSync(new URL('./sarif-2.1.0-part.schema.json', import.meta.url), 'utf8')) as object
const isSarif = new Ajv({ allErrors: true, strict: false }).compile(schema)

test('sarif is valid', () => {
  for (const diagnostics of [[], all]) {
    const log: unknown = JSON.parse(renderSarif(diagnostics, sources, '0.1.0'))
    expect(isSarif(log), JSON.stringify(isSarif.errors)).toBe(true)
  }
})

test('sarif says where and what', () => {
  const log = JSON.parse(renderSarif(all, sources, '0.1.0')) as { runs: { tool: { driver: { rules: { id: string }[] } }; results: Record<string, unknown>[] }[] }
  const run = log.runs[0]!
  expect(run.tool.driver.rules.map(rule => rule.id)).toEqual(['cli/file-not-found', 'type/mismatch'])
  expect(run.results.map(result => [result['ruleId'], result['ruleIndex'], result['level']])).toEqual([['type/mismatch', 1, 'error'], ['cli/file-not-found', 0, 'warning'], ['cli/file-not-found', 0, 'note']])
  expect(run.results[0]).toMatchObject({
    locations: [{ physicalLocation: { artifactLocation: { uri: 'dir%20with%20space/a.tek' }, region: { startLine: 2, startColumn: 16, endLine: 2, endColumn: 21 } } }],
    fixes: [{ artifactChanges: [{ replacements: [{ insertedContent: { text: '0' } }] }] }],
  })
})

test('the schema refuses what the standard refuses', () => {
  const log = JSON.parse(renderSarif(all, sources, '0.1.0')) as { runs: { results: { level: string }[] }[] }
  log.runs[0]!.results[0]!.level = 'fatal'
  expect(isSarif(log)).toBe(false)
  expect(isSarif({ version: '2.1.0', runs: [{ tool: { driver: {} } }] })).toBe(false)
  expect(isSarif({ version: '2.0.0', runs: [] })).toBe(false)
})

test('github annotations: one line each, nothing in a text starts another command', () => {
  const out = renderGithub(all, sources)
  expect(out.split('\n')).toEqual([
    '::error file=dir with space/a.tek,line=2,endLine=2,col=16,endColumn=21,title=type/mismatch::Expected int, found "é🎉": 100%25, or not.%0AWrite a number.',
    '::warning title=cli/file-not-found::There is no file `x`.%0A::error::injected',
    '::notice file=gone%2C1%3A2.tek,title=cli/file-not-found::There is no file `x`.%0A::error::injected',
    '',
  ])
})
