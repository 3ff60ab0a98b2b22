// Agent words: what became of an agent, in one line, wherever it is shown.
// Owns: the words. Does not own: what becomes of it (interpreter/engine/agent-life.ts).
import { neutraliseLine } from '#base/terminal-text.ts'
import type { AgentChange, RunNotice } from '#model/report.ts'

const words: Readonly<Record<AgentChange, string>> = {
  'paused': 'is paused: nothing new is asked of it', 'resumed': 'goes on', 'stopped': 'was stopped by a person', 'given-up': 'is given up for this run: its model failed too often in a row',
}

/**
 * What became of an agent.
 *
 * @example
 * agentWords({ kind: 'agent', agent: 'triage', change: 'resumed', failure: null }) // '`triage` goes on'
 */
export function agentWords({ agent, change, failure }: Extract<RunNotice, { kind: 'agent' }>): string {
  return `\`${neutraliseLine(agent)}\` ${words[change]}${failure === null ? '' : ` · ${failure.code}: ${neutraliseLine(failure.message)}`}`
}

/** What an agent is saying or doing, on one line. */
export function sayingWords({ what, text }: Extract<RunNotice, { kind: 'saying' }>): string {
  const words = neutraliseLine(text)
  return what === 'tool' ? `calls ${words}` : what === 'thinking' ? `thinks: ${words}` : `“${words}”`
}
