// Worst case: the most that workflows, agents and loops can spend.
// Owns: how clauses and calls multiply: cache(approve(wait(verify(retry(timeout(body)))))), items of a `for`, sub-workflows. Does not own: the algebra
// (bound.ts, spending.ts, cost.ts), lengths (length.ts), what one execution of an agent and one cycle of a loop do
// (agent-cost.ts, loop-cost.ts), what is an error (limits-hold.ts).
//   W1. An upper bound for every run that is not interrupted; tests/compiler/worst-case-random.test.ts holds runs against it.
//   W2. Each declaration is looked at once; a circle, which is an error of its own, counts as nothing.
import type { Clause, Expr, TaskDecl } from '../../1-syntax/ast.ts'
import type { Program, Sym, Unit } from '../../2-resolve/program.ts'
import type { CallFact, NodeFacts, UnitFacts } from '../facts.ts'
import { literalOf } from '../known-values.ts'
import { agentSpending, REPAIR_TURNS } from './agent-cost.ts'
import { type Bound, counted, larger, one, plus, type Site, smaller, times, unbounded, zero } from './bound.ts'
import { type CallCount, callsIn, isCall, none, sum } from './calls-in.ts'
import { type AgentCost, type Cases, type Cost, fileLimits, LEAST_AT_ONCE, limited, limitsOf, noCost } from './cost.ts'
import { Lengths } from './length.ts'
import { loopCost } from './loop-cost.ts'
import { addAmounts, type Amounts, addSpending, amounts, noSpending, type Spending, timesAmounts } from './spending.ts'

/** As the engine has them (interpreter/engine/protocol.ts); a test ties the numbers. */
export const MAX_ATTEMPTS = 1_000
export const MAX_VERIFY_RUNS = 100
export const MAX_BACKOFF_MS = 24 * 3_600_000
/** Wait before the first further attempt, and the longest wait, where `retry` says nothing. */
export const DEFAULT_BACKOFF_FROM_MS = 1_000
export const DEFAULT_BACKOFF_TO_MS = 30_000

export class WorstCases implements Cases {
  readonly program: Program
  private readonly factsOf: (unit: Unit) => UnitFacts | undefined
  /** Before and under its own limits. */
  private readonly workflows = new Map<Sym, { readonly own: Cost; readonly cost: Cost }>()
  private readonly agents = new Map<Sym, AgentCost>()
  /** Whether a figure of the price list went into any amount. */
  usesPrices = false

  constructor(program: Program, factsOf: (unit: Unit) => UnitFacts | undefined) {
    this.program = program
    this.factsOf = factsOf
  }

  /** A workflow under its own limits, as its file's other workflows call it. */
  workflow(symbol: Sym<'workflow'>): Cost {
    return this.look(symbol).cost
  }

  /** A workflow without its own limits. */
  unlimited(symbol: Sym<'workflow'>): Cost {
    return this.look(symbol).own
  }

  private look(symbol: Sym<'workflow'>): { readonly own: Cost; readonly cost: Cost } {
    let found = this.workflows.get(symbol)
    if (found === undefined) {
      this.workflows.set(symbol, { own: noCost, cost: noCost }) // W2
      const facts = this.factsOf(symbol.unit)
      const own = facts?.workflow == null ? noCost : this.nodes(facts)
      found = { own, cost: limited(own, limitsOf(symbol), `\`${symbol.name}\``) }
      this.workflows.set(symbol, found)
    }
    return found
  }

  /** A workflow that is entered from outside its file: the file's limits hold as well. */
  entered(symbol: Sym<'workflow'>): Cost {
    return limited(this.workflow(symbol), fileLimits(symbol.unit.file), `\`${symbol.unit.file.path}\``)
  }

  agent(symbol: Sym<'agent'>): AgentCost {
    let cost = this.agents.get(symbol)
    if (cost === undefined) {
      this.agents.set(symbol, { spending: noSpending, timeMs: zero, talkCalls: zero, workCalls: zero, delegates: false, dearest: Infinity }) // W2
      cost = agentSpending(this, symbol)
      this.agents.set(symbol, cost)
    }
    return cost
  }

