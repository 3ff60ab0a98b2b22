// Lock changes: what differs between what was agreed of a server and what it says now.
// Owns: the comparison, one line a change. Does not own: asking about it (cli), what is refused for it (call-servers.ts).
//   C1. Two entries without a difference have the same hash, and the other way round.
import { canonicalJson, type Json } from '#base/json.ts'
import type { LockedServer } from './lock-file.ts'

const MAX_SHOWN_LENGTH = 160

export interface LockChange {
  readonly kind: 'added' | 'removed' | 'changed'
  /** `server`, or the tool. */
  readonly what: string
  /** Of a change: the part, and how it was and is. */
  readonly part?: string
  readonly before?: string
  readonly after?: string
}

/** The differences, the server's own first, then tool by tool. */
export function lockChanges(before: LockedServer | null, after: LockedServer): LockChange[] {
  if (before === null) return after.tools.map(({ as }) => ({ kind: 'added', what: as }))
  const { tools: toolsBefore, ...serverBefore } = before
  const { tools: toolsAfter, ...serverAfter } = after
  const known = new Map(toolsBefore.map(each => [each.name, each]))
  const now = new Map(toolsAfter.map(each => [each.name, each]))
  return [
    ...parts('server', serverBefore as unknown as Json, serverAfter as unknown as Json, ''),
    ...toolsBefore.filter(each => !now.has(each.name)).map((each): LockChange => ({ kind: 'removed', what: each.as })),
    ...toolsAfter.flatMap((each): LockChange[] => {
      const old = known.get(each.name)
      return old === undefined ? [{ kind: 'added', what: each.as }] : parts(old.as, old as unknown as Json, each as unknown as Json, '')
    }),
  ]
}

function parts(what: string, before: Json | undefined, after: Json | undefined, path: string): LockChange[] {
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null) && (before === undefined) === (after === undefined)) return []
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap(key => parts(what, before[key], after[key], path === '' ? key : `${path}.${key}`))
  }
  return [{ kind: 'changed', what, part: path, before: shown(before), after: shown(after) }]
}

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json | undefined } => typeof value === 'object' && value !== null && !Array.isArray(value)

function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
}
