// Disk: real processes on real disks that are full, read-only, taken away, locked or short of descriptors: a code, nothing lost, and reading needs no writing.
//   The small and the read-only disk are mounts in a name space of their own, which goes with the test's process; where that is not to be had, those tests
//   are skipped by name.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { binary, project, startTek, tek } from './binary.ts'

const hasMounts = spawnSync('unshare', ['-rm', 'sh', '-c', 'mkdir -p /tmp/tek-mount && mount -t tmpfs -o size=1m tmpfs /tmp/tek-mount']).status === 0

let here: ReturnType<typeof project>
beforeEach(() => void (here = project({})))
afterEach(() => here.remove())

/** The numbers that a program noted, one a line, outside of the disk that is in trouble. */
const noted = (): string[] => (existsSync(join(here.path, 'log')) ? readFileSync(join(here.path, 'log'), 'utf8').trim().split('\n') : [])

/** Notes the numbers below `count`, each together with a text of 20,000 characters that the journal must hold. */
const noting = (count: number): string => `workflow main() -> any {
  can fs.read("**"), fs.write("${here.path}/log"), exec("sleep", "**")
  task t for i in range(${count}) parallel 4 = { text: fs.read("big.txt"), slept: shell.run("sleep", "0.01").ok, wrote: fs.append("${here.path}/log", "\${i}\\n") }
  return len(t)
}
`

/** Runs a script of the shell on a small disk of its own; `tek` is at hand. Gives what each `step NAME COMMAND…` came to. */
async function onSmallDisk(megabytes: number, script: string): Promise<Record<string, { code: number; out: string }>> {
  const disk = join(here.path, 'disk')
  mkdirSync(disk)
  const whole = `set -u
mount -t tmpfs -o size=${megabytes}m tmpfs '${disk}'
cd '${disk}'
tek() { '${process.execPath}' '${binary}' "$@"; }
step() { name=$1; shift; "$@" > '${here.path}/out-'$name 2>&1; echo $? > '${here.path}/code-'$name; }
head -c 20000 /dev/zero | tr '\\0' x > big.txt
cp '${here.path}/p.tek' .
${script}
`
  const child = spawn('unshare', ['-rm', 'sh', '-c', whole], { env: { PATH: process.env['PATH'] ?? '', HOME: here.path }, stdio: ['ignore', 'ignore', 'inherit'] })
  await once(child, 'close')
  const read = (name: string): string => readFileSync(join(here.path, name), 'utf8').trim()
  const steps = readdirSync(here.path).filter(each => each.startsWith('code-')).map(each => [each.slice(5), { code: Number(read(each)), out: read(`out-${each.slice(5)}`) }] as const)
  return Object.fromEntries(steps)
}

const questions = ['runs', 'show last', 'logs', 'why t', 'replay last', 'audit verify', 'waits', 'stats']
const askAll = (name: string): string => questions.map(each => `step ${name}-${each.split(' ')[0]} tek ${each}`).join('\n')

describe.skipIf(!hasMounts)('a disk without room (needs mounts of its own)', () => {
  test('the run ends with the code, everything can be read, and it goes on when there is room', { timeout: 300_000 }, async () => {
    writeFileSync(join(here.path, 'p.tek'), noting(160))
    const steps = await onSmallDisk(24, `
head -c 22000000 /dev/zero > filler
step run tek run p.tek --allow-all --unconfined
dd if=/dev/zero of=rest bs=512 2> /dev/null
${askAll('full')}
step resume-full tek resume last --allow-all --unconfined
rm filler rest
step resume tek resume last --allow-all --unconfined --quiet
step again tek resume last --allow-all --unconfined --quiet
step integrity tek audit verify
`)
    expect(steps['run']).toMatchObject({ code: 1, out: expect.stringContaining('run/journal-disk-full') })
    for (const each of questions) expect(steps[`full-${each.split(' ')[0]}`], each).toMatchObject({ code: 0, out: expect.not.stringContaining('error') })
    expect(steps['full-runs']!.out).toContain('resumable')
    expect(steps['full-replay']!.out).toContain('the same')
    expect(steps['resume-full']).toMatchObject({ code: 1, out: expect.stringContaining('run/journal-disk-full') })
    expect(steps['resume']).toEqual({ code: 0, out: '160' })
    expect(steps['again']).toEqual({ code: 0, out: '160' })
    expect(steps['integrity']!.code).toBe(0)
    const lines = noted()
    expect(new Set(lines).size).toBe(160)
    expect(lines.length).toBeLessThanOrEqual(160 + 2 * 4) // what was under way when it ended, twice
  })
})

describe.skipIf(!hasMounts)('a disk that is read-only (needs mounts of its own)', () => {
  test('a run that was killed, with its log lying there, is read as it is; what would write says so', { timeout: 300_000 }, async () => {
    writeFileSync(join(here.path, 'p.tek'), noting(80))
    const steps = await onSmallDisk(24, `
'${process.execPath}' '${binary}' run p.tek --allow-all --unconfined --quiet & pid=$!
while [ ! -s '${here.path}/log' ] || [ "$(wc -l < '${here.path}/log')" -lt 20 ]; do sleep 0.05; done
kill -9 $pid; wait $pid
step log test -s .tek/tek.db-wal
until mount -o remount,ro '${join(here.path, 'disk')}' 2> /dev/null; do sleep 0.1; done
${askAll('ro')}
step ro-report tek show last --json
step ro-run tek run p.tek --allow-all --unconfined
step ro-resume tek resume last --allow-all --unconfined
mount -o remount,rw '${join(here.path, 'disk')}'
step report tek show last --json
step resume tek resume last --allow-all --unconfined --quiet
`)
    expect(steps['log']!.code).toBe(0)
    for (const each of questions) expect(steps[`ro-${each.split(' ')[0]}`], each).toMatchObject({ code: 0, out: expect.not.stringContaining('error') })
    expect(steps['ro-report']!.out === steps['report']!.out).toBe(true)
    expect((JSON.parse(steps['ro-report']!.out) as { tasks: { status: string }[] }).tasks.filter(each => each.status === 'done').length).toBeGreaterThan(5)
    expect(steps['ro-run']).toMatchObject({ code: 1, out: expect.stringContaining('run/journal-not-writable') })
    expect(steps['ro-resume']).toMatchObject({ code: 1, out: expect.stringContaining('run/journal-not-writable') })
    expect(steps['resume']).toEqual({ code: 0, out: '80' })
    expect(new Set(noted()).size).toBe(80)
  })
})

