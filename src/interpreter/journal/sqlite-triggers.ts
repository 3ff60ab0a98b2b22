// Sqlite triggers: what `tek serve` keeps, as tables of the journal's database.
// Owns: its statements and transactions. Does not own: what firings mean (triggers.ts).
import type { Database, Statement } from 'better-sqlite3'
import { serveErrors } from '#diagnostics/catalog/serve.ts'
import type { Value } from '#model/type.ts'
import { JournalError } from './journal.ts'
import type { Lease } from './lease.ts'
import { statement, type Guarded } from './sqlite-statement.ts'
import { MAX_KEPT_ANNOUNCEMENTS, MAX_KEPT_FIRINGS, MAX_OPEN_FIRINGS, type Firing, type FiringState, type TriggerChange, type TriggerStore } from './triggers.ts'

/** Firings recorded between two looks at how many there are. */
const PRUNE_EVERY = 1_000

interface FiringRow {
  readonly trigger: string
  readonly run: string
  readonly state: FiringState
  readonly tries: number
}

export class SqliteTriggers implements TriggerStore {
  private readonly database: Database
  private readonly guarded: Guarded
  private readonly statements: ReturnType<typeof prepare>
  private recorded = 0

  constructor(database: Database, guarded: Guarded) {
    this.database = database
    this.guarded = guarded
    this.statements = prepare(database)
  }

  take(lease: Lease, isHeld: (lease: Lease) => boolean): Lease | null {
    const { owner, pid, hostName, bootId, since = '', expiresMs } = lease
    return this.together(() => {
      const held = this.statements.server.get() as Lease | undefined
      if (held !== undefined && held.owner !== owner && isHeld(held)) return held
      this.statements.take.run(owner, pid, hostName, bootId, since, expiresMs)
      return null
    })
  }

  renew(owner: string, expiresMs: number): boolean {
    return this.guarded(() => this.statements.renew.run(expiresMs, owner).changes > 0)
  }

  release(owner: string): void {
    this.guarded(() => this.statements.release.run(owner))
  }

  state(trigger: string): string | null {
    return this.guarded(() => (this.statements.state.get(trigger) as { state: string } | undefined)?.state ?? null)
  }

  files(trigger: string): Map<string, string> {
    const rows = this.guarded(() => this.statements.files.all(trigger) as { path: string; mark: string }[])
    return new Map(rows.map(({ path, mark }) => [path, mark]))
  }

  record(owner: string, { trigger, state, files, firing }: TriggerChange): string | null {
    const { statements } = this
    return this.together(() => {
      this.expectOwner(owner) // T3
      const before = firing === undefined || firing.delivery === null ? null : this.known(trigger, firing.delivery)
      if (before !== null) return before // T4
      if (state !== undefined) statements.keepState.run(trigger, state)
      for (const [path, mark] of files ?? []) {
        if (mark === null) statements.dropFile.run(trigger, path)
        else statements.keepFile.run(trigger, path, mark)
      }
      if (firing === undefined) return null
      statements.addFiring.run(trigger, firing.delivery, firing.runId, firing.atMs, JSON.stringify(firing.args), 'due', 0)
      if (++this.recorded % PRUNE_EVERY === 0) statements.prune.run(MAX_KEPT_FIRINGS)
      return null
    })
  }

  known(trigger: string, delivery: string): string | null {
    return this.guarded(() => (this.statements.known.get(trigger, delivery) as { run: string } | undefined)?.run ?? null)
  }

  open(): Firing[] {
    return this.guarded(() => (this.statements.open.all(MAX_OPEN_FIRINGS) as FiringRow[]).map(firingOf))
  }

  due(prefix: string): number {
    return this.guarded(() => (this.statements.due.get(prefix.length, prefix) as { count: number }).count)
  }

  argsOf(runId: string): Readonly<Record<string, Value>> {
    const row = this.guarded(() => this.statements.args.get(runId) as { args: string } | undefined)
    return row === undefined ? {} : (JSON.parse(row.args) as Record<string, Value>)
  }

