// Walk page: a page of docs carried out: its commands in order by a shell in a folder, and what each section shows looked for in what they print.
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { binary } from '../e2e/binary.ts'

export interface PageBlock {
  readonly language: string
  readonly text: string
}

export function blocksOf(page: string): PageBlock[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(each => ({ language: each[1]!, text: each[2]! }))
}

/** The number of sections that show something. */
export async function walkPage(name: string, blocks: readonly PageBlock[], cwd: string): Promise<number> {
  let printed = ''
  let sections = 0
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const { code, out } = await shell(name, text, cwd)
      expect(code, `${text}\n${out}`).toBe(0)
      printed = out
    }
    if (language !== 'text') continue
    sections++
    for (const line of text.trim().split('\n')) expect(printed.replaceAll(/ +/g, ' '), `${line}, in\n${printed}`).toContain(line.replaceAll(/ +/g, ' '))
  }
  return sections
}

function shell(name: string, commands: string, cwd: string): Promise<{ code: number | null; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(tmpdir(), `tek-${name}-home-${process.pid}`), NODE: process.execPath, TEK: binary }
  const child = spawn('sh', ['-e', '-c', `tek() { "$NODE" "$TEK" "$@"; }\n${commands}`], { cwd, env })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (out += text))
  return new Promise(resolve => child.on('close', code => resolve({ code, out })))
}
