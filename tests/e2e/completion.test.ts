// The scripts of `tek completion`, pressed TAB on in the real shells.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandTable } from '../../src/cli/command-table.ts'
import { binary, tek } from './binary.ts'
import { hasTerminal } from './terminal.ts'

const PATIENCE_MS = 60_000
/** Nothing more is said for so long: all has been said. */
const QUIET_MS = 1_000
let folder = ''
const scripts: Record<string, string> = {}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tek-completion-'))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin', 'tek'), `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`)
  chmodSync(join(folder, 'bin', 'tek'), 0o755)
  mkdirSync(join(folder, 'sub dir'))
  for (const name of ['flow.tek', 'it is.tek', 'notes.txt']) writeFileSync(join(folder, name), 'workflow main() {\n  return 1\n}\n')
  await tek(['run', 'flow.tek'], { cwd: folder })
  for (const shell of ['bash', 'zsh', 'fish']) {
    const ended = await tek(['completion', shell], { cwd: folder })
    expect(ended.code, ended.err).toBe(0)
    writeFileSync(join(folder, `script.${shell}`), ended.out)
    scripts[shell] = ended.out
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0

function shell(name: string, words: readonly string[]): string {
  const env = { ...process.env, HOME: folder, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`, TERM: 'dumb' }
  const ended = spawnSync(name, words, { cwd: folder, env, encoding: 'utf8', timeout: PATIENCE_MS })
  return ended.stdout
}

/** What bash offers for the words of a line, the last of which is being typed. */
function bash(...words: string[]): string[] {
  const line = ['tek', ...words].map(word => `'${word}'`).join(' ')
  return shell('bash', ['--norc', '-c', `source script.bash; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _tek; printf '%s\\n' "\${COMPREPLY[@]}"`]).split('\n').filter(each => each !== '')
}

/** The same of fish, without what is said of each. */
function fish(...words: string[]): string[] {
  return shell('fish', ['--no-config', '-c', `source script.fish; complete -C ${JSON.stringify(['tek', ...words].join(' '))}`]).split('\n').filter(each => each !== '').map(line => line.split('\t')[0]!)
}

/** What a real zsh on a pseudo-terminal shows after TAB is pressed twice. */
function zsh(...words: string[]): Promise<string> {
  const env = { HOME: folder, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`, TERM: 'xterm', SHELL: '/bin/sh' }
  const child = spawn('script', ['-qec', 'stty cols 200 rows 100; exec zsh -f -i', '/dev/null'], { cwd: folder, env, stdio: 'pipe' })
  const setUp = `PS1='ask''> '; autoload -Uz compinit; compinit -u -D; source ./script.zsh; bindkey '^I' complete-word; LISTMAX=10000\n`
  return new Promise(resolve => {
    let [shown, isTyped] = ['', false]
    const end = (): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve(shown)
    }
    let timer = setTimeout(end, PATIENCE_MS)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
      if (!isTyped && shown.includes('ask> ')) {
        isTyped = true
        shown = ''
        child.stdin.write(`${['tek', ...words].join(' ')}\t\t`)
      } else if (isTyped && / -- /.test(shown)) {
        clearTimeout(timer)
        timer = setTimeout(end, QUIET_MS) // it may come in pieces
      }
    })
    child.stdin.write(setUp)
  })
}

