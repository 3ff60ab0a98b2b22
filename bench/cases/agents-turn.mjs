// What one turn of an agent costs beside the model: question, call of a tool, result; 100 turns of one conversation with a server on this machine that answers
// at once. tek: engine, journal on disk, guard, audit log, gateway, the SDK. Peer: the bare SDK in a loop, with the same messages. Nobody goes below it.
import { fileURLToPath } from 'node:url'
import { runScript } from '../measure.mjs'

const TURNS = 100
const child = fileURLToPath(new URL('../agents-child.mjs', import.meta.url))

export const id = 'agents-turn'
export const title = 'a turn of an agent, the model answering at once'
export const unit = 'ms'
export const goal = { text: 'none', met: () => true }

export function contestants({ folder, hostModule }) {
  const measured = who => async () => (await runScript(child, [who, 1, TURNS, 0, hostModule, folder], { cwd: folder })).elapsedMs / (TURNS + 1)
  return { tek: measured('tek'), 'bare SDK': measured('sdk') }
}
