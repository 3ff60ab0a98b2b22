// tek: check · plan · run · resume · show, the whole product on one screen. The published entry ".".
// Owns: joining compiler, interpreter and plugins, which do not know each other. Does not own: anything they do.
//   T1. Checking runs no plugin code but a description of what it offers, once per content hash.
//   T2. What cannot be done for the user's or the machine's reasons comes back as diagnostics; a throw is a bug in tek.
import { dirname, isAbsolute, join, posix, relative, resolve } from 'node:path'
import type { Compiled } from './compiler/compile.ts'
import type { ParseCache } from './compiler/1-syntax/parse.ts'
import { lower } from './compiler/4-lower/lower.ts'
import { nameErrors } from './diagnostics/catalog/name.ts'
import { runErrors } from './diagnostics/catalog/run.ts'
import type { Diagnostic } from './diagnostics/diagnostic.ts'
import { coreGrantKinds, type GrantKinds, grantKindsOf } from './grants/match.ts'
import { type Host, HostError } from './host/host.ts'
import { answer, answerOr, readJournal, withJournal, type Answer } from './history/journal-access.ts'
import type { Journal, SourceHashes } from './interpreter/journal/journal.ts'
import { TELEMETRY_FILE, type TelemetryStore } from './interpreter/journal/telemetry-store.ts'
import type { Migrated } from './interpreter/migrate.ts'
import type { RunResult, RunSettings } from './interpreter/run.ts'
import type { AskedGrant, Permit } from './model/capability.ts'
import type { Cassette } from './model/cassette.ts'
import type { RunBounds, RunEvent } from './model/event.ts'
import type { Plan, PlanTest } from './model/plan.ts'
import type { CalledServers } from './mcp/call-servers.ts'
import type { AuditVerdict } from './interpreter/audit/verify.ts'
import type { Replay, RunNotice, RunSummary, Wait } from './model/report.ts'
import type { ModuleSignature } from './model/signature.ts'
import type { SourceFile } from './model/source.ts'
import type { Value } from './model/type.ts'
import { createPluginHost, type PluginHost } from './plugins/load.ts'
import { validatePlan } from './types/plan-json.ts'

export { agentsOf, ask, fitting, forgetThreads, pause, readThread, threadsHere, waitsHere } from './history/ask.ts'
export { clean, forget, whatToClean } from './history/clean.ts'
export { followLog } from './history/follow.ts'
export { exportPlace, exportRun, verifyExport } from './history/export.ts'
export type { ExportTasks } from './history/export.ts'
export { measuredRuns, measurementsOf, programStats } from './history/stats.ts'
export { auditEntries, fork, listRuns, runLog, showRun, stop, why } from './history/history.ts'
export type { Answer } from './history/journal-access.ts'

/** Built files lie in dist/, beside the bundle this becomes. */
const dist = new URL(import.meta.url.endsWith('/src/tek.ts') ? '../dist/' : './', import.meta.url)
const MAX_SOURCE_BYTES = 32 * 1024 * 1024
const MAX_FILES = 10_000

export interface CheckedFile extends Compiled {
  readonly entry: string
}

export interface CheckOptions {
  /** Text that wins over the file's: standard input, an editor's buffer. */
  readonly readText?: (path: string) => string | undefined
  /** Reports each call that only a run can tell to be granted as an error. */
  readonly strict?: boolean
  /** Accepted by name: a plugin that needs Node may describe itself unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined?: boolean
  /** Remembers what did not change between two checks. */
  readonly cache?: ParseCache
}

/**
 * Reads, resolves and checks a program and every file it uses.
 *
 * @param path the entry file, relative to `host.cwd` or absolute; places in diagnostics use it as written.
 */