describe.skipIf(!has('bash'))('bash', () => {
  test('what a folder that somebody else made holds is offered to nobody, and never carried out', async () => {
    const other = join(folder, 'cloned')
    mkdirSync(other)
    writeFileSync(join(other, 'flow.tek'), 'workflow main() {\n  return 1\n}\n')
    writeFileSync(join(other, 'x'), `#!/bin/sh\ntouch '${join(folder, 'pwned')}'\n`)
    chmodSync(join(other, 'x'), 0o755)
    await tek(['run', 'flow.tek'], { cwd: other })
    const database = new Database(join(other, '.tek', 'tek.db'))
    ;['$(./x)', ';ls -l'].forEach((id, at) => {
      const forged = `select '${id}', program, workflow, plan_hash, status, started_ms + ${at + 1}, replace(summary, id, '${id}'), folder, sources, audit_from from runs where id not like '%(%'`
      database.exec(`insert into runs (id, program, workflow, plan_hash, status, started_ms, summary, folder, sources, audit_from) ${forged}`)
    })
    database.close()
    const offered = shell('bash', ['--norc', '-c', `cd cloned; source ../script.bash; COMP_WORDS=(tek show ''); COMP_CWORD=2; _tek; printf '%s\\n' "\${COMPREPLY[@]}"`]).split('\n').filter(each => each !== '')
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
    expect(offered.every(each => /^[0-9a-f]{8}$/.test(each)) && offered.length === 1, offered.join()).toBe(true)
  })

  test('whatever is offered is a word, not a command', () => {
    const offered = shell('bash', ['--norc', '-c', `source script.bash; tek() { printf '$(touch pwned)\\ta run\\n'; }; COMP_WORDS=(tek show ''); COMP_CWORD=2; _tek; printf '%s\\n' "\${COMPREPLY[@]}"`])
    expect(offered.trim()).toBe('$(touch pwned)')
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })

  test('every command there is, and those that begin so', () => {
    expect(bash('')).toEqual(commandTable.map(each => each.name))
    expect(bash('comp')).toEqual(['compile', 'completion'])
  })
  test('options of a command, nothing where a value of one is typed', () => {
    expect(bash('check', '--wa')).toEqual(['--watch'])
    expect(bash('compile', '-o', 'x')).toEqual([])
  })
  test('programs: those that come with tek, files and folders', () => {
    expect(bash('run', 'repo')).toEqual(['repo-health'])
    expect(bash('run', '')).toEqual(expect.arrayContaining(['repo-health', 'flow.tek', 'it is.tek', 'sub dir']))
    expect(bash('check', '')).not.toContain('notes.txt')
  })
  test('runs that are recorded here, and codes', () => {
    expect(bash('show', '')).toHaveLength(1)
    expect(bash('explain', 'cli/unknown-c')).toEqual(['cli/unknown-code', 'cli/unknown-command'])
  })
})

describe.skipIf(!has('fish'))('fish', () => {
  test('commands with what they do, options, files, programs, runs and codes', () => {
    expect(fish('comp')).toEqual(['compile', 'completion'])
    expect(fish('check', '--wa')).toEqual(['--watch'])
    expect(fish('run', 'repo')).toContain('repo-health')
    expect(fish('run', 'fl')).toContain('flow.tek')
    expect(fish('check', '')[0]).toMatch(/\.tek$|\/$/) // it offers every file, programs first
    expect(fish('show', '')).toHaveLength(1)
    expect(fish('explain', 'cli/unknown-comm')).toEqual(['cli/unknown-command'])
  })
  test('the script has no mistake', () => {
    const ended = spawnSync('fish', ['--no-config', '--no-execute', join(folder, 'script.fish')], { encoding: 'utf8' })
    expect(ended.stderr).toBe('')
  })
})

describe.skipIf(!has('zsh') || !hasTerminal)('zsh', () => {
  test('commands with what they do', async () => {
    const shown = await zsh('comp')
    expect(shown).toMatch(/completion\s+-- make a shell complete/)
    expect(shown).toMatch(/compile\s+-- lower a program/)
  })
  test('options with what they do', async () => expect(await zsh('check', '--')).toMatch(/--watch\s+-- /))
  test('codes', async () => expect(await zsh('explain', 'cli/unknown-co')).toMatch(/cli\/unknown-command/))
})

test('what it offers is only read: an empty folder stays empty', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'tek-completion-'))
  for (const of of ['runs', 'programs', 'codes']) expect((await tek(['completion', '--of', of], { cwd: empty })).code).toBe(0)
  expect(readdirSync(empty)).toEqual([])
  rmSync(empty, { recursive: true })
})

test('a shell that it does not know', async () => {
  const ended = await tek(['completion', 'tcsh'])
  expect(ended.code).toBe(2)
  expect(ended.err).toContain('error cli/bad-value: `SHELL` cannot be `tcsh`: it takes bash, zsh or fish.')
  expect((await tek(['completion'])).err).toContain('error cli/missing-argument')
  expect((await tek(['completion', '--of', 'stars'])).err).toContain('error cli/bad-value')
})

test('options of every command are in every script', async () => {
  for (const { name, load } of commandTable) {
    const { Cli } = await import('clipanion')
    const cli = new Cli()
    cli.register(await load())
    for (const { definition } of cli.definitions()[0]!.options) {
      const option = definition.replace(/^\[|\]$/g, '').split(' ')[0]!.split(',').at(-1)!
      expect(scripts['bash'], name).toContain(option)
      expect(scripts['zsh'], name).toContain(option)
      expect(scripts['fish'], name).toContain(`-l ${option.slice(2)}`)
    }
  }
})
