// Doctor: `tek doctor`, what this machine offers and what is enforced on it.
// Owns: honest facts about the machine. Does not own: the folder (folder-findings.ts), enforcement.
//   D1. It claims no more than is enforced: the level is what a probe on this machine found, and docs/levels.md says attempt by attempt what it stops.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform, release } from 'node:os'
import { join } from 'node:path'
import { Option } from 'clipanion'
import type { Host, IsolationLevel } from '#host/host.ts'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { bundledPrograms, packageFolder, tekVersion } from '../install-place.ts'
import { folderFindings, type Finding } from '../folder-findings.ts'
import { onnxHere } from '../onnx-here.ts'

const MIN_NODE = [20, 19] as const
const PROGRAM_TIMEOUT_MS = 5_000
/** Where what is said of the level begins. */
const LEVEL_COLUMNS = 21

export class DoctorCommand extends TekCommand {
  static override paths = [['doctor']]
  static override usage = {
    description: 'what this machine offers and what is enforced on it',
    details: 'Exit code 1 when something that tek needs is missing, or what is recorded here is not as it should be.',
    examples: [['look at this machine', 'tek doctor'], ['for programs', 'tek doctor --json']] as [string, string][],
  }
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const findings = [node(), system(host), sqlite(), ...(await folderFindings(host)), await git(), await onnxHere(), programs()]
    const ok = findings.every(each => each.ok)
    const protection = await protectionHere()
    const { out } = this.context
    if (this.json) this.printJson({ version: 1, tek: tekVersion(), ok, protection, findings })
    else {
      out.write(`tek ${tekVersion()}\n`)
      for (const each of findings) out.write(`  ${out.paint(each.ok ? 'green' : 'red', each.ok ? 'ok     ' : 'not ok ')} ${each.name.padEnd(10)} ${each.says}\n`)
      out.write(`  ${out.paint(protection.sandbox ? 'green' : 'yellow', `level ${protection.level}`)} protection ${wrapped(levels[protection.level], out.columns() - LEVEL_COLUMNS).join('\n'.padEnd(LEVEL_COLUMNS + 1))}\n`)
      for (const { level, why } of protection.missing) out.write(`          level ${level}    not here: ${why}${level === 3 && why.includes('bubblewrap') ? ' (Debian, Ubuntu: apt install bubblewrap)' : ''}\n`)
    }
    return ok ? exitCodes.fine : exitCodes.failed
  }
}

/** Lines of at most so many columns. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

interface Protection {
  readonly level: IsolationLevel
  readonly enforcedBy: readonly string[]
  readonly sandbox: boolean
  readonly missing: readonly { readonly level: 2 | 3; readonly why: string }[]
}

/** What each level is, in a few lines; attempt by attempt in docs/levels.md. */
const levels: Readonly<Record<IsolationLevel, string>> = {
  0: 'language + guard only.',
  1: 'language + guard; no sandbox: a program reaches what its `can` grants, and every call passes the guard. Commands are refused, unless `--unconfined` says that they may run with all your rights.',
  2: 'language + guard + namespaces, Landlock and a filter of system calls: a command sees the content of granted files only, has no network ' +
    'and no Unix sockets, and ends with all it started. It can learn the names of other files. Bounds: memory, processes, time.',
  3: 'language + guard + bubblewrap and a filter of system calls: for a command only granted files exist, it has no network, and ends with all it started. Bounds: memory, processes, time.',
}

async function protectionHere(): Promise<Protection> {
  const { machineLevel } = await import('#host/run-command.ts')
  const { level, missing } = await machineLevel()
  const by: Readonly<Record<IsolationLevel, readonly string[]>> = { 0: [], 1: [], 2: ['namespaces', 'landlock', 'seccomp'], 3: ['namespaces', 'bubblewrap', 'seccomp'] }
  return { level, enforcedBy: ['language', 'guard', ...by[level]], sandbox: level >= 2, missing }
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])
  return { name: 'node', ok, says: `${process.versions.node}${ok ? '' : `: tek needs ${MIN_NODE.join('.')} or newer`}` }
}

function system(host: Host): Finding {
  const { cpus, memoryBytes } = host.machine()
  return { name: 'system', ok: true, says: `${platform()} ${release()} ${arch()}, ${cpus} processor${cpus === 1 ? '' : 's'}, ${(memoryBytes / 1024 ** 3).toFixed(1)} GB` }
}

/** Opens a database in memory with the library the journal uses. */
function sqlite(): Finding {
  const name = 'better-sqlite3'
  try {
    const Database = createRequire(join(packageFolder(), 'package.json'))(name) as new (path: string) => { prepare(sql: string): { get(): unknown }; close(): void }
    const database = new Database(':memory:')
    const { version } = database.prepare('select sqlite_version() as version').get() as { version: string }
    database.close()
    return { name: 'database', ok: true, says: `SQLite ${version}` }
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0]!
    return { name: 'database', ok: false, says: `${name} does not load (${reason}); \`npm rebuild ${name}\` builds it; until then use \`tek run --no-journal\`` }
  }
}

async function git(): Promise<Finding> {
  const version = await new Promise<string | null>(resolve => {
    execFile('git', ['--version'], { timeout: PROGRAM_TIMEOUT_MS }, (error, stdout) => resolve(error ? null : stdout.trim()))
  })
  return { name: 'git', ok: true, says: version ?? 'not found: programs that use `git` will fail' }
}

function programs(): Finding {
  const names = bundledPrograms()
  return { name: 'programs', ok: true, says: names.length > 0 ? names.join(', ') : 'none bundled' }
}
