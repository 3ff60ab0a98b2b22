// Clean: what tek keeps in a project, and taking it away again.
// Owns: which runs go, which folders are tek's. Does not own: forgetting a run (journal/retention.ts).
//   C1. First it is listed, then it is done: what goes is what was listed, less what somebody has begun to drive meanwhile.
//   C2. A run that is driven never goes; one that could be gone on with only where that was asked for.
//   C3. The audit log stays: it is append-only. It goes with everything else, and then nothing of `.tek` is left.
//   C4. Only what tek made is removed, by its name beneath `.tek`; nothing is removed through a link.
import { join } from 'node:path'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { RecordedRun } from '#model/report.ts'
import { answer, readJournal, withJournal, type Answer } from './journal-access.ts'
import { forgetMeasurements } from './stats.ts'

/** Files and folders that are counted in one folder. */
const MAX_COUNTED = 100_000
const RUNS_AT_ONCE = 1_000
/** Runs that are looked at. */
const MAX_RUNS = 1_000_000

export interface CleanOptions {
  /** Runs that began longer ago go; null: however old. */
  readonly olderThanMs: number | null
  /** The newest of them that stay all the same. */
  readonly keep: number
  /** Also runs that could be gone on with. */
  readonly unfinished: boolean
  /** What can be made again: cached results, built plugins, the home of commands. */
  readonly cache: boolean
  /** What agents remember across runs. */
  readonly threads: boolean
  /** The whole folder `.tek`. */
  readonly all: boolean
}

export interface CleanList {
  readonly runs: readonly Pick<RecordedRun, 'runId' | 'program' | 'startedAtMs' | 'state'>[]
  /** Runs that are driven now, by their ids. */
  readonly driven: readonly string[]
  /** Results in the cache that go. */
  readonly results: number
  /** Threads that agents remember, and that go. */
  readonly threads: number
  /** Files and folders that go, relative to the project. */
  readonly paths: readonly { readonly path: string; readonly bytes: number }[]
  /** Bytes of the database now. */
  readonly databaseBytes: number
}

export interface Cleaned {
  readonly runs: number
  readonly results: number
  readonly threads: number
  readonly paths: number
  /** Bytes of the database afterwards; null when it is gone. */
  readonly databaseBytes: number | null
  /** False: another process is at work in the database, and its space is given back another time. */
  readonly isCompact: boolean
}

/** Letters of a run's id in a message. */
const SHORT_ID = 8
const stateFolder = '.tek'
const remade = ['cache', 'home']

/** What would go. Changes nothing, but that an older database is brought up to date. */
export async function whatToClean(host: Host, options: CleanOptions): Promise<Answer<CleanList>> {
  const folder = join(host.cwd, stateFolder)
  const database = join(folder, 'tek.db')
  const list: CleanList = { runs: [], driven: [], results: 0, threads: 0, paths: await pathsOf(host, folder, options), databaseBytes: await databaseSize(host, database) }
  if (list.databaseBytes === 0 || (await isLink(host))) return answer(list)
  const { recordedRuns } = await import('#interpreter/stop-run.ts')
  return readJournal(database, async journal => {
    const runs = recordedRuns(journal, host, MAX_RUNS)
    const threads = options.threads || options.all ? journal.threads.list().length : 0
    return answer({ ...list, threads, runs: chosen(runs, options, host.now()), driven: runs.filter(each => each.state === 'running').map(each => each.runId), results: options.cache || options.all ? journal.retention.results() : 0 })
  })
}

