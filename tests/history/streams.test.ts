// What programs read line by line, `tek run --json` and `tek logs --json`, is what its schema says, over real runs.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { project, tek } from '../e2e/binary.ts'
import { problemsOf, validator } from './schemas.ts'

const program = `
workflow inner(n: int) -> int {
  task twice = n * 2
  return twice
}

workflow main() -> int {
  can fs.read("notes/**")
  task files = fs.glob("notes/**")
  task said = text.count(fs.read("notes/a.txt"), "todo")
  task gone retry 1 backoff 1ms on failure use 0 = int(len(fs.read("notes/none")))
  task again retry 1 backoff 1ms on failure use 0 = if said > 100 then 1 else fail("no")
  task late timeout 20ms on failure use 0 = time.sleep(10s)
  task skipped when said > 100 = 1
  task within label "inner \${said}" = inner(said)
  return within + gone + again
}
`
let here: ReturnType<typeof project>
const bad = 'workflow main() -> int {\n  task x = fail("no")\n  return x\n}\n'
const asks = 'workflow main() -> int {\n  task first approve "May it begin?" = 1\n  task rest after first wait 1ms = 2\n  return first + rest\n}\n'
beforeAll(() => void (here = project({ 'main.tek': program, 'notes/a.txt': 'todo', 'bad.tek': bad, 'asks.tek': asks })))
afterAll(() => here.remove())

const objects = (out: string): Record<string, any>[] => out.trim().split('\n').map(line => JSON.parse(line) as Record<string, any>)

test('the events of runs that are done, that fail, that are asked', { timeout: 120_000 }, async () => {
  const validate = validator('notice')
  const seen = new Set<string>()
  for (const words of [['main.tek', 'main'], ['bad.tek'], ['asks.tek'], ['asks.tek', '--yes']]) {
    const { out, err } = await tek(['run', ...words, '--json'], { cwd: here.path })
    expect(out, err).not.toBe('')
    for (const each of objects(out)) {
      expect(problemsOf(validate, each), JSON.stringify(each)).toEqual([])
      seen.add(each['kind'])
    }
  }
  expect([...seen]).toEqual(expect.arrayContaining(['run-started', 'task', 'progress', 'waits', 'run-finished']))
})

test('the log: RFC 3339 times, OpenTelemetry severities, run, task, attempt, code', { timeout: 120_000 }, async () => {
  const validate = validator('log-line')
  const runs = JSON.parse((await tek(['runs', '--json'], { cwd: here.path })).out).runs as { runId: string; program: string }[]
  const all = (await Promise.all(runs.map(async ({ runId }) => objects((await tek(['logs', runId, '--json'], { cwd: here.path })).out || '{}')))).flat().filter(each => 'version' in each)
  for (const each of all) expect(problemsOf(validate, each), JSON.stringify(each)).toEqual([])
  expect(all).toContainEqual(expect.objectContaining({ task: 'gone', severity: 'WARN', severityNumber: 13, code: 'fs/not-found', attempt: 1 }))
  expect(all).toContainEqual(expect.objectContaining({ task: 'x', severity: 'ERROR', severityNumber: 17, code: 'run/failed' }))
  expect(all).toContainEqual(expect.objectContaining({ task: 'first', severity: 'INFO', by: '--yes', message: 'approved by --yes' }))
  for (const { time, atMs } of all) expect(new Date(time).getTime()).toBe(Math.floor(atMs))
})

test('what a run was asked and told is in `tek show --json`', { timeout: 60_000 }, async () => {
  const { out } = await tek(['show', 'last', '--json'], { cwd: here.path })
  const { said, sessions, tasks } = JSON.parse(out)
  expect(said).toMatchObject([{ task: 'first', verdict: 'approved', by: '--yes' }])
  expect(sessions).toMatchObject([{ end: 'finished' }])
  expect(tasks.find((each: any) => each.path === 'first').spans.map((each: any) => each.kind)).toEqual(['approval', 'work'])
  expect(tasks.find((each: any) => each.path === 'rest').spans.map((each: any) => each.kind)).toEqual(['time', 'work'])
  const waiting = JSON.parse((await tek(['runs', '--json'], { cwd: here.path })).out).runs.find((each: any) => each.status === 'waiting')
  expect(waiting.waits).toMatchObject([{ kind: 'approval', task: 'first', question: 'May it begin?' }])
})