/** Begins a run and gives it when it has noted some numbers. */
async function begun(count: number, from: number, characters = 20_000): Promise<ReturnType<typeof startTek>> {
  here.write('p.tek', noting(count))
  here.write('big.txt', 'x'.repeat(characters))
  const started = startTek(['run', 'p.tek', '--unconfined', '--quiet'], { cwd: here.path })
  while (noted().length < from && started.child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 20))
  return started
}

test('`.tek` taken away while a run goes on: it stops with the code, and not as if it were done', async () => {
  const { ended } = await begun(2_000, 10)
  const gone = join(here.path, 'gone')
  renameSync(join(here.path, '.tek'), gone) // at once: it goes on writing there, and a folder that is written to is never empty
  rmSync(gone, { recursive: true })
  const { code, err } = await ended
  expect(err).toContain('run/journal-removed')
  expect(err).not.toMatch(/bug in tek|^\s+at /m)
  expect(code).toBe(1)
})

test('locked for longer than tek waits: the code; what was recorded is there, and the run goes on', { timeout: 120_000 }, async () => {
  const { ended } = await begun(150, 10)
  const other = new Database(join(here.path, '.tek', 'tek.db'))
  other.exec('begin immediate')
  const { code, err } = await ended
  const reading = await tek(['runs'], { cwd: here.path }) // reading does not wait for who writes
  other.exec('rollback')
  other.close()
  expect(err).toContain('run/journal-locked')
  expect(code).toBe(1)
  expect(reading).toMatchObject({ code: 0, out: expect.stringContaining('p.tek') })
  const resumed = await tek(['resume', 'last', '--unconfined', '--quiet'], { cwd: here.path })
  expect(resumed.out.trim(), resumed.err).toBe('150')
  expect(new Set(noted()).size).toBe(150)
})

test('locked for a while: it waits', { timeout: 120_000 }, async () => {
  const { ended } = await begun(100, 10)
  const other = new Database(join(here.path, '.tek', 'tek.db'))
  other.exec('begin immediate')
  await new Promise(resolve => setTimeout(resolve, 1_000))
  other.exec('rollback')
  other.close()
  const { code, out, err } = await ended
  expect(code, err).toBe(0)
  expect(out.trim()).toBe('100')
  expect(noted().length).toBe(100)
})

test('no more descriptors: said as such at any limit, never as a bug', { timeout: 120_000 }, async () => {
  here.write('p.tek', noting(3))
  here.write('big.txt', 'x')
  const codes: string[] = []
  for (const limit of [20, 22, 24, 28, 36]) {
    const { stdout, stderr, status } = spawnSync('sh', ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, binary, 'run', 'p.tek', '--allow-all', '--unconfined'], { cwd: here.path, encoding: 'utf8' })
    const said = stdout + stderr
    expect(said, String(limit)).not.toContain('bug in tek')
    if (status !== 0) codes.push(/error ([\w/-]+)/.exec(said)?.[1] ?? said.slice(0, 300))
  }
  expect(codes).toContain('cli/no-more-files')
  expect((await tek(['run', 'p.tek', '--unconfined', '--quiet'], { cwd: here.path })).out.trim()).toBe('3')
})

test('copied while a run writes: each copy is whole, holds a beginning of the run, and goes on elsewhere', { timeout: 300_000 }, async () => {
  const { ended } = await begun(120, 5, 100) // little enough that its log is not moved to the database meanwhile
  const copies: string[] = []
  for (let copy = 0; copy < 6; copy++) {
    await new Promise(resolve => setTimeout(resolve, 60))
    const folder = join(here.path, `copy${copy}`)
    mkdirSync(join(folder, '.tek'), { recursive: true })
    for (const name of ['tek.db', 'tek.db-wal']) cpSync(join(here.path, '.tek', name), join(folder, '.tek', name))
    for (const name of ['p.tek', 'big.txt']) cpSync(join(here.path, name), join(folder, name))
    copies.push(folder)
  }
  expect((await ended).out.trim()).toBe('120')
  const whole = eventsIn(here.path)
  let before = 0
  for (const folder of copies) {
    const events = eventsIn(folder)
    expect(events.length).toBeGreaterThanOrEqual(before)
    expect(events.length).toBeLessThan(whole.length)
    expect(whole.slice(0, events.length)).toEqual(events)
    before = events.length
  }
  const resumed = await tek(['resume', 'last', '--unconfined', '--quiet'], { cwd: copies[2]! })
  expect(resumed.out.trim(), resumed.err).toBe('120')
})

/** The events of the one run of a project, as they were written. */
function eventsIn(folder: string): unknown[] {
  const database = new Database(join(folder, '.tek', 'tek.db'))
  expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
  const rows = database.prepare('select base_ms, packed from events order by seq').all() as { base_ms: number; packed: string }[]
  database.close()
  return rows.flatMap(({ base_ms, packed }) => (JSON.parse(packed) as [number, number, ...unknown[]][]).map(([kind, at, ...rest]) => [kind, base_ms + at, ...rest]))
}