/** Takes away what was listed. // C1 */
export async function clean(host: Host, list: CleanList, options: CleanOptions): Promise<Answer<Cleaned>> {
  const database = join(host.cwd, stateFolder, 'tek.db')
  if (options.all) {
    const now = await whatToClean(host, options)
    if (now.kind === 'refused') return now
    const { driven } = now.value
    if (driven.length > 0) return { kind: 'refused', diagnostics: [runErrors['still-driven']({ runs: driven.map(each => each.slice(0, SHORT_ID)) })] } // C2
    await host.files.remove(join(host.cwd, stateFolder))
    return answer({ runs: list.runs.length, results: list.results, threads: list.threads, paths: list.paths.length, databaseBytes: null, isCompact: true })
  }
  for (const { path } of list.paths) await host.files.remove(join(host.cwd, path))
  if (list.runs.length === 0 && list.results === 0 && list.threads === 0) return answer({ runs: 0, results: 0, threads: 0, paths: list.paths.length, databaseBytes: list.databaseBytes, isCompact: true })
  const { isHeld } = await import('#interpreter/journal/lease.ts')
  return withJournal(database, async journal => {
    let runs = 0
    for (let at = 0; at < list.runs.length; at += RUNS_AT_ONCE) {
      const forgotten = journal.retention.forget(list.runs.slice(at, at + RUNS_AT_ONCE).map(each => each.runId), lease => isHeld(lease, host))
      await forgetMeasurements(database, forgotten)
      runs += forgotten.length
    }
    const results = options.cache ? journal.retention.dropResults() : 0
    const threads = options.threads ? journal.threads.forget(null) : 0
    const isCompact = journal.retention.compact()
    return answer({ runs, results, threads, paths: list.paths.length, databaseBytes: await databaseSize(host, database), isCompact })
  })
}

/** Forgets one run that nobody drives. */
export async function forget(host: Host, database: string, runId: string): Promise<Answer<boolean>> {
  const { isHeld } = await import('#interpreter/journal/lease.ts')
  return withJournal(database, async journal => {
    const forgotten = journal.retention.forget([runId], lease => isHeld(lease, host))
    await forgetMeasurements(database, forgotten)
    return answer(forgotten.length > 0)
  })
}

function chosen(runs: readonly RecordedRun[], { olderThanMs, keep, unfinished, all }: CleanOptions, nowMs: number): CleanList['runs'] {
  if (all) return runs
  const over = runs.filter(each => each.state === 'done' || each.state === 'failed' || each.state === 'superseded' || (unfinished && each.state !== 'running')) // C2
  return over.slice(keep).filter(each => olderThanMs === null || nowMs - each.startedAtMs > olderThanMs)
}

/** C4. */
async function pathsOf(host: Host, folder: string, { all, cache, olderThanMs }: CleanOptions): Promise<CleanList['paths']> {
  if (all) return (await host.files.stat(folder)) === null ? [] : [{ path: stateFolder, bytes: (await isLink(host)) ? 0 : await sizeOf(host, folder) }]
  if ((await host.files.stat(folder)) === null || (await isLink(host))) return []
  const entries = await host.files.list(folder)
  const found: { path: string; bytes: number }[] = []
  for (const { name, kind } of entries) {
    const isRemade = cache && remade.includes(name) && kind === 'directory'
    const stat = /^crash-\d+\.log$/.test(name) && kind === 'file' ? await host.files.stat(join(folder, name)) : null
    const isOldCrash = stat !== null && olderThanMs !== null && host.now() - stat.modifiedMs > olderThanMs
    if (isRemade || isOldCrash) found.push({ path: join(stateFolder, name), bytes: await sizeOf(host, join(folder, name)) })
  }
  return found
}

/** Whether `.tek` leads elsewhere: then nothing beneath it is tek's to remove. */
async function isLink(host: Host): Promise<boolean> {
  return (await host.files.list(host.cwd)).some(each => each.name === stateFolder && each.kind === 'link')
}

async function databaseSize(host: Host, database: string): Promise<number> {
  const sizes = await Promise.all(['', '-wal'].map(async end => (await host.files.stat(`${database}${end}`))?.sizeBytes ?? 0))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function sizeOf(host: Host, path: string): Promise<number> {
  let bytes = 0
  const left = [path]
  for (let counted = 0; left.length > 0 && counted < MAX_COUNTED; counted++) {
    const at = left.pop()!
    const stat = await host.files.stat(at)
    if (stat === null) continue
    if (stat.kind === 'directory') for (const each of await host.files.list(at)) if (each.kind !== 'link') left.push(join(at, each.name))
    if (stat.kind === 'file') bytes += stat.sizeBytes
  }
  return bytes
}
