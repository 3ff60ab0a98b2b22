// Plugin list: what `tek plugin list` shows: the modules that programs use.
// Owns: asking each for what it offers, and the lines. Does not own: checking programs (open-program.ts), describing plugins (plugins/).
import { join } from 'node:path'
import { neutraliseLine } from '#base/terminal-text.ts'
import type { Host } from '#host/host.ts'
import type { PlanModule } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'
import { createPluginHost } from '#plugins/load.ts'
import type { OpenProgram } from './open-program.ts'
import type { Output } from './terminal.ts'

const SHORT_HASH = 12

export interface UsedModule {
  readonly program: string
  readonly name: string
  readonly origin: PlanModule['origin']
  readonly source: string
  readonly release: string
  readonly hash: string
  readonly runsIn: 'tek' | 'engine' | 'process' | 'server'
  readonly needsNode: string | null
  readonly tools: readonly string[]
  /** Grants that its tools need, and with its own what they imply. */
  readonly grants: readonly string[]
  readonly models: readonly string[]
}

export async function usedModules(host: Host, programs: readonly OpenProgram[], parts: Pick<Parameters<typeof createPluginHost>[0], 'stdlibUrl' | 'childUrl' | 'pluginEntryUrl'>): Promise<UsedModule[]> {
  const plugins = createPluginHost({ host, projectDir: host.cwd, ...parts })
  try {
    const found: UsedModule[] = []
    for (const { plan, shown, folder } of programs) {
      for (const module of plan.modules) {
        const from = join(folder, 'entry.tek')
        const signature = module.origin === 'mcp'
          ? await (await import('#mcp/found-servers.ts')).lockedSignature(host, folder, module.source)
          : await plugins.signature(module.origin === 'std' ? { kind: 'std', name: module.name } : { kind: 'plugin', from, source: module.source })
        found.push(usedModule(shown, module, signature === null || 'code' in signature ? null : signature))
      }
    }
    return found
  } finally {
    await plugins.close()
  }
}

function usedModule(program: string, module: PlanModule, signature: ModuleSignature | null): UsedModule {
  const needed = Object.values(signature?.functions ?? {}).flatMap(({ needs }) => needs.map(each => each.grant))
  return {
    program, name: module.name, origin: module.origin, source: module.source, release: module.release, hash: module.hash, needsNode: module.needsNode ?? null,
    runsIn: module.origin === 'std' ? 'tek' : module.origin === 'mcp' ? 'server' : module.needsNode === undefined ? 'engine' : 'process',
    tools: Object.keys(signature?.functions ?? {}), grants: [...new Set(needed)].sort(), models: Object.keys(signature?.models ?? {}),
  }
}

export function writeModules(out: Output, modules: readonly UsedModule[]): void {
  let program = ''
  for (const each of modules) {
    if (each.program !== program) out.write(`${out.paint('bold', neutraliseLine(each.program))}\n`)
    program = each.program
    const where = each.runsIn === 'process' ? `a process of Node: ${each.needsNode}` : each.runsIn === 'engine' ? 'an engine' : each.runsIn === 'server' ? 'a server' : 'tek itself'
    out.write(`  ${neutraliseLine(`${each.name} ${each.release}`)}  ${out.paint('dim', neutraliseLine(`${each.source} · ${each.hash.slice(0, SHORT_HASH)} · runs in ${where}`))}\n`)
    const facts = [['tools', each.tools], ['grants', each.grants], ['models', each.models]] as const
    for (const [label, names] of facts) if (names.length > 0) out.write(`    ${label}: ${neutraliseLine(names.join(', '))}\n`)
  }
}
