// Begin: the steps of a task before its body is worked on: when, list and width, cache, its place in line.
// Owns: their order. Does not own: waiting (waiting.ts), the body (start.ts) and what comes of it (attempt.ts).
//   B1. The order is: when, list, width (of a `for`), then for each task or item: when (if it looks at the item), cache key, cache, approve, wait, body.
//   B2. A failure of `when`, `list` or `width` is not a failure of an attempt: it is not retried and no `on failure` takes its place,
//       because the value it would give has not the task's type.
//   B3. A kept result is of the task's type, or it is made again: it may have been kept under another type, or by another hand.
import type { Outcome, TaskId } from '#model/event.ts'
import type { PlanNode } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { validate } from '#types/validate.ts'
import { wasGivenUp } from './cancel.ts'
import { failures } from './failures.ts'
import { over, overByFailure } from './over.ts'
import { pathOf } from './path.ts'
import { MAX_TASKS } from './protocol.ts'
import { asksWhenPerItem } from './shape.ts'
import { unstartable } from './start.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'
import { askPerson } from './waiting.ts'

/** All it depends on is over (or its `for` has room for it). */
export function begin(state: State, task: TaskId): void {
  if (wasGivenUp(state, task)) return
  const node = state.nodeOf(task)
  const isItem = state.tasks.group[task] !== -1
  if (node.when !== null && asksWhenPerItem(node) === isItem) return ask(state, task, phase.when, 'when')
  afterWhen(state, task, node, isItem)
}

/**
 * An item whose turn has not come, of which the record says that it was begun. So it is in a run that takes over results of another: items that begin
 * again hold places of their `for`, and others were begun after them.
 */
export function adoptItem(state: State, task: TaskId): void {
  const owner = state.tasks.group[task]!
  if (owner === -1 || state.tasks.phase[task] !== phase.waiting) return
  state.groups.get(owner)!.active++
  begin(state, task)
}

export function whenAnswered(state: State, task: TaskId, outcome: Outcome): void {
  if (outcome.kind === 'failure') return overByFailure(state, task, outcome.failure) // B2
  if (typeof outcome.value !== 'boolean') return overByFailure(state, task, failures.notABool(pathOf(state, task)))
  if (!outcome.value) return over(state, task, 'skipped', null)
  afterWhen(state, task, state.nodeOf(task), state.tasks.group[task] !== -1)
}

function afterWhen(state: State, task: TaskId, node: PlanNode, isItem: boolean): void {
  if (node.forEach !== null && !isItem) return ask(state, task, phase.list, 'list')
  if (node.cache === null) return afterCache(state, task, node)
  if (node.cache.by !== null) return ask(state, task, phase.cacheKey, 'cache-key')
  lookUp(state, task, undefined)
}

export function listAnswered(state: State, task: TaskId, outcome: Outcome): void {
  if (outcome.kind === 'failure') return overByFailure(state, task, outcome.failure) // B2
  const path = pathOf(state, task)
  const items = outcome.value
  if (!Array.isArray(items)) return overByFailure(state, task, failures.notAList(path, kindOf(items)))
  const total = state.counts.total - 1 + items.length // its items are counted in its place
  if (total > MAX_TASKS) return overByFailure(state, task, failures.tooManyTasks(path, total))
  state.held.set(task, items)
  if (state.nodeOf(task).forEach!.width !== null) return ask(state, task, phase.width, 'width')
  openGroup(state, task, items, Infinity)
}

export function widthAnswered(state: State, task: TaskId, outcome: Outcome): void {
  if (outcome.kind === 'failure') return overByFailure(state, task, outcome.failure) // B2
  const width = outcome.value
  if (typeof width !== 'number' || !Number.isInteger(width) || width < 1) return overByFailure(state, task, failures.badWidth(pathOf(state, task)))
  openGroup(state, task, state.held.get(task) as readonly Value[], width)
}

function openGroup(state: State, task: TaskId, items: readonly Value[], width: number): void {
  const { tasks } = state
  state.held.delete(task)
  tasks.phase[task] = phase.items
  const base = tasks.allocate(items.length)
  const scope = tasks.scope[task]!
  tasks.scope.fill(scope, base, base + items.length)
  tasks.group.fill(task, base, base + items.length)
  tasks.rank.fill(tasks.rank[task]!, base, base + items.length)
  state.counts.total += items.length - 1
  const group = { task, base, items, width, next: 0, active: 0, over: 0 }
  state.groups.set(task, group)
  if (items.length === 0) return over(state, task, 'done', [])
  if (wasGivenUp(state, task)) return
  while (group.next < items.length && group.active < width) {
    group.active++
    state.toBegin.push(base + group.next++)
  }
}

export function cacheKeyAnswered(state: State, task: TaskId, outcome: Outcome): void {
  if (outcome.kind === 'failure') return overByFailure(state, task, outcome.failure) // B2
  lookUp(state, task, outcome.value)
}

function lookUp(state: State, task: TaskId, by: Value | undefined): void {
  state.tasks.phase[task] = phase.lookUp
  if (by !== undefined) state.held.set(task, by)
  state.out.push({ kind: 'look-up', task, by })
}

export function cacheAnswered(state: State, task: TaskId, answer: { key: string; hit: boolean; value: Value | undefined }): void {
  state.held.delete(task)
  const node = state.nodeOf(task)
  const value = answer.value ?? null
  if (answer.hit && validate(node.type, value) === null) { // B3
    state.cached.add(task)
    return over(state, task, 'done', value)
  }
  state.cacheKeys.set(task, answer.key)
  afterCache(state, task, node)
}

function afterCache(state: State, task: TaskId, node: PlanNode): void {
  const failure = unstartable(state, task, node)
  if (failure === null) return askPerson(state, task, node)
  state.tasks.phase[task] = phase.setup
  state.toEnd.push({ task, attempt: state.tasks.attempt[task]!, outcome: { kind: 'failure', failure } })
}

function ask(state: State, task: TaskId, code: number, part: 'when' | 'list' | 'width' | 'cache-key'): void {
  state.tasks.phase[task] = code
  state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part })
}

function kindOf(value: Value): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'a record' : `a ${typeof value === 'boolean' ? 'bool' : typeof value}`
}
