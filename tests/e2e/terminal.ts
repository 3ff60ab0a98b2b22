// Terminal: the built `tek` on a real pseudo-terminal, with somebody who answers its questions. Needs `script` of util-linux.
// Owns: the terminal, when an answer is typed. Does not own: what is asked.
import { spawn, spawnSync } from 'node:child_process'
import { binary } from './binary.ts'

export const hasTerminal = spawnSync('script', ['--version']).status === 0
const PATIENCE_MS = 60_000

export interface Seen {
  readonly code: number | null
  readonly shown: string
  /** How often it asked. */
  readonly asked: number
}

/** Runs it in a folder; each answer is typed when the question stands there. */
export function onTerminalIn(cwd: string, words: readonly string[], answers: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Seen> {
  const line = [process.execPath, binary, ...words].map(word => `'${word}'`).join(' ')
  const env = { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1', ...more }
  const child = spawn('script', ['-qec', `stty cols 100 rows 30; exec ${line}`, '/dev/null'], { cwd, env, stdio: 'pipe' })
  return new Promise(resolve => {
    let [shown, asked] = ['', 0]
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
      const questions = shown.split('Allow it?').length - 1
      if (questions <= asked || !/ {2}$/.test(shown)) return
      const answer = answers[asked++]
      if (answer !== undefined) child.stdin.write(answer)
    })
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code, shown: shown.replace(/\r\n/g, '\n'), asked })
    })
  })
}
