// Pack: events as compact text, a batch at a time.
// Owns: the written form of an event, its version. Does not own: where the text is kept.
//   F1. A batch is a JSON list; an event is a list that starts with its kind's number, which never changes its meaning. New fields come last.
//   F2. Times are milliseconds since the batch's own time. Elapsed times keep three decimals.
//   F3. An outcome is two entries: 0 and a value, 1 and a failure, 2 and the hash of a blob, 3 and nothing (no value). A model's outcome is the same with the
//       reply as the value; the key of the model (null for a failure) and the lost attempts follow.
import { TekBug } from '#base/invariant.ts'
import type { ChatReply } from '#model/chat.ts'
import type { ThreadEntry } from '#model/memory.ts'
import type { Failure, ModelOutcome, Outcome, Part, RunEvent } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { MAX_INLINE_VALUE_LENGTH } from './journal.ts'

const parts: readonly Part[] = ['body', 'when', 'list', 'width', 'cache-key', 'fallback', 'verify-key', 'returns', 'setup', 'label', 'approve', 'wait', 'prompt', 'role', 'ensure', 'thread']
const partNumbers = new Map(parts.map((part, index) => [part, index]))

/** Characters of a text; as JSON each is at most six. */
const MAX_PLAIN_LENGTH = Math.floor((MAX_INLINE_VALUE_LENGTH - 2) / 6)

/** Keeps a long text by its hash and gives the hash. */
export type KeepBlob = (text: string) => string
export type ReadBlob = (hash: string) => string

/** The events of a batch as text. // F1 */
export function packBatch(events: readonly RunEvent[], baseMs: number, keep: KeepBlob): string {
  return JSON.stringify(events.map(event => packed(event, baseMs, keep)))
}

/** An event as a list, without the time base. */
function packed(event: RunEvent, baseMs: number, keep: KeepBlob): unknown[] {
  const at = event.atMs - baseMs
  switch (event.kind) {
    case 'run-started':
      return [0, at, event.runId, event.planHash, event.workflow, event.tekVersion, ...packValue(event.args, keep), ...beginning(event)]
    case 'evaluated': {
      const { outcome } = event
      const elapsed = rounded(event.elapsedMs)
      if (outcome.kind === 'value' && isPlain(outcome.value)) return [1, at, event.task, event.attempt, partNumbers.get(event.part), 0, outcome.value, elapsed] // most events, in one list
      return [1, at, event.task, event.attempt, partNumbers.get(event.part), ...packOutcome(outcome, keep), elapsed]
    }
    case 'call-started':
      return [2, at, event.task, event.attempt, event.call, event.name, ...(event.keyRun === undefined ? [] : [event.keyRun])]
    case 'call-finished':
      return [3, at, event.task, event.attempt, event.call, ...packOutcome(event.outcome, keep), rounded(event.elapsedMs)]
    case 'timer-fired':
      return [4, at, event.timer]
    case 'cache-answered':
      return [5, at, event.task, event.key, ...(event.hit ? packValue(event.value ?? null, keep) : [3, null]), ...(event.madeAtMs === undefined ? [] : [event.madeAtMs])]
    case 'stop-requested':
      return [6, at, event.reason, event.detail, ...(event.isFinal === true ? [1] : [])]
    case 'run-resumed':
      return [7, at]
    case 'run-finished':
      return [8, at, ...packOutcome(event.outcome, keep)]
    case 'answered':
      return [9, at, event.task, event.attempt, event.verdict === 'approved' ? 1 : 0, event.by, ...(event.note === undefined ? [] : [event.note])]
    case 'task-cancelled':
      return [10, at, event.task, event.by]
    case 'model-asked':
      return [11, at, event.task, event.attempt, event.turn, event.model]
    case 'model-answered':
      return [12, at, event.task, event.attempt, event.turn, rounded(event.elapsedMs), ...packModelOutcome(event.outcome, keep)]
    case 'recalled':
      return [13, at, event.task, event.attempt, ...packValue(event.entries as unknown as Value, keep)]
    case 'agent-steered':
      return [14, at, event.agent, event.does, event.by]
  }
}

/** What a run's first event has last: its seed, its origin, its bounds. */
function beginning({ standInSeed, origin, within }: Extract<RunEvent, { kind: 'run-started' }>): unknown[] {
  if (within !== undefined) return [standInSeed ?? null, origin === undefined ? null : [origin.runId, origin.task, ...(origin.migrated === true ? [1] : [])], within]
  if (origin !== undefined) return [standInSeed ?? null, [origin.runId, origin.task, ...(origin.migrated === true ? [1] : [])]]
  return standInSeed === undefined ? [] : [standInSeed]
}

/** The events of a batch, each to be unpacked when its turn comes: all at once they would outlive their use. */
export function readBatch(text: string): readonly PackedEvent[] {
  return JSON.parse(text) as PackedEvent[]
}

