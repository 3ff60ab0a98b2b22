// Outside: the world that simulated runs act on: a server, a disk of files, a clock. It outlives every process, and remembers who did what.
//   O1. What it answers depends on the key of a call alone: a call that shows another key after a crash is answered otherwise, and counted.
//   O2. At each effect it looks at what is durable: nothing is done of which the intent is not, and nothing again of which the outcome is.
import { sha256 } from '#base/hash.ts'
import type { Host, HttpRequest, HttpResponse } from '#host/host.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { memoryHost, type MemoryHost } from '#testing/memory-host.ts'
import { random } from '../compiler/random-programs.ts'
import { Killed } from './disk.ts'
import type { Loop, SimulatedProcess } from './loop.ts'
import type { Observed } from './observed.ts'

export const TOKEN = 'simulated-token-7f3a9c'
const LONGEST_ANSWER_MS = 60

/** A call as it reached the world. */
interface Begun {
  readonly pid: number
  readonly name: string
}

class Refused extends Error {
  readonly code: string
  readonly retryable: boolean
  constructor(code: string, retryable: boolean) {
    super(code)
    this.code = code
    this.retryable = retryable
  }
}

export class Outside {
  readonly files: MemoryHost
  /** Every time a key was worked on, by key. */
  readonly begun = new Map<string, Begun[]>()
  readonly violations: string[] = []
  /** Several processes may hold themselves for the driver: what only looks may be done by each. */
  isContested = false
  /** Posts that were received, repeats included. */
  posts = 0
  private readonly seed: number
  private readonly loop: Loop
  private readonly next: () => number
  private readonly observed: () => Observed | null
  private readonly journal: () => Journal

  constructor(seed: number, loop: Loop, observed: () => Observed | null, journal: () => Journal) {
    this.seed = seed
    this.loop = loop
    this.next = random(seed * 17 + 3)
    this.observed = observed
    this.journal = journal
    this.files = memoryHost()
  }

  /** The machine as one process sees it. */
  hostOf(process: SimulatedProcess, cpus: number, isAlive: (pid: number) => boolean): Host {
    const { loop } = this
    let drawn = 0
    const host: Host = {
      ...this.files,
      now: () => loop.wallMs(), monotonic: () => loop.look(),
      // The same run id in every history of a seed; owners of leases are each process's own.
      randomHex: bytes => sha256(bytes === 12 ? `owner ${process.pid} ${drawn++}` : `random ${this.seed} ${bytes}`).slice(0, bytes * 2),
      env: name => (name === 'TOKEN' ? TOKEN : undefined),
      identity: () => ({ pid: process.pid, hostName: 'simulated', bootId: 'boot' }),
      isAlive,
      fetch: (request, signal) => this.post(process, request, signal),
      machine: () => ({ cpus, memoryBytes: 4_000_000_000, platform: 'linux', nodeVersion: '20.19.0' }),
    }
    delete (host as { sleep?: unknown }).sleep
    return host
  }

  toolsOf(process: SimulatedProcess): ToolRunner {
    return {
      pure: (module, fn) => (module === 'text' && fn === 'count' ? ({ text, part }) => String(text).split(String(part)).length - 1 : null),
      threadModule: () => null,
      close: async () => {},
      call: async ({ module, fn, args }, context): Promise<Outcome> => {
        try {
          return { kind: 'value', value: await this.act(process, `${module}.${fn}`, args, context) }
        } catch (error) {
          const { code = 'test/failed', message, retryable = false } = error as { code?: string; message: string; retryable?: boolean }
          return { kind: 'failure', failure: { code, message, task: '', retryable } }
        }
      },
    }
  }

  private async act(process: SimulatedProcess, name: string, args: Readonly<Record<string, Value>>, context: ToolContext): Promise<Value> {
    const { idempotencyKey: key } = context
    switch (name) {
      case 'http.post': {
        const bearer = args['bearer']
        if (bearer !== undefined && bearer !== null && bearer !== TOKEN) this.violations.push('a tool was not given the secret itself')
        const { status } = await context.fetch(String(args['url']), { method: 'POST', body: String(args['body']), headers: { 'idempotency-key': key, 'x-from': String(bearer ?? '') } })
        return { ok: status < 400, status, body: String(bearer ?? 'done') }
      }
      case 'fs.write': {
        this.begins(process, key, name, true)
        await this.takesTime(context.signal)
        await context.files.writeText(String(args['path']), String(args['text']))
        return null
      }
      default:
        this.begins(process, key, name, false)
        await this.takesTime(context.signal)
        return this.answerTo(name, String(args['path'] ?? args['pattern']), key)
    }
  }

  private async post(process: SimulatedProcess, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const key = request.headers['idempotency-key']!
    const way = new URL(request.url).pathname.split('/')[1]
    this.begins(process, key, `http.post ${way}`, true)
    this.posts++
    if (this.decisions() < this.posts) this.violations.push(`http.post was begun before its decision was durable (${key})`)
    const draw = this.drawOf(key)
    if (way === 'hang' && draw < 0.45) await aborted(signal)
    await this.takesTime(signal)
    if (way === 'flaky' && draw < 0.45) throw new Refused('test/busy', true)
    if (way === 'bad' && draw < 0.5) throw new Refused('test/bad', false)
    const status = way === 'coin' ? 200 + Math.floor(draw * 2) : way === 'kept' ? 207 : 200 + Math.floor(draw * 90)
    return { status, headers: {}, body: '', url: request.url }
  }

  /** O1. */
  private answerTo(name: string, path: string, key: string): Value {
    const draw = this.drawOf(path.startsWith('kept') ? path : key)
    if (name === 'fs.exists') return draw < 0.6
    if (name === 'fs.glob') return Array.from({ length: 1 + Math.floor(draw * 5) }, (_, index) => `f${index}`)
    if (path.startsWith('flaky') && draw < 0.45) throw new Refused('test/busy', true)
    if (path.startsWith('bad') && draw < 0.5) throw new Refused('test/bad', false)
    return 'x'.repeat(path.startsWith('coin') ? Math.floor(draw * 2) : Math.floor(draw * 40))
  }

  /** O2. */
  private begins(process: SimulatedProcess, key: string, name: string, isWrite: boolean): void {
    if (process.isDead) throw new Killed() // what still unwinds in it
    const observed = this.observed()
    if (observed?.finished.has(key) === true && (isWrite || !this.isContested)) this.violations.push(`${name} was made again though its outcome is durable (${key})`)
    if (isWrite && observed?.announced.has(key) !== true) this.violations.push(`${name} was begun before its intent was durable (${key})`)
    const before = this.begun.get(key) ?? []
    if (before.some(each => each.pid === process.pid)) this.violations.push(`${name} was made twice by one process (${key})`)
    this.begun.set(key, [...before, { pid: process.pid, name }])
  }

  /** Durable decisions about the server. */
  private decisions(): number {
    return this.journal().audit.rows(0, 1_000_000).filter(row => row.body.includes('"decision"') && row.body.includes('net')).length
  }

  private drawOf(key: string): number {
    return Number.parseInt(sha256(`${this.seed} ${key}`).slice(0, 8), 16) / 2 ** 32
  }

  private takesTime(signal: AbortSignal): Promise<void> {
    return Promise.race([this.loop.sleep(this.next() * LONGEST_ANSWER_MS), aborted(signal)])
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const gaveUp = (): Refused => new Refused('test/given-up', false)
  return new Promise((_, reject) => {
    if (signal.aborted) reject(gaveUp())
    else signal.addEventListener('abort', () => reject(gaveUp()), { once: true })
  })
}
