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

export interface Step {
  /** What has to stand on the terminal, after what the step before waited for. */
  readonly when: RegExp
  /** What is then typed, or done; a text that comes of it is typed. */
  readonly then: string | (() => Promise<unknown>)
}

/** Runs it in a folder with somebody who does one thing after the other, each when the terminal shows what it waits for. `code: null`: it did not end in time. */
export function stepsOnTerminal(cwd: string, words: readonly string[], steps: readonly Step[], more: Readonly<Record<string, string>> = {}): Promise<Omit<Seen, 'asked'>> {
  const line = [process.execPath, binary, ...words].map(word => `'${word}'`).join(' ')
  const env = { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1', ...more }
  const child = spawn('script', ['-qec', `stty cols 100 rows 30; exec ${line}`, '/dev/null'], { cwd, env, stdio: 'pipe' })
  return new Promise(resolve => {
    let [shown, from, at] = ['', 0, 0]
    let isBusy = false
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    const goOn = async (): Promise<void> => {
      for (let step = steps[at]; step !== undefined && !isBusy; step = steps[at]) {
        const found = step.when.exec(shown.slice(from))
        if (found === null) return
        from += found.index + found[0].length
        at++
        isBusy = true
        const typed = typeof step.then === 'string' ? step.then : await step.then()
        if (typeof typed === 'string') child.stdin.write(typed)
        isBusy = false
      }
    }
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
      void goOn()
    })
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code, shown: shown.replace(/\r\n/g, '\n') })
    })
  })
}
