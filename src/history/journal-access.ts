// Journal access: a journal opened for as long as something is asked of it.
// Owns: what is wrong with a journal, as an answer. Does not own: what is asked.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'

/** What was asked for, or why the user or the machine stands in its way. */
export type Answer<Result> = { readonly kind: 'answer'; readonly value: Result } | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

export const answer = <Result>(value: Result): Answer<Result> => ({ kind: 'answer', value })

/** What was found, or the one thing that stands in its way. */
export const answerOr = <Result extends object>(found: Result | Diagnostic): Answer<Result> => ('severity' in found ? { kind: 'refused', diagnostics: [found as Diagnostic] } : answer(found as Result))

/** Opens the journal for as long as `use` lasts; what is wrong with it comes back as a diagnostic. Null: one in memory. */
export async function withJournal<Result>(database: string | null, use: (journal: Journal) => Promise<Answer<Result>>): Promise<Answer<Result>> {
  let journal: Journal | null = null
  try {
    journal = database === null ? (await import('#interpreter/journal/memory.ts')).memoryJournal() : await (await import('#interpreter/journal/sqlite.ts')).sqliteJournal(database)
    return await use(journal)
  } catch (error) {
    if (error instanceof JournalError) return { kind: 'refused', diagnostics: [error.diagnostic] }
    throw error
  } finally {
    journal?.close()
  }
}
