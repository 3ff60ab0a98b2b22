// The product as a library: check, plan, run and show of real files in a temporary folder, with the built standard library.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { check, listRuns, plan, resume, run, showRun } from '#tek.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tek-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string | Uint8Array): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
}

async function codesOf(name: string): Promise<string[]> {
  return (await check(nodeHost({ cwd: folder }), name)).diagnostics.map(each => each.code)
}

async function outcomeOf(text: string, args: Record<string, Value> = {}, database: string | null = null): Promise<Outcome | readonly string[]> {
  write('main.tek', text)
  const host = nodeHost({ cwd: folder })
  const checked = await check(host, 'main.tek')
  if (checked.program === null) return checked.diagnostics.map(each => each.code)
  const answer = await run(host, { plan: plan(checked), program: 'main.tek', args, database, tekVersion: '0', onNotice: () => {} })
  return answer.kind === 'refused' ? answer.diagnostics.map(each => each.code) : answer.value.outcome!
}

describe('files of a program', () => {
  test('a used file that is not there, is a folder, or is not text', async () => {
    write('absent.tek', 'use "./nowhere.tek" (x)\n')
    write('folder/inside.tek', 'const y = 1\n')
    write('uses-folder.tek', 'use "./folder" (y)\n')
    write('binary.tek', new Uint8Array([0xff, 0xfe, 0x00]))
    write('uses-binary.tek', 'use "./binary.tek" (z)\n')
    expect(await codesOf('absent.tek')).toContain('name/file-not-found')
    expect(await codesOf('uses-folder.tek')).toContain('name/unreadable-file')
    expect(await codesOf('uses-binary.tek')).toContain('name/unreadable-file')
  })

  test('files in folders use each other, relative to themselves', async () => {
    write('lib/deep/base.tek', 'const two = 2\n')
    write('lib/middle.tek', 'use "./deep/base.tek" (two)\n\nworkflow double(x: int) -> int {\n  return x * two\n}\n')
    expect(await outcomeOf('use "./lib/middle.tek" (double)\n\nworkflow main() -> int {\n  task d = double(x: 21)\n  return d\n}\n')).toEqual({ kind: 'value', value: 42 })
  })
})

describe('what a call needs', () => {
  test('a list of paths needs the grant for every one of them', async () => {
    write('notes/a.txt', 'TODO one\n')
    write('notes/b.txt', 'TODO two\n')
    write('other.txt', 'TODO three\n')
    const program = (list: string) => `workflow main() -> int {\n  can fs.read("notes/**")\n  task found = text.grep(${list}, "TODO")\n  return len(found)\n}\n`
    expect(await outcomeOf(program('["notes/a.txt", "notes/b.txt"]'))).toEqual({ kind: 'value', value: 2 })
    expect(await outcomeOf(program('[]'))).toEqual({ kind: 'value', value: 0 })
    expect(await outcomeOf(program('["notes/a.txt", "other.txt"]'))).toEqual(['capability/outside'])
    const given = program('files').replace('main()', 'main(files: path[])')
    expect(await outcomeOf(given, { files: ['notes/a.txt', 'notes/b.txt'] })).toEqual({ kind: 'value', value: 2 })
    expect(await outcomeOf(given, { files: ['notes/a.txt', 'other.txt'] })).toMatchObject({ kind: 'failure', failure: { code: 'permit/denied' } })
  })

  test('a default of a parameter is what the guard sees', async () => {
    expect(await outcomeOf('workflow main() -> bool {\n  can git.read(".")\n  task is = git.isRepository()\n  return is\n}\n')).toEqual({ kind: 'value', value: false })
    expect(await outcomeOf('workflow main() -> bool {\n  can git.read("elsewhere/**")\n  task is = git.isRepository()\n  return is\n}\n')).toEqual(['capability/outside'])
    const given = 'workflow main(folder: path) -> bool {\n  can git.read("${folder}/**")\n  task is = git.isRepository()\n  return is\n}\n'
    expect(await outcomeOf(given, { folder: 'elsewhere' })).toMatchObject({ failure: { code: 'permit/denied' } })
  })
})

test('a result whose type only the run can prove is checked', async () => {
  const program = 'workflow main(text: string) -> { name: string } {\n  task parsed -> { name: string } = json.parse(text)\n  return parsed\n}\n'
  expect(await outcomeOf(program, { text: '{"name": "Ada"}' })).toEqual({ kind: 'value', value: { name: 'Ada' } })
  expect(await outcomeOf(program, { text: '{"name": 3}' })).toMatchObject({ kind: 'failure', failure: { code: 'run/wrong-type', task: 'parsed' } })
})

test('runs are listed and shown from the database', async () => {
  const database = join(folder, '.tek', 'tek.db')
  expect(await outcomeOf('workflow main() -> int {\n  task one = 1\n  return one\n}\n', {}, database)).toEqual({ kind: 'value', value: 1 })
  const listed = await listRuns(nodeHost({ cwd: folder }), database)
  const runs = listed.kind === 'answer' ? listed.value : []
  expect(runs).toMatchObject([{ workflow: 'main', status: 'done', state: 'done', driver: null }])
  expect(await showRun(database, runs[0]!.runId)).toMatchObject({ kind: 'answer', value: { tasks: [{ path: 'one', status: 'done' }] } })
  expect(await showRun(database, 'nope')).toEqual({ kind: 'answer', value: null })
})

test('floats may be large where ints overflow', async () => {
  const program = (type: string, value: string) => `workflow main(x: ${type} = ${value}) -> ${type} {\n  return x * x + x\n}\n`
  expect(await outcomeOf(program('float', '10_000_000_000.0'))).toEqual({ kind: 'value', value: 1e20 + 1e10 })
  expect(await outcomeOf(program('int', '10_000_000_000'))).toMatchObject({ failure: { code: 'run/integer-overflow' } })
})

test('a recorded plan that something else than tek has changed is not gone on with', async () => {
  write('part.tek', 'workflow main() -> int {\n  can fs.read("notes/**")\n\n  task files = fs.glob("notes/**")\n\n  task again = len(files)\n\n  return again\n}\n')
  const host = nodeHost({ cwd: folder })
  const database = join(folder, 'changed.db')
  const compiled = plan(await check(host, 'part.tek'))
  const begun = await run(host, { plan: compiled, program: 'part.tek', args: {}, database, tekVersion: '0', onNotice: () => {}, signal: AbortSignal.abort() })
  const runId = begun.kind === 'answer' ? begun.value.runId : ''
  const goOn = async (): Promise<unknown> => {
    const answer = await resume(host, { runId, database, tekVersion: '0', onNotice: () => {} })
    return answer.kind === 'refused' ? answer.diagnostics[0]!.code : answer.value.outcome?.kind
  }
  const table = new Database(database)
  table.exec(`update plans set json = replace(json, 'notes/**', 'other/**')`)
  expect(await goOn()).toBe('run/journal-damaged')
  table.exec(`update plans set json = replace(json, 'other/**', 'notes/**')`)
  expect(await goOn()).not.toBe('run/journal-damaged')
  table.close()
})
