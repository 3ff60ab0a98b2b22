// docs/crash.md is true: its commands are run, and its table names every tool of the library that changes something.
import { expect, test } from 'vitest'
import { tek } from '../e2e/binary.ts'
import fs from '../../stdlib/fs/plugin.ts'
import git from '../../stdlib/git/plugin.ts'
import http from '../../stdlib/http/plugin.ts'
import npm from '../../stdlib/npm/plugin.ts'
import { read } from '../tidy/source-tree.ts'

const page = read('docs/crash.md')
const blocks = (language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(each => each[1]!)
const [, small] = blocks('sh')

test('the commands of the page do what it says', async () => {
  const [words = '', asJson = ''] = small!.trim().split('\n')
  const { code, out, err } = await tek(words.split(' ').slice(1))
  expect(code, err + out).toBe(0)
  for (const line of blocks('text')[0]!.trim().split('\n')) expect(out).toContain(line)
  expect(JSON.parse((await tek(asJson.split(' ').slice(1))).out)).toMatchObject({ ok: true, tasks: 100, effects: 100, lost: 0, doubled: 0 })
})

test('without keys it fails', async () => {
  const words = blocks('sh fails')[0]!.trim().split(' ').slice(1)
  let ended = await tek(words)
  for (let more = 0; more < 5 && ended.code === 0; more++) ended = await tek(words) // every kill may have met a quiet instant
  expect(ended.code).toBe(1)
  expect(ended.out).toMatch(/ 0 lost, [1-9]\d* doubled/)
})

test('the table has every tool that changes something', () => {
  const table = page.split('\n').filter(line => line.startsWith('| `')).map(line => line.split('|')[1]!).join(' ')
  for (const plugin of [fs, git, http, npm]) {
    for (const [name, tool] of Object.entries(plugin.tools ?? {})) if (tool.effect === 'write') expect(table).toMatch(new RegExp(`\`(?:${plugin.name}\\.)?${name}\``))
  }
})
