// Attacks by links and by files that are none: planted before, or exchanged while tek looks.
import { execFileSync, spawn } from 'node:child_process'
import { linkSync, mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ToolContext } from '#plugin-api/context.ts'
import { type Attack, type Family, stoppedCall, type Stopped } from './attack.ts'
import { SECRET, type World } from './world.ts'

const denied = { by: 'guard', with: 'permit/denied' } as const

function planted(id: string, tries: string, expected: Stopped, plant: (world: World) => void, call: (context: ToolContext, world: World) => Promise<unknown>, grants: readonly string[] = ['fs.read("src/**")', 'fs.write("src/**")']): Attack {
  return {
    id, tries, by: expected.by, with: expected.with,
    async run(world) {
      plant(world)
      world.seal()
      const seen: unknown[] = []
      const stopped = await stoppedCall(async () => void seen.push(await call(world.may(...grants), world)))
      if (expected.by !== 'nothing') expect(JSON.stringify(seen)).not.toContain(SECRET)
      return stopped
    },
  }
}

const link = (target: (world: World) => string, name = 'src/link') => (world: World): void => symlinkSync(target(world), join(world.cwd, name))
const outside = (world: World): string => join(world.root, 'outside')
const secret = (world: World): string => join(world.root, 'secret.txt')

const still: readonly Attack[] = [
  planted('file-link', 'read a file outside through a link inside', denied, link(secret), ({ files }) => files.readText('src/link')),
  planted('folder-link', 'read through a link to a folder outside', denied, link(outside), ({ files }) => files.readText('src/link/name')),
  planted('relative-link', 'read through a relative link', denied, link(() => '../../secret.txt'), ({ files }) => files.readText('src/link')),
  planted('link-chain', 'read through a chain of links', denied, world => { link(secret, 'src/two')(world); link(() => 'two', 'src/one')(world) }, ({ files }) => files.readText('src/one')),
  planted('link-and-dots', 'leave a linked folder by `..`; the dots are taken before the link', { by: 'host', with: 'not-found' }, link(outside), ({ files }) => files.readText('src/link/../secret.txt')),
  planted('link-loop', 'read a link that leads to itself', { by: 'host', with: 'other' }, link(() => 'link'), ({ files }) => files.readText('src/link')),
  planted('stat-link', 'ask for the size of a file outside through a link', denied, link(secret), ({ files }) => files.stat('src/link')),
  planted('list-link', 'list a folder outside through a link', denied, link(outside), ({ files }) => files.list('src/link')),
  {
    id: 'glob-link', tries: 'find files outside through a linked folder; it is not entered', by: 'meaning', with: 'nothing found',
    async run(world) {
      link(outside)(world)
      const found = await world.may('fs.read("src/**")').files.glob('src/**/name')
      return found.length === 0 ? { by: 'meaning', with: 'nothing found' } : { by: 'nothing', with: found.join() }
    },
  },
  planted('glob-into-link', 'name the linked folder in a pattern', denied, link(outside), ({ files }) => files.glob('src/link/*')),
  planted('write-link', 'write to a file outside through a link', denied, link(secret), ({ files }) => files.writeText('src/link', 'x')),
  planted('append-link', 'append to a file outside through a link', denied, link(secret), ({ files }) => files.append('src/link', 'x')),
  planted('write-dangling', 'make a file outside through a link to nothing', denied, link(world => join(world.root, 'planted')), ({ files }) => files.writeText('src/link', 'x')),
  planted('make-through-link', 'make a folder outside through a link', denied, link(outside), ({ files }) => files.makeDirectory('src/link/new')),
  planted('move-out-through-link', 'move a file out through a link', denied, link(outside), ({ files }) => files.move('src/a.ts', 'src/link/a.ts')),
  planted('move-in-through-link', 'move a file in through a link', denied, link(outside), ({ files }) => files.move('src/link/name', 'src/got')),
  planted('remove-through-link', 'remove a file outside through a link', denied, link(outside), ({ files }) => files.remove('src/link/name')),
  planted('link-to-control', 'reach the permits through a link', denied, link(() => '../tek.permits.yaml'), ({ files }) => files.writeText('src/link', 'x'), ['fs.write("**")']),
  planted('link-to-environ', 'read the environment of the process through a link', denied, link(() => '/proc/self/environ'), ({ files }) => files.readText('src/link'), ['fs.read("/**")']),
  planted('link-to-granted-folder', 'make a link at a granted folder after it was looked up', denied, () => undefined, async (_, world) => {
    mkdirSync(join(world.cwd, 'src/data'))
    const granted = ['fs.read("src/data/**")']
    expect(await world.may(...granted).files.stat('src/data/name')).toBeNull()
    execFileSync('rmdir', [join(world.cwd, 'src/data')])
    symlinkSync(outside(world), join(world.cwd, 'src/data'))
    return world.may(...granted).files.readText('src/data/name')
  }),
  planted('hard-link', 'read a file outside through a hard link that lies inside; it is that file, and no tool makes one', { by: 'nothing', with: 'it was done' },
    world => linkSync(secret(world), join(world.cwd, 'src/hard')), ({ files }) => files.readText('src/hard')),
  {
    id: 'remove-link', tries: 'remove what a link leads to by removing the link; only the link goes', by: 'meaning', with: 'link removed',
    async run(world) {
      link(outside)(world)
      world.seal()
      await world.may('fs.read("src/**")', 'fs.write("src/**")').files.remove('src/link')
      return world.has('src/link') ? { by: 'nothing', with: 'it is there' } : { by: 'meaning', with: 'link removed' }
    },
  },
]

