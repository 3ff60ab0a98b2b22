// S13: what the guard adds to one call that reads a small file: links resolved, two levels of authority, the descriptor compared.
// Floor: the read itself, straight from the host.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const id = 'S13'
export const title = 'the guard, on one call that reads a file'
export const unit = 'µs'
export const goal = { text: '≤ 50 µs', met: tek => tek <= 50 }

export async function contestants({ root, fresh }) {
  const { build } = await import('esbuild')
  const outfile = fresh('guard-child.mjs')
  await build({ entryPoints: [join(root, 'bench/guard-child.ts')], outfile, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'], logLevel: 'silent', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" } })
  const measured = async () => JSON.parse((await promisify(execFile)(process.execPath, [outfile])).stdout)
  return { tek: async () => (await measured()).guardUs, floor: async () => (await measured()).readUs }
}
