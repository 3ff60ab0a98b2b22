// World: a folder of its own for each attack, with something in it to steal and something to break.
// Owns: the files, contexts under given grants, programs that are checked and run, and looking afterwards whether harm was done.
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseGrant } from '#grants/grant-text.ts'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import type { Authority } from '#model/capability.ts'
import type { RunNotice } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { check, plan, run } from '#tek.ts'
import { stoppedRun, type Stopped } from './attack.ts'

/** What lies outside of every grant: no output may hold it. */
export const SECRET = 'canary-7f3a-do-not-leak'

export interface Ran {
  readonly stopped: Stopped
  readonly value: Value
  readonly notices: readonly RunNotice[]
}

export class World {
  /** The attacker may never touch what lies here, but for `work`. */
  readonly root: string
  /** Working directory of runs. */
  readonly cwd: string
  readonly host: Host
  private before = ''

  constructor() {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'tek-attack-')))
    this.cwd = join(this.root, 'work')
    this.put('../secret.txt', SECRET)
    this.put('../outside/name', SECRET)
    this.put('src/a.ts', 'a')
    this.put('src/deep/b.ts', 'b')
    this.put('notes.txt', 'notes')
    this.put('.tek/tek.db', 'db')
    this.put('tek.permits.yaml', 'permits: []\n')
    this.put('.git/hooks/pre-commit', '#!/bin/sh\n')
    this.put('.git/config', '[core]\n')
    this.put('.git/HEAD', 'ref: refs/heads/main\n')
    this.host = nodeHost({ cwd: this.cwd })
  }

  put(path: string, text: string | Uint8Array = path): string {
    const file = join(this.cwd, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  read(path: string): string {
    return readFileSync(join(this.cwd, path), 'utf8')
  }

  has(path: string): boolean {
    return existsSync(join(this.cwd, path))
  }

  /** From here on, what is outside of the working directory must stay as it is. */
  seal(): void {
    this.before = this.outside()
  }

  /** What was changed outside since `seal`; null when nothing was. */
  harm(): string | null {
    const now = this.outside()
    return now === this.before ? null : `before:\n${this.before}\nafter:\n${now}`
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  /** The context of a call that may do what is granted. */
  may(...grants: string[]): ToolContext {
    return this.under([grants])
  }

  under(levels: readonly (readonly string[])[], env: Readonly<Record<string, string>> = {}, host: Host = this.host): ToolContext {
    const authority = levels.map((grants): Authority => grants.map(text => parseGrant(text) ?? (() => { throw new Error(`no grant: ${text}`) })()))
    return makeToolContext({
      host: { ...host, env: name => env[name] ?? process.env[name] }, cwd: this.cwd, authority, implied: [], signal: new AbortController().signal, idempotencyKey: 'k', taskPath: 't', mayBeUnconfined: true,
      onCount: () => undefined, onLog: () => undefined, onProgress: () => undefined,
    })
  }

  /** What the checker says of a program: the first error, or nothing. */
  async checked(program: string, others: Readonly<Record<string, string>> = {}): Promise<Stopped> {
    const { diagnostics } = await check(this.host, 'main.tek', { readText: path => ({ ...others, 'main.tek': program })[path.replace(/^\.\//, '')] })
    const error = diagnostics.find(each => each.severity === 'error')
    return error === undefined ? { by: 'nothing', with: 'it compiles' } : { by: 'checker', with: error.code }
  }

  /** Checks a program and runs its workflow; what stopped it first. */
  async ran(program: string, args: Readonly<Record<string, Value>> = {}, database: string | null = null, workflow?: string, permit?: Authority): Promise<Ran> {
    const checked = await check(this.host, 'main.tek', { readText: path => (path === 'main.tek' ? program : undefined) })
    const error = checked.diagnostics.find(each => each.severity === 'error')
    const notices: RunNotice[] = []
    if (error !== undefined) return { stopped: { by: 'checker', with: error.code }, value: null, notices }
    const answer = await run(this.host, { plan: plan(checked), program: 'main.tek', args, database, tekVersion: '0.0.0', ...(workflow === undefined ? {} : { workflow }), ...(permit === undefined ? {} : { permit: { grants: permit, by: 'flag' as const } }), onNotice: notice => void notices.push(notice) })
    if (answer.kind === 'refused') return { stopped: { by: 'engine', with: answer.diagnostics[0]!.code }, value: null, notices }
    const { outcome } = answer.value
    if (outcome?.kind === 'failure') return { stopped: stoppedRun(outcome.failure.code), value: null, notices }
    return { stopped: stoppedRun(null), value: outcome?.kind === 'value' ? outcome.value : null, notices }
  }

  /** Everything outside of the working directory, as text. */
  private outside(): string {
    const lines: string[] = []
    const walk = (folder: string): void => {
      for (const name of readdirSync(folder).sort()) {
        const path = join(folder, name)
        if (path === this.cwd) continue
        const stat = lstatSync(path)
        lines.push(`${path} ${stat.mode} ${stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''}`)
        if (stat.isDirectory()) walk(path)
      }
    }
    walk(this.root)
    return lines.join('\n')
  }
}
