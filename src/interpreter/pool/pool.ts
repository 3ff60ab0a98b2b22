// Pool: worker threads for pure expressions that take long and for trusted tools that keep a processor busy.
// Owns: which job goes when and in what company, what becomes of a thread's crash. The only file that knows Piscina.
//   P1. It is for speed, not a boundary: only modules that tek ships or has been told to trust run here.
//   P2. Piscina starts, counts and ends threads. What it runs in a thread is a lane: a port over which jobs go straight to the thread,
//       because a message of our own costs a third of a Piscina task. A lane without work for LANE_IDLE_MS gives its thread back.
//   P3. Jobs go by rank; small ones together in one message of about BATCH_TARGET_MS, so that a message costs little and no thread idles.
//   P4. When a thread ends in the middle of a batch, its jobs are done again one by one; a job that was alone fails.
//   P5. No thread before the first job; threads that idle for IDLE_TIMEOUT_MS end.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { Failure, Outcome } from '#model/event.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolCall } from '#plugin-api/tool-runner.ts'
import type { CallJob, ContextRequest, ExpressionJob, Job, Lane, LaneAnswer, LaneMessage, LaneRequest } from './messages.ts'
import { RankHeap, type Ranked } from './rank-heap.ts'
import { askContext } from './remote-context.ts'

const IDLE_TIMEOUT_MS = 1_500
const LANE_IDLE_MS = 500
const BATCH_TARGET_MS = 2
const MAX_BATCH_JOBS = 128
/** Old-generation heap of one thread. */
const MAX_THREAD_HEAP_MB = 1_024
/** How long a tool that was given up may take to notice before its thread is ended. */
const ABORT_GRACE_MS = 500
/** How long a thread may take to be ready. */
const START_TIMEOUT_MS = 15_000
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

interface Waiting extends Ranked {
  readonly job: Job
  readonly resolve: (outcome: Outcome) => void
  /** What a tool in a thread may ask; null for what acts on nothing. */
  readonly context: ToolContext | null
  /** Not to share a message: it acts on the world, or a batch it was in has crashed. */
  isAlone: boolean
  isGivenUp: boolean
}

interface ThreadLane {
  readonly port: MessagePort
  readonly end: AbortController
  /** Sent and not yet answered, in order. */
  busy: Waiting[]
  /** Until the thread says that it is ready: ends the lane when it does not. */
  start: NodeJS.Timeout | null
  idle: NodeJS.Timeout | null
}

/** Makes a pool; nothing is started before the first job. // P5 */
export function makePool(options: PoolOptions): Pool {
  return new ThreadPool(options)
}

class ThreadPool implements Pool {
  private readonly options: PoolOptions
  private starting: Promise<Piscina> | null = null
  private piscina: Piscina | null = null
  private readonly waiting = new RankHeap<Waiting>()
  private readonly lanes = new Set<ThreadLane>()
  private readonly free: ThreadLane[] = []
  private meanMs = BATCH_TARGET_MS
  private submitted = 0
  private startProblem: unknown = null
  private isPumping = false
  private isClosed = false

  constructor(options: PoolOptions) {
    this.options = options
  }

  get threads(): number {
    return this.piscina?.threads.length ?? 0
  }

  evaluate(request: ExpressionRequest, signal: AbortSignal | null): Promise<Outcome> {
    const { rank, ...parts } = request
    return this.submit({ kind: 'expression', ...parts }, rank, signal, null)
  }

  call(request: CallRequest, signal: AbortSignal): Promise<Outcome> {
    const { url, call, context, isPure } = request
    const job: CallJob = { kind: 'call', url, call, context: isPure ? null : this.submitted, cwd: context.cwd, idempotencyKey: isPure ? '' : context.idempotencyKey, begunBefore: !isPure && context.begunBefore }
    return this.submit(job, request.rank, signal, isPure ? null : context)
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (let each = this.waiting.pop(); each !== undefined; each = this.waiting.pop()) each.resolve(givenUp)
    for (const lane of this.lanes) {
      for (const each of lane.busy.splice(0)) each.resolve(givenUp)
      if (lane.idle !== null) clearTimeout(lane.idle)
      started(lane)
      lane.port.close()
    }
    if (this.starting !== null) await (await this.starting).destroy()
  }

  private submit(job: Job, rank: number, signal: AbortSignal | null, context: ToolContext | null): Promise<Outcome> {
    if (this.isClosed || signal?.aborted) return Promise.resolve(givenUp)
    return new Promise(settle => {
      const giveUp = (): void => this.giveUp(waiting)
      const resolve = (outcome: Outcome): void => {
        signal?.removeEventListener('abort', giveUp) // one attempt may make many calls, all with its one signal
        settle(outcome)
      }
      const waiting: Waiting = { job, rank, order: this.submitted++, resolve, context, isAlone: context !== null, isGivenUp: false }
      signal?.addEventListener('abort', giveUp)
      this.waiting.push(waiting)
      if (this.isPumping) return
      this.isPumping = true
      queueMicrotask(() => this.pump()) // jobs that come in the same turn can share a message
    })
  }

  /** Answers at once; a thread at work on it alone is ended: for an expression now, for a tool, which can notice by itself, after a moment. */
  private giveUp(waiting: Waiting): void {
    waiting.isGivenUp = true
    waiting.resolve(givenUp)
    const lane = [...this.lanes].find(each => each.busy.length === 1 && each.busy[0] === waiting)
    if (lane === undefined) return
    if (waiting.context === null) return lane.end.abort()
    lane.port.postMessage({ kind: 'context', context: waiting.order, answer: { id: -1, abort: true } } satisfies LaneRequest)
    setTimeout(() => lane.busy[0] === waiting && lane.end.abort(), ABORT_GRACE_MS).unref()
  }

