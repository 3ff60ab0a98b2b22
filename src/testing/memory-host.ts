// Memory host: a whole Host in memory, for tests: files, a clock that moves when told to, scripted commands and answers.
// Owns: the script. Does not own: guarding; wrap it with `makeToolContext` as the interpreter does.
//   H1. Nothing outside is touched; the same script gives the same run. Randomness is a counter's hash.
import { sha256 } from '#base/hash.ts'
import { HostError, type Command, type CommandResult, type Host, type HttpRequest, type HttpResponse } from '#host/host.ts'
import { MemoryFiles } from './memory-files.ts'

const MAX_REDIRECTS = 10

export interface MemoryHostOptions {
  /** Absolute; default `/project`. */
  readonly cwd?: string
  /** Path (relative to `cwd` or absolute) → content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Path of the link → where it leads. */
  readonly links?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds since 1970 at the start; default 2026-01-01. */
  readonly nowMs?: number
  /** What a command does. Undefined: there is no such program. May throw HostError. */
  readonly command?: (command: Command, signal: AbortSignal) => Partial<CommandResult> | undefined | Promise<Partial<CommandResult> | undefined>
  /** What an address answers. Undefined: nothing answers there. A 3xx with a `location` header is followed as the real host does. */
  readonly answer?: (request: HttpRequest) => Partial<HttpResponse> | undefined | Promise<Partial<HttpResponse> | undefined>
}

export interface MemoryHost extends Host {
  readonly files: MemoryFiles
  /** Commands that were run, in order. */
  readonly commands: readonly Command[]
  readonly requests: readonly HttpRequest[]
  /** Moves the clock; sleepers that are due wake up in order. */
  advance(ms: number): Promise<void>
}

/**
 * A host in memory.
 *
 * @example
 * memoryHost({ files: { 'a.txt': 'hello' } }).files.readTextSync('/project/a.txt', 100) // 'hello'
 */
export function memoryHost(options: MemoryHostOptions = {}): MemoryHost {
  const cwd = options.cwd ?? '/project'
  let nowMs = options.nowMs ?? Date.UTC(2026, 0, 1)
  let drawn = 0
  const sleepers = new Set<{ atMs: number; wake: () => void }>()
  const commands: Command[] = []
  const requests: HttpRequest[] = []
  const files = new MemoryFiles(() => nowMs)
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${cwd}/${path}`)
  void files.makeDirectory(cwd)
  for (const [path, data] of Object.entries(options.files ?? {})) files.put(absolute(path), data)
  for (const [path, target] of Object.entries(options.links ?? {})) files.link(absolute(path), target)
  return {
    cwd, files, commands, requests,
    now: () => nowMs,
    monotonic: () => nowMs,
    randomHex: bytes => sha256(`random ${drawn++}`).repeat(Math.ceil(bytes / 32)).slice(0, bytes * 2),
    env: name => options.env?.[name],
    sleep: (ms, signal) => new Promise((done, failed) => {
      const sleeper = { atMs: nowMs + ms, wake: () => { sleepers.delete(sleeper); done() } }
      const stop = (): void => { sleepers.delete(sleeper); failed(new HostError('cancelled', 'sleep', 'The wait was stopped.')) }
      if (signal.aborted) return stop()
      sleepers.add(sleeper)
      signal.addEventListener('abort', stop, { once: true })
    }),
    async advance(ms) {
      const end = nowMs + ms
      for (;;) {
        await new Promise(setImmediate) // lets woken code go to sleep again
        const next = [...sleepers].sort((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined || next.atMs > end) break
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
      }
      nowMs = end
    },
    async run(command, signal) {
      if (signal.aborted) throw new HostError('cancelled', command.program, `\`${command.program}\` was stopped.`)
      commands.push(command)
      const result = await options.command?.(command, signal)
      if (result === undefined) throw new HostError('no-program', command.program, `There is no program \`${command.program}\` on this machine's PATH.`)
      return { exitCode: 0, signal: null, stdout: '', stderr: '', truncated: false, timedOut: false, elapsedMs: 0, ...result }
    },
    async fetch(request, signal) {
      let url = request.url
      for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
        if (signal.aborted) throw new HostError('cancelled', url, `The request to ${url} was stopped.`)
        requests.push({ ...request, url })
        const answer = await options.answer?.({ ...request, url })
        if (answer === undefined) throw new HostError('no-network', url, `${new URL(url).host} cannot be reached: nothing answers there.`)
        const location = answer.headers?.['location']
        if (location === undefined || (answer.status ?? 200) < 300 || (answer.status ?? 200) > 399) {
          if ((answer.body?.length ?? 0) > request.maxBodyBytes) throw new HostError('too-large', url, `The answer is larger than the limit of ${request.maxBodyBytes} bytes.`)
          return { status: 200, headers: {}, body: '', url, ...answer }
        }
        url = new URL(location, url).href
        request.mayFollow(url)
      }
      throw new HostError('other', request.url, `${request.url} redirects more than ${MAX_REDIRECTS} times.`)
    },
    machine: () => ({ cpus: 2, memoryBytes: 4_000_000_000, platform: 'linux', nodeVersion: '20.19.0' }),
  }
}
