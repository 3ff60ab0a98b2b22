// 200 agents at once in one process, each with three calls of a tool; the model takes twice 100 ms for each of its four answers. Measured: the longest that 200 agents at once hold the event loop.
// Peer: the bare SDK in 200 loops at once, with the same messages, without a journal, permits or budgets.
import { fileURLToPath } from 'node:url'
import { runScript } from '../measure.mjs'

const child = fileURLToPath(new URL('../agents-child.mjs', import.meta.url))

export const id = 'agents-200-gap'
export const title = 'the longest that 200 agents at once hold the event loop'
export const unit = 'ms'
export const goal = { text: 'none', met: () => true }

export function contestants({ folder, hostModule }) {
  const measured = who => async () => {
    const { gapMs } = await runScript(child, [who, 200, 3, 100, hostModule, folder], { cwd: folder })
    return gapMs
  }
  return { tek: measured('tek'), 'bare SDK': measured('sdk') }
}
