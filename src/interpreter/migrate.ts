// Migrate: a run that is not finished goes on with a program that was changed meanwhile, as a new run.
// Owns: which results still hold, what is said of the rest. Does not own: what a definition is (same-task.ts), telling events to another run (take-over.ts),
// going on with the new run (run.ts: it is one that was stopped).
//   M1. A result is taken over where the task stands at the same place (its path), its definition is the same, and so is all that it was made of: the tasks it
//       depends on were taken over, and parameters, and authority that matters to it, have the values they had. Everything else begins again.
//   M2. Tasks inside a workflow, items of a `for`, attempts and calls are taken over one by one: what was under way and is the same goes on where it was,
//       with the idempotency keys that its calls were made with.
//   M3. What had ended without a value begins again from its first attempt, as in a fork; what that did to an earlier attempt of a workflow around it stays, and so
//       does what an agent delegated and was told the end of. A conversation is its agent with everything that agent can reach: all of it holds, or it begins again.
//   M4. An event is taken only where the task of the new run waits for just that: no event of the new record is without effect.
//   M5. The old run stays as it is, but for saying which run took its place; that and the beginning of the new one are one transaction.
import { canonicalJson, type Json } from '#base/json.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { setUpStages } from './effects/set-up.ts'
import { Evaluation, MAX_EXPRESSION_STEPS, standInName, type PureFunctions } from './engine/evaluation.ts'
import { deskAround } from './engine/delegation.ts'
import { fileEntered, workflowKey } from './engine/open-scope.ts'
import { pathOf } from './engine/path.ts'
import { partsOfTimer } from './engine/protocol.ts'
import type { Scope, State } from './engine/state.ts'
import { isOver, phase } from './engine/tasks.ts'
import { folded } from './find-task.ts'
import type { Journal, OpenedRun, SourceHashes } from './journal/journal.ts'
import { Keeper } from './keeper.ts'
import { checkArguments } from './run.ts'
import { STAND_IN_SEED_BYTES, standInOf } from './secrets/stand-in.ts'
import { Definitions, needsAllAuthority } from './same-task.ts'
import { endedWithoutValue, hasValue, recordTakenOver, sameNode, takeOver, taskOf, translated, type Begun, type TakenOver } from './take-over.ts'

const RUN_ID_BYTES = 6

/** What becomes of the results of a run. Tasks are named by their paths, without the numbers of items. */
export interface MigrationPlan {
  /** Results taken over. */
  readonly kept: number
  /** Results that are made again. */
  readonly again: number
  readonly againTasks: readonly string[]
  /** Tasks with results that the new program does not have. */
  readonly goneTasks: readonly string[]
  /** Tasks that had written, and will again. */
  readonly writesAgain: readonly string[]
}

export interface MigrationParts {
  readonly plan: Plan
  /** Values of the new program's constants. */
  readonly constants: ReadonlyMap<string, Value>
  readonly pure: PureFunctions
}

export interface Migrated extends MigrationPlan {
  /** Null: nothing was recorded. */
  readonly runId: string | null
}

export interface MigrateOptions extends MigrationParts {
  /** Of the new program. */
  readonly sources?: SourceHashes
  /** Nothing is recorded. */
  readonly isDry: boolean
  /** Tasks of which is known that they write again: one more, and nothing is recorded. */
  readonly mayWriteAgain: readonly string[]
}

