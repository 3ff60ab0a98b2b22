// Sqlite mailbox: what is asked of runs from outside, as a table of the journal's database.
// Owns: its statements, the requests that are to be taken off, what is no request. Does not own: what a request means (keeper.ts), the transaction in which one is taken off (sqlite.ts).
import type { Database, Statement } from 'better-sqlite3'
import { MAX_PENDING_REQUESTS, type Mailbox, type PendingRequest, type RunRequest } from './journal.ts'
import { statement, type Guarded } from './sqlite-statement.ts'

export class SqliteMailbox implements Mailbox {
  private readonly guarded: Guarded
  private readonly add: Statement
  private readonly all: Statement
  private readonly drop: Statement

  constructor(database: Database, guarded: Guarded) {
    this.guarded = guarded
    this.add = statement(database, `insert into requests (run, at_ms, body) select ?, ?, ? where (select count(*) from requests where run = ?) < ${MAX_PENDING_REQUESTS}`)
    this.all = statement(database, 'select id, at_ms as atMs, body from requests where run = ? order by id')
    this.drop = statement(database, 'delete from requests where id = ?')
  }

  put(runId: string, request: RunRequest, nowMs: number): boolean {
    return this.guarded(() => this.add.run(runId, nowMs, JSON.stringify(request), runId).changes > 0)
  }

  pending(runId: string): readonly PendingRequest[] {
    const rows = this.guarded(() => this.all.all(runId) as { id: number; atMs: number; body: string }[])
    return rows.map(({ id, atMs, body }) => ({ id, atMs, request: readRequest(body) }))
  }

  /** To be called inside a transaction. */
  takeOff(requests: readonly PendingRequest[]): void {
    for (const { id } of requests) this.drop.run(id)
  }
}

/** A request as it was put. A row of a newer tek, or a damaged one, must not keep its run, or a server with all of its runs, from going on. */
function readRequest(body: string): PendingRequest['request'] {
  let found: Partial<Record<string, unknown>> | null
  try {
    found = JSON.parse(body) as typeof found
  } catch {
    return unreadable
  }
  const { kind, task, by, verdict, note, agent, does } = found ?? {}
  if (kind === 'pause') return { kind }
  if (kind === 'steer') return typeof agent === 'string' && typeof by === 'string' && (does === 'pause' || does === 'resume' || does === 'stop') ? { kind, agent, does, by } : unreadable
  if (typeof task !== 'string' || typeof by !== 'string') return unreadable
  if (kind === 'cancel') return { kind, task, by }
  const isAnswer = kind === 'answer' && (verdict === 'approved' || verdict === 'refused') && (note === undefined || typeof note === 'string')
  return isAnswer ? { kind, task, verdict, by, ...(note === undefined ? {} : { note }) } : unreadable
}

const unreadable = { kind: 'unreadable' } as const
