// Folder findings: what `tek doctor` says of the folder it stands in: its runs, its audit log, its plugins.
// Owns: one line each. Does not own: the machine (commands/doctor.ts), every problem of an audit log (commands/audit.ts).
//   F1. Nothing is started and nothing is built: plugins are those whose description is in `.tek/cache`, each as it was seen last.
import { join } from 'node:path'
import { neutralise, thousands } from '#base/terminal-text.ts'
import { HostError, type Host } from '#host/host.ts'
import type { AuditVerdict } from '#interpreter/audit/verify.ts'
import { isolationOf } from './plan-facts.ts'
import { answered, CliFailure } from './command.ts'
import { databasePath, recordedRuns } from './recorded-runs.ts'

/** Descriptions that are looked at. */
const MAX_DESCRIPTIONS = 1_000
const MAX_DESCRIPTION_BYTES = 4_000_000

export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly says: string
}

export async function folderFindings(host: Host): Promise<Finding[]> {
  return [await runs(host), await audit(host), await folder(host), await plugins(host)]
}

async function runs(host: Host): Promise<Finding> {
  try {
    if ((await host.files.stat(databasePath(host.cwd))) === null) return { name: 'runs', ok: true, says: 'none recorded here' }
    return { name: 'runs', ok: true, says: `${(await recordedRuns(host)).length} recorded in .tek/tek.db` }
  } catch (error) {
    const says = error instanceof CliFailure ? error.diagnostics[0]!.message : `.tek/tek.db does not open: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}`
    return { name: 'runs', ok: false, says }
  }
}

async function audit(host: Host): Promise<Finding> {
  try {
    if ((await host.files.stat(databasePath(host.cwd))) === null) return { name: 'audit', ok: true, says: await withoutLog(host) }
    const { verifyAudit } = await import('#tek.ts')
    return auditFinding(answered(await verifyAudit(host, databasePath(host.cwd), [])))
  } catch (error) {
    return { name: 'audit', ok: false, says: error instanceof CliFailure ? error.diagnostics[0]!.message : `it cannot be read: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}` }
  }
}

/** What is known of a folder's log while there is none: one that was removed is remembered with the user. */
async function withoutLog(host: Host): Promise<string> {
  const [{ headsAt, publicKeyOf }, { userStore }] = await Promise.all([import('#interpreter/audit/seal.ts'), import('#host/user-store.ts')])
  const store = userStore(name => host.env(name), host.cwd)
  const before = store === null ? undefined : headsAt(store, databasePath(host.cwd)).sort((a, b) => b.seq - a.seq)[0]
  const was = before === undefined ? 'no log here yet' : `no log here, though one was kept up to entry ${thousands(before.seq)}: it was removed`
  return `${was}; ${store === null ? noStore : keyText(publicKeyOf(store) !== null)}`
}

const noStore = 'nothing will be signed: there is no home folder, or it lies in here'
const keyText = (isThere: boolean): string => (isThere ? 'your key is there' : 'no key yet: it is made with the first signature')

/** One line of what `tek audit verify` says. */
export function auditFinding({ entries, signedTo, problems, hasStore, key, earlier }: AuditVerdict): Finding {
  const rows = `${thousands(entries)} ${entries === 1 ? 'entry' : 'entries'}`
  const signed = entries === 0 ? '' : signedTo === null ? ', nothing signed' : `, signed up to entry ${thousands(signedTo)}`
  const before = earlier.length === 0 ? '' : `; another log was kept here before, up to entry ${thousands(earlier[0]!.entries)}`
  const whole = problems.length === 0 ? (entries === 0 ? '' : ', whole') : `, ${thousands(problems.length)} that ${problems.length === 1 ? 'does' : 'do'} not fit (\`tek audit verify\`)`
  return { name: 'audit', ok: problems.length === 0, says: `${rows}${whole}${signed}; ${hasStore ? keyText(key !== null) : noStore}${before}` }
}

/** Whether a run could be recorded here. */
async function folder(host: Host): Promise<Finding> {
  const probe = join(host.cwd, '.tek', `doctor-${host.randomHex(4)}`)
  try {
    await host.files.writeAtomic(probe, '')
    await host.files.remove(probe)
    return { name: 'folder', ok: true, says: 'runs can be recorded here' }
  } catch (error) {
    return { name: 'folder', ok: false, says: `nothing can be written here (${error instanceof HostError ? error.message : String(error)}); use \`tek run --no-journal\`` }
  }
}

interface Description {
  readonly name: string
  readonly release: string
  readonly needsNode?: string
}

async function plugins(host: Host): Promise<Finding> {
  const seen = new Map<string, { readonly says: string; readonly atMs: number }>()
  const cache = join(host.cwd, '.tek', 'cache', 'plugins')
  const names = await host.files.list(cache).catch(() => [])
  for (const { name } of names.filter(each => each.name.endsWith('.signature.json')).slice(0, MAX_DESCRIPTIONS)) {
    const file = join(cache, name)
    const [stat, described] = await Promise.all([host.files.stat(file), descriptionIn(host, file)]).catch(() => [null, null] as const)
    if (stat === null || described === null || (seen.get(described.name)?.atMs ?? -1) > stat.modifiedMs) continue
    seen.set(described.name, { says: `${described.name} ${described.release} ${isolationOf({ origin: 'plugin', ...described })}`, atMs: stat.modifiedMs }) // F1
  }
  const says = [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => neutralise(each.says))
  return { name: 'plugins', ok: true, says: says.length === 0 ? 'none used here yet' : says.join('; ') }
}

async function descriptionIn(host: Host, file: string): Promise<Description | null> {
  const given = JSON.parse(new TextDecoder().decode(await host.files.readBytes(file, MAX_DESCRIPTION_BYTES))) as Partial<Description> | null
  const { name, release, needsNode } = given ?? {}
  if (typeof name !== 'string' || typeof release !== 'string') return null
  return { name, release, ...(typeof needsNode === 'string' ? { needsNode } : {}) }
}
