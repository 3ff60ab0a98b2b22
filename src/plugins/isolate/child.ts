// Child: the other end, inside a plugin's own process. Its entry when built as dist/plugin-child.mjs.
// Owns: loading one plugin, running its tools, asking tek for every effect. Does not own: permission: tek decides, on its own side.
//   K1. Messages come in on descriptor 3 and go out on 4; what the plugin prints goes to the ordinary outputs and is no message.
//   K2. This code shares its process with the plugin and trusts nothing to it: every promise about permits is kept by the other side.
//   K3. When tek is gone, so is this process within a second, also when the plugin never gives up the processor.
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { ownFrame } from '#base/stack-frame.ts'
import { HostError, type HostErrorCode } from '#host/host.ts'
import type { Outcome } from '#model/event.ts'
import { ToolFailure, type ToolContext } from '#plugin-api/context.ts'
import { pluginApiVersion, type Plugin } from '#plugin-api/define-plugin.ts'
import { invokeTool } from '#plugin-api/invoke.ts'
import { signatureOf, type SignatureProblem } from '#plugin-api/signature-of.ts'
import { encodeFrame, FrameReader, MAX_FRAME_BYTES } from './frames.ts'
import type { FromPlugin, ThrownError, ToPlugin } from './messages.ts'

const INPUT = 3
const OUTPUT = 4
const MAX_SHOWN_PROBLEMS = 9

let plugin: Plugin | null = null
let asked = 0
const waiting = new Map<number, { answer: (value: unknown) => void; refuse: (error: Error) => void }>()
const running = new Map<number, AbortController>()

function send(message: FromPlugin): boolean {
  const frame = encodeFrame(message)
  if (frame === null) return false
  for (let sent = 0; sent < frame.length; ) {
    try {
      sent += writeSync(OUTPUT, frame, sent)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      else process.exit(1) // tek has gone
    }
  }
  return true
}

async function load(message: Extract<ToPlugin, { kind: 'load' }>): Promise<void> {
  let loaded: unknown
  try {
    loaded = ((await import(message.url)) as { default?: unknown }).default
  } catch (error) {
    const frame = ownFrame(error, message.cwd)
    const reason = `${error instanceof Error ? error.message : String(error)}${frame === null ? '' : ` (${frame})`}`
    return void send({ kind: 'not-loaded', why: 'threw', reason: reason.slice(0, 4_000) })
  }
  if (typeof loaded !== 'object' || loaded === null || !('tekPlugin' in loaded) || loaded.tekPlugin !== true) {
    return void send({ kind: 'not-loaded', why: 'no-plugin', reason: loaded === undefined ? 'it has no default export' : 'its default export was not made by `definePlugin`' })
  }
  const defined = loaded as Plugin
  const [major, minor] = String(defined.api).split('.').map(Number)
  const [ownMajor, ownMinor] = pluginApiVersion.split('.').map(Number)
  if (major !== ownMajor || !(minor! <= ownMinor!)) return void send({ kind: 'not-loaded', why: 'api', reason: String(defined.api).slice(0, 100) })
  const { value, problems } = signatureOf(defined, { origin: 'plugin', hash: message.hash })
  if (value === null) return void send({ kind: 'not-loaded', why: 'definition', where: problems[0]!.where, reason: allOf(problems) })
  plugin = defined
  if (!send({ kind: 'loaded', signature: value })) send({ kind: 'not-loaded', why: 'definition', where: 'the whole', reason: `its description is larger than ${MAX_FRAME_BYTES} bytes` })
}

/** The first problem's reason, and after it the other problems with their places. */
function allOf([first, ...others]: readonly SignatureProblem[]): string {
  const shown = others.slice(0, MAX_SHOWN_PROBLEMS).map(({ where, reason }) => `; ${where}: ${reason}`).join('')
  return `${first!.reason}${shown}${others.length > MAX_SHOWN_PROBLEMS ? `; and ${others.length - MAX_SHOWN_PROBLEMS} more` : ''}`
}

