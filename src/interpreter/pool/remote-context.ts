// Remote context: a ToolContext for a tool in a worker thread; every method asks the main thread, where the guard stands.
// Owns: both ends of the conversation. Does not own: any decision (guard), the messages that carry it (pool.ts, worker.ts).
//   R1. Only the methods listed here can be asked for; anything else is refused.
//   R2. When its call is over a context asks nothing more.
//   R3. A tool that asks for nothing pays for nothing: what a context is made of is made when it is first used.
import { ToolFailure, type ToolContext, type ToolFiles } from '#plugin-api/context.ts'
import type { ContextAnswer, ContextRequest } from './messages.ts'

const fileMethods = ['readText', 'readBytes', 'stat', 'list', 'glob', 'writeText', 'writeBytes', 'append', 'makeDirectory', 'remove', 'move'] as const satisfies readonly (keyof ToolFiles)[]
const methods = ['run', 'fetch', 'env', 'now', 'randomHex'] as const satisfies readonly (keyof ToolContext)[]
const known: ReadonlySet<string> = new Set([...methods, ...fileMethods.map(name => `files.${name}`)])

/** The thread's end. */
export interface RemoteContext {
  readonly context: ToolContext
  /** Takes what the main thread says. */
  answered(answer: ContextAnswer): void
  /** The call is over. */
  close(): void
}

/** A context whose questions go out by `send`. */
export function remoteContext(send: (request: ContextRequest) => void, { cwd, idempotencyKey, begunBefore }: Pick<ToolContext, 'cwd' | 'idempotencyKey' | 'begunBefore'>): RemoteContext {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>()
  let abort: AbortController | null = null
  let files: ToolFiles | null = null
  let lastId = 0
  let isOver = false
  const signal = (): AbortSignal => (abort ??= new AbortController()).signal
  const ask = (method: string, args: readonly unknown[]): Promise<never> =>
    new Promise((resolve, reject) => {
      if (isOver) return // R2
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      send({ id, method, args })
    })
  const tell = (method: 'log' | 'progress', ...args: unknown[]): void => {
    if (!isOver) send({ id: -1, method, args })
  }
  const context: ToolContext = {
    cwd, idempotencyKey, begunBefore,
    get signal() {
      return signal() // R3
    },
    get files() {
      return (files ??= Object.fromEntries(fileMethods.map(name => [name, (...args: unknown[]) => ask(`files.${name}`, args)])) as unknown as ToolFiles) // R3
    },
    run: (...args) => ask('run', args),
    fetch: (...args) => ask('fetch', args),
    env: (...args) => ask('env', args),
    now: (...args) => ask('now', args),
    randomHex: (...args) => ask('randomHex', args),
    sleep: ms => sleep(ms, signal()),
    log: message => tell('log', message),
    progress: (fraction, message) => tell('progress', fraction, message),
  }
  return {
    context,
    answered(answer) {
      if ('abort' in answer) {
        signal()
        return abort!.abort()
      }
      const asker = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('value' in answer) asker?.resolve(answer.value as never)
      else asker?.reject(new ToolFailure(answer.problem.code, answer.problem.message, { retryable: answer.problem.retryable, ...(answer.problem.help === undefined ? {} : { help: answer.problem.help }) }))
    },
    close: () => void (isOver = true),
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new ToolFailure('run/cancelled', 'The task was given up.'))
    }, { once: true })
  })
}

/** The main thread's end: asks the guarded context and sends its answer, if it has one. */
export function askContext(context: ToolContext, request: ContextRequest, send: (answer: ContextAnswer) => void): void {
  if (request.method === 'log') return context.log(String(request.args[0]))
  if (request.method === 'progress') return context.progress(Number(request.args[0]), request.args[1] as string | undefined)
  const refuse = (problem: { code: string; message: string; retryable?: boolean; help?: string | undefined }): void =>
    send({ id: request.id, problem: { code: problem.code, message: problem.message, retryable: problem.retryable ?? false, help: problem.help } })
  if (!known.has(request.method)) return refuse({ code: 'plugin/crashed', message: `There is no \`${request.method}\` in a tool's context.` }) // R1
  const isFile = request.method.startsWith('files.')
  const name = isFile ? request.method.slice('files.'.length) : request.method
  Promise.resolve()
    .then(() => ((isFile ? context.files : context) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>)[name]!(...request.args))
    .then(
      value => send({ id: request.id, value }),
      (error: unknown) => refuse(error instanceof ToolFailure ? error : { code: 'plugin/crashed', message: error instanceof Error ? error.message : String(error) }),
    )
}
