// Watched world: a host in memory whose contents and answers are chosen to mislead, and a watcher at its every door.
// Owns: the traps, and judging each thing that is done by the plain reading of the grants (naive-grants.ts). Knows nothing of tek's guard.
//   W1. Where a path leads is worked out here, from the list of links, not asked of the host.
//   W2. Folders of grants stand for where they led when the run began.
import { posix } from 'node:path'
import type { Host, HostFiles, HttpResponse } from '#host/host.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { naivelyCovers, partsOf, type NaiveGrant } from './naive-grants.ts'
import type { Seeded } from './seeded.ts'

const cwd = '/home/project'
const MAX_LINKS = 40

export interface WatchedWorld {
  readonly host: Host
  /** What was done that no grant covers. */
  readonly violations: string[]
  /** How often something was done that is covered. */
  readonly done: () => number
}

export function watchedWorld(random: Seeded, levels: readonly (readonly NaiveGrant[])[]): WatchedWorld {
  const links: Record<string, string> = { [`${cwd}/src/up`]: '../..', [`${cwd}/src/link`]: '/secret.txt', [`${cwd}/out/evil.txt`]: '../.tek/tek.db' }
  if (random.chance(40)) links[`${cwd}/data`] = '/abs'
  if (random.chance(30)) links[`${cwd}/src/deep`] = '/home/other'
  if (random.chance(20)) links['/abs'] = '/home/other'
  const files = ['src/a.txt', 'src/b.txt', '-rf', 'run.sh', '.tek/tek.db', 'tek.permits.yaml', '.git/config', '.git/HEAD', 'src/tree/hooks/x'].map(path => `${cwd}/${path}`)
  for (const path of [`${cwd}/src/deep/b.txt`, `${cwd}/data/x.txt`]) if (!Object.keys(links).some(link => path.startsWith(`${link}/`))) files.push(path)
  if (links['/abs'] === undefined) files.push('/abs/z.txt')
  files.push('/secret.txt', '/home/secret.txt', '/home/other/y.txt')
  const atStart = { ...links }
  const memory = memoryHost({
    cwd, files: Object.fromEntries(files.map(path => [path, `CANARY ${path}`])), links, env: { PATH: '/usr/bin', KEY: 'CANARY KEY', OTHER: 'CANARY OTHER' },
    command: command => {
      // A command that makes a link where the program may look next.
      const [at, target] = random.pick([[`${cwd}/new`, '/home/other'], [`${cwd}/src/made`, '/secret.txt'], [`${cwd}/out/made`, '/home'], ['', '']] as const)
      if (at !== '' && links[at] === undefined) {
        memory.files.link(at, target)
        links[at] = target
      }
      return { stdout: `CANARY output of ${command.program}` }
    },
    answer: request => (/\/to/.test(request.url) ? redirect(random.pick(['http://localhost:8080/', 'https://evil.test/', 'http://10.0.0.1/', 'https://api.test/'])) : { body: 'CANARY answer' }),
  })
  const watcher = new Watcher(levels, links, atStart)
  return { host: watched(memory, watcher), violations: watcher.violations, done: () => watcher.done }
}

const redirect = (location: string): Partial<HttpResponse> => ({ status: 302, headers: { location } })

class Watcher {
  readonly violations: string[] = []
  done = 0
  private readonly levels: readonly (readonly NaiveGrant[])[]
  private readonly links: Record<string, string>
  private readonly atStart: Readonly<Record<string, string>>

  constructor(levels: readonly (readonly NaiveGrant[])[], links: Record<string, string>, atStart: Readonly<Record<string, string>>) {
    this.levels = levels
    this.links = links
    this.atStart = atStart
  }

  /** Every level must hold a grant that covers it. */
  judge(what: string, isCovered: (grant: NaiveGrant) => boolean): void {
    if (this.levels.every(level => level.some(isCovered))) this.done++
    else this.violations.push(what)
  }

  action(name: string, args: readonly string[]): void {
    this.judge(`${name} ${args.join(' ')}`, grant => naivelyCovers(grant, { name, args }, cwd))
  }

  /** A file that is read or changed: what the path leads to must be covered. `itself`: a link at its end is not followed. */
  file(names: readonly string[], path: string, itself = false): void {
    const real = this.real(path, this.links, itself)
    this.judge(`${names.join(' or ')} ${path} (${real})`, grant => names.includes(grant.name) && this.covers(grant, real))
  }

