// Export: a recorded run as a folder that can be kept, sent and checked.
// Owns: which files there are and what each says; schemas are in docs/schema. Does not own: writing the folder (evidence-folder.ts), the page (its maker is given).
//   E1. The same record gives the same bytes: nothing in it says when or where it was made.
//   E2. Secrets are their stand-ins' names, as everywhere; paths of this machine do not leave it: the project's folder reads `.`, the user's home `~`.
//   E3. A value whose JSON is longer than MAX_INLINE_VALUE_LENGTH stands once, in a file named by its hash.
//   E4. Files are written for at most STANDARD_TASKS tasks, failed ones first, unless more were asked for; what was left out is said.
import { resolve } from 'node:path'
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { Evidence, TaskDetails } from '#interpreter/evidence.ts'
import type { OpenedRun } from '#interpreter/journal/journal.ts'
import { SANDBOX_LEVEL } from '#interpreter/journal/telemetry-store.ts'
import type { ModelOutcome, Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { LogLine, PersonSaid, RunReport, TaskReport } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { FolderWriter, verifyFolder, whyNotThere, writing, type FolderVerdict } from './evidence-folder.ts'
import { answer, readJournal, type Answer } from './journal-access.ts'
import { safeName } from './safe-name.ts'
import { measurementsOf } from './stats.ts'

/** Characters of a value's JSON that stand where it is mentioned. */
const MAX_INLINE_VALUE_LENGTH = 64 * 1_024
/** Tasks that have a file of their own where no number was asked for. */
export const STANDARD_TASKS = 1_000
/** Lines of the log that stand with one task. */
const MAX_TASK_LINES = 1_000
/** Characters of events that are written at once. */
const EVENTS_CHUNK = 1_000_000
const FILES_AT_ONCE = 16
/** Shorter paths are too common to be taken out of texts. */
const MIN_PLACE_LENGTH = 3

export type ExportTasks = 'standard' | 'failed' | 'all'

export interface ExportOptions {
  /** Folder to be written, as the user wrote it. */
  readonly out: string
  readonly tasks: ExportTasks
  /** Replaces whatever folder is there. */
  readonly isForced: boolean
  readonly tekVersion: string
  /** Makes the page; `fileOf` gives the file of the task at a place in the report. */
  readonly page: (report: RunReport, fileOf: (place: number) => string | null) => string
  /** Bytes of the whole folder; absent: the standard limit. */
  readonly maxBytes?: number
}

export interface Exported {
  readonly files: number
  readonly bytes: number
  readonly tasks: { readonly total: number; readonly written: number }
}

/** Says before a run why its evidence could not be put there; an answer of null: it could. */
export async function exportPlace(host: Host, out: string, isForced: boolean): Promise<Answer<null>> {
  return writing(out, async () => {
    const problem = await whyNotThere(host, out, await host.files.realPath(resolve(host.cwd, out)), isForced)
    return problem === null ? answer(null) : { kind: 'refused', diagnostics: [problem] }
  })
}

/** Writes the evidence of a recorded run. */
export async function exportRun(host: Host, database: string, runId: string, options: ExportOptions): Promise<Answer<Exported>> {
  const interpreter = await import('#interpreter/evidence.ts')
  const { reportOf } = await import('#interpreter/report.ts')
  const { runLog } = await import('#interpreter/run-log.ts')
  const { folded } = await import('#interpreter/find-task.ts')
  return writing(options.out, () => readJournal(database, async journal => {
    const found = journal.openRun(runId)
    if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
    const path = await host.files.realPath(resolve(host.cwd, options.out))
    const problem = await whyNotThere(host, options.out, path, options.isForced)
    if (problem !== null) return { kind: 'refused', diagnostics: [problem] }
    const events = [...found.log.events()]
    const bare = reportOf(found.plan, found.summary, events)
    const ids = interpreter.reportedTasks(folded(found.plan, events))
    const places = chosenPlaces(bare.tasks, options.tasks)
    const wanted = new Set(places.map(place => ids[place]!))
    const evidence = interpreter.gatherEvidence(found.plan, events, task => wanted.has(task))
    const report = { ...interpreter.withEvidence(bare, evidence), audit: journal.audit.range(runId) }
    const lines = runLog(found.plan, events, found.log.lines(), { limit: Infinity }).lines
    const folder = new FolderWriter(host, path, options.maxBytes)
    const sandboxLevel = (await measurementsOf(database, runId))?.series.find(each => each.name === SANDBOX_LEVEL)?.sum ?? null
    const written = new Export({ host, found, events, report, evidence, ids, places, lines, sandboxLevel, folder, options })
    try {
      await written.everything()
      return answer({ ...(await folder.finish(runId, options.tekVersion)), tasks: { total: report.tasks.length, written: places.length } })
    } catch (error) {
      await folder.giveUp()
      throw error
    }
  }))
}

/** Whether a folder is what was written. */
export async function verifyExport(host: Host, folder: string): Promise<Answer<FolderVerdict>> {
  return verifyFolder(host, folder, resolve(host.cwd, folder))
}

/** E4. Places in the report of the tasks that get a file, in the order of the report. */
function chosenPlaces(tasks: readonly TaskReport[], which: ExportTasks): number[] {
  const failed = tasks.flatMap((task, place) => (task.status === 'failed' ? [place] : []))
  if (which === 'all') return tasks.map((_, place) => place)
  if (which === 'failed') return failed
  const others = tasks.flatMap((task, place) => (task.status === 'failed' ? [] : [place]))
  return [...failed, ...others].slice(0, STANDARD_TASKS).sort((a, b) => a - b)
}

interface Parts {
  readonly host: Host
  readonly found: OpenedRun
  readonly events: readonly RunEvent[]
  readonly report: RunReport
  readonly evidence: Evidence
  /** Numbers of the tasks of the report. */
  readonly ids: readonly TaskId[]
  /** Places in the report of the tasks that get a file. */
  readonly places: readonly number[]
  readonly lines: readonly LogLine[]
  readonly sandboxLevel: number | null
  readonly folder: FolderWriter
  readonly options: ExportOptions
}

class Export {
  private readonly parts: Parts
  private readonly files = new Map<number, string>()
  private readonly values = new Set<string>()
  private readonly lines: ReadonlyMap<string, readonly LogLine[]>
  private readonly said: ReadonlyMap<string, readonly PersonSaid[]>
  private readonly homes: readonly (readonly [string, string])[]
  private clean: (value: unknown) => unknown = value => value

  constructor(parts: Parts) {
    this.parts = parts
    const { host, report, places } = parts
    const seen = new Map<string, number>()
    for (const place of places) {
      const { path } = report.tasks[place]!
      const times = seen.get(path) ?? 0
      seen.set(path, times + 1)
      this.files.set(place, `tasks/${safeName(path, times)}.json`)
    }
    this.lines = byTask(parts.lines)
    this.said = byTask(report.said ?? [])
    const homes: [string, string][] = [[host.cwd, '.'], [host.env('HOME') ?? '', '~']]
    this.homes = homes.filter(([path]) => path.length >= MIN_PLACE_LENGTH).sort(([a], [b]) => b.length - a.length)
  }

  async everything(): Promise<void> {
    const { mapTexts, showStandIns } = await import('#interpreter/secrets/stand-in.ts')
    this.clean = value => mapTexts(value as Value, text => this.withoutPlaces(showStandIns(text))) // E2
    const { report, found, options, folder } = this.parts
    const { places } = this.parts
    for (let at = 0; at < places.length; at += FILES_AT_ONCE) {
      const ends = await Promise.allSettled(places.slice(at, at + FILES_AT_ONCE).map(place => this.task(place)))
      for (const end of ends) if (end.status === 'rejected') throw end.reason // after the others: what is given up is written no more
    }
    await this.events()
    await this.json('plan.json', found.plan)
    await this.json('run.json', await this.run())
    const shown = this.clean({ ...report, audit: report.audit ?? null }) as RunReport
    await folder.write('report.html', options.page(shown, place => this.files.get(place) ?? null))
  }

  private async run(): Promise<object> {
    const { found, report, events, evidence, options } = this.parts
    const { summary, tasks, audit, said = [], sessions = [] } = report
    const [first] = events
    const { runId, program, workflow, planHash, startedAtMs, elapsedMs, status, outcome, calls, origin, successor, waits = [] } = summary
    const { modules } = found.plan
    return {
      version: 1, kind: 'run', runId, program, workflow, planHash, planVersion: found.plan.version,
      args: first?.kind === 'run-started' ? await this.kept(first.args as Value) : null,
      parameters: await this.kept((evidence.state.scopes[0]?.params ?? {}) as Value),
      startedAt: time(startedAtMs), endedAt: time(sessions.at(-1)?.toMs ?? startedAtMs), elapsedMs: rounded(elapsedMs), status,
      result: outcome === null ? null : await this.outcome(outcome),
      ...(origin === undefined ? {} : { origin }), ...(successor === undefined ? {} : { successor }),
      counts: summary.tasks, calls,
      tasks: tasks.map((task, place) => this.listed(task, place)),
      leftOut: { taskFiles: tasks.length - this.files.size },
      said: said.map(({ atMs, ...each }) => ({ ...each, at: time(atMs) })), waits,
      sessions: sessions.map(({ fromMs, toMs, end }) => ({ from: time(fromMs), to: time(toMs), end })),
      audit: audit ?? null, sandbox: this.parts.sandboxLevel === null ? null : { level: this.parts.sandboxLevel },
      versions: { tek: first?.kind === 'run-started' ? first.tekVersion : null, exportedBy: options.tekVersion, modules: modules.map(({ name, origin: from, release, hash }) => ({ name, origin: from, release: release ?? null, hash })) },
    }
  }

  private listed({ path, status, attempts, cached, startedAtMs, elapsedMs, outcome, spans = [] }: TaskReport, place: number): object {
    const waitedMs = spans.reduce((sum, { kind, fromMs, toMs }) => sum + (kind === 'work' || toMs === null ? 0 : toMs - fromMs), 0)
    const calls = this.parts.evidence.details.get(this.parts.ids[place]!)?.calls.length
    return {
      path, status, attempts, cached, startedAt: startedAtMs === null ? null : time(startedAtMs), elapsedMs: rounded(elapsedMs), waitedMs: rounded(waitedMs),
      ...(calls === undefined ? {} : { calls }),
      ...(outcome?.kind === 'failure' ? { failure: outcome.failure } : {}), file: this.files.get(place) ?? null,
    }
  }

  private async task(place: number): Promise<void> {
    const { report, evidence, ids } = this.parts
    const task = report.tasks[place]!
    const id = ids[place]!
    const { state } = evidence
    const node = state.nodeOf(id)
    const details: TaskDetails = evidence.details.get(id) ?? { inputs: [], item: null, outcomes: [], calls: [], cache: null }
    const own = this.lines.get(task.path) ?? []
    const { path, status, attempts, cached, startedAtMs, elapsedMs, outcome, spans, agent, usage, tools, delegated } = task
    await this.json(this.files.get(place)!, {
      version: 1, kind: 'task', runId: report.summary.runId, path, name: node.name, workflow: state.scopeOf(id).shape.key, status, cached, attempts,
      startedAt: startedAtMs === null ? null : time(startedAtMs), elapsedMs: rounded(elapsedMs), outcome: outcome === null ? null : await this.outcome(outcome),
      dependsOn: task.dependsOn, agent, usage, tools, delegated, inputs: details.inputs, item: details.item,
      outcomes: await inOrder(details.outcomes, async ({ attempt, atMs, elapsedMs: tookMs, outcome: end }) => ({ attempt, at: time(atMs), elapsedMs: tookMs, outcome: await this.outcome(end) })),
      calls: await inOrder(details.calls, async ({ startedAtMs: fromMs, outcome: end, ...call }) => ({ ...call, startedAt: time(fromMs), outcome: end === null ? null : await this.outcome(end) })),
      spans: (spans ?? evidence.spans.get(id) ?? []).map(({ fromMs, toMs, ...span }) => ({ ...span, from: time(fromMs), to: toMs === null ? null : time(toMs) })),
      verify: node.verify === null ? null : { runs: node.verify.runs, agree: node.verify.agree },
      cache: details.cache === null ? null : { ...details.cache, madeAt: details.cache.madeAtMs === null ? null : time(details.cache.madeAtMs), madeAtMs: undefined },
      said: (this.said.get(path) ?? []).map(({ atMs, task: _, ...each }) => ({ ...each, at: time(atMs) })),
      lines: own.slice(0, MAX_TASK_LINES).map(({ atMs, level, message, code }) => ({ at: time(atMs), level, message, ...(code === undefined ? {} : { code }) })),
      linesLeftOut: Math.max(0, own.length - MAX_TASK_LINES),
    })
  }

  private async events(): Promise<void> {
    const { events, evidence, folder } = this.parts
    const { state } = evidence
    const { pathOf } = await import('#interpreter/engine/path.ts')
    let text = ''
    for (const [seq, event] of events.entries()) {
      const { atMs, ...rest } = event
      const about = 'task' in event && event.task < state.tasks.size ? { path: pathOf(state, event.task) } : {}
      const { standInSeed: _, ...open } = rest as typeof rest & { standInSeed?: string } // who knows it could tell stand-ins from texts
      const bare: Record<string, unknown> = { version: 1, seq, at: time(atMs), ...about, ...open }
      if ('outcome' in event) bare['outcome'] = await this.ended(event.outcome)
      if (event.kind === 'cache-answered' && event.value !== undefined) bare['value'] = await this.kept(event.value)
      if (event.kind === 'run-started') bare['args'] = await this.kept(event.args as Value)
      text += `${JSON.stringify(this.clean(bare))}\n`
      if (text.length < EVENTS_CHUNK) continue
      await folder.append('events.ndjson', text)
      text = ''
    }
    await folder.append('events.ndjson', text)
    folder.endStream()
  }

  /** Of an event: a model's reply is a value like any other. */
  private async ended(outcome: Outcome | ModelOutcome): Promise<object> {
    if (outcome.kind !== 'reply') return 'lost' in outcome ? outcome : this.outcome(outcome)
    const { reply, ...rest } = outcome
    return { ...rest, ...(await this.kept(reply as unknown as Value)) }
  }

  private async outcome(outcome: Outcome): Promise<object> {
    return outcome.kind === 'failure' ? outcome : { kind: 'value', ...(await this.kept(outcome.value)) }
  }

  /** E3. `{ value }`, or where it is. */
  private async kept(value: Value): Promise<{ readonly value: Value } | { readonly valueFile: string; readonly bytes: number }> {
    const rough = JSON.stringify(value)
    if (rough.length <= MAX_INLINE_VALUE_LENGTH) return { value }
    const text = `${canonicalJson(this.clean(value) as Json)}\n`
    const valueFile = `values/${sha256(text)}.json`
    if (!this.values.has(valueFile)) {
      this.values.add(valueFile)
      await this.parts.folder.write(valueFile, text)
    }
    return { valueFile, bytes: Buffer.byteLength(text) }
  }

  private json(path: string, value: unknown): Promise<void> {
    return this.parts.folder.write(path, `${JSON.stringify(this.clean(JSON.parse(JSON.stringify(value))), null, 1)}\n`)
  }

  private withoutPlaces(text: string): string {
    let left = text
    for (const [path, short] of this.homes) if (left.includes(path)) left = left.replaceAll(placePattern(path), short)
    return left
  }
}

const patterns = new Map<string, RegExp>()

/** A folder where it is named as one: not as the beginning of another name. */
function placePattern(path: string): RegExp {
  let made = patterns.get(path)
  if (made === undefined) patterns.set(path, (made = new RegExp(`${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w.-]*\\w)`, 'g')))
  return made
}

function byTask<Each extends { readonly task: string }>(all: readonly Each[]): Map<string, Each[]> {
  const found = new Map<string, Each[]>()
  for (const each of all) {
    const known = found.get(each.task)
    if (known === undefined) found.set(each.task, [each])
    else known.push(each)
  }
  return found
}

async function inOrder<From, To>(all: readonly From[], make: (each: From) => Promise<To>): Promise<To[]> {
  const made: To[] = []
  for (const each of all) made.push(await make(each))
  return made
}

/** Milliseconds to the microsecond, as far as they are measured. */
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000

/** RFC 3339, UTC. */
const time = (atMs: number): string => new Date(atMs).toISOString()
