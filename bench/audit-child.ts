// What the audit log and the guard cost, in a process of its own. Arguments: what, folder, count. Prints JSON: `elapsedMs` of `count` times.
//   grouped  entries, made durable a hundred at a time, as the journal's commits do.
//   alone    entries, each durable before the next, as an effect needs it.
//   verify   rows of a log that is verified, signatures included.
//   read     reading a small file by way of the guard, decisions kept; less what the host alone takes for it.
//   write    the same for writing one.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeHost } from '#host/node-host.ts'
import { userStore } from '#host/user-store.ts'
import { bodyOf } from '#interpreter/audit/chain.ts'
import { keptTrail } from '#interpreter/audit/kept-trail.ts'
import { Sealer } from '#interpreter/audit/seal.ts'
import { verifyAudit } from '#interpreter/audit/verify.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import { Keeper } from '#interpreter/keeper.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'

const GROUP = 100
const [what, folder, times] = process.argv.slice(2)
const count = Number(times)
const project = join(folder!, 'project')
mkdirSync(project, { recursive: true })
writeFileSync(join(project, 'small.txt'), 'x')
const host = nodeHost({ cwd: project })
const store = userStore(name => (name === 'HOME' ? join(folder!, 'home') : undefined), project)!
const journal = await sqliteJournal(join(project, '.tek', 'tek.db'))
journal.audit.sealWith(new Sealer(store))
const trail = keptTrail({ log: journal.audit, runId: '0123456789ab', now: () => Date.now(), redact: text => text })
const keeper = new Keeper({ host, journal, stopFile: join(project, '.tek', 'STOP') }, '0123456789ab', null)
const context = makeToolContext({
  host, cwd: project, authority: [[{ name: 'fs.read', args: ['**'] }, { name: 'fs.write', args: ['out/**'] }]], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: 't',
  onDecision: (grant, allowed) => keeper.lookNow() === null && trail.record({ kind: 'decision', task: 'scan[7]', call: 'fs.read', grant, allowed }), onCount: () => {}, onLog: () => {}, onProgress: () => {},
})

function append(each: (i: number) => void): number {
  const from = performance.now()
  for (let i = 0; i < count; i++) {
    journal.audit.append('0123456789ab', bodyOf({ kind: 'decision', task: `scan[${i}]`, call: 'fs.read', grant: { name: 'fs.read', args: [`src/some/folder/file-${i}.ts`] }, allowed: true }, Date.now(), text => text))
    each(i)
  }
  journal.audit.flush()
  return performance.now() - from
}

async function over(guarded: () => Promise<unknown>, bare: () => Promise<unknown>): Promise<number> {
  let [withGuard, without] = [0, 0]
  for (let i = 0; i < count; i++) {
    const from = performance.now()
    await guarded()
    const between = performance.now()
    await bare()
    withGuard += between - from
    without += performance.now() - between
  }
  return withGuard - without
}

async function measured(): Promise<number> {
  switch (what) {
    case 'grouped': return append(i => { if (i % GROUP === 0) journal.audit.flush() })
    case 'alone': return append(() => journal.audit.flush())
    case 'read': return over(() => context.files.readBytes('small.txt'), () => host.files.readBytes(join(project, 'small.txt'), 1_000, { exact: true }))
    case 'write': return over(() => context.files.writeText('out/a.txt', 'x'), () => host.files.writeAtomic(join(project, 'out', 'b.txt'), 'x', { exact: true }))
    default: {
      append(i => { if (i % GROUP === 0) journal.audit.flush() })
      journal.audit.seal()
      const from = performance.now()
      const { problems, entries } = verifyAudit(journal.audit, store)
      if (problems.length > 0 || entries !== count) throw new Error('the log is not whole')
      return performance.now() - from
    }
  }
}

mkdirSync(join(project, 'out'))
console.log(JSON.stringify({ elapsedMs: await measured() }))
journal.close()
