// What a run asks to be allowed: the grants of its levels with its own arguments, before anything of it is done.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { printGrant } from '#grants/grant-text.ts'
import { nodeHost } from '#host/node-host.ts'
import type { Value } from '#model/type.ts'
import { asked, check, plan } from '#tek.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-asked-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const host = nodeHost({ cwd: folder })

/** The grants that the workflow `w` of a program asks for; null where they cannot be known. */
async function asks(text: string, args: Readonly<Record<string, Value>> = {}): Promise<string[] | null> {
  writeFileSync(join(folder, 'page.tek'), text)
  const checked = await check(host, 'page.tek')
  expect(checked.diagnostics.filter(each => each.severity === 'error').map(each => `${each.code}: ${each.message}`)).toEqual([])
  const { grants } = await asked(host, { plan: plan(checked), workflow: 'w', args })
  return grants && grants.map(({ grant, comesWith }) => `${printGrant(grant)}${comesWith === null ? '' : ` < ${comesWith}`}`)
}

const reading = (can: string, params = '', more = ''): string => `${more}\nworkflow w(${params}) -> int {\n  can ${can}\n  task files = fs.glob("src/**")\n  return len(files)\n}\n`

test('parameters, their defaults and constants stand in their places', async () => {
  const text = reading('fs.read("src/**"), fs.read("${root}/${kind}/*")', 'root: path = "a", kind: string = "${root}-x"')
  expect(await asks(text)).toEqual(['fs.read("src/**")', 'fs.read("a/a-x/*")'])
  expect(await asks(text, { root: 'b' })).toEqual(['fs.read("src/**")', 'fs.read("b/b-x/*")'])
})

test('nothing is asked where nothing is written; what a sub-workflow may do is within its caller', async () => {
  expect(await asks('workflow w() -> int {\n  return 1\n}\n')).toEqual([])
  const text = 'workflow inner() -> int {\n  can fs.read("src/a/**")\n  task files = fs.glob("src/a/**")\n  return len(files)\n}\nworkflow w() -> int {\n  can fs.read("src/**")\n  task n = inner()\n  return n\n}\n'
  expect(await asks(text)).toEqual(['fs.read("src/**")'])
})

test('what comes with a grant says with which', async () => {
  const found = await asks('workflow w() -> int {\n  can git.read(".")\n  task files = git.branches()\n  return len(files)\n}\n')
  expect(found).toContain('git.read(".")')
  expect(found!.filter(each => each.endsWith(' < git.read')).length).toBeGreaterThan(0)
})

test('a setup that fails cannot say what it asks', async () => {
  expect(await asks(reading('fs.read("src/**"), fs.read("${n}/*")', 'n: int = 9007199254740991 * 2'))).toBeNull()
})
