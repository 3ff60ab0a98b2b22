// Layout: what a confined program sees of the granted files, in the order in which it is put together.
// Owns: one entry a path, opened so that nobody can exchange it any more. Does not own: the system's part (system-view.ts), the mounting.
//   Y1. A path is opened without following links and its descriptor's own name compared with it: what was granted is what is shown,
//       also when a link takes its place a moment later. What is not there, or has become a link, is left out.
//   Y2. The deeper entry decides: a readable file below a writable folder is read-only, a hidden one below either is out of sight.
//   Y3. A hidden file that does not exist, below a writable folder, is held by an empty one while the program runs (held-names.ts), so that
//       the program cannot make it. A hidden folder is made beforehand by who asks.
//   Y4. The folders between a writable one and what is fixed or hidden in it are places of their own: a place cannot be renamed, so nobody can move
//       `.git` away and put another in its stead.
//   Y5. tek's own cache folder (the probe's answer, the /etc that is shown) is hidden wherever a grant would show it.
import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { HostError, type Confinement } from '../host.ts'
import { holdName, shareName } from './held-names.ts'
import { cacheFolder } from './system-view.ts'

/** Files and folders that one program may be granted; each costs about 0.3 ms at its start. */
export const MAX_PLACES = 500
/** Linux: a descriptor that names a place and gives no access to it. */
const O_PATH = 0o10000000

export interface Place {
  readonly path: string
  readonly access: 'read' | 'write' | 'hidden'
  readonly isFolder: boolean
  /** Open for as long as the layout is; of a hidden place too. */
  readonly fd: number
  readonly device: string
  readonly inode: string
}

export interface Layout {
  /** Parents before children. */
  readonly places: readonly Place[]
  /** Closes descriptors and gives held names back. */
  close(): void
}

/** @throws {HostError} `too-large` when more than MAX_PLACES are granted. */
export function openLayout(confinement: Confinement, more: readonly string[]): Layout {
  const wanted = new Map<string, Place['access']>()
  for (const path of [...more, ...confinement.readable]) wanted.set(path, 'read')
  for (const path of confinement.writable) wanted.set(path, 'write')
  for (const path of [...confinement.hidden, cacheFolder()]) wanted.set(path, 'hidden') // Y5
  if (wanted.size > MAX_PLACES) {
    throw new HostError('too-large', 'confinement', `A command may be granted at most ${MAX_PLACES} files and folders one by one; these grants stand for ${wanted.size}. Grant the folder they are in.`)
  }
  for (const [path, access] of [...wanted]) if (access !== 'write') for (const folder of foldersAbove(path, confinement.writable)) if (!wanted.has(folder)) wanted.set(folder, 'write') // Y4
  const pins = new Set([...wanted].flatMap(([path, access]) => (access === 'write' ? [] : foldersAbove(path, confinement.writable))))
  const places: Place[] = []
  const releases: (() => void)[] = []
  const close = (): void => {
    for (const { fd } of places) closeSync(fd)
    for (const release of releases) release()
  }
  try {
    for (const [path, access] of [...wanted].sort(([a], [b]) => depth(a) - depth(b) || (a < b ? -1 : 1))) {
      if (access === 'hidden' && !isShown(path, places)) continue
      const shared = access === 'hidden' ? shareName(path) : null // else it would go with the program it was made for
      if (shared !== null) releases.push(shared)
      let place = openExact(path, access)
      if (place === null && access === 'hidden' && accessOf(dirname(path), places) === 'write') { // Y3
        const release = holdName(path)
        if (release !== null) {
          releases.push(release)
          place = openExact(path, access)
        }
      }
      if (place !== null && (pins.has(path) || !isRedundant(place, places))) places.push(place)
      else if (place !== null) closeSync(place.fd)
    }
  } catch (error) {
    close()
    throw error
  }
  return { places, close }
}

/** The folders that hold a path, below the writable ones that hold them. */
function foldersAbove(path: string, writable: readonly string[]): string[] {
  const found: string[] = []
  for (let at = dirname(path); at !== '/' && writable.some(folder => at.startsWith(folder === '/' ? folder : `${folder}/`)); at = dirname(at)) found.push(at)
  return found
}

const depth = (path: string): number => (path === '/' ? 0 : path.split('/').length)

/** How a path stands by the deepest entry above it (Y2). */
function accessOf(path: string, places: readonly Place[]): Place['access'] | null {
  return places.findLast(place => place.path === path || place.path === '/' || path.startsWith(`${place.path}/`))?.access ?? null
}

const isShown = (path: string, places: readonly Place[]): boolean => ['read', 'write'].includes(accessOf(dirname(path), places) ?? '')

/** Already so by the folder it lies in. */
const isRedundant = (place: Place, places: readonly Place[]): boolean => place.path !== '/' && accessOf(dirname(place.path), places) === place.access

function openExact(path: string, access: Place['access']): Place | null { // Y1
  let fd: number
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  } catch {
    return null
  }
  const stat = fstatSync(fd, { bigint: true })
  if (readlinkSync(`/proc/self/fd/${fd}`) !== path || (!stat.isDirectory() && !stat.isFile())) {
    closeSync(fd)
    return null
  }
  return { path, access, isFolder: stat.isDirectory(), fd, device: String(stat.dev), inode: String(stat.ino) }
}
