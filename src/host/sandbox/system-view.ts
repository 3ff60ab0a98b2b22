// System view: what of the machine itself every confined program may read: programs and libraries, and an /etc of our own.
// Owns: the list. Does not own: the files a call was granted (layout.ts).
//   S1. /etc is never shown: a copy of the few public files that programs need is, made once per state of the originals, in tek's own cache folder.
//       It has no accounts but the two that the sandbox has, no keys, and no names of this machine.
//   S2. A program outside these folders is shown with the folder it lies in, unless that folder is one of the user's own (the home, what holds it or the
//       working folder): then only the file. Node is shown with the modules that lie beside it (npm), since programs written for it start it.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Folders of the system, or links to them (as /bin often is). */
const candidates = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/gnu/store', '/run/current-system']
const etcFiles = [
  'ld.so.cache', 'ld.so.conf', 'localtime', 'timezone', 'locale.alias', 'mime.types', 'magic', 'services', 'protocols', 'host.conf', 'gai.conf', 'os-release', 'debian_version',
  'ssl/openssl.cnf', 'ssl/certs/ca-certificates.crt', 'ssl/certs/java/cacerts', 'ssl/cert.pem', 'pki/tls/certs/ca-bundle.crt',
]
const etcFolders = /^(?:alternatives|ld\.so\.conf\.d|perl|python3[\d.]*|java-[\w.-]+|fonts|terminfo)$/
const MAX_ETC_FILES = 5_000
const MAX_ETC_DEPTH = 6
const MAX_ETC_FILE_BYTES = 4_000_000

export interface SystemView {
  readonly folders: readonly string[]
  readonly links: readonly { readonly path: string; readonly target: string }[]
  /** The folder shown as /etc. */
  readonly etc: string
}

let known: SystemView | null = null

/** @throws when tek's cache folder cannot be written. */
export function systemView(): SystemView {
  if (known !== null && existsSync(known.etc)) return known
  const folders: string[] = []
  const links: { path: string; target: string }[] = []
  for (const path of candidates) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink()) links.push({ path, target: readlinkSync(path) })
    else if (stat?.isDirectory()) folders.push(path)
  }
  return (known = { folders, links, etc: preparedEtc() })
}

/** tek's folder for what holds for this machine, not for a project. The environment is the one tek was started with. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME']
  const folder = join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'tek')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch {
    const own = join(tmpdir(), `tek-${userInfo().uid}`)
    mkdirSync(own, { recursive: true, mode: 0o700 })
    const stat = lstatSync(own)
    if (!stat.isDirectory() || stat.uid !== userInfo().uid) throw new Error(`${own} belongs to somebody else`)
    return own
  }
}

function preparedEtc(): string { // S1
  const files = etcFiles.filter(name => existsSync(join('/etc', name)))
  const folders = readdirSync('/etc').filter(name => etcFolders.test(name))
  const key = createHash('sha256')
  key.update(`3 ${userInfo().uid} ${userInfo().gid}`)
  for (const name of [...files, ...folders]) {
    const { mtimeMs, size } = statSync(join('/etc', name), { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 }
    key.update(`\n${name} ${mtimeMs} ${size}`)
  }
  const etc = join(cacheFolder(), `etc-${key.digest('hex').slice(0, 16)}`)
  if (existsSync(etc)) return etc
  const fresh = `${etc}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh)
  for (const name of files) copyPublic(join('/etc', name), join(fresh, name))
  const budget = { left: MAX_ETC_FILES }
  for (const name of folders) copyFolder(join('/etc', name), join(fresh, name), 0, budget)
  const { uid, gid } = userInfo()
  writeFileSync(join(fresh, 'passwd'), `tek:x:${uid}:${gid}:tek:/tmp/home:/bin/sh\n${uid === 65534 ? '' : 'nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n'}`)
  writeFileSync(join(fresh, 'group'), `tek:x:${gid}:\n${gid === 65534 ? '' : 'nogroup:x:65534:\n'}`)
  writeFileSync(join(fresh, 'hosts'), '127.0.0.1 localhost\n::1 localhost\n')
  writeFileSync(join(fresh, 'hostname'), 'localhost\n')
  writeFileSync(join(fresh, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n')
  // Nobody listens there: a name that is looked up fails at once, where it would otherwise wait for servers that cannot be reached.
  writeFileSync(join(fresh, 'resolv.conf'), 'nameserver 127.0.0.1\noptions attempts:1 timeout:1\n')
  try {
    renameSync(fresh, etc)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true }) // another tek was quicker
    if (!existsSync(etc)) throw error
  }
  return etc
}

/** Only what everybody may read anyway. */
function copyPublic(from: string, to: string): void {
  const stat = statSync(from, { throwIfNoEntry: false })
  if (!stat?.isFile() || (stat.mode & 0o004) === 0 || stat.size > MAX_ETC_FILE_BYTES) return
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

function copyFolder(from: string, to: string, depth: number, budget: { left: number }): void {
  if (depth > MAX_ETC_DEPTH) return
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (budget.left-- <= 0) return
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else if (entry.isDirectory()) copyFolder(source, target, depth + 1, budget)
    else copyPublic(source, target)
  }
}

/**
 * What must be readable besides for a program to start (S2): real paths.
 *
 * @param program absolute path of the program.
 * @param cwd the working folder, which is never shown for this reason.
 */
export function programPlaces(program: string, cwd: string): string[] {
  const system = systemView().folders
  const places = new Set<string>()
  for (const each of [program, process.execPath]) {
    let real: string
    try {
      real = realpathSync(each)
    } catch {
      continue
    }
    for (const file of [each, real]) if (!isBelowAny(file, system) && !isLinkedSystem(file)) places.add(placeOf(file, cwd))
    const modules = join(dirname(dirname(real)), 'lib', 'node_modules')
    if (basename(real) === 'node' && !isBelowAny(modules, system) && existsSync(modules)) places.add(modules)
  }
  return [...places].filter(place => existsSync(place))
}

function placeOf(file: string, cwd: string): string {
  const folder = dirname(file)
  const isOwn = [homedir(), cwd].some(each => each === folder || each.startsWith(folder === '/' ? '/' : `${folder}/`)) || folder.startsWith(`${cwd}/`)
  return isOwn ? file : folder
}

function isLinkedSystem(file: string): boolean {
  return systemView().links.some(({ path }) => file.startsWith(`${path}/`))
}

function isBelowAny(path: string, folders: readonly string[]): boolean {
  return folders.some(folder => path === folder || path.startsWith(`${folder}/`))
}
