// git: repositories: history, state, commits on branches of their own.
// Owns: the tools and the grants `git.read`, `git.branch`, `git.worktree`. Does not own: how git is run (command), reading (history), changing (changes).
//   P1. The words of others (names, messages, file contents) are untrusted; hashes, dates, counts and paths inside the repository are not.
import { definePlugin, reads, t, writes, z } from 'tek-lang/plugin'
import { addWorktree, advanceBranch, commitOnBranch, createBranch, pruneWorktrees, readDifference, readStatus, removeBranch, removeWorktree } from './changes.ts'
import { checkedPath, checkedRevision, git, implied } from './command.ts'
import { asGiven, churnOf, readBlame, readLog } from './history.ts'

const DAY_MS = 86_400_000
const CHURN_COMMITS = 20_000

const dir = t.path.default('.').describe('A folder of the repository.')
const revision = (doc: string, unlessGiven = 'HEAD') => z.string().default(unlessGiven).describe(doc)
const untrustedText = t.untrusted(z.string())
const needsRead = { 'git.read': ['$dir'] } as const
const changeType = z.object({ path: t.path, added: t.int, removed: t.int })
const sha = z.string().describe('The full hash.')

const READ_COMMANDS = ['log', 'blame', 'status', 'diff', 'show', 'ls-files', 'rev-parse', 'symbolic-ref', 'for-each-ref', 'config --name-only --get-regexp', 'merge-base --is-ancestor']

