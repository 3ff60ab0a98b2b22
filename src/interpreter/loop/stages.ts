// Stages: what the stages of a loop do where a program says nothing, and how what it says is taken.
// Owns: default decisions, candidates from what `differentiate` made, what runs came to, scores, the best. Pure. Does not own: order and journal (the engine).
//   S1. Nothing unexpected counts as a yes: a gate passes by `true` alone, a score outside 0 to 1 is no score.
//   S2. An empty difference is no candidate. Copies of the champion differ in nothing and are candidates all the same.
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import type { Value } from '#model/type.ts'
import { fieldsOf, listOf, numberOf, textOf } from './cycle-result.ts'
import { type LoopLimits, scarcity } from './health.ts'
import { valueDiff } from './value-diff.ts'

/** Candidates of one cycle, copies included. */
export const MAX_CANDIDATES = 100

const BRANCHES = ['replicate', 'differentiate', 'quiesce', 'escalate']

const usageOf = (health: Value | undefined) => {
  const { cpu, memory, disk } = fieldsOf(health)
  return { cpu: numberOf(cpu) ?? 0, memory: numberOf(memory) ?? 0, disk: numberOf(disk) ?? 0 }
}

/** `decide`, where nobody wrote it. */
export function decide(health: Value | undefined, differentiates: boolean, limits: LoopLimits): Value {
  const reason = scarcity(usageOf(health), limits)
  if (reason !== null) return { branch: 'quiesce', reason, scarce: true, confidence: 1 }
  return { branch: differentiates ? 'differentiate' : 'replicate', because: 'nothing is scarce', confidence: 1 }
}

/** What `decide` said, in one form. An agent's answer without a branch is what to work on. */
export function decision(said: Value | undefined, isAnswer: boolean): Value {
  if (said === undefined || said === null) return { branch: null, value: null, copies: null, reason: null, because: null, confidence: null, scarce: false }
  const fields = fieldsOf(said)
  const named = textOf(fields['branch'])
  const branch = named !== null && BRANCHES.includes(named) ? named : null
  const confidence = numberOf(fields['confidence'])
  if (confidence !== null && (confidence < 0 || confidence > 1)) throw bad('decide', 'a confidence from 0 to 1', String(confidence))
  return {
    branch: branch ?? 'differentiate', value: branch === null || isAnswer ? said : (fields['value'] ?? null), copies: numberOf(fields['n']), reason: textOf(fields['reason']) ?? textOf(fields['question']),
    because: textOf(fields['because']) ?? textOf(fields['rationale']), confidence, scarce: fields['scarce'] === true,
  }
}

/** The candidates of a cycle. */
export function candidates(branch: string, copies: Value | undefined, made: Value | undefined, champion: Value | undefined, most: number | null): Value {
  const { candidate = null, version } = fieldsOf(champion)
  if (branch === 'replicate') {
    const wanted = numberOf(copies) ?? 1
    const count = Math.max(0, Math.min(Math.trunc(wanted), most ?? MAX_CANDIDATES, MAX_CANDIDATES))
    return Array.from({ length: count }, (_, index): Value => ({ index, candidate, diff: [] }))
  }
  const all = Array.isArray(made) ? (made as readonly Value[]) : made === undefined || made === null ? [] : [made]
  if (all.length > MAX_CANDIDATES) throw bad('differentiate', `at most ${MAX_CANDIDATES} candidates`, String(all.length))
  const isFirst = numberOf(version) === 0
  return all.flatMap((each, index): Value[] => {
    const diff = valueDiff(isFirst ? null : candidate, each)
    return diff.length === 0 && !isFirst ? [] : [{ index, candidate: each, diff: diff as unknown as Value }] // S2
  })
}

/** What the runs of a candidate came to: the type `RunResult` of the language. */
export function ran(told: Value | undefined): Value {
  const { agreed, value = null, reason, runs } = fieldsOf(told)
  const isPassed = (of: Value | undefined): boolean => (typeof of === 'boolean' ? of : 'passed' in fieldsOf(of) ? fieldsOf(of)['passed'] === true : true)
  const passed = agreed === true && isPassed(value)
  const said = textOf(reason) ?? textOf(fieldsOf(value)['reason'])
  return {
    passed, reason: passed ? null : (said ?? (agreed === true ? 'it did not pass' : 'its runs did not agree')), value,
    runs: listOf(runs).map((each): Value => ({ passed: fieldsOf(each)['failed'] === null && isPassed(fieldsOf(each)['value']), value: fieldsOf(each)['value'] ?? null })),
  }
}

/** `observe`, where nobody wrote it: the value of the run, and how the health changed. */
export function observed(run: Value | undefined, before: Value | undefined, now: Value | undefined): Value {
  const [then, here] = [fieldsOf(before), fieldsOf(now)]
  const changes = Object.keys(here).flatMap((name): [string, Value][] => {
    const [a, b] = [numberOf(then[name]), numberOf(here[name])]
    return a === null || b === null ? [] : [[name, b - a]]
  })
  return { value: fieldsOf(run)['value'] ?? null, change: Object.fromEntries(changes) }
}

const SUCCESS = 0.4
const RESOURCES = 0.3
const TIME = 0.2
const ERRORS = 0.1

/** `score`, where nobody wrote it. `elapsedMs`: since the cycle began. */
export function score(run: Value | undefined, health: Value | undefined, elapsedMs: number): Value {
  const { cpu, memory, disk } = usageOf(health)
  const { cycleTime, errors } = fieldsOf(health)
  const usual = numberOf(cycleTime) ?? 0
  const parts = {
    success: fieldsOf(run)['passed'] === true ? 1 : 0,
    resources: 1 - Math.max(cpu, memory, disk),
    time: usual <= 0 ? 1 : Math.max(0, Math.min(1, 1.5 - elapsedMs / usual / 2)),
    errors: 1 / (1 + Math.max(0, numberOf(errors) ?? 0)),
  }
  return SUCCESS * parts.success + RESOURCES * parts.resources + TIME * parts.time + ERRORS * parts.errors
}

/** The candidate that does best: passed before not, then by score, then the one that came first. Null: none was run. */
export function best(all: Value | undefined): Value {
  let found: Readonly<Record<string, Value>> | null = null
  const rank = (of: Readonly<Record<string, Value>>): number => (fieldsOf(of['run'])['passed'] === true ? 2 : 0) + (numberOf(of['score']) ?? 0)
  for (const each of listOf(all)) {
    const candidate = fieldsOf(each)
    if (fieldsOf(candidate['gates'])['passed'] !== true || candidate['run'] == null) continue
    const given = numberOf(candidate['score'])
    if (given !== null && (given < 0 || given > 1)) throw bad('score', 'a number from 0 to 1', String(given)) // S1
    if (found === null || rank(candidate) > rank(found)) found = candidate
  }
  return found
}

/** What gates say together. // S1 */
export function gates(said: Value | undefined, own: readonly { readonly name: string; readonly passed: boolean }[]): Value {
  const all = [...own, ...listOf(said).map(each => ({ name: String(fieldsOf(each)['name'] ?? '?'), passed: fieldsOf(each)['passed'] === true }))]
  return { passed: all.every(each => each.passed), gates: all }
}

function bad(stage: string, wanted: string, found: string): ToolFailure {
  const { code, message, help } = loopErrors['bad-value']({ stage, wanted, found: found.slice(0, 100) })
  return new ToolFailure(code, message, { help: help[0]! })
}