/** Makes the new run, stopped before its first task of its own. Null when there is no run to go on with. */
export function migrateRun(journal: Journal, host: Host, runId: string, options: MigrateOptions): Migrated | Diagnostic | null {
  const { keeper } = options.isDry ? { keeper: null } : Keeper.take({ host, journal }, runId)
  try {
    const found = journal.openRun(runId)
    if (found === null) return null
    const record = [...found.log.events()]
    const [first] = record
    if (first?.kind !== 'run-started') return runErrors['unknown-run']({ runId })
    const { plan } = options
    if (!plan.entries.includes(first.workflow)) return runErrors['unknown-workflow']({ name: found.summary.workflow, suggestions: [] })
    const [problem] = checkArguments(plan, first.workflow, first.args) // its own defaults take the places of those it was not given
    if (problem !== undefined) return problem
    const standInSeed = first.standInSeed ?? (plan.secrets === undefined ? undefined : host.randomHex(STAND_IN_SEED_BYTES))
    const begun: Begun = {
      ...first, runId: host.randomHex(RUN_ID_BYTES), atMs: host.now(), planHash: plan.hash, origin: { runId, task: '', migrated: true }, ...(standInSeed === undefined ? {} : { standInSeed }),
    }
    const constants = new Map(options.constants)
    for (const { name } of plan.secrets ?? []) constants.set(standInName(name), standInOf(name, standInSeed ?? ''))
    const migration = new Migration(found, record, { ...options, constants })
    const taken = takeOver(record, found.plan, plan, begun, (event, old, own) => migration.choose(event, old, own))
    const told = migration.told(taken.state)
    if (options.isDry || told.writesAgain.some(each => !options.mayWriteAgain.includes(each))) return { ...told, runId: null }
    recordTakenOver(journal, { ...found, sources: options.sources ?? null }, begun, plan, withKeys(taken, found), found.summary) // M5
    return { ...told, runId: begun.runId }
  } finally {
    keeper?.close()
  }
}

/** Calls under way keep the keys they were made with. // M2 */
function withKeys(taken: TakenOver, { summary }: OpenedRun): TakenOver {
  const open = new Set<string>()
  for (const [task, calls] of taken.state.calls) {
    calls.forEach((each, call) => { // those of a conversation have gaps
      if (each.outcome === null) open.add(`${task} ${taken.state.tasks.attempt[task]!} ${call}`)
    })
  }
  if (open.size === 0) return taken
  const events = taken.events.map(event => (event.kind === 'call-started' && open.has(`${event.task} ${event.attempt} ${event.call}`) ? { ...event, keyRun: event.keyRun ?? summary.runId } : event))
  return { ...taken, events }
}

class Migration {
  private readonly was: Definitions
  private readonly is: Definitions
  private readonly parts: MigrationParts
  private readonly before: Plan
  /** The old run at the end of its record. */
  private readonly whole: State
  private readonly same = new Map<string, boolean>()
  private readonly wroteAgain = new Set<TaskId>()

  constructor(found: OpenedRun, record: readonly RunEvent[], parts: MigrationParts) {
    this.parts = parts
    this.before = found.plan
    this.was = new Definitions(found.plan)
    this.is = new Definitions(parts.plan)
    this.whole = folded(found.plan, record)
  }

  /** The event as the new run takes it over, or null. */
  choose(event: RunEvent, old: State, own: State): RunEvent | null {
    const task = taskOf(event)
    if (task === null || task >= old.tasks.size) return null
    const mine = translated(event, old, own)
    const taken = mine !== null && this.isTaken(event, task, old, own, taskOf(mine)!) ? this.beginning(mine, task, old, own) : null
    if (taken === null && event.kind === 'call-finished' && event.outcome.kind === 'value' && this.isWrite(task, old.calls.get(task)?.[event.call]?.name ?? '', old)) this.wroteAgain.add(task)
    return taken
  }

