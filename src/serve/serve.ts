// Serve: triggers are watched and runs that wait are woken, until somebody ends it.
// Owns: bringing the parts together, the loop, being the only one in a folder. Does not own: any trigger (clock-triggers.ts, file-trigger.ts, webhooks/), runs (drives.ts).
//   S1. One server a folder, by a lease of its own; without it nothing fires.
//   S2. What fired is in the journal before it begins; whatever kills this process, the next one begins it once (interpreter/journal/triggers.ts).
//   S3. Ending drains: nothing new begins, answers under way are given, runs are stopped as Ctrl-C stops them, and the next server goes on with them.
//   S4. One journal for all runs: a server lives long, and what a journal takes is never given back.
import { serveErrors } from '#diagnostics/catalog/serve.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { printGrant } from '#grants/grant-text.ts'
import { containsGrant, coreGrantKinds } from '#grants/match.ts'
import type { Host } from '#host/host.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'
import { isHeld, LEASE_MS, RENEW_EVERY_MS } from '#interpreter/journal/lease.ts'
import { newLease } from '#interpreter/keeper.ts'
import { needOf } from '#grants/secret-source.ts'
import { atHome, readSecret } from '#interpreter/secrets/read-secret.ts'
import type { Grant, Permit } from '#model/capability.ts'
import { withJournal, type Answer } from '#history/journal-access.ts'
import { Announcer, type Notified } from './announcer.ts'
import { ClockTriggers, type ClockTrigger } from './clock-triggers.ts'
import { Drives } from './drives.ts'
import type { ServeEvent } from './event.ts'
import { FileTrigger } from './file-trigger.ts'
import { ownWrites } from './own-writes.ts'
import { cronTicks, everyTicks } from '#schedule/ticks.ts'
import { triggersOf, type ServedProgram, type ServedTrigger } from './trigger.ts'
import { MAX_WATCHED_FILES, watchedPattern } from './watched-tree.ts'
import { keyOf, MIN_KEY_BYTES } from './webhooks/signature.ts'
import { WebhookServer, type WebhookTrigger } from './webhooks/webhook-server.ts'

/** As the checker takes them; a compiled plan is looked at again. */
const WEBHOOK_NAME = /^(?=.{1,100}$)[a-z0-9-]+(?:\/[a-z0-9-]+)*$/
const OWNER_BYTES = 12
/** Longest rest between two looks: answers and times that are due are seen that late. */
const LOOK_EVERY_MS = 500
/** Between two looks for questions of runs that others drove. */
const QUESTIONS_EVERY_MS = 5_000

export interface ServeOptions {
  readonly programs: readonly ServedProgram[]
  /** Path of the SQLite database. */
  readonly database: string
  /** Most runs at once. */
  readonly runs: number
  /** Also goes on with runs that others began and whose process died. */
  readonly takeOver: boolean
  /** Handles what is due now, waits for its runs, and ends. */
  readonly once: boolean
  readonly http: { readonly bind: string; readonly port: number; readonly names: readonly string[]; readonly allowUnsigned: boolean }
  readonly notify: Notified | null
  readonly tekVersion: string
  readonly workers?: number
  readonly mayBeUnconfined: boolean
  /** What a recorded run may do now. */
  readonly permitAgain: (journal: Journal, runId: string) => Promise<Answer<Permit>>
  readonly onEvent: (event: ServeEvent) => void
  /** Aborting drains. */
  readonly signal: AbortSignal
}

export interface ServeEnd {
  /** Runs that failed or could not begin. */
  readonly failures: number
}

/**
 * Serves the triggers of programs and the runs of a folder that wait, until the signal, or with `once` until nothing is due.
 *
 * @returns refused when something about the programs, the folder or the address stands in the way, or another server took the folder over.
 */
export async function serve(host: Host, options: ServeOptions): Promise<Answer<ServeEnd>> {
  const { triggers, problems } = triggersOf(options.programs)
  const wrong = [...problems, ...triggers.flatMap(unservable), ...unsigned(triggers, options)]
  if (wrong.length > 0) return { kind: 'refused', diagnostics: wrong }
  const webhooks: { trigger: WebhookTrigger; secret: string | null }[] = []
  for (const trigger of triggers) {
    if (!is(trigger, 'webhook')) continue
    const secret = await secretOf(host, trigger)
    if (typeof secret === 'object' && secret !== null) return { kind: 'refused', diagnostics: [secret] }
    webhooks.push({ trigger, secret })
  }
  return withJournal(options.database, async journal => {
    const lease = newLease(host) ?? { owner: host.randomHex(OWNER_BYTES), pid: 0, hostName: '', bootId: '', expiresMs: host.now() + LEASE_MS }
    const held = journal.triggers!.take(lease, each => isHeld(each, host))
    if (held !== null) return { kind: 'refused', diagnostics: [serveErrors['already-served']({ pid: held.pid, hostName: held.hostName })] } // S1
    const server = new Serving(host, options, journal, lease.owner, triggers, webhooks)
    try {
      return await server.run()
    } finally {
      journal.triggers!.release(lease.owner)
    }
  })
}

