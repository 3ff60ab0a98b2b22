// Run tek: the built command in a folder of its own, as a user would.
// Owns: copying the examples there, running, cleaning up. Needs `npm run build` (the test script does it first).
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { allowingAll } from '../e2e/binary.ts'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))
const COMMAND_LIMIT_MS = 120_000
const MAX_OUTPUT_BYTES = 64_000_000

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export function runTek(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Ended {
  const { PATH, HOME } = process.env
  const ended = spawnSync(process.execPath, [join(projectRoot, 'dist/tek.mjs'), ...allowingAll(args)], {
    cwd, encoding: 'utf8', timeout: COMMAND_LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES, env: { PATH, HOME, NO_COLOR: '1', ...env },
  })
  return { exitCode: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}

/** The value that a run gave; its failure, with everything printed, when it gave none. */
export function runForValue(args: readonly string[], cwd: string): unknown {
  const ended = runTek(['run', ...args, '--json'], cwd)
  const last = ended.stdout.trim().split('\n').at(-1) ?? ''
  const finished = last.startsWith('{') ? (JSON.parse(last) as { kind?: string; summary?: { outcome?: { kind: string; value?: unknown } } }) : {}
  if (ended.exitCode !== 0 || finished.summary?.outcome?.kind !== 'value') throw new Error(`tek run ${args.join(' ')} ended with ${ended.exitCode}\n${ended.stderr}\n${last}`)
  return finished.summary.outcome.value
}

/** A temporary folder that holds the examples as `examples/`. */
export function folderWithExamples(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tek-examples-'))
  cpSync(join(projectRoot, 'examples'), join(folder, 'examples'), { recursive: true, filter: path => !path.includes('.tek/') && !path.endsWith('/.tek') })
  return folder
}

export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'tek-examples-'))
export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** Every example program, relative to the project's root. */
export function examplePrograms(folder = 'examples'): string[] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'plugins' || entry.name === '.tek' ? [] : examplePrograms(path)
    return entry.name.endsWith('.tek') ? [path] : []
  })
}
