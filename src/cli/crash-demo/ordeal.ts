// Ordeal: a program is run, killed with SIGKILL at random instants and gone on with in a new process, until it is done.
// Owns: the processes, the instants, the verdict. Does not own: the counts (effect-server.ts), how it looks (picture.ts).
//   O1. The processes are the real command line: `tek run`, then `tek resume`, each a process of its own, ended by SIGKILL from outside.
//   O2. An instant is random in two ways: some kills come a random time after a process began (it may be starting still), the others a random number of
//       requests later and then some random milliseconds. The numbers are drawn so that the kills spread over the whole run.
//   O3. Nothing is judged by what tek says alone: lost and doubled come from the server's counts, and what was finished from the journal as it lies there after a kill.
//   O4. A process that says nothing for SILENT_MS is given up: the demo fails, it does not hang.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'
import type { RunNotice } from '#model/report.ts'
import type { Counts, EffectServer } from './effect-server.ts'
import { expectedResult, programName, WIDTH } from './program.ts'

const SILENT_MS = 60_000
/** How long after its kill was due a process may still live. */
const AFTERWARDS_MS = 12
const STARTING_EVERY = 4
const FIRST_START_MS = 400
const MAX_WORDS_KEPT = 4_000

export interface OrdealSettings {
  readonly tasks: number
  readonly kills: number
  /** Holds the program. */
  readonly folder: string
  readonly server: EffectServer
  /** Words before `run` and `resume`. */
  readonly command: readonly string[]
  /** Indexes of the tasks that the journal has as done; null where it has no run. */
  readonly doneTasks: () => Promise<ReadonlySet<number> | null>
  readonly signal: AbortSignal
  readonly onProgress: (progress: OrdealProgress) => void
}

export interface Kill {
  readonly pid: number
  /** How long it had lived. */
  readonly livedMs: number
  /** What the journal has as done. */
  readonly done: number
  readonly counts: Counts
}

export interface OrdealProgress {
  readonly kills: readonly Kill[]
  readonly pid: number | null
  readonly done: number
  readonly counts: Counts
}

export interface Verdict extends Counts {
  readonly asked: number
  readonly kills: readonly Kill[]
  /** Tasks without any effect. */
  readonly lost: number
  /** Effects beyond the first of a task. */
  readonly doubled: number
  /** Requests of tasks that were recorded as done before the process that sent them began. */
  readonly repeated: number
  readonly result: 'right' | 'wrong' | 'none'
  /** What the last process said when there is no result. */
  readonly words: string
}

/** Whether it went as tek promises. */
export const isKept = ({ lost, doubled, repeated, result }: Verdict): boolean => lost === 0 && doubled === 0 && repeated === 0 && result === 'right'

interface Life {
  readonly killed: boolean
  readonly livedMs: number
  readonly outcome: unknown
  readonly words: string
}

/** After a time, or after so many requests, whichever comes first. */
interface Instant {
  readonly ms: number | null
  readonly requests: number
}

export class Ordeal {
  private readonly settings: OrdealSettings
  private readonly kills: Kill[] = []
  private done: ReadonlySet<number> = new Set()
  private shownDone = 0
  private repeated = 0
  private startMs = FIRST_START_MS
  private pid: number | null = null

  constructor(settings: OrdealSettings) {
    this.settings = settings
  }

  async run(): Promise<Verdict> {
    const { kills, server, tasks } = this.settings
    let life: Life = { killed: true, livedMs: 0, outcome: undefined, words: '' }
    let hasRun = false
    for (let lives = 0; life.killed && !this.settings.signal.aborted; lives++) {
      const before = this.done
      const remaining = kills - this.kills.length
      life = await this.live(hasRun ? ['resume'] : ['run', programName, '--tasks', String(tasks)], remaining === 0 ? null : this.instant(lives, remaining), task => { if (before.has(task)) this.repeated++ })
      if (!life.killed) break
      const done = await this.settings.doneTasks() // O3
      hasRun ||= done !== null
      if (done !== null) this.done = done
      this.shownDone = this.done.size
      this.kills.push({ pid: this.pid!, livedMs: life.livedMs, done: this.done.size, counts: server.counts() })
      this.pid = null
      this.tell()
    }
    return this.verdict(life)
  }

