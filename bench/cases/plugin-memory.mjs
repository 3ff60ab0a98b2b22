// What tek's own process grows by when a plugin with zod runs in its engine, after one call.
import { fileURLToPath } from 'node:url'
import { runScript } from '../measure.mjs'

const child = fileURLToPath(new URL('../plugin-child.mjs', import.meta.url))

export const id = 'plugin-memory'
export const title = 'memory of a plugin in its engine'
export const unit = 'MB'
export const goal = { text: '≤ 64 MB', met: tek => tek <= 64 }

export function contestants() {
  return { tek: async () => (await runScript(child, ['memory', 'engine'])).value }
}