async function call(message: Extract<ToPlugin, { kind: 'call' }>): Promise<void> {
  const controller = new AbortController()
  running.set(message.call, controller)
  const context = makeContext(message, controller.signal)
  const outcome = await invokeTool(plugin!, { module: plugin!.name, fn: message.fn, args: message.args }, context)
  running.delete(message.call)
  if (send({ kind: 'result', call: message.call, outcome })) return
  const failure = { code: 'plugin/bad-output', message: `\`${plugin!.name}.${message.fn}\` gave back more than ${MAX_FRAME_BYTES.toLocaleString('en')} bytes.`, task: '', retryable: false }
  send({ kind: 'result', call: message.call, outcome: { kind: 'failure', failure } satisfies Outcome })
}

function makeContext({ call, cwd, idempotencyKey }: Extract<ToPlugin, { kind: 'call' }>, signal: AbortSignal): ToolContext {
  const ask = <T>(method: string, ...args: readonly unknown[]): Promise<T> => new Promise<T>((answer, refuse) => {
    const id = ++asked
    waiting.set(id, { answer: answer as (value: unknown) => void, refuse })
    if (send({ kind: 'ask', call, ask: id, method, args })) return
    waiting.delete(id)
    refuse(new HostError('too-large', method, `More than ${MAX_FRAME_BYTES.toLocaleString('en')} bytes were to be handed over at once.`))
  })
  return {
    cwd, signal, idempotencyKey,
    files: {
      readText: (path, options) => ask('files.readText', path, options),
      readBytes: async (path, options) => new Uint8Array(Buffer.from(await ask<string>('files.readBytes', path, options), 'base64')),
      stat: path => ask('files.stat', path),
      list: directory => ask('files.list', directory),
      glob: (pattern, options) => ask('files.glob', pattern, options),
      writeText: (path, text) => ask('files.writeText', path, text),
      writeBytes: (path, bytes) => ask('files.writeBytes', path, Buffer.from(bytes).toString('base64')),
      append: (path, text) => ask('files.append', path, text),
      makeDirectory: path => ask('files.makeDirectory', path),
      remove: path => ask('files.remove', path),
      move: (from, to) => ask('files.move', from, to),
    },
    run: (program, args, options) => ask('run', program, args, options),
    fetch: (url, options) => ask('fetch', url, options),
    env: async name => (await ask<string | null>('env', name)) ?? undefined,
    now: () => ask('now'),
    randomHex: bytes => ask('randomHex', bytes),
    sleep: ms => ask('sleep', ms),
    log: message => void send({ kind: 'log', call, message: String(message).slice(0, 10_000) }),
    progress: (fraction, message) => void send({ kind: 'progress', call, fraction: Number(fraction), ...(message === undefined ? {} : { message: String(message).slice(0, 10_000) }) }),
  }
}

function thrown(error: ThrownError): Error {
  if (error.name === 'HostError') return new HostError(error.code as HostErrorCode, '', error.message)
  return new ToolFailure(error.code, error.message, { retryable: error.retryable, ...(error.help === undefined ? {} : { help: error.help }) })
}

function receive(message: ToPlugin): void {
  switch (message.kind) {
    case 'load': return void load(message)
    case 'call': return void call(message)
    case 'abort': return running.get(message.call)?.abort()
    case 'answer':
    case 'refusal': {
      const asker = waiting.get(message.ask)
      waiting.delete(message.ask)
      if (message.kind === 'answer') asker?.answer(message.value)
      else asker?.refuse(thrown(message.error))
    }
  }
}

const watch = `const tek = process.ppid; setInterval(() => { if (process.ppid !== tek) process.kill(process.pid, 'SIGKILL') }, 500)`
const watcher = new Worker(watch, { eval: true })
// Only when it runs is anything received: a plugin that takes the processor at once would keep it from starting.
await new Promise(running => watcher.once('online', running)) // K3
watcher.unref()

const reader = new FrameReader(message => receive(message as ToPlugin), () => process.exit(1))
// Not a file stream: its blocked read would keep a process from ending.
new Socket({ fd: INPUT, readable: true, writable: false }).on('data', chunk => reader.push(chunk)).on('close', () => process.exit(0)).on('error', () => process.exit(0))
