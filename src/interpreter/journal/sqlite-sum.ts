// Sqlite sum: checksums of what the journal keeps, beside it: SQLite has none of its own, and a disk that changed a byte must not change a result.
// Owns: what is summed. Against a disk, not against a person: who writes to the file can write its sums (the audit log is for that).
import { crc32 } from 'node:zlib'

/** A sum of a text and of what says where it belongs. */
export function sumOf(text: string, place: string = ''): number {
  return crc32(text, place === '' ? 0 : crc32(place))
}

/** Whether a text is as it was written; an older tek wrote no sums. */
export function isAsWritten(sum: number | null, text: string, place?: string): boolean {
  return sum === null || sum === sumOf(text, place)
}

/** Where a row of events belongs. */
export function placeOfEvents(runId: string, seq: number, count: number, baseMs: number): string {
  return `${runId} ${seq} ${count} ${baseMs}`
}
