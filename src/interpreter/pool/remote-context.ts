// Remote context: a ToolContext for a tool in a worker thread; every method asks the main thread, where the guard stands.
// Owns: both ends of the port. Does not own: any decision (guard).
//   R1. Only the methods listed here can be asked for; anything else is refused.
import type { MessagePort } from 'node:worker_threads'
import { ToolFailure, type ToolContext, type ToolFiles } from '#plugin-api/context.ts'
import type { ContextAnswer, ContextRequest } from './messages.ts'

const fileMethods = ['readText', 'readBytes', 'stat', 'list', 'glob', 'writeText', 'writeBytes', 'append', 'makeDirectory', 'remove', 'move'] as const satisfies readonly (keyof ToolFiles)[]
const methods = ['run', 'fetch', 'env', 'now', 'randomHex'] as const satisfies readonly (keyof ToolContext)[]

/** The thread's end. */
export function remoteContext(port: MessagePort, cwd: string, idempotencyKey: string): { context: ToolContext; close: () => void } {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>()
  const abort = new AbortController()
  let lastId = 0
  port.on('message', (answer: ContextAnswer) => {
    if ('abort' in answer) return abort.abort()
    const asker = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('value' in answer) asker?.resolve(answer.value as never)
    else asker?.reject(new ToolFailure(answer.problem.code, answer.problem.message, { retryable: answer.problem.retryable, ...(answer.problem.help === undefined ? {} : { help: answer.problem.help }) }))
  })
  const ask = (method: string) => (...args: unknown[]): Promise<never> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      port.postMessage({ id, method, args } satisfies ContextRequest)
    })
  const tell = (method: 'log' | 'progress', ...args: unknown[]) => port.postMessage({ id: -1, method, args } satisfies ContextRequest)
  const files = Object.fromEntries(fileMethods.map(name => [name, ask(`files.${name}`)])) as unknown as ToolFiles
  const asked = Object.fromEntries(methods.map(name => [name, ask(name)])) as unknown as Pick<ToolContext, (typeof methods)[number]>
  const context: ToolContext = {
    cwd, idempotencyKey, signal: abort.signal, files, ...asked,
    sleep: ms => sleep(ms, abort.signal),
    log: message => tell('log', message),
    progress: (fraction, message) => tell('progress', fraction, message),
  }
  return { context, close: () => port.close() }
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

/** The main thread's end: answers with the guarded context until the port closes. */
export function serveContext(port: MessagePort, context: ToolContext): void {
  const known = new Set<string>([...methods, ...fileMethods.map(name => `files.${name}`)])
  context.signal.addEventListener('abort', () => port.postMessage({ id: -1, abort: true } satisfies ContextAnswer), { once: true })
  port.on('message', (request: ContextRequest) => {
    if (request.method === 'log') return context.log(String(request.args[0]))
    if (request.method === 'progress') return context.progress(Number(request.args[0]), request.args[1] as string | undefined)
    const refuse = (problem: { code: string; message: string; retryable?: boolean; help?: string | undefined }) =>
      port.postMessage({ id: request.id, problem: { code: problem.code, message: problem.message, retryable: problem.retryable ?? false, help: problem.help } } satisfies ContextAnswer)
    if (!known.has(request.method)) return refuse({ code: 'plugin/crashed', message: `There is no \`${request.method}\` in a tool's context.` }) // R1
    const isFile = request.method.startsWith('files.')
    const owner = (isFile ? context.files : context) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>
    const name = isFile ? request.method.slice('files.'.length) : request.method
    Promise.resolve()
      .then(() => owner[name]!(...request.args))
      .then(
        value => port.postMessage({ id: request.id, value } satisfies ContextAnswer),
        (error: unknown) => refuse(error instanceof ToolFailure ? error : { code: 'plugin/crashed', message: error instanceof Error ? error.message : String(error) }),
      )
  })
}
