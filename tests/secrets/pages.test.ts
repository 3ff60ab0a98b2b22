// The guides on secrets and on the network: their programs are run, and do what the pages say.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { check, plan, run } from '#tek.ts'
import { memoryHost, type MemoryHostOptions } from '#testing/memory-host.ts'

const firstProgram = (page: string, holding: string): string => [...readFileSync(page, 'utf8').matchAll(/^```tek\n([\s\S]*?)^```$/gm)].map(match => match[1]!).find(text => text.includes(holding))!

async function ran(text: string, options: MemoryHostOptions): Promise<{ readonly answer: unknown; readonly asked: readonly string[] }> {
  const host = memoryHost({ ...options, files: { 'main.tek': text, ...options.files } })
  const checked = await check(host, 'main.tek')
  expect(checked.diagnostics).toEqual([])
  const answer = await run(host, { plan: plan(checked), program: 'main.tek', args: {}, database: null, tekVersion: '0', onNotice: () => {} })
  return { answer, asked: host.requests.map(each => `${each.url} ${each.headers['authorization']}`) }
}

test('docs/secrets.md: what a server repeats is shown by its name', async () => {
  const { answer, asked } = await ran(firstProgram('docs/secrets.md', 'githubToken'), { env: { GITHUB_TOKEN: 'ghp_0123456789' }, answer: request => ({ status: 200, body: JSON.stringify(request.headers) }) })
  expect(asked).toEqual(['https://api.github.com/issues Bearer ghp_0123456789'])
  expect(answer).toMatchObject({ value: { outcome: { value: '{"authorization":"Bearer [secret githubToken]"}' } } })
})

test('docs/network.md: a private registry with a token', async () => {
  const files = {
    'package.json': '{ "dependencies": { "left": "^1.0.0" } }',
    'package-lock.json': '{ "lockfileVersion": 3, "packages": { "node_modules/left": { "version": "1.0.0" } } }',
  }
  const listing = '{ "name": "left", "dist-tags": { "latest": "1.1.0" }, "versions": { "1.0.0": {}, "1.1.0": {} }, "time": {} }'
  const { answer, asked } = await ran(firstProgram('docs/network.md', 'npmToken'), { env: { NPM_TOKEN: 'npm_0123456789' }, files, answer: () => ({ status: 200, body: listing }) })
  expect(asked).toEqual(['https://npm.corp.example/left Bearer npm_0123456789'])
  expect(answer).toMatchObject({ value: { outcome: { value: 1 } } })
})
