// Run: a plan is carried out, or taken up again, from beginning to summary.
// Owns: joining engine, effects, journal and pool for one run; checking the arguments; the summary. Does not own: the loop (driver.ts).
//   U1. A run that begins is in the journal before anything of it is done.
//   U2. What stops a run leaves it resumable; only `run-finished` ends it for good.
//   U3. A run is one process's at a time: its lease is taken before anything of it is done.
import { dirname, join } from 'node:path'
import { didYouMean } from '#base/did-you-mean.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { printGrant } from '#grants/grant-text.ts'
import type { GrantKinds } from '#grants/match.ts'
import type { Host } from '#host/host.ts'
import type { Permit } from '#model/capability.ts'
import type { Cassette } from '#model/cassette.ts'
import type { Failure, Outcome, RunBounds, RunEvent } from '#model/event.ts'
import { type Plan, type PlanTest, planVersion, readableVersions } from '#model/plan.ts'
import type { RunNotice, RunReport, RunSummary, Wait } from '#model/report.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Value } from '#model/type.ts'
import type { ModelProvider } from '#plugin-api/model-provider.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { printType } from '#types/print.ts'
import { validate } from '#types/validate.ts'
import { Driver } from './driver.ts'
import { keptTrail } from '#interpreter/audit/kept-trail.ts'
import { Sealer, type SealStore } from '#interpreter/audit/seal.ts'
import type { AuditTrail } from '#interpreter/audit/trail.ts'
import { showNotice, showReport, showStandIns, showSummary, STAND_IN_SEED_BYTES } from '#interpreter/secrets/stand-in.ts'
import { noSecrets, openVault, type SecretVault } from '#interpreter/secrets/vault.ts'
import { evaluateConstants } from '#interpreter/effects/constants.ts'
import { Evaluation, MAX_EXPRESSION_STEPS } from '#interpreter/engine/evaluation.ts'
import type { Capacity } from '#interpreter/engine/protocol.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { waitsOf } from '#interpreter/engine/waiting.ts'
import { JournalError, type Journal, type RunLog, type SourceHashes } from '#interpreter/journal/journal.ts'
import type { TelemetryStore } from '#interpreter/journal/telemetry-store.ts'
import { makePool, type Pool } from '#interpreter/pool/pool.ts'
import type { ComesWithStd } from './implied.ts'
import type { AskedModels } from './gateway/models.ts'
import { AppendNotes } from './guard/append-notes.ts'
import type { ServerCaller } from './guard/server-access.ts'
import { Keeper, newLease, stopFileExists } from './keeper.ts'
import { RunMeter } from './meter.ts'
import { Fakes } from './effects/fakes.ts'
import { cassetteOf } from './recording.ts'
import { reportOf } from './report.ts'
import { modelsOf } from './run-models.ts'
import { Watcher } from './watcher.ts'
import type { Timers, World } from './world.ts'

/** Tasks under way at once where the program says nothing: this many for each processor, and at least this many. */
const TASKS_PER_CPU = 4
const LEAST_TASKS_AT_ONCE = 8
/** Where it asks for more with `parallel`, this many at most. */
const MOST_TASKS_AT_ONCE = 1_024
const RUN_ID_BYTES = 6

