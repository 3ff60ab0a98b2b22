// Memory threads: what agents remember under a name, for the life of the process.
import { MAX_LISTED_THREADS, MAX_THREAD_ENTRIES, type KeptEntry, type Remembered } from '#model/memory.ts'
import type { ThreadStore } from './journal.ts'

interface Kept extends Remembered {
  readonly seq: number
  readonly key: string
  readonly atMs: number
}

export class MemoryThreads implements ThreadStore {
  private readonly threads = new Map<string, Kept[]>()
  private seq = 0

  entries(name: string): readonly Kept[] {
    return this.threads.get(name)?.slice() ?? []
  }

  list() {
    const all = [...this.threads].map(([name, entries]) => ({
      name, entries: entries.length, isUntrusted: entries.some(each => each.isUntrusted), firstMs: Math.min(...entries.map(each => each.atMs)), lastMs: Math.max(...entries.map(each => each.atMs)),
    }))
    return all.sort((a, b) => b.lastMs - a.lastMs || (a.name < b.name ? -1 : 1)).slice(0, MAX_LISTED_THREADS)
  }

  read(name: string) {
    const entries = this.threads.get(name)
    return entries === undefined ? null : { name, entries: entries.map(({ key, ...entry }) => ({ ...entry, from: key })) }
  }

  forget(names: readonly string[] | null): number {
    const gone = names === null ? [...this.threads.keys()] : names.filter(each => this.threads.has(each))
    for (const name of gone) this.threads.delete(name)
    return gone.length
  }

  /** What a log has made durable. */
  add({ thread, key, atMs, entry, covers }: KeptEntry): void {
    const entries = this.threads.get(thread) ?? []
    if (covers !== undefined) {
      const at = entries.findIndex(each => each.seq === covers)
      if (at !== -1) entries.splice(0, at + 1, { ...entry, seq: covers, key, atMs })
      return
    }
    if (entries.some(each => each.key === key)) return
    entries.push({ ...entry, seq: ++this.seq, key, atMs })
    if (entries.length > MAX_THREAD_ENTRIES) entries.shift()
    this.threads.set(thread, entries)
  }
}
