// History: what happened to the files of a repository: commits with their changes, churn, blame.
// Owns: reading git's output. Fields are parted by NUL, which no field can hold, so that a message cannot forge a commit.
//   H1. One git command for a whole history.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { checkedPath, checkedRevision, git, requireHarmless } from './command.ts'

export interface FileChange {
  path: string
  added: number
  removed: number
}

export interface Commit {
  sha: string
  author: string
  email: string
  date: number
  parents: string[]
  subject: string
  message: string
  files: FileChange[]
}

const FORMAT = '%H%x00%an%x00%ae%x00%at%x00%P%x00%B%x00'
const MAX_COMMITS = 100_000

/** Paths that a checkout could not hold (absolute, with `..`) only occur in forged repositories; they are left out. */
export const isInside = (path: string): boolean => path !== '' && !path.startsWith('/') && !path.split('/').includes('..')

/** A path as a program is given it: one that begins with `-` would be an option to a command it is given to. */
export const asGiven = (path: string): string => (path.startsWith('-') ? `./${path}` : path)

export function parseLog(output: string): Commit[] {
  const tokens = output.split('\0')
  const commits: Commit[] = []
  let at = 0
  while (at + 5 < tokens.length) {
    const [sha = '', author = '', email = '', seconds = '', parents = '', body = ''] = tokens.slice(at, at + 6)
    if (!/^[0-9a-f]{40,64}$/.test(sha)) throw new ToolFailure('unreadable', 'The output of git log cannot be read.')
    at += 6
    if (tokens[at] === '') at++
    const files: FileChange[] = []
    for (; at < tokens.length; at++) {
      const change = /^\n?(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(tokens[at] ?? '')
      if (change === null) break
      const path = change[3] ?? ''
      if (isInside(path)) files.push({ path: asGiven(path), added: Number(change[1]) || 0, removed: Number(change[2]) || 0 })
    }
    const message = body.replace(/\n+$/, '')
    commits.push({
      sha, author, email, date: (Number(seconds) || 0) * 1_000, parents: parents === '' ? [] : parents.split(' '), subject: message.split('\n')[0] ?? '', message, files,
    })
  }
  return commits
}

export async function readLog(context: ToolContext, dir: string, options: { limit: number; from: string; path: string; since?: number }): Promise<Commit[]> {
  if (options.limit < 1 || options.limit > MAX_COMMITS) throw new ToolFailure('bad-limit', `limit must be from 1 to ${MAX_COMMITS} commits.`)
  const { stdout } = await git(context, dir, [
    'log', '-z', `--max-count=${options.limit}`, `--format=${FORMAT}`, '--numstat', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-show-signature', '--no-mailmap',
    ...(options.since === undefined ? [] : [`--since=${new Date(options.since).toISOString()}`]),
    '--end-of-options', checkedRevision(options.from), '--', ...(options.path === '' ? [] : [checkedPath(options.path)]),
  ])
  return parseLog(stdout)
}

export interface Churn {
  file: string
  commits: number
  fixes: number
  added: number
  removed: number
  authors: number
  lastChanged: number
}

/** A commit that mends something, by the words of its first line. */
const isFix = (subject: string): boolean => /\b(?:fix(?:e[sd]|ing)?|bug(?:fix)?|hotfix|regression|revert(?:s|ed)?|repair(?:s|ed)?|broken|crash(?:es|ed)?)\b/i.test(subject)

export function churnOf(commits: readonly Commit[]): Churn[] {
  const files = new Map<string, Churn & { names: Set<string> }>()
  for (const commit of commits) {
    for (const change of commit.files) {
      const entry = files.get(change.path) ?? { file: change.path, commits: 0, fixes: 0, added: 0, removed: 0, authors: 0, lastChanged: 0, names: new Set<string>() }
      entry.commits++
      entry.fixes += isFix(commit.subject) ? 1 : 0
      entry.added += change.added
      entry.removed += change.removed
      entry.lastChanged = Math.max(entry.lastChanged, commit.date)
      entry.names.add(commit.email)
      files.set(change.path, entry)
    }
  }
  return [...files.values()]
    .map(({ names, ...entry }) => ({ ...entry, authors: names.size }))
    .sort((a, b) => b.commits - a.commits || b.added + b.removed - a.added - a.removed || (a.file < b.file ? -1 : 1))
}

export interface BlameLine {
  line: number
  sha: string
  author: string
  date: number
  text: string
}

/** Who last changed each line, from `git blame --line-porcelain`. */
function parseBlame(output: string): BlameLine[] {
  const lines: BlameLine[] = []
  let current: BlameLine = { line: 0, sha: '', author: '', date: 0, text: '' }
  for (const row of output.split('\n')) {
    if (row.startsWith('\t')) {
      lines.push({ ...current, text: row.slice(1) })
      continue
    }
    const head = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row)
    if (head !== null) current = { line: Number(head[2]), sha: head[1] ?? '', author: '', date: 0, text: '' }
    else if (row.startsWith('author ')) current.author = row.slice(7)
    else if (row.startsWith('author-time ')) current.date = (Number(row.slice(12)) || 0) * 1_000
  }
  return lines
}

export async function readBlame(context: ToolContext, dir: string, path: string): Promise<BlameLine[]> {
  await requireHarmless(context, dir)
  const { stdout } = await git(context, dir, ['blame', '--line-porcelain', '--no-textconv', '--', checkedPath(path)])
  return parseBlame(stdout)
}