export async function check(host: Host, path: string, options: CheckOptions = {}): Promise<CheckedFile> {
  const [{ collectUses, compile }, { parse, ParseCache: Cache }] = await Promise.all([import('./compiler/compile.ts'), import('./compiler/1-syntax/parse.ts')]) // who resumes needs none of it
  const cache = options.cache ?? new Cache()
  const files = new Map<string, SourceFile | Diagnostic>()
  const readSource = (shown: string): SourceFile | Diagnostic => {
    let file = files.get(shown)
    if (file === undefined) files.set(shown, (file = readFile(host, shown, options)))
    return file
  }
  const plugins = pluginHost(host, options.mayBeUnconfined)
  try {
    const stdNames = await plugins.stdNames()
    const signatures = new Map<string, ModuleSignature | Diagnostic | null>()
    const pending = [path]
    for (const seen = new Set(pending); pending.length > 0 && seen.size < MAX_FILES; ) {
      const file = readSource(pending.pop()!)
      if ('code' in file) continue
      const uses = collectUses(parse(file, cache).value)
      const from = resolve(host.cwd, file.path)
      for (const name of uses.std) if (stdNames.includes(name)) signatures.set(name, await plugins.signature({ kind: 'std', name }))
      for (const name of uses.mcp) signatures.set(`${file.path} mcp ${name}`, await (await import('./mcp/found-servers.ts')).lockedSignature(host, dirname(resolve(host.cwd, path)), name))
      for (const source of uses.plugins) signatures.set(`${file.path} ${source}`, await plugins.signature({ kind: 'plugin', from, source })) // T1
      for (const next of uses.files.map(specifier => resolvePath(file.path, specifier))) {
        if (seen.has(next)) continue
        seen.add(next)
        pending.push(next)
      }
    }
    const compiled = compile({
      entry: path, readSource, resolvePath, stdNames, cache, ...(options.strict === undefined ? {} : { strict: options.strict }),
      signature: request => signatures.get(request.kind === 'std' ? request.name : request.kind === 'mcp' ? `${request.from} mcp ${request.name}` : `${request.from} ${request.source}`) ?? null,
    })
    return { entry: path, ...compiled }
  } finally {
    await plugins.close()
  }
}

/** Lowers a checked program to its plan; `checked.program` must not be null. */
export function plan(checked: CheckedFile): Plan {
  return lower(checked.program!)
}

export interface MigrateOptions {
  /** The program as it is now. */
  readonly plan: Plan
  /** Absolute folder from which its plugins are found. */
  readonly folder: string
  readonly sources: SourceHashes
  /** Nothing is recorded: it is only said what would be. */
  readonly isDry: boolean
  /** Tasks of which the person knows that they write again; with one more, nothing is recorded. */
  readonly mayWriteAgain: readonly string[]
}

/** How a run is carried out, whether it begins or goes on. */
export interface DriveOptions {
  /** Most worker threads. */
  readonly workers?: number
  readonly tekVersion: string
  readonly onNotice: (notice: RunNotice) => void
  /** Aborting stops the run gracefully; the reason `terminate` says that it was no person at the terminal. */
  readonly signal?: AbortSignal
  /** What the person who runs it allows, a level above the program's own; absent: whatever the program asks for. */
  readonly permit?: Permit
  /** Accepted by name: commands run unconfined where the machine has no sandbox, instead of being refused. */
  readonly mayBeUnconfined?: boolean
  /** False: what the run measures of itself is not kept beside its journal. */
  readonly isMeasured?: boolean
  /** Milliseconds that calls under way may take to end after the reason `terminate`; default 1,000. */
  readonly drainMs?: number
  /** Whether the run stays when nothing is left but to wait for these: somebody may answer here. Default: it ends, and waits without a process. */
  readonly waitsLive?: boolean | ((waits: readonly Wait[]) => boolean)
  /** Every question is answered with yes, as said by `--yes`. */
  readonly answerAll?: boolean
  /** What models answer in a test: then none is reached. */
  readonly given?: PlanTest['given']
  /** The cassettes that `given` names, by their paths there. */
  readonly cassettes?: ReadonlyMap<string, Cassette>
  /** Told at the end, in sentences, what `given` says that nothing asked for, or that cannot be meant. */
  readonly onOddGiven?: (sentences: readonly string[]) => void
  /** Models answer from this: none is reached, and no key is read. */
  readonly replayed?: Cassette
  /** Told at the end what happened, from the run's beginning on. */
  readonly onEvents?: (events: Iterable<RunEvent>) => void
  /** Told at the end what models were asked and answered, from the run's beginning on, whether it came to its end or not. */
  readonly onCassette?: (cassette: Cassette) => void
}