  /** What is to be said, once the record was gone through. */
  told(own: State): MigrationPlan {
    const { whole } = this
    const over = new Set<string>()
    for (let task = 1; task < own.tasks.size; task++) if (isOver(own.tasks.phase[task]!)) over.add(pathOf(own, task))
    const againTasks = new Set<string>()
    const goneTasks = new Set<string>()
    const writesAgain = new Set<string>()
    let again = 0
    for (let task = 1; task < whole.tasks.size; task++) {
      const hadResult = isLeaf(whole, task) && hasValue(whole, task) && !over.has(pathOf(whole, task))
      if (!hadResult && !this.wroteAgain.has(task)) continue
      const name = pathOf(whole, task).replaceAll(/\[\d+\]|#\d+/g, '')
      if (!this.isThere(task)) {
        if (hadResult) goneTasks.add(name)
        continue
      }
      if (hadResult) {
        again++
        againTasks.add(name)
      }
      if (this.wroteAgain.has(task)) writesAgain.add(name)
    }
    const { done, failed, skipped } = own.counts
    return { kept: done + failed + skipped, again, againTasks: [...againTasks], goneTasks: [...goneTasks], writesAgain: [...writesAgain] }
  }

  private isTaken(event: RunEvent, task: TaskId, old: State, own: State, place: TaskId): boolean {
    if (!isAwaited(event, task, old, own, place)) return false // M4
    if (event.kind === 'timer-fired' && partsOfTimer(event.timer)!.purpose === 'time-limit') return false
    if (task !== 0 && !this.isSame(task, old, own, place)) return false
    if (event.kind === 'evaluated' && event.part === 'returns' && !this.hasSameResult(old.inside.get(task), own.inside.get(place))) return false
    return !this.isEndWithoutValue(event, task, old)
  }

  /** M3. */
  private isEndWithoutValue(event: RunEvent, task: TaskId, old: State): boolean {
    const { whole } = this
    if (task === 0) return event.kind === 'evaluated' && endsInFailure(event)
    if (!endedWithoutValue(whole, task) || this.isOfEarlierAttempt(task, old) || wasTold(whole, task)) return false
    const node = old.nodeOf(task)
    const holdsOthers = (node.forEach !== null && old.tasks.group[task] === -1) || node.body.kind === 'workflow'
    if (!holdsOthers || !(whole.groups.has(task) || whole.opened.has(task))) return true
    if (old.tasks.attempt[task]! < whole.tasks.attempt[task]!) return false
    const at = old.tasks.phase[task]!
    return event.kind === 'task-cancelled' || endsInFailure(event) || at === phase.inside || at === phase.returns || at === phase.verifyKey || at === phase.fallback
  }

  /** Whether a workflow around it was tried again since. */
  private isOfEarlierAttempt(task: TaskId, old: State): boolean {
    for (let scope = old.scopeOf(task); scope.task !== 0; scope = old.scopeOf(scope.task)) if (scope.attempt < this.whole.tasks.attempt[scope.task]!) return true
    return false
  }

  /** M1: the same definition, the same parameters, the same authority. That what it depends on was taken over is told by the new run having begun it. */
  private isSame(task: TaskId, old: State, own: State, place: TaskId): boolean {
    const [from, to] = [old.scopeOf(task), own.scopeOf(place)]
    const [was, is] = [old.nodeOf(task), own.nodeOf(place)]
    const group = old.tasks.group[task]!
    const key = `${from.index} ${(group === -1 ? task : group) - from.base}`
    let same = this.same.get(key)
    if (same === undefined) {
      same = this.was.ofNode(from.shape.workflow, was) === this.is.ofNode(to.shape.workflow, is)
      const { params, grants } = this.was.mentions(was)
      same &&= hasSameParams(params, from, to) && hasSameAuthority(grants, from, to)
      this.same.set(key, same)
    }
    return same
  }

  private hasSameResult(from: Scope | undefined, to: Scope | undefined): boolean {
    if (from === undefined || to === undefined) return false
    const [was, is] = [from.shape.workflow, to.shape.workflow]
    const { params, grants } = this.was.mentions(was.returns)
    return this.was.ofResult(was) === this.is.ofResult(is) && hasSameParams(params, from, to) && hasSameAuthority(grants, from, to)
  }

  /** What a workflow begins with, where that changed, is worked out anew: what inside of it does not depend on the change still holds. */
  private beginning(mine: RunEvent, task: TaskId, old: State, own: State): RunEvent | null {
    if (mine.kind !== 'evaluated' || mine.part !== 'setup') return mine
    const [was, is] = [this.before.workflows[workflowKey(old, task)], this.parts.plan.workflows[workflowKey(own, mine.task)]]
    if (was === undefined || is === undefined) return null
    const isUnchanged = this.was.ofBeginning(was, fileEntered(old, task)?.authority) === this.is.ofBeginning(is, fileEntered(own, mine.task)?.authority)
    if (isUnchanged) return mine
    const outcome = this.setUp(own, mine.task)
    return outcome === null ? null : { ...mine, outcome }
  }

  private setUp(own: State, task: TaskId): Outcome | null {
    const { constants, pure, plan } = this.parts
    const { stages, result } = setUpStages(own, task, constants)
    for (const stage of stages) {
      const step = new Evaluation(stage.expr, stage.names, { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure, prompts: plan.prompts }).start()
      if (step.kind !== 'done') return null
      stage.accept(step.value)
    }
    return { kind: 'value', value: result() }
  }

  private isWrite(task: TaskId, call: string, old: State): boolean {
    return task !== 0 && this.was.mentions(old.nodeOf(task)).writes.has(call)
  }

  /** Whether the new program has the task. */
  private isThere(task: TaskId): boolean {
    const { whole } = this
    const scope = whole.scopeOf(task)
    if (scope.task !== 0 && !this.isThere(scope.task)) return false
    if (scope.desk !== null) return true
    const key = scope.shape.key
    const is = this.parts.plan.workflows[key]
    const group = whole.tasks.group[task]!
    return is !== undefined && sameNode(scope.shape.workflow, is, (group === -1 ? task : group) - scope.base) !== null
  }
}

/** Whether a task is of something that an agent delegated and was told the end of: how it ended is a result. // M3 */
function wasTold(whole: State, task: TaskId): boolean {
  for (let around = deskAround(whole, task); around !== null; around = deskAround(whole, around.task)) {
    const at = whole.tasks.phase[around.base]
    if (at === phase.done || at === phase.failed) return true
  }
  return false
}

const endsInFailure = (event: RunEvent): boolean => 'outcome' in event && event.outcome.kind === 'failure'

const isLeaf = (state: State, task: TaskId): boolean => state.nodeOf(task).kind === 'task' && !state.groups.has(task) && !state.opened.has(task)

/** Whether both runs wait for the event. // M4 */
function isAwaited(event: RunEvent, task: TaskId, old: State, own: State, place: TaskId): boolean {
  const attempt = event.kind === 'timer-fired' ? partsOfTimer(event.timer)!.attempt : 'attempt' in event ? event.attempt : old.tasks.attempt[task]!
  if (old.tasks.attempt[task] !== attempt || own.tasks.attempt[place] !== attempt) return false
  const [was, is] = [old.tasks.phase[task]!, own.tasks.phase[place]!]
  if (isOver(was) || isOver(is)) return false
  const mayBeAdopted = own.tasks.group[place] !== -1 && (was === phase.waiting || is === phase.waiting) // items are begun in any order
  return was === is || (isAtBody(was) && isAtBody(is)) || mayBeAdopted
}

/** In line or at work: that depends on the machine. */
const isAtBody = (code: number): boolean => code === phase.queued || code === phase.body

function hasSameParams(names: readonly string[], from: Scope, to: Scope): boolean {
  return names.every(name => canonicalJson((from.params[name] ?? null) as Json) === canonicalJson((to.params[name] ?? null) as Json))
}

function hasSameAuthority(grants: readonly string[], from: Scope, to: Scope): boolean {
  if (grants.length === 0) return true
  const all = needsAllAuthority(grants)
  const textOf = ({ levels }: Scope): string => JSON.stringify(levels.map(({ allows, implied }) => [
    allows.filter(each => all || grants.includes(each.name)).map(each => JSON.stringify([each.name, ...each.args])).sort(),
    all ? implied.map(({ by, grant }) => JSON.stringify([by, grant.name, ...grant.args])).sort() : [],
  ]))
  return textOf(from) === textOf(to)
}
