// Serving: clocks that move as they are told, runs that wait, one server a folder, what stands in the way.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { LEASE_MS } from '#interpreter/journal/lease.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Plan, PlanTrigger } from '#model/plan.ts'
import { MAX_TAKE_UPS } from '#serve/drives.ts'
import type { ServeOptions } from '#serve/serve.ts'
import type { ServedProgram } from '#serve/trigger.ts'
import { run } from '#tek.ts'
import { somePlan, someSummary } from '../journal/some-run.ts'
import { once, until, place, served, servedPlan, start, statuses, withStore, type Place, type Running } from './harness.ts'

const places: Place[] = []
const servers: Running[] = []
const open = (clock?: string | null): Place => {
  const made = place(clock)
  places.push(made)
  return made
}
const begin = (...words: Parameters<typeof start>): Running => {
  const made = start(...words)
  servers.push(made)
  return made
}
afterEach(async () => {
  await Promise.all(servers.splice(0).map(each => each.stop()))
  for (const each of places.splice(0)) each.remove()
})

const hourly = 'workflow beat() -> string {\n  every 1h\n  return "hello"\n}\n'
const asking = 'workflow ship() -> string {\n  every 1h\n  task deploy approve "Deploy?" = "deployed"\n  return deploy\n}\n'

describe('clocks', () => {
  test('each tick begins one run; the first look begins none', async () => {
    const where = open('2026-01-01T08:30:00Z')
    const server = begin(where, [await served(where.host, hourly)])
    await server.heard('serving')
    where.set('2026-01-01T09:00:00Z')
    expect(await server.heard('fired')).toMatchObject({ program: 'p.tek', workflow: 'beat', trigger: 'every 1h', tickMs: Date.parse('2026-01-01T09:00:00Z') })
    expect(await server.heard('ended')).toMatchObject({ status: 'done' })
    where.set('2026-01-01T10:00:20Z')
    await server.heard('ended', () => true, 2)
    await server.stop()
    expect(await statuses(where)).toEqual(['done', 'done'])
  })

  test('ticks that nobody watched: one run for all of them, or none, as the trigger says', async () => {
    const where = open('2026-01-01T08:30:00Z')
    const both = [await served(where.host, hourly), await served(where.host, hourly.replace('1h', '1h missed skip'), 'skips.tek')]
    await once(where, both)
    where.set('2026-01-01T13:20:00Z')
    const events = await once(where, both)
    expect(events.filter(each => each.kind === 'fired')).toEqual([expect.objectContaining({ program: 'p.tek', isMissed: true, tickMs: Date.parse('2026-01-01T13:00:00Z') })])
    expect((await once(where, both)).filter(each => each.kind === 'fired')).toEqual([])
  })

  test('a pattern of times goes by its zone', async () => {
    const where = open('2026-03-28T12:00:00Z')
    const server = begin(where, [await served(where.host, 'workflow night() -> int {\n  cron "30 2 * * *" in "Europe/Berlin"\n  return 1\n}\n')])
    await server.heard('serving')
    where.set('2026-03-29T01:00:00Z') // 3:00 there: the clock has skipped 2:30
    expect(await server.heard('fired')).toMatchObject({ tickMs: Date.parse('2026-03-29T01:00:00Z') })
    where.set('2026-03-30T00:30:00Z')
    await server.heard('fired', each => each.tickMs === Date.parse('2026-03-30T00:30:00Z'))
    await server.heard('ended', () => true, 2)
  })

  test('while its last run waits, a tick is passed over, and recorded as passed over', async () => {
    const where = open('2026-01-01T08:30:00Z')
    const program = await served(where.host, asking)
    const server = begin(where, [program])
    await server.heard('serving')
    where.set('2026-01-01T09:00:00Z')
    const { runId } = await server.heard('ended', each => each.status === 'waiting')
    where.set('2026-01-01T10:00:00Z')
    expect(await server.heard('passed-over')).toMatchObject({ runId, tickMs: Date.parse('2026-01-01T10:00:00Z') })
    await withStore(where, journal => journal.mailbox.put(runId, { kind: 'answer', task: 'deploy', verdict: 'approved', by: 'a test' }, where.host.now()))
    await server.heard('ended', each => each.runId === runId && each.status === 'done')
    where.set('2026-01-01T11:00:00Z')
    await server.heard('fired', each => each.tickMs === Date.parse('2026-01-01T11:00:00Z'))
    await server.heard('ended', each => each.runId !== runId)
    await server.stop()
    const kept = await withStore(where, journal => journal.triggers!.state(`every p.tek ship ${JSON.stringify({ intervalMs: 3_600_000, kind: 'every' })}`))
    expect(JSON.parse(kept!)).toEqual({ handledMs: Date.parse('2026-01-01T11:00:00Z'), passed: 1, passedMs: Date.parse('2026-01-01T10:00:00Z') })
  })

  test('a clock set back by a day does not begin a run again for a tick that had one', async () => {
    const where = open('2026-01-02T08:30:00Z')
    const server = begin(where, [await served(where.host, hourly)])
    await server.heard('serving')
    where.set('2026-01-02T09:00:00Z')
    await server.heard('ended')
    where.set('2026-01-02T06:59:00Z')
    const key = `every p.tek beat ${JSON.stringify({ intervalMs: 3_600_000, kind: 'every' })}`
    await until(() => withStore(where, journal => journal.triggers!.state(key)!.includes(String(Date.parse('2026-01-02T06:59:00Z')))))
    where.set('2026-01-02T07:00:00Z')
    await server.heard('fired', each => each.tickMs === Date.parse('2026-01-02T07:00:00Z'))
    where.set('2026-01-02T09:30:00Z')
    where.set('2026-01-02T10:00:00Z')
    await server.heard('fired', each => each.tickMs === Date.parse('2026-01-02T10:00:00Z'))
    expect(server.events.filter(each => each.kind === 'fired' && each.tickMs === Date.parse('2026-01-02T09:00:00Z'))).toHaveLength(1)
  })
})

