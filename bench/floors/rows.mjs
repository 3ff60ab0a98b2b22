// Floor: two small rows a task into SQLite (WAL, synchronous NORMAL), a transaction for each 1,000. Arguments: tasks, file. Prints JSON.
import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'

const tasks = Number(process.argv[2])
for (const end of ['', '-wal', '-shm']) rmSync(`${process.argv[3]}${end}`, { force: true })
const database = new Database(process.argv[3])
database.pragma('journal_mode = WAL')
database.pragma('synchronous = NORMAL')
database.exec('CREATE TABLE events (run TEXT, seq INTEGER, body BLOB, PRIMARY KEY (run, seq)) WITHOUT ROWID')
const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?)')
const body = Buffer.alloc(60, 7)
const from = performance.now()
for (let seq = 0; seq < tasks * 2;) {
  database.exec('BEGIN')
  for (const end = Math.min(seq + 1000, tasks * 2); seq < end; seq++) insert.run('r', seq, body)
  database.exec('COMMIT')
}
console.log(JSON.stringify({ elapsedMs: performance.now() - from }))
database.close()
