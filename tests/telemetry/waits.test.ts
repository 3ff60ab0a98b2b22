// What a run waits for: in words, live, in plain lines; and a display that is held while a person is asked.
import { expect, test } from 'vitest'
import { displayWidth, plainPaint } from '#base/terminal-text.ts'
import type { RunNotice, RunSummary, Wait } from '#model/report.ts'
import { consoleListener } from '#telemetry/console.ts'
import { finalLines } from '#telemetry/final-lines.ts'
import { heldListener } from '#telemetry/held.ts'
import { plainListener } from '#telemetry/plain.ts'
import { clockTime, waitKey, waitWords } from '#telemetry/wait-words.ts'

/** By the clock of this machine, whatever zone it is in. */
const at = (hours: number, minutes: number, day = 21): number => new Date(2026, 10, day, hours, minutes, 5).getTime()
const question = (more: Partial<Extract<Wait, { kind: 'approval' }>> = {}): Wait => ({ kind: 'approval', task: 'deploy', question: 'Deploy 1.2?', askedOf: null, sinceMs: at(12, 0), dueMs: null, ...more })
const time = (task: string, dueMs: number): Wait => ({ kind: 'time', task, sinceMs: at(12, 0), dueMs })

test('in words: whom it waits for, what is asked, until when; one line, whatever the question holds', () => {
  expect(waitWords(question())).toBe('waits for you: deploy — Deploy 1.2?')
  expect(waitWords(question({ askedOf: 'the owner\n\u001b[2J', dueMs: at(14, 0) }))).toBe('waits for the owner ␛[2J: deploy — Deploy 1.2? (until 14:00)')
  expect(waitWords(time('remind', at(14, 30)))).toBe('until 14:30: remind')
  expect(waitWords(question({ question: `a\n\u202eb\u0007${'x'.repeat(100_000)}` }))).toMatch(/^waits for you: deploy — a \ufffdb␇x{490,500}$/)
  expect(waitKey(question())).not.toBe(waitKey(question({ askedOf: 'somebody' })))
})

test('a time: seconds when it is near, the date when it is another day', () => {
  expect(clockTime(at(12, 3), at(12, 0))).toBe('12:03:05')
  expect(clockTime(at(14, 0), at(12, 0))).toBe('14:00')
  expect(clockTime(at(14, 0, 22), at(12, 0))).toBe('2026-11-22 14:00')
  expect(clockTime(at(14, 0), at(12, 0, 22))).toBe('2026-11-21 14:00')
  expect(clockTime(Number.MAX_VALUE, 0)).toBe('the end of time')
})

const counts = { total: 3, done: 1, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }
const calls = { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 }
const summary: RunSummary = { runId: '4f2a99aa11bb22cc', workflow: 'flow', program: 'flow.tek', planHash: 'h', startedAtMs: 0, elapsedMs: 10, status: 'waiting', outcome: null, tasks: counts, calls, waits: [question()] }
const progress: RunNotice = { kind: 'progress', fraction: 0.3, etaMs: null, tasks: counts, running: ['build'], calls }
const log = (message: string): RunNotice => ({ kind: 'log', task: 'build', atMs: 0, message })

function screen(columns = 60): { surface: { write(text: string): void; columns(): number; paint: typeof plainPaint }; text: () => string } {
  let text = ''
  return { surface: { write: more => void (text += more), columns: () => columns, paint: plainPaint }, text: () => text }
}

test('live: questions before times, few rows, none too wide; gone when they are answered', () => {
  const { surface, text } = screen()
  let clock = 0
  const listener = consoleListener(surface, () => (clock += 200))
  listener.notice(progress)
  listener.notice({ kind: 'waits', waits: [time('remind', at(14, 0)), ...Array.from({ length: 9 }, (_, item) => question({ task: `deploy[${item}]`, question: '日本'.repeat(100) }))] })
  const last = text().split('\u001b[J').at(-1)!
  expect(last).toMatch(/build\n {2}waits for you: deploy\[0\] — 日本[^\n]*…\n(?: {2}waits for you: deploy\[\d\][^\n]*\n){3} {2}and 6 more to wait for \(tek waits\)\n$/)
  for (const line of last.split('\n')) expect(displayWidth(line)).toBeLessThan(60)
  listener.notice({ kind: 'waits', waits: [time('remind', at(14, 0))] })
  expect(text().split('\u001b[J').at(-1)).toContain('\n  until 14:00: remind\n')
  listener.notice({ kind: 'waits', waits: [] })
  expect(text().split('\u001b[J').at(-1)).not.toContain('remind')
})

test('plain: each wait is named once, and again when it is passed on; thousands do not flood the log', () => {
  const { surface, text } = screen()
  const listener = plainListener(surface)
  listener.notice({ kind: 'waits', waits: [question(), time('remind', at(14, 0))] })
  listener.notice({ kind: 'waits', waits: [question()] })
  listener.notice({ kind: 'waits', waits: [question({ askedOf: 'the owner' })] })
  expect(text()).toBe('waiting   waits for you: deploy — Deploy 1.2?\nwaiting   until 14:00: remind\nwaiting   waits for the owner: deploy — Deploy 1.2?\n')
  for (let n = 0; n < 1_000; n++) listener.notice({ kind: 'waits', waits: [question({ task: `deploy[${n}]` })] })
  expect(text().split('\n').length).toBeLessThan(60)
})

test('the last lines say that it waits, or was paused', () => {
  expect(finalLines(summary, plainPaint)[0]).toBe('waiting flow · 1 of 3 tasks · 10 ms')
  expect(finalLines({ ...summary, status: 'paused' }, plainPaint)[0]).toBe('paused flow · 1 of 3 tasks · 10 ms')
})

test('held: nothing is written until it is released, then everything in order, of progress and waits the last', () => {
  const heard: string[] = []
  const name = (notice: RunNotice): string => (notice.kind === 'log' ? notice.message : notice.kind === 'waits' ? `${notice.waits.length} waits` : notice.kind)
  const held = heldListener({ notice: notice => void heard.push(name(notice)), tick: () => void heard.push('tick'), close: () => void heard.push('clear') })
  held.notice(log('a'))
  held.hold()
  held.hold()
  expect(heard.splice(0)).toEqual(['a', 'clear'])
  for (const notice of [log('b'), progress, { kind: 'waits', waits: [question()] } as const, progress, log('c'), { kind: 'waits', waits: [] } as const]) held.notice(notice)
  held.tick()
  expect(heard).toEqual([])
  held.release()
  held.release()
  expect(heard.splice(0)).toEqual(['b', 'c', '0 waits', 'progress'])
  held.hold()
  held.notice(log('d'))
  held.notice({ kind: 'run-finished', summary })
  expect(heard.splice(0)).toEqual(['clear', 'd', 'run-finished'])
  held.hold()
  for (let n = 0; n < 20_000; n++) held.notice(log(`line ${n}`))
  held.close()
  expect(heard.length).toBeLessThan(10_010)
  expect(heard).toContain('10000 notices were not shown while a question stood here; `tek logs` tells them')
})
