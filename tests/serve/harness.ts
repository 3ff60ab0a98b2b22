// Harness: a server in this process, with a clock of its own and a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import type { Permit } from '#model/capability.ts'
import type { Plan } from '#model/plan.ts'
import type { ServeEvent } from '#serve/event.ts'
import { serve, type ServeEnd, type ServeOptions } from '#serve/serve.ts'
import { workflowsWithTriggers, type ServedProgram } from '#serve/trigger.ts'
import { type Answer, asked, check, listRuns, plan } from '#tek.ts'

/** Longer than anything here takes on a busy machine. */
const PATIENCE_MS = 45_000

export interface Place {
  readonly path: string
  readonly host: Host
  readonly database: string
  /** Sets the wall clock. */
  set(text: string): void
  remove(): void
}

/** A folder, and a host in it whose wall clock stands still unless it is set; null: the machine's clock. */
export function place(clock: string | null = '2026-01-01T00:00:00Z'): Place {
  const path = mkdtempSync(join(tmpdir(), 'tek-serve-'))
  let nowMs = clock === null ? null : Date.parse(clock)
  const host: Host = { ...nodeHost({ cwd: path }), now: () => nowMs ?? Date.now() }
  return { path, host, database: join(path, '.tek', 'tek.db'), set: text => { nowMs = Date.parse(text) }, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** A program from its text, with all it asks for permitted. */
export async function served(host: Host, text: string, shown: string = 'p.tek'): Promise<ServedProgram> {
  const checked = await check(host, shown, { readText: path => (path === shown ? text : undefined) })
  if (checked.program === null) throw new Error(checked.diagnostics.map(each => `${each.code}: ${each.message}`).join('\n'))
  return servedPlan(host, plan(checked), shown)
}

export async function servedPlan(host: Host, made: Plan, shown: string = 'p.tek'): Promise<ServedProgram> {
  const permits = new Map<string, Permit>()
  for (const workflow of workflowsWithTriggers(made)) {
    const { grants } = await asked(host, { plan: made, workflow, args: {} })
    permits.set(workflow, { grants: (grants ?? []).map(each => each.grant), by: 'flag' })
  }
  return { plan: made, shown, folder: host.cwd, permits }
}

export interface Running {
  readonly events: readonly ServeEvent[]
  /** Resolves with the first event from now or before that fits. */
  heard<Kind extends ServeEvent['kind']>(kind: Kind, fits?: (event: Extract<ServeEvent, { kind: Kind }>) => boolean, times?: number): Promise<Extract<ServeEvent, { kind: Kind }>>
  readonly ended: Promise<Answer<ServeEnd>>
  stop(): Promise<Answer<ServeEnd>>
}

const everything: Permit = { grants: [{ name: 'fs.read', args: ['**'] }, { name: 'fs.write', args: ['**'] }], by: 'flag' }

export function start({ host, database }: Place, programs: readonly ServedProgram[], options: Partial<ServeOptions> = {}): Running {
  const events: ServeEvent[] = []
  const abort = new AbortController()
  const ended = serve(host, {
    programs, database, runs: 4, takeOver: false, once: false, http: { bind: '127.0.0.1', port: 0, names: [], allowUnsigned: false }, notify: null, tekVersion: '0.0.0', mayBeUnconfined: false,
    permitAgain: async () => ({ kind: 'answer', value: everything }), onEvent: event => void events.push(event), signal: abort.signal, ...options,
  })
  return {
    events, ended,
    async heard(kind, fits = () => true, times = 1) {
      for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await new Promise(resolve => setTimeout(resolve, 10))) {
        const found = (events.filter(each => each.kind === kind) as Extract<ServeEvent, { kind: typeof kind }>[]).filter(fits)
        if (found.length >= times) return found[times - 1]!
        const end = await Promise.race([ended, Promise.resolve(null)])
        if (end?.kind === 'refused') throw new Error(`it ended: ${end.diagnostics[0]!.message}`)
      }
      throw new Error(`no ${kind}: ${JSON.stringify(events)}`)
    },
    stop() {
      abort.abort('terminate')
      return ended
    },
  }
}

/** Resolves when something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; !(await isSo()); await new Promise(resolve => setTimeout(resolve, 20))) {
    if (performance.now() > endMs) throw new Error('it never came to be so')
  }
}

/** Handles what is due now, and ends. */
export async function once(where: Place, programs: readonly ServedProgram[], options: Partial<ServeOptions> = {}): Promise<readonly ServeEvent[]> {
  const running = start(where, programs, { once: true, ...options })
  const end = await running.ended
  if (end.kind === 'refused') throw new Error(end.diagnostics[0]!.message)
  return running.events
}

/** Statuses of all runs, oldest first. */
export async function statuses({ host, database }: Place): Promise<string[]> {
  const answer = await listRuns(host, database)
  if (answer.kind === 'refused') throw new Error(answer.diagnostics[0]!.message)
  return answer.value.map(each => each.status).reverse()
}

export async function withStore<Result>({ database }: Place, use: (journal: Journal) => Result): Promise<Result> {
  const journal = await sqliteJournal(database)
  try {
    return use(journal)
  } finally {
    journal.close()
  }
}
