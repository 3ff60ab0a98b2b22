// The page about recorded runs is true: its program is saved, its commands are run in order by a shell, and what each section shows is in what they print.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { binary, project } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'

const page = read('docs/history.md')
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(each => ({ language: each[1]!, text: each[2]! }))
const folder = project({ 'words.tek': blocks.find(each => each.language === 'tek')!.text })
afterAll(() => folder.remove())

function shell(commands: string): Promise<{ code: number | null; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(tmpdir(), `tek-history-home-${process.pid}`), NODE: process.execPath, TEK: binary }
  const child = spawn('sh', ['-e', '-c', `tek() { "$NODE" "$TEK" "$@"; }\n${commands}`], { cwd: folder.path, env })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (out += text))
  return new Promise(resolve => child.on('close', code => resolve({ code, out })))
}

test('each section does what it says', { timeout: 120_000 }, async () => {
  let printed = ''
  let sections = 0
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const { code, out } = await shell(text)
      expect(code, `${text}\n${out}`).toBe(0)
      printed = out
    }
    if (language !== 'text') continue
    sections++
    for (const line of text.trim().split('\n')) expect(printed.replaceAll(/ +/g, ' '), `${line}, in\n${printed}`).toContain(line.replaceAll(/ +/g, ' '))
  }
  expect(sections).toBe(7)
  expect(readdirSync(folder.path).sort()).toEqual(['notes', 'words.tek'])
})
