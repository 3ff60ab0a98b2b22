// Cycle result: what a cycle's run comes to, as the hidden workflow gives it (compiler/4-lower/lower-loop.ts), and what it means for the loop.
// Owns: reading it, the decisions that are kept of it, the sentence for people. Does not own: keeping them (journal/loops.ts).
//   R1. What a run gives is data: a part that is not as it should be counts as absent, never as a yes.
import type { Outcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import type { CycleEnd, LoopDecision } from '#interpreter/journal/loops.ts'

type Fields = Readonly<Record<string, Value>>

export const fieldsOf = (value: Value | undefined): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {})
export const listOf = (value: Value | undefined): readonly Value[] => (Array.isArray(value) ? value : [])
export const textOf = (value: Value | undefined): string | null => (typeof value === 'string' ? value : null)
export const numberOf = (value: Value | undefined): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

export interface ReadCycle {
  /** `stop when` was true. */
  readonly stops: boolean
  readonly end: CycleEnd
  readonly decisions: readonly Omit<LoopDecision, 'cycle'>[]
  /** Null: it does not rest. `ms`: as `quiesce` says; null where it says nothing. */
  readonly rests: { readonly reason: string; readonly ms: number | null; readonly scarce: boolean } | null
}

/** What a finished cycle means. */
export function readCycle(outcome: Outcome, endedMs: number, elapsedMs: number): ReadCycle {
  if (outcome.kind === 'failure') {
    const says = `failed: ${outcome.failure.code}: ${outcome.failure.message}`
    const decision = { atMs: endedMs, stage: stageOf(outcome.failure.task), outcome: 'rejected' as const, rationale: says, confidence: null, by: 'program' }
    const end: CycleEnd = { endedMs, elapsedMs, ok: false, branch: null, verdict: null, score: null, candidate: null, promoted: null, rolledBack: false, says }
    return { stops: false, end, decisions: [decision], rests: null }
  }
  const cycle = fieldsOf(outcome.value)
  const decision = fieldsOf(cycle['decision'])
  const best = fieldsOf(cycle['best'])
  const branch = textOf(cycle['branch'])
  const verdict = textOf(cycle['verdict'])
  const promoted = numberOf(fieldsOf(cycle['promoted'])['version'])
  const rolledBack = cycle['rolledBack'] != null
  const made = new Decisions(endedMs, cycle, decision)
  const stops = cycle['stop'] === true
  const end: CycleEnd = {
    endedMs, elapsedMs, ok: true, branch, verdict: verdict === 'ok' || verdict === 'tie' || verdict === 'bad' ? verdict : null, score: numberOf(best['score']), candidate: best['candidate'] ?? null,
    promoted, rolledBack, says: stops ? 'stopped: `stop when` holds' : made.sentence(branch, best, verdict, promoted, rolledBack),
  }
  const rests = branch === 'quiesce' ? { reason: textOf(decision['reason']) ?? '', ms: numberOf(cycle['rests']), scarce: decision['scarce'] === true } : null
  return { stops, end, decisions: made.all(best, verdict, promoted, rolledBack), rests }
}

/** The stage in which a task stands: the first part of its path. */
function stageOf(path: string): string {
  const [first = '', inner] = path.split('/')
  const name = first.replace(/\[\d+\]$/, '')
  return name === 'candidates' && inner !== undefined ? inner : name === '' ? 'cycle' : name
}

class Decisions {
  private readonly atMs: number
  private readonly cycle: Fields
  private readonly decision: Fields

  constructor(atMs: number, cycle: Fields, decision: Fields) {
    this.atMs = atMs
    this.cycle = cycle
    this.decision = decision
  }

  all(best: Fields, verdict: string | null, promoted: number | null, rolledBack: boolean): Omit<LoopDecision, 'cycle'>[] {
    return [...this.decided(), ...this.dropped(), ...this.judged(best, verdict, promoted, rolledBack)]
  }

