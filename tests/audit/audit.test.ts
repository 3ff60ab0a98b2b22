// Audit: an entry is one line without secrets; rows make a chain over runs and processes; every way of tampering is found at its place.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import BetterSqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { userStore } from '#host/user-store.ts'
import { beginningOf, bodyOf, MAX_ENTRY_TEXT_LENGTH, readBody, rowHash, type AuditRow } from '#interpreter/audit/chain.ts'
import { publicKeyOf, Sealer } from '#interpreter/audit/seal.ts'
import { verifyAudit } from '#interpreter/audit/verify.ts'
import { JournalError } from '#interpreter/journal/journal.ts'
import { MemoryAudit } from '#interpreter/journal/memory-audit.ts'
import { migrations } from '#interpreter/journal/schema.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { buildScripts } from '../journal/build-scripts.ts'
import { append, newPlace, problemsOf, tamper, verify, writeLog, type Place } from './some-log.ts'

let place: Place
beforeEach(() => void (place = newPlace()))
afterEach(() => place.remove())
const same = (text: string): string => text

describe('an entry', () => {
  test('is one line of ASCII, whatever a path or a task is called', () => {
    const nasty = 'a\nb\r\t\u001b[31m\u0007\u202e\u2028\ud800é😀'
    const body = bodyOf({ kind: 'decision', task: nasty, call: nasty, grant: { name: 'fs.write', args: [nasty] }, allowed: true }, 1, same)
    expect(body).toMatch(/^[\x20-\x7e]+$/)
    const fact = readBody(body)!
    for (const text of [fact.task, fact.call, fact.what]) expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
    expect(fact.task).toContain('é😀')
    // What looks like another entry stays inside this one's text.
    const forged = readBody(bodyOf({ kind: 'stopped', by: '"]\n[9,"decision","t","c","fs.write(\\"x\\")","allowed"]' }, 1, same))!
    expect(forged.kind).toBe('stopped')
  })

  test('is short, and without what is taken out of it', () => {
    const long = bodyOf({ kind: 'decision', task: 't', call: 'c', grant: { name: 'exec', args: ['sh', '-c', 'x'.repeat(5_000_000)] }, allowed: false }, 1, same)
    expect(long.length).toBeLessThan(MAX_ENTRY_TEXT_LENGTH + 100)
    expect(readBody(long)!.what.endsWith('…')).toBe(true)
    const redacted = bodyOf({ kind: 'decision', task: 't', call: 'c', grant: { name: 'exec', args: ['curl', 'hunter2'] }, allowed: true }, 1, text => text.replaceAll('hunter2', '***'))
    expect(readBody(redacted)!.what).toBe('exec("curl", "***")')
  })

  test.each([
    [{ kind: 'outcome', task: 't', call: 'c', ok: false, code: 'fs/not-found' } as const, 'failed fs/not-found'],
    [{ kind: 'outcome', task: 't', call: 'c', ok: true } as const, 'done'],
    [{ kind: 'secret-used', task: 't', call: 'c', secret: 'TOKEN' } as const, 'used'],
    [{ kind: 'permit', grants: ['fs.read("a")'], by: 'flag' } as const, 'by flag'],
    [{ kind: 'stopped', by: '`tek stop`' } as const, 'stopped'],
  ])('of kind $kind says how it ended', (entry, verdict) => {
    expect(readBody(bodyOf(entry, 7, same))).toMatchObject({ atMs: 7, kind: entry.kind, verdict })
  })
})

