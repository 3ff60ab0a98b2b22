// Kernel: the first code inside an engine: it makes the world a plugin finds there, and answers tek.
// Owns: what the world has, the two globals by which tek and a plugin's bundle reach it. Does not own: calls (isolate/guest.ts).
//   K1. It is evaluated once, when tek is built, and its memory is kept as a picture: nothing in it may depend on the machine or the hour.
//   K2. It shares its world with the plugin. All it keeps to itself is convenience; the wall is the machine's memory.
import * as published from '#plugin-api/index.ts'
import { Guest } from '../isolate/guest.ts'
import type { ToPlugin } from '../isolate/messages.ts'
import { EngineAbortController, EngineAbortSignal } from './world/abort.ts'
import { atob, btoa, bytesOf, EngineTextDecoder, EngineTextEncoder, textOf } from './world/text.ts'
import { printing } from './world/printing.ts'
import { copyOf } from './world/copy.ts'
import { takePowerAway } from './world/powerless.ts'
import { EngineUrl, EngineUrlSearchParams, useUrlDoor } from './world/url.ts'

interface World {
  /** Machine's doors; taken away here. */
  send?: (text: string) => boolean
  url?: (question: string) => string
  /** What tek calls; taken away by the machine. */
  receive?: (text: string) => void
  /** What a plugin's bundle imports as `tek-lang/plugin`. */
  tekPlugin?: unknown
  /** Where a plugin's bundle leaves its exports. */
  tekLoaded?: { default?: unknown; tekPlugin?: unknown }
  [name: string]: unknown
}

const world = globalThis as unknown as World
const send = world.send!
useUrlDoor(world.url!)
delete world.send
delete world.url

let speaking = 0 // the call that is being worked for, as far as one can tell
const { parse, stringify } = JSON

const guest = new Guest({
  send: message => send(stringify(message)),
  toBase64: bytes => btoa(textOf(bytes)), fromBase64: text => bytesOf(atob(text)),
  newController: () => new EngineAbortController() as unknown as AbortController,
})

world.receive = text => {
  const message = parse(text) as ToPlugin | { kind: 'adopt'; hash: string }
  switch (message.kind) {
    case 'adopt': {
      const loaded = world.tekLoaded
      return guest.adopt(loaded?.tekPlugin === undefined ? loaded?.default : loaded, message.hash) // CommonJS exports the plugin itself
    }
    case 'load': return
    case 'call':
    case 'abort': speaking = message.call
  }
  guest.receive(message)
}

const additions: Record<string, unknown> = {
  tekPlugin: published, console: printing(message => void send(stringify({ kind: 'log', call: speaking, message }))),
  TextEncoder: EngineTextEncoder, TextDecoder: EngineTextDecoder, URL: EngineUrl, URLSearchParams: EngineUrlSearchParams,
  AbortController: EngineAbortController, AbortSignal: EngineAbortSignal, structuredClone: copyOf, atob, btoa,
  queueMicrotask: (work: () => void) => void Promise.resolve().then(work), self: globalThis,
}
for (const [name, value] of Object.entries(additions)) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
takePowerAway()
