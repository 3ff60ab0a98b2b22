// Kept code: used for the bundle it was made from, refused for any other, never in the way.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBundle } from '#cli/code-cache.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tek-code-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const bundle = (id: string, answer: number) => `/*${id}*/exports.answer = () => ${answer}; exports.file = __filename; exports.load = name => tekImport(name)`

function load(name: string) {
  const loaded = loadBundle(pathToFileURL(join(folder, name)))
  return { ...loaded, exports: loaded.exports as { answer(): number; file: string; load(name: string): Promise<{ sep: string }> } }
}

const keptFile = (name: string) => join(folder, readdirSync(folder).find(each => each.startsWith(name) && each.endsWith('.cache'))!)

test('code is kept at the first start and used at the second, import included', async () => {
  writeFileSync(join(folder, 'a.cjs'), bundle('0123456789abcdef', 42))
  const first = load('a.cjs')
  expect([first.fromCache, first.exports.answer(), first.exports.file]).toEqual([false, 42, join(folder, 'a.cjs')])
  first.keep()
  const second = load('a.cjs')
  expect([second.fromCache, second.exports.answer()]).toEqual([true, 42])
  expect((await second.exports.load('node:path')).sep).toBe('/')
})

test('another bundle of the same length does not run the old code', () => {
  writeFileSync(join(folder, 'b.cjs'), bundle('0123456789abcdef', 42))
  load('b.cjs').keep()
  writeFileSync(join(folder, 'b.cjs'), bundle('fedcba9876543210', 43))
  const loaded = load('b.cjs')
  expect([loaded.fromCache, loaded.exports.answer()]).toEqual([false, 43])
})

test('damaged, cut and empty kept code is refused, and the program runs', () => {
  writeFileSync(join(folder, 'c.cjs'), bundle('0123456789abcdef', 44))
  load('c.cjs').keep()
  const whole = readFileSync(keptFile('c'))
  for (const kept of [whole.subarray(0, 100), Buffer.from('0123456789abcdefnonsense'), Buffer.alloc(0), Buffer.concat([whole.subarray(0, 40), Buffer.alloc(60, 7), whole.subarray(100)])]) {
    writeFileSync(keptFile('c'), kept)
    const loaded = load('c.cjs')
    expect([loaded.fromCache, loaded.exports.answer()]).toEqual([false, 44])
  }
})
