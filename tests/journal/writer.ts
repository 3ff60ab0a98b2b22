// Writer: a process that writes events and says after each commit how many are durable; the test kills it.
import { writeSync } from 'node:fs'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { somePlan, someSummary, someEvent } from './some-run.ts'

const [path, runId] = process.argv.slice(2)
const journal = await sqliteJournal(path!)
const log = journal.startRun(someSummary(runId!), somePlan)
for (let i = 0; ; i++) {
  log.append(someEvent(i))
  if (i % 7 === 6) {
    log.commit()
    writeSync(1, `${i + 1}\n`)
  }
}
