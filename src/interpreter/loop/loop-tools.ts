// Loop tools: what the hidden workflows of a loop ask of tek itself, as a module beside those of the program.
// Owns: the module `@loop`: which question is answered by what. Does not own: the answers (stages.ts, health.ts, switch.ts), the order of stages (compiler/4-lower/lower-loop.ts).
//   T1. It answers only in a run that the store knows as a cycle of a loop: a plan that somebody made, a fork or a replay changes no champion.
//   T2. Reading answers are recorded by the run like any call's, so that a cycle gone on with sees what it saw before.
//   T3. What changes something is known by the run: asked for again after a crash it changes nothing twice.
import { join } from 'node:path'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Host } from '#host/host.ts'
import type { Outcome } from '#model/event.ts'
import type { Plan, PlanLoop } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import type { ToolCall, ToolRunner } from '#plugin-api/tool-runner.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { LoopStore } from '#interpreter/journal/loops.ts'
import { fieldsOf, numberOf, textOf } from './cycle-result.ts'
import { healthOf, left, RECENT } from './health.ts'
import * as stages from './stages.ts'
import { asFailure, type Over, overOf, Workspaces } from './workspaces.ts'

/** As the plans name it. */
export const LOOP_MODULE = '@loop'

export interface LoopToolsSettings {
  readonly host: Host
  readonly journal: Journal
  readonly plan: Plan
  /** Null: not known before it begins, so it is no cycle. */
  readonly runId: string | null
  /** Accepted by name: git may run unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined: boolean
}

/** The tools of a program with those of its loops. */
export function withLoopTools(runner: ToolRunner, settings: LoopToolsSettings): ToolRunner {
  if (settings.plan.loopBodies === undefined) return runner
  return {
    pure: (module, fn) => (module === LOOP_MODULE ? null : runner.pure(module, fn)),
    threadModule: module => (module === LOOP_MODULE ? null : runner.threadModule(module)),
    call: (call, context) => (call.module === LOOP_MODULE ? answered(settings, call, text => context.log(text)) : runner.call(call, context)),
    close: () => runner.close(),
  }
}

async function answered(settings: LoopToolsSettings, call: ToolCall, log: (text: string) => void): Promise<Outcome> {
  try {
    const value = await answer(settings, call, log)
    return { kind: 'value', value }
  } catch (caught) {
    const error = asFailure(caught)
    if (!(error instanceof ToolFailure)) throw error
    return { kind: 'failure', failure: { code: error.code, message: error.message, task: '', retryable: error.retryable, ...(error.help === undefined ? {} : { help: error.help }) } }
  }
}

/** The loop that a run is a cycle of. */
export interface Cycle {
  readonly host: Host
  readonly store: LoopStore
  readonly key: string
  readonly cycle: number
  readonly runId: string
  readonly loop: PlanLoop
  readonly mayBeUnconfined: boolean
}

function cycleOf({ host, journal, plan, runId, mayBeUnconfined }: LoopToolsSettings): Cycle {
  const store = journal.loops
  const found = runId === null || store === null ? null : store.ofRun(runId)
  const name = found === null ? undefined : store!.row(found.key)?.name
  const loop = Object.values(plan.loopBodies ?? {}).find(each => each.name === name)
  if (found === null || loop === undefined) { // T1
    const { code, message, help } = loopErrors['not-driven']({})
    throw new ToolFailure(code, message, { help: help[0]! })
  }
  return { host, store: store!, key: found.key, cycle: found.cycle, runId: runId!, loop, mayBeUnconfined }
}

async function answer(settings: LoopToolsSettings, { fn, args }: ToolCall, log: (text: string) => void): Promise<Value> {
  const cycle = cycleOf(settings)
  switch (fn) {
    case 'health': return healthNow(cycle)
    case 'decide': return stages.decide(args['health'], args['differentiates'] === true, cycle.loop.limits)
    case 'decision': return stages.decision(args['said'], args['isAnswer'] === true)
    case 'candidates': return stages.candidates(textOf(args['branch']) ?? '', args['copies'], args['made'], args['champion'], numberOf(args['most']))
    case 'gates': return stages.gates(args['said'], await ownGates(cycle))
    case 'ran': return stages.ran(args['told'])
    case 'observed': return stages.observed(args['run'], args['health'], await healthNow(cycle))
    case 'score': return stages.score(args['run'], args['health'], cycle.host.now() - (cycle.store.open(cycle.key)?.atMs ?? cycle.host.now()))
    case 'best': return stages.best(args['candidates'])
    case 'open': return opened(cycle, args)
    case 'promote': return promote(cycle, args['best'], overOf(args['over']))
    case 'rollback': return rollback(cycle, args['best'], args['why'], overOf(args['over']))
    case 'close':
      await workspacesOf(cycle).close(cycle.cycle)
      return null
    case 'note':
      log(String(args['text'] ?? ''))
      return null
    default:
      throw new ToolFailure('loop/not-driven', `This tek knows no stage \`${fn}\` of a loop.`)
  }
}

function healthNow({ host, store, key, loop }: Cycle): Promise<Value> {
  return healthOf(host, host.cwd, store.past(key, RECENT), store.row(key)?.series ?? null, loop.limits)
}

/** Gates that hold for every candidate. */
async function ownGates(cycle: Cycle): Promise<{ readonly name: string; readonly passed: boolean }[]> {
  const { limits } = cycle.loop
  const spent = cycle.store.row(cycle.key)?.series?.spent
  const isStopped = (await cycle.host.files.stat(join(cycle.host.cwd, '.tek', 'STOP')).catch(() => null)) !== null
  return [
    { name: 'within limits', passed: (['tokens', 'costMicros', 'timeMs'] as const).every(name => left(limits[name], spent?.[name] ?? 0) > 0) },
    { name: 'kill switch off', passed: !isStopped },
  ]
}

function opened(cycle: Cycle, args: Readonly<Record<string, Value>>): Promise<Value> {
  const over = overOf(args['over'])
  return over === null ? Promise.resolve(null) : workspacesOf(cycle).open(cycle.cycle, numberOf(args['index']) ?? 0, over)
}

function workspacesOf({ host, store, key, loop, mayBeUnconfined }: Cycle): Workspaces {
  return new Workspaces({ host, store, key, name: loop.name, mayBeUnconfined })
}

async function promote(cycle: Cycle, given: Value | undefined, over: Over | null): Promise<Value> {
  const { host, store, key, runId } = cycle
  const best = fieldsOf(given)
  const workspace = textOf(best['workspace'])
  const atMs = store.open(key)?.atMs ?? host.now()
  const before = store.madeBy(key, runId) // T3
  const isGit = over?.kind === 'git'
  if (before !== null) return { version: before.version, workspace: isGit ? workspace : null }
  const switched = over === null || workspace === null ? null : await workspacesOf(cycle).promote(runId, workspace, over, atMs, `${cycle.loop.name}: version of cycle ${cycle.cycle}`)
  const made = store.promote(key, { runId, cycle: cycle.cycle, atMs: host.now(), candidate: best['candidate'] ?? null, score: numberOf(best['score']) ?? 0, content: switched?.content ?? null }, switched?.origin)
  return { version: made.version, workspace: isGit ? workspace : null }
}

async function rollback(cycle: Cycle, given: Value | undefined, why: Value | undefined, over: Over | null): Promise<Value> {
  const workspace = textOf(fieldsOf(given)['workspace'])
  const untouched = over === null || workspace === null ? null : await workspacesOf(cycle).isUntouched(workspace, over)
  return { version: cycle.store.champion(cycle.key)?.version ?? 0, why: textOf(why), untouched }
}
