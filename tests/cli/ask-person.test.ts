// Asking at the terminal: what an answer means, how a question looks, when it is asked and when no longer.
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { displayWidth, plainPaint } from '#base/terminal-text.ts'
import type { RunRequest } from '#interpreter/journal/journal.ts'
import type { RunNotice, Wait } from '#model/report.ts'
import { heldListener } from '#telemetry/held.ts'
import { AskPerson, questionLines, readAnswer } from '../../src/cli/ask-person.ts'
import { LineReader } from '../../src/cli/read-line.ts'
import { shellWord } from '../../src/cli/shell-word.ts'
import { waitingLines } from '../../src/cli/waiting-lines.ts'

type Question = Extract<Wait, { kind: 'approval' }>
const question = (task: string, more: Partial<Question> = {}): Question => ({ kind: 'approval', task, question: `${task}?`, askedOf: null, sinceMs: 0, dueMs: null, ...more })

test('only a clear yes approves; Enter leaves it for later; a note is kept as it was typed', () => {
  for (const word of ['y', 'Y', 'yes', ' y ']) expect(readAnswer(word)).toEqual({ verdict: 'approved' })
  for (const word of ['n', 'NO']) expect(readAnswer(word)).toEqual({ verdict: 'refused' })
  for (const word of ['', ' ', 's', 'skip', 'later']) expect(readAnswer(word)).toBe('later')
  for (const word of ['yep', 'ok', 'sure', 'yn', 'approve', 'x y', '1', '\u001b[A']) expect(readAnswer(word)).toBe(null)
  expect(readAnswer('n  not on a Friday')).toEqual({ verdict: 'refused', note: 'not on a Friday' })
  expect(readAnswer('yes, checked: 3 of 3')).toEqual({ verdict: 'approved', note: 'checked: 3 of 3' })
})

test('a question: each of its lines is marked, nothing of it moves the cursor, what is cut is said', () => {
  const lines = questionLines(question('deploy', { question: 'Deploy?\n? other asks\n\u001b[2J\u202e', askedOf: 'the owner\n', dueMs: 3_600_000 }), 0, plainPaint, 60)
  expect(lines.slice(0, 4)).toEqual(['? deploy asks', '  | Deploy?', '  | ? other asks', '  | ␛[2J\ufffd'])
  expect(lines.at(-1)).toMatch(/^ {2}since \d\d:\d\d:\d\d, until \d\d:\d\d, passed on to the owner $/)
  const long = questionLines(question('deploy', { question: `${'日本語'.repeat(500)}\n`.repeat(1_000) }), 0, plainPaint, 60)
  expect(long.length).toBeLessThan(2_000)
  expect(long.at(-2)).toContain('that is not all of it: it has 1,501,000 characters')
  const hidden = questionLines(question('deploy', { question: `rm -rf /${'\n '.repeat(5_000)}\nDeploy?` }), 0, plainPaint, 60)
  expect(hidden.slice(1, 4)).toEqual(['  | rm -rf /', '  | (5,000 empty lines)', '  | Deploy?'])
  for (const line of [...lines, ...long.slice(0, -2)]) expect(displayWidth(line)).toBeLessThan(60)
})

class Terminal {
  readonly stdin = new PassThrough()
  shown = ''
  readonly answers: RunRequest[] = []
  readonly heard: string[] = []
  problem: string | null = null
  readonly listener = heldListener({ notice: notice => void this.heard.push(notice.kind), tick: () => {}, close: () => {} })
  readonly person = new AskPerson({
    err: { write: text => void (this.shown += text), isTerminal: true, paint: plainPaint, columns: () => 80 }, reader: new LineReader(this.stdin), listener: this.listener, by: 'ada, terminal', now: () => 0,
    answer: async (_, request) => {
      this.answers.push(request)
      return this.problem
    },
  })

  tell(notice: RunNotice): void {
    this.listener.notice(notice)
    this.person.notice(notice)
  }

  waits(...waits: Wait[]): void {
    this.tell({ kind: 'waits', waits })
  }

  async sees(text: string, times = 1): Promise<void> {
    while (this.shown.split(text).length - 1 < times) await new Promise(resolve => setTimeout(resolve, 5))
  }

  /** Types when a question stands there, for the n-th time. */
  async types(line: string, times: number): Promise<void> {
    await this.sees('may follow  ', times)
    this.stdin.write(line)
  }
}

