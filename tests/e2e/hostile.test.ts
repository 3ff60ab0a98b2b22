// What goes wrong at night: damaged files, a full disk, a read-only folder, Ctrl-C, a closed pipe. Each time a code, a place where there
// is one, a next step, no stack trace, no hang, nothing half-written.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { binary, project, tek, type Ended } from './binary.ts'

const folder = project({})
afterAll(() => folder.remove())
const run = (...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path })

/** What every refusal has in common. */
function expectCoded(ended: Ended, exitCode: number, code: RegExp): void {
  const text = ended.out + ended.err
  expect(text).toMatch(new RegExp(`error ${code.source}: `))
  expect(text).not.toMatch(/\n\s+at .*[:/]\d+|This is a bug in tek/)
  expect(text).toMatch(/= (help|fix): |-->/)
  expect(ended.code).toBe(exitCode)
}

const fine = 'workflow w() -> int {\n  task a = 1\n  return a\n}\n'

describe('a file that is', () => {
  test('empty: nothing wrong, nothing to run', async () => {
    folder.write('empty.tek', '')
    expect((await run('check', 'empty.tek')).code).toBe(0)
    expectCoded(await run('run', 'empty.tek'), 2, /cli\/choose-workflow/)
    expect((await run('fmt', 'empty.tek', '--check')).code).toBe(0)
  })

  test('10 MB', async () => {
    folder.write('large.tek', fine.repeat(Math.ceil(10 * 1024 * 1024 / fine.length)))
    expectCoded(await run('check', 'large.tek'), 3, /syntax\/file-too-large/)
  })

  test('nested 100,000 deep, in every bracket and operator', async () => {
    for (const [name, text] of Object.entries({
      parens: `const a = ${'('.repeat(100_000)}1${')'.repeat(100_000)}\n`, lists: `const a = ${'['.repeat(100_000)}`, records: `const a = ${'{ a: '.repeat(100_000)}`, types: `type A = ${'('.repeat(100_000)}int\n`,
      nots: `const a = ${'not '.repeat(100_000)}true\n`, minuses: `const a = ${'- '.repeat(100_000)}1\n`, templates: `const a = ${'"${'.repeat(100_000)}`, sums: `const a = ${'1 + '.repeat(100_000)}1\n`,
    })) {
      folder.write(`deep-${name}.tek`, text)
      const ended = await run('check', `deep-${name}.tek`)
      expect([name, ended.code]).toEqual([name, 3])
      expectCoded(ended, 3, /syntax\/\S+/)
    }
  })

  test('not UTF-8', async () => {
    folder.write('latin1.tek', Buffer.from('const a = "caf\xe9"\n', 'latin1'))
    expectCoded(await run('check', 'latin1.tek'), 2, /cli\/not-utf8/)
    expectCoded(await tek(['check', '-'], { cwd: folder.path, stdin: Buffer.from([0xff, 0xfe]) }), 2, /cli\/not-utf8/)
  })

  test('with a byte order mark, with CRLF: a program like any other', async () => {
    folder.write('bom.tek', `\ufeff${fine}`)
    expect((await run('check', 'bom.tek')).code).toBe(0)
    folder.write('crlf.tek', fine.replace(/\n/g, '\r\n'))
    expect((await run('run', 'crlf.tek', '--quiet')).out).toBe('1\n')
    folder.write('crlf-bad.tek', 'workflow w() -> int {\r\n  task a = 1\r\n  return b\r\n}\r\n')
    expect((await run('check', 'crlf-bad.tek')).out).toContain('--> crlf-bad.tek:3:10')
  })

  test('cut in the middle of a string', async () => {
    folder.write('string.tek', 'const a = "never closed\nworkflow w() -> int { return x }\n')
    const ended = await run('check', 'string.tek')
    expectCoded(ended, 3, /syntax\/unclosed-string/)
    expect(ended.out).toContain('--> string.tek:1:11')
    expect(ended.out).toContain('name/unknown') // the next declaration is still checked
  })

  test('full of NUL bytes and escape sequences', async () => {
    folder.write('nul.tek', `const a = \u0000\u0000\n// \u001b]0;owned\u0007\nconst \u001b[31m = 1\n${'\u0000'.repeat(1_000)}`)
    const ended = await run('check', 'nul.tek')
    expectCoded(ended, 3, /syntax\/\S+/)
    expect(ended.out).not.toMatch(/[\u0000\u001b\u0007]/)
  })
})

