// Contexts: what a stdlib tool is run with in tests: the real guard, over a host in memory or over the machine in a folder of its own.
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import type { Grant } from '#model/capability.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { memoryHost, type MemoryHost, type MemoryHostOptions } from '#testing/memory-host.ts'
import { impliedPattern } from '#interpreter/implied.ts'

export interface TestContext extends ToolContext {
  readonly logged: string[]
}

export const grant = (name: string, ...args: string[]): Grant => ({ name, args })

/** A context that is allowed these grants, and what the granted plugin grants bring along. */
export function contextOf(host: Host, grants: readonly Grant[], plugin?: Plugin, idempotencyKey = 'key1', begunBefore = false): TestContext {
  const implied = grants.flatMap(one => (plugin?.grants?.[one.name.split('.')[1] ?? '']?.implies ?? []).flatMap(([name, ...args]) => impliedPattern({ name, args: args.map(arg => arg.replace(/^\$1\^\.git/, '$1')) }, one.args) ?? []))
  const logged: string[] = []
  const context = makeToolContext({
    host, cwd: host.cwd, authority: [grants], implied, signal: new AbortController().signal, idempotencyKey, begunBefore, taskPath: 'test',
    onCount() {}, onLog: message => void logged.push(message), onProgress() {},
  })
  return Object.assign(context, { logged })
}

export function memoryContext(options: MemoryHostOptions, grants: readonly Grant[], plugin?: Plugin): { context: TestContext; host: MemoryHost } {
  const host = memoryHost(options)
  return { context: contextOf(host, grants, plugin), host }
}

/** A new empty folder on the machine, with a host that works there. */
export function machineFolder(): { folder: string; host: Host } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tek-stdlib-')))
  return { folder, host: nodeHost({ cwd: folder }) }
}