export interface RunSettings {
  readonly host: Host
  /** Absolute working directory of the run; default the host's. */
  readonly cwd?: string
  readonly plan: Plan
  readonly toolRunner: ToolRunner
  /** Servers of tools; absent: none is reached. */
  readonly servers?: ServerCaller
  /** Providers of models by name; absent: there are none. */
  readonly modelProvider?: (name: string) => Promise<ModelProvider | null>
  /** What models answer in a test: then none is reached. */
  readonly given?: PlanTest['given']
  /** The cassettes that `given` names, by their paths there. */
  readonly cassettes?: ReadonlyMap<string, Cassette>
  /** What the modules of the plan offer, by their names there, to check what a test gives in the place of tools. */
  readonly signatures?: ReadonlyMap<string, ModuleSignature>
  /** Told at the end, in sentences, what a test gives that nothing asked for, or that cannot be meant. */
  readonly onOddGiven?: (sentences: readonly string[]) => void
  /** Models answer from this: none is reached, and no key is read. */
  readonly replayed?: Cassette
  /** Told at the end what happened, from the run's beginning on. */
  readonly onEvents?: (events: Iterable<RunEvent>) => void
  /** Told at the end what models were asked and answered, from the run's beginning on, whether it came to its end or not. */
  readonly onCassette?: (cassette: Cassette) => void
  readonly journal: Journal
  /** Kinds of the parameters of plugins' grants, for the guard. */
  readonly kindsOf?: GrantKinds
  /** What comes with grants of the standard library; absent: whatever the plan says. */
  readonly comesWithStd?: ComesWithStd
  /** What the person who runs it allows; absent: whatever the program asks for. */
  readonly permit?: Permit
  /** Commands run unconfined where the machine has no sandbox, instead of being refused. */
  readonly mayBeUnconfined?: boolean
  /** Who is told of every decision; default the journal's audit log. */
  readonly audit?: AuditTrail
  /** The user's own files, where the key lies that signs the audit log; absent: nothing is signed. */
  readonly sealStore?: SealStore
  /** Threads; default one for each processor. */
  readonly workers?: number
  /** Built entry of the threads. */
  readonly workerUrl?: URL
  readonly onThreads?: (threads: number) => void
  /** Default: worker threads. */
  readonly makePool?: typeof makePool
  readonly onNotice: (notice: RunNotice) => void
  /** Aborting stops the run gracefully; its reason may be `interrupt` (the default) or `terminate`. */
  readonly signal?: AbortSignal
  /** Milliseconds that calls under way may take to end after a signal to end (`terminate`); default 1,000. */
  readonly drainMs?: number
  /** Absolute path of a file that stops every run here while it exists. */
  readonly stopFile?: string
  /** Stays also when nothing is left but to wait: somebody can answer here, or the run is lost with the process. Default: it ends, and the run waits without it. */
  readonly waitsLive?: boolean | ((waits: readonly Wait[]) => boolean)
  /** Every question is answered with yes, as said by `--yes`. */
  readonly answerAll?: boolean
  /** Where is kept what the run measures of itself; absent: nothing is measured. */
  readonly telemetry?: TelemetryStore
  readonly tekVersion: string
}

export interface StartSettings extends RunSettings {
  /** Path of the program, as shown. */
  readonly program: string
  /** Name or key of the workflow; may be left out where there is but one. */
  readonly workflow?: string
  readonly args: Readonly<Record<string, Value>>
  /** Folder from which the program's plugins are found, kept for who goes on with the run. */
  readonly folder?: string
  /** What the program was made of, kept for who goes on with the run. */
  readonly sources?: SourceHashes
  /** Bounds beside those of the plan. */
  readonly within?: RunBounds
  /** The id it is to have, where one was given to it before it began; another run that has it is in the way: `run/journal-taken`. */
  readonly runId?: string
}

/** A run's end, or the mistakes for which it did not begin. */
export type RunResult = { readonly kind: 'ran'; readonly summary: RunSummary; report(): RunReport } | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

/**
 * Carries out a workflow of a plan.
 *
 * @returns the summary once the run is finished or stopped; or why it was not begun (unknown workflow, arguments that do not fit).
 * @throws {JournalError} when the journal cannot be used; the run can be resumed from what it holds.
 */
