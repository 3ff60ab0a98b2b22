// Keeper: keeps a run its process's own, and hears who wants it stopped.
// Owns: taking, renewing and giving back the lease; looking for requests to stop, and for others. Does not own: what a lease is (journal/lease.ts),
// how a run stops and what requests do (driver.ts).
//   K1. The lease is taken before anything of the run is done, and renewed by a timer of its own, not by the driver's turns.
//   K2. Who lost the lease learns it at the next look, and before that from the journal, which refuses what it would record. `check`
//       throws from then on: nothing is begun any more.
//   K3. A lease that ran out because the process slept is asked about before anything else is begun.
//   K4. Looking for requests to stop is no part of the driver's loop: `check` reads what the timer saw. `lookNow`, before an effect, looks itself.
//   K5. The mailbox is looked at by the timer too; a request is handed on once, and stays in the journal until the run has recorded what came of it.
//   K6. Once the journal's file was taken away, `check` throws as well: what SQLite goes on writing then, nobody can read.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import { JournalError, type Journal, type PendingRequest } from '#interpreter/journal/journal.ts'
import { isHeld, LEASE_MS, RENEW_EVERY_MS, type Lease } from '#interpreter/journal/lease.ts'

/** Milliseconds between two looks for a request to stop. */
const LOOK_EVERY_MS = 200
const OWNER_BYTES = 12

export interface StopReason {
  readonly reason: 'interrupt' | 'terminate' | 'stop-file'
  readonly detail: string
  /** No effect is begun from now on, not even by a call under way. */
  readonly isKill: boolean
  /** Milliseconds that calls under way may take to end. */
  readonly graceMs: number
}

/** How long calls under way may take to end after an interrupt, or a signal to end, unless told: together with what a program is given to end after a
 * signal, within two seconds. */
const STOP_GRACE_MS = 1_000
/** The same where a kill switch asked. */
const KILL_GRACE_MS = 250

const stopFileReason: StopReason = { reason: 'stop-file', detail: 'the file .tek/STOP', isKill: true, graceMs: KILL_GRACE_MS }
const stopCommandReason: StopReason = { reason: 'terminate', detail: '`tek stop`', isKill: true, graceMs: KILL_GRACE_MS }
const interruptReason: StopReason = { reason: 'interrupt', detail: '', isKill: true, graceMs: STOP_GRACE_MS }

export interface KeeperSettings {
  readonly host: Host
  readonly journal: Journal
  /** Absolute path of a file that stops every run here while it exists. */
  readonly stopFile?: string
  readonly signal?: AbortSignal
  /** Milliseconds that calls under way may take to end after a signal to end. */
  readonly drainMs?: number
}

/** A lease for this process; null where it has no others beside it. */
export function newLease(host: Host): Lease | null {
  const here = host.identity?.()
  return here === undefined ? null : { ...here, owner: host.randomHex(OWNER_BYTES), expiresMs: host.now() + LEASE_MS }
}

/** Whether the file that stops every run is there. */
export async function stopFileExists({ host, stopFile }: Pick<KeeperSettings, 'host' | 'stopFile'>): Promise<boolean> {
  return stopFile !== undefined && (await host.files.stat(stopFile).catch(() => null)) !== null
}

const noRequests: readonly PendingRequest[] = []

export class Keeper {
  private readonly settings: KeeperSettings
  private readonly runId: string
  private readonly lease: Lease | null
  private expiresMs: number
  private renewedMs: number
  private asked: StopReason | null = null
  /** Requests that were not handed on yet; the last that was seen. // K5 */
  private requests: PendingRequest[] = []
  private seenRequest = 0
  private isLost = false
  private removed: JournalError | null = null
  private timer: NodeJS.Timeout | null = null
  private wake = (): void => {}
  private renewed = (): void => {}

  /** Of a run whose lease is this process's already, or that needs none. */
  constructor(settings: KeeperSettings, runId: string, lease: Lease | null) {
    this.settings = settings
    this.runId = runId
    this.lease = lease
    this.expiresMs = lease?.expiresMs ?? Infinity
    this.renewedMs = settings.host.monotonic()
  }

