// The HTML report of a run: what stands first, what is escaped, what is left out and counted.
import { describe, expect, test } from 'vitest'
import type { RunReport, TaskReport } from '#model/report.ts'
import { runReportHtml } from '#report/run-report.ts'

const summary: RunReport['summary'] = {
  runId: '4f2a00112233', workflow: 'nightly', program: 'nightly.tek', planHash: 'abc', startedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5), elapsedMs: 6_200, status: 'done',
  outcome: { kind: 'value', value: [{ file: 'a.ts', count: 3 }, { file: 'b.ts', count: 1 }] },
  tasks: { total: 2, done: 2, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }, calls: { read: 4, wrote: 1, ran: 0, fetched: 0, refused: 2 },
}
const task = (path: string, more: Partial<TaskReport> = {}): TaskReport => ({
  path, status: 'done', attempts: 1, cached: false, startedAtMs: summary.startedAtMs, elapsedMs: 100, outcome: { kind: 'value', value: 1 }, dependsOn: [], ...more,
})
const failed = (path: string, message: string): TaskReport =>
  task(path, { status: 'failed', outcome: { kind: 'failure', failure: { code: 'run/failed', message, task: path, retryable: false, help: 'Look at it.', details: '<b>last line</b>' } } })

describe('a run as one page', () => {
  test('says how it ended first, and shows records as a table', () => {
    const html = runReportHtml({ summary, tasks: [task('files'), task('counted', { dependsOn: ['files'] })] }, '1.2.3')
    expect(html).toContain('nightly is done: 2 of 2 tasks in 6.2 s.')
    expect(html).toContain('<th>file</th><th class="number">count</th>')
    expect(html).toContain('<td>a.ts</td><td class="number">3</td>')
    expect(html).toContain('read 4, wrote 1, ran 0, fetched 0')
    expect(html).toContain('class="tek-graph"')
  })

  test('failures come before everything that went well, with their help and details', () => {
    const html = runReportHtml({ summary: { ...summary, status: 'failed' }, tasks: [task('fine'), failed('broken', 'It broke.')] }, '1.2.3')
    expect(html.indexOf('It broke.')).toBeLessThan(html.indexOf('class="timeline"'))
    expect(html).toContain('Look at it.')
    expect(html).toContain('&lt;b&gt;last line&lt;/b&gt;')
  })

  test('nothing a run produced becomes markup or moves text about', () => {
    const evil = '</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\u001b[2J\u202e'
    const hostile: RunReport = {
      summary: { ...summary, program: evil, workflow: evil, outcome: { kind: 'value', value: [{ [evil]: evil }] } },
      tasks: [task(evil), failed(evil, evil)],
    }
    const html = runReportHtml(hostile, evil)
    expect(html).not.toMatch(/<script|<img|\u001b|\u202e/)
    expect(html.match(/<title>/g)!.length).toBe(html.match(/<\/title>/g)!.length)
    expect(html).toContain("default-src 'none'")
  })

  test('long runs are cut, and what is left out is counted', () => {
    const tasks = Array.from({ length: 3_000 }, (_, index) => task(`scan[${index}]`, { elapsedMs: index }))
    const html = runReportHtml({ summary, tasks }, '1.2.3')
    expect(html).toContain('and 1,000 more (tek show --json lists all)')
    expect(html).toContain('The 80 longest; 2,920 shorter ones are left out.')
    expect(html).toContain('scan[2999]')
    expect(html.length).toBeLessThan(2_000_000)
  })

  test('a run of 100,000 tasks with long names is a page below 2 MB', () => {
    const span = { attempt: 1, fromMs: summary.startedAtMs, toMs: summary.startedAtMs + 5 }
    const tasks = Array.from({ length: 100_000 }, (_, index) => task(`scan-${'x'.repeat(400)}[${index}]`, { elapsedMs: index, spans: Array.from({ length: 100 }, () => ({ kind: 'retry' as const, ...span })) }))
    expect(runReportHtml({ summary, tasks }, '1.2.3').length).toBeLessThan(2_000_000)
  })

  test('waits, answers, attempts, and times without a process', () => {
    const at = summary.startedAtMs
    const report: RunReport = {
      summary: {
        ...summary, status: 'waiting', outcome: null,
        waits: [{ kind: 'approval', task: 'ship', question: 'Ship <it>?', askedOf: 'ops', sinceMs: at, dueMs: at + 60_000 }, { kind: 'time', task: 'later', sinceMs: at, dueMs: at + 5_000 }],
      },
      tasks: [
        task('flaky', { attempts: 2, elapsedMs: 300, spans: [
          { kind: 'work', attempt: 1, fromMs: at, toMs: at + 100, code: 'run/failed' }, { kind: 'retry', attempt: 2, fromMs: at + 100, toMs: at + 200 }, { kind: 'work', attempt: 2, fromMs: at + 200, toMs: at + 300 },
        ] }),
        task('ship', { status: 'waiting', outcome: null, spans: [{ kind: 'approval', attempt: 1, fromMs: at, toMs: null }] }),
      ],
      said: [{ task: 'flaky', atMs: at + 50, verdict: 'approved', by: 'anna (tek approve)', note: 'looks <fine>' }],
      sessions: [{ fromMs: at, toMs: at + 100, end: 'waiting' }, { fromMs: at + 250, toMs: at + 300, end: 'waiting' }],
    }
    const html = runReportHtml(report, '1')
    expect(html).toContain('nightly waits')
    expect(html).toContain('Ship &lt;it&gt;?')
    expect(html).toContain('looks &lt;fine&gt;')
    expect(html).toContain('anna (tek approve)')
    expect(html.match(/<rect class="wait"/g)).toHaveLength(2)
    expect(html.match(/<rect class="failed"/g)).toHaveLength(1)
    expect(html.match(/<rect class="gap"/g)).toHaveLength(1)
    expect(html).toContain('Dashed: it waited.')
    expect(html).toContain('attempt 1: run/failed, 100 ms')
    expect(html).toContain('<th class="number">waited</th>')
  })

  test('links lead to files beside the page, only where there are some', () => {
    const report: RunReport = { summary, tasks: [task('a'), failed('b', 'It broke.')] }
    expect(runReportHtml(report, '1')).not.toContain('href=')
    const html = runReportHtml(report, '1', place => (place === 1 ? 'tasks/b.json' : null))
    expect(html.match(/<a href="tasks\/b.json">b<\/a>/g)).toHaveLength(2)
    expect(html).not.toContain('>a</a>')
  })

  test('the same run gives the same bytes', () => {
    const report: RunReport = { summary, tasks: [task('a'), task('b', { dependsOn: ['a'] })] }
    expect(runReportHtml(report, '1')).toBe(runReportHtml(structuredClone(report), '1'))
  })

  test('a run without tasks and without a result still has a verdict and a proof', () => {
    const html = runReportHtml({ summary: { ...summary, outcome: null, status: 'running' }, tasks: [] }, '1')
    expect(html).toContain('nightly has not ended')
    expect(html).toContain('tek show 4f2a00112233')
  })
})