  newest(trigger: string): Firing | null {
    const row = this.guarded(() => this.statements.newest.get(trigger) as FiringRow | undefined)
    return row === undefined ? null : firingOf(row)
  }

  takeUp(owner: string, runId: string, nowMs: number): number {
    const { statements } = this
    return this.together(() => {
      this.expectOwner(owner)
      if (statements.again.run(runId).changes === 0) statements.addFiring.run('', null, runId, nowMs, '{}', 'begun', 1)
      return (statements.tries.get(runId) as { tries: number }).tries
    })
  }

  settle(runId: string, state: 'begun' | 'over' | 'refused'): void {
    this.guarded(() => this.statements.settle.run(state, state === 'begun' ? 1 : 0, runId))
  }

  drained(runId: string): void {
    this.guarded(() => this.statements.drained.run(runId))
  }

  announce(key: string, nowMs: number): void {
    this.together(() => {
      this.statements.announce.run(key, nowMs)
      this.statements.pruneAnnounced.run(MAX_KEPT_ANNOUNCEMENTS)
    })
  }

  isAnnounced(key: string): boolean {
    return this.guarded(() => this.statements.announced.get(key)) !== undefined
  }

  private together<Result>(work: () => Result): Result {
    return this.guarded(() => this.database.transaction(work).immediate())
  }

  private expectOwner(owner: string): void {
    if (this.statements.isServer.get(owner) === undefined) throw new JournalError(serveErrors['taken-over']({}))
  }
}

function firingOf({ trigger, run, state, tries }: FiringRow): Firing {
  return { trigger, runId: run, state, tries }
}

const firingColumns = 'trigger, run, state, tries'
const isOpen = `state in ('due', 'begun')`

function prepare(database: Database) {
  const sql = (text: string): Statement => statement(database, text)
  return {
    server: sql('select owner, pid, host as hostName, boot as bootId, since, expires_ms as expiresMs from server'),
    take: sql('insert or replace into server (id, owner, pid, host, boot, since, expires_ms) values (1, ?, ?, ?, ?, ?, ?)'),
    renew: sql('update server set expires_ms = ? where owner = ?'),
    release: sql('delete from server where owner = ?'),
    isServer: sql('select 1 from server where owner = ?'),
    state: sql('select state from triggers where key = ?'),
    keepState: sql('insert into triggers (key, state) values (?, ?) on conflict (key) do update set state = excluded.state'),
    files: sql('select path, mark from watched where trigger = ?'),
    keepFile: sql('insert into watched (trigger, path, mark) values (?, ?, ?) on conflict (trigger, path) do update set mark = excluded.mark'),
    dropFile: sql('delete from watched where trigger = ? and path = ?'),
    addFiring: sql('insert into firings (trigger, delivery, run, at_ms, args, state, tries) values (?, ?, ?, ?, ?, ?, ?)'),
    prune: sql(`delete from firings where not ${isOpen} and id <= (select max(id) from firings) - ?`),
    known: sql('select run from firings where trigger = ? and delivery = ?'),
    open: sql(`select ${firingColumns} from firings where ${isOpen} order by id limit ?`),
    due: sql(`select count(*) as count from firings where ${isOpen} and state = 'due' and substr(trigger, 1, ?) = ?`),
    args: sql('select args from firings where run = ?'),
    newest: sql(`select ${firingColumns} from firings where trigger = ? order by id desc limit 1`),
    again: sql(`update firings set state = 'begun', tries = case when ${isOpen} then tries + 1 else 1 end where run = ?`),
    tries: sql('select tries from firings where run = ?'),
    settle: sql('update firings set state = ?, tries = max(tries, ?) where run = ?'),
    drained: sql('update firings set tries = 0 where run = ?'),
    announce: sql('insert into announced (key, at_ms) values (?, ?) on conflict do nothing'),
    pruneAnnounced: sql('delete from announced where at_ms < (select at_ms from announced order by at_ms desc limit 1 offset ?)'),
    announced: sql('select 1 from announced where key = ?'),
  }
}
