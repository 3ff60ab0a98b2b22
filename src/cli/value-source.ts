// Value source: which tasks made a value that a test looks at.
// Owns: the way from a part of a `let` of a test to the tasks of the workflow that it called. Does not own: the values.
//   S1. What is said is where a value comes from by the text of the program: the tasks that the workflow's `return` mentions at that place. Of a task that calls another
//       workflow, that task alone is said.
import { freeReferences } from '#interpreter/engine/evaluation.ts'
import type { Plan, PlanExpr, PlanTest } from '#model/plan.ts'

/** Tasks that are named for one place. */
const MAX_NAMED = 4

type Path = readonly (string | number)[]

/** The tasks that made what stands at `path` in the value of an expression of a test, as `task text of build`; null where nothing can be said. */
export function sourceOf(plan: Plan, { steps }: Pick<PlanTest, 'steps'>, expr: PlanExpr, path: Path): string | null {
  const way: (string | number)[] = []
  let root = expr
  for (;;) {
    if (root.op === 'member') way.unshift(root.name)
    else if (root.op === 'index' && root.index.op === 'value' && (typeof root.index.value === 'number' || typeof root.index.value === 'string')) way.unshift(root.index.value)
    else break
    root = root.object
  }
  if (root.op !== 'local') return null
  const { name } = root
  const body = steps.find(step => step.kind === 'let' && step.name === name)
  if (body?.kind !== 'let' || body.body.kind !== 'workflow') return null
  const workflow = plan.workflows[body.body.workflow]
  if (workflow === undefined) return null
  const tasks = freeReferences(partAt(workflow.returns, [...way, ...path])).nodes.flatMap(index => workflow.nodes[index]?.name ?? [])
  if (tasks.length === 0) return null
  const shown = tasks.slice(0, MAX_NAMED)
  return `${shown.length === 1 ? 'task' : 'tasks'} ${shown.join(', ')}${tasks.length > MAX_NAMED ? ', …' : ''} of ${workflow.name}`
}

/** As far down the expression as its form tells. */
function partAt(expr: PlanExpr, path: Path): PlanExpr {
  let part = expr
  for (const step of path) {
    if (part.op === 'list' && typeof step === 'number' && part.items[step] !== undefined) part = part.items[step]
    else if (part.op === 'record' && typeof step === 'string' && part.entries.every(entry => entry.key !== null)) {
      const entry = part.entries.findLast(each => each.key === step)
      if (entry === undefined) return part
      part = entry.value
    } else return part
  }
  return part
}