export async function startRun(settings: StartSettings): Promise<RunResult> {
  const { plan, host, journal, args, program } = settings
  const chosen = chooseWorkflow(plan, settings.workflow)
  if ('code' in chosen) return { kind: 'refused', diagnostics: [chosen] }
  const problems = checkArguments(plan, chosen.key, args)
  if (problems.length > 0) return { kind: 'refused', diagnostics: problems }
  if (await stopFileExists(settings)) return { kind: 'refused', diagnostics: [runErrors['stop-file']({})] }
  const standInSeed = plan.secrets === undefined ? undefined : host.randomHex(STAND_IN_SEED_BYTES)
  const secrets = await vaultOf(settings, chosen.key, standInSeed)
  if ('problems' in secrets) return { kind: 'refused', diagnostics: secrets.problems }
  const runId = settings.runId ?? newRunId(host)
  const summary: RunSummary = {
    runId, workflow: plan.workflows[chosen.key]!.name, program, planHash: plan.hash, startedAtMs: host.now(), elapsedMs: 0, status: 'running', outcome: null,
    tasks: noTasks, calls: { ...noCalls },
  }
  const { within } = settings
  const begun = { runId, planHash: plan.hash, workflow: chosen.key, args, tekVersion: settings.tekVersion, ...(within === undefined ? {} : { within }) }
  const event: RunEvent = { kind: 'run-started', atMs: summary.startedAtMs, ...begun, ...(standInSeed === undefined ? {} : { standInSeed }) }
  const lease = newLease(host)
  const { folder, sources } = settings
  const beginning = { events: [event], ...(folder === undefined ? {} : { folder }), ...(sources === undefined ? {} : { sources }), ...(lease === null ? {} : { lease }) }
  const log = journal.startRun(summary, plan, beginning) // U1
  return carryOut({ ...settings, secrets }, summary, log, new Keeper(settings, runId, lease), driver => driver.start(event))
}

/**
 * Goes on with a run that was stopped or whose process is gone. Finished work is not done again.
 *
 * @returns the summary; at once when the run was finished already. Refused when there is no such run or it was made with another plan.
 * @throws {JournalError} also `run/being-driven` while another process goes on with it, and `run/lease-lost` once another has taken it over.
 */
export async function resumeRun(settings: RunSettings & { readonly runId: string }): Promise<RunResult> {
  const found = settings.journal.openRun(settings.runId)
  if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId: settings.runId })] }
  if (!readableVersions.includes(found.plan.version)) return { kind: 'refused', diagnostics: [runErrors['other-format']({ runId: settings.runId, found: String(found.plan.version), known: planVersion })] }
  if (found.summary.planHash !== settings.plan.hash) return { kind: 'refused', diagnostics: [runErrors['other-plan']({ runId: settings.runId })] }
  if (isFinished(found.summary)) return { kind: 'ran', summary: found.summary, report: () => showReport(reportOf(found.plan, found.summary, found.log.events())) }
  const { successor } = found.summary
  if (successor !== undefined) return { kind: 'refused', diagnostics: [runErrors.superseded({ runId: settings.runId, successor })] }
  if (await stopFileExists(settings)) return { kind: 'refused', diagnostics: [runErrors['stop-file']({})] }
  const [begun] = found.log.events()
  if (begun === undefined) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId: settings.runId })] } // an older tek ended before its first event
  const secrets = await vaultOf(settings, begun.kind === 'run-started' ? begun.workflow : '', begun.kind === 'run-started' ? begun.standInSeed : undefined)
  if ('problems' in secrets) return { kind: 'refused', diagnostics: secrets.problems }
  const { keeper, owner } = Keeper.take(settings, settings.runId) // U3
  const { summary, log } = settings.journal.openRun(settings.runId, owner)!
  return carryOut({ ...settings, secrets }, summary, log, keeper, driver => driver.resume(log.events()))
}

/** An id for a run. */
export function newRunId(host: Host): string {
  return host.randomHex(RUN_ID_BYTES)
}

/** The secrets of a run, read as far as they can be before it; or what is wrong with them. */
async function vaultOf(settings: RunSettings, workflow: string, seed: string | undefined): Promise<SecretVault | { readonly problems: readonly Diagnostic[] }> {
  const { host, plan, permit, kindsOf } = settings
  if (seed === undefined) return noSecrets
  const { vault, problems } = await openVault({ host, cwd: settings.cwd ?? host.cwd, plan: settings.replayed === undefined ? plan : withoutKeys(plan), workflow, seed, permit: permit?.grants ?? null, kindsOf })
  return problems.length > 0 ? { problems } : vault
}

/** The same plan, whose models need no keys. */
function withoutKeys(plan: Plan): Plan {
  return plan.models === undefined ? plan : { ...plan, models: Object.fromEntries(Object.entries(plan.models).map(([key, model]) => [key, { ...model, key: null }])) }
}

