// Path pattern: the path argument of a grant, made absolute and taken apart.
// Owns: normal form, match of a concrete path, the files no wildcard covers. Does not own: links on disk (interpreter/guard resolves them first).
//   P1. A pattern or path with NUL, with `..` after a wildcard, or with more than 256 segments is no path: it matches nothing.
//   P2. `.`, empty segments and trailing slashes are dropped, `..` takes the segment before it away, at `/` nothing.
//   P3. Names are compared exactly, code unit by code unit: a grant for `Src` is none for `src`, a grant in NFC none for a name in NFD.
//   P4. Control files (`.tek/…`, `tek.permits.yaml`, and in `.git/` every part named `hooks`, `config`, `config.worktree` or `commondir`) are
//       matched only by a pattern without any wildcard: by them tek and git are steered, and git made to run programs.
//       They are recognised whatever their case and whatever invisible characters are mixed in, since some file systems ignore both.
//   P5. Neither are the files by which a system shows its processes (`/proc/<pid>/…`).
import { hasWildcard, matchSegments } from './segment.ts'

const MAX_SEGMENTS = 256
const MAX_PATH_LENGTH = 16_384

/** Patterns and folders kept in their taken-apart form; what a text means never changes, what lies on disk is no part of it. */
const MAX_KEPT_TEXTS = 1_000
/** Longer ones are taken apart each time. */
const MAX_KEPT_LENGTH = 1_024

/** Segments of an absolute path or pattern, or null when it is none (P1). `cwd` is absolute. */
export function absoluteSegments(text: string, cwd: string): string[] | null {
  return resolved(text, cwd)?.segments ?? null
}

/** The segments, and how many at the start are the working directory's own. */
function resolved(text: string, cwd: string): { segments: string[]; kept: number } | null {
  if (text.length > MAX_PATH_LENGTH || text.includes('\0')) return null
  const from = text.startsWith('/') ? [] : segmentsOf(cwd)
  const segments: string[] = [...from]
  let kept = from.length
  for (const segment of segmentsOf(text)) {
    if (segment === '.') continue
    if (segment === '..') {
      const before = segments.pop()
      // The working directory is concrete: a `*` in its own name is a character.
      if (before !== undefined && segments.length >= kept && hasWildcard(before)) return null // P1
      kept = Math.min(kept, segments.length)
    } else {
      segments.push(segment)
    }
  }
  return segments.length > MAX_SEGMENTS ? null : { segments, kept }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter(each => each !== '')
}

/** A pattern as folder without wildcards plus the rest, so that the folder's links can be resolved on disk. */
export interface PathPattern {
  readonly base: readonly string[]
  readonly rest: readonly string[]
}

const keptPatterns = new Map<string, Map<string, PathPattern | null>>()
let keptCount = 0

/** Programs ask for the same few patterns at every effect: each is taken apart once. */
export function parsePathPattern(text: string, cwd: string): PathPattern | null {
  let ofFolder = keptPatterns.get(cwd)
  let pattern = ofFolder?.get(text)
  if (pattern !== undefined) return pattern
  pattern = takenApart(text, cwd)
  if (text.length > MAX_KEPT_LENGTH) return pattern
  if (keptCount++ >= MAX_KEPT_TEXTS) {
    keptPatterns.clear()
    keptCount = 1
    ofFolder = undefined
  }
  if (ofFolder === undefined) keptPatterns.set(cwd, ofFolder = new Map())
  ofFolder.set(text, pattern)
  return pattern
}

function takenApart(text: string, cwd: string): PathPattern | null {
  const found = resolved(text, cwd)
  if (found === null) return null
  const { segments, kept } = found
  const wild = segments.findIndex((segment, index) => index >= kept && hasWildcard(segment))
  return wild < 0 ? { base: segments, rest: [] } : { base: segments.slice(0, wild), rest: segments.slice(wild) }
}

/**
 * Whether a pattern covers a concrete absolute path. Both are given as segments; `cwd` tells which files are control files (P4).
 */
export function coversPath(pattern: PathPattern, path: readonly string[], cwd: readonly string[]): boolean {
  const { base, rest } = pattern
  if (path.length < base.length || base.some((segment, index) => segment !== path[index])) return false
  if (rest.length === 0) return path.length === base.length
  const isInside = startsWith(path, cwd)
  if (isControlFile(isInside ? path.slice(cwd.length) : path) || (!isInside && isProcess(path))) return false // P4, P5
  return matchSegments(rest, path.slice(base.length))
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((segment, index) => path[index] === segment)
}

/** P4. Segments relative to the working directory where the path lies in it, else from the root. */
export function isControlFile(segments: readonly string[]): boolean {
  return segments.some((segment, index) => {
    const name = folded(segment)
    if (name === '.tek' || name === 'tek.permits.yaml') return true
    return name === '.git' && segments.slice(index + 1).some(each => steering.has(folded(each)))
  })
}

const steering = new Set(['hooks', 'config', 'config.worktree', 'commondir'])

/** Whether the last part of a path is `.git`, in any spelling. */
export function isGitFolder(path: string): boolean {
  return folded(path.slice(path.lastIndexOf('/') + 1)) === '.git'
}

/** P5: `/proc/<pid>/…`: another process's, or this one's, memory, environment, open files. */
function isProcess(path: readonly string[]): boolean {
  return path[0] === 'proc' && /^(?:\d+|self|thread-self)$/.test(path[1] ?? '')
}

function folded(name: string): string {
  // Of plain characters only their case and what stands at the end can differ.
  if (/^[\x20-\x7e]*$/.test(name)) return /[. ]$/.test(name) ? name.toLowerCase().replace(/[. ]+$/, '') : name.toLowerCase()
  return name.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu, '').toLowerCase().replace(/[. ]+$/, '')
}