  private nodes(facts: UnitFacts): Cost {
    const { nodes, order } = facts.workflow!
    const lengths = new Lengths(facts, this.factsOf)
    const ends: Bound[] = []
    let spending = noSpending
    let pathMs = zero
    let abreast = 0
    for (const index of order) {
      const node = nodes[index]!
      const cost = node.declaration.kind === 'task' ? this.task(facts, node, node.declaration, lengths) : noCost
      const before = node.dependsOn.reduce((latest, each) => larger(latest, ends[each] ?? zero), zero)
      ends[index] = cost.pathMs === zero ? before : plus(before, cost.pathMs)
      pathMs = larger(pathMs, ends[index])
      if (cost !== noCost) spending = addSpending(spending, cost.spending)
      abreast += cost.abreast
    }
    return { spending, pathMs, abreast }
  }

  /** What one task comes to, its items, attempts and calls taken together. */
  private task(facts: UnitFacts, node: NodeFacts, task: TaskDecl, lengths: Lengths): Cost {
    const site: Site = { unit: facts.unit, span: task.name }
    const clauses = clausesOf(task)
    const items = itemsOf(facts, task, lengths)
    const isSure = task.when === null && clauses.cache === undefined
    const { attempts, runs, waits } = repetitions(clauses, site)
    const callee = calleeOf(facts, task)
    const body = callee === null ? this.leaf(facts, node, task, lengths, site) : held(this.call(facts, node, task, lengths, callee), clauses.timeout)
    const around = plus(waits, plus(asked(clauses.approve, node.name, facts.unit), passing(clauses.wait, node.name, facts)))
    const timeMs = plus(times(attempts, timed(body.pathMs, clauses.timeout, site)), around)
    const often = times(items.most, attempts)
    const leaf = callee === null
    const most: Amounts = { ...timesAmounts(often, body.most), tasks: leaf ? plus(items.most, times(often, body.most.tasks)) : times(often, body.most.tasks) }
    const each: Amounts = leaf ? { ...timesAmounts(attempts, body.most), tasks: one, attempts, workMs: timeMs } : { ...body.each }
    const sure = isSure ? { ...timesAmounts(times(items.sure, runs), body.sure), ...(leaf ? { tasks: items.sure } : {}) } : amounts({})
    const width = widthOf(clauses.parallel, items.most)
    const workMs = body.abreast > 1 ? times(counted(LEAST_AT_ONCE, 'places', site), timeMs) : timeMs // what an agent hands on may hold every place for as long
    const full: Amounts = leaf ? { ...most, attempts: plus(often, most.attempts), workMs: times(items.most, workMs) } : { ...most, argMs: plus(most.argMs, times(items.most, around)) }
    const spent = task.clauses.some(clause => clause.kind === 'needs') ? { ...full, lonelyMs: plus(full.workMs, full.argMs) } : full
    return { spending: { most: spent, sure, each }, pathMs: times(rounds(items.most, width, site), timeMs), abreast: width === 0 ? 0 : width * body.abreast }
  }

  /** A stage of a loop, carried out once. */
  stage(facts: UnitFacts, stage: Pick<TaskDecl, 'name' | 'by' | 'value' | 'clauses'>): Cost {
    const declaration: TaskDecl = { kind: 'task', doc: '', forEach: null, result: null, after: [], when: null, start: stage.name.start, end: stage.name.end, ...stage }
    const node = { name: stage.name.text, calls: { from: 0, to: facts.callLog.length } } as NodeFacts
    return this.task(facts, node, declaration, new Lengths(facts, this.factsOf))
  }

  /** The most items of a list in a unit. */
  lengthOf(facts: UnitFacts, list: Expr): Bound {
    const length = new Lengths(facts, this.factsOf).of(list)
    return length.open === null ? counted(length.most, 'candidates', { unit: facts.unit, span: list }) : unbounded(`each candidate is run, and ${length.open.because}`, length.open.at)
  }