describe('a program', () => {
  test('whose 1,000 tasks wait for each other', async () => {
    const tasks = Array.from({ length: 1_000 }, (_, index) => `  task t${index} = t${(index + 1) % 1_000} + 1`).join('\n')
    folder.write('cycle.tek', `workflow w() -> int {\n${tasks}\n  return t0\n}\n`)
    const ended = await run('check', 'cycle.tek')
    expectCoded(ended, 3, /task\/\S+/)
    expect(ended.out.length).toBeLessThan(10_000)
  })

  test('of two files that use each other', async () => {
    folder.write('a.tek', 'use "./b.tek" (b)\nworkflow a() -> int {\n  task x = b()\n  return x\n}\n')
    folder.write('b.tek', 'use "./a.tek" (a)\nworkflow b() -> int {\n  task x = a()\n  return x\n}\n')
    const ended = await run('check', 'a.tek')
    expectCoded(ended, 3, /name\/import-cycle/)
  })

  test('that uses a file which is not there, or is no text', async () => {
    folder.write('uses.tek', 'use "./gone.tek" (x)\nworkflow w() -> int { return 1 }\n')
    const ended = await run('check', 'uses.tek')
    expectCoded(ended, 3, /name\/\S+/)
    expect(ended.out).toContain('gone.tek')
    folder.write('gone.tek', Buffer.from([0xff, 0xfe, 0x0a]))
    expectCoded(await run('check', 'uses.tek'), 3, /name\/unreadable-file/)
    rmSync(join(folder.path, 'gone.tek'))
  })

  test('whose plugin throws, ends the process, or never comes back when it is loaded', async () => {
    for (const [name, body] of Object.entries({ throws: 'throw new Error("boom at load")', exits: 'process.exit(3)', missing: "import './nowhere.ts'", hangs: 'await new Promise(resolve => setTimeout(resolve, 1e9))' })) {
      folder.write(`plugins/${name}.ts`, `${body}\nexport default {}\n`)
      folder.write(`${name}.tek`, `use plugin "./plugins/${name}.ts" as p\nworkflow w() -> int {\n  task a = p.x()\n  return 1\n}\n`)
      const ended = await run('check', `${name}.tek`)
      expectCoded(ended, 3, /plugin\/\S+/)
      expect(ended.out).toContain(`--> ${name}.tek:1:`)
    }
  }, 90_000)
})

describe('a machine', () => {
  test('without the file, without the right to read it', async () => {
    expectCoded(await run('check', 'nowhere.tek'), 2, /cli\/file-not-found/)
    expectCoded(await run('compile', folder.path), 2, /cli\/(is-a-folder|unknown-program)/)
    mkdirSync(join(folder.path, 'dir.tek'))
    expectCoded(await run('run', 'dir.tek'), 2, /cli\/is-a-folder/)
    rmSync(join(folder.path, 'dir.tek'), { recursive: true })
    // A link to itself: the system refuses to follow it, whoever asks.
    symlinkSync('loop.tek', join(folder.path, 'loop.tek'))
    expectCoded(await run('check', 'loop.tek'), 2, /cli\/cannot-read/)
    rmSync(join(folder.path, 'loop.tek'))
  })

  const isRoot = process.getuid?.() === 0
  const mounts = (options: string): string | null => {
    const at = join(folder.path, `mount-${options.replace(/\W/g, '-')}`)
    mkdirSync(at, { recursive: true })
    return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]).status === 0 ? at : null
  }
  const unmount = (at: string): void => void execFileSync('umount', ['-l', at])

  test('with a read-only folder: reading works, writing says why not, nothing is left behind', async context => {
    folder.write('ro.tek', 'const   a=1\nworkflow w() -> int { return a }\n')
    const at = isRoot ? mounts('size=1m') : join(folder.path, 'read-only')
    if (at === null) return context.skip('this machine lets nobody mount')
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, 'flow.tek'), 'const   a=1\nworkflow w() -> int { return a }\n')
    if (isRoot) execFileSync('mount', ['-o', 'remount,ro', at])
    else chmodSync(at, 0o555)
    try {
      expect((await tek(['check'], { cwd: at })).code).toBe(0)
      expectCoded(await tek(['fmt'], { cwd: at }), 2, /cli\/cannot-write/)
      expectCoded(await tek(['compile', 'flow.tek', '-o', 'plan.json'], { cwd: at }), 2, /cli\/cannot-write/)
      expectCoded(await tek(['run', 'flow.tek'], { cwd: at }), 1, /run\/journal-\S+/)
      expect((await tek(['run', 'flow.tek', '--no-journal', '--quiet'], { cwd: at })).out).toBe('1\n')
      expect(readdirSync(at)).toEqual(['flow.tek'])
    } finally {
      if (isRoot) unmount(at)
      else chmodSync(at, 0o755)
    }
  })

  test('with a full disk: the old file stays whole, the run says so', async context => {
    const at = isRoot ? mounts('size=256k') : null
    if (at === null) return context.skip('a small disk needs the right to mount')
    try {
      writeFileSync(join(at, 'flow.tek'), 'workflow w() -> int[] {\n  task many for n in range(200) = n\n  return many\n}\n')
      writeFileSync(join(at, 'plan.json'), 'old')
      let filled = 0
      try {
        for (; ; filled += 4096) writeFileSync(join(at, 'filler'), Buffer.alloc(4096), { flag: 'a' })
      } catch {
        expect(filled).toBeGreaterThan(4096)
      }
      expectCoded(await tek(['compile', 'flow.tek', '-o', 'plan.json'], { cwd: at }), 2, /cli\/cannot-write/)
      expect(readFileSync(join(at, 'plan.json'), 'utf8')).toBe('old')
      expectCoded(await tek(['run', 'flow.tek'], { cwd: at }), 1, /run\/journal-\S+/)
      expect(readdirSync(at).filter(name => !['.tek', 'filler', 'flow.tek', 'plan.json'].includes(name))).toEqual([])
    } finally {
      unmount(at)
    }
  })
})