/** Whether nothing of a run is left to do. */
export function isFinished({ status }: RunSummary): boolean {
  return status === 'done' || status === 'failed'
}

async function carryOut(given: RunSettings & { readonly secrets: SecretVault }, { waits: _before, ...begun }: RunSummary, log: RunLog, keeper: Keeper, begin: (driver: Driver) => void): Promise<RunResult> {
  const { host, plan, journal, toolRunner, secrets } = given
  const settings = secrets === noSecrets ? given : { ...given, onNotice: (notice: RunNotice) => given.onNotice(showNotice(notice)) }
  const startedMs = host.monotonic()
  const state = initialState(plan, capacityOf(settings), journal.durations(begun.program))
  const calls = { ...begun.calls }
  let pool: Pool | null = null
  let threads = 0
  let meter: RunMeter | null = null
  const getPool = () => (pool ??= (settings.makePool ?? makePool)({
    maxThreads: threadsOf(settings),
    ...(settings.workerUrl === undefined ? {} : { workerUrl: settings.workerUrl }),
    onResize: count => {
      threads = count
      settings.onThreads?.(count)
    },
  }))
  let asked: AskedModels | null = null
  try {
    const constants = await evaluateConstants(plan, toolRunner, getPool)
    for (const [name, standIn] of secrets.standIns) constants.values.set(name, standIn)
    const watcher = new Watcher(state, host, calls, constants.values, settings.onNotice)
    let waits: readonly Wait[] = []
    if (settings.telemetry !== undefined) {
      const say = (message: string): void => {
        watcher.log(begun.workflow, message)
        log.say({ atMs: host.now(), level: 'warn', task: begun.workflow, message })
      }
      meter = new RunMeter({ store: settings.telemetry, state, calls, now: () => host.now(), threads: () => threads, say, standing: () => standing() })
    }
    const driver = new Driver({
      state, log: meter?.log(log) ?? log, watcher, shouldStop: () => keeper.check(), lookNow: () => keeper.lookNow(), newRequests: () => keeper.newRequests(), lookForRequests: () => keeper.lookForRequests(),
      wasPaused: begun.status === 'paused', answersAs: settings.answerAll === true ? '--yes' : null,
      waitsLive: () => (typeof settings.waitsLive === 'function' ? settings.waitsLive(shownWaits(state)) : (settings.waitsLive ?? false)),
      waitsChanged: () => {
        const now = shownWaits(state)
        if (JSON.stringify(now) === JSON.stringify(waits)) return
        waits = now
        log.describe(standing())
        settings.onNotice({ kind: 'waits', waits })
      },
    })
    const audit = settings.audit ?? keptTrail({ log: journal.audit, runId: begun.runId, now: () => host.now(), redact: text => secrets.redactText(text) })
    if (settings.sealStore !== undefined) journal.audit.sealWith(new Sealer(settings.sealStore))
    const standing = (): RunSummary => ({
      ...begun, status: 'running', outcome: null, elapsedMs: begun.elapsedMs + host.monotonic() - startedMs, calls: { ...calls }, tasks: watcher.counts(), ...(waits.length === 0 ? {} : { waits }),
      ...(state.usage.tokens === 0 ? {} : { usage: { ...state.usage } }),
    })
    const fakes = settings.given === undefined ? null : fakesOf(settings.given, settings.signatures ?? new Map(), plan, toolRunner, constants.values)
    const timers = host.sleep === undefined ? systemTimers : hostTimers(host)
    const models = (asked = modelsOf({ plan, host, timers, toolRunner, constants: constants.values, modelProvider: settings.modelProvider, given: settings.given, cassettes: settings.cassettes, replayed: settings.replayed }))
    const world: World = {
      host, cwd: settings.cwd ?? host.cwd, state, runId: begun.runId, toolRunner, servers: settings.servers ?? null, journal, kindsOf: settings.kindsOf, calls,
      permit: settings.permit?.grants ?? null, mayBeUnconfined: settings.mayBeUnconfined ?? false, audit: meter?.audit(audit) ?? audit, secrets,
      comesWithStd: settings.comesWithStd, appends: journal.audit.place === null ? null : new AppendNotes(host.files, join(dirname(journal.audit.place), 'appends', begun.runId)),
      constants: constants.values, constantsFailure: constants.failure, timers, pool: getPool,
      models, fakes,
      emit: event => driver.emit(event), wake: () => driver.wake(), whenDurable: work => driver.whenDurable(work),
      began: (task, nowMs) => watcher.began(task, nowMs),
      show: notice => settings.onNotice(notice),
      log: (task, message) => {
        watcher.log(task, message)
        log.say({ atMs: host.now(), level: 'info', task, message })
      },
      mayBegin: () => driver.mayBegin(), mayAct: () => driver.mayAct(),
    }
    driver.connect(world)
    settings.onNotice({ kind: 'run-started', runId: begun.runId, workflow: begun.workflow, atMs: begun.startedAtMs, authority: namesOfAuthority(plan) })
    if (settings.permit !== undefined) world.audit.record({ kind: 'permit', grants: settings.permit.grants.map(printGrant), by: settings.permit.by })
    begin(driver)
    meter?.start()
    keeper.start(() => driver.wake(), () => log.describe(standing()))
    await driver.run()
    if (state.isFinished) await world.appends?.clear()
    journal.audit.seal()
    waits = state.isFinished ? [] : shownWaits(state)
    const summary = showSummary({ ...standing(), ...endOf(state) })
    meter?.end(summary, calls.ran > 0 ? ((await host.isolation?.()) ?? null) : null)
    if (log.uncommitted > 0) log.commit() // a line about that
    log.describe(summary)
    if (watcher.durations.size > 0) journal.addDurations(begun.program, watcher.durations)
    watcher.end(state.isFinished)
    settings.onNotice({ kind: 'run-finished', summary })
    settings.onEvents?.(log.events())
    settings.onOddGiven?.([...(fakes?.unused() ?? []).map(tool => `Nothing called \`${tool}\`, for which the test gives something.`), ...(models.oddities?.() ?? [])])
    settings.onCassette?.(cassetteOf(plan, begun.program, log.events(), text => secrets.redactText(text)))
    return { kind: 'ran', summary, report: () => showReport(reportOf(plan, summary, log.events())) }
  } finally {
    meter?.close()
    keepWaiting(journal)
    keeper.close()
    await (asked as AskedModels | null)?.close?.()
    await (pool as Pool | null)?.close()
  }
}

