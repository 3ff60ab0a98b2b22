// Safe name: names of tasks as names of files, on any file system.
//   N1. Two tasks never have the same file, also where upper and lower case are one: what is changed, or not plain, carries a hash of the whole path.
//   N2. No name that a system keeps for itself, no dot in front, at most MAX_NAME_LENGTH characters, ASCII alone.
import { sha256 } from '#base/hash.ts'

const MAX_NAME_LENGTH = 60
const HASH_LENGTH = 12
/** Devices of Windows, whatever follows the dot. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)$/

/**
 * A name for the file of a task, without its ending.
 *
 * @param place tells apart tasks with the same path, where a workflow was begun again.
 * @example
 * safeName('scan', 0) // 'scan'
 */
export function safeName(path: string, place: number): string {
  const isPlain = /^[a-z0-9_-]+$/.test(path) && path.length <= MAX_NAME_LENGTH && !reserved.test(path) && place === 0
  if (isPlain) return path
  const words = path.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, MAX_NAME_LENGTH)
  return `${words === '' ? 'task' : words}.${sha256(`${place}\n${path}`).slice(0, HASH_LENGTH)}` // a plain name has no dot
}
