// Agents view: the agents of a run as people see them.
// Owns: what a conversation is said to be at. Does not own: any of it (agent-life.ts, talks.ts).
import type { TaskId } from '#model/event.ts'
import type { AgentShown, ConversationShown, ConversationState } from '#model/report.ts'
import { isPaused, lifeOf } from './agent-life.ts'
import { pathOf } from './path.ts'
import type { AgentLife, Scope, State } from './state.ts'
import { isOver, phase } from './tasks.ts'

/** Conversations of one agent that are listed. */
const MAX_SHOWN_CONVERSATIONS = 100

/** Every agent of a run's plan, in the order of their keys. */
export function agentsShown(state: State): AgentShown[] {
  const open = openConversations(state)
  return [...state.plan.agents].sort().map(agent => {
    const life = lifeOf(state, agent)
    const tasks = open.get(agent) ?? []
    const { done, failed, turns, tokens, costMicros, failuresInRow, lastAnswer, lastFailure } = life
    return {
      agent, state: stateOf(life, tasks.length), health: life.givenUp !== null ? 'given-up' : failuresInRow > 0 ? 'failing' : 'good', open: tasks.length, done, failed, turns, tokens, costMicros, failuresInRow, lastAnswer,
      lastFailure: lastFailure === null ? null : { code: lastFailure.code, message: lastFailure.message },
      conversations: tasks.slice(0, MAX_SHOWN_CONVERSATIONS).map(task => conversationShown(state, task, agent)),
    }
  })
}

function stateOf({ stoppedBy, givenUp, isPaused: paused }: AgentLife, open: number): AgentShown['state'] {
  return stoppedBy !== null ? 'stopped' : givenUp !== null ? 'given-up' : paused ? 'paused' : open > 0 ? 'at-work' : 'idle'
}

/** Tasks of agents that were begun and are not over, by agent. */
function openConversations(state: State): Map<string, TaskId[]> {
  const found = new Map<string, TaskId[]>()
  if (state.isFinished) return found
  const { tasks } = state
  for (let task = 1; task < tasks.size; task++) {
    const at = tasks.phase[task]!
    if (isOver(at) || at === phase.waiting || at === phase.items) continue
    const { body } = state.nodeOf(task)
    if (body.kind !== 'agent') continue
    const all = found.get(body.agent)
    if (all === undefined) found.set(body.agent, [task])
    else all.push(task)
  }
  return found
}

function conversationShown(state: State, task: TaskId, agent: string): ConversationShown {
  const talk = state.talks.get(task)?.talk ?? null
  return {
    task: pathOf(state, task), attempt: state.tasks.attempt[task]!, state: conversationState(state, task, agent),
    turns: talk?.turns ?? 0, tokens: talk?.tokens ?? 0, costMicros: talk?.costMicros ?? 0, isUntrusted: talk?.isTainted ?? false,
  }
}

const asksPerson = ({ shape }: Scope): boolean => shape.workflow.standsFor?.kind === 'asked-call'

function conversationState(state: State, task: TaskId, agent: string): ConversationState {
  const talk = state.talks.get(task)
  if (state.ensuring.has(task)) return 'is-checked'
  switch (state.tasks.phase[task]) {
    case phase.queued:
      return 'waits-for-turn'
    case phase.asking:
      return 'waits-for-person'
    case phase.resting:
      return 'waits-for-time'
    case phase.backoff:
      return 'backs-off'
    case phase.away:
      return talk?.receiving != null ? 'waits-for-message' : [...(talk?.desks.values() ?? [])].some(asksPerson) ? 'waits-for-person' : 'waits-for-others'
  }
  if (talk?.step?.kind === 'call') return 'calls-tools'
  if (talk?.step?.kind !== 'ask') return 'begins'
  return talk.open !== null ? 'asks' : isPaused(state, agent) ? 'paused' : 'waits-for-room'
}
