// `tek demo crash`, small; and that its counts are real: a server without keys, and two planted bugs, are seen.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { doneTasks } from '../../src/cli/crash-demo/done-tasks.ts'
import { effectServer } from '../../src/cli/crash-demo/effect-server.ts'
import { isKept, Ordeal, type Verdict } from '../../src/cli/crash-demo/ordeal.ts'
import { verdictLines } from '../../src/cli/crash-demo/picture.ts'
import { programName, programText } from '../../src/cli/crash-demo/program.ts'
import { binary, project, tek } from './binary.ts'
import { hasTerminal, onTerminalIn } from './terminal.ts'

interface Told extends Omit<Verdict, 'kills'> {
  readonly ok: boolean
  readonly tasks: number
  readonly kills: number
  readonly killed: Verdict['kills']
  readonly folder: string | null
}

const told = async (...words: string[]): Promise<Told & { code: number | null }> => {
  const { out, err, code } = await tek(['demo', 'crash', '--json', ...words])
  expect(err).toBe('')
  return { ...JSON.parse(out) as Told, code }
}

describe('tek demo', () => {
  test('lists what there is', async () => {
    const { out, code } = await tek(['demo'])
    expect(out).toMatch(/^tek demo crash +2000 tasks, killed 20 times/)
    expect(code).toBe(0)
    expect(JSON.parse((await tek(['demo', '--json'])).out)).toMatchObject({ demos: ['crash'] })
    for (const words of [['demo', 'other'], ['demo', 'crash', '--tasks', '0'], ['demo', 'crash', '--kills', 'x']]) {
      const wrong = await tek(words)
      expect(wrong.err).toContain('cli/bad-value')
      expect(wrong.code).toBe(2)
    }
  })

  test('120 tasks, 5 kills: each has its effect, once', async () => {
    const seen = await told('--tasks', '120', '--kills', '5', '--keep')
    expect(seen).toMatchObject({ ok: true, code: 0, tasks: 120, kills: 5, affected: 120, effects: 120, keys: 120, lost: 0, doubled: 0, repeated: 0, result: 'right' })
    expect(seen.requests).toBe(120 + seen.again)
    expect(new Set(seen.killed.map(each => each.pid)).size).toBe(5)
    expect(readFileSync(join(seen.folder!, programName), 'utf8')).toContain('http.postJson')
    expect((await tek(['runs'], { cwd: seen.folder! })).out).toMatch(/done +crash\.tek crash/)
    rmSync(seen.folder!, { recursive: true })
  })

  test('says it in words, a line for each kill, and leaves nothing behind', async () => {
    const { out, err, code } = await tek(['demo', 'crash', '--tasks', '60', '--kills', '2'])
    expect(code).toBe(0)
    expect(err).toContain('task effect for n in range(tasks) parallel 16')
    expect(err.match(/^kill \d: process \d+ after .*; \d+ tasks done, \d+ effects counted$/gm)).toHaveLength(2)
    expect(out).toMatch(/^60 tasks, 2 kills: 60 effects, 0 lost, 0 doubled, in .+\n/)
    expect(out).toMatch(/The server received \d+ requests with 60 different keys; \d+ came again/)
  })

  test.skipIf(!hasTerminal)('on a terminal it draws what goes on', async () => {
    const folder = project({})
    const { shown, code } = await onTerminalIn(folder.path, ['demo', 'crash', '--tasks', '60', '--kills', '2'], [])
    folder.remove()
    expect(code).toBe(0)
    expect(shown).toMatch(/kill -9 +[x.]{2} +\d of 2/)
    expect(shown).toContain('60 tasks, 2 kills: 60 effects, 0 lost, 0 doubled')
  })
})

describe('the counts are real', () => {
  test('a server that heeds no keys: effects are doubled, and it says so with exit code 1', async () => {
    let seen = await told('--without-keys', '--tasks', '120', '--kills', '6')
    for (let more = 0; more < 5 && seen.again === 0; more++) seen = await told('--without-keys', '--tasks', '120', '--kills', '6') // every kill may have met a quiet instant
    expect(seen.again).toBeGreaterThan(0)
    expect(seen).toMatchObject({ ok: false, code: 1, doubled: seen.again, effects: 120 + seen.again, lost: 0 })
  })

  /** A command that stands before tek and has a bug. */
  const planted = async (bug: string): Promise<Verdict> => {
    const folder = project({})
    const server = await effectServer(true)
    writeFileSync(join(folder.path, programName), programText(server.port))
    const command = folder.write('bug/tek.mjs', `import { rmSync } from 'node:fs'
const words = process.argv.slice(2)
const tek = (...more) => {
  process.removeAllListeners()
  process.argv = [process.argv[0], ${JSON.stringify(binary)}, ...more]
  return import(${JSON.stringify(binary)})
}
${bug}
`)
    try {
      return await new Ordeal({
        tasks: 80, kills: 4, folder: folder.path, server, signal: new AbortController().signal,
        command: [process.execPath, command], doneTasks: () => doneTasks(folder.path), onProgress: () => {},
      }).run()
    } finally {
      await server.close()
      folder.remove()
    }
  }

  test('a tek that forgets its journal doubles, and is seen', async () => {
    const seen = await planted("rmSync('.tek', { recursive: true, force: true, maxRetries: 20 })\nawait tek('run', 'crash.tek', '--tasks', '80', '--allow-all', '--json')")
    expect(seen.doubled).toBeGreaterThan(0)
    expect(seen.repeated).toBeGreaterThan(0)
    expect(isKept(seen)).toBe(false)
    expect(verdictLines(seen, 80, 1_000, true).at(-1)).toBe('This is not what tek promises.')
  })

  test('a tek that says it is done and is not loses, and is seen', async () => {
    const result = JSON.stringify({ version: 1, kind: 'run-finished', summary: { outcome: { kind: 'value', value: { done: 80, sum: 3160 } } } })
    const seen = await planted(`if (words[0] === 'run') await tek(...words)\nelse console.log(${JSON.stringify(result)})`)
    expect(seen.lost).toBeGreaterThan(0)
    expect(seen.result).toBe('right')
    expect(isKept(seen)).toBe(false)
  })
})
