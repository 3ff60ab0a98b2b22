// S6: bytes on disk an event, of the events of the case before.
import { bundledChild } from '../bundled-child.mjs'

const EVENTS = 500_000

export const id = 'S6-bytes'
export const title = 'bytes on disk an event'
export const unit = 'bytes'
export const rounds = 1
export const goal = { text: '≤ 75 bytes', met: tek => tek <= 75 }

export function contestants(context) {
  return { tek: async () => (await bundledChild(context, 'journal', ['events', context.fresh('s6-bytes.db'), EVENTS])).bytes / EVENTS }
}
