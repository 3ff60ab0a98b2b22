// Appender: a process that appends entries to an audit log, one or a few at a time, once it is told to.
import { once } from 'node:events'
import { bodyOf } from '#interpreter/audit/chain.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { someEntry } from './some-entry.ts'

const [path, run, count] = process.argv.slice(2)
const journal = await sqliteJournal(path!)
process.stdout.write('ready\n')
await once(process.stdin, 'data')
for (let i = 0; i < Number(count); i++) {
  journal.audit.append(run!, bodyOf(someEntry(i), i, text => text))
  if (i % 7 === 0) journal.audit.flush() // alone
  if (i % 7 === 6) {
    journal.audit.flush()
    await new Promise(resolve => setTimeout(resolve, 1)) // the other one's turn, on a busy machine too
  }
}
journal.audit.flush()
journal.close()
