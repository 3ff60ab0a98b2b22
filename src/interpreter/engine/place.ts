// Place: how a task takes its place in line and gives it up.
// Owns: which lane and limiter a task belongs to. Does not own: who goes next (schedule.ts).
import type { TaskId } from '#model/event.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'

/** Lane of a task: by its own needs, else by those of the workflow it is in. */
export function laneOf(state: State, task: TaskId): number {
  const node = state.nodeOf(task)
  if (node.needs === null) return state.scopeOf(task).lane
  let lane = state.lanes.get(node)
  if (lane === undefined) {
    lane = state.schedule.laneOf(node.needs)
    state.lanes.set(node, lane)
  }
  return lane
}

export function lineUp(state: State, task: TaskId): void {
  state.tasks.phase[task] = phase.queued
  state.schedule.enqueue(task, state.scopeOf(task).limiter, laneOf(state, task))
}

/** Gives up whatever place a task has, in line or at work; its phase is changed by the caller. */
export function stepOut(state: State, task: TaskId): void {
  if (state.tasks.phase[task] === phase.body) state.schedule.vacate(laneOf(state, task))
  const { limiter } = state.scopeOf(task)
  if (limiter === null) return
  const before = state.tasks.phase[task]!
  state.tasks.phase[task] = phase.waiting // so that it is not handed a place while places are handed on
  state.schedule.leave(task, limiter, each => laneOf(state, each))
  state.tasks.phase[task] = before
}
