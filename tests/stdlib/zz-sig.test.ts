import { readdirSync, existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { signatureOf } from '#plugin-api/signature-of.ts'
for (const name of readdirSync('stdlib')) if (existsSync(`stdlib/${name}/plugin.ts`)) test(name, async () => {
  const plugin = (await import(`../../stdlib/${name}/plugin.ts`)).default
  const r: any = signatureOf(plugin, { origin: 'std', hash: 'x' })
  expect(r.problems).toEqual([])
})