  private one(stage: string, outcome: LoopDecision['outcome'], rationale: string, confidence: number | null = null, by: string = 'program'): Omit<LoopDecision, 'cycle'> {
    return { atMs: this.atMs, stage, outcome, rationale, confidence, by }
  }

  private decided(): Omit<LoopDecision, 'cycle'>[] {
    const { decision, cycle } = this
    const chosen = textOf(decision['branch'])
    if (chosen === null) return []
    const confidence = numberOf(decision['confidence'])
    const because = textOf(decision['because']) ?? textOf(decision['reason']) ?? ''
    const rationale = because === '' ? chosen : `${chosen}: ${because}`
    const outcome = chosen === 'quiesce' ? 'deferred' : chosen === 'escalate' ? 'escalated' : 'approved'
    const person = textOf(cycle['person'])
    const answered = chosen === 'escalate' && person !== null ? [this.one('decide', person === 'approved' ? 'approved' : 'rejected', 'answered by a person', null, 'a person')] : []
    return [this.one('decide', outcome, rationale, confidence), ...answered]
  }

  /** Candidates that a gate did not let in, or that came to nothing. */
  private dropped(): Omit<LoopDecision, 'cycle'>[] {
    return listOf(this.cycle['candidates']).flatMap((each, index) => {
      const candidate = fieldsOf(each)
      const failed = textOf(candidate['failed'])
      if (failed !== null) return [this.one('run', 'rejected', `candidate ${index + 1}: ${failed}`)]
      const closed = closedGates(candidate)
      return closed.length === 0 ? [] : [this.one('gates', 'rejected', `candidate ${index + 1}: ${closed.map(name => `"${name}"`).join(', ')}`)]
    })
  }

  private judged(best: Fields, verdict: string | null, promoted: number | null, rolledBack: boolean): Omit<LoopDecision, 'cycle'>[] {
    if (verdict === null) return []
    const score = numberOf(best['score']) ?? 0
    if (promoted !== null) return [this.one('promote', 'approved', `score ${shown(score)}, version ${promoted}`)]
    const why = textOf(fieldsOf(this.cycle['rolledBack'])['why'])
    if (rolledBack) return [this.one('rollback', 'rejected', why === null || why === '' ? `score ${shown(score)}, verdict ${verdict}` : why)]
    return [this.one('vary', 'rejected', `score ${shown(score)}, verdict ${verdict}: the champion stays`)]
  }

  sentence(branch: string | null, best: Fields, verdict: string | null, promoted: number | null, rolledBack: boolean): string {
    if (branch === null) return 'a person said no'
    if (branch === 'quiesce') return `rests: ${textOf(this.decision['reason']) ?? ''}`
    const candidates = listOf(this.cycle['candidates'])
    if (candidates.length === 0) return 'nothing differs from the champion'
    if (verdict === null) {
      const closed = candidates.flatMap(each => closedGates(fieldsOf(each)))[0]
      return closed === undefined ? 'every candidate failed' : `no candidate came through the gates: "${closed}"`
    }
    const score = shown(numberOf(best['score']) ?? 0)
    if (promoted !== null) return `promoted version ${promoted}, score ${score}`
    const why = textOf(fieldsOf(this.cycle['rolledBack'])['why'])
    if (rolledBack) return `rolled back, score ${score}${why === null || why === '' ? '' : `: ${why}`}`
    return `${verdict === 'tie' ? 'a tie keeps the champion' : 'kept the champion'}, score ${score}`
  }
}

function closedGates(candidate: Fields): string[] {
  const gates = fieldsOf(candidate['gates'])
  if (gates['passed'] !== false) return []
  return listOf(gates['gates']).flatMap(each => (fieldsOf(each)['passed'] === true ? [] : [textOf(fieldsOf(each)['name']) ?? '?']))
}

const shown = (score: number): string => String(Math.round(score * 1_000) / 1_000)
