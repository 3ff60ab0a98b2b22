// Some run: a summary, a plan and events for tests of the journal.
import { MAX_INLINE_VALUE_LENGTH } from '#interpreter/journal/journal.ts'
import type { ChatReply } from '#model/chat.ts'
import type { RunEvent } from '#model/event.ts'
import type { RunSummary } from '#model/report.ts'
import { plan, task, value, workflow } from '../engine/plan-builder.ts'

export const somePlan = plan({ main: workflow([task('a', value(1))], value(null)) })

export const someSummary = (runId: string): RunSummary => ({
  runId, workflow: 'main', program: 'test.tek', planHash: somePlan.hash, startedAtMs: 1_000, elapsedMs: 0, status: 'running', outcome: null,
  tasks: { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }, calls: { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 },
})

export const someEvent = (i: number): RunEvent => ({
  kind: 'evaluated', atMs: 1_000 + i, task: i, attempt: 1, part: 'body', outcome: { kind: 'value', value: { index: i, text: 'x'.repeat(i % 50) } }, elapsedMs: 0.5,
})

export const someReply = (text: string): ChatReply => ({
  content: [{ kind: 'thinking', text: 'hm', sealed: 's=' }, { kind: 'text', text }, { kind: 'tool-use', id: 'u', name: 'fs_read', input: { path: 'a' } }], stop: 'tool-use',
  usage: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, thinking: 1 }, model: 'as-named', requestId: 'r',
})

/** One event of every kind. */
export const everyEvent: RunEvent[] = [
  { kind: 'run-started', atMs: 5, runId: 'r"1', planHash: 'h', workflow: 'main', args: { a: [1, { b: null }] }, tekVersion: '0.1.0' },
  { kind: 'run-started', atMs: 5, runId: 'r2', planHash: 'h', workflow: 'main', args: {}, tekVersion: '0.1.0', standInSeed: 'ab', origin: { runId: 'r"1', task: 'a[3]' } },
  { kind: 'run-started', atMs: 5, runId: 'r4', planHash: 'h', workflow: 'main', args: {}, tekVersion: '0.1.0', origin: { runId: 'r1', task: '', migrated: true } },
  { kind: 'run-started', atMs: 5, runId: 'r3', planHash: 'h', workflow: 'main', args: {}, tekVersion: '0.1.0', origin: { runId: 'r1', task: 'a' } },
  { kind: 'evaluated', atMs: 6, task: 1, attempt: 2, part: 'verify-key', outcome: { kind: 'value', value: 'text\n"quoted" \u2028 😀' }, elapsedMs: 1.234 },
  { kind: 'evaluated', atMs: 6, task: 1, attempt: 2, part: 'label', outcome: { kind: 'value', value: null }, elapsedMs: 0 },
  { kind: 'evaluated', atMs: 7, task: 1, attempt: 1, part: 'body', outcome: { kind: 'failure', failure: { code: 'a/b', message: 'm', task: 't', retryable: true, help: 'h', details: 'd' } }, elapsedMs: 2 },
  { kind: 'call-started', atMs: 8, task: 3, attempt: 1, call: 0, name: 'fs.read' },
  { kind: 'call-started', atMs: 8, task: 3, attempt: 1, call: 1, name: 'fs.write', keyRun: 'r1' },
  { kind: 'call-finished', atMs: 9, task: 3, attempt: 1, call: 0, outcome: { kind: 'value', value: true }, elapsedMs: 0.001 },
  { kind: 'timer-fired', atMs: 10, timer: 400_404_000 },
  { kind: 'cache-answered', atMs: 11, task: 4, key: 'abc', value: undefined, hit: false },
  { kind: 'cache-answered', atMs: 11, task: 4, key: 'abc', value: null, hit: true },
  { kind: 'cache-answered', atMs: 11, task: 4, key: 'abc', value: undefined, hit: false, madeAtMs: 3.5 },
  { kind: 'stop-requested', atMs: 12, reason: 'limit', detail: 'd"' },
  { kind: 'stop-requested', atMs: 12, reason: 'waiting', detail: '' },
  { kind: 'stop-requested', atMs: 12, reason: 'pause', detail: '`tek pause`', isFinal: true },
  { kind: 'evaluated', atMs: 12, task: 2, attempt: 1, part: 'approve', outcome: { kind: 'value', value: 'sure?' }, elapsedMs: 0 },
  { kind: 'evaluated', atMs: 12, task: 2, attempt: 1, part: 'wait', outcome: { kind: 'value', value: 5 }, elapsedMs: 0 },
  { kind: 'answered', atMs: 12, task: 2, attempt: 1, verdict: 'approved', by: 'ann"' },
  { kind: 'answered', atMs: 12, task: 2, attempt: 1, verdict: 'refused', by: 'ann', note: 'not\ntoday' },
  { kind: 'task-cancelled', atMs: 12, task: 2, by: 'ann' },
  { kind: 'recalled', atMs: 12, task: 3, attempt: 1, entries: [{ seq: 4, prompt: null, between: '', answer: 'so far', isUntrusted: true }, { seq: 9, prompt: 'What?', between: 'look {} → 1', answer: '1', isUntrusted: false }] },
  { kind: 'agent-steered', atMs: 12, agent: 'triage', does: 'pause', by: 'ann' },
  { kind: 'evaluated', atMs: 12, task: 2, attempt: 1, part: 'prompt', outcome: { kind: 'value', value: 'what?' }, elapsedMs: 0 },
  { kind: 'evaluated', atMs: 12, task: 2, attempt: 1, part: 'role', outcome: { kind: 'value', value: { role: '', authority: [], file: [] } }, elapsedMs: 0 },
  { kind: 'model-asked', atMs: 12, task: 2, attempt: 1, turn: 1, model: 'm"' },
  { kind: 'model-answered', atMs: 12, task: 2, attempt: 1, turn: 1, outcome: { kind: 'reply', reply: someReply('short'), model: 'm"', lost: [] }, elapsedMs: 1.5 },
  { kind: 'model-answered', atMs: 12, task: 2, attempt: 1, turn: 2, outcome: { kind: 'reply', reply: someReply('x'.repeat(MAX_INLINE_VALUE_LENGTH)), model: 'n', lost: [{ model: 'm', code: 'cut-off', message: '"' }] }, elapsedMs: 0 },
  { kind: 'model-answered', atMs: 12, task: 2, attempt: 1, turn: 3, outcome: { kind: 'failure', failure: { code: 'model/no-key', message: 'm', task: '', retryable: false }, lost: [] }, elapsedMs: 0 },
  { kind: 'model-answered', atMs: 12, task: 2, attempt: 2, turn: 1, outcome: { kind: 'failure', failure: { code: 'model/server', message: 'm', task: '', retryable: true }, lost: [{ model: 'm', code: 'server', message: '' }] }, elapsedMs: 0 },
  { kind: 'run-resumed', atMs: 13 },
  { kind: 'run-finished', atMs: 14, outcome: { kind: 'value', value: [1.5, -3, 'x'] } },
]
