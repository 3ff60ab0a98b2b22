// Worker: the thread around one engine. Its entry when built as dist/plugin-engine.mjs.
// Owns: feeding the machine, its running time, its floods. Does not own: what is said (kernel.ts inside, isolate/conversation.ts in tek).
//   W1. A thread is no boundary: the machine is. The thread is here so that a plugin that works hard does not hold up tek.
//   W2. A call has 5 s of running time; waiting for an answer costs nothing. Time is charged to the call whose message woke the engine.
//   W3. What tek has not taken yet is bounded: beyond it lines of log are dropped, and any other message ends the engine.
//   W4. Where only pure functions are called, the memory is put back between two of them, after the answer is on its way: no call leaves a trace.
//   W5. Any end of the machine but a plain answer ends the thread.
import { parentPort, workerData } from 'node:worker_threads'
import { MAX_MEMORY_MB, Machine, MemoryFull, Stopped, type Picture } from './machine.ts'
import { stopTheClock } from './no-clock.ts'
import { BUNDLE_NAME, BUSY_SINCE, clockBits, DONE, READ, READ_KB, SENT, STOP, TAKEN, TAKEN_KB, type EngineData, type FromEngine, type ToEngine } from './protocol.ts'

const MAX_UNTAKEN_LINES = 2_000
const MAX_UNTAKEN_LINES_KB = 16_000
const MAX_UNTAKEN = 4_000
const MAX_UNTAKEN_KB = 64_000
const MAX_QUESTION_LENGTH = 64_000
const LOADING = 0

const { code, picture, shared, callCpuMs, loadMs } = workerData as EngineData
const seen = new Int32Array(shared)
const wallMs = Date.now
const port = parentPort!
const tell = (message: FromEngine): void => port.postMessage(message)

let sent = 0
let sentKb = 0
let openCalls = 0
let currentCall = LOADING
let currentEnd = Infinity
const used = new Map<number, number>()
let isOver = false
let loaded: Picture | null = null

class Flood extends Error {}

function send(text: string): boolean {
  const untaken = sent - Atomics.load(seen, TAKEN)
  const untakenKb = sentKb - Atomics.load(seen, TAKEN_KB)
  const isLine = text.startsWith('{"kind":"log"') || text.startsWith('{"kind":"progress"')
  if (isLine && (untaken >= MAX_UNTAKEN_LINES || untakenKb >= MAX_UNTAKEN_LINES_KB)) return true // W3
  if (untaken >= MAX_UNTAKEN || untakenKb >= MAX_UNTAKEN_KB) throw new Flood()
  Atomics.store(seen, SENT, ++sent)
  sentKb += text.length >> 10
  if (text.startsWith('{"kind":"result"')) openCalls--
  tell({ kind: 'said', text })
  return true
}

/** Parts of an address as JSON; nothing when it is none. */
function url(question: string): string {
  try {
    if (question.length > MAX_QUESTION_LENGTH) return ''
    const { href, base, field, value } = JSON.parse(question) as { href: string; base?: string; field?: string; value?: string }
    const address = new URL(href, base)
    if (field !== undefined && /^(?:protocol|username|password|host|hostname|port|pathname|search|hash)$/.test(field)) Reflect.set(address, field, value ?? '')
    const { origin, protocol, username, password, host, hostname, port: number, pathname, search, hash } = address
    return JSON.stringify({ href: address.href, origin, protocol, username, password, host, hostname, port: number, pathname, search, hash })
  } catch {
    return ''
  }
}

const shouldStop = (): boolean => Atomics.load(seen, STOP) !== 0 || performance.now() > currentEnd

stopTheClock()
const machine = await Machine.start(code, { send, url, shouldStop }, picture)

/** Lets the machine work for one call, within what is left of that call's time. */
function work(call: number, limitMs: number, what: () => void): void {
  const begin = performance.now()
  currentCall = call
  currentEnd = begin + limitMs - (used.get(call) ?? 0)
  Atomics.store(seen, BUSY_SINCE, clockBits(wallMs()))
  try {
    what()
  } catch (error) {
    end(error)
  }
  Atomics.store(seen, BUSY_SINCE, 0)
  Atomics.add(seen, DONE, 1)
  currentEnd = Infinity
  if (openCalls === 0) used.clear()
  else used.set(call, (used.get(call) ?? 0) + performance.now() - begin)
}

/** W5 */
function end(error: unknown): void {
  isOver = true
  port.removeAllListeners('message')
  if (error instanceof Flood) tell({ kind: 'broke', reason: 'it sent messages faster than they could be taken' })
  else if (error instanceof MemoryFull) tell({ kind: 'broke', reason: `it needed more than ${MAX_MEMORY_MB} MB of memory` })
  else if (!(error instanceof Stopped)) tell({ kind: 'broke', reason: error instanceof RangeError ? 'it nested its work too deeply' : 'its engine broke' })
  else if (Atomics.load(seen, STOP) === 0) tell(currentCall === LOADING ? { kind: 'broke', reason: `it was not loaded within ${loadMs / 1_000} s` } : { kind: 'over', call: currentCall })
  port.close()
}

function receive(message: ToEngine): void {
  if (message.kind === 'say') {
    if (message.opens) openCalls++
    if (message.answers) {
      Atomics.add(seen, READ, 1)
      Atomics.add(seen, READ_KB, message.text.length >> 10)
    }
    work(message.call, callCpuMs, () => machine.enter(message.text)) // W2
    if (loaded !== null && openCalls === 0 && !isOver) machine.restore(loaded) // W4
    return
  }
  work(LOADING, loadMs, () => {
    const error = machine.evaluate(message.bundle, BUNDLE_NAME)
    if (error === null) machine.enter(JSON.stringify({ kind: 'adopt', hash: message.hash }))
    else tell({ kind: 'threw', error })
    if (message.pure) loaded = machine.picture()
  })
}

port.on('message', receive)
