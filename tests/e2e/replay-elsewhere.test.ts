// A program has no hidden clock, no randomness and no environment: the record of one run, replayed on another day, in another time zone and language, with
// another environment and other flags of Node, gives each value the same hash.
//   X1. What would notice: every example of the pure functions of the standard library stands in the program, and what they give for dates, names and order.
//   X2. The test is one that can fail: a clock and a generator that are not what they were are seen by JavaScript itself in the replaying process.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { project, tek } from './binary.ts'

const pages = new URL('../../docs/stdlib/', import.meta.url)

/** Expressions that are true, from the pages of the library, of functions that are pure. // X1 */
function examples(): string[] {
  const found: string[] = []
  for (const page of readdirSync(pages).sort()) {
    for (const section of readFileSync(new URL(page, pages), 'utf8').split(/^### /m).slice(1)) {
      if (!/^Pure\.$/m.test(section)) continue
      for (const [, block] of section.matchAll(/```text\n([\s\S]*?)```/g)) for (const line of block!.split('\n')) if (line.includes(' == ') && isWhole(line)) found.push(line.trim())
    }
  }
  return found
}

/** Not a text of several lines. */
const isWhole = (line: string): boolean => !line.includes('"""') && line.replace(/\\./g, '').split('"').length % 2 === 1

const known = examples()
const program = `
workflow main() -> any {
  can env("*")
  task now = time.now()
  task drawn = random.int(1, 1000000)
  task id = random.uuid()
  task day = time.format(now, "EEEE d MMMM yyyy HH:mm:ss XXX", "Asia/Tokyo")
  task parts = time.parts(now, "America/New_York")
  task sorted = sort(["ä", "z", "a", "Z", "é", "ı", "I", "i", "10", "9", "\${drawn}"])
  task cases = [upper("straße i ı"), lower("İI TITLE"), text.title("über alles"), text.normalize("é")]
  task numbers = [string(1234567.891), string(0.1 + 0.2), string(drawn / 7.0)]
  task shuffled = list.shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9], drawn)
${known.map((each, index) => `  task example${index} = ${each}`).join('\n')}
  return { now: now, day: day, sorted: sorted, cases: cases, numbers: numbers, all: [${known.map((_, index) => `example${index}`).join(', ')}] }
}
`
// X2
const moved = `
const RealDate = Date
const SHIFT = 40 * 365 * 86400000
globalThis.Date = class extends RealDate {
  constructor(...given) { if (given.length === 0) super(RealDate.now() + SHIFT); else super(...given) }
  static now() { return RealDate.now() + SHIFT }
}
Math.random = () => 0.5
`
let here: ReturnType<typeof project>
let recorded: string
beforeAll(async () => {
  here = project({ 'main.tek': program, 'moved.cjs': moved })
  const { code, err } = await tek(['run', 'main.tek', '--quiet'], { cwd: here.path, env: { TZ: 'UTC', LANG: 'C' } })
  expect(code, err).toBe(0)
  recorded = await hashIn({ TZ: 'UTC', LANG: 'C' })
}, 120_000)
afterAll(() => here.remove())

async function hashIn(env: Readonly<Record<string, string>>): Promise<string> {
  const { code, out, err } = await tek(['replay', 'last', '--json'], { cwd: here.path, env })
  expect(code, `${out}\n${err}`).toBe(0)
  const { same, values, hash } = JSON.parse(out) as { same: boolean; values: number; hash: string }
  expect(same).toBe(true)
  expect(values).toBeGreaterThan(known.length)
  return hash
}

describe('a record replayed elsewhere', () => {
  test('there is something to notice', () => {
    expect(known.length).toBeGreaterThan(150)
    expect(recorded).toMatch(/^[0-9a-f]{64}$/)
  })

  const places: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'another time zone': { TZ: 'Pacific/Kiritimati' },
    'another language': { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'tr' },
    'another environment': { HOME: '/nowhere', USER: 'somebody', NO_COLOR: '1', TERM: 'dumb', NODE_ENV: 'production', TEK_ANYTHING: '1', UV_THREADPOOL_SIZE: '1' },
    'other flags of Node': { NODE_OPTIONS: '--max-old-space-size=512 --stack-trace-limit=1 --no-warnings' },
    'no compiler and no optimisation': { NODE_OPTIONS: '--jitless' },
  }
  for (const [name, env] of Object.entries(places)) test(`${name}: the same`, { timeout: 120_000 }, async () => expect(await hashIn(env)).toBe(recorded))

  test('another day, and a generator that always draws the same: the same', { timeout: 120_000 }, async () => {
    expect(await hashIn({ NODE_OPTIONS: `--require=${join(here.path, 'moved.cjs')}`, TZ: 'Asia/Kathmandu' })).toBe(recorded)
  })

  test('what does differ is seen: a record of another run has another hash', { timeout: 120_000 }, async () => {
    expect((await tek(['run', 'main.tek', '--quiet'], { cwd: here.path, env: { TZ: 'UTC', LANG: 'C' } })).code).toBe(0)
    expect(await hashIn({ TZ: 'UTC' })).not.toBe(recorded)
  })
})
