// Append notes: an append that is made again after a crash adds nothing where it had added its text already.
// Owns: a note on disk for each append of a run whose outcome is not durable yet: which file, how long it was. Does not own: whether a file may be touched (guard).
//   A1. The note is there before the text is added, and goes once the call's outcome is recorded, or the run is finished.
//   A2. Appends of this process to one file come one after the other, each with its note: the length noted is where its own text begins.
//   A3. What was under way when a process died is judged before this run adds anything more: its text was added if it stands where the note says.
//   A4. Another process that adds the very same text to the file between that death and the judgement is not told from it. A text that was cut
//       short in the middle by the death is added once more, whole.
import { join } from 'node:path'
import { sha256 } from '#base/hash.ts'
import type { HostFiles } from '#host/host.ts'

/** A larger file is judged by its length alone. */
const MAX_READ_BYTES = 50_000_000
const MAX_NOTE_BYTES = 10_000
const MAX_NOTES = 100_000

interface Note {
  readonly path: string
  /** Bytes of the file before. */
  readonly at: number
  /** Bytes of the text, and their hash. */
  readonly bytes: number
  readonly hash: string
}

export class AppendNotes {
  private readonly files: HostFiles
  private readonly folder: string
  private readonly busy = new Map<string, Promise<void>>()
  private done: Promise<ReadonlySet<string>> | null = null

  /** @param folder of this run alone; made with the first note. */
  constructor(files: HostFiles, folder: string) {
    this.files = files
    this.folder = folder
  }

  /** Adds a text at the end of a real path, unless the append of this name has done so in a process that died. */
  async append(path: string, text: string, name: string): Promise<void> {
    const done = await (this.done ??= this.judge()) // A3
    if (done.has(name)) return
    const before = this.busy.get(path) ?? Promise.resolve()
    const mine = before.catch(() => undefined).then(() => this.add(path, text, name)) // A2
    this.busy.set(path, mine)
    try {
      await mine
    } finally {
      if (this.busy.get(path) === mine) this.busy.delete(path)
    }
  }

  /** The outcome of the call that made these appends is recorded. */
  async forget(names: readonly string[]): Promise<void> {
    for (const name of names) await this.files.remove(join(this.folder, name)).catch(() => undefined) // a note too many says what is true
  }

  /** The run is finished: nothing of it is made again. */
  async clear(): Promise<void> {
    if (this.done !== null) await this.files.remove(this.folder).catch(() => undefined)
  }

  private async add(path: string, text: string, name: string): Promise<void> {
    const at = (await this.files.stat(path, { exact: true }))?.sizeBytes ?? 0
    const data = new TextEncoder().encode(text)
    await this.files.append(join(this.folder, name), JSON.stringify({ path, at, bytes: data.length, hash: sha256(text) } satisfies Note)) // A1
    await this.files.append(path, text, { exact: true })
  }

  /** Names of the appends that were made by a process that died; the notes of others are taken away. */
  private async judge(): Promise<ReadonlySet<string>> {
    const done = new Set<string>()
    for (const { name } of (await this.files.list(this.folder).catch(() => [])).slice(0, MAX_NOTES)) {
      const note = await this.read(name)
      if (note !== null && await this.stands(note)) done.add(name)
      else await this.files.remove(join(this.folder, name))
    }
    return done
  }

  /** Null for a note that was cut short: nothing had been added then. */
  private async read(name: string): Promise<Note | null> {
    try {
      const { path, at, bytes, hash } = JSON.parse(new TextDecoder().decode(await this.files.readBytes(join(this.folder, name), MAX_NOTE_BYTES))) as Note
      return typeof path === 'string' && typeof at === 'number' && typeof bytes === 'number' && typeof hash === 'string' ? { path, at, bytes, hash } : null
    } catch {
      return null
    }
  }

  private async stands({ path, at, bytes, hash }: Note): Promise<boolean> {
    const size = (await this.files.stat(path, { exact: true }).catch(() => null))?.sizeBytes ?? 0
    if (size < at + bytes) return false
    if (size > MAX_READ_BYTES) return true
    const content = await this.files.readBytes(path, MAX_READ_BYTES, { exact: true }).catch(() => null)
    return content !== null && sha256(new TextDecoder('utf-8', { ignoreBOM: true }).decode(content.subarray(at, at + bytes))) === hash
  }
}
