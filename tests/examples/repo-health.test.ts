// repo-health on repositories whose faults are known, run by name through the built command.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyFolder, removeFolder, runTek } from './run-tek.ts'

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => existsSync(path))
const folders: string[] = []
const folder = (): string => {
  const made = emptyFolder()
  folders.push(made)
  return made
}
afterAll(() => folders.forEach(removeFolder))

function git(cwd: string, ...args: string[]): void {
  const ended = spawnSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false', '-c', 'init.defaultBranch=main', ...args], { cwd, encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`git ${args.join(' ')}: ${ended.stderr}`)
}

function write(cwd: string, path: string, text: string): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true })
  writeFileSync(join(cwd, path), text)
}

const branches = (count: number, seed: number): string =>
  Array.from({ length: count }, (_, index) => `  if (input.kind${index} && input.size > ${index + seed}) { total += ${index + seed} }\n`).join('')
const copied = Array.from({ length: 14 }, (_, index) => `export const shared${index} = combine(left${index}, right${index})\n`).join('')

/** A small repository: src/sync.ts changes often, is branchy and was fixed often; two files hold the same lines; one holds notes. */
function plantedRepository(): string {
  const made = folder()
  git(made, 'init', '-q')
  write(made, 'src/calm.ts', `export const calm = 1\n${copied}`)
  write(made, 'src/other.ts', `export const other = 2\n${copied}`)
  write(made, 'src/later.ts', Array.from({ length: 6 }, (_, index) => `// ${'TODO'}: part ${index}\nexport const later${index} = ${index}\n`).join(''))
  write(made, 'src/<b>odd & name.ts', 'export const odd = 1\n')
  write(made, 'src/sync.ts', `export function sync(input) {\n  let total = 0\n${branches(20, 0)}  return total\n}\n`)
  git(made, 'add', '-A')
  git(made, 'commit', '-qm', 'Start')
  for (let round = 1; round <= 8; round++) {
    write(made, 'src/sync.ts', `export function sync(input) {\n  let total = 0\n${branches(20, round)}  return total\n}\n`)
    git(made, 'commit', '-qam', round % 2 === 0 ? `Fix a lost update ${round} <script>alert(1)</script>` : `Read more kinds ${round}`)
  }
  return made
}