class Serving {
  private readonly host: Host
  private readonly options: ServeOptions
  private readonly journal: Journal
  private readonly owner: string
  private readonly abort = new AbortController()
  private readonly drives: Drives
  private readonly clocks: ClockTriggers
  private readonly files: readonly FileTrigger[]
  private readonly http: WebhookServer | null
  private readonly announcer: Announcer | null
  private readonly triggers: readonly ServedTrigger[]
  private problem: Diagnostic | null = null
  private wake: (() => void) | null = null
  private isPoked = false
  private lastQuestionsMs = -Infinity

  constructor(host: Host, options: ServeOptions, journal: Journal, owner: string, triggers: readonly ServedTrigger[], webhooks: readonly { trigger: WebhookTrigger; secret: string | null }[]) {
    const store = journal.triggers!
    const { onEvent: tell } = options
    const { signal } = this.abort
    const poke = (): void => this.poke()
    this.host = host
    this.options = options
    this.journal = journal
    this.owner = owner
    this.triggers = triggers
    this.announcer = options.notify === null ? null : new Announcer(host, store, options.notify, tell, signal)
    this.drives = new Drives({
      host, journal, store, owner, tell, signal, most: options.runs, takeOver: options.takeOver, tekVersion: options.tekVersion, mayBeUnconfined: options.mayBeUnconfined,
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      triggers: new Map(triggers.map(each => [each.key, each])), announcer: this.announcer, permitAgain: runId => options.permitAgain(journal, runId),
      ended: (runId, trigger) => {
        for (const each of this.files) if (each.key === trigger) each.ended(runId)
        poke()
      },
    })
    const watching = {
      host, store, owner, tell, poke, signal, goingOn: (trigger: ServedTrigger) => this.drives.goingOn(trigger.key), ownWrites: (runId: string) => ownWrites(journal.audit, runId),
    }
    this.clocks = new ClockTriggers(watching, triggers.filter(isClock).map(trigger => ({ trigger, ticking: tickingOf(trigger.on) })))
    this.files = triggers.flatMap(trigger => {
      const patterns = is(trigger, 'file') ? watchedPattern(trigger.on.pattern) : ''
      return is(trigger, 'file') && typeof patterns !== 'string' ? [new FileTrigger(watching, trigger, patterns)] : []
    })
    this.http = webhooks.length === 0 || options.once ? null : new WebhookServer({ host, store, owner, tell, poke, webhooks, ...options.http, status: () => this.status() })
  }

  async run(): Promise<Answer<ServeEnd>> {
    const { options, journal, drives } = this
    const listening = await this.http?.listen()
    if (listening !== undefined && 'code' in listening) return { kind: 'refused', diagnostics: [listening] }
    const drain = (): void => {
      if (drives.runIds.length > 0) options.onEvent({ kind: 'draining', runs: drives.runIds.length })
      this.abort.abort(options.signal.reason)
      this.poke()
    }
    options.signal.addEventListener('abort', drain, { once: true })
    const renewing = setInterval(() => this.renew(), RENEW_EVERY_MS)
    try {
      const waiting = journal.listRuns().filter(each => each.status === 'waiting').length
      options.onEvent({ kind: 'serving', triggers: this.triggers.length, waiting, pid: this.host.identity?.().pid ?? 0 })
      const webhooks = this.triggers.flatMap(each => (is(each, 'webhook') ? [each.on.name] : []))
      if (listening !== undefined) options.onEvent({ kind: 'listening', url: listening.url, webhooks })
      if (options.signal.aborted) drain()
      await this.loop()
    } finally {
      if (!this.abort.signal.aborted) this.abort.abort('terminate')
      await this.http?.close() // S3
      await drives.idle()
      await this.announcer?.idle()
      clearInterval(renewing)
      options.signal.removeEventListener('abort', drain)
      for (const each of this.files) each.close()
    }
    return this.problem === null ? { kind: 'answer', value: { failures: drives.failures } } : { kind: 'refused', diagnostics: [this.problem] }
  }

  private async loop(): Promise<void> {
    while (!this.abort.signal.aborted) {
      this.isPoked = false
      try {
        await this.look()
      } catch (error) {
        if (!(error instanceof JournalError)) throw error
        this.stop(error.diagnostic)
      }
      if (this.abort.signal.aborted) return
      if (this.options.once && this.drives.runIds.length === 0 && !this.isDue && !this.files.some(each => each.isUnsettled)) return void (await this.announcer?.idle())
      await this.rest(Math.min(LOOK_EVERY_MS, ...this.files.map(each => each.restMs()), Math.max(0, (this.clocks.nextMs() ?? Infinity) - this.host.now())))
    }
  }

  private isDue = false

