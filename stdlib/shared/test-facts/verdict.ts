// Verdict: what a test command's end means, together with what it printed.
// Owns: whether a run passed, and in one word why not. Does not own: reading the output.
//   V1. A run passes when the command ended by itself with exit code 0, no test failed, and something ran: a known runner that ran nothing is no success,
//       whatever its exit code says. Of an unknown runner the exit code alone is known, and its counts if it printed any.
//   V2. Tests that wanted a socket where the sandbox has none (level 2), or a network where there is none, are said to have wanted that; they are not
//       called broken. It is read from what they printed, so it explains a failure and never makes one.
import type { TestFacts } from './facts.ts'

export const PROBLEMS = ['tests-failed', 'exit-code', 'nothing-ran', 'timed-out', 'no-sockets', 'no-network'] as const
export type Problem = (typeof PROBLEMS)[number]

export interface Ended {
  readonly exitCode: number | null
  readonly timedOut: boolean
  readonly level?: number
}

const REFUSED_SOCKET = /\b(?:listen|connect|bind|socket|socketpair|accept)\b[^\n]{0,120}(?:\bE(?:PERM|ACCES|AFNOSUPPORT)\b|peration not permitted|ermission denied)|\bE(?:PERM|ACCES)\b[^\n]{0,60}\b(?:listen|connect|bind|socket)\b/
const REFUSED_NETWORK = /\b(?:ENETUNREACH|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH)\b|Temporary failure in name resolution|Network is unreachable/

/** Null: the run passed. */
export function problemOf({ exitCode, timedOut, level }: Ended, facts: TestFacts, output: string): Problem | null {
  if (timedOut) return 'timed-out'
  const { pass, fail, skip, todo } = facts.counts
  const ranNothing = facts.runner === 'unknown' ? /(?<!\d)0 (?:tests|passed|passing)\b/.test(output) && pass === 0 && fail === 0 : pass + fail === 0 && skip + todo === 0
  if (exitCode === 0 && fail === 0) return ranNothing || (facts.runner !== 'unknown' && pass === 0) ? 'nothing-ran' : null // V1
  if (level === 2 && REFUSED_SOCKET.test(output)) return 'no-sockets' // V2
  if (level !== undefined && level >= 2 && REFUSED_NETWORK.test(output)) return 'no-network'
  return fail > 0 ? 'tests-failed' : 'exit-code'
}