export interface RunOptions extends DriveOptions {
  readonly plan: Plan
  /** The program as shown to people. */
  readonly program: string
  /** Absolute folder of the entry file, from which plugins are found; default `host.cwd`. */
  readonly folder?: string
  readonly workflow?: string
  readonly args: Readonly<Record<string, Value>>
  /** Hashes of the files it was made of: while they are the same, it need not be compared when the run goes on. */
  readonly sources?: SourceHashes
  /** Path of the SQLite database, or the journal in it, opened already; null keeps the run in memory. */
  readonly database: string | Journal | null
  /** Bounds of this run beside the plan's: what is left to a loop. */
  readonly within?: RunBounds
  /** Given to the run before it begins; default one that is drawn. */
  readonly runId?: string
}

export interface ResumeOptions extends DriveOptions {
  readonly runId: string
  readonly database: string | Journal
}

/** Carries out a workflow of a plan, from its journal's first event to its summary. */
export async function run(host: Host, options: RunOptions): Promise<Answer<RunSummary>> {
  const { startRun } = await import('./interpreter/run.ts')
  const folder = options.folder ?? host.cwd
  return withJournal(options.database, journal => drive(host, options, options.plan, folder, journal, options.runId ?? null, parts => startRun({ ...options, ...parts, folder: keptFolder(host, folder) })))
}

/** Goes on with a recorded run by the plan it began with; of a finished one, gives its end. */
export async function resume(host: Host, options: ResumeOptions): Promise<Answer<RunSummary>> {
  const { isFinished, resumeRun } = await import('./interpreter/run.ts')
  const { runId } = options
  return withJournal(options.database, async journal => {
    const found = journal.openRun(runId)
    if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
    if (validatePlan(found.plan).problem?.kind === 'damaged') return { kind: 'refused', diagnostics: [runErrors['journal-damaged']({ path: placeOf(options.database) })] } // not as tek wrote it
    if (isFinished(found.summary) && options.onCassette !== undefined) {
      const [{ cassetteOf }, { showStandIns }] = await Promise.all([import('./interpreter/recording.ts'), import('./interpreter/secrets/stand-in.ts')])
      options.onCassette(cassetteOf(found.plan, found.summary.program, found.log.events(), showStandIns))
    }
    if (!isFinished(found.summary)) return drive(host, options, found.plan, resolve(host.cwd, found.folder ?? '.'), journal, runId, parts => resumeRun({ ...options, ...parts, runId }))
    options.onNotice({ kind: 'run-finished', summary: found.summary })
    return answer(found.summary)
  })
}

/** What a run asks to be allowed, and what is needed to compare it with what is. */
export interface Asked {
  /** Null when it cannot be known before the run: then its setup fails, or calls what only a run may call. */
  readonly grants: readonly AskedGrant[] | null
  readonly kindsOf: GrantKinds
}

