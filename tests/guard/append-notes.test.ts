// Append notes: a process that dies before, in and after an append; what another one makes of it.
import { expect, test } from 'vitest'
import { AppendNotes } from '#interpreter/guard/append-notes.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { dyingHost } from '../stdlib/dying-host.ts'

const FOLDER = '/project/.tek/appends/run1'
const LOG = '/project/log.txt'
const read = (host: ReturnType<typeof memoryHost>): string => host.files.readTextSync(LOG, 1_000)

test.each([1, 2])('dead after effect %i of an append, beside others with the very same text: each is there once', async after => {
  for (const order of [['mine', 'yours'], ['yours', 'mine']]) {
    const host = memoryHost({ files: { 'log.txt': 'begun\n' } })
    await new AppendNotes(host.files, FOLDER).append(LOG, 'line\n', 'before')
    const dying = dyingHost(host, after)
    await new AppendNotes(dying.host.files, FOLDER).append(LOG, 'line\n', 'mine').catch(() => undefined)
    expect(dying.hasDied()).toBe(true)
    const next = new AppendNotes(host.files, FOLDER)
    await Promise.all(order.map(name => next.append(LOG, 'line\n', name)))
    await next.append(LOG, 'line\n', 'before')
    expect(read(host)).toBe('begun\nline\nline\nline\n')
  }
})

test('many at once: every one is there once, also when all are made again', async () => {
  const host = memoryHost()
  const names = Array.from({ length: 20 }, (_, at) => `n${at}`)
  for (let life = 0; life < 3; life++) {
    const notes = new AppendNotes(host.files, FOLDER)
    await Promise.all(names.map(name => notes.append(LOG, 'x\n', name)))
  }
  expect(read(host)).toBe('x\n'.repeat(20))
})

test('a note that was cut short, and one whose text is not there: the text is added', async () => {
  const host = memoryHost()
  await host.files.append(`${FOLDER}/cut`, '{"path":"/project/lo')
  await host.files.append(`${FOLDER}/gone`, JSON.stringify({ path: LOG, at: 0, bytes: 2, hash: 'other' }))
  const notes = new AppendNotes(host.files, FOLDER)
  for (const name of ['cut', 'gone']) await notes.append(LOG, `${name}\n`, name)
  expect(read(host)).toBe('cut\ngone\n')
})

test('notes go with the outcome, and with the run', async () => {
  const host = memoryHost()
  const notes = new AppendNotes(host.files, FOLDER)
  for (const name of ['a', 'b']) await notes.append(LOG, 'x\n', name)
  await notes.forget(['a'])
  expect((await host.files.list(FOLDER)).map(each => each.name)).toEqual(['b'])
  await notes.clear()
  expect(await host.files.stat(FOLDER)).toBeNull()
})