  /** A loop without its own limits. */
  loop(symbol: Sym<'loop'>): Cost {
    const facts = this.factsOf(symbol.unit)
    return facts === undefined ? noCost : loopCost(this, symbol, facts)
  }

  /** The longest time that a single task of a workflow is allowed, by its `timeout` or its agent's limit; null where none is. */
  longestWait(symbol: Sym<'workflow'>): { readonly task: string; readonly ms: number; readonly what: string; readonly at: Site } | null {
    const facts = this.factsOf(symbol.unit)
    let longest: ReturnType<WorstCases['longestWait']> = null
    for (const task of symbol.declaration.body) {
      if (task.kind !== 'task') continue
      const timeout = clausesOf(task).timeout?.value
      const agent = task.by === null ? undefined : facts?.agents.get(task.by)
      const allowed = agent === undefined ? undefined : limitsOf(agent).timeMs
      const found = timeout !== undefined && (allowed === undefined || Number(timeout.value) <= allowed)
        ? { task: task.name.text, ms: Number(timeout.value), what: 'its `timeout`', at: { unit: symbol.unit, span: timeout } }
        : agent !== undefined && allowed !== undefined ? { task: task.name.text, ms: allowed, what: `the time limit of \`${agent.name}\``, at: { unit: symbol.unit, span: task.by! } } : null
      if (found !== null && (longest === null || found.ms > longest.ms)) longest = found
    }
    return longest
  }

  /** One execution of an expression or of an agent, and of what must hold of its value. */
  private leaf(facts: UnitFacts, node: NodeFacts, task: TaskDecl, lengths: Lengths, site: Site): Execution {
    const body = this.ownLeaf(facts, node, task, lengths, site)
    const ensured = ensuredCalls(facts, task, lengths, site)
    const own = ensured === null ? body : {
      ...body, most: addAmounts(body.most, amounts({ calls: ensured.calls, programs: ensured.programs })), sure: addAmounts(body.sure, amounts({ calls: ensured.sure })),
      pathMs: plus(body.pathMs, unbounded(`\`${node.name}\` has no \`timeout\`, and what it ensures calls tools`, site)),
    }
    const verify = task.clauses.find(clause => clause.kind === 'verify')
    const judge = verify?.judge == null ? undefined : facts.agents.get(verify.judge)
    if (judge === undefined) return own
    const { spending, timeMs } = this.agent(judge)
    return { ...own, most: addAmounts(own.most, spending.most), sure: addAmounts(own.sure, spending.sure), pathMs: plus(own.pathMs, timeMs) }
  }

  private ownLeaf(facts: UnitFacts, node: NodeFacts, task: TaskDecl, lengths: Lengths, site: Site): Execution {
    if (task.by !== null) {
      const agent = facts.agents.get(task.by)
      if (agent === undefined) return noExecution
      const { spending, timeMs, delegates } = this.agent(agent)
      return { ...spending, pathMs: timeMs, abreast: delegates ? LEAST_AT_ONCE + 1 : 1 }
    }
    if (node.calls.from === node.calls.to || task.value.kind === 'prompt-value') return noExecution
    const { calls, programs, sure } = callsIn(task.value, facts, lengths)
    if (calls.amount === 0) return noExecution
    const first = facts.callLog.slice(node.calls.from, node.calls.to).find(({ fact }) => isCall(fact))?.name ?? 'it'
    const pathMs = unbounded(`\`${node.name}\` has no \`timeout\`, and nobody knows how long \`${first}\` takes`, site)
    return { most: amounts({ calls, programs }), sure: amounts({ calls: sure }), each: amounts({}), pathMs, abreast: 1 }
  }