describe('runs that wait', () => {
  const begun = async (where: Place, text: string): Promise<string> => {
    const { plan } = await served(where.host, text)
    const answer = await run(where.host, { plan, program: 'p.tek', args: {}, database: where.database, tekVersion: '0.0.0', onNotice: () => {} })
    if (answer.kind === 'refused') throw new Error(answer.diagnostics[0]!.message)
    expect(answer.value.status).toBe('waiting')
    return answer.value.runId
  }

  test('one whose time has come is brought to its end, and not before', async () => {
    const where = open('2026-01-01T00:00:00Z')
    const runId = await begun(where, 'workflow later() -> int {\n  task a wait 2h = 1\n  return a\n}\n')
    where.set('2026-01-01T01:50:00Z')
    expect((await once(where, [])).map(each => each.kind)).toEqual(['serving'])
    where.set('2026-01-01T02:00:01Z')
    expect(await once(where, [])).toContainEqual(expect.objectContaining({ kind: 'ended', runId, status: 'done' }))
    expect(await statuses(where)).toEqual(['done'])
  })

  test('one that was answered is brought to its end at once', async () => {
    const where = open(null)
    const runId = await begun(where, asking)
    const server = begin(where, [])
    await server.heard('serving', each => each.waiting === 1)
    await withStore(where, journal => journal.mailbox.put(runId, { kind: 'answer', task: 'deploy', verdict: 'approved', by: 'a test' }, where.host.now()))
    await server.heard('ended', each => each.runId === runId && each.status === 'done')
  })

  test('one whose question is passed on in time is announced again, and fails when nobody answers', async () => {
    const where = open('2026-01-01T00:00:00Z')
    const text = 'workflow ship() -> string {\n  task deploy approve "Deploy?" within 2h escalate "the owner" within 1h = "deployed"\n  return deploy\n}\n'
    const runId = await begun(where, text)
    const told: unknown[] = []
    const listening: Place = { ...where, host: { ...where.host, run: async command => {
      told.push(JSON.parse(command.stdin!))
      return { exitCode: told.length === 1 ? 3 : 0, signal: null, stdout: '', stderr: '', truncated: false, timedOut: false, elapsedMs: 1 }
    } } }
    const server = begin(listening, [], { notify: { program: './tell.sh', env: {} } })
    expect(await server.heard('announced')).toMatchObject({ runId, task: 'deploy', failure: 'it ended with exit code 3' })
    where.set('2026-01-01T02:00:01Z')
    await server.heard('announced', each => each.failure === null)
    await server.stop()
    const again = begin(listening, [], { notify: { program: './tell.sh', env: {} } })
    where.set('2026-01-01T03:00:03Z')
    await again.heard('ended', each => each.status === 'failed' && each.code === 'run/not-approved')
    expect(told).toEqual([
      { version: 1, kind: 'question', runId, program: 'p.tek', workflow: 'ship', task: 'deploy', question: 'Deploy?', askedOf: null, sinceMs: Date.parse('2026-01-01T00:00:00Z'), dueMs: Date.parse('2026-01-01T02:00:00Z') },
      expect.objectContaining({ kind: 'escalation', askedOf: 'the owner' }),
    ])
  })

  test('one whose process died while its record still said that it waits is gone on with', async () => {
    const where = open('2026-01-01T00:00:00Z')
    const runId = await begun(where, asking)
    await withStore(where, journal => journal.takeLease(runId, { owner: 'dead', pid: 1, hostName: 'elsewhere', bootId: '', expiresMs: 0 }, () => false))
    expect(await once(where, [])).toContainEqual(expect.objectContaining({ kind: 'ended', runId, status: 'waiting' }))
    expect((await once(where, [])).map(each => each.kind)).toEqual(['serving'])
  })

  test('one that a person paused is left to people', async () => {
    const where = open('2026-01-01T00:00:00Z')
    const runId = await begun(where, asking)
    await withStore(where, journal => journal.mailbox.put(runId, { kind: 'pause' }, where.host.now()))
    expect(await once(where, [])).toContainEqual(expect.objectContaining({ kind: 'ended', runId, status: 'paused' }))
    await withStore(where, journal => journal.mailbox.put(runId, { kind: 'answer', task: 'deploy', verdict: 'approved', by: 'a test' }, where.host.now()))
    expect((await once(where, [])).map(each => each.kind)).toEqual(['serving'])
  })

  test('one that may not go on now is tried again later, and does not keep others from going on', async () => {
    const where = open('2026-01-01T00:00:00Z')
    const [first, second] = [await begun(where, asking), await begun(where, asking)]
    for (const each of [first, second]) await withStore(where, journal => journal.mailbox.put(each, { kind: 'answer', task: 'deploy', verdict: 'approved', by: 'a test' }, where.host.now()))
    const needed: Diagnostic = { code: 'permit/needed', severity: 'error', message: 'It needs a permit.', labels: [], help: [], fixes: [] } as unknown as Diagnostic
    const events = await once(where, [], { permitAgain: async (_, runId) => (runId === first ? { kind: 'refused', diagnostics: [needed] } : { kind: 'answer', value: { grants: [], by: 'file' } }) })
    expect(events).toContainEqual({ kind: 'refused', runId: first, code: 'permit/needed', message: 'It needs a permit.', retried: true })
    expect(events).toContainEqual(expect.objectContaining({ kind: 'ended', runId: second, status: 'done' }))
  })
})

