// S5: a chain of 2,000 calls, one after the other, each in a worker thread: what one hop costs.
// The time of a chain of one is taken off: it starts the thread and loads the module, which Piscina and the floor do before they measure.
// Peer: Piscina, one call at a time. Floor: raw message ping-pong with one thread.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hopsTek } from '../generate.mjs'
import { runScript } from '../measure.mjs'

const HOPS = 2_000

export const id = 'S5'
export const title = 'a hop to a thread and back, chain of 2,000'
export const unit = 'µs'
export const goal = { text: '≤ 1.3 × floor', met: (tek, floor) => floor !== null && tek <= 1.3 * floor }

export function contestants({ folder, tekRun, peer, floor }) {
  const program = join(folder, 's5.tek')
  writeFileSync(program, hopsTek(HOPS))
  const one = join(folder, 's5-one.tek')
  writeFileSync(one, hopsTek(1))
  return {
    tek: async () => (((await tekRun(program, { before: one })).elapsedMs - (await tekRun(one, { before: one })).elapsedMs) * 1000) / (HOPS - 1),
    Piscina: async () => ((await runScript(peer('piscina-layers.mjs'), [HOPS, 1])).elapsedMs * 1000) / HOPS,
    floor: async () => ((await runScript(floor('ping-pong.mjs'), [HOPS])).elapsedMs * 1000) / HOPS,
  }
}
