// Anonymous file: bytes for a child to read from a descriptor, that no other program can open by a name.
// Owns: making it. Does not own: what is in it.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In the name of every such file of this process, also as /proc shows it afterwards. */
export const ownFileMark = (): string => `/.tek-${process.pid}-`

/** A descriptor that stands at the beginning of `bytes`. Whoever asks closes it. */
export function anonymousFile(bytes: Uint8Array | string): number {
  const path = join(tmpdir(), `${ownFileMark()}${randomBytes(12).toString('hex')}`)
  const writer = openSync(path, 'wx', 0o600)
  try {
    const reader = openSync(path, 'r')
    const data = Buffer.from(bytes)
    for (let written = 0; written < data.length; ) written += writeSync(writer, data, written)
    return reader
  } finally {
    closeSync(writer)
    unlinkSync(path)
  }
}

/** The same bytes again for another reader: a descriptor of its own, standing at the beginning. Linux only. */
export function reopened(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, 'r')
}
