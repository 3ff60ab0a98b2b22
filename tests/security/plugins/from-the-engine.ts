// From the engine: what a plugin in an engine tries.
import { expect } from 'vitest'
import type { Value } from '#model/type.ts'
import { failure, value, type Escape } from './escape.ts'

const thrown = (code: string): string => `(() => { try { return ${code} } catch (e) { return 'refused' } })()`

export const powers: readonly Escape[] = [
  { tries: 'reach Node by the global object that `Function` finds', by: 'machine', body: `const g = Function('return this')(); return [typeof g.process, typeof g.require, typeof g.global]`, gives: value(['undefined', 'undefined', 'undefined']) },
  { tries: "reach the host's world by a chain of constructors", by: 'machine', body: `return globalThis.constructor.constructor('return typeof process + typeof require')()`, gives: value('undefinedundefined') },
  { tries: "reach the host's world by the constructor of what it is given", by: 'machine', body: `return c.files.readText.constructor('return typeof process')() + c.signal.constructor.constructor('return typeof require')()`, gives: value('undefinedundefined') },
  { tries: 'import a module of Node by a name made at run time', by: 'machine', body: `try { await import(['node:', 'fs'].join('')); return 'in' } catch { return 'refused' }`, gives: value('refused') },
  { tries: 'require a module of Node by a name made at run time', by: 'world', body: `return require(['node:', 'fs'].join(''))`, gives: failure('plugin/crashed', /Dynamic require of "node:fs" is not supported/) },
  { tries: 'reach more by eval', by: 'machine', body: `return (0, eval)('typeof process + typeof WebAssembly + typeof globalThis.send')`, gives: value('undefinedundefinedundefined') },
  { tries: "take the engine's own doors", by: 'machine', body: `return [typeof globalThis.send, typeof globalThis.url, typeof globalThis.receive]`, gives: value(['undefined', 'undefined', 'undefined']) },
  { tries: 'measure time with shared memory', by: 'world', body: `return [typeof Atomics, ${thrown('new Worker("x")')}, typeof performance]`, gives: value(['undefined', 'refused', 'undefined']) },
  { tries: 'read the clock', by: 'world', body: `return [${thrown('Date.now()')}, ${thrown('new Date()')}, ${thrown('Date()')}, ${thrown('new (new Date(0).constructor)()')}, ${thrown('Reflect.construct(Date, [])')}]`, gives: value(Array(5).fill('refused')) },
  { tries: 'learn the zone of this machine', by: 'machine', body: `return [new Date(2026, 0, 1).getTimezoneOffset(), new Date(0).getHours(), typeof Intl]`, gives: value([0, 0, 'undefined']) },
  { tries: 'use chance that is not recorded', by: 'world', body: `return [${thrown('Math.random()')}, typeof crypto]`, gives: value(['refused', 'undefined']) },
  { tries: 'set a timer', by: 'world', body: `setTimeout(() => {}, 1)`, gives: failure('plugin/crashed', /`setTimeout` is not available in a plugin: use `context.sleep`/) },
  { tries: 'fetch without asking', by: 'world', body: `return fetch('http://127.0.0.1:1/')`, gives: failure('plugin/crashed', /use `context.fetch`/) },
  { tries: 'read a file that was not granted', by: 'guard', body: `return c.files.readText('/etc/passwd')`, gives: failure('permit/denied') },
  { tries: 'read the environment', by: 'guard', body: `return [await c.env('PATH')]`, gives: failure('permit/denied') },
  { tries: 'start a program', by: 'guard', body: `return c.run('sh', ['-c', 'true'])`, gives: failure('permit/denied') },
  {
    tries: 'learn where it lies from stacks', by: 'machine', body: `return [new Error('x').stack, (() => { try { null.x } catch (e) { return e.stack } })()].join()`,
    gives: { kind: 'value' }, also: ({ folder }, _, outcome) => { expect(JSON.stringify(outcome)).not.toMatch(new RegExp(`${folder}|node_modules|file:|/src/|/dist/`)) },
  },
  {
    tries: 'show where tek lies by crashing', by: 'machine', body: `null.x`, gives: failure('plugin/crashed', /\(p\.ts:\d+:\d+\)$/),
    also: ({ folder }, _, outcome) => { expect(JSON.stringify(outcome)).not.toMatch(new RegExp(`${folder}|node_modules|file:|/src/|/dist/`)) },
  },
]

