// The guide "From nothing to a published plugin in ten minutes", each step in order by a shell in an empty folder; then the same archive without its own words.
// What npm fetches would come from a network: here it installs the local archive alone, and `tek` is the built one.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { binary, tek } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'

const repository = resolve(import.meta.dirname, '../..')
const hasNpm = spawnSync('npm', ['--version']).status === 0
const blocks = [...read('docs/plugins.md').matchAll(/^```(\w+) ([^\n]*\bauthor)\n([\s\S]*?)^```$/gm)].map(([, language = '', , text = '']) => ({ language, text }))

let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'tek-author-')) })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A shell that stays in the folder where the last block ended. */
let here = ''
function shell(commands: string): Promise<{ code: number | null; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, NODE: process.execPath, TEK: binary, npm_config_offline: 'true', npm_config_legacy_peer_deps: 'true', npm_config_update_notifier: 'false' }
  const child = spawn('sh', ['-e', '-c', `tek() { "$NODE" "$TEK" "$@"; }\ncd "${here}"\n${commands}\necho "at:$PWD"`], { env })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (out += text))
  return new Promise(done => child.on('close', code => {
    here = /at:(.*)/.exec(out)?.[1] ?? here
    done({ code, out })
  }))
}

describe.skipIf(!hasNpm)('from nothing to a plugin in use (needs npm)', () => {
  test('each step of the guide does what it shows', async () => {
    here = folder
    let printed = ''
    let shown = 0
    for (const { language, text } of blocks) {
      if (language === 'tek') writeFileSync(join(here, /^\/\/ ([\w.-]+)\n/.exec(text)![1]!), text)
      if (language === 'sh') {
        const { code, out } = await shell(text)
        expect(code, `${text}\n${out}`).toBe(0)
        printed = out
      }
      if (language !== 'text') continue
      for (const line of text.trim().split('\n')) {
        expect(printed.replaceAll(/ +/g, ' ')).toContain(line)
        shown++
      }
    }
    expect(shown).toBeGreaterThan(5)
  }, 300_000)

  test('checking the installed plugin ran none of its code', async () => {
    const project = join(folder, 'project')
    const shipped = join(project, 'node_modules/tek-words/tek.signature.json')
    const { hash } = JSON.parse(readFileSync(shipped, 'utf8')) as { hash: string }
    const fresh = { cwd: project }
    rmSync(join(project, '.tek'), { recursive: true, force: true })
    expect((await tek(['check', 'flow.tek'], fresh)).code).toBe(0)
    expect(spawnSync('sh', ['-c', 'ls .tek/cache/plugins'], { cwd: project, encoding: 'utf8' }).stdout).not.toContain('signature') // it described nothing
    const { modules } = JSON.parse((await tek(['plugin', 'list', 'flow.tek', '--json'], fresh)).out) as { modules: { hash: string }[] }
    expect(modules.map(each => each.hash)).toEqual([hash]) // packed there, built here: the same
  })

  test('a description that is not true is refused before the plugin is called', async () => {
    const project = join(folder, 'project')
    const shipped = join(project, 'node_modules/tek-words/tek.signature.json')
    const text = readFileSync(shipped, 'utf8')
    writeFileSync(shipped, text.replace('How many words a text has.', 'Something else.'))
    rmSync(join(project, '.tek'), { recursive: true, force: true })
    const { code, err } = await tek(['run', 'flow.tek'], { cwd: project })
    expect(code, err).toBe(1)
    expect(err).toContain('plugin/changed')
    writeFileSync(shipped, text)
  })

  test.each([['older', '0.9'], ['newer', '1.99'], ['next', '2.0']])('one that was packed for the %s interface (%s) is refused by name', async (_, api) => {
    const project = join(folder, 'project')
    const shipped = join(project, 'node_modules/tek-words/tek.signature.json')
    const text = readFileSync(shipped, 'utf8')
    writeFileSync(shipped, text.replace('"api": "1.0"', `"api": "${api}"`))
    const { code, out, err } = await tek(['check', 'flow.tek'], { cwd: project })
    expect(code).toBe(3)
    expect(out + err).toContain(`plugin/api-mismatch: The plugin \`tek-words\` was written for version ${api} of the plugin interface; this tek has 1.0.`)
    writeFileSync(shipped, text)
  })
})

describe('what `tek plugin new` writes', () => {
  test.each([['tek-plain', []], ['tek-full', ['--with', 'grant,model,types']], ['@me/in-node', ['--needs-node', '--with', 'types']]])('%s passes check without a word, its tests, and tsc', async (name, words) => {
    expect((await tek(['plugin', 'new', name, ...words], { cwd: folder })).code).toBe(0)
    const path = join(folder, name.slice(name.indexOf('/') + 1))
    const checked = await tek(['plugin', 'check', '--json', '--unconfined'], { cwd: path })
    expect(JSON.parse(checked.out)).toMatchObject({ ok: true, diagnostics: [] })
    const tested = await tek(['plugin', 'test', '--allow-all', '--unconfined'], { cwd: path })
    expect(tested.code, tested.out + tested.err).toBe(0)
    mkdirSync(join(path, 'node_modules'))
    symlinkSync(repository, join(path, 'node_modules/tek-lang'))
    symlinkSync(join(repository, 'node_modules/@types'), join(path, 'node_modules/@types'))
    const typed = spawnSync(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '--customConditions', 'tek-source'], { cwd: path, encoding: 'utf8' })
    expect(typed.stdout.split('\n').filter(line => /^(?:src|test)\//.test(line))).toEqual([])
  }, 300_000)

  test('nothing that is there is written over', async () => {
    const { code, err } = await tek(['plugin', 'new', 'tek-plain'], { cwd: folder })
    expect(code).toBe(2)
    expect(err).toContain('cli/in-the-way')
  })

  test.each([['tek-text', 'plugin/reserved-name'], ['task', 'plugin/reserved-name'], ['Big Words', 'cli/bad-value']])('%s is no name: %s', async (name, code) => {
    const ended = await tek(['plugin', 'new', name], { cwd: folder })
    expect(ended.code).toBe(2)
    expect(ended.err).toContain(code)
  })
})
