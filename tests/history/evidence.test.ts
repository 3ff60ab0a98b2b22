// The folder of a run: what is in it is what its schemas say, it is safe to pass on, there whole or not at all, and can be checked.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportRun } from '#history/export.ts'
import { safeName } from '#history/safe-name.ts'
import { nodeHost } from '#host/node-host.ts'
import { project, tek } from '../e2e/binary.ts'
import { portOf } from '../host/network.ts'
import { bytesBeneath, canariesIn } from '../secrets/forms.ts'
import { problemsOf, validator } from './schemas.ts'

const program = (server: string): string => `
secret key = env("EVIDENCE_KEY")

workflow inner(n: int) -> int {
  task twice = n * 2
  return twice
}

workflow main(folder: path = "notes") -> untrusted any {
  can fs.read("\${folder}/**"), env("EVIDENCE_KEY"), fs.read("big.txt"), net("${server}")

  task files = fs.glob("\${folder}/**")

  task counted for file in files = text.count(fs.read(file), "todo")

  task gone retry 1 on failure use 0 = len(fs.read("\${folder}/none"))

  task sure verify 3 agree 2 = sum(counted)

  task total cache 1d = sum(counted) + sure

  task within = inner(total)

  task big = fs.read("big.txt")

  task echoed = http.get("http://${server}/", bearer: key)

  return { total: within + gone, big: len(big), echoed: echoed }
}
`
const secret = 'canary-evidence-91b7c0'
let here: ReturnType<typeof project>

let server: Server

beforeAll(async () => {
  server = createServer((request, response) => void response.end(JSON.stringify(request.headers)))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  here = project({ 'main.tek': program(`127.0.0.1:${portOf(server)}`), 'notes/a.txt': 'todo todo', 'notes/b.txt': 'x', 'big.txt': 'y'.repeat(70_000) })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  here.remove()
})

const run = (...words: string[]) => tek(words, { cwd: here.path, env: { EVIDENCE_KEY: secret } })
const json = (path: string): any => JSON.parse(readFileSync(join(here.path, path), 'utf8'))

function filesBeneath(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(each => each.isFile()).map(each => join(each.parentPath, each.name))
}

