// Tarball: files as `npm install` takes them: a ustar archive in gzip, everything under `package/`.
// Owns: the two formats' bytes. Does not own: which files.
//   T1. The same files give the same bytes: no times, owners or order of the machine.
//   Source: POSIX.1-2017, pax, "ustar Interchange Format".
import { gzipSync } from 'node:zlib'

const BLOCK_BYTES = 512
const MAX_NAME_BYTES = 100
const MAX_PREFIX_BYTES = 155
/** What npm writes into its own archives: 1985-10-26. */
const MODIFIED_S = 499_162_500

export interface TarFile {
  /** In the package, with `/`. */
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * The archive of a package; null where a path is too long for its format.
 *
 * @example
 * tarball([{ path: 'package.json', bytes }])
 */
export function tarball(files: readonly TarFile[]): Buffer | null {
  const blocks: Buffer[] = []
  for (const { path, bytes } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) { // T1
    const header = headerOf(`package/${path}`, bytes.length)
    if (header === null) return null
    blocks.push(header, Buffer.from(bytes), Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES))
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]), { level: 9 })
}

function headerOf(path: string, size: number): Buffer | null {
  const split = splitPath(path)
  if (split === null) return null
  const header = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, at: number, length: number): void => void header.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'ascii')
  header.write(split.name, 0, 'utf8')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(MODIFIED_S, 136, 12)
  header.fill(' ', 148, 156) // the sum is taken with spaces in its place
  header.write('0', 156, 'ascii')
  header.write('ustar\0' + '00', 257, 'ascii')
  header.write(split.prefix, 345, 'utf8')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'ascii')
  return header
}

/** A long path is cut at a `/`. */
function splitPath(path: string): { readonly prefix: string; readonly name: string } | null {
  if (Buffer.byteLength(path) <= MAX_NAME_BYTES) return { prefix: '', name: path }
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(prefix) <= MAX_PREFIX_BYTES && Buffer.byteLength(name) <= MAX_NAME_BYTES) return { prefix, name }
  }
  return null
}
