// Workspace: the folder in which a task works.
// Owns: which of the folders around a task is its own. Does not own: making them (interpreter/loop), what paths mean (guard).
//   W1. A workflow with `worksIn` works in the folder that is the value of that node, once it has one, and so does everything that it calls.
//   W2. A workspace is beneath WORKSPACES in the run's own folder and nowhere else, whatever a plan or a value says: paths of a program, its grants and
//       the person's permit then mean files of the copy. A value that is no such path is no folder: the call fails.
import type { TaskId } from '#model/event.ts'
import type { State } from './state.ts'

/** Beneath the folder of a run, where workspaces are. */
export const WORKSPACES = '.tek/work'

/** A workspace relative to the run's folder: `<loop>/<cycle>-<candidate>` beneath WORKSPACES. // W2 */
const WORKSPACE = /^\.tek\/work\/[A-Za-z0-9_-]{1,120}\/[A-Za-z0-9_-]{1,60}$/

/** The folder in which a task works, relative to the run's: null for that itself, `refused` for a value that is none. */
export function workspaceOf(state: State, task: TaskId): string | null | 'refused' {
  if (!state.hasWorkspaces) return null
  for (let at = task; at !== 0; ) {
    const scope = state.scopeOf(at)
    const { worksIn } = scope.shape.workflow
    const value = worksIn === undefined ? null : (state.tasks.values[scope.base + worksIn] ?? null)
    if (value !== null) return typeof value === 'string' && WORKSPACE.test(value) ? value : 'refused'
    at = scope.task
  }
  return null
}
