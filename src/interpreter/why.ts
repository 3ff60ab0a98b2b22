// Why: what made a task with `cache` run again, or spared it.
// Owns: comparing the parts of its key with those of an earlier run, the words for what differs. Does not own: what a key is made of (effects/key-parts.ts).
//   Y1. Everything is derived from plans and events: nothing is recorded for it but when a cached result was made.
//   Y2. A task is compared with the task of the same path in the newest earlier run of the same program that asked the cache for it; an item of a `for` with the
//       item that has the same value, or else the same place.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { cacheKey, hashOf, keyCode, keyInputs, type KeyCode, type KeyInputs } from './effects/key-parts.ts'
import { isAskedFor } from './effects/look-up.ts'
import { deskAround } from './engine/delegation.ts'
import { pathOf } from './engine/path.ts'
import { initialState, type State } from './engine/state.ts'
import { isOver, phase } from './engine/tasks.ts'
import { transition } from './engine/transition.ts'
import { taskAt, unbounded, unknownTask } from './find-task.ts'
import type { Journal } from './journal/journal.ts'
import { showStandIns } from './secrets/stand-in.ts'

/** Earlier runs that are looked through. */
const MAX_EARLIER_RUNS = 50
/** Items of a `for` that are answered for one by one. */
const MAX_ITEMS = 20
const MAX_SHOWN_LENGTH = 60

export type WhyReason = 'no-cache' | 'never-ran' | 'asked-for' | 'cached' | 'too-old' | 'changed' | 'failed-before' | 'not-kept' | 'other-version' | 'not-reached'

export interface WhyAnswer {
  readonly task: string
  readonly reason: WhyReason
  /** One sentence for each thing that is to be said. */
  readonly words: readonly string[]
  /** Parts of the key that changed: `body`, `task files`, `module std.text`, … */
  readonly changed: readonly string[]
}

export interface Why {
  readonly runId: string
  readonly task: string
  /** The run it was compared with. */
  readonly comparedWith: string | null
  readonly fromCache: number
  readonly ran: number
  /** At most MAX_ITEMS; of items, those that ran come first. */
  readonly answers: readonly WhyAnswer[]
}

/** One look into the cache. */
interface LookUp {
  readonly path: string
  readonly code: KeyCode
  readonly inputs: KeyInputs
  readonly hit: boolean
  readonly atMs: number
  readonly madeAtMs: number | null
  readonly ageMs: number | null
  /** Its key is the one that this tek makes of these parts. */
  readonly isOurs: boolean
  /** The run is a fork that began again here. */
  readonly isAskedFor: boolean
  readonly task: TaskId
}

/** Why a task of a recorded run ran, or did not. Null when there is no such run. */
export function whyTask(journal: Journal, runId: string, path: string): Why | Diagnostic | null {
  const found = journal.openRun(runId)
  if (found === null) return null
  const events = [...found.log.events()]
  const { state, lookUps } = lookUpsOf(found.plan, events, path)
  const base = { runId, task: path, comparedWith: null, fromCache: 0, ran: 0 }
  if (lookUps.length === 0) {
    const task = taskAt(state, path)
    return task === null ? unknownTask(state, runId, path) : { ...base, ran: hasRun(state, task) ? 1 : 0, answers: [withoutLookUp(state, task, path)] }
  }
  const earlier = earlierRun(journal, runId, path)
  const answers = lookUps.map(each => answerFor(each, found.plan, earlier))
  const ran = [...answers.filter(each => each.reason !== 'cached'), ...answers.filter(each => each.reason === 'cached')]
  const fromCache = lookUps.filter(each => each.hit).length
  return { ...base, comparedWith: earlier?.runId ?? null, fromCache, ran: lookUps.length - fromCache, answers: ran.slice(0, MAX_ITEMS) }
}

function lookUpsOf(plan: Plan, events: Iterable<RunEvent>, path: string): { readonly state: State; readonly lookUps: readonly LookUp[] } {
  const state = initialState(plan, unbounded)
  const lookUps: LookUp[] = []
  for (const event of events) {
    if (event.kind === 'cache-answered' && event.task < state.tasks.size && state.tasks.phase[event.task] === phase.lookUp) {
      const own = pathOf(state, event.task)
      const group = state.tasks.group[event.task]!
      if (own === path || (group !== -1 && pathOf(state, group) === path)) {
        const by = state.held.get(event.task)
        lookUps.push({
          path: own, task: event.task, code: keyCode(state, event.task), inputs: keyInputs(state, event.task, by), hit: event.hit, atMs: event.atMs, madeAtMs: event.madeAtMs ?? null,
          ageMs: state.nodeOf(event.task).cache?.ageMs ?? null, isOurs: cacheKey(state, event.task, by) === event.key, isAskedFor: isAskedFor(state, event.task),
        })
      }
    }
    transition(state, event)
  }
  return { state, lookUps }
}