  /** A folder that is looked through, or a name that is looked at: beneath a granted folder, or covered. */
  look(path: string): void {
    const real = this.real(path, this.links)
    this.judge(`look ${path} (${real})`, grant => ['fs.read', 'fs.write'].includes(grant.name) && (this.covers(grant, real) || this.isBeneath(grant, real) || this.isBeneath(grant, path)))
  }

  /** A tree is gone, or lies elsewhere: with the links in it. */
  moved(from: string, to: string | null): void {
    for (const [at, target] of Object.entries(this.links)) {
      if (at !== from && !at.startsWith(`${from}/`)) continue
      delete this.links[at]
      if (to !== null) this.links[to + at.slice(from.length)] = target
    }
  }

  private covers(grant: NaiveGrant, real: string): boolean {
    const placed = this.placed(grant)
    return placed !== null && naivelyCovers({ name: grant.name, args: [placed] }, { name: grant.name, args: [real] }, cwd)
  }

  private isBeneath(grant: NaiveGrant, real: string): boolean {
    const placed = this.placed(grant)
    const base = placed?.split('/').slice(0, placed.split('/').findIndex(part => /[*?]/.test(part))).join('/')
    return base !== undefined && /[*?]/.test(placed!) && (real === (base || '/') || real.startsWith(`${base}/`))
  }

  /** The grant's pattern, absolute, its folder with the links it had at the start (W2). */
  private placed(grant: NaiveGrant): string | null {
    const parts = partsOf(grant.args[0] ?? '', cwd, true)
    if (parts === null) return null
    const wild = parts.findIndex(part => /[*?]/.test(part))
    const base = wild < 0 ? parts : parts.slice(0, wild)
    return [this.real(`/${base.join('/')}`, this.atStart).replace(/\/$/, ''), ...parts.slice(base.length)].join('/') || '/'
  }

  /** W1. */
  private real(path: string, links: Readonly<Record<string, string>>, itself = false): string {
    const todo = posix.resolve('/', path).split('/').filter(part => part !== '')
    let at = ''
    for (let left = MAX_LINKS; todo.length > 0; ) {
      const next = `${at}/${todo.shift()!}`
      const target = links[next]
      if (target === undefined || (itself && todo.length === 0)) at = next
      else if (left-- === 0) return path
      else {
        todo.unshift(...posix.resolve(at || '/', target).split('/').filter(part => part !== ''))
        at = ''
      }
    }
    return at || '/'
  }
}

/** The host with the watcher at every door through which something is learnt or changed. */
function watched(host: ReturnType<typeof memoryHost>, watcher: Watcher): Host {
  const inner = host.files
  const own = (path: string): boolean => path === `${cwd}/.tek/STOP` || path === `${cwd}/.tek/home`
  const tree = (path: string): string[] => Object.keys(inner.snapshot()).filter(each => each.startsWith(`${path}/`))
  const files: HostFiles = {
    readTextSync: (path, max) => inner.readTextSync(path, max),
    statSync: path => inner.statSync(path),
    realPath: path => inner.realPath(path),
    readBytes: (path, max) => { watcher.file(['fs.read'], path); return inner.readBytes(path, max) },
    stat: path => { if (!own(path)) watcher.look(path); return inner.stat(path) },
    list: path => { watcher.look(path); return inner.list(path) },
    writeAtomic: (path, data) => { watcher.file(['fs.write'], path); return inner.writeAtomic(path, data) },
    append: (path, data) => { watcher.file(['fs.write'], path); return inner.append(path, data) },
    makeDirectory: path => { if (!own(path)) watcher.file(['fs.write'], path); return inner.makeDirectory(path) },
    remove: path => { for (const each of [path, ...tree(path)]) watcher.file(['fs.write'], each, true); watcher.moved(path, null); return inner.remove(path) },
    rename(from, to) {
      for (const name of ['fs.read', 'fs.write']) for (const each of [from, ...tree(from)]) watcher.file([name], each, true)
      watcher.moved(to, null) // what was there is replaced, a link as well
      for (const each of [from, ...tree(from)]) watcher.file(['fs.write'], to + each.slice(from.length), true)
      watcher.moved(from, to)
      return inner.rename(from, to)
    },
  }
  return {
    ...host, files,
    env: name => { if (name !== 'PATH') watcher.action('env', [name]); return host.env(name) },
    run(command, signal) {
      watcher.action('exec', [command.program, ...command.args])
      return host.run(command, signal)
    },
    fetch(request, signal) {
      watcher.action('net', [request.url])
      return host.fetch({ ...request, mayFollow: url => { request.mayFollow(url); watcher.action('net', [url]) } }, signal)
    },
  }
}
