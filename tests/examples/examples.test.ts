// Every example is clean, formatted and tested, and does what it says when it is run by the built command in a folder of its own.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { examplePrograms, folderWithExamples, projectRoot, removeFolder, runForValue, runTek } from './run-tek.ts'

/** Made to be refused: it shows the way of an injected sentence. */
const refused = 'examples/injection/injection.tek'
const programs = examplePrograms().filter(program => program !== refused)
/** Checked, but they need a model to run. */
const notRun = ['examples/injection/injection-mended.tek']
let folder = ''

beforeAll(() => {
  folder = folderWithExamples()
})
afterAll(() => removeFolder(folder))

describe.each(programs)('%s', program => {
  test('checks clean', () => {
    const ended = runTek(['check', program], folder)
    expect(ended.stdout).toBe('')
    expect(ended.exitCode).toBe(0)
  })

  test('formats to itself', () => {
    const ended = runTek(['fmt', '--diff', program], folder)
    expect(ended.stdout).toBe('')
    expect(runTek(['fmt', '--check', program], folder).exitCode).toBe(0)
  })

  if (!notRun.includes(program)) test('passes its own tests', () => {
    const ended = runTek(['test', program, '--json'], folder)
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0)
    expect((JSON.parse(ended.stdout) as { passed: number }).passed).toBeGreaterThan(0)
  })
})

describe('examples run', () => {
  test('todos: files with notes, the most first', () => {
    expect(runForValue(['examples/todos.tek', '--root', 'examples/fixtures/todos'], folder)).toEqual([{ file: 'examples/fixtures/todos/wait.ts', count: 2 }])
  })

  test('loops: a value is found step by step, and a folder is tidied by what loses no word', () => {
    expect(runTek(['run', 'examples/loops/spam.tek', 'threshold'], folder)).toMatchObject({ exitCode: 0, stdout: '2\n' })
    expect(runTek(['run', 'examples/loops/notes.tek', 'notes'], folder)).toMatchObject({ exitCode: 0, stdout: 'lines\n' })
    expect(readFileSync(join(folder, 'examples/fixtures/loops/notes/page.md'), 'utf8')).toBe('# Notes\nBuy milk.\nCall Ada, then Bob.')
    expect(runTek(['show', 'notes', '--decisions'], folder).stdout).toContain('a word is lost')
  })

  test('plan-90: ninety tasks that end in a release', () => {
    const source = readFileSync(join(folder, 'examples/plan-90.tek'), 'utf8')
    const release = source.slice(source.indexOf('workflow release('), source.indexOf('\ntest '))
    expect(release.match(/^ {2}task /gm)).toHaveLength(90)
    expect(runForValue(['examples/plan-90.tek'], folder)).toMatchObject({ version: '4.0.0', packages: 12, changes: 220, ready: true })
  })

  test('plan-90: a change of a module that nobody owns stops the release', () => {
    const changes = join(folder, 'examples/plan-90/changes.csv')
    const before = readFileSync(changes, 'utf8')
    writeFileSync(changes, `${before}L-999,moon,fix,1,Land softly\n`)
    try {
      const ended = runTek(['run', 'examples/plan-90.tek'], folder)
      expect(ended.exitCode).toBe(1)
      expect(ended.stderr).toContain('Nobody owns: moon.')
    } finally {
      writeFileSync(changes, before)
    }
  })

  test('pipeline: typed rows, the seven bad ones with their reasons, charts and a table', () => {
    const value = runForValue(['examples/pipeline/pipeline.tek', '--out', 'sales'], folder) as { rows: number; bad: { row: number; problem: string }[]; revenue: number }
    expect(value.rows).toBe(3000)
    expect(value.bad.map(bad => bad.problem)).toEqual([
      'the units are `twelve`', 'the day is `17.02.2026`', 'has 3 cells, not 5', 'no region', 'the price is `n/a`', 'has 6 cells, not 5', 'the day is `total`',
    ])
    expect(value.bad[0]?.row).toBe(139)
    const report = readFileSync(join(folder, 'sales/report.md'), 'utf8')
    expect(report).toContain('2993 sales')
    expect(report).toContain('East, coast')
    expect(report).toContain('Glue "Extra"')
    for (const name of ['regions.svg', 'months.svg']) expect(readFileSync(join(folder, 'sales', name), 'utf8')).toMatch(/^<svg /)
  })

  test('when-things-fail: the fallback and the hole', () => {
    expect(runForValue(['examples/when-things-fail.tek'], folder)).toEqual({ settings: { name: 'default', port: 8080 }, present: ['alpha', 'gamma'], missing: 1 })
  })

  test('sub-workflows: each folder measured', () => {
    expect(runForValue(['examples/sub-workflows.tek'], folder)).toMatchObject([{ folder: 'examples' }, { folder: 'examples/pipeline', files: 1 }])
  })

  test('release: waits for a person without a process, goes on when it is approved, then waits for a time', () => {
    const waiting = runTek(['run', 'examples/release.tek'], folder)
    expect(waiting.exitCode).toBe(6)
    expect(waiting.stderr).toContain('tek approve shipped')
    const ended = runTek(['approve', 'shipped', '--resume', '--allow-all'], folder)
    expect(ended.exitCode, ended.stderr).toBe(0)
    expect(JSON.parse(ended.stdout.slice(ended.stdout.indexOf('{')))).toMatchObject({ shipped: true })
    expect(readFileSync(join(folder, 'release/log.txt'), 'utf8')).toMatch(/shipped 1\.2\.0\n$/)
  })

  test('verify: three equal fingerprints are one', () => {
    expect(runForValue(['examples/verify.tek'], folder)).toHaveLength(2)
  })

  test('cache: the second run counts nothing again, a changed file is counted', () => {
    const cached = (): number => {
      const ended = runTek(['run', 'examples/cache.tek', '--json'], folder)
      const last = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}') as { summary: { tasks: { cached: number } } }
      return last.summary.tasks.cached
    }
    expect(cached()).toBe(0)
    expect(cached()).toBe(2)
    writeFileSync(join(folder, 'examples/fixtures/texts/wood.md'), 'Larch wood again.\n')
    expect(cached()).toBe(1)
  })

  test('roman: a plugin of one TypeScript file', () => {
    expect(runForValue(['examples/roman/roman.tek', '--years', '[9, 5000]'], folder)).toEqual(['IX', null])
  })
})

