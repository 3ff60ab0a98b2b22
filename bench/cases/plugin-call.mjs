// A pure call of a third-party plugin with a text of 10 KB in and out, from the runner and back, one at a time.
// Peer: the same plugin in a confined process of Node. Floor: the same function and checks in tek's own process.
import { fileURLToPath } from 'node:url'
import { runScript } from '../measure.mjs'

const child = fileURLToPath(new URL('../plugin-child.mjs', import.meta.url))
const measured = where => async () => (await runScript(child, ['call', where])).value

export const id = 'plugin-call'
export const title = 'a pure plugin call with 10 KB'
export const unit = 'ms'
export const goal = { text: '≤ 0.3 ms', met: tek => tek <= 0.3 }

export function contestants() {
  return { tek: measured('engine'), 'confined Node process': measured('process'), floor: measured('here') }
}