  /** Records what fired, and carries out what is due. // S2 */
  private async look(): Promise<void> {
    this.clocks.look()
    for (const each of this.files) {
      if (!(await each.look())) this.stop(serveErrors['too-many-files']({ pattern: each.pattern, most: MAX_WATCHED_FILES }))
    }
    if (this.abort.signal.aborted) return
    this.isDue = this.drives.look()
    this.lookForQuestions()
  }

  /** Questions of runs that no server drove. */
  private lookForQuestions(): void {
    const nowMs = this.host.monotonic()
    if (this.announcer === null || nowMs - this.lastQuestionsMs < QUESTIONS_EVERY_MS) return
    this.lastQuestionsMs = nowMs
    for (const summary of this.journal.listRuns()) if (summary.status === 'waiting') this.announcer.heard(summary, summary.waits ?? [])
  }

  private renew(): void {
    try {
      if (!this.journal.triggers!.renew(this.owner, this.host.now() + LEASE_MS)) this.stop(serveErrors['taken-over']({}))
    } catch (error) {
      if (!(error instanceof JournalError)) throw error // busy for now; what is recorded next tells
    }
  }

  private stop(problem: Diagnostic): void {
    this.problem ??= problem
    this.abort.abort('terminate')
    this.poke()
  }

  private poke(): void {
    this.isPoked = true
    this.wake?.()
  }

  private rest(ms: number): Promise<void> {
    if (this.isPoked) return new Promise(resolve => void setImmediate(resolve)) // whatever pokes it: signals and the lease's timer come in between
    return new Promise(resolve => {
      const timer = setTimeout(() => this.wake?.(), ms)
      this.wake = () => {
        clearTimeout(timer)
        this.wake = null
        resolve()
      }
    })
  }

  /** What `GET /status` answers. */
  private status(): unknown {
    const clocks = new Map(this.clocks.standing().map(({ trigger, nextMs, passed }) => [trigger.key, { nextMs, passed }]))
    return {
      version: 1,
      triggers: this.triggers.map(({ key, program, name, words }) => ({ program: program.shown, workflow: name, trigger: words, ...clocks.get(key) })),
      running: this.drives.runIds,
      waitingToBegin: this.journal.triggers!.due(''),
    }
  }
}

function is<Kind extends ServedTrigger['on']['kind']>(trigger: ServedTrigger, kind: Kind): trigger is ServedTrigger<Extract<ServedTrigger['on'], { kind: Kind }>> {
  return trigger.on.kind === kind
}

const tickingOf = (on: ClockTrigger) => (on.kind === 'every' ? everyTicks(on.intervalMs) : cronTicks(on.pattern, on.zone))

const isClock = (trigger: ServedTrigger): trigger is ServedTrigger<ClockTrigger> => trigger.on.kind === 'every' || trigger.on.kind === 'cron'

function unservable({ name, on }: ServedTrigger): Diagnostic[] {
  const wrongName = on.kind === 'webhook' && !WEBHOOK_NAME.test(on.name) ? `\`${on.name.slice(0, 100)}\` is no name for an address` : null
  const problem = on.kind === 'file' ? watchedPattern(on.pattern) : wrongName
  return typeof problem === 'string' ? [serveErrors['bad-trigger']({ workflow: name, problem })] : []
}

function unsigned(triggers: readonly ServedTrigger[], { http }: ServeOptions): Diagnostic[] {
  if (http.allowUnsigned || isLoopback(http.bind)) return []
  return triggers.flatMap(({ on }) => (on.kind === 'webhook' && on.secret === null ? [serveErrors['unsigned-webhook']({ name: on.name, address: http.bind })] : []))
}

const isLoopback = (address: string): boolean => address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)

/** The secret that signs a webhook, if the permit covers where it comes from; null where none does; or what is wrong with it. */
async function secretOf(host: Host, { on, name, program, workflow }: WebhookTrigger): Promise<string | Diagnostic | null> {
  if (on.secret === null) return null
  const secret = program.plan.secrets?.find(each => each.name === on.secret)
  if (secret === undefined) return serveErrors['bad-trigger']({ workflow: name, problem: `there is no secret \`${on.secret}\`` })
  const need = atHomeOf(host, needOf(secret.source))
  const isAllowed = program.permits.get(workflow)?.grants.some(each => containsGrant(atHomeOf(host, each), need, host.cwd, coreGrantKinds)) === true
  if (!isAllowed) return serveErrors['bad-trigger']({ workflow: name, problem: `nothing allows it \`${printGrant(need)}\`, where its secret comes from` })
  const value = await readSecret(host, host.cwd, secret)
  const isKey = typeof value !== 'string' || keyOf(value) !== null
  return isKey ? value : serveErrors['bad-trigger']({ workflow: name, problem: `its secret \`${on.secret}\` begins with \`whsec_\` and is not Base64 of at least ${MIN_KEY_BYTES} bytes` })
}

/** `~/x` in a grant as a path of whoever serves. */
function atHomeOf(host: Host, grant: Grant): Grant {
  return grant.name === 'fs.read' ? { ...grant, args: grant.args.map(each => atHome(host, each)) } : grant
}
