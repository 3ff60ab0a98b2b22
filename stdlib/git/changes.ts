// Changes: the state of the working files, and new commits, branches and working trees.
// Owns: status and difference; a commit on a branch that leaves the checkout alone.
//   W1. A commit is made with an index of its own and moves only the branch it names, by compare-and-swap; the checkout, its index and the current branch are not touched.
//   W2. A branch that is checked out somewhere is never moved.
//   W3. A call that is made again because a process was killed does nothing twice and does not stumble over its own work: what moves a branch leaves the call's key
//       in the branch's reflog, in the same transaction of git's, and a working tree's notes in `.git` are named by the key. Nothing is added to a commit.
//   W5. What was tried on a commit goes to a branch only while that is where it was: a caller says which hash it saw, and a branch that moved is left alone.
//   W4. A working tree is made inside `.git`, which a command may write, and then turned to the folder it is for: that folder exists and is not empty
//       where a sandbox holds names in it. Every step may be done again; `gitdir` naming the folder says that those before it are done.
import { resolve } from 'node:path'
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'
import { checkedBranch, checkedPath, checkedRevision, git, requireHarmless } from './command.ts'
import { asGiven, type FileChange, isInside } from './history.ts'

const MAX_PATHS = 10_000
const NO_COMMIT = '0'.repeat(40)
/** Entries of a branch's reflog that are looked through for a call's own. */
const MAX_REFLOG = 200
/** Names tried for a working tree's notes: a killed git leaves half of them behind. */
const MAX_TRIES = 10

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

/** A name for what this call alone makes. */
const ownName = (context: ToolContext): string => context.idempotencyKey.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)

/** Where this very call has moved a branch to, in a process that was killed before it could say so. // W3 */
async function movedBefore(context: ToolContext, dir: string, branch: string): Promise<string | null> {
  const { stdout } = await git(context, dir, ['log', '--walk-reflogs', `--max-count=${MAX_REFLOG}`, '--format=%H %gs', `refs/heads/${branch}`, '--'], { allow: [128] })
  return stdout.split('\n').find(line => line.endsWith(` ${reflogMessage(context)}`))?.split(' ')[0] ?? null
}

const reflogMessage = (context: ToolContext): string => `tek ${ownName(context)}`

async function moveBranch(context: ToolContext, dir: string, branch: string, to: string, from: string): Promise<void> {
  await git(context, dir, ['update-ref', '--create-reflog', '-m', reflogMessage(context), `refs/heads/${branch}`, to, from])
}

export interface NewCommit {
  sha: string
  branch: string
  created: boolean
}

/** Refuses a branch that is not where the caller last saw it. // W5 */
function checkExpected(branch: string, tip: string | null, expected: string): void {
  if (expected === '' || expected === (tip ?? NO_COMMIT)) return
  throw new ToolFailure('moved', `The branch ${branch} is at ${tip ?? 'no commit'}, not at ${expected}: somebody else moved it.`, { help: 'Look at what was added to it, and begin again from there.' })
}

