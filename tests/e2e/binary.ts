// Binary: runs the built `tek` as a user's shell does.
// Owns: the process, its limits, a folder of its own. Does not own: building (`npm run build` comes before the tests).
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const binary = fileURLToPath(new URL('../../dist/tek.mjs', import.meta.url))
/** Longer than anything here takes on a busy machine; a hang fails the test by `code: null`. */
const PATIENCE_MS = 60_000

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Started {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  /** With a permit or without one, as the words say; otherwise whatever the program asks for is allowed. */
  readonly asWritten?: true
  /** Called with each piece of standard error; may send signals. */
  readonly onErr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
  /** For what takes longer than the rest. */
  readonly patienceMs?: number
  readonly onOut?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
}

export function tek(words: readonly string[], started: Started = {}): Promise<Ended> {
  return startTek(words, started).ended
}

/** The same, with the process at hand while it runs. */
export function startTek(words: readonly string[], started: Started = {}): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  if (!existsSync(binary)) throw new Error('dist/tek.mjs is missing: run `npm run build` first')
  const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...started.env }
  const child = spawn(process.execPath, [binary, ...(started.asWritten ? words : allowingAll(words))], { cwd: started.cwd ?? tmpdir(), env, stdio: 'pipe' })
  const ended = new Promise<Ended>(resolve => {
    const timer = setTimeout(() => child.kill('SIGKILL'), started.patienceMs ?? PATIENCE_MS)
    const kill = (signal: NodeJS.Signals): void => void child.kill(signal)
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      started.onOut?.(text, kill)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
      started.onErr?.(text, kill)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(started.stdin ?? '')
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
  })
  return { child, ended }
}

/** What runs programs without a terminal needs somebody's word that it may. */
export function allowingAll([command = '', ...words]: readonly string[]): string[] {
  return ['run', 'resume', 'test'].includes(command) && !words.includes('--allow-all') ? [command, '--allow-all', ...words] : [command, ...words]
}

/** A folder with files, removed by `remove`. */
export function project(files: Readonly<Record<string, string | Uint8Array>>): { readonly path: string; write(name: string, text: string | Uint8Array): string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tek-e2e-'))
  const write = (name: string, text: string | Uint8Array): string => {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
    return join(path, name)
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) }
}
