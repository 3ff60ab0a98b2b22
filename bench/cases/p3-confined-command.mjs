// P3: what the sandbox adds to a command: `/bin/true` at this machine's level, less the same command without it.
// Peer: none (the wrapper of @anthropic-ai/sandbox-runtime was measured at 45 ms). Floor: nothing added.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { runScript } from '../measure.mjs'

const COMMANDS = 100
const root = fileURLToPath(new URL('../..', import.meta.url))

export const id = 'P3'
export const title = 'a confined command over a bare one'
export const unit = 'ms'
export const goal = { text: '≤ 9 ms', met: tek => tek <= 9 }

export function contestants({ folder }) {
  const outfile = join(folder, 'sandbox-child.mjs')
  const cwd = join(folder, 'p3')
  mkdirSync(cwd, { recursive: true })
  const bundled = build({ entryPoints: [join(root, 'bench/sandbox-child.ts')], outfile, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], logLevel: 'error' })
  const median = async kind => {
    await bundled
    return (await runScript(outfile, [kind, cwd, COMMANDS])).elapsedMs
  }
  return { tek: async () => (await median('confined')) - (await median('bare')) }
}
