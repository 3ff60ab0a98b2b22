// The page about the command line is true about questions, waits and pauses: that section's program is saved, its commands are run in order by a shell, and what it
// shows is in what they print, in that order.
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { binary, project } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'

const section = /^## Questions, waits and pauses\n([\s\S]*?)^## /m.exec(read('docs/cli.md'))?.[1] ?? ''
const blocks = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(each => ({ language: each[1]!, text: each[2]! }))
const folder = project({ 'release.tek': blocks.find(each => each.language === 'tek')!.text })
afterAll(() => folder.remove())

function shell(commands: string): Promise<{ code: number | null; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(tmpdir(), `tek-cli-home-${process.pid}`), NODE: process.execPath, TEK: binary }
  const child = spawn('sh', ['-e', '-c', `exec 2>&1\ntek() { "$NODE" "$TEK" "$@"; }\n${commands}`], { cwd: folder.path, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text))
  return new Promise(resolve => child.on('close', code => resolve({ code, out })))
}

test('questions, waits and pauses', { timeout: 120_000 }, async () => {
  let printed = ''
  let shown = 0
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const { code, out } = await shell(text)
      expect(code, `${text}\n${out}`).toBe(0)
      printed = out.replaceAll(/ +/g, ' ')
    }
    if (language !== 'text') continue
    shown++
    let from = 0
    for (const line of text.trim().split('\n')) {
      const at = printed.indexOf(line.replaceAll(/ +/g, ' '), from)
      expect(at, `${line}, after ${from} characters of\n${printed}`).toBeGreaterThanOrEqual(0)
      from = at + 1
    }
  }
  expect(shown).toBe(4)
})
