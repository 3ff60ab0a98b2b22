// Audit of a run: what is in the log when something is done, what is in it afterwards, and what happens when it cannot be kept or a switch is thrown.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBody } from '#interpreter/audit/chain.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { memoryHost, type MemoryHost } from '#testing/memory-host.ts'
import { call, local, node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runPlan, type Tool } from '../engine/run-plan.ts'
import { newPlace, tamper, verify, type Place } from './some-log.ts'

let place: Place
beforeEach(() => void (place = newPlace()))
afterEach(() => place.remove())

const grant = (name: string, ...args: string[]) => ({ name, args: args.map(value), implies: [] })
const authority = [grant('fs.write', 'out/**'), grant('fs.read', '**'), grant('exec', 'make', '**'), grant('net', 'example.com:443')]
const oneCall = plan({ main: workflow([task('a', call('work'))], node(0), { authority }) })

const verdicts = (journal: Journal): string[] => journal.audit.rows(0, 100_000).map(({ body }) => {
  const { verdict, what, kind } = readBody(body)!
  return `${verdict} ${kind === 'outcome' ? kind : what}`
})

test('every effect is in the log, durably, when it is done', async () => {
  const journal = await sqliteJournal(place.database)
  const other = await sqliteJournal(place.database)
  const seen: string[] = []
  const host = memoryHost({
    files: { 'in.txt': 'x' },
    command: () => (seen.push(`ran: ${verdicts(other).at(-1)}`), {}),
    answer: () => (seen.push(`fetched: ${verdicts(other).at(-1)}`), {}),
  })
  const write = host.files.writeAtomic.bind(host.files)
  host.files.writeAtomic = async (path: string, data: string | Uint8Array) => (seen.push(`wrote: ${verdicts(other).at(-1)}`), write(path, data))
  const work: Tool = async (_, context: ToolContext) => {
    await context.files.writeText('out/a.txt', 'y')
    await context.run('make', ['all'])
    await context.fetch('https://example.com/x')
    await context.files.readText('in.txt')
    await context.files.writeText('elsewhere.txt', 'y').catch(() => null)
    return 'done'
  }
  const { value: result } = await runPlan(oneCall, { journal, host, tools: { work } })
  expect(result).toBe('done')
  expect(seen).toEqual(['wrote: allowed fs.write("out/a.txt")', 'ran: allowed exec("make", "all")', 'fetched: allowed net("example.com:443")'])
  expect(verdicts(journal)).toEqual([
    'allowed fs.write("out/a.txt")', 'allowed exec("make", "all")', 'allowed net("example.com:443")', 'allowed fs.read("in.txt")', 'refused fs.write("elsewhere.txt")', 'done outcome',
  ])
  const rows = journal.audit.rows(0, 100)
  expect(readBody(rows[0]!.body)).toMatchObject({ task: 'a', call: 'test.work' })
  expect(new Set(rows.map(each => each.run))).toEqual(new Set(journal.listRuns().map(each => each.runId)))
  journal.close()
  other.close()
})

test('a call whose grants do not suffice is in the log as refused, with the grant that was missing alone', async () => {
  const needy = plan({ main: workflow([task('a', call('work', {}, { needs: [{ grant: 'fs.read', args: [{ literal: 'in.txt' }] }, { grant: 'fs.write', args: [{ literal: 'a\nb' }] }] }))], node(0), { authority }) })
  const journal = memoryJournal()
  const { code } = await runPlan(needy, { journal, tools: { work: () => 1 } })
  expect(code).toBe('permit/denied')
  expect(verdicts(journal)).toEqual(['refused fs.write("a\\nb")'])
})

test('a run in memory has its log in memory', async () => {
  const journal = memoryJournal()
  await runPlan(oneCall, { journal, tools: { work: async (_, context) => (await context.files.writeText('out/x', ''), 1) } })
  expect(verdicts(journal)).toEqual(['allowed fs.write("out/x")', 'done outcome'])
})

/** Ten items, each of which writes a file. */
const tenWrites = plan({ main: workflow([task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([...Array(10).keys()]), width: value(1) } })], node(0), { authority }) })
const writing: Tool = async ({ x }, context) => (await context.files.writeText(`out/${x}.txt`, String(x)), Number(x))

