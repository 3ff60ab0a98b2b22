// Command: how git is run on a repository that may be hostile.
// Owns: the options before every command, the check of the repository's own settings, what becomes a failure.
// Does not own: a `.git` file or `alternates` that lead to another repository on the machine: the confinement of commands keeps git from reading there.
//   G1. A repository's settings must not run programs: no hooks, no file monitor, no pager, no signing program, no transport, no external difference programs.
//   G2. Filters (`filter.x.clean` …) cannot be switched off by name beforehand. Commands that read or write working files first ask for them, and for `core.worktree`,
//       which would lead elsewhere, and refuse the repository when there are any.
//   G3. Paths are literal; names of commits and branches never begin with `-`.
import { ToolFailure, type RunOptions, type ToolContext } from 'tek-lang/plugin'

const MAX_OUTPUT_BYTES = 16_000_000
const TIMEOUT_MS = 120_000

/** The same before every command, so that the grants this module implies can name it. */
const SAFE_OPTIONS: readonly string[] = [
  '--no-pager', '--literal-pathspecs',
  ...[
    'core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.quotePath=false', 'core.sshCommand=false', 'core.askPass=', 'credential.helper=', 'protocol.allow=never',
    'log.showSignature=false', 'commit.gpgSign=false', 'tag.gpgSign=false', 'diff.external=', 'diff.ignoreSubmodules=all', 'submodule.recurse=false',
    'gc.auto=0', 'maintenance.auto=false', 'safe.bareRepository=explicit', 'user.name=tek', 'user.email=tek@localhost',
  ].flatMap(setting => ['-c', setting]),
]

export const implied = (...command: readonly string[]): readonly [string, ...string[]] => ['exec', 'git', ...SAFE_OPTIONS, ...command, '**']

export interface GitOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** Exit codes that are answers, besides 0. */
  readonly allow?: readonly number[]
}

export interface GitResult {
  readonly exitCode: number
  readonly stdout: string
}

/** Runs one git command in a folder. */
export async function git(context: ToolContext, dir: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const runOptions: RunOptions = {
    timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES,
    env: { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', GIT_OPTIONAL_LOCKS: '0', ...options.env },
    ...(dir === '.' ? {} : { cwd: dir }),
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  }
  const result = await context.run('git', [...SAFE_OPTIONS, ...args], runOptions)
  if (result.timedOut) throw new ToolFailure('timed-out', `git ${args[0]} took longer than ${TIMEOUT_MS / 1_000} s.`, { retryable: true })
  if (result.truncated) throw new ToolFailure('too-large', `git ${args[0]} printed more than ${MAX_OUTPUT_BYTES / 1_000_000} MB.`, { help: 'Ask for fewer commits or for one path.' })
  if (result.exitCode === 0 || (result.exitCode !== null && options.allow?.includes(result.exitCode))) return { exitCode: result.exitCode, stdout: result.stdout }
  const said = result.stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 500)
  if (/not a git repository/i.test(said)) {
    throw new ToolFailure('not-a-repository', `${dir} is not inside a git repository that git may read here.`, { help: '`git init` makes one. A working tree whose `.git` leads elsewhere cannot be used: run tek in the repository itself.' })
  }
  if (/unknown revision|bad revision|ambiguous argument|needed a single revision|not a valid object name|does not have any commits/i.test(said)) throw new ToolFailure('no-such-commit', `git does not know that commit: ${said}`)
  if (/index\.lock|cannot lock ref/i.test(said)) throw new ToolFailure('locked', `The repository is in use: ${said}`, { retryable: true })
  throw new ToolFailure('failed', `git ${args[0]} failed: ${said === '' ? `exit code ${result.exitCode}` : said}`)
}

/** G2. Before every command that reads or writes working files. */
export async function requireHarmless(context: ToolContext, dir: string): Promise<void> {
  const { stdout } = await git(context, dir, ['config', '--name-only', '--get-regexp', '^(filter\\..*\\.(clean|smudge|process)|core\\.worktree)$'], { allow: [1] })
  const names = stdout.trim()
  if (names === '') return
  throw new ToolFailure('unsafe-repository', `The settings of this repository would run programs or lead elsewhere: ${names.split('\n').slice(0, 5).join(', ')}.`, {
    help: 'Remove them from its .git/config, or work on a fresh clone.',
  })
}

/** A commit, tag or branch as people write it: `main`, `v1.2`, `HEAD~3`, `a1b2c3`. */
export function checkedRevision(revision: string): string {
  if (!/^[A-Za-z0-9_@][A-Za-z0-9_./@{}^~+-]{0,250}$/.test(revision) || revision.includes('..')) {
    throw new ToolFailure('bad-revision', `\`${revision.slice(0, 100)}\` cannot name a commit.`)
  }
  return revision
}

/** A branch name by git's own rules (git-check-ref-format), without surprises. */
export function checkedBranch(branch: string): string {
  const parts = branch.split('/')
  const isFine = /^[A-Za-z0-9_][A-Za-z0-9_./+-]{0,200}$/.test(branch) && !branch.includes('..') && branch !== 'HEAD' &&
    parts.every(part => part !== '' && !part.startsWith('.') && !part.endsWith('.lock') && !part.endsWith('.'))
  if (!isFine) throw new ToolFailure('bad-branch', `\`${branch.slice(0, 100)}\` cannot be the name of a branch.`)
  return branch
}

/** A path inside the repository. */
export function checkedPath(path: string): string {
  if (path === '' || path.includes('\0')) throw new ToolFailure('bad-path', 'A path may not be empty or hold the character NUL.')
  return path.startsWith('-') ? `./${path}` : path
}
