// Errno: what the operating system says, as a HostError in the user's words.
// Owns: the table from system codes to HostErrorCode. Does not own: what is done about it.
import { HostError, type HostErrorCode } from './host.ts'

const table: Readonly<Record<string, readonly [HostErrorCode, (subject: string) => string]>> = {
  ENOENT: ['not-found', subject => `There is nothing at ${subject}.`],
  EISDIR: ['not-a-file', subject => `${subject} is a folder, not a file.`],
  ENOTDIR: ['not-a-directory', subject => `A part of ${subject} is not a folder.`],
  EACCES: ['no-permission', subject => `The system does not let you use ${subject}.`],
  EPERM: ['no-permission', subject => `The system does not let you use ${subject}.`],
  EROFS: ['read-only', subject => `${subject} lies on a read-only file system.`],
  ENOSPC: ['disk-full', subject => `The disk is full: ${subject} was not written.`],
  EDQUOT: ['disk-full', subject => `Your share of the disk is used up: ${subject} was not written.`],
  EFBIG: ['too-large', subject => `${subject} is larger than the system allows.`],
  EEXIST: ['exists', subject => `There is already something at ${subject}.`],
  ENOTEMPTY: ['exists', subject => `The folder ${subject} is not empty.`],
  ELOOP: ['other', subject => `${subject} is a link that leads back to itself.`],
  ENAMETOOLONG: ['other', subject => `The name ${subject.slice(0, 60)}… is too long for the file system.`],
  EMFILE: ['other', subject => `Too many files are open: ${subject} was not opened.`],
  ENFILE: ['other', subject => `Too many files are open on this machine: ${subject} was not opened.`],
  ERR_INVALID_ARG_VALUE: ['not-found', subject => `${JSON.stringify(subject)} is not a name that a file can have.`],
}

/** The HostError for anything a `node:fs` call has thrown; a HostError passes through. */
export function fileError(error: unknown, subject: string): HostError {
  if (error instanceof HostError) return error
  const code = errnoOf(error)
  const entry = table[code]
  if (entry) return new HostError(entry[0], subject, entry[1](subject))
  return new HostError('other', subject, `${subject} could not be used: ${error instanceof Error ? error.message : String(error)}`)
}

/** The system's code of an error, such as `ENOENT`; empty when it has none. */
export function errnoOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
