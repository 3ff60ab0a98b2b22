// Changes: the state of the working files, and new commits, branches and working trees.
// Owns: status and difference; a commit on a branch that leaves the checkout alone.
//   W1. A commit is made with an index of its own and moves only the branch it names, by compare-and-swap; the checkout, its index and the current branch are not touched.
//   W2. A branch that is checked out somewhere is never moved.
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { checkedBranch, checkedPath, checkedRevision, git, requireHarmless } from './command.ts'
import { asGiven, type FileChange, isInside } from './history.ts'

const MAX_PATHS = 10_000
const NO_COMMIT = '0'.repeat(40)

export interface Change {
  path: string
  kind: 'added' | 'changed' | 'removed' | 'renamed' | 'conflict' | 'untracked'
  staged: boolean
  from: string | null
}

const KINDS: Readonly<Record<string, Change['kind']>> = { A: 'added', M: 'changed', T: 'changed', D: 'removed', R: 'renamed', C: 'added' }

/** Reads `git status --porcelain=v2 -z`. */
export function parseStatus(output: string): Change[] {
  const tokens = output.split('\0')
  const changes: Change[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? ''
    if (token.startsWith('? ')) changes.push({ path: asGiven(token.slice(2)), kind: 'untracked', staged: false, from: null })
    const found = /^([12u]) (.)(.) (.*)$/s.exec(token)
    if (found === null) continue
    const [, type, staged = '.', unstaged = '.', rest = ''] = found
    const fields = rest.split(' ')
    const path = asGiven(fields.slice(type === '1' ? 6 : type === '2' ? 7 : 8).join(' '))
    const from = type === '2' ? asGiven(tokens[++at] ?? '') || null : null
    const mark = staged !== '.' ? staged : unstaged
    changes.push({ path, kind: type === 'u' ? 'conflict' : (KINDS[mark] ?? 'changed'), staged: staged !== '.', from })
  }
  return changes
}

export async function readStatus(context: ToolContext, dir: string): Promise<Change[]> {
  await requireHarmless(context, dir)
  return parseStatus((await git(context, dir, ['status', '--porcelain=v2', '-z', '--untracked-files=all', '--ignore-submodules=all'])).stdout)
}

export async function readDifference(context: ToolContext, dir: string, from: string, to: string): Promise<{ files: FileChange[]; text: string }> {
  if (to === '') await requireHarmless(context, dir)
  const range = ['--no-ext-diff', '--no-textconv', '--no-renames', '--end-of-options', checkedRevision(from), ...(to === '' ? [] : [checkedRevision(to)]), '--']
  const numbers = await git(context, dir, ['diff', '--numstat', '-z', ...range])
  const text = await git(context, dir, ['diff', '--no-color', ...range])
  const files = numbers.stdout.split('\0').flatMap(token => {
    const found = /^(\d+|-)\t(\d+|-)\t([\s\S]+)$/.exec(token)
    return found === null || !isInside(found[3] ?? '') ? [] : [{ path: asGiven(found[3] ?? ''), added: Number(found[1]) || 0, removed: Number(found[2]) || 0 }]
  })
  return { files, text: text.stdout }
}

/** Branches that some working tree has checked out. */
async function checkedOut(context: ToolContext, dir: string): Promise<string[]> {
  const { stdout } = await git(context, dir, ['worktree', 'list', '--porcelain'])
  return stdout.split('\n').flatMap(line => (line.startsWith('branch refs/heads/') ? [line.slice('branch refs/heads/'.length)] : []))
}