interface Earlier {
  readonly runId: string
  readonly plan: Plan
  readonly state: State
  readonly lookUps: readonly LookUp[]
}

/** Y2. */
function earlierRun(journal: Journal, runId: string, path: string): Earlier | null {
  const runs = journal.listRuns()
  const at = runs.findIndex(each => each.runId === runId)
  const { program, workflow } = runs[at]!
  const group = path.replace(/\[\d+\]$/, '')
  const same = runs.slice(at + 1).filter(each => each.program === program && each.workflow === workflow)
  for (const each of same.slice(0, MAX_EARLIER_RUNS)) {
    const found = journal.openRun(each.runId)
    if (found === null) continue
    const looked = lookUpsOf(found.plan, found.log.events(), group)
    if (looked.lookUps.length > 0) return { runId: each.runId, plan: found.plan, ...looked }
  }
  return null
}

/** Phases of a task whose body nothing has come of, or not yet. */
const notRun: readonly number[] = [phase.waiting, phase.question, phase.asking, phase.delay, phase.resting, phase.skipped, phase.cancelled]

function hasRun(state: State, task: TaskId): boolean {
  return !notRun.includes(state.tasks.phase[task]!)
}

/** A task that never asked the cache. */
function withoutLookUp(state: State, task: TaskId, path: string): WhyAnswer {
  const about = { task: path, changed: [] }
  if (state.nodeOf(task).cache === null) return { ...about, reason: 'no-cache', words: ['It is not cached: it has no `cache`, so it runs every time.', ...askedBy(state, task)] }
  const at = state.tasks.phase[task]!
  const how = at === phase.skipped ? 'it was skipped by its `when`' : at === phase.cancelled ? 'it was cancelled' : isOver(at) ? 'it came to its end before that' : 'the run did not get there'
  return { ...about, reason: 'not-reached', words: [`It did not ask the cache: ${how}.`] }
}

/** Whose agent asked for a task, and by which call. */
function askedBy(state: State, task: TaskId): string[] {
  const around = deskAround(state, task)
  return around === null ? [] : [`The agent of \`${pathOf(state, around.task)}\` asked for it: its call \`${pathOf(state, around.base)}\`.`]
}

function answerFor(lookUp: LookUp, plan: Plan, earlier: Earlier | null): WhyAnswer {
  const about = { task: lookUp.path, changed: [] }
  if (lookUp.isAskedFor) return { ...about, reason: 'asked-for', words: ['It was asked for: the run is a fork that begins again here, whatever the cache holds.'] }
  const made = lookUp.madeAtMs === null ? '' : new Date(lookUp.madeAtMs).toISOString().slice(0, 19).replace('T', ' ')
  if (lookUp.hit) return { ...about, reason: 'cached', words: [`It did not run: its result was in the cache, made at ${made} UTC.`] }
  if (lookUp.madeAtMs !== null) return { ...about, reason: 'too-old', words: [`What the cache holds is older than ${lengthOf(lookUp.ageMs!)}: it was made at ${made} UTC.`] }
  const before = earlier === null ? undefined : counterpart(lookUp, earlier.lookUps)
  if (earlier === null || before === undefined) return { ...about, reason: 'never-ran', words: ['It never ran before with `cache`: no earlier run of this program that is still recorded has it.'] }
  const changes = changesOf(lookUp, before, plan, earlier.plan)
  if (changes.length > 0) return { task: lookUp.path, reason: 'changed', words: changes.map(each => each.words), changed: changes.map(each => each.part) }
  const id = earlier.runId
  if (!lookUp.isOurs || !before.isOurs) return { ...about, reason: 'other-version', words: [`Nothing changed since run ${id}, but that was another version of tek, which made other keys.`] }
  if (before.hit || earlier.state.tasks.phase[before.task] === phase.done) return { ...about, reason: 'not-kept', words: [`Nothing changed since run ${id}: the cache was emptied, was full, or the result was too large to keep.`] }
  return { ...about, reason: 'failed-before', words: [`Nothing changed since run ${id}, where it did not come to a result: only results are kept.`] }
}

