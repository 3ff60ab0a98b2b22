// Folder hints: hears from the system that something in one of some folders changed.
// Owns: the watches. Does not own: what changed: a hint only says when to look (file-trigger.ts), and none is needed for a change to be found.
//   F1. A folder costs one watch whatever it holds. Where the system gives no more of them, or its kind of disk gives no hints (network disks,
//       some mounts in containers), looking at intervals finds the changes.
import { watch, type FSWatcher } from 'node:fs'

/** Watches at once; folders beyond are looked at at intervals only. */
export const MAX_HINTED_FOLDERS = 8_192

export class FolderHints {
  private readonly watchers = new Map<string, FSWatcher>()
  private readonly hint: () => void
  private readonly trouble: (reason: string) => void
  private isTroubled = false

  /** @param trouble called once, when folders have to go without. */
  constructor(hint: () => void, trouble: (reason: string) => void) {
    this.hint = hint
    this.trouble = trouble
  }

  /** Whether every folder is watched. */
  get isComplete(): boolean {
    return !this.isTroubled
  }

  /** Watches these folders and no others. */
  follow(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.watchers.delete(folder)
    }
    for (const folder of folders) {
      if (this.watchers.has(folder)) continue
      if (this.watchers.size >= MAX_HINTED_FOLDERS) return this.give(`there are more than ${MAX_HINTED_FOLDERS.toLocaleString('en')} folders`)
      try {
        const watcher = watch(folder, { persistent: false }, (_, name) => {
          if (name !== '.tek' && name !== '.git') this.hint()
        })
        watcher.on('error', () => this.drop(folder)) // it went away
        this.watchers.set(folder, watcher)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOENT' || code === 'ENOTDIR') continue
        return this.give(`the system gives no more watches (${code ?? 'unknown'})`) // F1
      }
    }
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close()
    this.watchers.clear()
  }

  private drop(folder: string): void {
    this.watchers.get(folder)?.close()
    this.watchers.delete(folder)
    this.hint()
  }

  private give(reason: string): void {
    if (!this.isTroubled) this.trouble(reason)
    this.isTroubled = true
  }
}
