// A run that goes on is taken for one of a bundled program only where it is one: what the journal says of itself is not believed.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { check, plan } from '#tek.ts'
import { bundledPrograms, programsFolder } from '../../src/cli/install-place.ts'
import { isBundledRun } from '../../src/cli/open-program.ts'

test('the same plan, begun without arguments', async () => {
  const host = nodeHost({ cwd: programsFolder() })
  const program = bundledPrograms()[0]!
  const own = plan(await check(host, join(programsFolder(), `${program}.tek`)))
  expect(await isBundledRun(host, { program, plan: own, args: {} })).toBe(true)
  expect(await isBundledRun(host, { program, plan: own, args: { root: '/' } })).toBe(false)
  expect(await isBundledRun(host, { program: 'flow.tek', plan: own, args: {} })).toBe(false)
  expect(await isBundledRun(host, { program, plan: { ...own, limits: { tasks: 1 } }, args: {} })).toBe(false) // with the hash of the other
})
