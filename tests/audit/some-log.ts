// Some log: an audit log on disk with entries, a user's folders to sign and remember it, and ways to tamper with it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite, { type Database } from 'better-sqlite3'
import { userStore } from '#host/user-store.ts'
import { bodyOf } from '#interpreter/audit/chain.ts'
import { Sealer, type SealStore } from '#interpreter/audit/seal.ts'
import { verifyAudit, type AuditVerdict } from '#interpreter/audit/verify.ts'
import type { AuditLog } from '#interpreter/journal/audit-log.ts'
import { auditTables } from '#interpreter/journal/schema.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { someEntry } from './some-entry.ts'

export interface Place {
  readonly folder: string
  readonly database: string
  readonly store: SealStore
  remove(): void
}

/** A project and, beside it, a home. */
export function newPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'tek-audit-'))
  const project = join(folder, 'project')
  const store = userStore(name => (name === 'HOME' ? join(folder, 'home') : undefined), project)!
  return { folder, database: join(project, '.tek', 'tek.db'), store, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export function append(log: AuditLog, from: number, count: number, run = 'run-a'): void {
  for (let i = from; i < from + count; i++) log.append(run, bodyOf(someEntry(i), 1_000 + i, text => text))
}

/** A log of `count` entries that is signed and remembered. */
export async function writeLog({ database, store }: Place, count: number): Promise<void> {
  const journal = await sqliteJournal(database)
  journal.audit.sealWith(new Sealer(store))
  append(journal.audit, 0, count)
  journal.audit.seal()
  journal.close()
}

export async function verify({ database, store }: Place, options: { readonly store?: SealStore | null; readonly trusted?: readonly string[] } = {}): Promise<AuditVerdict> {
  const journal = await sqliteJournal(database)
  try {
    return verifyAudit(journal.audit, options.store === undefined ? store : options.store, options.trusted)
  } finally {
    journal.close()
  }
}

/** Problems in short: `changed 5`. */
export async function problemsOf(place: Place): Promise<string[]> {
  return (await verify(place)).problems.map(each => `${each.kind} ${'seq' in each ? each.seq : each.name}`)
}

/** Changes the database as a program with the user's rights could. `quietly`: the triggers are put back as they were. */
export function tamper({ database }: Place, work: (db: Database) => void, quietly = true): void {
  const db = new BetterSqlite(database)
  const triggers = auditTables.filter(each => each.startsWith('create trigger'))
  if (quietly) for (const each of triggers) db.exec(`drop trigger ${each.split(' ')[2]}`)
  work(db)
  if (quietly) for (const each of triggers) db.exec(each)
  db.close()
}