  /** One execution of a sub-workflow, and the calls in its arguments. */
  private call(facts: UnitFacts, node: NodeFacts, task: TaskDecl, lengths: Lengths, { symbol, args }: { symbol: Sym<'workflow'>; args: CallFact['args'] }): Execution {
    const inner = symbol.unit.file === facts.unit.file ? this.workflow(symbol) : this.entered(symbol)
    const ensured = ensuredCalls(facts, task, lengths, { unit: facts.unit, span: task.name })
    const given = [...args.flatMap(arg => arg.values).map(value => callsIn(value, facts, lengths)), ...(ensured === null ? [] : [ensured])]
    const argCalls = given.reduce((all, each) => plus(all, each.calls), zero)
    const argPrograms = given.reduce((all, each) => plus(all, each.programs), zero)
    const argSure = given.reduce((all, each) => plus(all, each.sure), zero)
    const site: Site = { unit: facts.unit, span: task.name }
    const argMs = argCalls.amount === 0 ? zero : unbounded(`\`${node.name}\` has no \`timeout\`, and its arguments, or what it ensures, call tools`, site)
    const { most, sure, each } = inner.spending
    return {
      most: argCalls === zero ? most : { ...most, argCalls: plus(most.argCalls, argCalls), argPrograms: plus(most.argPrograms, argPrograms), argMs: plus(most.argMs, argMs) },
      sure: argSure === zero ? sure : { ...sure, calls: plus(sure.calls, argSure) },
      each, pathMs: plus(argMs, inner.pathMs), abreast: Math.max(1, inner.abreast),
    }
  }
}

/** Calls of the conditions of `ensure` in one attempt; null for none. An agent's answer is asked about again when it was mended. */
function ensuredCalls(facts: UnitFacts, task: TaskDecl, lengths: Lengths, site: Site): CallCount | null {
  const each = task.clauses.flatMap(clause => (clause.kind === 'ensure' ? [callsIn(clause.condition, facts, lengths)] : [])).reduce((all, one) => sum(all, one), none)
  if (each.calls.amount === 0) return null
  if (task.by === null) return each
  const often = counted(1 + REPAIR_TURNS, 'answers that are looked at', site)
  return { calls: times(often, each.calls), programs: times(often, each.programs), sure: each.sure }
}

/** What one execution of a body comes to. */
interface Execution extends Omit<Cost, 'spending'>, Spending {}
const noExecution: Execution = { ...noSpending, pathMs: zero, abreast: 1 }

/** A sub-workflow that is given up when its time is over: it can keep every place of the machine for so long, and no longer. */
function held(body: Execution, timeout: Clauses['timeout']): Execution {
  if (timeout === undefined) return body
  const whole: Bound = { ...one, amount: LEAST_AT_ONCE * Number(timeout.value.value) }
  return { ...body, most: { ...body.most, workMs: smaller(body.most.workMs, whole), lonelyMs: smaller(body.most.lonelyMs, whole), argMs: smaller(body.most.argMs, whole) } }
}

interface Clauses {
  readonly retry?: Extract<Clause, { kind: 'retry' }>
  readonly verify?: Extract<Clause, { kind: 'verify' }>
  readonly timeout?: Extract<Clause, { kind: 'timeout' }>
  readonly cache?: Extract<Clause, { kind: 'cache' }>
  readonly approve?: Extract<Clause, { kind: 'approve' }>
  readonly wait?: Extract<Clause, { kind: 'wait' }>
  readonly parallel?: Extract<Clause, { kind: 'parallel' }>
}

/** The first of each kind, as lowering takes them. */
function clausesOf(task: TaskDecl): Clauses {
  const found: Record<string, Clause> = {}
  for (const clause of task.clauses) found[clause.kind] ??= clause
  return found as Clauses
}