describe('the chain', () => {
  test('goes over runs and connections; entries are durable with a flush or a commit', async () => {
    const one = await sqliteJournal(place.database)
    const two = await sqliteJournal(place.database)
    append(one.audit, 0, 3, 'a')
    expect(one.audit.waiting).toBe(3)
    expect(two.audit.head()).toBeNull()
    one.audit.flush()
    append(two.audit, 3, 2, 'b')
    two.audit.flush()
    append(one.audit, 5, 1, 'a')
    one.audit.flush()
    const rows = two.audit.rows(0, 100)
    expect(rows.map(each => [each.seq, each.run])).toEqual([[1, 'a'], [2, 'a'], [3, 'a'], [4, 'b'], [5, 'b'], [6, 'a']])
    expect(two.audit.range('a')).toEqual({ first: 1, last: 6, entries: 4 })
    expect(two.audit.range('c')).toBeNull()
    let before = beginningOf(one.audit.id)
    for (const { seq, run, body, hash } of rows) expect(before = rowHash(before, seq, run, body)).toBe(hash)
    one.close()
    two.close()
    expect((await verify(place)).problems).toEqual([])
  })

  test('entries that are made durable one by one make the same chain, also beside another process and at a signature', async () => {
    const one = await sqliteJournal(place.database)
    const two = await sqliteJournal(place.database)
    one.audit.sealWith(new Sealer(place.store))
    const expected: string[] = []
    for (let i = 0; i < 1_010; i++) {
      const run = i % 5 === 3 ? 'b' : 'a'
      const { audit } = run === 'a' ? one : two
      append(audit, i, 1, run)
      audit.flush()
      expected.push(`${i + 1} ${run}`)
    }
    expect(one.audit.rows(0, 2_000).map(({ seq, run }) => `${seq} ${run}`)).toEqual(expected)
    expect(one.audit.marks().map(each => each.seq)).toEqual([1_000])
    one.close()
    two.close()
    expect((await verify(place)).problems).toEqual([])
  })

  test('in memory is the same chain', () => {
    const log = new MemoryAudit()
    append(log, 0, 10)
    expect(verifyAudit(log, null)).toMatchObject({ entries: 10, problems: [], hasStore: false })
    expect(log.range('run-a')).toEqual({ first: 1, last: 10, entries: 10 })
  })

  test('two processes that append at once make one whole chain', async () => {
    const folder = await buildScripts('audit', { appender: 'tests/audit/appender.ts' })
    const children = ['a', 'b'].map(run => spawn(process.execPath, [join(folder, 'appender.mjs'), place.database, run, '1500'], { stdio: ['pipe', 'pipe', 'inherit'] }))
    const ended = children.map(child => once(child, 'close'))
    await Promise.all(children.map(child => once(child.stdout, 'data'))) // both are there
    for (const child of children) child.stdin.end('go\n')
    expect((await Promise.all(ended)).map(([code]) => code as number)).toEqual([0, 0])
    expect(await verify(place)).toMatchObject({ entries: 3_000, problems: [] })
    const journal = await sqliteJournal(place.database)
    const runs = journal.audit.rows(0, 10_000).map(each => each.run)
    expect(runs.filter((run, at) => at > 0 && run !== runs[at - 1]).length).toBeGreaterThan(1) // they did take turns
    journal.close()
  })

  test('a database of the schema before opens, and begins a log', async () => {
    mkdirSync(join(place.database, '..'), { recursive: true })
    const old = new BetterSqlite(place.database)
    for (const step of migrations.slice(0, 2)) for (const change of step) old.exec(change)
    old.exec('pragma user_version = 2')
    old.close()
    await writeLog(place, 3)
    expect(await verify(place)).toMatchObject({ entries: 3, problems: [] })
  })
})

