// Hindered: what stands in the way of one run keeps no other run from going on, and no server from ending.
import { afterEach, expect, test } from 'vitest'
import Database from 'better-sqlite3'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunRequest } from '#interpreter/journal/journal.ts'
import { run } from '#tek.ts'
import { someSummary, somePlan } from '../journal/some-run.ts'
import { once, place, served, start, withStore, type Place } from './harness.ts'

const places: Place[] = []
afterEach(() => {
  for (const each of places.splice(0)) each.remove()
})
const open = (): Place => {
  const made = place()
  places.push(made)
  return made
}

const asking = 'workflow ship() -> string {\n  task deploy approve "Deploy?" = "deployed"\n  return deploy\n}\n'
const yes = (by: string): RunRequest => ({ kind: 'answer', task: 'deploy', verdict: 'approved', by })

/** A run that waits for its answer. */
async function waiting({ host, database }: Place): Promise<string> {
  const { plan, shown, folder } = await served(host, asking)
  const ran = await run(host, { plan, program: shown, folder, workflow: 'ship', args: {}, database, permit: { grants: [], by: 'flag' }, tekVersion: '0.0.0', onNotice: () => {} })
  if (ran.kind === 'refused') throw new Error(ran.diagnostics[0]!.message)
  expect(ran.value.status).toBe('waiting')
  return ran.value.runId
}

const change = ({ database }: Place, sql: string, ...values: unknown[]): void => {
  const opened = new Database(database)
  const statement = opened.prepare(sql)
  statement.run(...values)
  opened.close()
}

test('a damaged run is told of once, and a server that met it still ends when it is told to', async () => {
  const where = open()
  const [damaged, other] = [await waiting(where), await waiting(where)]
  await withStore(where, journal => [damaged, other].map(each => journal.mailbox.put(each, yes('a test'), 0)))
  change(where, `update events set packed = 'x' where run = ?`, damaged)
  const server = start(where, [], { runs: 1 })
  await server.heard('ended', each => each.runId === other && each.status === 'done')
  await new Promise(resolve => setTimeout(resolve, 1_500)) // time enough for many looks
  await server.stop()
  expect(server.events.filter(each => each.kind === 'refused').map(each => each.runId)).toEqual([damaged])
})

test.each([
  'not json', 'null', '5', '[]', '{"kind":"of a newer tek","task":"deploy","by":"x"}', '{"kind":"answer","task":5,"verdict":"approved","by":"x"}', '{"kind":"answer","task":"deploy","verdict":"approved"}',
  '{"kind":"answer","task":"deploy","verdict":"maybe","by":"x"}', '{"kind":"answer","task":"deploy","verdict":"approved","by":"x","note":7}', '{"kind":"cancel","task":"deploy","by":null}',
])('a request that cannot be read answers nothing, is taken off, and an answer behind it counts: %s', async body => {
  const where = open()
  const runId = await waiting(where)
  change(where, 'insert into requests (run, at_ms, body) values (?, 0, ?)', runId, body)
  expect(await once(where, [])).toContainEqual(expect.objectContaining({ kind: 'ended', runId, status: 'waiting' }))
  await withStore(where, journal => {
    expect(journal.mailbox.pending(runId)).toEqual([])
    expect(journal.openRun(runId)!.log.lines()).toEqual([expect.objectContaining({ level: 'warn', message: expect.stringContaining('cannot be read') })])
    change(where, 'insert into requests (run, at_ms, body) values (?, 0, ?)', runId, body)
    journal.mailbox.put(runId, yes('a test'), 0)
  })
  expect(await once(where, [])).toContainEqual(expect.objectContaining({ kind: 'ended', runId, status: 'done' }))
})

test('many runs that may not go on now hide none that may', async () => {
  const where = open()
  const runId = await waiting(where)
  await withStore(where, journal => {
    const hindered = Array.from({ length: 150 }, (_, at) => `hindered${at}`)
    for (const each of hindered) {
      const summary = { ...someSummary(each), status: 'waiting' as const, waits: [{ kind: 'time' as const, task: 'a', sinceMs: 0, dueMs: 1 }] }
      journal.startRun(summary, somePlan).describe(summary)
    }
    journal.mailbox.put(runId, yes('a test'), 0)
  })
  const needed = { code: 'permit/needed', severity: 'error', message: 'It needs a permit.', labels: [], help: [], fixes: [] } as unknown as Diagnostic
  const events = await once(where, [], { permitAgain: async (_, each) => (each === runId ? { kind: 'answer', value: { grants: [], by: 'file' } } : { kind: 'refused', diagnostics: [needed] }) })
  expect(events).toContainEqual(expect.objectContaining({ kind: 'ended', runId, status: 'done' }))
})

test('a secret that would be an empty key serves nothing', async () => {
  const where = open()
  const text = 'secret hook = env("HOOK")\n\nworkflow h() -> int {\n  can env("HOOK")\n  on webhook "h" signed hook\n  return 1\n}\n'
  const keyed = (value: string): Place => ({ ...where, host: { ...where.host, env: () => value } })
  await expect(once(keyed('whsec_!!!!'), [await served(where.host, text)])).rejects.toThrow('is not Base64 of at least 16 bytes')
  expect(await once(keyed('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), [await served(where.host, text)])).toEqual([expect.objectContaining({ kind: 'serving' })])
})