describe('the evidence of a run', () => {
  test('each file is as its schema says, and tells what happened', { timeout: 120_000 }, async () => {
    const ended = await run('run', 'main.tek', 'main', '--evidence', 'ev')
    expect(ended.code, ended.err).toBe(0)
    expect(ended.err).toContain('The evidence of run')
    const [ofRun, ofTask, ofEvent, ofManifest] = ['run', 'task', 'event', 'manifest'].map(validator)
    expect(problemsOf(ofRun!, json('ev/run.json'))).toEqual([])
    expect(problemsOf(ofManifest!, json('ev/manifest.json'))).toEqual([])
    const tasks = readdirSync(join(here.path, 'ev/tasks'))
    for (const name of tasks) expect(problemsOf(ofTask!, json(`ev/tasks/${name}`)), name).toEqual([])
    for (const line of readFileSync(join(here.path, 'ev/events.ndjson'), 'utf8').trim().split('\n')) expect(problemsOf(ofEvent!, JSON.parse(line)), line).toEqual([])
    const told = json('ev/run.json')
    expect(told.status).toBe('done')
    expect(told.parameters).toEqual({ value: { folder: 'notes' } })
    expect(told.tasks.map((each: any) => each.path)).toEqual(expect.arrayContaining(['files', 'counted[0]', 'within/twice', 'gone']))
    expect(told.tasks.every((each: any) => tasks.includes(each.file.slice('tasks/'.length)))).toBe(true)
    expect(told.sessions).toMatchObject([{ end: 'finished' }])
    const sure = json('ev/tasks/sure.json')
    expect(sure.outcomes).toHaveLength(3)
    expect(sure.inputs.map((each: any) => each.task)).toEqual(['counted'])
    const gone = json('ev/tasks/gone.json')
    expect(gone).toMatchObject({ status: 'failed', calls: [{ name: 'fs.read', outcome: { kind: 'failure' } }] })
    expect(gone.lines.some((each: any) => each.code === 'fs/not-found')).toBe(true)
    expect(json('ev/tasks/total.json').cache).toMatchObject({ hit: false, parts: expect.arrayContaining([{ part: 'task counted', sha256: sure.inputs[0].sha256 }]) })
    const big = json('ev/tasks/big.json').outcome
    expect(JSON.parse(readFileSync(join(here.path, 'ev', big.valueFile), 'utf8'))).toHaveLength(70_000)
    expect(readFileSync(join(here.path, 'ev/report.html'), 'utf8')).toContain('<a href="tasks/gone.json">gone</a>')
  })

  test('no path of this machine and no secret is in it; the same record gives the same bytes', { timeout: 120_000 }, async () => {
    await run('show', 'last', '--out', 'again')
    const files = filesBeneath(join(here.path, 'ev'))
    expect(files.length).toBeGreaterThan(10)
    for (const file of files) {
      const text = readFileSync(file, 'utf8')
      expect(text.includes(here.path), file).toBe(false)
      expect(readFileSync(file.replace('/ev/', '/again/'), 'utf8') === text, file).toBe(true)
    }
    expect(canariesIn(bytesBeneath(join(here.path, 'ev')), [secret])).toEqual([])
    expect(JSON.stringify(json('ev/tasks/echoed.json').outcome)).toContain('[secret key]')
    expect(json('ev/tasks/gone.json').outcome.failure.message).toContain('./notes/none')
  })

  test('a folder is checked: what was changed, added or taken away is named', { timeout: 120_000 }, async () => {
    expect(await run('show', '--verify', 'again')).toMatchObject({ code: 0, out: expect.stringContaining('the same') })
    writeFileSync(join(here.path, 'again/plan.json'), '{}')
    expect(await run('show', '--verify', 'again')).toMatchObject({ code: 1, err: expect.stringContaining('run/evidence-changed') })
    await run('show', 'last', '--out', 'again')
    writeFileSync(join(here.path, 'again/more.txt'), '')
    rmSync(join(here.path, 'again/run.json'))
    const { err } = await run('show', '--verify', 'again')
    expect(err).toContain('`run.json` is missing')
    expect(err).toContain('`more.txt` was added')
    expect(await run('show', '--verify', 'notes')).toMatchObject({ code: 1, err: expect.stringContaining('run/not-evidence') })
  })

  test('only an earlier export is replaced, and the project never', { timeout: 120_000 }, async () => {
    mkdirSync(join(here.path, 'mine'))
    writeFileSync(join(here.path, 'mine/file'), 'mine')
    for (const out of ['mine', 'main.tek', '.', '..', 'again']) {
      const { code, err } = await run('show', 'last', '--out', out)
      expect(code, out).not.toBe(0)
      expect(err, out).toContain('run/folder-taken')
    }
    expect(await run('run', 'main.tek', 'main', '--evidence', 'mine')).toMatchObject({ err: expect.stringContaining('run/folder-taken'), out: '' })
    const project = await run('show', 'last', '--out', '.', '--force')
    expect(project.err).toContain('run/folder-taken')
    expect(project.err).not.toContain('--force') // it was given, and does not help
    for (const words of [['--tasks', 'all'], ['--force']]) expect(await run('show', 'last', ...words)).toMatchObject({ err: expect.stringContaining('cli/unfit-option'), code: 2 })
    expect(readFileSync(join(here.path, 'mine/file'), 'utf8')).toBe('mine')
    writeFileSync(join(here.path, 'mine/manifest.json'), JSON.stringify({ version: 1, kind: 'tek-evidence', runId: 'x', tekVersion: '1', files: [{ path: 'file', bytes: 4, sha256: 'x' }] })) // it came with the folder
    expect(await run('show', 'last', '--out', 'mine')).toMatchObject({ err: expect.stringContaining('run/folder-taken') })
    expect(readFileSync(join(here.path, 'mine/file'), 'utf8')).toBe('mine')
    symlinkSync('mine', join(here.path, 'link'))
    expect((await run('show', 'last', '--out', 'link', '--force')).code).toBe(0)
    expect(existsSync(join(here.path, 'mine/manifest.json'))).toBe(true)
    expect((await run('show', 'last', '--out', 'ev')).code).toBe(0)
    expect(readdirSync(here.path).filter(each => each.startsWith('.tek-evidence'))).toEqual([])
  })

  test('a large run writes a thousand tasks, failed ones first, and says so; more when asked', { timeout: 240_000 }, async () => {
    here.write('many.tek', 'workflow main() -> int {\n  task items for n in range(1, 3001) on failure use 0 = if mod(n, 1000) == 500 then fail("no") else n\n  return len(items)\n}\n')
    const ended = await run('run', 'many.tek', '--quiet', '--evidence', 'many')
    expect(ended.code, ended.err).toBe(0)
    expect(ended.err).toContain('2,001 of 3,001 tasks have no file of their own')
    expect(readdirSync(join(here.path, 'many/tasks'))).toHaveLength(1_000)
    const told = json('many/run.json')
    expect(told.leftOut).toEqual({ taskFiles: 2_001 })
    expect(told.tasks.filter((each: any) => each.status === 'failed').every((each: any) => each.file !== null)).toBe(true)
    await run('show', 'last', '--out', 'failed', '--tasks', 'failed')
    expect(readdirSync(join(here.path, 'failed/tasks'))).toHaveLength(3)
    await run('show', 'last', '--out', 'all', '--tasks', 'all')
    expect(readdirSync(join(here.path, 'all/tasks'))).toHaveLength(3_001)
    expect((await run('show', '--verify', 'all')).code).toBe(0)
    expect(await run('show', 'last', '--out', 'x', '--tasks', 'some')).toMatchObject({ code: 2, err: expect.stringContaining('cli/bad-value') })
  })

  test('a folder that cannot be written leaves nothing', { timeout: 60_000 }, async () => {
    const { code, err } = await run('show', 'last', '--out', 'main.tek/below')
    expect(code).not.toBe(0)
    expect(err).toContain('cli/cannot-write')
    expect(readdirSync(here.path).filter(each => each.startsWith('.tek-evidence'))).toEqual([])
  })
})