test('a run that was taken up twenty times and never came to an end is left to people', async () => {
  const where = open(null)
  await withStore(where, journal => {
    journal.startRun(someSummary('again'), somePlan)
    const store = journal.triggers!
    store.take({ owner: 'before', pid: 1, hostName: '', bootId: '', expiresMs: 0 }, () => false)
    for (let times = 1; times < MAX_TAKE_UPS; times++) expect(store.takeUp('before', 'again', 0)).toBe(times)
    store.drained('again')
    for (let times = 1; times <= MAX_TAKE_UPS; times++) expect(store.takeUp('before', 'again', 0)).toBe(times)
  })
  expect(await once(where, [])).toContainEqual(expect.objectContaining({ kind: 'refused', runId: 'again', code: 'serve/taken-up-too-often', retried: false }))
  expect((await once(where, [])).map(each => each.kind)).toEqual(['serving'])
})

describe('one server a folder', () => {
  test('a second one is told who serves, and one after it may serve', async () => {
    const where = open(null)
    const server = begin(where, [])
    await server.heard('serving')
    const second = await start(where, []).ended
    expect(second).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'serve/already-served', message: expect.stringContaining(String(process.pid)) }] })
    await server.stop()
    expect(await once(where, [])).toHaveLength(1)
  })

  test('one that was suspended while another took over ends, and begins nothing', async () => {
    const where = open('2026-01-01T08:30:00Z')
    const server = begin(where, [await served(where.host, hourly)])
    await server.heard('serving')
    await withStore(where, journal => journal.triggers!.take({ owner: 'another', pid: 1, hostName: 'elsewhere', bootId: '', expiresMs: Date.parse('2026-01-01T08:30:00Z') + LEASE_MS }, () => false))
    where.set('2026-01-01T09:00:00Z')
    expect(await server.ended).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'serve/taken-over' }] })
    expect(await statuses(where)).toEqual([])
  })
})