/** How often a body is worked on, at most and where nothing fails; and the longest waits in between. */
function repetitions({ retry, verify }: Clauses, site: Site): { attempts: Bound; runs: Bound; waits: Bound } {
  const clampRuns = (count: number): number => Math.min(count, MAX_VERIFY_RUNS)
  const least = verify === undefined ? 1 : clampRuns(verify.runs)
  const most = verify === undefined ? 1 : clampRuns(Math.max(verify.upTo ?? verify.runs, verify.runs))
  const tries = (retry?.count ?? 0) + 1
  const at = (clause: Clause): Site => ({ unit: site.unit, span: clause })
  const each = retry === undefined ? one : counted(tries, 'attempts', at(retry))
  const bySteps = verify === undefined ? each : times(counted(most, 'runs of `verify`', at(verify)), each)
  const attempts = bySteps.amount > MAX_ATTEMPTS ? counted(MAX_ATTEMPTS, 'attempts', site) : bySteps
  const runs = verify === undefined ? one : counted(least, 'runs of `verify`', at(verify))
  if (retry === undefined) return { attempts, runs, waits: zero }
  const fromMs = Number(retry.backoff?.from.value ?? DEFAULT_BACKOFF_FROM_MS)
  const toMs = retry.backoff === null ? DEFAULT_BACKOFF_TO_MS : Number((retry.backoff.to ?? retry.backoff.from).value)
  let waitMs = 0
  for (let step = 0; step < retry.count; step++) waitMs += Math.min(MAX_BACKOFF_MS, Math.max(toMs, fromMs), fromMs * 2 ** Math.min(step, 40))
  return { attempts, runs, waits: { ...one, amount: most * waitMs } }
}

/** Until a person has answered, or the last deadline is over. */
function asked(clause: Clauses['approve'], task: string, unit: Unit): Bound {
  if (clause === undefined) return zero
  if (clause.within === null) return unbounded(`\`${task}\` waits for a person to approve`, { unit, span: clause })
  const ms = [clause.within, ...clause.escalate.map(each => each.within)].reduce((all, each) => all + Number(each.value), 0)
  return counted(ms, 'for a person to approve', { unit, span: clause }, 'time')
}

/** The time that passes before the body. */
function passing(clause: Clauses['wait'], task: string, facts: UnitFacts): Bound {
  if (clause === undefined) return zero
  const site: Site = { unit: facts.unit, span: clause }
  const literal = clause.until ? null : literalOf(facts, clause.value)
  return literal === null ? unbounded(`how long \`${task}\` waits is known when it runs`, site) : counted(Number(literal.value), 'of `wait`', site, 'time')
}

/** Items of a task: one where it has no `for`. */
function itemsOf(facts: UnitFacts, task: TaskDecl, lengths: Lengths): { most: Bound; sure: Bound } {
  if (task.forEach === null) return { most: one, sure: one }
  const { list } = task.forEach
  const length = lengths.of(list)
  const what = list.kind === 'name-expr' ? `items of \`${list.name}\`` : `items of \`${task.name.text}\``
  const site: Site = { unit: facts.unit, span: list }
  const most = length.open === null ? counted(length.most, what, site) : unbounded(`\`${task.name.text}\` runs once for each item, and ${length.open.because}`, length.open.at)
  return { most, sure: length.exact ? most : zero }
}

/** An attempt that is given up when its time is over. */
function timed(pathMs: Bound, timeout: Clauses['timeout'], site: Site): Bound {
  return timeout === undefined ? pathMs : smaller(pathMs, counted(Number(timeout.value.value), 'an attempt', { unit: site.unit, span: timeout.value }, 'time'))
}

function widthOf(parallel: Clauses['parallel'], items: Bound): number {
  if (parallel === undefined) return items.amount
  const { width } = parallel
  return width.kind === 'literal' && typeof width.value === 'number' && width.value >= 1 ? width.value : 1
}

/** How often a `for` fills its width. */
function rounds(items: Bound, width: number, site: Site): Bound {
  if (width >= items.amount) return items.amount === 0 ? zero : one
  return items.open !== null ? unbounded(items.open.because, items.open.at) : counted(Math.ceil(items.amount / width), 'rounds', site)
}

export function calleeOf(facts: UnitFacts, { by, value }: Pick<TaskDecl, 'by' | 'value'>): { symbol: Sym<'workflow'>; args: CallFact['args'] } | null {
  let expr = value
  while (expr.kind === 'group') expr = expr.inner
  if (by !== null || (expr.kind !== 'call' && expr.kind !== 'pipe')) return null
  const fact = facts.calls.get(expr)
  return fact?.target.kind === 'workflow' ? { symbol: fact.target.symbol, args: fact.args } : null
}
