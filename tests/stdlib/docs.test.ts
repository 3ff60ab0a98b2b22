// The pages docs/stdlib/*.md say what the definitions say. After a change: npx vitest run tests/stdlib/docs.test.ts -u
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { modulePage } from './module-page.ts'
import { signatures } from './modules.ts'

test.each([...signatures])('docs/stdlib/%s.md', async (name, signature) => {
  await expect(modulePage(signature)).toMatchFileSnapshot(resolve(`docs/stdlib/${name}.md`))
})

test('there is a page for each module and for nothing else', () => {
  expect(readdirSync('docs/stdlib').sort()).toEqual([...signatures.keys()].map(name => `${name}.md`).sort())
})
