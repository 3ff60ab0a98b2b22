// Attacks by the spelling of a path, read under a grant of `src/**`.
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Attack, type Family, stoppedCall } from './attack.ts'
import { SECRET, type World } from './world.ts'

type Row = readonly [id: string, tries: string, path: string | ((world: World) => string), by: Attack['by'], code: string, grant?: string]

const rows: readonly Row[] = [
  ['dot-dot', 'leave the granted folder by `..`', '../secret.txt', 'guard', 'permit/denied'],
  ['dot-dot-inside', 'leave it by `..` after its name', 'src/../../secret.txt', 'guard', 'permit/denied'],
  ['dot-dot-deep', 'leave it by way of a deeper folder', 'src/deep/../../../secret.txt', 'guard', 'permit/denied'],
  ['dot-dot-through-file', 'leave it by way of a file taken for a folder', 'src/a.ts/../../../secret.txt', 'guard', 'permit/denied'],
  ['dot-dot-into-control', 'reach the state of tek from the granted folder', 'src/../.tek/tek.db', 'guard', 'permit/denied'],
  ['absolute', 'name a file absolutely', world => join(world.root, 'secret.txt'), 'guard', 'permit/denied'],
  ['passwd', 'read a file of the system', '/etc/passwd', 'guard', 'permit/denied'],
  ['file-url', 'read a file by its URL', 'file:///etc/passwd', 'guard', 'permit/denied'],
  ['home', 'read a key from the home folder by `~`', '~/.ssh/id_rsa', 'guard', 'permit/denied'],
  ['encoded', 'hide `..` in percent signs; nobody decodes them', 'src/%2e%2e/%2e%2e/secret.txt', 'host', 'not-found'],
  ['double-encoded', 'hide it twice', 'src/%252e%252e%252fsecret.txt', 'host', 'not-found'],
  ['nul', 'cut the path off with NUL', 'src/a.ts\0/../../../secret.txt', 'guard', 'permit/denied'],
  ['backslash', 'use the separator of another system', 'src\\..\\..\\secret.txt', 'guard', 'permit/denied'],
  ['backslash-inside', 'use it behind the granted folder; it is a character of a name', 'src/..\\..\\secret.txt', 'host', 'not-found'],
  ['drive', 'name a drive', 'C:\\Windows\\win.ini', 'guard', 'permit/denied'],
  ['unc', 'name a server by a UNC path', '\\\\server\\share\\secret.txt', 'guard', 'permit/denied'],
  ['unc-slashes', 'name a server with slashes', '//server/share/secret.txt', 'guard', 'permit/denied'],
  ['fullwidth-dots', 'write `..` in look-alike dots', 'src/\uff0e\uff0e/\uff0e\uff0e/secret.txt', 'host', 'not-found'],
  ['one-dot-leader', 'write it with a two-dot leader', 'src/\u2025/\u2025/secret.txt', 'host', 'not-found'],
  ['division-slash', 'write `/` with a look-alike', 'src\u2215a.ts', 'guard', 'permit/denied'],
  ['look-alike-folder', 'name the granted folder in look-alike letters', 'ѕrc/a.ts', 'guard', 'permit/denied'],
  ['case', 'name the granted folder in capitals', 'SRC/a.ts', 'guard', 'permit/denied'],
  ['trailing-dot', 'add a dot that some systems drop', 'src./a.ts', 'guard', 'permit/denied'],
  ['trailing-space', 'add a space that some systems drop', 'src /a.ts', 'guard', 'permit/denied'],
  ['overlong', 'name a path of 20,000 characters', `src/${'a/'.repeat(10_000)}`, 'guard', 'permit/denied'],
  ['many-dots', 'go up 5,000 times', `src/${'../'.repeat(5_000)}etc/passwd`, 'guard', 'permit/denied'],
  ['empty', 'name nothing', '', 'guard', 'permit/denied'],
  ['proc-cwd', 'go through the link of the process to its folder', '/proc/self/cwd/notes.txt', 'guard', 'permit/denied'],
  ['proc-root', 'go through the link of the process to the root', '/proc/self/root/etc/passwd', 'guard', 'permit/denied'],
  ['proc-environ', 'read the environment of the process under a grant of everything', '/proc/self/environ', 'guard', 'permit/denied', '/**'],
  ['proc-thread', 'read it by the thread', '/proc/thread-self/environ', 'guard', 'permit/denied', '/**'],
  ['proc-pid', 'read the memory of the process under a grant of everything', `/proc/${process.pid}/mem`, 'guard', 'permit/denied', '/**'],
  ['dev-fd', 'read what the process has open, by /dev/fd', '/dev/fd/0', 'guard', 'permit/denied', '/**'],
  ['other-state', 'read the journal of another project under a grant that covers it', '../other/.tek/tek.db', 'guard', 'permit/denied', '../**'],
]

const reading = rows.map(([id, tries, path, by, code, grant = 'src/**']): Attack => ({
  id, tries, by, with: code,
  async run(world) {
    world.put('../other/.tek/tek.db', SECRET)
    world.seal()
    const target = typeof path === 'string' ? path : path(world)
    const { files } = world.may(`fs.read(${JSON.stringify(grant)})`)
    const stopped = await stoppedCall(() => files.readText(target))
    // The other doors say the same, and none says more.
    if (stopped.by === 'guard') for (const call of [() => files.stat(target), () => files.list(target), () => files.readBytes(target)]) expect(await stoppedCall(call)).toEqual(stopped)
    return stopped
  },
}))

const writing = rows.filter(([, , , by, , grant]) => by === 'guard' && grant === undefined).slice(0, 12).map(([id, tries, path, by, code]): Attack => ({
  id: `write-${id}`, tries: `write: ${tries}`, by, with: code,
  async run(world) {
    world.seal()
    const target = typeof path === 'string' ? path : path(world)
    const { files } = world.may('fs.write("src/**")', 'fs.read("src/**")')
    const stopped = await stoppedCall(() => files.writeText(target, 'x'))
    for (const call of [() => files.append(target, 'x'), () => files.makeDirectory(target), () => files.remove(target), () => files.move('src/a.ts', target), () => files.move(target, 'src/got')]) {
      expect(await stoppedCall(call)).toEqual(stopped)
    }
    expect(world.has('src/a.ts')).toBe(true)
    return stopped
  },
}))

export const pathAttacks: Family = { name: 'Paths', about: 'Spellings of a path, under `fs.read("src/**")` unless another grant is named.', attacks: [...reading, ...writing] }