  /** When the next process is killed. Some work is always left for the one after it. // O2 */
  private instant(lives: number, remaining: number): Instant {
    const left = this.settings.tasks - this.settings.server.counts().affected
    const most = Math.max(1, left - 2 * WIDTH)
    if (lives % STARTING_EVERY === STARTING_EVERY - 1) return { ms: Math.random() * this.startMs * 1.2, requests: most }
    return { ms: null, requests: 1 + Math.floor(Math.random() * Math.min(most, (2 * left) / (remaining + 1))) }
  }

  private live(words: readonly string[], instant: Instant | null, onTask: (task: number) => void): Promise<Life> {
    const { command, folder, server, signal } = this.settings
    const [program = '', ...first] = command
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, ...(process.env['SystemRoot'] === undefined ? {} : { SystemRoot: process.env['SystemRoot'] }) }
    const began = performance.now()
    const child = spawn(program, [...first, ...words, '--allow-all', '--json'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }) // O1
    this.pid = child.pid ?? null
    let [isDue, said, outcome] = [false, '', undefined as unknown]
    const kill = (): void => {
      isDue = true
      child.kill('SIGKILL')
    }
    const timers: NodeJS.Timeout[] = []
    if (instant !== null && instant.ms !== null) timers.push(setTimeout(kill, instant.ms))
    let requests = 0
    server.onRequest = task => {
      onTask(task)
      if (requests++ === 0) this.startMs = performance.now() - began
      if (requests === instant?.requests) timers.push(setTimeout(kill, Math.random() * AFTERWARDS_MS))
      this.tell()
    }
    const silence = setTimeout(() => child.kill('SIGKILL'), SILENT_MS) // O4
    const heard = listen(child, text => { said = (said + text).slice(-MAX_WORDS_KEPT) }, notice => {
      silence.refresh()
      if (notice.kind === 'progress') this.shownDone = Math.max(this.shownDone, notice.tasks.done - 1) // one of them makes the list
      if (notice.kind === 'run-finished') outcome = notice.summary.outcome
      this.tell()
    })
    signal.addEventListener('abort', kill)
    return new Promise(resolve => {
      const end = (): void => {
        for (const timer of [...timers, silence]) clearTimeout(timer)
        signal.removeEventListener('abort', kill)
        server.onRequest = onTask // what was on its way from the dead process
        void heard.then(() => resolve({ killed: isDue && child.signalCode === 'SIGKILL', livedMs: performance.now() - began, outcome, words: said.trim() }))
      }
      child.once('error', error => {
        said = error.message
        end()
      })
      child.once('close', end)
    })
  }

  private tell(): void {
    this.settings.onProgress({ kills: this.kills, pid: this.pid, done: Math.max(0, this.shownDone), counts: this.settings.server.counts() })
  }

  private verdict(last: Life): Verdict {
    const { server, tasks, kills } = this.settings
    const effects = Array.from({ length: tasks }, (_, task) => server.effectsOf(task))
    const value = (last.outcome as { readonly value?: unknown } | undefined)?.value
    return {
      ...server.counts(), asked: kills, kills: this.kills,
      lost: effects.filter(count => count === 0).length,
      doubled: effects.reduce((sum, count) => sum + Math.max(0, count - 1), 0),
      repeated: this.repeated,
      result: value === undefined ? 'none' : isDeepStrictEqual(value, expectedResult(tasks)) ? 'right' : 'wrong',
      words: value === undefined ? last.words : '',
    }
  }
}

/** Hears what a process says until it has said all. */
async function listen(child: ChildProcess, onWords: (text: string) => void, onNotice: (notice: RunNotice) => void): Promise<void> {
  child.stderr!.setEncoding('utf8').on('data', onWords)
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!/^\{"version":1,"kind":"(?:progress|run-finished)"/.test(line)) {
      if (!line.startsWith('{"version":1,"kind"')) onWords(`${line}\n`)
      continue
    }
    try {
      onNotice(JSON.parse(line) as RunNotice)
    } catch {
      // Cut off by the kill.
    }
  }
}
