// Bubblewrap: level 3. A file system of its own that holds only what is shown, with every namespace of its own and the seccomp filter.
// Owns: bubblewrap's arguments. Does not own: what is granted (layout.ts), the filter (seccomp.ts).
//   B1. Granted places are handed over as descriptors, opened and compared beforehand (layout.ts, Y1).
//   B2. Options travel on a descriptor: a command line can be read by everybody on the machine, and the program's variables may be secrets.
//   B3. What the sandbox itself is made of (its root, /dev, what covers hidden folders) is read-only at the end; /tmp and /dev/shm have a size.
//       So is /proc: started by root, a program is still the owner of the files by which the kernel is set up (/proc/sys/kernel/core_pattern).
//   B4. The kernel's limits are set inside, so that processes are counted in the sandbox's own user namespace.
import { dirname } from 'node:path'
import { readdirSync } from 'node:fs'
import type { Layout } from './layout.ts'
import type { LimitName } from './resource-limits.ts'
import type { SystemView } from './system-view.ts'

/** Where HOME is inside. */
const OWN_HOME = '/tmp/home'

export interface BubblewrapStart {
  readonly prlimit: string
  readonly system: SystemView
  readonly layout: Layout
  readonly limits: readonly (readonly [LimitName, number])[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly temporaryBytes: number
  readonly program: string
  readonly args: readonly string[]
}

/** How descriptors are named to bubblewrap: the number that an open one will have there. */
export interface Descriptors {
  /** A descriptor of tek's that the child gets; the answer is its number there. */
  place(fd: number): number
  /** A new descriptor of an empty file. */
  empty(): number
}

/** Options for `--args`, and what follows the `--`. */
export function bubblewrapArguments(start: BubblewrapStart, descriptors: Descriptors): { readonly options: string[]; readonly command: string[] } {
  const { system, layout, cwd } = start
  const size = String(start.temporaryBytes)
  const options = [
    '--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'localhost',
    '--die-with-parent', '--new-session', '--cap-drop', 'ALL',
  ]
  const root = layout.places.find(({ path }) => path === '/')
  if (root !== undefined) options.push('--ro-bind-fd', String(descriptors.place(root.fd)), '/')
  for (const path of system.folders) options.push('--ro-bind', path, path)
  if (root === undefined) for (const { path, target } of system.links) options.push('--symlink', target, path)
  options.push(...etcOptions(system, layout), '--proc', '/proc', '--dev', '/dev', '--size', size, '--tmpfs', '/dev/shm', '--size', size, '--tmpfs', '/tmp', '--dir', OWN_HOME)
  if (root === undefined) options.push('--size', size, '--tmpfs', '/var/tmp')
  const readOnlyAtEnd: string[] = ['/dev', '/proc']
  for (const top of foldersAbove(layout, cwd)) {
    options.push('--size', '65536', '--tmpfs', top)
    readOnlyAtEnd.push(top)
  }
  let isFolderThere = cwd === '/'
  for (const { path, access, isFolder, fd } of layout.places) {
    if (path === '/' || /^\/(?:proc|dev)(?:\/|$)/.test(path)) continue
    if (path === cwd || cwd.startsWith(`${path}/`)) isFolderThere = true
    if (access !== 'hidden') options.push(access === 'read' ? '--ro-bind-fd' : '--bind-fd', String(descriptors.place(fd)), path) // B1
    else if (isFolder) {
      options.push('--size', '4096', '--tmpfs', path)
      readOnlyAtEnd.push(path)
    } else options.push('--ro-bind-data', String(descriptors.empty()), path)
  }
  if (!isFolderThere) options.push('--dir', cwd)
  if (root === undefined) readOnlyAtEnd.push('/')
  for (const path of readOnlyAtEnd) options.push('--remount-ro', path) // B3
  options.push('--chdir', cwd, '--clearenv')
  for (const [name, value] of Object.entries(start.env)) options.push('--setenv', name, value)
  const limits = start.limits.map(([name, most]) => `--${name}=${Number.isFinite(most) ? most : 'unlimited'}`)
  return { options, command: [start.prlimit, ...limits, start.program, ...start.args] } // B4
}

/**
 * Folders of the sandbox's own /tmp that only lead to granted ones: read-only, so that what a command writes beside those fails there as it does
 * anywhere else, and is not lost without a word.
 */
export function foldersAbove({ places }: Layout, cwd: string): string[] {
  const tops = [cwd, ...places.map(({ path }) => path)].flatMap(path => /^(?:\/tmp|\/var\/tmp|\/dev\/shm)\/[^/]+/.exec(path)?.[0] ?? [])
  return [...new Set(tops)].filter(top => top !== OWN_HOME && !places.some(({ path, access }) => path === top && access !== 'hidden')).sort()
}

/** Our own /etc; where places in the real one are granted, its parts one by one, so that those can lie beside them. */
function etcOptions({ etc }: SystemView, { places }: Layout): string[] {
  if (!places.some(({ path }) => dirname(path).startsWith('/etc'))) return ['--ro-bind', etc, '/etc']
  return ['--tmpfs', '/etc', ...readdirSync(etc).filter(name => !places.some(({ path }) => path === `/etc/${name}`)).flatMap(name => ['--ro-bind', `${etc}/${name}`, `/etc/${name}`])]
}