/** What a workflow of a plan, and all that it calls, ask to be allowed with these arguments. Nothing is run but pure expressions. */
export async function asked(host: Host, { plan, folder = host.cwd, workflow, args }: Pick<RunOptions, 'plan' | 'folder' | 'args'> & { readonly workflow: string }): Promise<Asked> {
  const key = plan.entries.find(each => each === workflow || plan.workflows[each]?.name === workflow) ?? workflow
  if (plan.authority === null && (plan.workflows[key]?.authority ?? []).length === 0) return { grants: [], kindsOf: coreGrantKinds }
  const [{ askedGrants }, { comesWithStd }] = await Promise.all([import('./interpreter/asked.ts'), import('./interpreter/implied.ts')])
  const { makePool } = await import('./interpreter/pool/pool.ts')
  const evaluated = { constants: plan.constants, prompts: plan.prompts, params: plan.workflows[key]?.params, can: [plan.authority, plan.workflows[key]?.authority] }
  const calls = JSON.stringify(evaluated).includes('"op":"call"')
  const hasOwnGrants = evaluated.can.some(level => level?.some(({ name }) => coreGrantKinds(name) === null))
  const plugins = pluginHost(host)
  let pool: ReturnType<typeof makePool> | null = null
  try {
    const signatures = hasOwnGrants ? await signaturesOf(host, plugins, plan, folder) : []
    const kindsOf = hasOwnGrants ? grantKindsOf(signatures.map(each => each.signature)) : coreGrantKinds
    const toolRunner = await plugins.toolRunner(calls ? plan.modules : [], folder)
    const getPool = () => (pool ??= makePool({ maxThreads: 1, workerUrl: new URL('pool-worker.mjs', dist) }))
    return { grants: await askedGrants({ plan, key, args, host, toolRunner, pool: getPool, kindsOf, comesWithStd: comesWithStd(stdOf(signatures)) }), kindsOf }
  } finally {
    await (pool as ReturnType<typeof makePool> | null)?.close()
    await plugins.close()
  }
}

/** A recorded run as it can be gone on with: its program, and what it asks to be allowed. Null when there is none or it is finished. */
export async function askedAgain(host: Host, database: string | Journal, runId: string): Promise<Answer<(Asked & Pick<RunOptions, 'plan' | 'program' | 'args'> & { readonly folder: string }) | null>> {
  const { isFinished } = await import('./interpreter/run.ts')
  return withJournal(database, async journal => {
    const found = journal.openRun(runId)
    if (found === null || isFinished(found.summary)) return answer(null)
    const first = firstOf(found.log.events())
    if (first?.kind !== 'run-started') return answer(null)
    const folder = resolve(host.cwd, found.folder ?? '.')
    return answer({ ...(await asked(host, { plan: found.plan, folder, workflow: first.workflow, args: first.args })), plan: found.plan, program: found.summary.program, args: first.args, folder })
  })
}

export interface RecordedProgram {
  readonly plan: Plan
  readonly workflow: string
  readonly args: RunOptions['args']
  readonly sources: SourceHashes | null
}

/** The program that a recorded run is of. Null when there is no such run. */
export async function recordedProgram(database: string | Journal, runId: string): Promise<Answer<RecordedProgram | null>> {
  return readJournal(database, async journal => {
    const found = journal.openRun(runId)
    const first = found === null ? undefined : firstOf(found.log.events())
    return answer(found === null || first?.kind !== 'run-started' ? null : { plan: found.plan, workflow: first.workflow, args: first.args, sources: found.sources })
  })
}

/** Records a new run that goes on with a changed program from where a recorded one is, as far as that still holds; `resume` goes on with it. */
export async function migrate(host: Host, database: string, runId: string, { plan, folder, ...options }: MigrateOptions): Promise<Answer<Migrated>> {
  const [{ migrateRun }, { evaluateConstants }, { makePool }] = await Promise.all([import('./interpreter/migrate.ts'), import('./interpreter/effects/constants.ts'), import('./interpreter/pool/pool.ts')])
  const plugins = pluginHost(host)
  let pool: ReturnType<typeof makePool> | null = null
  try {
    const toolRunner = await plugins.toolRunner(plan.modules, folder)
    const { values } = await evaluateConstants(plan, toolRunner, () => (pool ??= makePool({ maxThreads: 1, workerUrl: new URL('pool-worker.mjs', dist) })))
    return await withJournal(database, async journal => {
      const found = journal.openRun(runId)
      if (found !== null && validatePlan(found.plan).problem?.kind === 'damaged') return { kind: 'refused', diagnostics: [runErrors['journal-damaged']({ path: database })] }
      return answerOr(migrateRun(journal, host, runId, { ...options, plan, constants: values, pure: (module, fn) => toolRunner.pure(module, fn) }) ?? runErrors['unknown-run']({ runId }))
    })
  } finally {
    await (pool as ReturnType<typeof makePool> | null)?.close()
    await plugins.close()
  }
}