  private pump(): void {
    if (this.piscina === null) return void this.start().then(() => this.pump())
    this.isPumping = false
    while (!this.isClosed) {
      while (this.waiting.peek()?.isGivenUp) this.waiting.pop()
      if (this.waiting.size === 0) return
      const lane = this.free.pop() ?? (this.lanes.size < this.options.maxThreads ? this.openLane(this.piscina) : null)
      if (lane === null) return
      this.send(lane, this.nextBatch())
    }
  }

  private start(): Promise<Piscina> {
    this.starting ??= import('piscina').then(({ Piscina }) => {
      const { maxThreads, workerUrl = new URL('./pool-worker.mjs', import.meta.url), maxHeapMb = MAX_THREAD_HEAP_MB, onResize } = this.options
      const piscina = new Piscina({
        filename: workerUrl.href, name: 'work', minThreads: 0, maxThreads, idleTimeout: IDLE_TIMEOUT_MS,
        resourceLimits: { maxOldGenerationSizeMb: maxHeapMb }, recordTiming: false,
        execArgv: [], // flags for the process (a debugger's port, module conditions of a test runner) are not for its threads
      })
      piscina.on('workerCreate', () => onResize?.(piscina.threads.length))
      piscina.on('workerDestroy', () => onResize?.(piscina.threads.length))
      piscina.on('error', (error: unknown) => { // a thread that could not begin: whatever waits for one to begin will not get it
        this.startProblem = error
        for (const lane of this.lanes) if (lane.start !== null) lane.end.abort()
      })
      this.piscina = piscina
      return piscina
    })
    return this.starting
  }

  private openLane(piscina: Piscina): ThreadLane {
    const { port1, port2 } = new MessageChannel()
    const lane: ThreadLane = { port: port1, end: new AbortController(), busy: [], start: null, idle: null }
    lane.start = setTimeout(() => lane.end.abort(), START_TIMEOUT_MS)
    this.lanes.add(lane)
    port1.on('message', (message: LaneMessage) => (message.kind === 'outcomes' ? this.answered(lane, message) : asked(lane, message.context, message.request)))
    const over = (error: unknown): void => {
      port1.close()
      const neverBegan = lane.start !== null
      started(lane)
      if (lane.idle !== null) clearTimeout(lane.idle)
      this.lanes.delete(lane)
      const at = this.free.indexOf(lane)
      if (at !== -1) this.free.splice(at, 1)
      this.crashed(lane.busy.splice(0), neverBegan ? (this.startProblem ?? error) : error)
      this.pump()
    }
    piscina.run({ port: port2 } satisfies Lane, { transferList: [port2], signal: lane.end.signal }).then(() => over(null), over)
    return lane
  }

  /** The best job and, if it is small, others with it. // P3 */
  private nextBatch(): Waiting[] {
    const batch = [this.waiting.pop()!]
    if (batch[0]!.isAlone) return batch
    const fairShare = Math.ceil((this.waiting.size + 1) / this.options.maxThreads)
    const room = Math.min(MAX_BATCH_JOBS, Math.floor(BATCH_TARGET_MS / Math.max(this.meanMs, 0.001)), fairShare)
    while (batch.length < room) {
      const next = this.waiting.peek()
      if (next === undefined || next.isAlone) break
      this.waiting.pop()
      if (!next.isGivenUp) batch.push(next)
    }
    return batch
  }

  private send(lane: ThreadLane, batch: Waiting[]): void {
    lane.busy = batch
    lane.port.postMessage({ kind: 'jobs', jobs: batch.map(each => each.job) } satisfies LaneRequest)
  }

  private answered(lane: ThreadLane, { outcomes, elapsedMs }: LaneAnswer): void {
    started(lane)
    if (outcomes.length === 0) return
    const answered = lane.busy.splice(0, outcomes.length)
    if (!answered[0]!.isAlone) this.meanMs += (elapsedMs / outcomes.length - this.meanMs) * MEAN_WEIGHT
    outcomes.forEach((outcome, index) => answered[index]!.resolve(outcome))
    if (lane.busy.length > 0) return
    this.free.push(lane)
    if (lane.idle === null) lane.idle = setTimeout(() => this.closeLane(lane), LANE_IDLE_MS)
    else lane.idle.refresh() // also after it has fired
    this.pump()
  }

  private closeLane(lane: ThreadLane): void {
    const at = this.free.indexOf(lane)
    if (at === -1) return // at work again
    this.free.splice(at, 1)
    lane.port.postMessage({ kind: 'end' } satisfies LaneRequest)
  }

  private crashed(batch: Waiting[], error: unknown): void {
    if (batch.length === 1) return batch[0]!.resolve({ kind: 'failure', failure: crashFailure(error) }) // P4
    for (const each of batch) {
      if (each.isGivenUp) continue
      each.isAlone = true
      this.waiting.push(each)
    }
  }
}

/** A tool asks its context: only the call that is under way on its lane is heard. // M2 of messages.ts */
function asked(lane: ThreadLane, number: number, request: ContextRequest): void {
  const [waiting] = lane.busy
  if (waiting === undefined || waiting.context === null || waiting.order !== number) return
  askContext(waiting.context, request, answer => lane.port.postMessage({ kind: 'context', context: number, answer } satisfies LaneRequest))
}

function started(lane: ThreadLane): void {
  if (lane.start === null) return
  clearTimeout(lane.start)
  lane.start = null
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
