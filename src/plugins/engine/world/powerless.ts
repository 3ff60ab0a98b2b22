// Powerless: names that authors expect and that a plugin has not got, each with the way to what it wants.
// Owns: the words. Does not own: the wall: these names would lead nowhere without this file too.
//   N1. The hour and chance are asked of tek, so that they are recorded and a run is the same when it is repeated.
//   N2. `process`, `require`, `Buffer` stay undefined: packages ask for them to find out where they are.

function refuse(name: string, instead: string): () => never {
  return () => { throw new Error(`\`${name}\` is not available in a plugin: ${instead}.`) }
}

const missing: Readonly<Record<string, string>> = {
  setTimeout: 'use `context.sleep`', setInterval: 'use `context.sleep` in a loop', setImmediate: 'use `await null`', fetch: 'use `context.fetch`',
  XMLHttpRequest: 'use `context.fetch`', WebSocket: 'use `context.fetch`', Worker: 'the engine has one thread',
}

export function takePowerAway(): void {
  for (const [name, instead] of Object.entries(missing)) Object.defineProperty(globalThis, name, { value: refuse(name, instead), writable: true, configurable: true, enumerable: false })
  // Libraries clear what they have set.
  for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate']) Object.defineProperty(globalThis, name, { value: () => undefined, writable: true, configurable: true, enumerable: false })
  Math.random = refuse('Math.random', 'use `context.randomHex`') // N1
  const now = refuse('Date.now', 'use `context.now`')
  const Given = Date
  const Hourless = function (this: unknown, ...args: readonly unknown[]): unknown {
    if (new.target === undefined || args.length === 0) throw new Error('The hour is not available in a plugin by `Date`: use `context.now`.')
    return Reflect.construct(Given, args, new.target)
  } as unknown as DateConstructor
  Hourless.now = now
  Hourless.parse = Given.parse
  Hourless.UTC = Given.UTC
  Object.defineProperty(Hourless, 'prototype', { value: Given.prototype, writable: false })
  Object.defineProperty(Given.prototype, 'constructor', { value: Hourless, writable: true, configurable: true })
  globalThis.Date = Hourless
}