export async function commitOnBranch(context: ToolContext, dir: string, message: string, branch: string, paths: readonly string[], expected = ''): Promise<NewCommit> {
  if (message.trim() === '') throw new ToolFailure('empty', 'A commit needs a message.')
  if (paths.length > MAX_PATHS) throw new ToolFailure('too-many', `A commit takes at most ${MAX_PATHS} paths.`)
  checkedBranch(branch)
  await requireHarmless(context, dir)
  if ((await checkedOut(context, dir)).includes(branch)) { // W2
    throw new ToolFailure('checked-out', `The branch ${branch} is checked out; committing to it would pull it away under the working files.`, { help: 'Commit to another branch.' })
  }
  const tip = await commitOf(context, dir, `refs/heads/${branch}`)
  const before = tip === null ? null : await movedBefore(context, dir, branch)
  const parent = tip ?? (await commitOf(context, dir, 'HEAD'))
  const top = (await git(context, dir, ['rev-parse', '--show-cdup'])).stdout.trim()
  const index = (await git(context, dir, ['rev-parse', '--git-path', `tek-index-${ownName(context)}`])).stdout.trim()
  const indexPath = index.startsWith('/') ? index : `${dir.replace(/\/+$/, '')}/${index}`
  // git resolves the name of an index against the top of the working files, so it is made relative to that.
  const env = { GIT_INDEX_FILE: index.startsWith('/') ? index : top === '' ? index : index.startsWith(top) ? index.slice(top.length) : index }
  try {
    if (before !== null) return { sha: before, branch, created: true } // W3
    checkExpected(branch, tip, expected)
    await context.files.remove(`${indexPath}.lock`) // of this very call, when it was killed
    await git(context, dir, parent === null ? ['read-tree', '--empty'] : ['read-tree', parent], { env }) // W1
    await git(context, dir, paths.length === 0 ? ['add', '--update', '--', top === '' ? '.' : top] : ['add', '--all', '--', ...paths.map(checkedPath)], { env })
    const tree = (await git(context, dir, ['write-tree'], { env })).stdout.trim()
    if (parent !== null && tree === (await git(context, dir, ['rev-parse', `${parent}^{tree}`])).stdout.trim()) return { sha: parent, branch, created: false }
    const sha = (await git(context, dir, ['commit-tree', tree, ...(parent === null ? [] : ['-p', parent]), '-F', '-'], { stdin: message })).stdout.trim()
    await moveBranch(context, dir, branch, sha, tip ?? NO_COMMIT)
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
  const before = existing === null ? null : await movedBefore(context, dir, branch)
  if (before !== null) return before
  if (existing !== null) throw new ToolFailure('exists', `The branch ${branch} exists and is somewhere else.`)
  await moveBranch(context, dir, branch, sha, NO_COMMIT)
  return sha
}

/** Moves a branch forward, from where the caller saw it. // W5 */
export async function advanceBranch(context: ToolContext, dir: string, branch: string, to: string, expected: string): Promise<string> {
  checkedBranch(branch)
  const sha = await commitOf(context, dir, checkedRevision(to))
  if (sha === null) throw new ToolFailure('no-such-commit', `git does not know \`${to}\`.`)
  if ((await checkedOut(context, dir)).includes(branch)) throw new ToolFailure('checked-out', `The branch ${branch} is checked out; moving it would pull it away under the working files.`) // W2
  const tip = await commitOf(context, dir, `refs/heads/${branch}`)
  if (tip === sha || (tip !== null && await movedBefore(context, dir, branch) === sha)) return sha // W3
  checkExpected(branch, tip, expected)
  if (tip !== null) {
    const { stdout } = await git(context, dir, ['rev-list', '--count', `${sha}..${tip}`])
    if (stdout.trim() !== '0') throw new ToolFailure('not-forward', `${to} does not follow on where ${branch} is; a branch is only moved forward.`)
  }
  await moveBranch(context, dir, branch, sha, tip ?? NO_COMMIT)
  return sha
}

/** Forgets working trees whose folder is gone. */
export async function pruneWorktrees(context: ToolContext, dir: string): Promise<void> {
  await git(context, dir, ['worktree', 'prune'])
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
  const folder = resolve(context.cwd, checkedPath(path))
  const common = await commonFolder(context, dir)
  await context.files.makeDirectory(folder)
  await prepareNotes(context, dir, common, folder, sha)
  await git(context, dir, ['worktree', 'repair'], { allow: [1] }) // it writes the folder's `.git`; of others it may complain
  await git(context, folder, ['reset', '--hard', '--quiet', sha])
  return path
}

/** Sees to git's notes for a working tree in this folder: those that this call has made already, or new ones. // W3, W4 */
async function prepareNotes(context: ToolContext, dir: string, common: string, folder: string, sha: string): Promise<void> {
  const turned = `${folder}/.git\n`
  let free: string | null = null
  for (let number = 0; number < MAX_TRIES && free === null; number++) {
    const name = `tek-${ownName(context).slice(0, 16)}${number === 0 ? '' : `-${number}`}`
    const gitdir = await context.files.readText(`${common}/worktrees/${name}/gitdir`).catch(() => null)
    if (gitdir === turned) return
    if ((await context.files.stat(`${common}/worktrees/${name}`)) === null) free = name
  }
  if (free === null) throw new ToolFailure('failed', `git left ${MAX_TRIES} unfinished working trees of this call.`, { help: '`git worktree prune` takes them away.' })
  if ((await context.files.list(folder)).length > 0) throw new ToolFailure('exists', `${folder} exists and is not empty.`, { help: 'Name a folder that does not exist yet.' })
  const seed = `${common}/tek-worktrees/${free}`
  await context.files.remove(seed)
  await git(context, dir, ['worktree', 'add', '--no-checkout', '--detach', seed, sha])
  await context.files.writeText(`${common}/worktrees/${free}/gitdir`, turned)
  await context.files.remove(seed)
}

export async function removeWorktree(context: ToolContext, dir: string, path: string): Promise<boolean> {
  const folder = resolve(context.cwd, checkedPath(path))
  const begun = `${await commonFolder(context, dir)}/tek-worktrees/removing-${ownName(context)}` // W3: there while this call is at it
  const isListed = await isWorktree(context, dir, folder)
  if (!isListed && (await context.files.stat(begun)) === null) {
    const left = await context.files.list(folder).catch(() => null)
    if (left?.length === 0) await context.files.remove(folder) // made for a command that may write there
    if (left === null || left.length === 0) return false
    throw new ToolFailure('no-such-worktree', `${path} is no working tree of this repository.`)
  }
  await context.files.writeText(begun, folder)
  if (isListed) await removeListed(context, dir, folder)
  await context.files.remove(folder) // the folder itself, where the sandbox kept it from git
  await context.files.remove(begun)
  return true
}

async function removeListed(context: ToolContext, dir: string, folder: string): Promise<void> {
  if ((await context.files.stat(`${folder}/.git`)) === null) { // a removal that was cut short begins with it, and git would not go on without
    await context.files.makeDirectory(folder)
    await git(context, dir, ['worktree', 'repair'], { allow: [1] })
  }
  const { exitCode } = await git(context, dir, ['worktree', 'remove', '--force', '--', folder], { allow: [1, 255] })
  if (exitCode !== 0 && await isWorktree(context, dir, folder)) throw new ToolFailure('failed', `git could not remove the working tree ${folder}.`)
}

/** The folder `.git` that all working trees share. */
async function commonFolder(context: ToolContext, dir: string): Promise<string> {
  return (await git(context, dir, ['rev-parse', '--path-format=absolute', '--git-common-dir'])).stdout.trim()
}

async function isWorktree(context: ToolContext, dir: string, folder: string): Promise<boolean> {
  return (await git(context, dir, ['worktree', 'list', '--porcelain'])).stdout.split('\n').includes(`worktree ${folder}`)
}
