// Live progress, plain lines and the event stream, from the same notices.
import { expect, test } from 'vitest'
import { displayWidth, plainPaint } from '#base/terminal-text.ts'
import type { RunNotice, RunSummary, TaskCounts } from '#model/report.ts'
import { consoleListener } from '#telemetry/console.ts'
import { ndjsonListener } from '#telemetry/ndjson.ts'
import { plainListener } from '#telemetry/plain.ts'

const counts = (more: Partial<TaskCounts> = {}): TaskCounts => ({ total: 10, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0, ...more })
const calls = { read: 1204, wrote: 1, ran: 2, fetched: 0, refused: 0 }
const summary: RunSummary = {
  runId: '4f2a99aa11bb22cc', workflow: 'todos', program: 'todos.tek', planHash: 'h', startedAtMs: 0, elapsedMs: 6_240, status: 'done',
  outcome: { kind: 'value', value: 1 }, tasks: counts({ done: 9, skipped: 1, cached: 3 }), calls,
}
const task = (path: string, status: 'running' | 'done' | 'failed', more: Partial<Extract<RunNotice, { kind: 'task' }>> = {}): RunNotice => ({ kind: 'task', path, label: null, status, attempt: 1, cached: false, elapsedMs: 12, failure: null, ...more })
const progress = (fraction: number, running: string[] = [], more: Partial<Extract<RunNotice, { kind: 'progress' }>> = {}): RunNotice => ({ kind: 'progress', fraction, etaMs: null, tasks: counts({ done: Math.round(fraction * 10), running: running.length }), running, calls, ...more })

