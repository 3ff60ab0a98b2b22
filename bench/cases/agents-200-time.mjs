// 200 agents at once in one process, each with three calls of a tool; the model takes twice 100 ms for each of its four answers. Measured: time of 200 agents at once, 4 questions each.
// Peer: the bare SDK in 200 loops at once, with the same messages, without a journal, permits or budgets.
import { fileURLToPath } from 'node:url'
import { runScript } from '../measure.mjs'

const child = fileURLToPath(new URL('../agents-child.mjs', import.meta.url))

export const id = 'agents-200-time'
export const title = 'time of 200 agents at once, 4 questions each'
export const unit = 'ms'
export const goal = { text: 'none', met: () => true }

export function contestants({ folder, hostModule }) {
  const measured = who => async () => {
    const { elapsedMs } = await runScript(child, [who, 200, 3, 100, hostModule, folder], { cwd: folder })
    return elapsedMs
  }
  return { tek: measured('tek'), 'bare SDK': measured('sdk') }
}