const slow = 'workflow w() -> int {\n  can exec("sleep", "30")\n  task first = 1\n  task slow = shell.run("sleep", "30")\n  return first\n}\n'
/** Whether a process whose command line holds `text` is alive. */
const alive = (text: string): boolean => spawnSync('pgrep', ['-f', text]).status === 0
/** The sandbox takes a command down a moment after tek; a busy machine makes the moment longer. */
async function gone(text: string): Promise<boolean> {
  for (let look = 0; look < 200 && alive(text); look++) await new Promise(resolve => setTimeout(resolve, 50))
  return !alive(text)
}

test('a folder with more programs than tek takes in one go', async () => {
  const many = project({})
  try {
    for (let index = 0; index <= 10_000; index++) writeFileSync(join(many.path, `p${index}.tek`), '')
    expectCoded(await tek(['check'], { cwd: many.path }), 2, /cli\/too-many-files/)
  } finally {
    many.remove()
  }
})

describe('Ctrl-C', () => {
  test('once: stops gracefully, says what is kept, exit code 130', async () => {
    folder.write('slow.tek', slow.replaceAll('30', '31.7'))
    let sent = false
    const ended = await tek(['run', 'slow.tek'], {
      cwd: folder.path,
      onErr: (text, kill) => {
        if (sent || !text.includes('first')) return
        sent = true
        kill('SIGINT')
      },
    })
    expect(ended.code).toBe(130)
    expect(ended.err).toContain('Stopping')
    expect(ended.err).toMatch(/What had finished is kept[\s\S]*`tek resume [0-9a-f]{8}` goes on with it/)
    expect(ended.out).toBe('')
    expect(alive('sleep 31.7')).toBe(false)
    const { out } = await run('runs')
    expect(out.split('\n')[0]).toMatch(/resumable/)
  })

  test('twice: ends at once, with 130', async () => {
    folder.write('slow2.tek', slow.replaceAll('30', '32.7'))
    let sent = 0
    const ended = await tek(['run', 'slow2.tek'], {
      cwd: folder.path,
      onErr: (text, kill) => {
        if (sent === 0 && text.includes('first')) {
          sent = 1
          kill('SIGINT')
        } else if (sent === 1 && text.includes('Stopping')) {
          sent = 2
          kill('SIGINT')
        }
      },
    })
    expect(ended.code).toBe(130)
    expect(await gone('sleep 32.7')).toBe(true)
    expect(ended.err).not.toMatch(/\n\s+at /)
  })
})

test('a reader that goes away is no error', async () => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${binary}" explain | head -1; "${process.execPath}" "${binary}" explain --json | true`], { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (text: Buffer) => void (out += text.toString()))
  child.stderr.on('data', (text: Buffer) => void (err += text.toString()))
  await new Promise(resolve => child.on('close', resolve))
  expect(err).toBe('')
  expect(out.split('\n').length).toBe(2)
})

test('NO_COLOR and FORCE_COLOR', async () => {
  folder.write('bad.tek', 'workflow')
  expect((await tek(['check', 'bad.tek'], { cwd: folder.path, env: { FORCE_COLOR: '1' } })).out).toContain('\u001b[31m')
  expect((await tek(['check', 'bad.tek'], { cwd: folder.path, env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).out).not.toContain('\u001b[')
  expect((await tek(['check', 'bad.tek'], { cwd: folder.path })).out).not.toContain('\u001b[')
})

test.runIf(existsSync('/dev/full'))('a result that cannot be written is no success', () => {
  folder.write('told.tek', fine)
  const ended = spawnSync('sh', ['-c', `"${process.execPath}" "${binary}" run told.tek > /dev/full`], { cwd: folder.path, encoding: 'utf8' })
  expect(ended.stderr).toContain('Standard output cannot be written: ')
  expect(ended.status).toBe(1)
})

test('NO_COLOR and FORCE_COLOR together: no colour, no complaint', () => {
  folder.write('told.tek', fine)
  const ended = spawnSync(process.execPath, [binary, 'check', 'told.tek'], { cwd: folder.path, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '1' } })
  expect([ended.status, ended.stderr]).toEqual([0, 'fine: nothing wrong in 1 file\n'])
})

test('a value that looks like an option', async () => {
  folder.write('told.tek', fine)
  expectCoded(await run('run', 'told.tek', '--workers', '-1'), 2, /cli\/missing-value/)
})

test('no crash file was written by any of this', () => {
  expect(existsSync(join(folder.path, '.tek')) ? readdirSync(join(folder.path, '.tek')).filter(name => name.startsWith('crash')) : []).toEqual([])
})