/** A terminal that understands what the console writes: lines, cursor up, erase below. */
class Screen {
  readonly rows: string[] = ['']
  writes = 0
  columns = 80
  #y = 0
  write(text: string): void {
    this.writes++
    for (const part of text.split(/(\u001b\[\d*[AJ]|\n)/)) {
      const up = /^\u001b\[(\d+)A$/.exec(part)
      if (up) this.#y -= Number(up[1])
      else if (part === '\u001b[J') this.rows.splice(this.#y, Number.POSITIVE_INFINITY, '')
      else if (part === '\n') {
        this.#y++
        this.rows[this.#y] ??= ''
      } else if (part !== '') {
        expect(displayWidth(part)).toBeLessThan(this.columns)
        this.rows[this.#y] += part
      }
    }
    expect(this.#y).toBeGreaterThanOrEqual(0)
  }
  get text(): string {
    return this.rows.join('\n').trimEnd()
  }
}

function live(): { screen: Screen; send: (notice: RunNotice, advanceMs?: number) => void; tick: (advanceMs: number) => void; close: () => void } {
  const screen = new Screen()
  let clock = 1_000
  const listener = consoleListener({ write: text => screen.write(text), columns: () => screen.columns, paint: plainPaint }, () => clock)
  return {
    screen,
    send: (notice, advanceMs = 100) => {
      clock += advanceMs
      listener.notice(notice)
    },
    tick: advanceMs => {
      clock += advanceMs
      listener.tick()
    },
    close: () => listener.close(),
  }
}

test('live: percent, counts, time left, running tasks, in place', () => {
  const { screen, send, tick } = live()
  send({ kind: 'run-started', runId: 'r', workflow: 'todos', atMs: 0, authority: [] })
  send(task('scan[0]', 'running'))
  send(progress(0.42, ['scan[0]', 'scan[1]'], { etaMs: 8_000, tasks: counts({ done: 3, failed: 1 }) }))
  expect(screen.text).toMatchInlineSnapshot(`
    "[=======         ] 42%  4/10 tasks · 1 failed · 200 ms · 8.0 s left · todos
      scan[0]  100 ms
      scan[1]"
  `)
  tick(900)
  expect(screen.text).toContain('scan[0]  1.0 s')
  send(progress(0.9, ['scan[1]']))
  expect(screen.text).not.toContain('scan[0]')
  send({ kind: 'run-finished', summary })
  expect(screen.text).toBe('done todos · 9 of 10 tasks (1 skipped, 3 from cache) · 6.2 s\ntouched: read 1,204, wrote 1, ran 2, refused 0 · again: tek show 4f2a99aa')
})

test('live: a task that ended is not shown as running, though the last list still names it', () => {
  const { screen, send } = live()
  send(progress(0.1, ['scan[0]', 'scan[1]']))
  send(task('scan[0]', 'done'))
  expect(screen.text).not.toContain('scan[0]')
  expect(screen.text).toContain('scan[1]')
})

test('live: at most ten redraws a second, however many notices', () => {
  const { screen, send } = live()
  for (let index = 0; index < 10_000; index++) send(progress(index / 10_000, [`scan[${index}]`]), 1)
  expect(screen.writes).toBeLessThanOrEqual(101)
  expect(screen.rows.length).toBeLessThan(10)
})

test('live: never wider than the terminal, also after a resize; never more than a few lines', () => {
  const { screen, send } = live()
  const many = Array.from({ length: 500 }, (_, index) => `a-very-long-task-name-that-does-not-fit/${'日本'.repeat(40)}[${index}]`)
  for (const columns of [80, 40, 200, 41]) {
    screen.columns = columns
    send(progress(0.5, many))
  }
  expect(screen.text.split('\n').length).toBeLessThanOrEqual(7)
  expect(screen.text).toContain('and 495 more')
})

test('live: log lines stay above, names cannot move the cursor', () => {
  const { screen, send, close } = live()
  send(progress(0.1, ['evil\u001b[2J\nname']))
  send({ kind: 'log', task: 'scan', atMs: 0, message: 'found\u001b[1A 3\nthings' })
  send(progress(0.2, ['b']))
  expect(screen.text.split('\n')[0]).toBe('scan: found␛[1A 3 things')
  expect(screen.text).not.toContain('\u001b')
  close()
  expect(screen.text).toBe('scan: found␛[1A 3 things')
})

test('live: a long log line is broken between words, in at most three rows', () => {
  const { screen, send, close } = live()
  const width = screen.columns - 1
  send({ kind: 'log', task: 'scan', atMs: 0, message: `begins here ${'word '.repeat(Math.ceil(width / 5))}and ends` })
  send({ kind: 'log', task: 'scan', atMs: 0, message: 'word '.repeat(width) })
  close()
  const rows = screen.text.trimEnd().split('\n')
  expect(rows.length).toBe(5)
  expect(rows[1]).toMatch(/^  (?:word )*and ends$/)
  expect(rows[4]).toMatch(/…$/)
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(width)
})

function plain(notices: readonly RunNotice[]): string {
  let text = ''
  const listener = plainListener({ write: more => void (text += more), columns: () => 80, paint: plainPaint })
  for (const notice of notices) listener.notice(notice)
  listener.close()
  return text
}

test('plain: a line for each top-level task, failures inside named', () => {
  const failure = { code: 'fs/not-found', message: 'There is no\nfile.', task: 'scan[1]', retryable: false }
  expect(plain([
    { kind: 'run-started', runId: 'r', workflow: 'todos', atMs: 0, authority: [] }, task('files', 'running'), task('files', 'done', { cached: true }), progress(0.2),
    task('scan[0]', 'done'), task('scan[1]', 'failed', { failure }), task('scan', 'failed', { label: 'scan files', failure }),
    { kind: 'run-finished', summary: { ...summary, status: 'failed' } },
  ])).toMatchInlineSnapshot(`
    "done      files · 12 ms · from cache
    failed    scan[1] · 12 ms · fs/not-found: There is no file.
    failed    scan files · 12 ms · fs/not-found: There is no file.
    failed todos · 9 of 10 tasks (1 skipped, 3 from cache) · 6.2 s
    touched: read 1,204, wrote 1, ran 2, refused 0 · again: tek show 4f2a99aa
    "
  `)
})

test('plain: ten thousand failing items do not flood the log', () => {
  const text = plain(Array.from({ length: 10_000 }, (_, index) => task(`scan[${index}]`, 'failed')))
  expect(text.split('\n').length).toBeLessThan(30)
})

test('ndjson: one whole object a line, the notices as they are', () => {
  const lines: string[] = []
  const listener = ndjsonListener(text => lines.push(text))
  const notices: RunNotice[] = [progress(0.5, ['a\nb']), { kind: 'log', task: 't', atMs: 1, message: 'x\u001b\n' }, { kind: 'run-finished', summary }]
  for (const notice of notices) listener.notice(notice)
  expect(lines.every(line => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true)
  expect(lines.map(line => JSON.parse(line) as unknown)).toEqual(notices.map(notice => ({ version: 1, ...notice })))
})

test('what becomes of an agent is a line of its own, live and plain; no name or message passes for another line', () => {
  const notices: RunNotice[] = [
    { kind: 'agent', agent: 'triage', change: 'paused', failure: null },
    { kind: 'agent', agent: 'tri\nage', change: 'given-up', failure: { code: 'model/quota', message: 'used\nup', task: 't', retryable: false } },
  ]
  const { screen, send, close } = live()
  send(progress(0.5, ['a']))
  let plain = ''
  const listener = plainListener({ write: text => void (plain += text), columns: () => 80, paint: plainPaint })
  for (const notice of notices) {
    send(notice)
    listener.notice(notice)
  }
  close()
  expect(screen.text).toContain('`triage` is paused: nothing new is asked of it')
  expect(plain.trimEnd().split('\n')).toEqual(['agent     `triage` is paused: nothing new is asked of it', expect.stringMatching(/^agent {5}`tri.age` is given up for this run: .* · model\/quota: used.up$/)])
})
