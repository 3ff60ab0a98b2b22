// Held names: names that nobody may make while programs run that could.
// Owns: empty files that stand in their way, shared by all programs of this process; what is written down of them, and taking away what a tek that was
// killed has left. Does not own: which names (layout.ts).
//   H1. Only a file that tek made, that is still empty and still the same file (device and inode), is taken away again. Until then it steers nothing.
//   H2. What is held is written into a file of this process in tek's cache folder, as soon as it is made: the next tek that looks finds it there. It is
//       left alone while its process lives, and where nobody can tell: another machine, another namespace of processes.
import { closeSync, fstatSync, ftruncateSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isProcessAlive, processIdentity, type ProcessIdentity } from '../process-identity.ts'
import { cacheFolder } from './system-view.ts'

const MAX_RECORDS = 1_000
const MAX_RECORD_BYTES = 4_000_000

const held = new Map<string, { count: number; made: Made }>()
let record: number | null = null

/** The same name for one more program, where this process holds it already: it stays until the last one has given it back. */
export function shareName(path: string): (() => void) | null {
  const known = held.get(path)
  if (known === undefined) return null
  known.count++
  return () => giveBack(path)
}

/** Makes an empty file; the answer gives the name back. Null when something is there already or none can be made. */
export function holdName(path: string): (() => void) | null {
  const known = shareName(path)
  if (known !== null) return known
  try {
    const fd = openSync(path, 'wx', 0o444)
    const { dev, ino } = fstatSync(fd, { bigint: true })
    closeSync(fd)
    const made = { path, device: String(dev), inode: String(ino) }
    held.set(path, { count: 1, made })
    note(made) // H2
  } catch {
    return null
  }
  return () => giveBack(path)
}

function giveBack(path: string): void {
  const entry = held.get(path)
  if (entry === undefined || --entry.count > 0) return
  held.delete(path)
  takeAway(entry.made)
  if (held.size === 0 && record !== null) ftruncateSync(record, 0)
}

/** Takes away what a tek that was killed has left. Nothing here throws. // H2 */
export function sweepHeldNames(): void {
  try {
    const folder = recordFolder()
    for (const name of readdirSync(folder).slice(0, MAX_RECORDS)) {
      const file = join(folder, name)
      if (statSync(file).size > MAX_RECORD_BYTES || isPerhapsAlive(name)) continue
      for (const made of madeIn(readFileSync(file, 'utf8'))) takeAway(made)
      unlinkSync(file)
    }
  } catch {
    // Another tek was quicker, or there is no cache folder.
  }
}

interface Made {
  readonly path: string
  readonly device: string
  readonly inode: string
}

/** H1 */
function takeAway({ path, device, inode }: Made): void {
  try {
    const stat = lstatSync(path, { bigint: true })
    if (stat.isFile() && stat.size === 0n && String(stat.dev) === device && String(stat.ino) === inode) unlinkSync(path)
  } catch {
    // Somebody else took it away.
  }
}

function recordFolder(): string {
  const folder = join(cacheFolder(), 'held')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** One line for a name; the file of this process is emptied whenever nothing is held, and goes with the process. */
function note(made: Made): void {
  try {
    if (record === null) {
      const file = join(recordFolder(), recordName(processIdentity()))
      record = openSync(file, 'a', 0o600)
      process.once('exit', () => {
        try {
          if (held.size === 0) unlinkSync(file)
        } catch {
          // It is gone.
        }
      })
    }
    writeSync(record, `${JSON.stringify(made)}\n`)
  } catch {
    // A full disk: the name is held all the same.
  }
}

function madeIn(text: string): Made[] {
  return text.split('\n').flatMap(line => {
    try {
      const { path, device, inode } = JSON.parse(line) as Made
      return [path, device, inode].every(each => typeof each === 'string') ? [{ path, device, inode }] : []
    } catch {
      return [] // the last line of a tek that was killed
    }
  })
}

const recordName = (identity: ProcessIdentity): string => `${encodeURIComponent(JSON.stringify([identity.hostName.slice(0, 64), identity.bootId, identity.pid, identity.since ?? '']))}.json`

/** Whether the process of a record lives, or nobody here can tell. */
function isPerhapsAlive(name: string): boolean {
  try {
    const [hostName, bootId, pid, since] = JSON.parse(decodeURIComponent(name.replace(/\.json$/, ''))) as [string, string, number, string]
    const here = processIdentity()
    if (hostName !== here.hostName.slice(0, 64)) return true
    if (bootId === here.bootId) return isProcessAlive(pid, since)
    return bootId.split(' ')[0] === here.bootId.split(' ')[0] // this boot, another namespace
  } catch {
    return true // no record of tek's
  }
}
