// Random programs against a world that misleads: whatever compiles and runs, each thing that is done at the host is covered by the plain reading
// of what the program asks for. `TEK_FUZZ=full` takes 5,000 programs, otherwise 400.
import { expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import { check, type CheckedFile, plan, run } from '#tek.ts'
import { randomCall, randomProgram } from './random-programs.ts'
import { Seeded } from './seeded.ts'
import { watchedWorld } from './watched-world.ts'

const isFull = process.env['TEK_FUZZ'] === 'full'
const PROGRAMS = isFull ? 5_000 : 400
const seed = Number(process.env['TEK_FUZZ_SEED'] ?? 2026)

/** The program without the tasks that the checker refuses; null when nothing is left that compiles. */
async function withoutMistakes(host: Host, written: string): Promise<{ text: string; checked: CheckedFile | null; dropped: number }> {
  let text = written
  for (let dropped = 0; ; ) {
    const now = text
    const checked = await check(host, 'w.tek', { readText: path => (path === 'w.tek' ? now : undefined) })
    if (checked.program !== null) return { text, checked, dropped }
    const lines = text.split('\n')
    const wrong = new Set(checked.diagnostics.filter(each => each.severity === 'error').map(each => now.slice(0, each.at?.start ?? 0).split('\n').length - 1))
    const left = lines.filter((line, index) => !(wrong.has(index) && line.startsWith('  task')))
    if (left.length === lines.length || !left.some(line => line.startsWith('  task'))) return { text, checked: null, dropped: dropped + 1 }
    dropped += lines.length - left.length
    text = left.join('\n')
  }
}

test(`${PROGRAMS.toLocaleString('en')} random programs do nothing that they do not ask for`, async () => {
  const random = new Seeded(seed)
  const seen = { refusedByChecker: 0, ran: 0, done: 0, refusedByGuard: 0 }
  const wrong: string[] = []
  for (let index = 0; index < PROGRAMS && wrong.length < 5; index++) {
    const { text: written, args, levels } = randomProgram(random)
    const { host, violations, done } = watchedWorld(random, levels)
    const { text, checked, dropped } = await withoutMistakes(host, written)
    seen.refusedByChecker += dropped
    if (checked === null) continue
    const answer = await run(host, { plan: plan(checked), program: 'w.tek', args, database: null, workers: 0, tekVersion: '0', onNotice: () => {} })
    seen.ran++
    seen.done += done()
    if (answer.kind === 'answer') seen.refusedByGuard += answer.value.calls.refused
    if (violations.length > 0) wrong.push(`${text}\n${JSON.stringify(args)}\n${violations.join('\n')}`)
  }
  if (isFull) console.log(JSON.stringify({ seed, programs: PROGRAMS, ...seen, violations: wrong.length }))
  expect(wrong.join('\n\n')).toBe('')
  expect(seen.ran).toBeGreaterThan(PROGRAMS / 10)
  expect(seen.done).toBeGreaterThan(PROGRAMS / 10)
  expect(seen.refusedByGuard).toBeGreaterThan(PROGRAMS / 10)
}, 600_000)

test(`${(PROGRAMS * 4).toLocaleString('en')} rounds of random calls, past the checker, do nothing that is not granted`, async () => {
  const random = new Seeded(seed + 1)
  const wrong: string[] = []
  const seen = { calls: 0, done: 0, refused: 0 }
  for (let round = 0; round < PROGRAMS * 4 && wrong.length < 5; round++) {
    const { levels } = randomProgram(random)
    const { host, violations, done } = watchedWorld(random, levels)
    const made: string[] = []
    for (let call = 0; call < 6; call++) {
      const context = makeToolContext({
        host, cwd: host.cwd, authority: levels, implied: [], signal: new AbortController().signal, idempotencyKey: 'k', taskPath: 't',
        onCount: kind => { if (kind === 'refused') seen.refused++ }, onLog: () => {}, onProgress: () => {},
      })
      const [shown, act] = randomCall(random)
      made.push(shown)
      seen.calls++
      await act(context).catch((error: unknown) => { if (!(error instanceof Error) || !['ToolFailure', 'HostError'].includes(error.name)) throw error })
    }
    seen.done += done()
    if (violations.length > 0) wrong.push(`${JSON.stringify(levels)}\n${made.join('\n')}\n${violations.join('\n')}`)
  }
  if (isFull) console.log(JSON.stringify({ seed, ...seen, violations: wrong.length }))
  expect(wrong.join('\n\n')).toBe('')
  expect(Math.min(seen.done, seen.refused)).toBeGreaterThan(PROGRAMS)
}, 600_000)
