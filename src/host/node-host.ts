// Node host: the Host of a real machine.
// Owns: joining files, commands, network, clock and randomness. Does not own: any rule about who may use them.
import { randomBytes } from 'node:crypto'
import { availableParallelism, totalmem } from 'node:os'
import { resolve } from 'node:path'
import type { Host } from './host.ts'
import { nodeFiles } from './node-files.ts'
import { endProcess, isProcessAlive, processIdentity } from './process-identity.ts'

const MAX_RANDOM_BYTES = 65_536

/**
 * The host of the machine this process runs on.
 *
 * @param options.cwd working directory; relative to the process's own.
 */
export function nodeHost(options: { cwd: string }): Host {
  return {
    cwd: resolve(options.cwd),
    files: nodeFiles(),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    randomHex: bytes => randomBytes(Math.min(Math.max(0, bytes), MAX_RANDOM_BYTES)).toString('hex'),
    env: name => process.env[name],
    identity: processIdentity,
    isAlive: isProcessAlive,
    endProcess,
    // Loaded with the first use: most commands of tek neither run a program nor open a connection.
    run: async (command, signal) => (await import('./run-command.ts')).runCommand(command, signal),
    isolation: async () => (await (await import('./run-command.ts')).machineLevel()).level,
    confine: async (command, confinement) => (await import('./run-command.ts')).confineCommand(command, confinement),
    fetch: async (request, signal) => (await import('./node-fetch.ts')).nodeFetch(request, signal),
    stream: async (request, signal) => (await import('./node-fetch.ts')).nodeStream(request, signal),
    trees: () => import('./trees.ts'),
    usage: async folder => (await import('./machine-usage.ts')).machineUsage(folder),
    keepConnections: async () => new (await import('./kept-connections.ts')).KeptConnections(),
    machine: () => ({ cpus: availableParallelism(), memoryBytes: totalmem(), platform: process.platform, nodeVersion: process.versions.node }),
  }
}
