// Server project: a folder with `.mcp.json`, its lock and a program, and the built tek in it.
// Owns: the files, locking, running. Does not own: what is tested.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tek, type Ended, type Started, project } from '../e2e/binary.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const hostileServer = fileURLToPath(new URL('./hostile-server.mjs', import.meta.url))

/** A definition of one of the public servers, as a user writes it. */
export function publicServer(name: 'everything' | 'filesystem' | 'memory', args: readonly string[] = [], more: object = {}): object {
  return { command: process.execPath, args: [join(root, 'node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js'), ...args], tek: { reads: [join(root, 'node_modules/**')], ...more } }
}

/** A definition of our own hostile server. */
export function hostile(mode: string, more: object = {}): object {
  return { command: process.execPath, args: [hostileServer, mode], tek: { reads: [hostileServer], ...more } }
}

export class ServerProject {
  readonly path: string
  readonly write: (name: string, text: string) => string
  readonly remove: () => void

  constructor(servers: Readonly<Record<string, object>>, files: Readonly<Record<string, string>> = {}) {
    const made = project(files)
    this.path = made.path
    this.write = made.write
    this.remove = made.remove
    this.declare(servers)
  }

  declare(servers: Readonly<Record<string, object>>): void {
    this.write('.mcp.json', JSON.stringify({ mcpServers: servers }))
  }

  get lock(): string {
    return existsSync(join(this.path, 'tek.mcp.lock.json')) ? readFileSync(join(this.path, 'tek.mcp.lock.json'), 'utf8') : ''
  }

  tek(words: readonly string[], started: Started = {}): Promise<Ended> {
    return tek(words, { cwd: this.path, ...started })
  }

  /** Locks all servers; whatever goes wrong is thrown. */
  async locked(): Promise<this> {
    const { code, out, err } = await this.tek(['mcp', 'lock', '--yes'])
    if (code !== 0) throw new Error(`not locked: ${out}${err}`)
    return this
  }

  /** Runs the only workflow of `main.tek`; its result as JSON, or its failure. */
  async run(program: string, started: Started & { readonly words?: readonly string[] } = {}): Promise<{ readonly code: number | null; readonly value: unknown; readonly err: string }> {
    this.write('main.tek', program)
    const { code, out, err } = await this.tek(['run', 'main.tek', ...(started.words ?? [])], started)
    return { code, value: valueIn(out), err }
  }
}

function valueIn(out: string): unknown {
  try {
    return JSON.parse(out)
  } catch {
    return out.trimEnd()
  }
}