describe('injection', () => {
  test('the check draws the whole way of the text, and names the three things', () => {
    const ended = runTek(['check', refused], folder, { COLUMNS: '80' })
    expect(ended.exitCode).toBe(3)
    const output = `${ended.stdout}${ended.stderr}`
    const steps = [...output.matchAll(/(\d)\. (.+)/g)].map(([, number, text]) => `${number} ${text}`)
    expect(steps).toEqual([
      '1 `triager` is told text from outside here',
      '2 `fs.read` reads what is private (`fs.read`)',
      '3 `push` sends data out (`exec`)',
      '4 does all three: one message from a stranger is enough',
      '1 text from the web comes in here',
      '2 goes through `join`',
      '3 goes into the prompt of `triager`',
      '4 so what `triager` answers may be what that text asked for',
      '5 goes into `push` as `branch`',
      '6 ends in the command line of `shell.run`',
    ])
    expect(Math.max(...output.split('\n').filter(line => /^ *\d* \|/.test(line)).map(line => line.length))).toBeLessThanOrEqual(80)
  })

  test('one key closes the way of the text; the three things are left to a person', () => {
    const ended = runTek(['check', '--fix', refused], folder)
    expect(ended.exitCode).toBe(3)
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('trust/')
    expect(`${ended.stdout}${ended.stderr}`).toContain('agent/lethal-trifecta')
    expect(readFileSync(join(folder, refused), 'utf8')).toContain('workflow push(branch: string(matches: ')
    expect(readFileSync(join(folder, refused), 'utf8')).not.toContain('trust(')
  })
})

test('repo-health is bundled by name', () => {
  const ended = runTek(['run', 'repo-health', '--help'], projectRoot)
  expect([ended.exitCode, ended.stdout]).toEqual([0, expect.stringContaining('--days')])
})