export const values: readonly Escape[] = [
  {
    tries: 'pollute the prototypes of tek', by: 'machine', body: `Object.prototype.polluted = 'yes'; Array.prototype.polluted = 'yes'; return {}`,
    gives: value({}), also: () => { expect(({} as { polluted?: string }).polluted ?? ([] as { polluted?: string }).polluted).toBeUndefined() },
  },
  {
    tries: 'hand over a record with another prototype', by: 'wire', body: `return JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}')`,
    gives: { kind: 'value' }, also: (_, _watched, outcome) => {
      const given = (outcome as unknown as { value: { admin?: boolean } }).value
      expect(Object.getPrototypeOf(given)).toBe(Object.prototype)
      expect(given.admin).toBeUndefined()
    },
  },
  { tries: 'be given a record with another prototype', by: 'machine', args: { given: JSON.parse('{"__proto__":{"admin":true}}') as Value }, body: `return [({}).admin ?? 'no', _.given?.admin ?? 'no']`, gives: value(['no', 'no']) },
  { tries: 'hand over something that writes itself', by: 'wire', body: `return { toJSON() { return 'forged' } }`, gives: failure('plugin/bad-output', /toJSON is a function/) },
  { tries: 'hand over a proxy that never ends', by: 'bounds', body: `return new Proxy({}, { ownKeys() { for (;;) {} } })`, gives: failure('plugin/died', /processor for more than 0\.5 s/) },
  { tries: 'be awaited as a promise of its own making', by: 'machine', body: `return { then(done) { done({ then(done2) { done2(typeof process) } }) } }`, gives: value('undefined') },
  { tries: 'hand over data nested 5,000 deep', by: 'wire', body: `let x = null; for (let i = 0; i < 5000; i++) x = [x]; return x`, gives: failure('plugin/bad-output') },
  { tries: 'hand over what holds itself', by: 'wire', body: `const x = {}; x.x = x; return x`, gives: failure('plugin/bad-output') },
  { tries: 'hand over 5 MB', by: 'wire', body: `return 'x'.repeat(5_000_000)`, gives: failure('plugin/bad-output', /4,000,000 bytes/) },
  { tries: 'throw an error whose parts throw', by: 'wire', body: `throw Object.defineProperties(new Error('x'), { message: { get() { throw 1 } }, stack: { get() { throw 2 } }, name: { get() { throw 3 } } })`, gives: failure('plugin/crashed', /something that cannot be shown/) },
  { tries: 'throw an error whose text never ends', by: 'bounds', body: `throw { toString() { for (;;) {} } }`, gives: failure('plugin/died', /processor/) },
  {
    tries: 'fail with a code that is none', by: 'wire', body: `throw Object.assign(new Error('x'), { name: 'ToolFailure', code: 'permit/'.repeat(60) + 'x y' })`,
    gives: { kind: 'failure' }, also: (_, _watched, outcome) => { expect((outcome as unknown as { failure: { code: string } }).failure.code).toMatch(/^p\/[\w-]{1,64}$/) },
  },
  { tries: 'fail with a message of 3 MB', by: 'wire', body: `throw new Error('x'.repeat(3_000_000))`, gives: failure('plugin/crashed'), also: (_, _watched, outcome) => { expect(JSON.stringify(outcome).length).toBeLessThan(50_000) } },
]