const special: readonly Attack[] = [
  planted('fifo-read', 'make tek wait for ever at a pipe', { by: 'host', with: 'not-a-file' }, world => void execFileSync('mkfifo', [join(world.cwd, 'src/pipe')]), ({ files }) => files.readText('src/pipe')),
  planted('fifo-append', 'make tek wait for ever to write into a pipe', { by: 'host', with: 'other' }, world => void execFileSync('mkfifo', [join(world.cwd, 'src/pipe')]), ({ files }) => files.append('src/pipe', 'x')),
  planted('device-read', 'read zeros without end from a device, granted by its name', { by: 'host', with: 'not-a-file' }, () => undefined, ({ files }) => files.readBytes('/dev/zero'), ['fs.read("/dev/zero")']),
  planted('device-append', 'write to a device, granted by its name', { by: 'host', with: 'not-a-file' }, () => undefined, ({ files }) => files.append('/dev/full', 'x'), ['fs.write("/dev/full")']),
  planted('endless-proc-file', 'read a file that says it is empty and is not', { by: 'host', with: 'too-large' }, () => undefined, ({ files }) => files.readText('/proc/cpuinfo', { maxBytes: 10 }), ['fs.read("/proc/cpuinfo")']),
  planted('sparse', 'read a file of 10 GB that takes no room', { by: 'host', with: 'too-large' }, world => void execFileSync('truncate', ['-s', '10G', join(world.cwd, 'src/sparse')]), ({ files }) => files.readText('src/sparse')),
  {
    id: 'socket', tries: 'open a socket as a file', by: 'host', with: 'other',
    async run(world) {
      const server = createServer()
      await new Promise<void>(done => server.listen(join(world.cwd, 'src/s'), done))
      world.seal()
      const stopped = await stoppedCall(() => world.may('fs.read("src/**")').files.readText('src/s'))
      server.close()
      return stopped
    },
  },
]

/** A link takes the place of `src/real` in the one moment between the judgement of a path and its use. */
function swapped(id: string, tries: string, call: (context: ToolContext) => Promise<unknown>): Attack {
  return {
    id: `swap-${id}`, tries: `${tries} in a folder that becomes a link right after it was judged`, by: 'host', with: 'refused',
    async run(world) {
      world.put('src/real/sub/name', 'inside')
      world.put('../outside/sub/name', SECRET)
      world.seal()
      const { files } = world.host
      let isSwapped = false
      const realPath = async (path: string): Promise<string> => {
        const real = await files.realPath(path)
        if (!isSwapped && path.startsWith(join(world.cwd, 'src/real/sub'))) {
          isSwapped = true
          renameSync(join(world.cwd, 'src/real'), join(world.cwd, 'src/x'))
          symlinkSync(outside(world), join(world.cwd, 'src/real'))
        }
        return real
      }
      const stopped = await stoppedCall(() => call(world.under([['fs.read("src/**")', 'fs.write("src/**")']], {}, { ...world.host, files: { ...files, realPath } })))
      expect(isSwapped).toBe(true)
      return stopped
    },
  }
}

const swaps: readonly Attack[] = [
  swapped('read', 'read', ({ files }) => files.readText('src/real/sub/name')), swapped('stat', 'measure', ({ files }) => files.stat('src/real/sub/name')), swapped('list', 'list', ({ files }) => files.list('src/real/sub')),
  swapped('write', 'write', ({ files }) => files.writeText('src/real/sub/name', 'x')), swapped('append', 'append', ({ files }) => files.append('src/real/sub/name', 'x')),
  swapped('make', 'make a folder', ({ files }) => files.makeDirectory('src/real/sub/new/folder')), swapped('remove', 'remove a file', ({ files }) => files.remove('src/real/sub/name')),
  swapped('move', 'move a file', ({ files }) => files.move('src/a.ts', 'src/real/sub/a.ts')),
]

