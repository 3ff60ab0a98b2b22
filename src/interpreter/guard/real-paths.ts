// Real paths: whether a grant covers what a path leads to on disk.
// Owns: resolving links of the target and of each grant's own folder. Does not own: patterns (grants/), opening (host).
//   L1. Both sides are compared after every link is resolved: a link inside a granted folder that leads out of it is refused,
//       and a granted folder that is itself a link stands for where it leads.
//       Where a granted folder leads is looked up once, when it is first asked for and before any command starts: a link that a command makes
//       does not widen what its grants cover.
//   L2. What cannot be resolved is judged as written, so that a refusal tells nothing about files outside the grant.
import { resolve } from 'node:path'
import { absoluteSegments, coversPath, parsePathPattern, type PathPattern } from '#grants/path-pattern.ts'
import { isContained } from '#grants/automaton.ts'
import { pathAutomaton } from '#grants/pattern-automaton.ts'
import type { HostFiles } from '#host/host.ts'
import type { Authority, Grant } from '#model/capability.ts'

/** Folders whose links are remembered for one host; beyond that they are looked up each time. */
const MAX_BASES = 10_000

interface Bases {
  readonly asked: Map<string, Promise<readonly string[]>>
  /** Those that are answered: asked again at each effect, they should cost no turn. */
  readonly known: Map<string, readonly string[]>
}

const basesOf = new WeakMap<HostFiles, Bases>()

export class RealPaths {
  private readonly files: HostFiles
  private readonly cwd: string
  private readonly folder: readonly string[]
  private readonly bases: Bases

  constructor(files: HostFiles, cwd: string) {
    this.files = files
    this.cwd = cwd
    this.folder = absoluteSegments(cwd, '/') ?? []
    let bases = basesOf.get(files)
    if (bases === undefined) basesOf.set(files, bases = { asked: new Map(), known: new Map() })
    this.bases = bases
  }

  /** The absolute path after links; with `link`, the last part itself is not followed. Rejects with HostError. */
  async of(path: string, link: boolean = false): Promise<string> {
    const absolute = resolve(this.cwd, path)
    if (!link || absolute === '/') return this.files.realPath(absolute)
    const parent = await this.files.realPath(resolve(absolute, '..'))
    return resolve(parent, absolute.slice(absolute.lastIndexOf('/') + 1))
  }

  /** Whether some grant of the level covers this real path; `byName`: one without wildcards. */
  covers(level: Authority, name: string, real: string, byName: boolean = false): boolean | Promise<boolean> {
    const path = absoluteSegments(real, '/')
    if (path === null) return false
    const cwd = this.knownBase(this.folder)
    if (cwd === undefined) return this.coversOnceKnown(level, name, path, byName)
    for (const pattern of this.patternsOf(level, name)) {
      if (byName && pattern.rest.length > 0) continue
      const base = this.knownBase(pattern.base)
      if (base === undefined) return this.coversOnceKnown(level, name, path, byName)
      if (coversPath({ base, rest: pattern.rest }, path, cwd)) return true
    }
    return false
  }

  private async coversOnceKnown(level: Authority, name: string, path: readonly string[], byName: boolean): Promise<boolean> {
    const cwd = await this.realBase(this.folder)
    for (const pattern of this.patternsOf(level, name)) {
      if (byName && pattern.rest.length > 0) continue
      if (coversPath({ base: await this.realBase(pattern.base), rest: pattern.rest }, path, cwd)) return true
    }
    return false
  }

  /** Whether some grant of the level covers everything that a pattern, given by its real folder and the rest, may find. */
  async coversPattern(level: Authority, name: string, wanted: PathPattern): Promise<boolean> {
    for (const pattern of this.patternsOf(level, name)) {
      const base = await this.realBase(pattern.base)
      if (base.length > wanted.base.length || base.some((segment, index) => segment !== wanted.base[index])) continue
      if (pattern.rest.length === 0) continue
      if (isContained(pathAutomaton([...wanted.base.slice(base.length), ...wanted.rest]), pathAutomaton(pattern.rest))) return true
    }
    return false
  }

  /** Looks up where every folder that these levels grant leads, before something runs that may make links. // L1 */
  async settle(levels: readonly Authority[]): Promise<void> {
    for (const level of levels) {
      for (const { name, args: [path] } of level as readonly Grant[]) {
        const pattern = (name === 'fs.read' || name === 'fs.write') && path !== undefined ? parsePathPattern(path, this.cwd) : null
        if (pattern !== null) await this.realBase(pattern.base)
      }
    }
  }

  realBase(base: readonly string[]): Promise<readonly string[]> {
    const path = `/${base.join('/')}`
    const { asked, known } = this.bases
    let real = asked.get(path)
    if (real === undefined) {
      real = this.files.realPath(path).then(found => absoluteSegments(found, '/') ?? base, () => base) // L2
      if (asked.size < MAX_BASES) {
        asked.set(path, real)
        void real.then(found => known.set(path, found))
      }
    }
    return real
  }

  private knownBase(base: readonly string[]): readonly string[] | undefined {
    return this.bases.known.get(`/${base.join('/')}`)
  }

  private *patternsOf(level: Authority, name: string): Iterable<PathPattern> {
    for (const grant of level as readonly Grant[]) {
      if (grant.name !== name || grant.args.length !== 1) continue
      const pattern = parsePathPattern(grant.args[0]!, this.cwd)
      if (pattern !== null) yield pattern
    }
  }
}