const reading = {
  log: reads({
    doc: 'The commits that lead to a place, the newest first, with the lines each file gained and lost (renames as removed and added). One git command for all.',
    input: {
      limit: t.int.default(100).describe('At most this many commits, up to 100,000.'), dir,
      from: revision('Where to start: a branch, tag or commit.'), path: z.string().default('').describe('Only commits that touch this path.'),
    },
    output: z.array(z.object({
      sha, author: untrustedText, email: untrustedText, date: t.int.describe('Time of the author, milliseconds since 1970.'), parents: z.array(z.string()),
      subject: untrustedText.describe('First line of the message.'), message: untrustedText, files: z.array(changeType),
    })),
    needs: needsRead,
    run: ({ limit, dir, from, path }, context) => readLog(context, dir, { limit, from, path }),
  }),
  churn: reads({
    doc: 'How often each file was changed in the last days, the most first: commits, those that mend something (by the words fix, bug, regression, revert, crash in the first line), lines, authors. At most 20,000 commits.',
    input: { days: t.int.default(90).describe('How far back.'), dir },
    output: z.array(z.object({ file: t.path, commits: t.int, fixes: t.int, added: t.int, removed: t.int, authors: t.int, lastChanged: t.int })),
    needs: needsRead,
    run: async ({ days, dir }, context) => churnOf(await readLog(context, dir, { limit: CHURN_COMMITS, from: 'HEAD', path: '', since: (await context.now()) - days * DAY_MS })),
  }),
  blame: reads({
    doc: 'Who last changed each line of a file.',
    input: { path: t.path.describe('The file, seen from the folder.'), dir },
    output: z.array(z.object({ line: t.int, sha, author: untrustedText, date: t.int, text: untrustedText })),
    needs: needsRead,
    run: ({ path, dir }, context) => readBlame(context, dir, path),
  }),
  status: reads({
    doc: 'The files that differ from the last commit, and the untracked ones that are not ignored.',
    input: { dir },
    output: z.array(z.object({ path: t.path, kind: z.enum(['added', 'changed', 'removed', 'renamed', 'conflict', 'untracked']), staged: z.boolean(), from: t.path.nullable() })),
    needs: needsRead,
    run: ({ dir }, context) => readStatus(context, dir),
  }),
  diff: reads({
    doc: 'How two commits differ, or a commit and the working files when `to` is not given.',
    input: { from: revision('The old side.'), to: revision('The new side; "" for the working files.', ''), dir },
    output: z.object({ files: z.array(changeType), text: untrustedText }),
    needs: needsRead,
    run: ({ from, to, dir }, context) => readDifference(context, dir, from, to),
  }),
  show: reads({
    doc: 'A file as it was in a commit.',
    input: { path: z.string().describe('The file, seen from the top of the repository.'), from: revision('The commit.'), dir },
    output: untrustedText,
    needs: needsRead,
    run: async ({ path, from, dir }, context) => (await git(context, dir, ['show', '--no-ext-diff', '--no-textconv', '--end-of-options', `${checkedRevision(from)}:${checkedPath(path)}`])).stdout,
  }),
  lsFiles: reads({
    doc: 'The files that git tracks below a folder, sorted.',
    input: { dir }, output: z.array(t.path),
    needs: needsRead,
    run: async ({ dir }, context) => [...new Set((await git(context, dir, ['ls-files', '-z'])).stdout.split('\0').filter(path => path !== '').map(asGiven))].sort(),
  }),
  currentBranch: reads({
    doc: 'The branch that is checked out; null when a commit is.',
    input: { dir }, output: z.string().nullable(),
    needs: needsRead,
    run: async ({ dir }, context) => {
      const { exitCode, stdout } = await git(context, dir, ['symbolic-ref', '--quiet', '--short', 'HEAD'], { allow: [1] })
      return exitCode === 0 && !stdout.startsWith('-') ? stdout.trim() : null
    },
  }),
  head: reads({
    doc: 'The hash of a commit, by any name it has.',
    input: { from: revision('A branch, tag or commit.'), dir }, output: sha,
    needs: needsRead,
    run: async ({ from, dir }, context) => (await git(context, dir, ['rev-parse', '--verify', `${checkedRevision(from)}^{commit}`])).stdout.trim(),
  }),
  contains: reads({
    doc: 'Whether a commit is the place or among those that lead to it: what is merged into it is contained.',
    input: { commit: z.string().describe('The commit that is looked for: a branch, tag or commit.'), from: revision('Where the search starts: a branch, tag or commit.'), dir },
    output: z.boolean(),
    needs: needsRead,
    run: async ({ commit, from, dir }, context) => (await git(context, dir, ['merge-base', '--is-ancestor', checkedRevision(commit), checkedRevision(from)], { allow: [1] })).exitCode === 0,
  }),
  branches: reads({
    doc: 'The branches with their newest commits, the newest first.',
    input: { dir }, output: z.array(z.object({ name: z.string(), sha, date: t.int })),
    needs: needsRead,
    run: async ({ dir }, context) => {
      const { stdout } = await git(context, dir, ['for-each-ref', '--sort=-committerdate', '--format=%(refname:short)%00%(objectname)%00%(committerdate:unix)', 'refs/heads'])
      // git itself makes no branch whose name begins with `-`: it would be an option to a command it is given to.
      return stdout.split('\n').filter(line => line !== '' && !line.startsWith('-')).map(line => {
        const [name = '', hash = '', seconds = '0'] = line.split('\0')
        return { name, sha: hash, date: Number(seconds) * 1_000 }
      })
    },
  }),
  isRepository: reads({
    doc: 'Whether a folder is inside a git repository.',
    input: { dir }, output: z.boolean(),
    needs: needsRead,
    run: async ({ dir }, context) => (await git(context, dir, ['rev-parse', '--is-inside-work-tree'], { allow: [128] })).stdout.trim() === 'true',
  }),
}

