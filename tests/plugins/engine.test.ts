// The engine's own parts: the world a plugin finds, beside Node's; pictures of memory; the clock that stands still.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makePicture, readPicture } from '#plugins/engine/picture.ts'
import { stopTheClock } from '#plugins/engine/no-clock.ts'
import { EngineAbortController } from '#plugins/engine/world/abort.ts'
import { copyOf } from '#plugins/engine/world/copy.ts'
import { atob as ownAtob, btoa as ownBtoa, bytesOf, EngineTextDecoder, EngineTextEncoder, textOf } from '#plugins/engine/world/text.ts'
import { EngineUrlSearchParams } from '#plugins/engine/world/url.ts'

const anyBytes = fc.uint8Array({ maxLength: 200 })
/** Bytes that are nearly UTF-8: broken in the middle of characters. */
const brokenText = fc.tuple(fc.string({ unit: 'binary', maxLength: 50 }), fc.nat(200), fc.nat(255)).map(([text, at, byte]) => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > 0) bytes[at % bytes.length] = byte
  return bytes
})

describe('text', () => {
  test('UTF-8 is decoded and encoded as Node does', () => {
    fc.assert(fc.property(fc.oneof(anyBytes, brokenText), bytes => {
      expect(new EngineTextDecoder().decode(bytes)).toBe(new TextDecoder().decode(bytes))
      const strict = (Decoder: typeof TextDecoder | typeof EngineTextDecoder) => { try { return new Decoder('utf-8', { fatal: true }).decode(bytes) } catch { return 'broken' } }
      expect(strict(EngineTextDecoder)).toBe(strict(TextDecoder))
    }), { numRuns: 2_000 })
    fc.assert(fc.property(fc.string({ unit: fc.oneof(fc.constantFrom('\ud800', '\udc00', '😀', 'é', '€', 'a')), maxLength: 60 }), text => {
      expect([...new EngineTextEncoder().encode(text)]).toEqual([...new TextEncoder().encode(text)])
    }))
    expect(new EngineTextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toBe('a')
    expect(() => new EngineTextDecoder('latin1')).toThrow('knows utf-8')
  })
  test('Base64 is what Node makes of it', () => {
    fc.assert(fc.property(anyBytes, bytes => {
      const text = Buffer.from(bytes).toString('base64')
      expect(ownBtoa(textOf(bytes))).toBe(text)
      expect([...bytesOf(ownAtob(text))]).toEqual([...bytes])
    }))
    for (const wrong of ['a', 'a===', '*', 'abc*']) expect(() => ownAtob(wrong)).toThrow('Base64')
    expect(() => ownBtoa('€')).toThrow('U+00FF')
  })
})

test('parameters of an address are read and written as Node does', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 6 }), pairs => {
    const [own, other] = [new EngineUrlSearchParams(pairs), new URLSearchParams(pairs)]
    expect(own.toString()).toBe(other.toString())
    expect([...new EngineUrlSearchParams(other.toString())]).toEqual([...new URLSearchParams(other.toString())])
  }))
  const own = new EngineUrlSearchParams('?a=1&b=2&a=3')
  own.set('a', '9')
  own.delete('b')
  own.append('c', 'x y')
  expect([own.toString(), own.get('a'), own.getAll('none'), own.has('c'), own.size]).toEqual(['a=9&c=x+y', '9', [], true, 2])
})

test('copies share nothing and keep what they hold', () => {
  const given = { list: [1, { a: new Date(5) }], map: new Map([['k', new Set([1])]]), bytes: new Uint8Array([1, 2]), own: JSON.parse('{"__proto__":1}') as object }
  const copied = copyOf(given)
  expect(copied).toEqual(given)
  expect((copied as typeof given).list[1]).not.toBe(given.list[1])
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const copy = copyOf(cycle) as typeof cycle
  expect(copy.self).toBe(copy)
  expect(() => copyOf(() => 1)).toThrow('cannot copy a function')
  expect(() => copyOf(Array.from({ length: 300 }).reduce(inner => [inner], null))).toThrow('at most 256 levels')
})

test('a signal tells once, and those who listen no more are left alone', () => {
  const controller = new EngineAbortController()
  const heard: string[] = []
  const gone = () => heard.push('gone')
  controller.signal.addEventListener('abort', () => heard.push('a'))
  controller.signal.addEventListener('abort', gone)
  controller.signal.removeEventListener('abort', gone)
  controller.abort()
  controller.abort()
  expect(heard).toEqual(['a'])
  expect(() => controller.signal.throwIfAborted()).toThrow('aborted')
})

test('the clock stands at 0, in UTC, and goes on afterwards', () => {
  const go = stopTheClock()
  const seen = [Date.now(), new Date().getTime(), new Date(2026, 0, 1).getTime(), new Date(0).getHours(), new Date(0).getTimezoneOffset()]
  go()
  expect(seen).toEqual([0, 0, Date.UTC(2026, 0, 1), 0, 0])
  expect(Date.now()).toBeGreaterThan(0)
})

test('a picture is the same each time, fits its own code only, and a damaged one is refused', async () => {
  const code = readFileSync(createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))
  const kernel = 'globalThis.receive = text => 1; globalThis.chance = [Math.random(), Date.now()]'
  const [first, second] = [await makePicture(code, kernel), await makePicture(code, kernel)]
  expect(Buffer.from(first).equals(Buffer.from(second))).toBe(true)
  expect(readPicture(first, code).pieces.length).toBeGreaterThan(0)
  expect(() => readPicture(first, code.subarray(1))).toThrow('belongs to another engine')
  expect(() => readPicture(new Uint8Array(2_000), code)).toThrow('damaged')
  await expect(makePicture(code, 'throw new Error("no")')).rejects.toThrow('does not run')
})
