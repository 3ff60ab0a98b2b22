// Memory files: HostFiles without a disk, for tests.
// Owns: a tree of files, folders and links, planted faults. Does not own: anything a real file system does beyond H1 and F1–F2 of the node host.
import { dirname, resolve } from 'node:path'
import { HostError, type DirectoryEntry, type FileStat, type HostErrorCode, type HostFiles } from '#host/host.ts'

const MAX_LINKS = 40

type Node = { kind: 'file'; bytes: Uint8Array; modifiedMs: number } | { kind: 'directory'; modifiedMs: number } | { kind: 'link'; target: string }

export class MemoryFiles implements HostFiles {
  private readonly nodes = new Map<string, Node>([['/', { kind: 'directory', modifiedMs: 0 }]])
  private readonly faults = new Map<string, HostErrorCode>()
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** Every later use of `path` fails with `code`. */
  fail(path: string, code: HostErrorCode): void {
    this.faults.set(path, code)
  }

  /** Makes a link at `path`. */
  link(path: string, target: string): void {
    this.makeFolders(dirname(path))
    this.nodes.set(path, { kind: 'link', target })
  }

  put(path: string, data: string | Uint8Array): void {
    this.makeFolders(dirname(path))
    this.nodes.set(path, { kind: 'file', bytes: typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data), modifiedMs: this.now() })
  }

  /** All files, path → text, in order of path: what a test compares. */
  snapshot(): Record<string, string> {
    const files = [...this.nodes].filter((entry): entry is [string, Extract<Node, { kind: 'file' }>] => entry[1].kind === 'file')
    return Object.fromEntries(files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, node]) => [path, new TextDecoder().decode(node.bytes)]))
  }

  readTextSync(path: string, maxBytes: number): string {
    const bytes = this.bytesOf(path, maxBytes)
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      throw new HostError('not-utf8', path, `${path} is not UTF-8 text.`)
    }
  }

  statSync(path: string): FileStat | null {
    this.checkFault(path)
    const node = this.nodes.get(this.follow(path))
    if (node === undefined || node.kind === 'link') return null
    return { kind: node.kind, sizeBytes: node.kind === 'file' ? node.bytes.length : 0, modifiedMs: node.modifiedMs }
  }

  async readBytes(path: string, maxBytes: number): Promise<Uint8Array> {
    return this.bytesOf(path, maxBytes)
  }

  async stat(path: string): Promise<FileStat | null> {
    return this.statSync(path)
  }

  async list(directory: string): Promise<readonly DirectoryEntry[]> {
    this.checkFault(directory)
    const folder = this.follow(directory)
    const kind = this.nodes.get(folder)?.kind
    if (kind === undefined) throw new HostError('not-found', directory, `There is nothing at ${directory}.`)
    if (kind !== 'directory') throw new HostError('not-a-directory', directory, `${directory} is not a folder.`)
    const prefix = folder === '/' ? '/' : `${folder}/`
    const entries: DirectoryEntry[] = []
    for (const [path, node] of this.nodes) {
      if (path !== '/' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/')) entries.push({ name: path.slice(prefix.length), kind: node.kind })
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async realPath(path: string): Promise<string> {
    return this.follow(path)
  }

  async writeAtomic(path: string, data: string | Uint8Array): Promise<void> {
    this.checkFault(path)
    if (this.nodes.get(path)?.kind === 'directory') throw new HostError('not-a-file', path, `${path} is a folder, not a file.`)
    this.put(path, data)
  }

  async append(path: string, data: string): Promise<void> {
    this.checkFault(path)
    const real = this.follow(path)
    const node = this.nodes.get(real)
    if (node?.kind === 'directory') throw new HostError('not-a-file', path, `${path} is a folder, not a file.`)
    const before = node?.kind === 'file' ? node.bytes : new Uint8Array()
    this.put(real, Buffer.concat([before, Buffer.from(data)]))
  }

  async makeDirectory(path: string): Promise<void> {
    this.checkFault(path)
    this.makeFolders(path)
  }

  async remove(path: string): Promise<void> {
    this.checkFault(path)
    for (const each of [...this.nodes.keys()]) if (each === path || each.startsWith(`${path}/`)) this.nodes.delete(each)
  }

  async rename(from: string, to: string): Promise<void> {
    this.checkFault(from)
    this.checkFault(to)
    if (!this.nodes.has(from)) throw new HostError('not-found', from, `There is nothing at ${from}.`)
    this.makeFolders(dirname(to))
    for (const [path, node] of [...this.nodes]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      this.nodes.delete(path)
      this.nodes.set(to + path.slice(from.length), node)
    }
  }

  private checkFault(path: string): void {
    const code = this.faults.get(path)
    if (code !== undefined) throw new HostError(code, path, `${path} fails with ${code}, as planted.`)
  }

  private bytesOf(path: string, maxBytes: number): Uint8Array {
    this.checkFault(path)
    const node = this.nodes.get(this.follow(path))
    if (node === undefined) throw new HostError('not-found', path, `There is nothing at ${path}.`)
    if (node.kind !== 'file') throw new HostError('not-a-file', path, `${path} is a folder, not a file.`)
    if (node.bytes.length > maxBytes) throw new HostError('too-large', path, `${path} is larger than the limit of ${maxBytes} bytes.`)
    return node.bytes
  }

  private makeFolders(path: string): void {
    for (let folder = path; !this.nodes.has(folder); folder = dirname(folder)) this.nodes.set(folder, { kind: 'directory', modifiedMs: this.now() })
    if (this.nodes.get(path)?.kind === 'file') throw new HostError('not-a-directory', path, `${path} is not a folder.`)
  }

  /** The path with every link resolved; what does not exist yet stays as it is. */
  private follow(path: string): string {
    let left = MAX_LINKS
    let real = ''
    const parts = resolve('/', path).split('/').filter(part => part !== '')
    while (parts.length > 0) {
      const next = `${real}/${parts.shift()!}`
      const node = this.nodes.get(next)
      if (node?.kind !== 'link') {
        real = next
        continue
      }
      if (left-- === 0) throw new HostError('other', path, `${path} is a link that leads back to itself.`)
      parts.unshift(...resolve(real === '' ? '/' : real, node.target).split('/').filter(part => part !== ''))
      real = ''
    }
    return real === '' ? '/' : real
  }
}
