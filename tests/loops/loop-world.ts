// Loop world: loops of real text in a folder of their own, driven in this process by the built standard library; what the store holds afterwards.
// Owns: the folder, a host whose health is as a test says, kills as snapshots of the database. Does not own: what is expected.
import { afterEach } from 'vitest'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import type { Host, MachineUsage } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { LoopStore } from '#interpreter/journal/loops.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { driveLoop, loopKey, type LoopEvent, type LoopOptions, type LoopStanding } from '#loops/drive-loop.ts'
import type { RunNotice } from '#model/report.ts'
import { check, plan } from '#tek.ts'

export const calm: MachineUsage = { cpu: 0.1, memory: 0.2, disk: 0.3 }

/** Each drive is another process, whichever folder it works in. */
let processes = 0

export interface Driven {
  readonly standing: LoopStanding | null
  readonly codes: readonly string[]
  readonly events: readonly LoopEvent[]
  readonly notices: readonly RunNotice[]
}

export class LoopWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'tek-loop-'))
  usage: MachineUsage = calm

  constructor(text: string, files: Readonly<Record<string, string>> = {}) {
    for (const [name, content] of Object.entries({ ...files, 'main.tek': text })) this.write(name, content)
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true })
    writeFileSync(join(this.folder, name), content)
  }

  get database(): string {
    return join(this.folder, '.tek', 'tek.db')
  }

  host(more: Partial<Host> = {}): Host {
    const pid = ++processes
    const identity = { pid, hostName: 'here', bootId: 'boot', since: String(pid) }
    return { ...nodeHost({ cwd: this.folder }), usage: async () => this.usage, identity: () => identity, isAlive: other => other === pid, ...more }
  }

  async drive(more: Partial<LoopOptions> & { readonly host?: Host; readonly journal?: Journal } = {}): Promise<Driven> {
    const { host = this.host(), journal, ...options } = more
    const checked = await check(host, 'main.tek')
    if (checked.program === null) throw new Error(checked.diagnostics.map(each => `${each.code}: ${each.message}`).join('\n'))
    const made = plan(checked)
    const events: LoopEvent[] = []
    const notices: RunNotice[] = []
    const answer = await driveLoop(host, {
      plan: made, program: 'main.tek', folder: this.folder, loop: made.loops[0]!, database: journal ?? this.database, tekVersion: '0', isMeasured: false,
      onNotice: notice => void notices.push(notice), onLoop: event => void events.push(event), ...options,
    })
    return answer.kind === 'answer' ? { standing: answer.value, codes: [], events, notices } : { standing: null, codes: answer.diagnostics.map(each => each.code), events, notices }
  }

  /** What is kept of the only loop. */
  async kept<Result>(read: (store: LoopStore, key: string, journal: Journal) => Result): Promise<Result> {
    const journal = await sqliteJournal(this.database)
    try {
      const [row] = journal.loops!.all()
      return read(journal.loops!, row?.key ?? loopKey('main.tek', ''), journal)
    } finally {
      journal.close()
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A journal that remembers the database as it was after each of its writes: what a process that is killed there leaves. */
export async function watchedJournal(path: string, onSnapshot: (index: number) => void = () => {}): Promise<{ readonly journal: Journal; readonly snapshots: Buffer[]; snap(): void; close(): void }> {
  const journal = await sqliteJournal(path)
  const reader = new Database(path, { readonly: true })
  const version = reader.prepare('pragma data_version').pluck()
  const snapshots: Buffer[] = []
  let last = version.get()
  const snap = (): void => {
    onSnapshot(snapshots.push(reader.serialize()) - 1)
  }
  const look = (): void => {
    const now = version.get()
    if (now === last) return
    last = now
    snap()
  }
  return { journal: watching(journal, look), snapshots, snap, close: () => (reader.close(), journal.close()) }
}

function watching<Watched extends object>(target: Watched, look: () => void): Watched {
  return new Proxy(target, {
    get(of, name) {
      const value = Reflect.get(of, name, of) as unknown
      if (typeof value === 'function') {
        return (...args: unknown[]): unknown => {
          const result = (value as (...given: unknown[]) => unknown).apply(of, args)
          look()
          return typeof result === 'object' && result !== null && ('append' in result || 'log' in result) ? wrapped(result, look) : result
        }
      }
      return typeof value === 'object' && value !== null && ['loops', 'mailbox', 'audit', 'retention'].includes(String(name)) ? watching(value, look) : value
    },
  })
}

/** A log, or a run with its log. */
function wrapped(result: object, look: () => void): object {
  if ('append' in result) return watching(result, look)
  const run = result as { readonly log: object }
  return { ...run, log: watching(run.log, look) }
}

/** Makes worlds that are removed after each test. */
export function loopWorlds(): (text: string, files?: Record<string, string>) => LoopWorld {
  const worlds: LoopWorld[] = []
  afterEach(() => {
    for (const world of worlds.splice(0)) world.remove()
  })
  return (text, files = {}) => {
    const made = new LoopWorld(text, files)
    worlds.push(made)
    return made
  }
}
