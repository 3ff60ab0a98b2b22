// The pages of the compiler's own diagnostics are true, with the modules of these tests.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import { limitErrors } from '#diagnostics/catalog/limit.ts'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { planErrors } from '#diagnostics/catalog/plan.ts'
import { secretErrors } from '#diagnostics/catalog/secret.ts'
import { taskErrors } from '#diagnostics/catalog/task.ts'
import { trustErrors } from '#diagnostics/catalog/trust.ts'
import { typeErrors } from '#diagnostics/catalog/type.ts'
import { compileText } from './compile-text.ts'

const root = new URL('../../docs/errors/', import.meta.url)

for (const { family, entries } of [agentErrors, capabilityErrors, limitErrors, loopErrors, nameErrors, planErrors, secretErrors, taskErrors, trustErrors, typeErrors]) {
  describe(family, () => {
    it.each(Object.keys(entries))('%s', slug => {
      const file = new URL(`${family}/${slug}.md`, root)
      expect(existsSync(file)).toBe(true)
      const page = readFileSync(file, 'utf8')
      expect(page.startsWith(`# ${family}/${slug}\n`)).toBe(true)
      if (/\nArises: (?:elsewhere|run)\n/.test(page)) return // tests/docs runs those
      const [wrong, right] = [...page.matchAll(/```tek\n([\s\S]*?)```/g)].map(match => match[1]!)
      expect([...new Set(compileText(wrong!).diagnostics.map(each => each.code))]).toEqual([`${family}/${slug}`])
      expect(compileText(right!).diagnostics.map(each => each.message)).toEqual([])
    })
  })
}
