// Child: the other end, inside a plugin's own process. Its entry when built as dist/plugin-child.mjs.
// Owns: the process's side of the pipe, loading one plugin. Does not own: its calls (guest.ts), permission: tek decides, on its own side.
//   K1. Messages come in on descriptor 0 and go out on 1; what the plugin prints goes to 2 and is no message.
//   K2. When tek is gone, so is this process within a second, also when the plugin never gives up the processor.
import { Console } from 'node:console'
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { ownFrame } from '#base/stack-frame.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import { Guest } from './guest.ts'
import type { FromPlugin, ToPlugin } from './messages.ts'

const INPUT = 0
const OUTPUT = 1

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

const guest = new Guest({
  send, newController: () => new AbortController(),
  toBase64: bytes => Buffer.from(bytes).toString('base64'), fromBase64: text => new Uint8Array(Buffer.from(text, 'base64')),
})

async function load(message: Extract<ToPlugin, { kind: 'load' }>): Promise<void> {
  let loaded: unknown
  try {
    loaded = ((await import(message.url)) as { default?: unknown }).default
  } catch (error) {
    const frame = ownFrame(error, message.cwd)
    const reason = `${error instanceof Error ? error.message : String(error)}${frame === null ? '' : ` (${frame})`}`
    return void send({ kind: 'not-loaded', why: 'threw', reason: reason.slice(0, 4_000) })
  }
  guest.adopt(loaded, message.hash)
}

// K1
Object.defineProperty(process, 'stdout', { value: process.stderr, configurable: true })
globalThis.console = new Console(process.stderr, process.stderr)

const watch = `const tek = process.ppid; setInterval(() => { if (process.ppid !== tek) process.kill(process.pid, 'SIGKILL') }, 500)`
const watcher = new Worker(watch, { eval: true })
// Only when it runs is anything received: a plugin that takes the processor at once would keep it from starting.
await new Promise(running => watcher.once('online', running)) // K2
watcher.unref()

const reader = new FrameReader(message => {
  const said = message as ToPlugin
  if (said.kind === 'load') void load(said)
  else guest.receive(said)
}, () => process.exit(1))
// Not a file stream: its blocked read would keep a process from ending.
new Socket({ fd: INPUT, readable: true, writable: false }).on('data', chunk => reader.push(chunk)).on('close', () => process.exit(0)).on('error', () => process.exit(0))