async function commitOf(context: ToolContext, dir: string, revision: string): Promise<string | null> {
  const { exitCode, stdout } = await git(context, dir, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`], { allow: [1] })
  return exitCode === 0 ? stdout.trim() : null
}

export interface NewCommit {
  sha: string
  branch: string
  created: boolean
}

export async function commitOnBranch(context: ToolContext, dir: string, message: string, branch: string, paths: readonly string[]): Promise<NewCommit> {
  if (message.trim() === '') throw new ToolFailure('empty', 'A commit needs a message.')
  if (paths.length > MAX_PATHS) throw new ToolFailure('too-many', `A commit takes at most ${MAX_PATHS} paths.`)
  checkedBranch(branch)
  await requireHarmless(context, dir)
  if ((await checkedOut(context, dir)).includes(branch)) { // W2
    throw new ToolFailure('checked-out', `The branch ${branch} is checked out; committing to it would pull it away under the working files.`, { help: 'Commit to another branch.' })
  }
  const tip = await commitOf(context, dir, `refs/heads/${branch}`)
  const parent = tip ?? (await commitOf(context, dir, 'HEAD'))
  const top = (await git(context, dir, ['rev-parse', '--show-cdup'])).stdout.trim()
  const index = (await git(context, dir, ['rev-parse', '--git-path', `tek-index-${context.idempotencyKey.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)}`])).stdout.trim()
  const indexPath = index.startsWith('/') ? index : `${dir.replace(/\/+$/, '')}/${index}`
  // git resolves the name of an index against the top of the working files, so it is made relative to that.
  const env = { GIT_INDEX_FILE: index.startsWith('/') ? index : top === '' ? index : index.startsWith(top) ? index.slice(top.length) : index }
  try {
    await git(context, dir, parent === null ? ['read-tree', '--empty'] : ['read-tree', parent], { env }) // W1
    await git(context, dir, paths.length === 0 ? ['add', '--update', '--', top === '' ? '.' : top] : ['add', '--all', '--', ...paths.map(checkedPath)], { env })
    const tree = (await git(context, dir, ['write-tree'], { env })).stdout.trim()
    if (parent !== null && tree === (await git(context, dir, ['rev-parse', `${parent}^{tree}`])).stdout.trim()) return { sha: parent, branch, created: false }
    const sha = (await git(context, dir, ['commit-tree', tree, ...(parent === null ? [] : ['-p', parent]), '-F', '-'], { stdin: message })).stdout.trim()
    await git(context, dir, ['update-ref', '-m', 'tek', `refs/heads/${branch}`, sha, tip ?? NO_COMMIT])
    return { sha, branch, created: true }
  } finally {
    await context.files.remove(indexPath).catch(() => context.log(`could not remove ${indexPath}`))
  }
}

export async function createBranch(context: ToolContext, dir: string, branch: string, from: string): Promise<string> {
  const sha = await commitOf(context, dir, checkedRevision(from))
  if (sha === null) throw new ToolFailure('no-such-commit', `git does not know \`${from}\`.`)
  checkedBranch(branch)
  const existing = await commitOf(context, dir, `refs/heads/${branch}`)
  if (existing === sha) return sha
  if (existing !== null) throw new ToolFailure('exists', `The branch ${branch} exists and is somewhere else.`)
  await git(context, dir, ['update-ref', '-m', 'tek', `refs/heads/${branch}`, sha, NO_COMMIT])
  return sha
}

export async function removeBranch(context: ToolContext, dir: string, branch: string): Promise<boolean> {
  checkedBranch(branch)
  const existing = await commitOf(context, dir, `refs/heads/${branch}`)
  if (existing === null) return false
  if ((await checkedOut(context, dir)).includes(branch)) throw new ToolFailure('checked-out', `The branch ${branch} is checked out.`)
  await git(context, dir, ['update-ref', '-d', `refs/heads/${branch}`, existing])
  return true
}

export async function addWorktree(context: ToolContext, dir: string, path: string, from: string): Promise<string> {
  await requireHarmless(context, dir)
  const sha = await commitOf(context, dir, checkedRevision(from))
  if (sha === null) throw new ToolFailure('no-such-commit', `git does not know \`${from}\`.`)
  await git(context, dir, ['worktree', 'add', '--detach', checkedPath(path), sha])
  return path
}
