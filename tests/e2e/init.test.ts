// `tek init` as a newcomer types it: what is written passes check, fmt, test and run as it is.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tek } from './binary.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tek-init-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const files = (of: string): string[] => readdirSync(of, { recursive: true, withFileTypes: true }).filter(each => each.isFile()).map(each => join(each.parentPath, each.name).slice(of.length + 1)).sort()

describe.each(readdirSync('examples/templates'))('the template %s', template => {
  test('passes check, fmt, test and run', async () => {
    const made = await tek(['init', 'new', '--template', template], { cwd: folder })
    expect(made.code, made.err).toBe(0)
    const cwd = join(folder, 'new')
    expect(made.out.trim().split('\n').sort()).toEqual(files(cwd).map(path => join('new', path)))
    for (const words of [['check'], ['fmt', '--check'], ['test'], ['run', 'main.tek']]) {
      const ended = await tek(words, { cwd })
      expect(ended.code, `tek ${words.join(' ')}\n${ended.err}`).toBe(0)
    }
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toBe('.tek/\n')
  }, 120_000)

  test('is listed with what it is', async () => {
    expect((await tek(['init', '--list'])).out).toMatch(new RegExp(`^${template}  .{10,}$`, 'm'))
  })
})

test('a folder named like another template is a folder, and says so', async () => {
  const made = await tek(['init', 'plugin'], { cwd: folder })
  expect([made.code, files(join(folder, 'plugin')).includes('main.tek')]).toEqual([0, true])
  expect(made.err).toContain('tek init FOLDER --template plugin')
  expect((await tek(['init', '--list'])).err).toContain('--template NAME')
})

test('nothing that is there is changed, but for a line in .gitignore', async () => {
  writeFileSync(join(folder, '.gitignore'), 'node_modules')
  mkdirSync(join(folder, 'notes'))
  writeFileSync(join(folder, 'notes', 'mine.md'), 'mine')
  expect((await tek(['init'], { cwd: folder })).code).toBe(0)
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('node_modules\n.tek/\n')
  const before = files(folder).map(path => [path, readFileSync(join(folder, path), 'utf8')])
  rmSync(join(folder, 'notes', 'done.md'))
  const again = await tek(['init'], { cwd: folder })
  expect(again.code).toBe(2)
  expect(again.err).toContain('error cli/in-the-way: `main.tek`, `notes/example.md` are there already.')
  expect(existsSync(join(folder, 'notes', 'done.md'))).toBe(false)
  expect(before.filter(([path]) => path !== 'notes/done.md').map(([path]) => [path, readFileSync(join(folder, path!), 'utf8')])).toEqual(before.filter(([path]) => path !== 'notes/done.md'))
})

test('.gitignore is written once', async () => {
  for (const line of ['.tek', '.tek/', '  .tek/\r']) {
    writeFileSync(join(folder, '.gitignore'), `${line}\n`)
    const made = await tek(['init', '--json'], { cwd: folder })
    expect((JSON.parse(made.out) as { written: string[] }).written).not.toContain('.gitignore')
    rmSync(join(folder, 'main.tek'))
    rmSync(join(folder, 'notes'), { recursive: true })
  }
})

test('a recipe for continuous integration, whose commands are commands of tek', async () => {
  expect((await tek(['init', '--ci', 'github'], { cwd: folder })).code).toBe(0)
  const recipe = parse(readFileSync(join(folder, '.github/workflows/tek.yml'), 'utf8')) as { jobs: { check: { steps: { run?: string }[] } } }
  const commands = recipe.jobs.check.steps.flatMap(({ run }) => (run === undefined ? [] : [run.replace('npx --yes tek-lang ', '').split(' ')]))
  expect(commands).toHaveLength(3)
  for (const words of commands) {
    const ended = await tek(words, { cwd: folder, asWritten: true })
    expect(ended.code, `tek ${words.join(' ')}\n${ended.err}`).toBe(0)
  }
})

test('what it cannot do is said', async () => {
  expect((await tek(['init', '--template', 'scrip'], { cwd: folder })).err).toContain('Did you mean `script`?')
  expect((await tek(['init', '--ci', 'jenkins'], { cwd: folder })).err).toContain('error cli/bad-value')
  expect(files(folder)).toEqual([])
})
