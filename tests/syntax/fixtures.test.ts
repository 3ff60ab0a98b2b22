// Fixtures: programs with their diagnostics written beneath the lines they are about.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compareDiagnostics, readCases } from '#testing/expect-diagnostics.ts'
import { parse } from '#compiler/1-syntax/parse.ts'

const folder = new URL('./', import.meta.url)
const files = readdirSync(folder).filter(name => name.endsWith('.tek'))

describe.each(files)('%s', name => {
  it.each(readCases(readFileSync(new URL(name, folder), 'utf8')).map(each => [each.name, each] as const))('%s', (_, { source, expected }) => {
    const { diagnostics } = parse({ path: name, text: source })
    expect(compareDiagnostics(source, expected, diagnostics), source).toBeNull()
  })
})
