// Every case in this folder gives exactly the diagnostics written in it, and compiles when none is an error.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hasErrors } from '#diagnostics/diagnostic.ts'
import { compareDiagnostics, readCases } from '../../src/testing/expect-diagnostics.ts'
import { compileText } from '../compiler/compile-text.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { validatePlan } from '#types/plan-json.ts'

const here = new URL('.', import.meta.url)

for (const file of readdirSync(here).filter(name => name.endsWith('.tek'))) {
  describe(file, () => {
    for (const { name, source, expected } of readCases(readFileSync(new URL(file, here), 'utf8'))) {
      it(name, () => {
        const compiled = compileText(source)
        expect(compareDiagnostics(source, expected, compiled.diagnostics)).toBe(null)
        expect(compiled.program === null).toBe(hasErrors(compiled.diagnostics))
        if (compiled.program !== null) expect(validatePlan(JSON.parse(JSON.stringify(lower(compiled.program)))).problem).toBe(null)
      })
    }
  })
}