describe('what stands in the way', () => {
  const codes = async (programs: readonly ServedProgram[], options: Partial<ServeOptions> = {}, where: Place = open()): Promise<string[]> => {
    const end = await start(where, programs, options).ended
    return end.kind === 'refused' ? end.diagnostics.map(each => each.code) : []
  }
  /** A plan as no checker would make it. */
  const with_ = async (triggers: readonly PlanTrigger[], params = ''): Promise<ServedProgram> => {
    const { host } = open()
    const program = await served(host, `workflow w(${params}) -> int {\n  return 1\n}\n`)
    const workflow = program.plan.workflows['w']!
    const plan: Plan = { ...program.plan, workflows: { w: { ...workflow, triggers } } }
    return servedPlan(host, plan)
  }
  const hook = (name: string, secret: string | null = null): PlanTrigger => ({ kind: 'webhook', name, secret, params: [] })

  test('a program without a trigger', async () => {
    expect(await codes([await served(open().host, 'workflow w() -> int {\n  return 1\n}\n')])).toEqual(['serve/no-triggers'])
  })

  test.each(['../other/**', '/etc/*', 'a/../../b', '.tek/**', '.'])('files of %s', async pattern => {
    expect(await codes([await with_([{ kind: 'file', pattern, param: null }])])).toEqual(['serve/bad-trigger'])
  })

  test('a parameter without a value', async () => {
    expect(await codes([await with_([{ kind: 'every', intervalMs: 1_000, missed: 'run' }], 'n: int')])).toEqual(['serve/missing-argument'])
  })

  test('webhooks: two of a name, one that is no name, one without its secret, one that anybody could send to', async () => {
    expect(await codes([await with_([hook('a'), hook('a')])])).toEqual(['serve/webhook-twice'])
    expect(await codes([await with_([hook('a b')])])).toEqual(['serve/bad-trigger'])
    expect(await codes([await with_([hook('a', 'key')])])).toEqual(['serve/bad-trigger'])
    expect(await codes([await with_([hook('a')])], { http: { bind: '0.0.0.0', port: 0, names: [], allowUnsigned: false } })).toEqual(['serve/unsigned-webhook'])
  })

  test('an address that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    expect(await codes([await with_([hook('a')])], { http: { bind: '127.0.0.1', port, names: [], allowUnsigned: false } })).toEqual(['serve/no-address'])
    other.close()
  })

  test('too many files', async () => {
    const where = open()
    const entries = Array.from({ length: 50_001 }, (_, index) => ({ name: `f${index}.txt`, kind: 'file' as const }))
    const files: Place['host']['files'] = Object.assign(Object.create(where.host.files) as Place['host']['files'], {
      list: async () => entries, stat: async () => ({ kind: 'file', sizeBytes: 1, modifiedMs: 1 }), realPath: async (path: string) => path,
    })
    expect(await codes([await with_([{ kind: 'file', pattern: '*.txt', param: null }])], {}, { ...where, host: { ...where.host, files } })).toEqual(['serve/too-many-files'])
  })

  test('the file that stops every run: nothing begins until it is gone', async () => {
    const where = open('2026-01-01T08:30:00Z')
    const program = await served(where.host, hourly)
    await once(where, [program])
    writeFileSync(join(where.path, '.tek', 'STOP'), '')
    where.set('2026-01-01T09:00:00Z')
    expect(await once(where, [program])).toContainEqual(expect.objectContaining({ kind: 'refused', code: 'run/stop-file', retried: true }))
    await where.host.files.remove(join(where.path, '.tek', 'STOP'))
    expect(await once(where, [program])).toContainEqual(expect.objectContaining({ kind: 'ended', status: 'done' }))
  })
})