function fakesOf(given: PlanTest['given'], signatures: ReadonlyMap<string, ModuleSignature>, plan: Plan, toolRunner: ToolRunner, constants: ReadonlyMap<string, Value>): Fakes {
  return new Fakes({
    given, signatures,
    evaluate: (expr, local) => {
      const names = { param: () => null, node: () => null, constant: (name: string) => constants.get(name) ?? null, local: (name: string) => (name === local?.name ? local.value : undefined) }
      const step = new Evaluation(expr, names, { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure: (module, fn) => toolRunner.pure(module, fn), prompts: plan.prompts }).start()
      return step.kind === 'done' ? { kind: 'value', value: step.value } : { kind: 'failed', failure: step.kind === 'failed' ? step.failure : { code: 'run/not-available-yet', message: 'What a test gives calls a tool.', retryable: false } }
    },
  })
}

/** What was decided until a run broke off is kept all the same, also when it lost its lease. A journal that fails now has said so before. */
function keepWaiting(journal: Journal): void {
  try {
    journal.audit.flush()
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
  }
}

/** Waits that a summary lists. */
const MAX_SHOWN_WAITS = 100

function shownWaits(state: State): Wait[] {
  return waitsOf(state, MAX_SHOWN_WAITS).map(each => (each.kind === 'approval' ? { ...each, question: showStandIns(each.question) } : each))
}

