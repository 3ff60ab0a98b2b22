// File triggers: real files, with and without hints from the system; bursts, own writes, programs that would begin themselves for ever.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { HostError } from '#host/host.ts'
import { MAX_CHANGED_NAMES, MAX_FILE_RUNS_A_MINUTE, MAX_FOLLOW_UPS } from '#serve/file-trigger.ts'
import { seeTree, treeDifference, watchedPattern } from '#serve/watched-tree.ts'
import { showRun } from '#tek.ts'
import { once, place, served, start, until, withStore, type Place, type Running } from './harness.ts'

const places: Place[] = []
const servers: Running[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(each => each.stop()))
  for (const each of places.splice(0)) each.remove()
})
const open = (): Place => {
  const made = place(null)
  places.push(made)
  mkdirSync(join(made.path, 'src'))
  return made
}
const begin = (...words: Parameters<typeof start>): Running => {
  const made = start(...words)
  servers.push(made)
  return made
}
const put = (where: Place, path: string, text: string = path): void => {
  mkdirSync(join(where.path, path, '..'), { recursive: true })
  writeFileSync(join(where.path, path), text)
}

const watching = 'workflow changed(files: path[]) -> path[] {\n  can fs.read("src/**")\n  on file "src/**/*.txt"\n  return files\n}\n'
const writing = (task: string): string => `workflow changed(files: path[]) -> path[] {\n  can fs.read("src/**"), fs.write("src/**")\n  on file "src/**/*.txt"\n  ${task}\n  return files\n}\n`

/** What a run was given. */
async function given(where: Place, runId: string): Promise<unknown> {
  const report = await showRun(where.database, runId)
  if (report.kind === 'refused' || report.value === null) throw new Error('no such run')
  const { outcome } = report.value.summary
  return outcome?.kind === 'value' ? outcome.value : outcome
}

/** Hears from the system, and by looking alone. */
describe('changes', () => {
  test('a burst begins one run, with the names of what was made, changed and went away', async () => {
    const where = open()
    put(where, 'src/old.txt')
    put(where, 'src/changed.txt')
    const program = await served(where.host, watching)
    await once(where, [program]) // how they are now
    const server = begin(where, [program])
    await server.heard('serving')
    for (let at = 0; at < 20; at++) put(where, `src/deep/er/new${String(at).padStart(2, '0')}.txt`)
    put(where, 'src/changed.txt', 'other')
    put(where, 'src/not.md')
    rmSync(join(where.path, 'src/old.txt'))
    await until(async () => {
      const names = new Set<string>()
      for (const each of server.events) if (each.kind === 'ended') for (const name of await given(where, each.runId) as string[]) names.add(name)
      return names.size === 22 && names.has('src/old.txt') && names.has('src/changed.txt') && !names.has('src/not.md')
    })
    expect(server.events.filter(each => each.kind === 'fired').length).toBeLessThanOrEqual(2) // a burst that lasts longer than two seconds is two
  })

  test('what changed while nobody served is found', async () => {
    const where = open()
    put(where, 'src/a.txt')
    const program = await served(where.host, watching)
    expect((await once(where, [program])).map(each => each.kind)).toEqual(['serving'])
    put(where, 'src/b.txt')
    renameSync(join(where.path, 'src/a.txt'), join(where.path, 'src/c.txt'))
    const fired = (await once(where, [program])).find(each => each.kind === 'ended')!
    expect(fired).toMatchObject({ status: 'done' })
    expect(await given(where, (fired as { runId: string }).runId)).toEqual(['src/a.txt', 'src/b.txt', 'src/c.txt'])
    expect((await once(where, [program])).map(each => each.kind)).toEqual(['serving'])
  })

  test(`more than ${MAX_CHANGED_NAMES} names: the first of them in order, and how many more there are`, async () => {
    const where = open()
    const program = await served(where.host, watching)
    await once(where, [program])
    for (let at = 0; at < MAX_CHANGED_NAMES + 7; at++) put(where, `src/f${String(at).padStart(5, '0')}.txt`, '')
    const events = await once(where, [program])
    expect(events.find(each => each.kind === 'fired')).toMatchObject({ files: MAX_CHANGED_NAMES + 7, more: 7 })
    const names = await given(where, (events.find(each => each.kind === 'ended') as { runId: string }).runId) as string[]
    expect([names.length, names[0], names.at(-1)]).toEqual([MAX_CHANGED_NAMES, 'src/f00000.txt', 'src/f00999.txt'])
  })
})

