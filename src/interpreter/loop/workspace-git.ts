// Workspace git: the branch on which a loop over a git repository keeps its champion.
// Owns: how git is asked for a commit's files, for a new commit, for moving the branch. Does not own: when (workspaces.ts).
//   G1. The user's checkout, index and current branch are never touched: files are written from a commit by an index of their own, and the branch is
//       moved by compare-and-swap. A workspace has no `.git`: what runs there cannot reach the repository, and cannot make tek's git read settings of its own.
//   G2. The repository's settings run no program, as in stdlib/git: no hooks, no monitor, no filters; a repository with filters is refused.
//   G3. A commit is made of base, files, message and the cycle's time alone: made again after a crash, it is the same commit.
//   G4. Git runs confined to the repository and the workspace, as every program that tek starts.
import { join } from 'node:path'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Host } from '#host/host.ts'
import { ToolFailure } from '#plugin-api/context.ts'

const TIMEOUT_MS = 300_000
const MAX_OUTPUT_BYTES = 16_000_000
const LIMITS = { memoryBytes: 4 * 1024 ** 3, processes: 64, cpuMs: TIMEOUT_MS, fileBytes: 4 * 1024 ** 3 }
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/
/** Of a branch that is not there yet. */
const NONE = '0'.repeat(40)

const SAFE_OPTIONS: readonly string[] = [
  '--no-pager', '--literal-pathspecs',
  ...[
    'core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.quotePath=false', 'core.sshCommand=false', 'protocol.allow=never', 'commit.gpgSign=false', 'submodule.recurse=false', 'gc.auto=0',
    'maintenance.auto=false', 'core.autocrlf=false',
  ].flatMap(setting => ['-c', setting]),
]

export class GitBranch {
  private readonly host: Host
  private readonly repository: string
  private readonly branch: string
  private readonly mayBeUnconfined: boolean

  /** @param repository absolute path of its working tree's root. */
  constructor(host: Host, repository: string, branch: string, mayBeUnconfined: boolean) {
    this.host = host
    this.repository = repository
    this.branch = branch
    this.mayBeUnconfined = mayBeUnconfined
  }

  /** Where the champion is: the branch, or what is checked out where there is none yet. */
  async tip(): Promise<string> {
    const own = await this.git(['rev-parse', '--verify', '--quiet', `refs/heads/${this.branch}^{commit}`], {}, [1])
    if (COMMIT.test(own)) return own
    const head = await this.git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {}, [1, 128])
    if (!COMMIT.test(head)) throw this.unusable('there is no repository with a commit')
    return head
  }

  /** Writes the champion's files into a folder; gives their commit. // G1 */
  async checkOut(folder: string, path: string): Promise<string> {
    await this.expectHarmless()
    const base = await this.tip()
    const target = join(folder, path)
    await this.host.files.makeDirectory(target)
    const index = { GIT_INDEX_FILE: `${folder}.index` }
    await this.git(['read-tree', base], index, [], folder)
    await this.git(['checkout-index', '--all', '--force', `--prefix=${target}/`], index, [], folder)
    return base
  }

  /** Commits a workspace's files on the branch; null where the branch is no longer at `base`. // G3 */
  async commit(folder: string, path: string, base: string, atMs: number, message: string): Promise<string | null> {
    await this.expectHarmless()
    const files = join(folder, path)
    await this.expectNoRepository(files)
    const date = `${Math.floor(atMs / 1_000)} +0000`
    const env = { GIT_INDEX_FILE: `${folder}.index`, GIT_WORK_TREE: files, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
    await this.git(['read-tree', base], env, [], folder)
    await this.git(['add', '--all', '--', '.'], env, [], folder, files)
    const tree = await this.git(['write-tree'], env, [], folder)
    const before = await this.git(['rev-parse', `${base}^{tree}`])
    const commit = tree === before ? base : await this.git(['commit-tree', tree, '-p', base, '-m', message], env, [], folder)
    return (await this.move(base, commit)) ? commit : null
  }

  /** Moves the branch from one commit to another; false where it is at neither. */
  async move(from: string, to: string): Promise<boolean> {
    if (!COMMIT.test(from) || !COMMIT.test(to)) return false
    const now = await this.git(['rev-parse', '--verify', '--quiet', `refs/heads/${this.branch}^{commit}`], {}, [1])
    if (now === to) return true
    const isFirst = !COMMIT.test(now)
    if ((isFirst ? await this.tip() : now) !== from) return false
    if (isFirst && from === to) return true
    await this.git(['update-ref', '-m', 'tek', `refs/heads/${this.branch}`, to, isFirst ? NONE.slice(0, to.length) : from])
    return true
  }

  /** G1: a repository within the files would be taken as such, with its settings. */
  private async expectNoRepository(files: string): Promise<void> {
    const left = [files]
    for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
      for (const { name, kind } of await this.host.files.list(folder)) {
        if (name.toLowerCase() === '.git') throw this.unusable('the candidate made a repository of its own in it')
        if (kind === 'directory' && name !== 'node_modules') left.push(join(folder, name))
      }
    }
  }

  /** G2. */
  private async expectHarmless(): Promise<void> {
    const top = await this.git(['rev-parse', '--show-toplevel'], {}, [128])
    if (top === '' || (await this.host.files.realPath(top)) !== (await this.host.files.realPath(this.repository))) throw this.unusable('it is not the root of a git repository')
    const found = await this.git(['config', '--name-only', '--get-regexp', '^(filter\\..*\\.(clean|smudge|process)|core\\.worktree)$'], {}, [1])
    if (found !== '') throw this.unusable(`its settings would run programs: ${found.split('\n').slice(0, 3).join(', ')}`)
  }

  private unusable(reason: string): ToolFailure {
    const { code, message, help } = loopErrors['no-workspace']({ path: 'git', reason })
    return new ToolFailure(code, message, { help: help[0]! })
  }

  private async git(args: readonly string[], env: Readonly<Record<string, string>> = {}, allow: readonly number[] = [], workspace?: string, cwd: string = this.repository): Promise<string> {
    const { host } = this
    const git = join(this.repository, '.git')
    const writable = [git, ...(workspace === undefined ? [] : [join(workspace, '..')])]
    const result = await host.run({
      program: 'git', args: [...SAFE_OPTIONS, `--git-dir=${git}`, ...(env['GIT_WORK_TREE'] === undefined ? [`--work-tree=${this.repository}`] : []), ...args], cwd,
      env: {
        PATH: host.env('PATH') ?? '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', GIT_OPTIONAL_LOCKS: '0',
        GIT_AUTHOR_NAME: 'tek', GIT_AUTHOR_EMAIL: 'tek@localhost', GIT_COMMITTER_NAME: 'tek', GIT_COMMITTER_EMAIL: 'tek@localhost', ...env,
      },
      timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES,
      confinement: { readable: [this.repository], writable, hidden: [], limits: LIMITS, mayBeUnconfined: this.mayBeUnconfined }, // G4
    }, new AbortController().signal)
    if (result.exitCode === 0) return result.stdout.trim()
    if (result.exitCode !== null && allow.includes(result.exitCode)) return ''
    throw this.unusable(`git ${args[0]} failed: ${result.stderr.trim().split('\n').slice(0, 2).join(' ').slice(0, 300)}`)
  }
}