describe('repo-health', () => {
  let repository = ''
  let screen = ''
  beforeAll(() => {
    repository = plantedRepository()
    const ended = runTek(['run', 'repo-health'], repository, { COLUMNS: '80' })
    expect(ended.exitCode, ended.stderr).toBe(0)
    screen = ended.stdout
  })

  test('the terminal names the hot spot first, the copy and the notes, in 80 columns', () => {
    const lines = screen.split('\n')
    expect(lines.find(line => /^\s*1\s/.test(line))).toContain('src/sync.ts')
    expect(screen).toContain('split it')
    expect(screen).toContain('report.html')
    expect(Math.max(...lines.map(line => [...line].length))).toBeLessThanOrEqual(80)
  })

  test('the page has verdict, actions, evidence, map and proof, and escapes what the repository says', () => {
    const page = readFileSync(join(repository, 'report.html'), 'utf8')
    for (const part of ['src/sync.ts', 'src/later.ts', 'src/calm.ts', 'src/other.ts', 'Split it', '<svg', 'Proof', 'no network', '9 commits', 'churn 9', 'fixes 4']) expect(page).toContain(part)
    expect(page.indexOf('verdict')).toBeLessThan(page.indexOf('What to do'))
    expect(page).not.toContain('<script>alert(1)')
    expect(page).not.toContain('<b>odd')
    expect(page).not.toMatch(/(src|href)="https?:/)
    expect(page).not.toContain(repository)
  })

  test('the summary in Markdown says the same', () => {
    const summary = readFileSync(join(repository, 'report.md'), 'utf8')
    expect(summary).toContain('# Repository health')
    expect(summary).toContain('src/sync.ts')
  })

  test('a folder below the top of the repository is judged with its history', () => {
    const ended = runTek(['run', 'repo-health', '--root', 'src', '--out', '.tek/part.html'], repository)
    expect(ended.exitCode, ended.stderr).toBe(0)
    expect(ended.stdout).toMatch(/1 {2}split it {4}sync\.ts\n {15}churn 9/)
  })

  test('nothing but the two reports and .tek was written', () => {
    const status = spawnSync('git', ['status', '--porcelain', '--ignored'], { cwd: repository, encoding: 'utf8' }).stdout
    expect(status.split('\n').filter(line => line !== '').map(line => line.slice(3)).sort()).toEqual(['.tek/', 'report.html', 'report.md'])
  })

  test.skipIf(chromium === undefined)('the page opens in headless Chromium, light and dark, without a script error', () => {
    const browse = (...options: string[]): { stdout: string; stderr: string } => {
      const ended = spawnSync(chromium ?? '', ['--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr', ...options, `file://${join(repository, 'report.html')}`], {
        encoding: 'utf8', timeout: 60_000,
      })
      expect(ended.status, ended.stderr).toBe(0)
      expect(ended.stderr).not.toContain('Uncaught')
      return ended
    }
    const pictures = [['light', '1'], ['dark', '0']].map(([name, scheme]) => {
      const picture = join(repository, `report-${name}.png`)
      browse('--window-size=1100,1600', `--blink-settings=preferredColorScheme=${scheme}`, `--screenshot=${picture}`)
      return readFileSync(picture)
    })
    expect(pictures[0]?.equals(pictures[1] ?? Buffer.alloc(0))).toBe(false)
    const dom = browse('--dump-dom')
    expect(dom.stdout).toContain('src/sync.ts')
  })
})

describe('repo-health elsewhere', () => {
  test('a folder without git is judged by its files', () => {
    const made = folder()
    write(made, 'a.ts', `export function a(input) {\n  let total = 0\n${branches(30, 0)}  return total\n}\n`)
    const ended = runTek(['run', 'repo-health'], made)
    expect(ended.exitCode, ended.stderr).toBe(0)
    expect(ended.stdout).toContain('judged by the files alone')
    expect(ended.stdout).toContain('a.ts')
  })

  test('an empty folder and an empty repository are said to be empty', () => {
    const bare = folder()
    const repository = folder()
    git(repository, 'init', '-q')
    for (const made of [bare, repository]) {
      const ended = runTek(['run', 'repo-health'], made)
      expect(ended.exitCode, ended.stderr).toBe(0)
      expect(ended.stdout).toContain('nothing to judge yet')
      expect(existsSync(join(made, 'report.html'))).toBe(true)
    }
  })

  test('files that are not text are left out and counted', () => {
    const made = folder()
    write(made, 'good.ts', 'export const good = 1\n')
    writeFileSync(join(made, 'bad.ts'), Buffer.from([0xff, 0xfe, 0x00, 0x80]))
    const ended = runTek(['run', 'repo-health'], made)
    expect(ended.exitCode, ended.stderr).toBe(0)
    expect(readFileSync(join(made, 'report.html'), 'utf8')).toContain('files that are not text or larger than 400 KB: 1;')
  })

  test('dependencies that stayed for years are an action', () => {
    const made = folder()
    git(made, 'init', '-q')
    write(made, 'package.json', JSON.stringify({ name: 'x', dependencies: { left: '^1.0.0' } }, null, 2))
    write(made, 'package-lock.json', `${JSON.stringify({ name: 'x', lockfileVersion: 3, packages: { '': { name: 'x' }, 'node_modules/left': { version: '1.2.3', license: 'MIT' } } }, null, 2)}\n`)
    write(made, 'index.js', 'module.exports = 1\n')
    git(made, 'add', '-A')
    const old = '2020-01-02T03:04:05Z'
    const ended = spawnSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '-qm', 'Start'], { cwd: made, env: { ...process.env, GIT_AUTHOR_DATE: old, GIT_COMMITTER_DATE: old } })
    expect(ended.status).toBe(0)
    const run = runTek(['run', 'repo-health'], made)
    expect(run.exitCode, run.stderr).toBe(0)
    expect(run.stdout).toContain('not moved for over 2 years')
    expect(readFileSync(join(made, 'report.html'), 'utf8')).toContain('2020-01-02')
  })
})