describe('signatures', () => {
  test('every thousand rows and at the end, with a key only its owner can read; the head is remembered', async () => {
    await writeLog(place, 2_500)
    const verdict = await verify(place)
    expect(verdict).toMatchObject({ entries: 2_500, signedTo: 2_500, remembered: { seq: 2_500 }, problems: [], hasStore: true })
    expect(statSync(verdict.key!.path).mode & 0o777).toBe(0o600)
    const journal = await sqliteJournal(place.database)
    expect(journal.audit.marks().map(each => each.seq)).toEqual([1_000, 2_000, 2_500])
    journal.close()
  })

  test('another user\'s are told apart, unless that key is trusted', async () => {
    await writeLog(place, 10)
    const other = userStore(name => (name === 'HOME' ? join(place.folder, 'other') : undefined), '/nowhere')!
    const verdict = await verify(place, { store: other })
    expect(verdict.problems).toEqual([{ kind: 'foreign-key', seq: 10, key: publicKeyOf(place.store) }])
    expect((await verify(place, { store: other, trusted: [publicKeyOf(place.store)!] })).problems).toEqual([])
  })

  test('without a home, or with one inside the workspace, there are none, and that is said', async () => {
    expect(userStore(() => undefined, '/project')).toBeNull()
    expect(userStore(name => (name === 'HOME' ? '/project/home' : undefined), '/project')).toBeNull()
    expect(userStore(name => (name === 'HOME' ? '/project' : undefined), '/project')).toBeNull()
    const journal = await sqliteJournal(place.database)
    append(journal.audit, 0, 1_200)
    journal.audit.seal()
    expect(journal.audit.marks()).toEqual([])
    expect(verifyAudit(journal.audit, null)).toMatchObject({ problems: [], signedTo: null, remembered: null, hasStore: false })
    journal.close()
  })

  test('a home that cannot be written gives neither key nor head; the log goes on', async () => {
    writeFileSync(join(place.folder, 'file'), '')
    const store = userStore(name => (name === 'HOME' ? join(place.folder, 'file') : undefined), '/nowhere')!
    const journal = await sqliteJournal(place.database)
    journal.audit.sealWith(new Sealer(store))
    append(journal.audit, 0, 5)
    journal.audit.seal()
    expect(verifyAudit(journal.audit, store)).toMatchObject({ entries: 5, problems: [], signedTo: null, key: null, remembered: null })
    journal.close()
  })
})

const ROWS = 12
const columns = { seq: '77', run: "'other'", body: `'[1,"decision","t","c","fs.read()","allowed"]'`, hash: `'${'0'.repeat(64)}'` } as const

/** All rows from `from` on with right hashes, as a forger without the key can make them. */
function forge(db: Database, from: number, change: (row: AuditRow) => AuditRow = each => each): void {
  const id = db.prepare('select id from identity').pluck().get() as string
  let before = from === 1 ? beginningOf(id) : (db.prepare('select hash from audit where seq = ?').pluck().get(from - 1) as string)
  for (const row of db.prepare('select seq, run, body, hash from audit where seq >= ? order by seq').all(from) as AuditRow[]) {
    const { seq, run, body } = change(row)
    before = rowHash(before, seq, run, body)
    db.prepare('update audit set run = ?, body = ?, hash = ? where seq = ?').run(run, body, before, seq)
  }
}

