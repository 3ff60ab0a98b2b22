// A plugin's process and everything it starts, together, in the sandboxes this machine has: memory and the number of processes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { confinedAt, machineLevel } from '#host/run-command.ts'
import { launcher } from '#host/sandbox/launchers.ts'
import type { ModuleSignature } from '#model/signature.ts'
import { openProject, openWorkshop, watchedContext, type Workshop } from './workshop.ts'

const PATIENCE_MS = 60_000
const { level: strongest } = await machineLevel()
const levels = ([3, 2] as const).filter(level => level === strongest || (level < strongest && launcher('perl') !== null))

let workshop: Workshop
beforeAll(async () => { workshop = await openWorkshop() })
afterAll(() => workshop.remove())

const plugin = `import { definePlugin, reads, t } from 'tek-lang/plugin'
import { spawn } from 'node:child_process'
const wait = () => new Promise<any>(done => setTimeout(done, 30_000))
export default definePlugin({ name: 'p', version: '1.0.0', doc: '', needsNode: 'a test', tools: {
  hog: reads({ doc: '', input: {}, output: t.any, run: async (): Promise<any> => {
    const kept = []
    for (;;) { kept.push(Buffer.alloc(32 * 1024 ** 2, 1)); await new Promise(done => setImmediate(done)) }
  } }),
  many: reads({ doc: '', input: {}, output: t.any, run: (): Promise<any> => {
    for (let i = 0; i < 3; i++) spawn(process.execPath, ['-e', 'const kept = []; for (let i = 0; i < 16; i++) kept.push(Buffer.alloc(32 * 1024 ** 2, 1)); setTimeout(() => kept.length, 30_000)'])
    return wait()
  } }),
  bomb: reads({ doc: '', input: {}, output: t.any, run: (): Promise<any> => { spawn('/bin/sh', ['-c', '(while :; do sleep 30 & done) & wait']); return wait() } }),
  fine: reads({ doc: '', input: {}, output: t.any, run: async (): Promise<any> => 'fine' }),
} })
`

describe.skipIf(levels.length === 0)('a plugin in a process (needs bubblewrap or perl)', () => {
  test.each(levels)('at level %i: what uses too much is ended with all it started, and the bound is named', async level => {
    const host: Host = { ...nodeHost({ cwd: '/' }), isolation: async () => level, confine: async (command, confinement) => confinedAt(level, command, confinement) }
    const project = openProject(workshop, { 'p.ts': plugin }, { host })
    try {
      const signature = (await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source: './p.ts' })) as ModuleSignature
      const tools = await project.plugins.toolRunner([{ name: 'p', origin: 'plugin', source: './p.ts', release: signature.release, hash: signature.hash, needsNode: 'a test' }], project.folder)
      const call = (fn: string) => tools.call({ module: 'p', fn, args: {} }, watchedContext(project.folder).context)
      const died = (words: string) => ({ kind: 'failure', failure: { code: 'plugin/died', retryable: true, message: expect.stringContaining(words) as string } })
      expect(await call('fine')).toEqual({ kind: 'value', value: 'fine' })
      const processes = workshop.processes() // with its wrapper
      expect(await call('hog')).toMatchObject(died('more than 1024 MiB of memory'))
      expect(await call('many')).toMatchObject(died('more than 1024 MiB of memory')) // none of them alone
      expect(await call('bomb')).toMatchObject(died('it started more than 32 processes'))
      expect(await call('fine')).toEqual({ kind: 'value', value: 'fine' })
      expect(workshop.processes()).toBe(processes)
    } finally {
      await project.close()
    }
  }, PATIENCE_MS)
})