  /**
   * Takes the lease of a recorded run.
   *
   * @throws {JournalError} `run/being-driven` when another process holds it.
   */
  static take(settings: KeeperSettings, runId: string): { readonly keeper: Keeper; readonly owner: string | undefined } {
    const lease = newLease(settings.host)
    const holder = lease === null ? null : settings.journal.takeLease(runId, lease, held => isHeld(held, settings.host))
    if (holder !== null) throw new JournalError(runErrors['being-driven']({ runId, pid: holder.pid, hostName: holder.hostName }))
    return { keeper: new Keeper(settings, runId, lease), owner: lease?.owner }
  }

  /** Looks around from now on: `wake` is called when there is something to heed, `renewed` after each renewal. // K1 */
  start(wake: () => void, renewed: () => void): void {
    this.wake = wake
    this.renewed = renewed
    this.settings.signal?.addEventListener('abort', wake)
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS)
    this.timer.unref()
    this.lookAtMailbox()
  }

  /** Requests that came since this was asked last. // K5 */
  newRequests(): readonly PendingRequest[] {
    if (this.requests.length === 0) return noRequests
    const requests = this.requests
    this.requests = []
    return requests
  }

  /** The same after a look into the mailbox now. */
  lookForRequests(): readonly PendingRequest[] {
    this.lookAtMailbox()
    return this.newRequests()
  }

  /**
   * What stands in the way of going on; asked before every turn of the loop.
   *
   * @throws {JournalError} `run/lease-lost` once the run is another's. // K2
   */
  check(): StopReason | null {
    if (this.settings.host.now() >= this.expiresMs) this.renew() // K3
    if (this.isLost) throw new JournalError(runErrors['lease-lost']({ runId: this.runId }))
    if (this.removed !== null) throw this.removed
    if (this.asked !== null) return this.asked
    const { signal, drainMs } = this.settings
    if (signal?.aborted !== true) return null
    return signal.reason === 'terminate' ? { reason: 'terminate', detail: 'a signal to end', isKill: false, graceMs: drainMs ?? STOP_GRACE_MS } : interruptReason
  }

  /** Looks at every kill switch now. // K4 */
  lookNow(): StopReason | null {
    const { host, stopFile } = this.settings
    if (stopFile !== undefined && host.files.statSync(stopFile) !== null) this.asked ??= stopFileReason
    if (this.asked === null) this.lookAtLease()
    return this.check()
  }

  /** Gives the lease back. A journal that fails now has said so before, or says so to the next who uses it. */
  close(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.settings.signal?.removeEventListener('abort', this.wake)
    try {
      if (this.lease !== null) this.settings.journal.releaseLease(this.runId, this.lease.owner)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
    }
  }

  private async look(): Promise<void> {
    if (this.lease !== null) {
      try {
        if (this.settings.host.monotonic() - this.renewedMs >= RENEW_EVERY_MS) this.renew()
      } catch (error) {
        if (!(error instanceof JournalError)) throw error // busy for now; the next look or the next record tells
      }
      this.lookAtLease()
    }
    this.lookAtMailbox()
    if (await stopFileExists(this.settings)) this.asked ??= stopFileReason
    if (this.isLost || this.removed !== null || this.asked !== null || this.requests.length > 0) this.wake()
  }

  private lookAtMailbox(): void {
    try {
      for (const request of this.settings.journal.mailbox.pending(this.runId)) {
        if (request.id <= this.seenRequest) continue
        this.seenRequest = request.id
        this.requests.push(request)
      }
    } catch (error) {
      if (!(error instanceof JournalError)) throw error // busy for now: the next look
    }
  }

  private lookAtLease(): void {
    if (this.lease === null) return
    const { host, journal } = this.settings
    try {
      const { isOwner, isAskedToStop } = journal.standing(this.runId, this.lease.owner)
      if (!isOwner) this.isLost = true
      else if (isAskedToStop && this.asked === null) {
        this.asked = stopCommandReason
        journal.stopSeen(this.runId, this.lease.owner, host.now())
      }
    } catch (error) {
      if (!(error instanceof JournalError)) throw error // the same
      if (error.diagnostic.code === 'run/journal-removed') this.removed = error // K6
    }
  }

  private renew(): void {
    const { host, journal } = this.settings
    const expiresMs = host.now() + LEASE_MS
    if (!journal.renewLease(this.runId, this.lease!.owner, expiresMs)) this.isLost = true
    else {
      this.expiresMs = expiresMs
      this.renewedMs = host.monotonic()
      this.renewed()
    }
  }
}