/** What JSON.parse gives for an event; the round-trip test keeps the two layouts equal. */
export type PackedEvent = [number, number, ...never[]]

export function unpackEvent(packed: PackedEvent, baseMs: number, read: ReadBlob): RunEvent {
  const [kind, at, a, b, c, d, e, f, g, h, i] = packed as unknown as [number, number, never, never, never, never, never, never, never, never, never]
  const atMs = baseMs + at
  switch (kind) {
    case 0:
      return {
        kind: 'run-started', atMs, runId: a, planHash: b, workflow: c, tekVersion: d, args: unpackValue(e, f, read) as Record<string, Value>,
        ...(g === undefined || g === null ? {} : { standInSeed: g }), ...(h === undefined || h === null ? {} : { origin: { runId: h[0], task: h[1], ...(h[2] === 1 ? { migrated: true as const } : {}) } }),
        ...(i === undefined ? {} : { within: i }),
      }
    case 1:
      return { kind: 'evaluated', atMs, task: a, attempt: b, part: parts[c]!, outcome: unpackOutcome(d, e, read), elapsedMs: f }
    case 2:
      return { kind: 'call-started', atMs, task: a, attempt: b, call: c, name: d, ...(e === undefined ? {} : { keyRun: e }) }
    case 3:
      return { kind: 'call-finished', atMs, task: a, attempt: b, call: c, outcome: unpackOutcome(d, e, read), elapsedMs: f }
    case 4:
      return { kind: 'timer-fired', atMs, timer: a }
    case 5: {
      const value = unpackValue(c, d, read)
      return { kind: 'cache-answered', atMs, task: a, key: b, value, hit: value !== undefined, ...(e === undefined ? {} : { madeAtMs: e }) }
    }
    case 6:
      return { kind: 'stop-requested', atMs, reason: a, detail: b, ...(c === undefined ? {} : { isFinal: true }) }
    case 7:
      return { kind: 'run-resumed', atMs }
    case 8:
      return { kind: 'run-finished', atMs, outcome: unpackOutcome(a, b, read) }
    case 9:
      return { kind: 'answered', atMs, task: a, attempt: b, verdict: c === 1 ? 'approved' : 'refused', by: d, ...(e === undefined ? {} : { note: e }) }
    case 10:
      return { kind: 'task-cancelled', atMs, task: a, by: b }
    case 11:
      return { kind: 'model-asked', atMs, task: a, attempt: b, turn: c, model: d }
    case 12:
      return { kind: 'model-answered', atMs, task: a, attempt: b, turn: c, elapsedMs: d, outcome: unpackModelOutcome(e, f, g, h, read) }
    case 13:
      return { kind: 'recalled', atMs, task: a, attempt: b, entries: unpackValue(c, d, read) as unknown as ThreadEntry[] }
    case 14:
      return { kind: 'agent-steered', atMs, agent: a, does: b, by: c }
    default:
      throw new TekBug(`unknown packed event ${kind}`)
  }
}

function packOutcome(outcome: Outcome, keep: KeepBlob): unknown[] {
  return outcome.kind === 'value' ? packValue(outcome.value, keep) : [1, outcome.failure] // F3
}

function packModelOutcome(outcome: ModelOutcome, keep: KeepBlob): unknown[] {
  const held = outcome.kind === 'reply' ? [...packValue(outcome.reply as unknown as Value, keep), outcome.model] : [1, outcome.failure, null]
  return outcome.lost.length === 0 ? held : [...held, outcome.lost]
}

function packValue(value: Value, keep: KeepBlob): unknown[] {
  if (isPlain(value)) return [0, value]
  const text = JSON.stringify(value)
  return text.length <= MAX_INLINE_VALUE_LENGTH ? [0, value] : [2, keep(text)]
}

/** Whether it is known without a look at its text that it is not too long for its place. */
function isPlain(value: Value): boolean {
  return typeof value !== 'object' || value === null ? typeof value !== 'string' || value.length <= MAX_PLAIN_LENGTH : false
}

function unpackOutcome(tag: number, held: never, read: ReadBlob): Outcome {
  if (tag === 1) return { kind: 'failure', failure: held as Failure }
  return { kind: 'value', value: unpackValue(tag, held, read) ?? null }
}

function unpackModelOutcome(tag: number, held: never, model: never, lost: ModelOutcome['lost'] | undefined, read: ReadBlob): ModelOutcome {
  if (tag === 1) return { kind: 'failure', failure: held as Failure, lost: lost ?? [] }
  return { kind: 'reply', reply: unpackValue(tag, held, read) as unknown as ChatReply, model, lost: lost ?? [] }
}

function unpackValue(tag: number, held: never, read: ReadBlob): Value | undefined {
  if (tag === 3) return undefined
  return tag === 2 ? (JSON.parse(read(held)) as Value) : (held as Value)
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000 // F2
}