export const bounds: readonly Escape[] = [
  { tries: 'loop for ever', by: 'bounds', body: `for (;;) {}`, gives: failure('plugin/died', /it used the processor for more than 0\.5 s in one call/) },
  { tries: 'loop for ever and hide it from `catch`', by: 'bounds', body: `for (;;) { try { for (;;) {} } catch {} finally { continue } }`, gives: failure('plugin/died', /processor/) },
  { tries: 'loop for ever in promises', by: 'bounds', body: `const again = () => Promise.resolve().then(again); await again()`, gives: failure('plugin/died', /processor/) },
  { tries: 'backtrack for ever in a pattern', by: 'bounds', body: `return /^(a+)+$/.test('a'.repeat(60) + 'b')`, gives: failure('plugin/died', /processor/) },
  { tries: 'multiply for ever', by: 'bounds', body: `let x = 3n; for (;;) x *= x`, gives: { failure: { code: expect.stringMatching(/^plugin\/(?:died|crashed)$/) as string } } },
  { tries: 'wait for ever', by: 'bounds', body: `await new Promise(() => {})`, gives: failure('plugin/stuck') },
  { tries: 'fill memory with lists', by: 'bounds', body: `const kept = []; for (;;) kept.push(new Array(100_000).fill(1.5))`, gives: failure('plugin/died', /more than 128 MB of memory/) },
  { tries: 'fill memory with text, and catch what says so', by: 'bounds', body: `let x = 'x'.repeat(1000); const kept = []; for (;;) { try { x += x; kept.push(x.toUpperCase()) } catch { kept.length = 0; x = 'x'.repeat(1000) } }`, gives: failure('plugin/died', /memory|processor/) },
  { tries: 'take 2 GB at once', by: 'bounds', body: `return new Uint8Array(2 ** 31 - 1).length`, gives: { failure: { code: expect.stringMatching(/^plugin\/(?:died|crashed)$/) as string, message: expect.stringMatching(/memory/) as string } } },
  { tries: 'recurse for ever', by: 'bounds', body: `const f = () => f() + 1; return f()`, gives: failure('plugin/crashed', /stack overflow/) },
  { tries: 'parse 100,000 brackets', by: 'bounds', body: `return JSON.parse('['.repeat(100_000))`, gives: failure('plugin/crashed', /stack overflow/) },
  { tries: 'compile 100,000 brackets', by: 'bounds', body: `return eval('('.repeat(100_000))`, gives: failure('plugin/crashed', /stack overflow/) },
  { tries: 'flood the log', by: 'bounds', body: `for (let i = 0; i < 12_000; i++) c.log('x'.repeat(100)); return 1`, callCpuMs: 20_000, gives: value(1), also: (_, { log }) => { expect(log.length).toBeLessThan(10_002) } },
  { tries: 'flood the progress', by: 'bounds', body: `for (let i = 0; i < 12_000; i++) c.progress(i / 12_000, 'x'); return 1`, callCpuMs: 10_000, gives: value(1) },
  { tries: 'ask for 100,000 things at once', by: 'bounds', body: `for (let i = 0; i < 100_000; i++) void c.now().catch(() => {}); await c.sleep(1000); return 1`, callCpuMs: 20_000, gives: failure('plugin/died', /more than 1000 things at once|faster than they could be taken|more than it reads/) },
  {
    tries: 'ask for 400 MB and look at nothing', by: 'bounds', callCpuMs: 20_000, gives: failure('plugin/died', /more than 1000 things at once|faster than they could be taken|more than it reads/),
    // It never looks: however slowly the answers come on a busy machine, the bound is met before its own time is up.
    body: `await c.files.writeText('large.txt', 'x'.repeat(1_000_000)); for (let i = 0; i < 400; i++) void c.files.readText('large.txt').catch(() => {}); for (;;) {}`,
  },
]

const forge = (kind: string, fields: string): string => `Object.prototype.toJSON = function () { return this.kind === '${kind}' ? Object.assign(Object.create(null), this, ${fields}) : this };`

export const messages: readonly Escape[] = [
  { tries: 'ask for a method that no plugin may ask for', by: 'wire', body: `${forge('ask', "{ method: 'files.constructor' }")} await c.now()`, gives: failure('p/refused', /cannot be asked for in that way/) },
  { tries: 'ask with arguments of another shape', by: 'wire', body: `return c.files.readText({ toString: () => '/etc/passwd' })`, gives: failure('p/refused') },
  { tries: 'answer for another call', by: 'wire', body: `${forge('result', '{ call: 99 }')} return 1`, gives: failure('plugin/stuck') },
  { tries: 'send a message of a form of its own', by: 'wire', body: `${forge('result', "{ kind: 'exec' }")} return 1`, gives: failure('plugin/died', /unknown form/) },
  {
    tries: 'go on after its call has ended', by: 'wire', body: `void c.sleep(30).then(() => c.files.writeText('late.txt', 'x')); return 'early'`, gives: value('early'),
    also: async ({ path }, { context }) => {
      await new Promise(done => setTimeout(done, 150))
      await expect(context.files.stat(path('late.txt'))).resolves.toBeNull()
    },
  },
]
