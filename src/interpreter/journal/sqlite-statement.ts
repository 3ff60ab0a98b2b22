// Sqlite statement: prepared statements that live as long as the process.
//   S1. Databases and statements are never given to the garbage collector: better-sqlite3 12 aborts the process when Node 24 collects one
//       (https://github.com/WiseLibs/better-sqlite3/issues/1515). A process opens few journals, each with some 40 statements.
import type { Database, Statement } from 'better-sqlite3'

const neverCollected = new Set<Database | Statement>()

export function keepDatabase(database: Database): void {
  neverCollected.add(database)
}

/** A prepared statement. // S1 */
export function statement(database: Database, text: string): Statement {
  const made = database.prepare(text)
  neverCollected.add(made)
  return made
}

/** Runs work with a database; what fails comes out as a JournalError. */
export type Guarded = <Result>(work: () => Result) => Result
