// Memory audit: the audit log for the life of the process. Nobody signs it, and nothing of it is left.
import { sha256 } from '#base/hash.ts'
import { beginningOf, rowHash, type AuditRow } from '#interpreter/audit/chain.ts'
import type { AuditLog, AuditRange } from './audit-log.ts'

/** Entries that are kept; the oldest go first. */
const MAX_KEPT_ENTRIES = 100_000

export class MemoryAudit implements AuditLog {
  readonly id = sha256('memory').slice(0, 32)
  readonly place = null
  readonly waiting = 0
  private kept: AuditRow[] = []

  append(run: string, body: string): void {
    const last = this.kept.at(-1)
    const seq = (last?.seq ?? 0) + 1
    this.kept.push({ seq, run, body, hash: rowHash(last?.hash ?? beginningOf(this.id), seq, run, body) })
    if (this.kept.length >= MAX_KEPT_ENTRIES * 2) this.kept = this.kept.slice(-MAX_KEPT_ENTRIES)
  }

  flush(): void {}
  sealWith(): void {}
  seal(): void {}

  head(): { seq: number; hash: string } | null {
    return this.kept.at(-1) ?? null
  }

  rows(afterSeq: number, limit: number, run?: string): AuditRow[] {
    return this.kept.filter(each => each.seq > afterSeq && (run === undefined || each.run === run)).slice(0, limit)
  }

  range(run: string): AuditRange | null {
    const rows = this.kept.filter(each => each.run === run)
    return rows.length === 0 ? null : { first: rows[0]!.seq, last: rows.at(-1)!.seq, entries: rows.length }
  }

  marks(): [] {
    return []
  }

  changedSchema(): [] {
    return []
  }
}