const changing = {
  commit: writes({
    doc: 'Commits changed files to a branch, which is made from HEAD when it does not exist. The checkout, its index and the current branch stay as they are. When nothing changed no commit is made. A crash doubles none.',
    input: {
      message: z.string().describe('The message.'), branch: z.string().describe('The branch; it may not be checked out.'), dir,
      paths: z.array(t.path).default([]).describe('What to commit, seen from the folder, new files included; all tracked files that changed unless given.'),
      expect: z.string().default('').describe('The full hash that the branch must be at (40 zeros: not be there yet); where it moved meanwhile, nothing is done.'),
    },
    output: z.object({ sha, branch: z.string(), created: z.boolean() }),
    needs: { 'git.branch': ['$branch'] }, sinks: ['branch', 'dir', 'paths'],
    run: ({ message, branch, dir, paths, expect }, context) => commitOnBranch(context, dir, message, branch, paths, expect),
  }),
  advance: writes({
    doc: 'Moves a branch that is not checked out forward to a commit that follows on it, if it is still where it was seen. Gives the hash it is at.',
    input: {
      branch: z.string().describe('The branch; it is made when it does not exist.'), to: z.string().describe('The commit.'),
      expect: z.string().describe('The full hash that the branch must be at; 40 zeros: not be there yet.'), dir,
    },
    output: sha,
    needs: { 'git.branch': ['$branch'] }, sinks: ['branch', 'to', 'dir'],
    run: ({ branch, to, expect, dir }, context) => advanceBranch(context, dir, branch, to, expect),
  }),
  createBranch: writes({
    doc: 'Makes a branch without checking it out; fine when it is already there. Gives the hash it is at.',
    input: { branch: z.string().describe('The branch.'), from: revision('Where it begins.'), dir }, output: sha,
    needs: { 'git.branch': ['$branch'] }, sinks: ['branch', 'from', 'dir'],
    run: ({ branch, from, dir }, context) => createBranch(context, dir, branch, from),
  }),
  removeBranch: writes({
    doc: 'Removes a branch that is not checked out. Says whether there was one. Its commits can be found for a while by their hash only.',
    input: { branch: z.string().describe('The branch.'), dir }, output: z.boolean(),
    needs: { 'git.branch': ['$branch'] }, sinks: ['branch', 'dir'],
    run: ({ branch, dir }, context) => removeBranch(context, dir, branch),
  }),
  addWorktree: writes({
    doc: 'Makes a working tree of a commit in a new or empty folder, on no branch. Gives the folder.',
    input: { path: t.path.describe('The new folder.'), from: revision('The commit.'), dir }, output: t.path,
    needs: { 'git.worktree': ['$dir'], 'fs.write': ['$path'] }, sinks: ['path', 'from', 'dir'],
    run: ({ path, from, dir }, context) => addWorktree(context, dir, path, from),
  }),
  removeWorktree: writes({
    doc: 'Removes a working tree with everything in it. Says whether there was one.',
    input: { path: t.path.describe('The folder of the working tree.'), dir }, output: z.boolean(),
    needs: { 'git.worktree': ['$dir'], 'fs.write': ['$path'] }, sinks: ['path', 'dir'],
    run: ({ path, dir }, context) => removeWorktree(context, dir, path),
  }),
  pruneWorktrees: writes({
    doc: 'Forgets the working trees whose folders are gone, as after a crash or a folder removed by hand. Working trees that are there stay.',
    input: { dir }, output: z.null(),
    needs: { 'git.worktree': ['$dir'] }, sinks: ['dir'],
    run: async ({ dir }, context) => {
      await pruneWorktrees(context, dir)
      return null
    },
  }),
}

export default definePlugin({
  name: 'git',
  version: '1.0.0',
  doc: 'Git repositories. Settings of the repository cannot run programs; commits go to branches that are not checked out. The repository is the one that holds the folder.',
  grants: {
    read: {
      doc: 'Read the repository that holds a folder: history, state, contents.', params: { dir: 'path' }, access: 'read',
      implies: [...READ_COMMANDS.map(command => implied(...command.split(' '))), ['fs.read', '$1^.git/**'], ['fs.read', '$1^.git/.git/config']],
    },
    branch: {
      doc: 'Make, move and remove branches whose name matches.', params: { name: 'path' }, access: 'write',
      implies: [
        ...['config --name-only --get-regexp', 'worktree list', 'rev-parse', 'log --walk-reflogs', 'rev-list --count', 'read-tree', 'add', 'write-tree', 'commit-tree', 'update-ref'].map(command => implied(...command.split(' '))),
        ['env', 'GIT_INDEX_FILE'], ['fs.read', '**'], ['fs.read', '.git/config'], ['fs.write', '.git/**'],
      ],
    },
    worktree: {
      doc: 'Make and remove working trees of the repository that holds a folder.', params: { dir: 'path' }, access: 'write',
      implies: [
        ...['config --name-only --get-regexp', 'rev-parse', 'worktree add', 'worktree list', 'worktree repair', 'worktree remove', 'worktree prune', 'reset --hard --quiet'].map(command => implied(...command.split(' '))),
        ['fs.read', '$1^.git/**'], ['fs.read', '$1^.git/.git/config'], ['fs.write', '$1^.git/.git/**'],
      ],
    },
  },
  tools: { ...reading, ...changing },
})
