// File trigger: `on file`, by comparing the files with how they were seen last.
// Owns: when to look, when changes are complete, which of them begin a run. Does not own: the walk (watched-tree.ts), carrying runs out (drives.ts).
//   F1. The comparison is the truth: what was seen last is in the journal, so a change while nobody served is found too. Hints only say when to look.
//   F2. Changes that follow each other within QUIET_MS begin one run, and after MOST_QUIET_MS they do in any case.
//   F3. While a trigger's run goes on, changes wait: one run afterwards takes them all.
//   F4. What a run wrote by its own calls begins no run, unless the file was changed again after the call. Other changes during a run (by a person, or by a
//       command of the run: nobody can tell) begin one more run; after MAX_FOLLOW_UPS such runs in a row they are left alone until something changes while none
//       goes on. So a program that formats its own sources comes to rest, and a save during a run is not lost.
//   F5. At most MAX_FILE_RUNS_A_MINUTE; what changes beyond them waits.
import type { Host } from '#host/host.ts'
import { newRunId } from '#interpreter/run.ts'
import type { PlanTrigger } from '#model/plan.ts'
import type { Watching } from './clock-triggers.ts'
import { FolderHints } from './folder-hints.ts'
import type { ServedTrigger } from './trigger.ts'
import { changedMs, seeTree, treeDifference } from './watched-tree.ts'

export const QUIET_MS = 100
export const MOST_QUIET_MS = 2_000
/** Names of changed files that a run is given. */
export const MAX_CHANGED_NAMES = 1_000
export const MAX_FOLLOW_UPS = 3
export const MAX_FILE_RUNS_A_MINUTE = 6
/** Between two looks without a hint: so many times what a look takes, within these bounds. */
const REST_PER_LOOK = 50
const LEAST_REST_MS = 5_000
const MOST_REST_MS = 60_000
/** The same where the system gives no hints. */
const LEAST_REST_UNHINTED_MS = 1_000
const REST_PER_LOOK_UNHINTED = 10
/** Clocks of disks lag behind, and those of network disks differ. */
const DISK_CLOCK_MS = 20

export interface FileWatching extends Watching {
  readonly ownWrites: (runId: string) => ReadonlyMap<string, number>
  /** Asks for a look soon. */
  readonly poke: () => void
  readonly signal: AbortSignal
}

interface FileState {
  /** Runs in a row that were begun by changes during the one before. // F4 */
  readonly followUps: number
}

export class FileTrigger {
  private readonly watching: FileWatching
  private readonly trigger: ServedTrigger<Extract<PlanTrigger, { kind: 'file' }>>
  private readonly patterns: readonly (readonly string[])[]
  private readonly hints: FolderHints
  private readonly known: Map<string, string>
  private state: FileState | null
  private difference: ReadonlyMap<string, string | null> = new Map()
  private sinceMs = 0
  private changedMs = 0
  private nextLookMs = 0
  private isHinted = true
  private afterRun: string | null = null
  private begunMs: number[] = []
  private isBraked = false
  private isHeldBack = false

  constructor(watching: FileWatching, trigger: ServedTrigger<Extract<PlanTrigger, { kind: 'file' }>>, patterns: readonly (readonly string[])[]) {
    this.watching = watching
    this.trigger = trigger
    this.patterns = patterns
    const kept = watching.store.state(trigger.key)
    this.state = kept === null ? null : (JSON.parse(kept) as FileState)
    this.known = watching.store.files(trigger.key)
    this.hints = new FolderHints(() => {
      this.isHinted = true
      watching.poke()
    }, reason => watching.tell({ kind: 'watching-slowly', trigger: trigger.words, reason }))
  }

  get key(): string {
    return this.trigger.key
  }

  get pattern(): string {
    return this.trigger.on.pattern
  }

  /** Its run came to an end, or to a stop. */
  ended(runId: string): void {
    this.afterRun = runId
    this.isHinted = true
    this.isHeldBack = false
  }

  /** How long until it wants to look again. */
  restMs(): number {
    const isUrgent = (this.isHinted || this.difference.size > 0) && !this.isHeldBack && !this.isBraked
    return isUrgent ? QUIET_MS : Math.max(QUIET_MS, this.nextLookMs - this.host.monotonic())
  }

  /** Whether changes were seen of which it is not yet known whether they are all. */
  get isUnsettled(): boolean {
    return this.difference.size > 0 && !this.isBraked
  }