/** Exchanges `src/real`, `src/file` and `src/deep` with links to the folder outside, as fast as it can. */
const flip = `const fs = require('node:fs')
const [src, outside] = process.argv.slice(1)
const has = path => { try { fs.lstatSync(path); return true } catch { return false } }
fs.symlinkSync(outside, src + '/to-outside'); fs.symlinkSync(outside + '/name', src + '/f1'); fs.writeFileSync(src + '/f2', 'inside')
console.log('ready')
for (;;) {
  try {
    fs.renameSync(src + '/real', src + '/x'); fs.renameSync(src + '/to-outside', src + '/real'); fs.renameSync(src + '/real', src + '/to-outside'); fs.renameSync(src + '/x', src + '/real')
    fs.linkSync(src + '/f2', src + '/f3'); fs.renameSync(src + '/f3', src + '/file'); fs.symlinkSync(outside + '/name', src + '/f4'); fs.renameSync(src + '/f4', src + '/file')
  } catch {
    try { if (has(src + '/x')) { fs.rmSync(src + '/real', { recursive: true, force: true }); fs.renameSync(src + '/x', src + '/real') }
      else if (!has(src + '/real')) fs.mkdirSync(src + '/real')
      if (!has(src + '/to-outside')) fs.symlinkSync(outside, src + '/to-outside')
      for (const name of ['/f3', '/f4']) fs.rmSync(src + name, { force: true }) } catch {}
  }
}`

function race(id: string, tries: string, times: number, call: (context: ToolContext, seen: Set<string>) => Promise<unknown>): Attack {
  return {
    id, tries: `${tries}, ${times.toLocaleString('en')} times, while another process exchanges them for links`, by: 'guard', with: 'permit/denied',
    async run(world) {
      world.put('src/real/name', 'inside')
      world.put('src/file', 'inside')
      mkdirSync(join(world.cwd, 'src/real/sub'))
      world.put('../outside/tree/a/only-outside', SECRET)
      world.seal()
      const flipper = spawn(process.execPath, ['-e', flip, join(world.cwd, 'src'), outside(world)], { stdio: ['ignore', 'pipe', 'inherit'] })
      await new Promise(ready => flipper.stdout.once('data', ready))
      const context = world.may('fs.read("src/**")', 'fs.write("src/**")')
      const seen = new Set<string>()
      let [refused, done] = [0, 0]
      // Both must come up, or nothing was raced: on a busy machine that takes longer.
      for (; done < times || (done < 20 * times && (refused === 0 || refused === done)); done++) if ((await stoppedCall(() => call(context, seen)).catch(() => ({ by: 'host' }))).by !== 'nothing') refused++
      const wasRunning = flipper.exitCode === null
      flipper.kill('SIGKILL')
      await new Promise(ended => flipper.once('exit', ended))
      expect(wasRunning).toBe(true)
      expect([...seen].filter(text => text.includes(SECRET))).toEqual([])
      expect(world.harm()).toBeNull()
      expect(seen).not.toContain('tree') // a name that is only outside
      return refused > 0 && refused < done ? denied : { by: 'nothing', with: `${refused} of ${done} refused` }
    },
  }
}

const races: readonly Attack[] = [
  race('race-read', 'read a file and a file in a folder', 4_000, async ({ files }, seen) => { seen.add(await files.readText('src/file')); seen.add(await files.readText('src/real/name')) }),
  race('race-write', 'write and append', 600, async ({ files }) => { await files.writeText('src/real/written', 'x'); await files.append('src/real/name', '') }),
  race('race-make', 'make folders', 600, ({ files }) => files.makeDirectory('src/real/sub/new/folder')),
  race('race-remove', 'remove what is in a folder', 600, async ({ files }) => { await files.writeText('src/real/tree/a/name', 'x'); await files.remove('src/real/tree') }),
  race('race-list', 'list and measure', 1_500, async ({ files }, seen) => {
    for (const entry of await files.list('src/real')) seen.add(entry.name === 'name' && (await files.stat('src/real/name'))?.sizeBytes === SECRET.length ? SECRET : entry.name)
  }),
  race('race-move', 'move files out and in', 600, async ({ files }) => { await files.writeText('src/moved', 'x'); await files.move('src/moved', 'src/real/moved'); await files.move('src/real/moved', 'src/moved') }),
]

export const linkAttacks: Family = {
  name: 'Links, devices and races', about: 'Links planted in a granted folder, files that are none, and links that come while a path is being judged; on Linux.', attacks: [...still, ...special, ...swaps, ...races],
}
