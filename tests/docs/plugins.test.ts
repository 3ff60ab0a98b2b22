// The guide for authors of plugins, executed: its files are written, type-checked and tested, its commands run, its outputs compared.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { project, tek } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'

const repository = resolve(import.meta.dirname, '../..')
const blocks = [...read('docs/plugins.md').matchAll(/^```(\w+) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', mark = '', text = '']) => ({ language, mark, text }))

/** A block is a file when its first line or its mark names one. */
function fileOf({ language, mark, text }: (typeof blocks)[number]): { name: string; text: string } | null {
  if (mark.includes('author')) return null // plugin-author.test.ts
  if (language === 'text' && mark.includes('.')) return { name: mark, text }
  const named = /^\/\/ ([\w.-]+)\n/.exec(text)?.[1]
  return named === undefined ? null : { name: named, text: language === 'json' ? text.slice(text.indexOf('\n') + 1) : text }
}

let here: ReturnType<typeof project>
beforeAll(() => {
  here = project({})
  for (const file of blocks.map(fileOf)) if (file !== null) here.write(file.name, file.text)
})
afterAll(() => here.remove())

test('the guide holds files and commands', () => {
  expect(blocks.map(fileOf).filter(file => file !== null).map(file => file.name)).toEqual(
    ['words.ts', 'first.tek', 'notes.ts', 'notes.txt', 'second.tek', 'broken.txt', 'commits.ts', 'third.tek', 'fourth.tek', 'shout.ts', 'fifth.tek', 'notes.test.ts', 'package.json', 'packed.ts'])
})

describe('each command does what it shows', () => {
  blocks.forEach((block, index) => {
    if (block.language !== 'sh' || block.mark === 'author') return
    test(block.text.trim(), async () => {
      const after = blocks[index + 1]
      const expected = after?.language === 'text' && after.mark === '' ? after.text : null
      const ended = await tek(block.text.trim().split(' ').slice(1), { cwd: here.path })
      expect(ended.code, ended.err).toBe(block.mark === 'fails' ? 1 : 0)
      if (expected !== null) expect(ended.out).toBe(expected)
      if (block.mark === 'fails') expect(ended.err).toContain('notes/bad-line')
    })
  })
})

test('the grant of its own covers what it implies', async () => {
  for (const args of [['init', '-q'], ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first']]) expect(spawnSync('git', args, { cwd: here.path }).status).toBe(0)
  expect((await tek(['run', 'third.tek'], { cwd: here.path })).out).toBe('1\n')
})

test('its TypeScript passes strict checks, and its own test passes', async () => {
  mkdirSync(join(here.path, 'node_modules'))
  symlinkSync(repository, join(here.path, 'node_modules/tek-lang'))
  const flags = ['--strict', '--noEmit', '--target', 'es2023', '--module', 'nodenext', '--customConditions', 'tek-source', '--allowImportingTsExtensions', '--types', 'node', '--typeRoots', join(repository, 'node_modules/@types')]
  const ended = spawnSync(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), ...flags, 'words.ts', 'notes.ts', 'commits.ts', 'packed.ts', 'shout.ts', 'notes.test.ts'], { cwd: here.path, encoding: 'utf8' })
  expect(ended.stdout.split('\n').filter(line => line !== '' && !line.startsWith('node_modules/') && !line.startsWith('../'))).toEqual([])
  const folder = mkdtempSync(join(tmpdir(), 'tek-guide-'))
  try {
    await build({ entryPoints: [join(here.path, 'notes.test.ts')], outfile: join(folder, 'test.mjs'), bundle: true, format: 'esm', platform: 'node', logLevel: 'silent', conditions: ['tek-source'], absWorkingDir: here.path })
    writeFileSync(join(folder, 'run.mjs'), `import { testNotes } from ${JSON.stringify(pathToFileURL(join(folder, 'test.mjs')).href)}\nawait testNotes()\nconsole.log('passed')\n`)
    const tested = spawnSync(process.execPath, [join(folder, 'run.mjs')], { encoding: 'utf8' })
    expect(tested.stdout, tested.stderr).toBe('passed\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
