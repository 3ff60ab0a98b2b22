// Shown entries: the end of the audit log, as people and programs read it.
import type { AuditEntryShown } from '#model/report.ts'
import type { AuditLog } from '#interpreter/journal/audit-log.ts'
import { readBody } from './chain.ts'

const PAGE_ROWS = 5_000

export interface ShownEntriesOptions {
  readonly runId?: string
  readonly isRefusedOnly: boolean
  /** Entries to give; the newest. */
  readonly limit: number
}

/** The newest entries that are asked for, in order, and how many such there are. */
export function shownEntries(log: AuditLog, { runId, isRefusedOnly, limit }: ShownEntriesOptions): { readonly entries: readonly AuditEntryShown[]; readonly total: number } {
  let entries: AuditEntryShown[] = []
  let total = 0
  for (let last = 0; ; ) {
    const page = log.rows(last, PAGE_ROWS, runId)
    for (const { seq, run, body } of page) {
      const fact = readBody(body)
      if (fact === null || (isRefusedOnly && fact.verdict !== 'refused')) continue
      entries.push({ seq, runId: run, ...fact })
      total++
    }
    if (entries.length > limit) entries = entries.slice(-limit)
    if (page.length < PAGE_ROWS) return { entries, total }
    last = page.at(-1)!.seq
  }
}
