// Idempotency key: what a tool is told so that the same call, made again after a crash, acts once.
//   I1. Made of run, path of the task, attempt, part and number of the call: asked again, the tool sees the same; another attempt is another key.
import { sha256 } from '#base/hash.ts'
import type { Part } from '#model/event.ts'

/** Characters of a key. */
const KEY_LENGTH = 40

/** The key of one call. `call` counts the calls of a part from 0. */
export function idempotencyKey(runId: string, taskPath: string, { attempt, part, call }: { readonly attempt: number; readonly part: Part; readonly call: number }): string {
  return sha256(`${runId}\n${taskPath}\n${attempt}\n${part}\n${call}`).slice(0, KEY_LENGTH)
}