/** Carries a recorded run out again from its journal, touching nothing, and compares. `to`: the path of a task at whose end it stops. */
export async function replay(host: Host, database: string, runId: string, to?: string): Promise<Answer<Replay>> {
  const { replayRun } = await import('./interpreter/replay.ts')
  const { makePool } = await import('./interpreter/pool/pool.ts')
  const plugins = pluginHost(host)
  let pool: ReturnType<typeof makePool> | null = null
  try {
    return await readJournal(database, async journal => {
      const found = journal.openRun(runId)
      if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
      const toolRunner = await plugins.toolRunner(found.plan.modules.filter(each => each.origin === 'std'), host.cwd) // pure functions; what others answered is recorded
      const { cpus, memoryBytes } = host.machine()
      const capacity = { parallel: Infinity, cpu: cpus, memoryBytes }
      const getPool = () => (pool ??= makePool({ maxThreads: 1, workerUrl: new URL('pool-worker.mjs', dist) }))
      return answerOr(await replayRun(found, { toolRunner, capacity, pool: getPool, ...(to === undefined ? {} : { to }) }))
    })
  } finally {
    await (pool as ReturnType<typeof makePool> | null)?.close()
    await plugins.close()
  }
}

/** Whether the audit log is what was written. `trusted`: public keys beside the user's own. */
export async function verifyAudit(host: Host, database: string, trusted: readonly string[]): Promise<Answer<AuditVerdict>> {
  const { verifyAudit: verify } = await import('./interpreter/audit/verify.ts')
  return readJournal(database, async journal => answer(verify(journal.audit, await sealStore(host), trusted)))
}

/** The user's own files, where the key of the audit log lies. */
async function sealStore(host: Host) {
  const { userStore } = await import('./host/user-store.ts')
  return userStore(name => host.env(name), host.cwd)
}

function firstOf<Item>(items: Iterable<Item>): Item | undefined {
  for (const item of items) return item
  return undefined
}

/** A folder as the journal keeps it: one beneath the project moves with it. */
function keptFolder(host: Host, folder: string): string {
  const path = relative(host.cwd, folder)
  return isAbsolute(path) || path.startsWith('..') ? folder : path
}

const placeOf = (database: string | Journal): string => (typeof database === 'string' ? database : (database.audit.place ?? 'the journal'))

async function telemetryBeside(database: string): Promise<TelemetryStore> {
  const { sqliteTelemetry } = await import('./interpreter/journal/sqlite-telemetry.ts')
  return sqliteTelemetry(join(dirname(database), TELEMETRY_FILE), database)
}

/** Of journals that are lent: many runs follow each other there, and what a store takes is never given back (journal/sqlite-statement.ts). */
const telemetryOf = new WeakMap<Journal, Promise<TelemetryStore>>()

function telemetryOfLent(journal: Journal, database: string): Promise<TelemetryStore> {
  const opened = telemetryOf.get(journal) ?? telemetryBeside(database)
  telemetryOf.set(journal, opened)
  return opened
}

