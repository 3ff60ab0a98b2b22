// Opening: a process that opens a journal and says how many runs and events it finds.
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'

const journal = await sqliteJournal(process.argv[2]!)
const [run] = journal.listRuns()
console.log(`${journal.listRuns().length} ${[...journal.openRun(run!.runId)!.log.events()].length}`)
journal.close()
