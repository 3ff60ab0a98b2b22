// The guide to permits, executed: its program is written, its commands run, on a terminal where it shows one, and what they print is compared.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPermits } from '#permits/permits-file.ts'
import { project, tek } from '../e2e/binary.ts'
import { hasTerminal, onTerminalIn } from '../e2e/terminal.ts'
import { read } from '../tidy/source-tree.ts'

const blocks = [...read('docs/permits.md').matchAll(/^```(\w+) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', mark = '', text = '']) => ({ language, mark, text }))
/** Words of a line as a shell cuts them; quotes are single ones. */
const wordsOf = (line: string): string[] => [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word)

let here: ReturnType<typeof project>
beforeAll(() => {
  here = project({ 'src/a.ts': '// TODO: a\n', 'lib/b.ts': '', 'docs/c.ts': '' })
  for (const { language, mark, text } of blocks) if (language === 'tek') here.write(mark, text)
})
afterAll(() => here.remove())

test('the guide holds a program, commands and files', () => {
  expect(blocks.filter(each => each.language === 'tek').map(each => each.mark)).toEqual(['todos.tek'])
  expect(blocks.filter(each => each.language === 'sh').length).toBeGreaterThan(4)
})

describe.skipIf(!hasTerminal)('each command does what it shows (needs `script`)', () => {
  blocks.forEach((block, index) => {
    if (block.language !== 'sh') return
    test(block.text.trim(), async () => {
      const after = blocks[index + 1]
      const expected = after?.language === 'text' ? after.text.trimEnd().split('\n') : []
      const answers = block.mark.startsWith('answers ') ? block.mark.split(' ').slice(1) : null
      for (const line of block.text.trim().split('\n')) {
        const words = wordsOf(line).slice(1)
        const { code, shown } = answers === null ? await tek(words, { cwd: here.path, asWritten: true }).then(({ code: ended, out, err }) => ({ code: ended, shown: out + err }))
          : await onTerminalIn(here.path, words, answers.map(each => `${each}\n`))
        expect(code, shown).toBe(block.mark === 'fails' ? 4 : 0)
        for (const each of expected) expect(shown).toContain(each)
      }
      if (answers?.length === 2) expect(readFileSync(join(here.path, 'tek.permits.yaml'), 'utf8').replace(/\d{4}-\d\d-\d\d/, '2026-11-21').replace(/^#.*\n|^\n/gm, '')).toBe(blocks.find(each => each.language === 'yaml')!.text)
    })
  })
})

test('each file it shows can be read, and allows what it says', async () => {
  const files = blocks.filter(each => each.language === 'yaml').map(each => each.text)
  expect(files.map(text => readPermits(text).diagnostics)).toEqual(files.map(() => []))
  writeFileSync(join(here.path, 'tek.permits.yaml'), files.at(-1)!.replace(/^ *expires:.*\n/m, ''))
  expect((await tek(['run', 'todos.tek', '--root', 'lib', '--quiet'], { cwd: here.path, asWritten: true })).out).toBe('0\n')
})
