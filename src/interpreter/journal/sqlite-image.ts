// Sqlite image: what a database and its log hold, read into memory without writing a byte anywhere: from a medium that is read-only, a disk that is full.
// Owns: the two files as one database. Does not own: opening it (sqlite.ts).
// Source: SQLite's file format, sections 1.3 "The Database Header" and 4 "The Write-Ahead Log" (https://sqlite.org/fileformat2.html).
//   I1. Frames of the log count up to the last one that ends a transaction, as long as their salts are the log's and their running checksums hold: what a
//       crash left half written is not there.
//   I2. Both files are of one moment: if the database or the beginning of its log changed while they were read, they are read again.
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'

/** Bytes of a database that is read this way. */
const MAX_IMAGE_BYTES = 1_024 * 1_024 * 1_024
/** Times that it is read while another process writes. */
const MAX_READINGS = 5

const LOG_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const LOG_MAGIC = 0x377f0682
/** In the database's header: which format writes and reads it; 1 is the one without a log. */
const FORMAT_AT = 18
const PAGES_AT = 28

/**
 * A database with everything its log holds, as one without a log; null where it is too large, or does not hold still.
 *
 * @param path of the database.
 * @throws what `node:fs` throws when it cannot be read.
 * @example
 * new Database(databaseImage('.tek/tek.db')!)
 */
export function databaseImage(path: string): Buffer | null {
  for (let reading = 0; reading < MAX_READINGS; reading++) { // I2
    const before = fingerprint(path)
    if (before.bytes > MAX_IMAGE_BYTES) return null
    const database = readFileSync(path)
    const log = readIfThere(`${path}-wal`)
    const after = fingerprint(path)
    if (before.words !== after.words) continue
    const image = withLog(database, log)
    if (image.length > PAGES_AT) image.fill(1, FORMAT_AT, FORMAT_AT + 2)
    return image
  }
  return null
}

/** The database with the log's transactions. // I1 */
export function withLog(database: Buffer, log: Buffer | null): Buffer {
  if (log === null || log.length < LOG_HEADER_BYTES) return database
  const magic = log.readUInt32BE(0)
  if (magic !== LOG_MAGIC && magic !== LOG_MAGIC + 1) return database
  const sums = new Checksum(magic === LOG_MAGIC + 1)
  sums.add(log, 0, 24)
  if (!sums.is(log, 24)) return database
  const pageBytes = log.readUInt32BE(8)
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  const pages = new Map<number, number>()
  const pending: [page: number, at: number][] = []
  let count = 0
  for (let at = LOG_HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    if (log.compare(log, 16, 24, at + 8, at + 16) !== 0) break // another log's salts
    sums.add(log, at, 8)
    sums.add(log, at + FRAME_HEADER_BYTES, pageBytes)
    if (!sums.is(log, at + 16)) break
    pending.push([log.readUInt32BE(at), at + FRAME_HEADER_BYTES])
    const pagesAfter = log.readUInt32BE(at + 4)
    if (pagesAfter === 0) continue
    for (const [page, from] of pending.splice(0)) pages.set(page, from)
    count = pagesAfter
  }
  if (count === 0) return database
  const whole = Buffer.alloc(count * pageBytes)
  database.copy(whole, 0, 0, Math.min(database.length, whole.length))
  for (const [page, from] of pages) if (page <= count) log.copy(whole, (page - 1) * pageBytes, from, from + pageBytes)
  return whole
}

/** The running checksum of a log: two sums over pairs of 32-bit words. */
class Checksum {
  private readonly isBigEndian: boolean
  private first = 0
  private second = 0

  constructor(isBigEndian: boolean) {
    this.isBigEndian = isBigEndian
  }

  add(bytes: Buffer, from: number, length: number): void {
    let { first, second } = this
    for (let at = from; at < from + length; at += 8) {
      const [one, other] = this.isBigEndian ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)] : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
      first = (first + one + second) >>> 0
      second = (second + other + first) >>> 0
    }
    this.first = first
    this.second = second
  }

  /** Whether it is the one that stands there. */
  is(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.first && bytes.readUInt32BE(at + 4) === this.second
  }
}

function fingerprint(path: string): { readonly bytes: number; readonly words: string } {
  const { size, mtimeMs, ino } = statSync(path)
  const log = beginningOf(`${path}-wal`)
  return { bytes: size + log.bytes, words: `${size} ${mtimeMs} ${ino} ${log.words}` }
}

/** Size of a log, and the words by which it is told from the next one in its place. */
function beginningOf(path: string): { readonly bytes: number; readonly words: string } {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return { bytes: 0, words: '' }
  }
  try {
    const header = Buffer.alloc(LOG_HEADER_BYTES)
    const length = readSync(file, header, 0, LOG_HEADER_BYTES, 0)
    return { bytes: fstatSync(file).size, words: header.toString('hex', 0, length) }
  } finally {
    closeSync(file)
  }
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
