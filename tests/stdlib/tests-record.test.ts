// tests.record on the machine: the copy of a folder that a command gets, what of it is the original, and that nothing comes back.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import { machineLevel } from '#host/run-command.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import tests from '../../stdlib/tests/plugin.ts'
import { callTool, failureOfTool } from './call.ts'
import { contextOf, grant, machineFolder } from './contexts.ts'

const { level: strongest } = await machineLevel()
const folders: string[] = []
afterAll(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })

function folderWith(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}) {
  const { folder, host } = machineFolder()
  folders.push(folder)
  const place = (path: string): string => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    return join(folder, path)
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(place(path), text)
  for (const [path, target] of Object.entries(links)) symlinkSync(target, place(path))
  return { folder, host }
}
const grants = [grant('fs.read', '**'), grant('fs.write', '**'), grant('exec', 'node', '**'), grant('exec', 'sh', '**'), grant('exec', './check.sh', '**'), grant('exec', 'none')]
const record = (host: Host, program: string, ...args: string[]) => callTool(tests, contextOf(host, grants), 'record', program, args)

describe.skipIf(strongest < 2)('a command in a copy', () => {
  const layout = () => folderWith({
    'a.txt': 'a', 'sub dir/-b.txt': 'b', '.hidden': 'h', '.git/HEAD': 'ref: x', '.tek-work/npm/x': 'x', 'packages/w/index.js': "exports.at = __dirname\n",
    'node_modules/.pnpm/p@1/node_modules/p/index.js': 'exports.p = 1\n', 'node_modules/.cache/big': 'x', 'node_modules/plain/index.js': 'exports.at = __dirname\n', 'node_modules/@s/x/index.js': 'exports.x = 1\n',
    'node_modules/.bin/tool': '#!/bin/sh\necho tool\n',
  }, { 'node_modules/p': '.pnpm/p@1/node_modules/p', 'node_modules/@s/w': '../../packages/w', 'link.txt': 'a.txt' })
  const look = `
    const fs = require('fs'), out = {}
    out.here = fs.readdirSync('.').sort(); out.sub = fs.readFileSync('sub dir/-b.txt', 'utf8'); out.link = fs.readlinkSync('link.txt')
    out.p = require('p').p; out.x = require('@s/x').x; out.w = require('@s/w').at; out.plain = require('plain').at; out.cache = fs.existsSync('node_modules/.cache'); out.bin = fs.existsSync('node_modules/.bin/tool')
    fs.writeFileSync('a.txt', 'changed'); fs.writeFileSync('packages/w/new.txt', 'x'); fs.mkdirSync('node_modules/.cache'); fs.rmSync('.hidden')
    try { fs.writeFileSync('node_modules/plain/index.js', 'stolen') } catch (e) { out.refused = e.code }
    console.log(JSON.stringify(out))`

  test('sees all of the folder but git and tek, its packages as links, and leaves it as it was', async () => {
    const { folder, host } = layout()
    const allButWrite = [grant('fs.read', '**'), grant('exec', 'node', '**')] // as the program flaky has it
    const { output, passed } = await callTool(tests, contextOf(host, allButWrite), 'record', 'node', ['-e', look])
    expect(passed).toBe(true)
    const seen = JSON.parse(output)
    expect(seen).toMatchObject({ here: ['.hidden', 'a.txt', 'link.txt', 'node_modules', 'packages', 'sub dir'], sub: 'b', link: 'a.txt', p: 1, x: 1, cache: false, bin: true })
    expect(seen.refused).toMatch(/^E(ROFS|ACCES)$/)
    expect(seen.w).toMatch(/^\/tmp\/tek-copy\/[^/]+\/packages\/w$/)
    expect(seen.plain).toBe(join(folder, 'node_modules/plain'))
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('a')
    expect(existsSync(join(folder, '.hidden'))).toBe(true)
    expect(readdirSync(join(folder, 'packages/w'))).toEqual(['index.js'])
    expect(existsSync('/tmp/tek-copy')).toBe(false)
  })

  test('is at the same place each time, and starts fresh', async () => {
    const { host } = folderWith({ 'a.txt': 'a' })
    const [one, two] = [await record(host, 'sh', '-c', 'pwd; ls; touch left'), await record(host, 'sh', '-c', 'pwd; ls; touch left')]
    expect(one.output).toBe(two.output)
    expect(one.output).toMatch(/^\/tmp\/tek-copy\//)
  })

  test('a program of the folder is the copy\'s own; one that is not there is named', async () => {
    const { host, folder } = folderWith({ 'check.sh': '#!/bin/sh\necho "in $(pwd)"\nexit 4\n' })
    const { chmodSync } = await import('node:fs')
    chmodSync(join(folder, 'check.sh'), 0o755)
    expect(await record(host, './check.sh')).toMatchObject({ exit: 4, passed: false, problem: 'exit-code', output: expect.stringContaining('in /tmp/tek-copy/') })
    await expect(record(host, 'none')).rejects.toMatchObject({ code: 'no-program', message: expect.stringContaining('`none`') })
    expect(await failureOfTool(record(host, 'rm', '-rf', '.'))).toBe('permit/denied')
  })

  test('a folder that does not fit is said to be too large, and nothing is started', async () => {
    const { host, folder } = folderWith({ 'a.txt': 'a' })
    writeFileSync(join(folder, 'large'), Buffer.alloc(140_000_000, 1))
    const context = makeToolContext({
      host, cwd: host.cwd, authority: [grants], implied: [], signal: new AbortController().signal, idempotencyKey: 'k', taskPath: 't', bounds: { memoryBytes: 256 * 1024 ** 2 }, onCount() {}, onLog() {}, onProgress() {},
    })
    await expect(callTool(tests, context, 'record', 'sh', ['-c', 'echo started'])).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining('could not be copied') })
  })
})
