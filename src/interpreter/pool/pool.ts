// Pool: worker threads for pure expressions that take long and for trusted tools that keep a processor busy.
// Owns: which job goes when and in what company, what becomes of a thread's crash. The only file that knows Piscina.
//   P1. It is for speed, not a boundary: only modules that tek ships or has been told to trust run here.
//   P2. Jobs go by rank; small ones together in one message of about BATCH_TARGET_MS, so that a message costs little and no thread idles.
//   P3. When a thread ends in the middle of a batch, its jobs are done again one by one; a job that was alone fails.
//   P4. No thread before the first job; threads that idle for IDLE_TIMEOUT_MS end.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { Failure, Outcome } from '#model/event.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { Batch, BatchAnswer, CallJob, ExpressionJob, Job } from './messages.ts'
import { serveContext } from './remote-context.ts'

const IDLE_TIMEOUT_MS = 2_000
const BATCH_TARGET_MS = 2
const MAX_BATCH_JOBS = 128
/** Old-generation heap of one thread. */
const MAX_THREAD_HEAP_MB = 1_024
/** How long a tool that was given up may take to notice before its thread is ended. */
const ABORT_GRACE_MS = 500
/** Weight of the newest job in the mean duration. */
const MEAN_WEIGHT = 0.2

export interface PoolOptions {
  readonly maxThreads: number
  /** Built entry of the threads; default `pool-worker.mjs` beside this program. */
  readonly workerUrl?: URL
  readonly maxHeapMb?: number
  /** Called whenever the number of threads has changed. */
  readonly onResize?: (threads: number) => void
}

export interface ExpressionRequest extends Omit<ExpressionJob, 'kind'> {
  readonly rank: number
}

export interface CallRequest {
  readonly url: string
  readonly call: ToolCall
  /** A pure function needs no context. */
  readonly isPure: boolean
  readonly context: ToolContext
  readonly rank: number
}

export interface Pool {
  evaluate(request: ExpressionRequest, signal: AbortSignal | null): Promise<Outcome>
  call(request: CallRequest, signal: AbortSignal): Promise<Outcome>
  readonly threads: number
  close(): Promise<void>
}

interface Waiting {
  readonly job: Job
  readonly rank: number
  readonly signal: AbortSignal | null
  readonly resolve: (outcome: Outcome) => void
  /** Not to share a message: it acts on the world, or a batch it was in has crashed. */
  isAlone: boolean
  isGivenUp: boolean
}

/** Makes a pool; nothing is started before the first job. // P4 */
export function makePool(options: PoolOptions): Pool {
  return new ThreadPool(options)
}

class ThreadPool implements Pool {
  private readonly options: PoolOptions
  private piscina: Promise<Piscina> | null = null
  private running: Piscina | null = null
  private readonly waiting: Waiting[] = []
  private batches = 0
  private meanMs = BATCH_TARGET_MS
  private isPumping = false
  private isClosed = false

  constructor(options: PoolOptions) {
    this.options = options
  }

  get threads(): number {
    return this.running?.threads.length ?? 0
  }

  evaluate(request: ExpressionRequest, signal: AbortSignal | null): Promise<Outcome> {
    const { rank, ...parts } = request
    return this.submit({ kind: 'expression', ...parts }, rank, signal, false)
  }

  call(request: CallRequest, signal: AbortSignal): Promise<Outcome> {
    const { url, call, context, isPure } = request
    const job: CallJob = { kind: 'call', url, call, port: null, cwd: context.cwd, idempotencyKey: context.idempotencyKey }
    if (isPure) return this.submit(job, request.rank, signal, false)
    const { port1, port2 } = new MessageChannel()
    serveContext(port1, context)
    return this.submit({ ...job, port: port2 }, request.rank, signal, true).finally(() => port1.close())
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (const each of this.waiting.splice(0)) each.resolve(givenUp)
    if (this.piscina !== null) await (await this.piscina).destroy()
  }

  private submit(job: Job, rank: number, signal: AbortSignal | null, isAlone: boolean): Promise<Outcome> {
    if (this.isClosed || signal?.aborted) return Promise.resolve(givenUp)
    return new Promise(resolve => {
      const waiting: Waiting = { job, rank, signal, resolve, isAlone, isGivenUp: false }
      signal?.addEventListener('abort', () => this.giveUp(waiting), { once: true })
      this.waiting.push(waiting)
      if (this.isPumping) return
      this.isPumping = true
      queueMicrotask(() => void this.pump()) // jobs that come in the same turn can share a message
    })
  }

  private giveUp(waiting: Waiting): void {
    waiting.isGivenUp = true
    const at = this.waiting.indexOf(waiting)
    if (at !== -1) this.waiting.splice(at, 1)
    waiting.resolve(givenUp)
  }

