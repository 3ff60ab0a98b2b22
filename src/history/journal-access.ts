// Journal access: a journal opened for as long as something is asked of it.
// Owns: what is wrong with a journal, as an answer. Does not own: what is asked.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'

/** What was asked for, or why the user or the machine stands in its way. */
export type Answer<Result> = { readonly kind: 'answer'; readonly value: Result } | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

export const answer = <Result>(value: Result): Answer<Result> => ({ kind: 'answer', value })

/** What was found, or the one thing that stands in its way. */
export const answerOr = <Result extends object>(found: Result | Diagnostic): Answer<Result> => ('severity' in found ? { kind: 'refused', diagnostics: [found as Diagnostic] } : answer(found as Result))

/** Opens the journal for as long as `use` lasts, or lends one that is open; what is wrong with it comes back as a diagnostic. Null: one in memory.
 * `onlyReads`: nothing needs to be written for it, so that a read-only medium and a full disk do not stand in its way. */
export async function withJournal<Result>(database: string | Journal | null, use: (journal: Journal) => Promise<Answer<Result>>, options: { readonly onlyReads?: boolean } = {}): Promise<Answer<Result>> {
  let journal: Journal | null = null
  try {
    if (typeof database === 'object' && database !== null) return await use(database)
    const kept = typeof database === 'string' ? keptOpen.get(database) : undefined
    if (kept !== undefined) return await use(kept)
    journal = database === null ? (await import('#interpreter/journal/memory.ts')).memoryJournal() : await (await import('#interpreter/journal/sqlite.ts')).sqliteJournal(database, options)
    return await use(journal)
  } catch (error) {
    if (error instanceof JournalError) return { kind: 'refused', diagnostics: [error.diagnostic] }
    throw error
  } finally {
    journal?.close()
  }
}

/** Journals that several questions share, by path. */
const keptOpen = new Map<string, Journal>()

/** Opens the journal of a path once for all who ask for it while `work` lasts. Where it cannot be opened, each of them is told. */
export async function keepingOpen<Result>(database: string, work: () => Promise<Result>): Promise<Result> {
  let journal: Journal
  try {
    journal = await (await import('#interpreter/journal/sqlite.ts')).sqliteJournal(database)
  } catch (error) {
    if (error instanceof JournalError) return work()
    throw error
  }
  keptOpen.set(database, journal)
  try {
    return await work()
  } finally {
    keptOpen.delete(database)
    journal.close()
  }
}

/** The same for questions. */
export function readJournal<Result>(database: string | Journal | null, use: (journal: Journal) => Promise<Answer<Result>>): Promise<Answer<Result>> {
  return withJournal(database, use, { onlyReads: true })
}