/** Y2. */
function counterpart(lookUp: LookUp, earlier: readonly LookUp[]): LookUp | undefined {
  const item = [...lookUp.inputs.keys()].find(part => part.startsWith('item '))
  const hash = item === undefined ? null : hashOf(lookUp.inputs.get(item)!)
  const sameItem = item === undefined ? undefined : earlier.find(each => each.inputs.has(item) && hashOf(each.inputs.get(item)!) === hash)
  return sameItem ?? earlier.find(each => each.path === lookUp.path)
}

function changesOf(now: LookUp, before: LookUp, plan: Plan, planBefore: Plan): { part: string; words: string }[] {
  const changes: { part: string; words: string }[] = []
  for (const part of new Set([...now.code.keys(), ...before.code.keys()])) {
    const [hash, was] = [now.code.get(part), before.code.get(part)]
    if (hash !== was && hash !== undefined && was !== undefined) changes.push({ part, words: codeWords(part, plan, planBefore) })
  }
  for (const part of new Set([...now.inputs.keys(), ...before.inputs.keys()])) {
    const [value, was] = [now.inputs.get(part), before.inputs.get(part)]
    if (value === undefined || was === undefined) {
      if (part === 'by') changes.push({ part, words: value === undefined ? '`cache by` is gone.' : '`cache by` is new.' })
    } else if (hashOf(value) !== hashOf(was)) changes.push({ part, words: `${part === 'by' ? 'The value of `cache by`' : `\`${nameOf(part)}\``} changed: ${showStandIns(difference(value, was))}.` })
  }
  return changes
}

const nameOf = (part: string): string => part.slice(part.indexOf(' ') + 1)

function codeWords(part: string, plan: Plan, planBefore: Plan): string {
  if (part === 'body') return 'The body of the task changed.'
  if (part === 'ensure') return 'What its `ensure` asks for changed.'
  const name = nameOf(part)
  if (!part.startsWith('module ')) return `The ${part.slice(0, part.indexOf(' '))} \`${name}\` changed.`
  const releaseOf = ({ modules }: Plan): string => modules.find(each => each.name === name.replace(/^std\./, ''))?.release ?? '?'
  const [release, was] = [releaseOf(plan), releaseOf(planBefore)]
  return release === was ? `\`${name}\` changed.` : `\`${name}\` changed: ${release}, was ${was}.`
}

/** Where two values differ, in a few words. */
function difference(now: Value, was: Value, where = ''): string {
  if (Array.isArray(now) && Array.isArray(was)) {
    if (now.length !== was.length) return `${where}${now.length} ${now.length === 1 ? 'item' : 'items'}, was ${was.length}`
    const at = now.findIndex((item, index) => hashOf(item as Value) !== hashOf(was[index] as Value))
    return where.length > MAX_SHOWN_LENGTH ? `${where}differs` : difference(now[at] as Value, was[at] as Value, `${where}[${at}] `)
  }
  if (isRecord(now) && isRecord(was)) {
    const name = [...new Set([...Object.keys(now), ...Object.keys(was)])].find(each => hashOf(now[each] ?? null) !== hashOf(was[each] ?? null))
    return name === undefined || where.length > MAX_SHOWN_LENGTH ? `${where}differs` : difference(now[name] ?? null, was[name] ?? null, `${where}.${name} `)
  }
  if (typeof now === 'string' && typeof was === 'string' && Math.max(now.length, was.length) > MAX_SHOWN_LENGTH) return textDifference(now, was, where)
  return `${where}${shown(now)}, was ${shown(was)}`
}

function textDifference(now: string, was: string, where: string): string {
  const [lines, linesBefore] = [now.split('\n'), was.split('\n')]
  const at = lines.findIndex((line, index) => line !== linesBefore[index])
  const line = at === -1 ? lines.length : at
  return `${where}line ${line + 1} is ${shown(lines[line] ?? '')}, was ${shown(linesBefore[line] ?? '')} (${lines.length} lines, was ${linesBefore.length})`
}

const isRecord = (value: Value): value is { readonly [key: string]: Value } => typeof value === 'object' && value !== null && !Array.isArray(value)

function shown(value: Value): string {
  const text = typeof value === 'object' && value !== null ? (Array.isArray(value) ? `a list of ${value.length}` : 'a record') : JSON.stringify(value)
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH - 1)}…`
}

/** As programs write it: `1d`. */
function lengthOf(ms: number): string {
  const [size, unit] = ([[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1_000, 's'], [1, 'ms']] as const).find(([each]) => ms % each === 0 && ms >= each) ?? [1, 'ms']
  return `${ms / size}${unit}`
}