  /** Looks if it is time to; false when the files are too many. */
  async look(): Promise<boolean> {
    const { watching, host } = this
    const beganMs = host.monotonic()
    if (beganMs < this.nextLookMs && (this.isBraked || (!this.isHinted && this.difference.size === 0))) return true
    this.isHeldBack = watching.goingOn(this.trigger) !== null
    if (this.isHeldBack) { // F3
      this.nextLookMs = beganMs + LEAST_REST_UNHINTED_MS
      return true
    }
    this.isHinted = false
    const seen = await seeTree(host, this.patterns, watching.signal)
    const nowMs = host.monotonic()
    const [perLook, least] = this.hints.isComplete ? [REST_PER_LOOK, LEAST_REST_MS] : [REST_PER_LOOK_UNHINTED, LEAST_REST_UNHINTED_MS]
    this.nextLookMs = nowMs + Math.min(MOST_REST_MS, Math.max(least, perLook * (nowMs - beganMs)))
    if (seen === 'too-many') return false
    if (seen === 'unclear') return true
    this.hints.follow(seen.folders)
    if (this.state === null) this.keep(treeDifference(this.known, seen.files), { followUps: 0 }) // the first look ever
    else this.compare(treeDifference(this.known, seen.files), nowMs)
    return true
  }

  close(): void {
    this.hints.close()
  }

  private get host(): Host {
    return this.watching.host
  }

  private get shown() {
    return { program: this.trigger.program.shown, workflow: this.trigger.name, trigger: this.trigger.words }
  }

  private compare(found: Map<string, string | null>, nowMs: number): void {
    const after = this.afterRun
    if (after !== null) this.leaveOwn(found, after)
    if (found.size === 0) {
      this.afterRun = null
      this.difference = found
      return
    }
    if (this.difference.size === 0) this.sinceMs = nowMs
    if (!isSame(found, this.difference)) this.changedMs = nowMs
    this.difference = found
    if (nowMs - this.changedMs < QUIET_MS && nowMs - this.sinceMs < MOST_QUIET_MS) return // F2
    const followUps = after === null ? 0 : this.state!.followUps + 1
    if (followUps > MAX_FOLLOW_UPS) { // F4
      this.watching.tell({ kind: 'not-fired', ...this.shown, reason: 'settled', files: found.size })
      this.keep(found, { followUps: 0 })
    } else if (this.mayBegin(nowMs)) this.fire(found, followUps)
    else return
    this.afterRun = null
    this.difference = new Map()
  }

  /** Takes what a run wrote itself out of what changed. // F4 */
  private leaveOwn(found: Map<string, string | null>, runId: string): void {
    if (found.size === 0) return
    const written = this.watching.ownWrites(runId)
    const own = new Map<string, string | null>()
    for (const [path, mark] of found) {
      const atMs = written.get(path) ?? written.get(`${this.host.cwd}/${path}`)
      if (atMs !== undefined && (changedMs(mark) ?? 0) <= atMs + DISK_CLOCK_MS) own.set(path, mark)
    }
    if (own.size === 0) return
    for (const path of own.keys()) found.delete(path)
    this.keep(own, this.state!)
    this.watching.tell({ kind: 'not-fired', ...this.shown, reason: 'own', files: own.size })
  }

  private mayBegin(nowMs: number): boolean {
    this.begunMs = this.begunMs.filter(each => nowMs - each < 60_000)
    const may = this.begunMs.length < MAX_FILE_RUNS_A_MINUTE // F5
    if (!may && !this.isBraked) this.watching.tell({ kind: 'not-fired', ...this.shown, reason: 'brake', files: this.difference.size })
    this.isBraked = !may
    if (!may) this.nextLookMs = nowMs + LEAST_REST_UNHINTED_MS
    return may
  }

  private fire(found: ReadonlyMap<string, string | null>, followUps: number): void {
    const { param } = this.trigger.on
    const names = [...found.keys()].sort()
    const runId = newRunId(this.host)
    const args = param === null ? {} : { [param]: names.slice(0, MAX_CHANGED_NAMES) }
    this.keep(found, { followUps }, { runId, delivery: null, atMs: this.host.now(), args })
    this.begunMs.push(this.host.monotonic())
    const more = Math.max(0, names.length - MAX_CHANGED_NAMES)
    this.watching.tell({ kind: 'fired', runId, ...this.shown, files: names.length, ...(more > 0 ? { more } : {}) })
  }

  /** Records how files are now, with what came of it. // F1 */
  private keep(files: ReadonlyMap<string, string | null>, state: FileState, firing?: { runId: string; delivery: null; atMs: number; args: Record<string, string[]> }): void {
    const { store, owner } = this.watching
    store.record(owner, { trigger: this.key, state: JSON.stringify(state), files, ...(firing === undefined ? {} : { firing }) })
    for (const [path, mark] of files) {
      if (mark === null) this.known.delete(path)
      else this.known.set(path, mark)
    }
    this.state = state
  }
}

function isSame(a: ReadonlyMap<string, string | null>, b: ReadonlyMap<string, string | null>): boolean {
  if (a.size !== b.size) return false
  for (const [path, mark] of a) if (b.get(path) !== mark || !b.has(path)) return false
  return true
}
