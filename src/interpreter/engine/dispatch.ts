// Dispatch: starts the bodies of tasks for which there is room.
// Owns: the moment a body starts. Does not own: the choice (schedule.ts).
//   D1. A task is counted against `limits { tasks }` before it starts; the one too many stops the run instead, once those that had started have ended.
//   D3. A conversation that waits until it may ask is under way, and yet nothing of it would end by itself: it does not keep a stop waiting.
//   D2. A call is counted against `limits { calls }` when it is recorded; one that is announced counts from then on, so that calls side by side
//       do not pass the limit together. One that is carried out inside the run is no call of the world: what it does there counts. // delegation.ts
import type { TaskId } from '#model/event.ts'
import { pathOf } from './path.ts'
import { laneOf } from './place.ts'
import { timerOf } from './protocol.ts'
import { askReady } from './questions.ts'
import type { Quota, State } from './state.ts'
import { openTalk } from './talks.ts'
import { phase } from './tasks.ts'
import { timeoutOf } from './timeout.ts'

export function dispatch(state: State): void {
  startReady(state)
  if (state.toAsk.size > 0) askReady(state)
  const { pendingStop } = state
  if (pendingStop !== null && !pendingStop.isAskedFor && state.schedule.running === state.toAsk.size) askToStop(state, pendingStop.detail, pendingStop.isFinal) // D1 D3
}

/** Asks for the run to stop because a limit is reached; `isFinal` where going on would stop again at once. */
export function askToStop(state: State, detail: string, isFinal: boolean): void {
  state.pendingStop = { detail, isFinal, isAskedFor: true }
  state.out.push({ kind: 'stop', detail, isFinal })
}

function startReady(state: State): void {
  while (!state.isStopping && state.pendingStop === null) {
    const next = state.schedule.next()
    if (next === null) return
    if (!reserve(state, next.task)) return
    state.schedule.start(next.task, next.lane)
    startBody(state, next.task)
  }
}

function startBody(state: State, task: TaskId): void {
  const attempt = state.tasks.attempt[task]!
  const timeoutMs = timeoutOf(state, task)
  state.tasks.phase[task] = phase.body
  if (state.talks.has(task)) return void state.toAsk.add(task) // a conversation that had stepped aside
  const part = state.nodeOf(task).body.kind === 'agent' ? 'prompt' : 'body'
  if (part === 'prompt') openTalk(state, task)
  if (timeoutMs !== null) state.out.push({ kind: 'set-timer', timer: timerOf(task, attempt, 'timeout'), ms: timeoutMs })
  state.out.push({ kind: 'evaluate', task, attempt, part })
}

/** A task in line of which the record says that it was started (its order depends on the machine). */
export function adopt(state: State, task: TaskId): void {
  if (state.tasks.phase[task] !== phase.queued) return
  reserve(state, task)
  state.schedule.occupy(laneOf(state, task))
  state.tasks.phase[task] = phase.body
  if (state.talks.has(task)) state.toAsk.add(task)
  else if (state.nodeOf(task).body.kind === 'agent') openTalk(state, task)
}

function reserve(state: State, task: TaskId): boolean {
  const { quota } = state.scopeOf(task)
  const node = state.nodeOf(task)
  if (quota === null || state.tasks.attempt[task] !== 1 || node.kind === 'let' || node.uncounted === true || state.talks.has(task)) return true
  for (let at: typeof quota | null = quota; at !== null; at = at.parent) {
    if (at.used < at.limit) continue
    state.pendingStop = { detail: reached(at, 'tasks', pathOf(state, task)), isFinal: true, isAskedFor: false } // D1
    return false
  }
  for (let at: typeof quota | null = quota; at !== null; at = at.parent) at.used++
  return true
}

function reached({ limit, workflow }: Quota, name: 'tasks' | 'calls', task: string): string {
  const what = limit === 1 ? name.slice(0, -1) : name
  return `\`${task}\` goes beyond the limit of ${limit} ${what} in \`${workflow}\`.`
}

/**
 * Takes a place for one call of a task's, before it is made.
 *
 * @returns null, or the sentence with which the run stops: a limit is reached. // D2
 */
export function announceCall(state: State, task: TaskId): string | null {
  if (task === 0) return null // nothing holds before the first workflow is opened
  const { callQuota } = state.scopeOf(task)
  if (callQuota === null || state.nodeOf(task).uncounted === true) return null
  for (let at: Quota | null = callQuota; at !== null; at = at.parent) if (at.used + at.announced >= at.limit) return reached(at, 'calls', pathOf(state, task))
  for (let at: Quota | null = callQuota; at !== null; at = at.parent) at.announced++
  return null
}

/** A call is recorded. // D2 */
export function countCall(state: State, task: TaskId): void {
  if (task === 0 || state.scopeOf(task).callQuota === null || state.nodeOf(task).uncounted === true) return
  for (let at = state.scopeOf(task).callQuota; at !== null; at = at.parent) {
    at.used++
    if (at.announced > 0) at.announced--
  }
}