function endOf(state: State): { status: RunSummary['status']; outcome: Outcome | null } {
  if (state.isFinished && state.outcome !== null) return { status: state.outcome.kind === 'value' ? 'done' : 'failed', outcome: state.outcome }
  const reason = state.stop?.reason ?? 'interrupt'
  if (reason === 'pause') return { status: 'paused', outcome: null }
  if (reason === 'waiting') return { status: 'waiting', outcome: null }
  const { code, message, help } = reason === 'limit' ? runErrors['limit-reached']({}) : reason === 'interrupt' ? runErrors.interrupted({}) : runErrors.stopped({ by: state.stop!.detail })
  const failure: Failure = {
    code, message: reason === 'limit' ? state.stop!.detail : message, task: state.workflow, retryable: state.stop?.isFinal !== true, ...(help[0] === undefined ? {} : { help: help[0] }),
  }
  return { status: 'stopped', outcome: { kind: 'failure', failure } } // U2
}

/** Whether a key is that of the workflow of a loop's cycle. */
export function isCycle(plan: Plan, key: string): boolean {
  return Object.values(plan.loopBodies ?? {}).some(each => each.cycle === key)
}

function chooseWorkflow(plan: Plan, wanted: string | undefined): { key: string } | Diagnostic {
  if (wanted !== undefined && isCycle(plan, wanted)) return { key: wanted }
  const names = plan.entries.map(key => plan.workflows[key]?.name ?? key)
  if (wanted === undefined) return plan.entries.length === 1 ? { key: plan.entries[0]! } : runErrors['which-workflow']({ names })
  const key = plan.entries.find((each, index) => each === wanted || names[index] === wanted)
  return key === undefined ? runErrors['unknown-workflow']({ name: wanted, suggestions: didYouMean(wanted, names) }) : { key }
}

/** What is wrong with the arguments of a workflow. */
export function checkArguments(plan: Plan, key: string, args: Readonly<Record<string, Value>>): Diagnostic[] {
  const { params } = plan.workflows[key]!
  const problems: Diagnostic[] = []
  for (const name of Object.keys(args)) {
    if (!params.some(each => each.name === name)) problems.push(runErrors['unknown-argument']({ name, suggestions: didYouMean(name, params.map(each => each.name)) }))
  }
  for (const { name, type, default: standard } of params) {
    if (!Object.hasOwn(args, name)) {
      if (standard === null && validate(type, null) !== null) problems.push(runErrors['missing-argument']({ name, type: printType(type) }))
      continue
    }
    const problem = validate(type, args[name])
    if (problem !== null) problems.push(runErrors['bad-argument']({ name: `${name}${problem.path}`, problem: problem.message }))
  }
  return problems
}

function capacityOf(settings: RunSettings): Capacity {
  const { cpus, memoryBytes } = settings.host.machine()
  const standard = Math.max(LEAST_TASKS_AT_ONCE, TASKS_PER_CPU * cpus, widestFor(settings.plan))
  const { parallel } = settings.plan.limits
  return { parallel: Math.min(parallel ?? standard, MOST_TASKS_AT_ONCE), cpu: settings.workers ?? cpus, memoryBytes }
}

/** The largest `parallel` that a `for` of the program asks for. */
function widestFor(plan: Plan): number {
  let widest = 0
  for (const { nodes } of Object.values(plan.workflows)) {
    for (const { forEach } of nodes) {
      const width = forEach?.width
      if (width?.op === 'value' && typeof width.value === 'number') widest = Math.max(widest, width.value)
    }
  }
  return widest
}

function threadsOf(settings: RunSettings): number {
  return Math.max(1, settings.workers ?? settings.host.machine().cpus)
}

function namesOfAuthority(plan: Plan): string[] {
  const grants = plan.authority ?? Object.values(plan.workflows).flatMap(each => each.authority ?? [])
  return [...new Set(grants.map(each => each.name))].sort()
}

const noTasks = { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }
const noCalls = { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 }

const systemTimers: Timers = {
  set(ms, fire) {
    const timer = setTimeout(fire, ms)
    return () => clearTimeout(timer)
  },
}

/** Timers by the host's own clock. */
function hostTimers(host: Host): Timers {
  return {
    set(ms, fire) {
      const abort = new AbortController()
      host.sleep!(ms, abort.signal).then(fire, () => {}) // taken back
      return () => abort.abort()
    },
  }
}