describe('tampering', () => {
  beforeEach(() => writeLog(place, ROWS))

  test('nothing happened', async () => {
    expect(await problemsOf(place)).toEqual([])
  })

  test.each([
    ['update audit set body = body'], ['delete from audit'], ["insert into audit values (3, 'r', 'b', 'h')"], ["insert or replace into audit values (3, 'r', 'b', 'h')"],
    ["replace into audit values (12, 'r', 'b', 'h')"], ["insert into audit values (-5, 'r', 'b', 'h')"], ["update identity set id = 'x'"], ['delete from identity'],
    ['update audit_marks set seq = 1'], ['delete from audit_marks'],
  ])('SQL alone does not get through: %s', async sql => {
    expect(() => tamper(place, db => db.exec(sql), false)).toThrow('append-only')
    expect(await problemsOf(place)).toEqual([])
  })

  for (const [column, value] of Object.entries(columns)) {
    test.each([1, 2, 6, ROWS])(`${column} of row %i is edited`, async row => {
      tamper(place, db => db.exec(`update audit set ${column} = ${value} where seq = ${row}`))
      const problems = await problemsOf(place)
      expect(problems.length).toBeGreaterThan(0)
      if (column === 'run' || column === 'body') expect(problems).toEqual([`changed ${row}`])
      if (column === 'hash') expect(problems[0]).toBe(`changed ${row}`)
      if (column === 'seq') expect(problems[0]).toMatch(/^(missing|truncated)/)
    })
  }

  test.each([1, 5, 11])('row %i is deleted', async row => {
    tamper(place, db => db.exec(`delete from audit where seq = ${row}`))
    expect(await problemsOf(place)).toEqual([`missing ${row}`])
  })

  test('a row is deleted and the others moved up', async () => {
    tamper(place, db => db.exec('delete from audit where seq = 5; update audit set seq = seq - 1 where seq > 5'))
    expect((await problemsOf(place)).slice(0, 2)).toEqual(['changed 5', 'changed 6'])
  })

  test('a row is put in at the end, without the key', async () => {
    tamper(place, db => db.exec(`insert into audit select 13, run, body, hash from audit where seq = 12`))
    expect(await problemsOf(place)).toEqual(['changed 13'])
  })

  test('two rows change places', async () => {
    tamper(place, db => db.exec('update audit set seq = -1 where seq = 4; update audit set seq = 4 where seq = 7; update audit set seq = 7 where seq = -1'))
    expect(await problemsOf(place)).toEqual(['changed 4', 'changed 5', 'changed 7', 'changed 8'])
  })

  test.each([1, 5, ROWS])('the last %i rows are cut off', async count => {
    tamper(place, db => db.exec(`delete from audit where seq > ${ROWS - count}`))
    expect(await problemsOf(place)).toEqual([`truncated ${ROWS - count}`])
    tamper(place, db => db.exec('delete from audit_marks'))
    expect(await problemsOf(place)).toEqual([`truncated ${ROWS - count}`, `signature-missing ${ROWS}`])
  })

  test('cut off, and gone on with', async () => {
    tamper(place, db => db.exec('delete from audit where seq > 8; delete from audit_marks'))
    const journal = await sqliteJournal(place.database)
    append(journal.audit, 100, 6)
    journal.audit.flush()
    journal.close()
    expect(await problemsOf(place)).toEqual([`rewritten ${ROWS}`, `signature-missing ${ROWS}`])
  })

  test('a row is edited and all hashes after it made anew', async () => {
    tamper(place, db => forge(db, 3, row => (row.seq === 3 ? { ...row, body: row.body.replace('allowed', 'refused') } : row)))
    expect(await problemsOf(place)).toEqual([`rewritten ${ROWS}`, `rewritten ${ROWS}`]) // by the signature and by the head
  })

  test('all made anew and signed with a key of the forger\'s own', async () => {
    const other = userStore(name => (name === 'HOME' ? join(place.folder, 'other') : undefined), '/nowhere')!
    tamper(place, db => {
      forge(db, 3, row => (row.seq === 3 ? { ...row, run: 'x' } : row))
      const { id } = db.prepare('select id from identity').get() as { id: string }
      const hash = db.prepare('select hash from audit where seq = ?').pluck().get(ROWS) as string
      const { key, signature } = new Sealer(other).sign(id, ROWS, hash)!
      db.prepare('update audit_marks set hash = ?, key = ?, signature = ?').run(hash, key, signature)
    })
    expect(await problemsOf(place)).toEqual([`rewritten ${ROWS}`, `foreign-key ${ROWS}`])
  })

  test.each([
    ['hash', 'rewritten 12', 'bad-signature 12'], ['key', 'bad-signature 12'], ['signature', 'bad-signature 12'], ['seq', 'truncated 12', 'bad-signature 77', 'signature-missing 12'],
  ])('%s of a signature is edited', async (column, ...expected) => {
    const value = column === 'seq' ? 77 : `'${'A'.repeat(64)}'`
    tamper(place, db => db.exec(`update audit_marks set ${column} = ${value}`))
    expect(await problemsOf(place)).toEqual(expected)
  })

  test('a signature is moved to another row', async () => {
    tamper(place, db => db.exec('update audit_marks set seq = 6, hash = (select hash from audit where seq = 6)'))
    expect(await problemsOf(place)).toEqual(['bad-signature 6', 'signature-missing 12'])
  })

  test('the log is given another name', async () => {
    tamper(place, db => db.exec(`update identity set id = '${'ab'.repeat(16)}'`))
    expect(await problemsOf(place)).toEqual(['changed 1', 'bad-signature 12'])
    expect((await verify(place)).earlier).toMatchObject([{ entries: ROWS }])
  })

  test('a trigger is gone, another, or a new one there', async () => {
    tamper(place, db => db.exec('drop trigger audit_no_update'), false)
    expect(await problemsOf(place)).toEqual(['changed-table audit_no_update'])
    tamper(place, db => db.exec("create trigger audit_no_update before update on audit begin select 1; end"), false)
    expect(await problemsOf(place)).toEqual(['changed-table audit_no_update'])
    tamper(place, db => db.exec("create trigger more after insert on audit begin delete from audit where seq = new.seq; end"), false)
    expect(await problemsOf(place)).toEqual(['changed-table audit_no_update', 'changed-table more'])
  })

  test('the table is made again without triggers', async () => {
    tamper(place, db => db.exec('create table copy as select * from audit; drop table audit; create table audit (seq integer primary key, run, body, hash); insert into audit select * from copy'), false)
    expect(await problemsOf(place)).toEqual(expect.arrayContaining(['changed-table audit', 'changed-table audit_no_update', 'changed-table audit_no_delete', 'changed-table audit_only_after']))
  })

  test('the table is gone: nothing can be run or verified there', async () => {
    tamper(place, db => db.exec('drop table audit'), false)
    await expect(verify(place)).rejects.toMatchObject({ diagnostic: { code: 'run/journal-damaged' } })
  })

  test('the whole database is replaced by an older copy', async () => {
    const copy = `${place.database}.old`
    copyFileSync(place.database, copy)
    await writeLog(place, 4)
    rmSync(`${place.database}-wal`, { force: true })
    copyFileSync(copy, place.database)
    expect(await problemsOf(place)).toEqual([`truncated ${ROWS}`, `signature-missing ${ROWS + 4}`])
  })

  test('the whole database is removed and a new one begun: the earlier one is mentioned', async () => {
    rmSync(place.database)
    await writeLog(place, 2)
    expect(await verify(place)).toMatchObject({ problems: [], entries: 2, earlier: [{ entries: ROWS }] })
  })

  test('any single byte of any column of any row', async () => {
    const original = readFileSync(place.database)
    let seed = 20_261_121
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const missed: string[] = []
    for (let round = 0; round < 300; round++) {
      writeFileSync(place.database, original)
      const seq = 1 + random(ROWS)
      const column = (['run', 'body', 'hash'] as const)[random(3)]!
      let what = ''
      tamper(place, db => {
        const bytes = db.prepare(`select cast(${column} as blob) from audit where seq = ?`).pluck().get(seq) as Buffer
        const at = random(bytes.length)
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at]! + 1 + random(255)) % 256
        what = `${column} ${seq} byte ${at}: ${bytes[at]} to ${changed[at]}`
        db.prepare(`update audit set ${column} = cast(? as text) where seq = ?`).run(changed, seq)
      })
      if (!(await problemsOf(place)).includes(`changed ${seq}`)) missed.push(what)
    }
    expect(missed).toEqual([])
  }, 120_000)
})

test('what cannot be kept stops everything: the entry throws, and so does every commit after it', async () => {
  const journal = await sqliteJournal(place.database)
  append(journal.audit, 0, 1)
  tamper(place, db => db.exec("create trigger full before insert on audit begin select raise(abort, 'database or disk is full'); end"), false)
  expect(() => journal.audit.flush()).toThrow(JournalError)
  tamper(place, db => db.exec('drop trigger full'), false)
  for (const act of [() => journal.audit.flush(), () => append(journal.audit, 1, 1), () => journal.audit.seal()]) expect(act).toThrow(JournalError)
  journal.close()
  expect(await problemsOf(place)).toEqual([])
})
