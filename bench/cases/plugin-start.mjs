// From the first call of a plugin that uses zod to its answer, the bundle being in the cache: starting what it runs in, loading, the call itself.
// Peer: the same plugin in a confined process of Node.
import { fileURLToPath } from 'node:url'
import { runScript } from '../measure.mjs'

const child = fileURLToPath(new URL('../plugin-child.mjs', import.meta.url))
const measured = where => async () => (await runScript(child, ['start', where])).value

export const id = 'plugin-start'
export const title = 'first answer of a plugin with zod'
export const unit = 'ms'
export const goal = { text: '≤ 20 ms', met: tek => tek <= 20 }

export function contestants() {
  return { tek: measured('engine'), 'confined Node process': measured('process') }
}