/** Brings together what a run needs, for as long as it takes. */
async function drive(host: Host, options: DriveOptions & Pick<RunOptions, 'database'>, plan: Plan, folder: string, journal: Journal, runId: string | null, go: (parts: RunSettings) => Promise<RunResult>): Promise<Answer<RunSummary>> {
  const plugins = pluginHost(host, options.mayBeUnconfined)
  const { place } = journal.audit
  const isLent = options.database === journal
  let servers: CalledServers | null = null
  const telemetry = options.isMeasured === false || place === null ? null : await (isLent ? telemetryOfLent(journal, place) : telemetryBeside(place))
  try {
    if (plan.modules.some(each => each.origin === 'plugin')) plugins.prepare()
    const programTools = await plugins.toolRunner(plan.modules, folder)
    const toolRunner = plan.loopBodies === undefined ? programTools : (await import('./interpreter/loop/loop-tools.ts')).withLoopTools(programTools, { host, journal, plan, runId, mayBeUnconfined: options.mayBeUnconfined ?? false })
    const [signatures, { comesWithStd }] = await Promise.all([signaturesOf(host, plugins, plan, folder), import('./interpreter/implied.ts')])
    const known = { kindsOf: grantKindsOf(signatures.map(each => each.signature)), comesWithStd: comesWithStd(stdOf(signatures)) }
    const store = journal.audit.place === null ? null : await sealStore(host)
    const kept = { ...(store === null ? {} : { sealStore: store }), ...(telemetry === null ? {} : { telemetry }) }
    const modelProvider = (name: string) => plugins.modelProvider(name, plan.modules, folder)
    servers = await serversOf(host, plan, folder, options.tekVersion)
    const offered = options.given === undefined ? {} : { signatures: new Map(signatures.map(each => [each.name, each.signature])) }
    const around = { ...kept, ...offered, ...known, ...(servers === null ? {} : { servers }) }
    const result = await go({ ...options, ...around, plan, host, toolRunner, modelProvider, journal, stopFile: join(host.cwd, '.tek', 'STOP'), workerUrl: new URL('pool-worker.mjs', dist) })
    return result.kind === 'refused' ? result : answer(result.summary)
  } finally {
    if (!isLent) telemetry?.close()
    await servers?.close()
    await plugins.close()
  }
}

/** What calls the servers of tools that a plan uses; null where it uses none: then nothing of the protocol is loaded. */
async function serversOf(host: Host, { modules }: Plan, folder: string, tekVersion: string): Promise<CalledServers | null> {
  if (!modules.some(each => each.origin === 'mcp')) return null
  const { CalledServers } = await import('./mcp/call-servers.ts')
  return new CalledServers({ host, folder, modules, clientUrl: new URL('mcp-client.mjs', dist).href, tekVersion })
}

function pluginHost(host: Host, mayBeUnconfined: boolean = false): PluginHost {
  return createPluginHost({
    host, projectDir: host.cwd, stdlibUrl: new URL('stdlib/', dist).href, childUrl: new URL('plugin-child.mjs', dist).href, pluginEntryUrl: new URL('plugin.mjs', dist).href,
    mayBeUnconfined: () => mayBeUnconfined,
  })
}

interface PlanSignature {
  /** As the plan names the module. */
  readonly name: string
  readonly origin: Plan['modules'][number]['origin']
  readonly signature: ModuleSignature
}

async function signaturesOf(host: Host, plugins: PluginHost, { modules }: Plan, folder: string): Promise<PlanSignature[]> {
  const from = resolve(folder, 'entry.tek')
  const found = await Promise.all(modules.map(async ({ origin, name, source }) => {
    if (origin === 'loop') return []
    const signature = origin === 'mcp' ? await (await import('./mcp/found-servers.ts')).lockedSignature(host, folder, source) : await plugins.signature(origin === 'std' ? { kind: 'std', name } : { kind: 'plugin', from, source })
    return signature === null || 'code' in signature ? [] : [{ name, origin, signature }]
  }))
  return found.flat()
}

const stdOf = (signatures: readonly PlanSignature[]): ModuleSignature[] => signatures.flatMap(({ origin, signature }) => (origin === 'std' ? [signature] : []))

function readFile(host: Host, path: string, options: CheckOptions): SourceFile | Diagnostic {
  const given = options.readText?.(path)
  if (given !== undefined) return { path, text: given }
  try {
    return { path, text: host.files.readTextSync(resolve(host.cwd, path), MAX_SOURCE_BYTES) }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    if (error.code === 'not-found') return nameErrors['file-not-found']({ path })
    return nameErrors['unreadable-file']({ path, reason: error.message })
  }
}

/** `./x.tek` as named in the file `from`, as a shown path. */
function resolvePath(from: string, specifier: string): string {
  return isAbsolute(specifier) ? specifier : posix.join(posix.dirname(from), specifier)
}
