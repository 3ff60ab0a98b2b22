// git against real repositories, hostile ones included.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import git from '../../stdlib/git/plugin.ts'
import { parseStatus } from '../../stdlib/git/changes.ts'
import { parseLog } from '../../stdlib/git/history.ts'
import { callTool, failureOfTool } from './call.ts'
import { contextOf, grant, machineFolder } from './contexts.ts'

const { folder, host } = machineFolder()
const run = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8', env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' } })
const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
const commit = (message: string, ...extra: string[]) => {
  run('add', '.')
  run('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', message, ...extra)
}
const reader = () => contextOf(host, [grant('git.read', '.')], git)
const writer = (key?: string) => contextOf(host, [grant('git.branch', 'tek/**')], git, key)
const read = (fn: string, ...args: unknown[]) => callTool(git, reader(), fn, ...args)

beforeAll(() => {
  run('init', '-q', '-b', 'main')
  put('a.txt', 'one\ntwo\n')
  commit('First\n\nwith a body \x1e and marks')
  put('a.txt', 'one\nTWO\nthree\n')
  put('naïve name.txt', 'x\n')
  commit('fix: crash in a')
  writeFileSync(join(folder, 'bin'), Buffer.from([0, 1, 2]))
  commit('Add a binary')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('reading', () => {
  test('log gives messages, files and counts, the newest first', async () => {
    const commits = await read('log')
    expect(commits.map((one: any) => one.subject)).toEqual(['Add a binary', 'fix: crash in a', 'First'])
    expect(commits[1]).toMatchObject({ author: 'Ada', email: 'ada@example.com', files: [{ path: 'a.txt', added: 2, removed: 1 }, { path: 'naïve name.txt', added: 1, removed: 0 }] })
    expect(commits[2].message).toBe('First\n\nwith a body \x1e and marks')
    expect(commits[0].files).toEqual([{ path: 'bin', added: 0, removed: 0 }])
    expect(Math.abs(commits[0].date - Date.now())).toBeLessThan(86_400_000)
  })

  test('log obeys limit, path and start', async () => {
    expect(await read('log', 1)).toHaveLength(1)
    expect((await read('log', 10, '.', 'HEAD', 'bin')).map((one: any) => one.subject)).toEqual(['Add a binary'])
    expect((await read('log', 10, '.', 'HEAD~1')).map((one: any) => one.subject)).toEqual(['fix: crash in a', 'First'])
  })

  test('an option in place of a commit, a range or a strange name is refused', async () => {
    for (const name of ['--output=x', '-p', 'a..b', 'a b', '$(x)', '']) expect(await failureOfTool(read('log', 1, '.', name))).toBe('bad-revision')
    expect(await failureOfTool(read('log', 1, '.', 'nowhere'))).toBe('no-such-commit')
    expect(existsSync(join(folder, 'x'))).toBe(false)
  })

  test('churn counts commits, fixes and authors by file', async () => {
    const churn = await read('churn', 30)
    expect(churn[0]).toMatchObject({ file: 'a.txt', commits: 2, fixes: 1, added: 4, removed: 1, authors: 1 })
    expect(churn.map((one: any) => one.file).sort()).toEqual(['a.txt', 'bin', 'naïve name.txt'])
  })

  test('blame, status, diff, show, lsFiles', async () => {
    const lines = await read('blame', 'a.txt')
    expect(lines.map((one: any) => one.text)).toEqual(['one', 'TWO', 'three'])
    expect(lines[0].sha).not.toBe(lines[1].sha)
    put('a.txt', 'one\nTWO\nthree\nfour\n')
    put('new file.txt', '')
    expect(await read('status')).toEqual([
      { path: 'a.txt', kind: 'changed', staged: false, from: null }, { path: 'new file.txt', kind: 'untracked', staged: false, from: null },
    ])
    const difference = await read('diff')
    expect(difference.files).toEqual([{ path: 'a.txt', added: 1, removed: 0 }])
    expect(difference.text).toContain('+four')
    expect((await read('diff', 'HEAD~1', 'HEAD')).files).toEqual([{ path: 'bin', added: 0, removed: 0 }])
    run('checkout', '-q', '.')
    rmSync(join(folder, 'new file.txt'))
    expect(await read('show', 'a.txt', 'HEAD~2')).toBe('one\ntwo\n')
    expect(await read('lsFiles')).toEqual(['a.txt', 'bin', 'naïve name.txt'])
  })

  test('currentBranch, head, branches, isRepository', async () => {
    expect(await read('currentBranch')).toBe('main')
    expect(await read('head')).toBe(run('rev-parse', 'HEAD').trim())
    expect((await read('branches')).map((one: any) => one.name)).toEqual(['main'])
    expect(await read('isRepository')).toBe(true)
    const empty = machineFolder()
    expect(await callTool(git, contextOf(empty.host, [grant('git.read', '.')], git), 'isRepository')).toBe(false)
    expect(await failureOfTool(callTool(git, contextOf(empty.host, [grant('git.read', '.')], git), 'log'))).toBe('not-a-repository')
    rmSync(empty.folder, { recursive: true })
  })

  test('git.read allows reading only: the same context cannot commit or run other commands', async () => {
    expect(await failureOfTool(callTool(git, reader(), 'commit', 'x', 'tek/x'))).toBe('permit/denied')
    await expect(reader().run('git', ['push'])).rejects.toMatchObject({ code: 'permit/denied' })
    await expect(reader().run('git', ['log'])).rejects.toMatchObject({ code: 'permit/denied' })
  })

  test('a message cannot forge a commit, and forged paths are left out', () => {
    const sha = 'a'.repeat(40)
    const output = [sha, 'x', 'x@y', '1', '', `m\n${'b'.repeat(40)}`, '', '\n1\t0\t../../etc/passwd', '1\t0\tfine'].join('\0')
    expect(parseLog(`${output}\0`)).toMatchObject([{ sha, files: [{ path: 'fine' }] }])
    expect(() => parseLog(['not a hash', '', '', '', '', '', ''].join('\0'))).toThrow('cannot be read')
  })
})

test('status knows renames, conflicts, removals and names with spaces', () => {
  const zero = '100644 100644 100644 aaa bbb'
  const output = [`1 D. N... ${zero} gone file`, `2 R. N... ${zero} R100 new name`, 'old name', `u UU N... 100644 100644 100644 100644 a b c both`, `1 .M N... ${zero} x`, '? y z', ''].join('\0')
  expect(parseStatus(output)).toEqual([
    { path: 'gone file', kind: 'removed', staged: true, from: null }, { path: 'new name', kind: 'renamed', staged: true, from: 'old name' },
    { path: 'both', kind: 'conflict', staged: true, from: null }, { path: 'x', kind: 'changed', staged: false, from: null }, { path: 'y z', kind: 'untracked', staged: false, from: null },
  ])
})

describe('changing', () => {
  test('a commit goes to its branch and leaves checkout, index and HEAD as they are', async () => {
    put('a.txt', 'changed\n')
    put('untracked.txt', 'u\n')
    const before = { head: run('rev-parse', 'HEAD'), index: readFileSync(join(folder, '.git/index')), status: run('status', '--porcelain') }
    const made = await callTool(git, writer(), 'commit', 'Change a', 'tek/one')
    expect(made).toMatchObject({ branch: 'tek/one', created: true })
    expect(run('show', 'tek/one:a.txt')).toBe('changed\n')
    expect(run('ls-tree', '--name-only', 'tek/one')).not.toContain('untracked')
    expect(run('log', '-1', '--format=%an %s', 'tek/one').trim()).toBe('tek Change a')
    expect({ head: run('rev-parse', 'HEAD'), status: run('status', '--porcelain') }).toEqual({ head: before.head, status: before.status })
    expect(readFileSync(join(folder, '.git/index')).equals(before.index)).toBe(true)
    expect(readdirSync(join(folder, '.git')).filter(name => name.startsWith('tek-index'))).toEqual([])
    expect(await callTool(git, writer('key2'), 'commit', 'Again', 'tek/one')).toEqual({ sha: made.sha, branch: 'tek/one', created: false })
    const second = await callTool(git, writer('key3'), 'commit', 'Take the new file', 'tek/one', '.', ['untracked.txt'])
    expect(run('rev-parse', 'tek/one~1').trim()).toBe(made.sha)
    expect(second.created).toBe(true)
    run('checkout', '-q', '.')
    rmSync(join(folder, 'untracked.txt'))
  })

  test('from a folder below the top', async () => {
    mkdirSync(join(folder, 'sub'), { recursive: true })
    put('sub/s.txt', 's\n')
    await callTool(git, writer('key4'), 'commit', 'Below', 'tek/below', 'sub', ['s.txt'])
    expect(run('show', 'tek/below:sub/s.txt')).toBe('s\n')
    expect(readdirSync(join(folder, '.git')).filter(name => name.startsWith('tek-index'))).toEqual([])
    rmSync(join(folder, 'sub'), { recursive: true })
  })

  test('a commit only goes to a branch that is where it was seen', async () => {
    put('a.txt', 'once more\n')
    const none = '0'.repeat(40)
    const first = await callTool(git, writer('cas1'), 'commit', 'One', 'tek/cas', '.', [], none)
    expect(await failureOfTool(callTool(git, writer('cas2'), 'commit', 'Two', 'tek/cas', '.', [], none))).toBe('moved')
    expect(run('rev-parse', 'tek/cas').trim()).toBe(first.sha)
    put('a.txt', 'and again\n')
    const second = await callTool(git, writer('cas3'), 'commit', 'Two', 'tek/cas', '.', [], first.sha)
    expect(second.created).toBe(true)
    expect(await callTool(git, writer('cas3'), 'commit', 'Two', 'tek/cas', '.', [], first.sha)).toEqual(second) // the same call again, after a crash
    run('checkout', '-q', '.')
  })

  test('advance moves a branch forward, from where it was seen, and never anywhere else', async () => {
    const [here, before] = [run('rev-parse', 'tek/cas').trim(), run('rev-parse', 'tek/cas~1').trim()]
    await callTool(git, writer('adv1'), 'createBranch', 'tek/next', before)
    expect(await failureOfTool(callTool(git, writer('adv2'), 'advance', 'tek/next', here, '1'.repeat(40)))).toBe('moved')
    expect(await callTool(git, writer('adv3'), 'advance', 'tek/next', here, before)).toBe(here)
    expect(await callTool(git, writer('adv3'), 'advance', 'tek/next', here, before)).toBe(here)
    expect(await failureOfTool(callTool(git, writer('adv4'), 'advance', 'tek/next', before, here))).toBe('not-forward')
    expect(await failureOfTool(callTool(git, writer('adv5'), 'advance', 'main', here, run('rev-parse', 'main').trim()))).toBe('checked-out')
    expect(await callTool(git, writer('adv6'), 'advance', 'tek/new', here, '0'.repeat(40))).toBe(here)
    expect(run('rev-parse', 'tek/new').trim()).toBe(here)
  })

  test('contains: a commit is in what follows on it, and in itself, and in nothing else', async () => {
    const contains = (commit: string, from: string) => callTool(git, reader(), 'contains', commit, from)
    expect([await contains('tek/cas~1', 'tek/cas'), await contains('tek/cas', 'tek/cas'), await contains('tek/cas', 'tek/cas~1')]).toEqual([true, true, false])
    expect(await failureOfTool(contains('nowhere', 'HEAD'))).toBe('no-such-commit')
    expect(await failureOfTool(contains('--all', 'HEAD'))).toBe('bad-revision')
  })

  test('a branch that is checked out is never moved', async () => {
    const context = contextOf(host, [grant('git.branch', '**')], git)
    put('a.txt', 'changed\n')
    expect(await failureOfTool(callTool(git, context, 'commit', 'x', 'main'))).toBe('checked-out')
    expect(await failureOfTool(callTool(git, context, 'removeBranch', 'main'))).toBe('checked-out')
    run('checkout', '-q', '.')
  })

  test('branches are made and removed by name', async () => {
    const sha = await callTool(git, writer(), 'createBranch', 'tek/two')
    expect(sha).toBe(run('rev-parse', 'HEAD').trim())
    expect(await callTool(git, writer(), 'createBranch', 'tek/two')).toBe(sha)
    expect(await failureOfTool(callTool(git, writer('key5'), 'createBranch', 'tek/two', 'HEAD~1'))).toBe('exists')
    expect(await callTool(git, writer(), 'removeBranch', 'tek/two')).toBe(true)
    expect(await callTool(git, writer(), 'removeBranch', 'tek/two')).toBe(false)
    for (const name of ['-d', 'a..b', '.hidden', 'x.lock', 'a//b', 'HEAD', 'a b', 'x/']) expect(await failureOfTool(callTool(git, writer(), 'createBranch', name))).toBe('bad-branch')
  })

  test('working trees come and go', async () => {
    const context = contextOf(host, [grant('git.worktree', '.'), grant('fs.write', 'trees/**')], git)
    expect(await callTool(git, context, 'addWorktree', 'trees/one', 'HEAD~1')).toBe('trees/one')
    expect(existsSync(join(folder, 'trees/one/a.txt'))).toBe(true)
    expect(run('worktree', 'list')).toMatch(/trees\/one +[0-9a-f]+ \(detached HEAD\)/)
    expect(await callTool(git, reader(), 'status', 'trees/one').catch(error => error)).toEqual([])
    expect(await failureOfTool(callTool(git, contextOf(host, [grant('git.worktree', '.'), grant('fs.write', 'trees/**')], git, 'other'), 'addWorktree', 'trees/one'))).toBe('exists')
    expect(await callTool(git, context, 'removeWorktree', 'trees/one')).toBe(true)
    expect(existsSync(join(folder, 'trees/one'))).toBe(false)
    expect(await callTool(git, context, 'removeWorktree', 'trees/one')).toBe(false)
    expect(run('worktree', 'list').trim().split('\n')).toHaveLength(1)
  })

  test('working trees whose folder is gone are forgotten, others stay', async () => {
    const context = (key: string) => contextOf(host, [grant('git.worktree', '.'), grant('fs.write', 'trees/**')], git, key)
    await callTool(git, context('prune1'), 'addWorktree', 'trees/stays')
    await callTool(git, context('prune2'), 'addWorktree', 'trees/goes')
    rmSync(join(folder, 'trees/goes'), { recursive: true, force: true })
    await callTool(git, context('prune3'), 'pruneWorktrees')
    const list = run('worktree', 'list', '--porcelain')
    expect(list).toContain('trees/stays')
    expect(list).not.toContain('trees/goes')
    await callTool(git, context('prune4'), 'removeWorktree', 'trees/stays')
  })

  test('a working tree in the very folder that may be written', async () => {
    const context = contextOf(host, [grant('git.worktree', '.'), grant('fs.write', 'wt8/**')], git, 'key8')
    expect(await callTool(git, context, 'addWorktree', 'wt8')).toBe('wt8')
    expect(run('-C', 'wt8', 'status', '--porcelain')).toBe('')
    expect(readFileSync(join(folder, 'wt8/a.txt'), 'utf8')).toBe('one\nTWO\nthree\n')
    expect(await callTool(git, context, 'removeWorktree', 'wt8')).toBe(true)
    expect(existsSync(join(folder, 'wt8'))).toBe(false)
  })
})

describe('a hostile repository', () => {
  const canary = join(folder, 'canary')
  const script = join(folder, '.git', 'evil.sh')
  beforeAll(() => {
    writeFileSync(script, `#!/bin/sh\ntouch '${canary}'\ncat\n`)
    chmodSync(script, 0o755)
  })

  test.each([
    ['core.fsmonitor', () => read('status')],
    ['core.pager', () => read('log')],
    ['diff.external', () => read('diff', 'HEAD~1', 'HEAD')],
    ['gpg.program', async () => {
      run('config', 'log.showSignature', 'true')
      await read('log')
      run('config', '--unset', 'log.showSignature')
    }],
    ['core.sshCommand', () => read('log')],
    ['diff.evil.textconv', async () => {
      put('.gitattributes', '*.txt diff=evil\n')
      await read('diff', 'HEAD~1', 'HEAD~2')
      await read('blame', 'a.txt')
      await read('log')
      rmSync(join(folder, '.gitattributes'))
    }],
  ])('%s does not run', async (setting, act) => {
    run('config', setting, script)
    await act()
    run('config', '--unset', setting)
    expect(existsSync(canary)).toBe(false)
  })

  test('hooks do not run', async () => {
    for (const hook of ['post-checkout', 'pre-commit', 'reference-transaction', 'post-index-change']) {
      writeFileSync(join(folder, '.git/hooks', hook), `#!/bin/sh\ntouch '${canary}'\n`)
      chmodSync(join(folder, '.git/hooks', hook), 0o755)
    }
    put('a.txt', 'hooked\n')
    await callTool(git, writer('key9'), 'commit', 'Hooked', 'tek/hooked')
    run('-c', 'core.hooksPath=/dev/null', 'checkout', '-q', '.')
    expect(existsSync(canary)).toBe(false)
  })

  test.each(['filter.x.clean', 'filter.x.smudge', 'filter.x.process', 'core.worktree'])('%s makes the repository refused where working files are touched', async setting => {
    run('config', setting, setting === 'core.worktree' ? '/etc' : script)
    expect(await failureOfTool(read('status'))).toBe('unsafe-repository')
    expect(await failureOfTool(read('blame', 'a.txt'))).toBe('unsafe-repository')
    expect(await failureOfTool(callTool(git, writer(), 'commit', 'x', 'tek/x'))).toBe('unsafe-repository')
    run('config', '--file', '.git/config', '--unset', setting)
    expect(existsSync(canary)).toBe(false)
  })
})