test('a folder has a limit; what was written until then is taken away', { timeout: 60_000 }, async () => {
  const host = nodeHost({ cwd: here.path })
  const runs = JSON.parse((await run('runs', '--json')).out).runs as { runId: string }[]
  const options = { out: 'large', tasks: 'all' as const, isForced: false, tekVersion: '1', page: () => '', maxBytes: 1_000 }
  const answer = await exportRun(host, join(here.path, '.tek/tek.db'), runs[0]!.runId, options)
  expect(answer).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'run/evidence-too-large' }] })
  expect(readdirSync(here.path).filter(each => each === 'large' || each.startsWith('.tek-evidence'))).toEqual([])
})

test('names of files: safe anywhere, and never the same for two tasks', () => {
  const paths = ['scan', 'scan[3]', 'scan-3', 'Scan', 'build/test', 'build-test', 'con', 'lpt1', '..', '…', 'ä', 'x'.repeat(300), 'x'.repeat(301), 'a b', 'a\tb', 'a:b', 'build#2/test']
  const names = paths.map(path => safeName(path, 0))
  expect(new Set(names.map(each => each.toLowerCase())).size).toBe(paths.length)
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}$/)
  expect(names.filter(each => /^(con|lpt1)(\.|$)/i.test(each) && !/^(con|lpt1)\.[0-9a-f]{12}$/.test(each))).toEqual([])
  expect(safeName('scan', 0)).toBe('scan')
  expect(safeName('scan', 1)).not.toBe('scan')
})

test('a tek that is killed while it writes leaves no folder that looks whole', { timeout: 120_000 }, async () => {
  // The folder takes its name last: as long as it has it not, only the one beside it is there.
  const script = `cd ${JSON.stringify(here.path)}; "$0" "$1" show last --out killed --tasks all & sleep 0.4; kill -9 $! 2>/dev/null; wait`
  execFileSync('sh', ['-c', script, process.execPath, join(import.meta.dirname, '../../dist/tek.mjs')], { stdio: 'ignore' })
  if (existsSync(join(here.path, 'killed'))) expect((await run('show', '--verify', 'killed')).code).toBe(0)
  else expect(await run('show', '--verify', 'killed')).toMatchObject({ code: 1 })
})