  private async pump(): Promise<void> {
    const piscina = await this.start()
    this.isPumping = false
    while (this.waiting.length > 0 && this.batches < this.options.maxThreads && !this.isClosed) void this.send(piscina, this.nextBatch())
  }

  private start(): Promise<Piscina> {
    this.piscina ??= import('piscina').then(({ Piscina }) => {
      const { maxThreads, workerUrl = new URL('./pool-worker.mjs', import.meta.url), maxHeapMb = MAX_THREAD_HEAP_MB, onResize } = this.options
      const piscina = new Piscina({
        filename: workerUrl.href, name: 'work', minThreads: 0, maxThreads, idleTimeout: IDLE_TIMEOUT_MS,
        resourceLimits: { maxOldGenerationSizeMb: maxHeapMb }, recordTiming: false,
      })
      piscina.on('workerCreate', () => onResize?.(piscina.threads.length))
      piscina.on('workerDestroy', () => onResize?.(piscina.threads.length))
      piscina.on('error', () => {}) // each job's own promise says what went wrong
      this.running = piscina
      return piscina
    })
    return this.piscina
  }

  /** The best job and, if it is small, others of the same kind with it. // P2 */
  private nextBatch(): Waiting[] {
    const first = this.takeBest()
    if (first.isAlone) return [first]
    const fairShare = Math.ceil((this.waiting.length + 1) / this.options.maxThreads)
    const room = Math.max(1, Math.min(MAX_BATCH_JOBS, Math.floor(BATCH_TARGET_MS / Math.max(this.meanMs, 0.001)), fairShare))
    const batch = [first]
    while (batch.length < room && this.waiting.length > 0) {
      const next = this.takeBest(each => !each.isAlone)
      if (next === undefined) break
      batch.push(next)
    }
    return batch
  }

  private takeBest(): Waiting
  private takeBest(isFit: (waiting: Waiting) => boolean): Waiting | undefined
  private takeBest(isFit?: (waiting: Waiting) => boolean): Waiting | undefined {
    let best = -1
    for (let i = 0; i < this.waiting.length; i++) {
      if (isFit !== undefined && !isFit(this.waiting[i]!)) continue
      if (best === -1 || this.waiting[i]!.rank > this.waiting[best]!.rank) best = i
    }
    return best === -1 ? undefined : this.waiting.splice(best, 1)[0]
  }

  private async send(piscina: Piscina, batch: Waiting[]): Promise<void> {
    this.batches++
    const ports = batch.flatMap(({ job }): MessagePort[] => (job.kind === 'call' && job.port !== null ? [job.port] : []))
    const end = batch.length === 1 ? endWith(batch[0]!) : null
    try {
      const answer = (await piscina.run({ jobs: batch.map(each => each.job) } satisfies Batch, {
        ...(ports.length > 0 ? { transferList: ports } : {}),
        ...(end === null ? {} : { signal: end }),
      })) as BatchAnswer
      answer.outcomes.forEach((outcome, index) => {
        if (!batch[index]!.isAlone) this.meanMs += (answer.elapsedMs[index]! - this.meanMs) * MEAN_WEIGHT
        batch[index]!.resolve(outcome)
      })
    } catch (error) {
      this.crashed(batch, error)
    } finally {
      this.batches--
      if (this.waiting.length > 0 && !this.isPumping) void this.pump()
    }
  }

  private crashed(batch: Waiting[], error: unknown): void {
    if (batch.length === 1) return batch[0]!.resolve({ kind: 'failure', failure: crashFailure(error) }) // P3
    for (const each of batch) {
      if (each.isGivenUp) continue
      each.isAlone = true
      this.waiting.push(each)
    }
  }
}

/** Ends the thread of a job that was given up: at once for an expression, after a moment for a tool, which can notice by itself. */
function endWith(waiting: Waiting): AbortSignal | null {
  if (waiting.signal === null) return null
  const end = new AbortController()
  waiting.signal.addEventListener('abort', () => {
    if (waiting.job.kind === 'expression' || waiting.job.port === null) return end.abort()
    setTimeout(() => end.abort(), ABORT_GRACE_MS).unref()
  }, { once: true })
  return end.signal
}

const givenUp: Outcome = { kind: 'failure', failure: { code: 'run/cancelled', message: 'The task was given up.', task: '', retryable: false } }

function crashFailure(error: unknown): Failure {
  const { code, message } = error as { code?: string; message?: string }
  const reason = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it used up its memory' : (message ?? String(error))
  return {
    code: 'run/worker-crashed', message: `The thread that worked on this ended: ${reason}.`, task: '', retryable: false,
    help: 'Work on less at once: it may have run out of memory.',
  }
}
