// Undecided: a call whose grant only a run can tell, with an argument that came from outside.
// Owns: `trust/untrusted-and-undecided`. Does not own: what is undecided (rules/contained.ts).
//   U1. Arguments that are sinks are reported as such.
//   U2. What an agent gives to a workflow that is its tool is left to the guard, like the arguments of its other tools: the agent's `can` bounds it.
import { trustErrors } from '#diagnostics/catalog/trust.ts'
import type { GrantNeed } from '#model/signature.ts'
import type { Checker } from '../checker.ts'
import type { CallFact, UnitFacts } from '../facts.ts'
import { needText } from '../rules/clause-offer.ts'
import { isUntrusted, wayExtras } from './sinks.ts'
import { traceWay } from './trace.ts'
import { sentence } from './words.ts'

/** Callers looked at to find whether an agent began. */
const MAX_CALLERS = 64

export function checkTrustedNeed(checker: Checker, callee: string, fact: CallFact, need: GrantNeed): void {
  if (isAskedByAgent(checker.facts)) return // U2
  for (const { param, values } of fact.args) {
    if (param.sink === true || !need.args.some(arg => 'param' in arg && arg.param === param.name)) continue // U1
    for (const value of values) {
      if (!isUntrusted(checker, value)) continue
      const way = traceWay(checker.traceSetting('untrusted'), checker.facts, value)
      const grant = needText(need, fact, checker.unit)
      checker.report(trustErrors['untrusted-and-undecided']({ source: sentence(way.source), grant, callee }, {
        at: checker.at(value), ...wayExtras(way, checker.unit, value, 'says what is touched'),
      }))
    }
  }
}

function isAskedByAgent(facts: UnitFacts): boolean {
  let { caller } = facts
  for (let depth = 0; caller !== null && depth < MAX_CALLERS; depth++) {
    if (caller.kind === 'agent') return true
    caller = caller.facts.caller
  }
  return false
}