test('an entry that cannot be kept: the effect is not done, and the run ends with the code of the journal', async () => {
  const journal = await sqliteJournal(place.database)
  const host = memoryHost()
  let calls = 0
  const work: Tool = async (args, context) => {
    if (++calls === 4) tamper(place, db => db.exec("create trigger full before insert on audit begin select raise(abort, 'full'); end"), false)
    return writing(args, context)
  }
  const code = await runPlan(tenWrites, { journal, host, tools: { work } }).then(({ code }) => code, (error: unknown) => (error instanceof JournalError ? `thrown ${error.diagnostic.code}` : String(error)))
  expect(code).toMatch(/^thrown run\/journal-/)
  expect(await written(host)).toBe(3)
  expect(calls).toBe(4)
  journal.close()
})

const canMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
test.skipIf(!canMount)('a full disk stops a run rather than have it act without a record (needs root, for a small mount)', async context => {
  const mounted = join(place.folder, 'small')
  mkdirSync(mounted, { recursive: true })
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', mounted]).status !== 0) return context.skip('this machine lets nobody mount')
  try {
    const journal = await sqliteJournal(join(mounted, 'tek.db'))
    const host = memoryHost()
    const many = plan({ main: workflow([task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([...Array(5_000).keys()]), width: value(1) } })], node(0), { authority }) })
    const thrown: unknown = await runPlan(many, { journal, host, tools: { work: writing } }).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(JournalError)
    expect((thrown as JournalError).diagnostic.code).toBe('run/journal-disk-full')
    const allowed = verdicts(journal).filter(each => each.startsWith('allowed fs.write'))
    expect(await written(host)).toBe(allowed.length) // each write that was done is in the log, and none that was not
    journal.close()
  } finally {
    spawnSync('umount', [mounted])
  }
})

async function written(host: MemoryHost): Promise<number> {
  return (await host.files.list('/project/out').catch(() => [])).length
}

test('no effect begins once the file .tek/STOP is there, not even in a call that is under way; it is made again afterwards', async () => {
  const journal = await sqliteJournal(place.database)
  const host = memoryHost()
  const stopFile = '/project/.tek/STOP'
  let before = 0
  const work: Tool = async ({ x }, context) => {
    await context.files.writeText(`out/${x}.txt`, '')
    if (x === 3 && before === 0) {
      before = await written(host)
      host.files.put(stopFile, '')
    }
    await context.files.writeText(`out/${x}-second.txt`, '').catch(() => null) // a tool that takes no notice
    await context.files.writeText(`out/${x}-third.txt`, '').catch(() => null)
    return Number(x)
  }
  const { result, code } = await runPlan(tenWrites, { journal, host, tools: { work }, settings: { stopFile } })
  expect(code).toBe('run/stopped')
  expect(await written(host)).toBe(before)
  expect(verdicts(journal).at(-1)).toBe('stopped the file .tek/STOP')
  if (result.kind !== 'ran') throw new Error('refused')
  await host.files.remove(stopFile)
  const again = await resumePlan(tenWrites, result.summary.runId, { journal, host, tools: { work } })
  expect(again.value).toEqual([...Array(10).keys()])
  expect(await written(host)).toBe(30)
  journal.close()
  expect((await verify(place)).problems).toEqual([])
})

test('Ctrl-C: the same, and a limit lets calls under way act to their end', async () => {
  const stop = new AbortController()
  const host = memoryHost()
  const journal = memoryJournal()
  const work: Tool = async ({ x }, context) => {
    if (x === 2) stop.abort()
    await context.files.writeText(`out/${x}.txt`, '')
    return Number(x)
  }
  const { code } = await runPlan(tenWrites, { host, journal, tools: { work }, settings: { signal: stop.signal } })
  expect(verdicts(journal)).toContain('stopped an interrupt')
  expect(code).toBe('run/interrupted')
  expect(await written(host)).toBe(2)
  const other = memoryHost()
  const limited = await runPlan({ ...tenWrites, limits: { tasks: 4 } }, { host: other, tools: { work: writing } })
  expect(limited.code).toBe('run/limit-reached')
  expect(await written(other)).toBe(4)
})