describe('its own writes', () => {
  test('what a run writes by its own calls begins none', async () => {
    const where = open()
    const program = await served(where.host, writing('task note = fs.write("src/note.txt", "seen ${len(files)}")'))
    const server = begin(where, [program])
    await server.heard('serving')
    await until(() => withStore(where, journal => journal.triggers!.state(`file p.tek changed ${JSON.stringify({ kind: 'file', param: 'files', pattern: 'src/**/*.txt' })}`) !== null))
    put(where, 'src/a.txt')
    expect(await server.heard('not-fired')).toMatchObject({ reason: 'own', files: 1 })
    put(where, 'src/note.txt', 'by a person')
    await server.heard('fired', () => true, 2)
    await server.heard('not-fired', each => each.reason === 'own', 2)
  })

  test('a save by somebody else during a run is not lost', async () => {
    const where = open()
    const program = await served(where.host, writing('task note wait 1500ms = fs.write("src/note.txt", "seen ${len(files)}")'))
    const server = begin(where, [program])
    await server.heard('serving')
    await until(() => withStore(where, journal => journal.triggers!.state(`file p.tek changed ${JSON.stringify({ kind: 'file', param: 'files', pattern: 'src/**/*.txt' })}`) !== null))
    put(where, 'src/a.txt')
    await server.heard('begun')
    put(where, 'src/b.txt')
    const second = await server.heard('ended', () => true, 2)
    expect(await given(where, second.runId)).toEqual(['src/b.txt'])
  })

  test(`a run that changes files in ways nobody can tell from a person's comes to rest after ${MAX_FOLLOW_UPS} more`, async () => {
    const where = open()
    const program = await served(where.host, watching)
    // Files change whenever a run begins, as if a command of it wrote them.
    let count = 0
    const server = begin(where, [program], { onEvent: event => {
      events.push(event)
      if (event.kind === 'begun') put(where, `src/out${++count}.txt`)
    } })
    const events: Running['events'][number][] = []
    await until(() => events.some(each => each.kind === 'serving'))
    await until(() => withStore(where, journal => journal.triggers!.state(`file p.tek changed ${JSON.stringify({ kind: 'file', param: 'files', pattern: 'src/**/*.txt' })}`) !== null))
    put(where, 'src/a.txt')
    await until(() => events.some(each => each.kind === 'not-fired' && each.reason === 'settled'))
    // A look that began just before the run did may tell one change as somebody else's.
    expect(events.filter(each => each.kind === 'fired').length).toBe(1 + MAX_FOLLOW_UPS)
    await server.stop()
  })
})

test(`at most ${MAX_FILE_RUNS_A_MINUTE} runs a minute; what changes beyond waits`, async () => {
  const where = open()
  const program = await served(where.host, watching)
  const events: Running['events'][number][] = []
  let count = 0
  begin(where, [program], { onEvent: event => {
    events.push(event)
    if (event.kind === 'ended') setTimeout(() => put(where, `src/next${++count}.txt`), 400) // after the run, and again and again
  } })
  await until(() => withStore(where, journal => journal.triggers!.state(`file p.tek changed ${JSON.stringify({ kind: 'file', param: 'files', pattern: 'src/**/*.txt' })}`) !== null))
  put(where, 'src/a.txt')
  await until(() => events.some(each => each.kind === 'not-fired' && each.reason === 'brake'))
  expect(events.filter(each => each.kind === 'fired').length).toBe(MAX_FILE_RUNS_A_MINUTE)
})

describe('what is watched', () => {
  const see = async (where: Place, pattern: string): Promise<unknown> => {
    const seen = await seeTree(where.host, watchedPattern(pattern) as string[][], new AbortController().signal)
    return typeof seen === 'string' ? seen : [...seen.files.keys()].sort()
  }

  test('never `.tek` and `.git`, `node_modules` only by name, no folder that is a link, no link out of the tree', async () => {
    const where = open()
    for (const path of ['a.txt', '.tek/x.txt', '.git/x.txt', 'node_modules/m/x.txt', 'src/b.txt', 'src/c.md', '.hidden/d.txt']) put(where, path)
    const outside = join(tmpdir(), `tek-outside-${process.pid}.txt`)
    writeFileSync(outside, '')
    symlinkSync(outside, join(where.path, 'out.txt'))
    symlinkSync('src/b.txt', join(where.path, 'in.txt'))
    symlinkSync(tmpdir(), join(where.path, 'linked'))
    symlinkSync('.', join(where.path, 'around'))
    expect(await see(where, '**/*.txt')).toEqual(['.hidden/d.txt', 'a.txt', 'in.txt', 'src/b.txt'])
    expect(await see(where, 'node_modules/**/*.txt')).toEqual(['node_modules/m/x.txt'])
    expect(await see(where, 'src/{b.txt,c.md}')).toEqual(['src/b.txt', 'src/c.md'])
    expect(await see(where, './src/*')).toEqual(['src/b.txt', 'src/c.md'])
    expect(await see(where, 'nowhere/**')).toEqual([])
    rmSync(outside)
  })

  test('a disk that fails for a moment is no disk without files', async () => {
    const where = open()
    put(where, 'src/a.txt')
    const files = Object.assign(Object.create(where.host.files) as Place['host']['files'], { list: async () => { throw new HostError('other', 'src', 'The disk is away.') } })
    expect(await see({ ...where, host: { ...where.host, files } }, 'src/**')).toBe('unclear')
  })

  test('the difference of two states', () => {
    expect(treeDifference(new Map([['a', '1'], ['b', '1'], ['c', '1']]), new Map([['a', '1'], ['b', '2'], ['d', '1']]))).toEqual(new Map([['b', '2'], ['d', '1'], ['c', null]]))
  })
})