test('one after the other; what was answered is not asked again, what was left neither; then nobody attends any more', async () => {
  const terminal = new Terminal()
  const all = [question('a'), question('b'), question('c')]
  terminal.waits(...all)
  await terminal.types('y\n', 1)
  await terminal.types('n too late\n', 2)
  expect(terminal.person.attends(all)).toBe(true)
  await terminal.types('\n', 3)
  await terminal.sees('c is left for later.')
  terminal.waits(question('c'))
  terminal.waits(question('c', { askedOf: 'the owner' }))
  expect(terminal.person.attends([question('c')])).toBe(false)
  expect(terminal.person.attends([question('c'), question('d')])).toBe(true)
  expect(terminal.person.attends([{ kind: 'time', task: 't', sinceMs: 0, dueMs: 1 }])).toBe(false)
  expect(terminal.answers).toEqual([
    { kind: 'answer', task: 'a', verdict: 'approved', by: 'ada, terminal' }, { kind: 'answer', task: 'b', verdict: 'refused', by: 'ada, terminal', note: 'too late' },
  ])
  expect(terminal.shown.split('may follow  ').length - 1).toBe(3)
})

test('what was typed before the question is no answer to it', async () => {
  const terminal = new Terminal()
  terminal.stdin.write('y\ny\n')
  terminal.waits(question('a'))
  await terminal.types('s\n', 1)
  await terminal.sees('a is left for later.')
  expect(terminal.answers).toEqual([])
})

test('answered elsewhere: it is said, and the next question follows; the display is held while one stands', async () => {
  const terminal = new Terminal()
  terminal.waits(question('a'), question('b'))
  await terminal.sees('may follow  ', 1)
  terminal.tell({ kind: 'log', task: 'x', atMs: 0, message: 'm' })
  expect(terminal.heard).toEqual(['waits'])
  terminal.waits(question('b'))
  await terminal.sees('a asks no longer: it was approved elsewhere.')
  await terminal.types('y\n', 2)
  while (terminal.answers.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  expect(terminal.answers).toMatchObject([{ task: 'b' }])
  while (!terminal.heard.includes('log')) await new Promise(resolve => setTimeout(resolve, 5))
})

test('passed on while it stands: it is said whom, and until when; the failure is said when its time runs out', async () => {
  const terminal = new Terminal()
  terminal.waits(question('a', { dueMs: 1_000 }))
  await terminal.sees('may follow  ', 1)
  terminal.waits(question('a', { askedOf: 'the owner', dueMs: 7_200_000 }))
  await terminal.sees('it was passed on to the owner. You may still answer until ')
  terminal.tell({ kind: 'task', path: 'a', label: null, status: 'failed', attempt: 1, cached: false, elapsedMs: 0, failure: { code: 'run/not-approved', message: 'Nobody answered.', task: 'a', retryable: false, details: 'x\ny' } })
  terminal.waits()
  await terminal.sees('a asks no longer: Nobody answered: x y.')
})

test('twenty answers that are none leave it for later; one that cannot be recorded is said, and leaves it too', async () => {
  const terminal = new Terminal()
  terminal.waits(question('a'))
  for (let time = 1; time <= 20; time++) await terminal.types('what?\n', time)
  await terminal.sees('a is left for later.')
  terminal.problem = 'The disk is full.'
  terminal.waits(question('a'), question('b'))
  await terminal.types('y\n', 21)
  await terminal.sees('It could not be recorded: The disk is full.')
  expect(terminal.person.attends([question('a'), question('b')])).toBe(false)
})

test('the end of input leaves everything for later, and the end of the run ends the asking', async () => {
  const terminal = new Terminal()
  terminal.waits(question('a'), question('b'))
  await terminal.sees('may follow  ', 1)
  terminal.stdin.end()
  await terminal.sees('a is left for later.')
  expect(terminal.person.attends([question('b')])).toBe(false)
  const ended = new Terminal()
  ended.waits(question('a'))
  await ended.sees('may follow  ', 1)
  ended.person.close()
  expect(ended.person.attends([question('a')])).toBe(false)
  ended.tell({ kind: 'log', task: 'x', atMs: 0, message: 'm' })
  expect(ended.heard.at(-1)).toBe('log')
})

test('how a run that waits is answered: names as a shell takes them, few of them', () => {
  expect(shellWord("it's")).toBe(`'it'\\''s'`)
  const waits = [...Array.from({ length: 7 }, (_, item) => question(`scan[${item}]`)), { kind: 'time', task: 'late', sinceMs: 0, dueMs: 1_000 } as const]
  const lines = waitingLines({ runId: '4f2a99aa11bb', status: 'waiting', waits })
  expect(lines[1]).toBe("  `tek approve 'scan[0]' 4f2a99aa` or `tek refuse 'scan[0]' 4f2a99aa` answers; with `--resume` it goes on at once.")
  expect(lines.slice(10)).toEqual(['and 2 more questions: `tek waits` lists them.', expect.stringMatching(/^until .*: late$/), '`tek resume 4f2a99aa` goes on with it when something is answered or due; `tek serve` does so by itself.'])
  expect(waitingLines({ runId: '4f2a99aa11bb', status: 'paused' })).toEqual(['`tek resume 4f2a99aa` goes on with it; nothing else does.'])
})
