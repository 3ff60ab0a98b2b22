// Messages: what agents of one tree of conversations tell each other, besides what a lead asks and is answered.
// Owns: who gets a message and when, who listens to what, what is kept for later, when nothing will come any more. Does not own: turns (talk/), carrying out a call (talks.ts).
//   M1. A tree is a conversation that nobody delegated, with all that was delegated beneath it. Messages stay in it, and everything about them follows from the order of
//       the recorded events: folded again, everybody gets the same words at the same turn.
//   M2. A message to an agent goes to each of its open conversations in the tree but the sender's own; where there is none, it is kept for the next one. A message to a
//       topic goes to those who listen to it now. What a conversation did not get to read is kept for the next conversation of its agent.
//   M3. It is read at the next turn, as words that say from whom; `receive` gets it at once, or waits. Text from outside stays what it is: it taints who reads it.
//   M4. Nobody waits for ever: once nothing beneath the tree can go on but by a message, the one that waited longest is told that none will come.
//   M5. A mailbox holds MAX_LETTERS and MAX_MAILBOX_LENGTH; a sender whose message does not fit is told so. What was accepted is read, unless the tree ends before, or two
//       conversations of one agent leave more unread than one mailbox holds.
import type { TaskId } from '#model/event.ts'
import { delegatorOf } from './delegation.ts'
import type { Conversation, State, Team } from './state.ts'
import { isOver, phase } from './tasks.ts'
import { type Letter, letterWords } from './talk/letter.ts'
import type { CallResult, Talk } from './talk/talk.ts'

/** Messages that wait for one reader. */
export const MAX_LETTERS = 50
/** Characters of them together. */
export const MAX_MAILBOX_LENGTH = 64 * 1_024
/** Topics of one tree. */
export const MAX_TOPICS = 64
/** Characters of a topic. */
export const MAX_TOPIC_LENGTH = 100

/** The conversation at the top of the tree that a task is in. // M1 */
export function rootOf(state: State, task: TaskId): TaskId {
  let root = task
  for (let at = delegatorOf(state, task); at !== null; at = delegatorOf(state, at)) root = at
  return root
}

function teamOf(state: State, task: TaskId): Team {
  const root = rootOf(state, task)
  let team = state.teams.get(root)
  if (team === undefined) state.teams.set(root, (team = { kept: new Map(), listening: new Map() }))
  return team
}

/** Conversations of the same tree that have begun, the sender's own left out. */
function othersOf(state: State, task: TaskId): Reader[] {
  const root = rootOf(state, task)
  return [...state.talks].flatMap(([at, conversation]) => (at === task || conversation.talk === null || rootOf(state, at) !== root ? [] : [{ task: at, conversation, talk: conversation.talk }]))
}

interface Reader {
  readonly task: TaskId
  readonly conversation: Conversation
  readonly talk: Talk
}

const said = (value: string): CallResult => ({ kind: 'value', value })
const refused = (message: string): CallResult => ({ kind: 'failure', message: `not sent: ${message}` })

/** Sends a message; what the sender is told. // M2 */
export function send(state: State, task: TaskId, talk: Conversation, to: string, text: string): CallResult {
  const letter: Letter = { from: talk.agent.name, to, text, isTainted: talk.talk!.isTainted }
  return to.startsWith('#') ? sendToTopic(state, task, letter) : sendToAgent(state, task, letter)
}

function sendToTopic(state: State, task: TaskId, letter: Letter): CallResult {
  const listening = teamOf(state, task).listening.get(topicOf(letter.to)) ?? new Set()
  const readers = othersOf(state, task).filter(each => listening.has(each.task))
  if (readers.length === 0) return refused(`nobody else listens to \`${letter.to}\` now`)
  return deliver(state, readers, letter)
}

function sendToAgent(state: State, task: TaskId, letter: Letter): CallResult {
  const keys = membersOf(state, task).filter(([, name]) => name === letter.to).map(([key]) => key)
  if (keys.length === 0) return refused(`there is no agent \`${letter.to}\` here; there are: ${[...new Set(membersOf(state, task).map(([, name]) => name))].join(', ')}`)
  const readers = othersOf(state, task).filter(({ conversation }) => keys.includes(conversation.key))
  if (readers.length > 0) return deliver(state, readers, letter)
  const { kept } = teamOf(state, task)
  const box = kept.get(keys[0]!) ?? []
  if (!hasRoom(box, letter)) return refused(`${letter.to} is not at work now, and holds as many messages as it may until it is`)
  kept.set(keys[0]!, [...box, letter])
  return said(`kept for ${letter.to}, who is not at work now`)
}

/** Agents that may be written to, by key and name: those beneath the top of the tree, and whoever is at work in it. */
function membersOf(state: State, task: TaskId): (readonly [string, string])[] {
  const agents = state.plan.agentBodies ?? {}
  const root = state.talks.get(rootOf(state, task))
  const keys = new Set([...(root === undefined ? [] : [root.key]), ...othersOf(state, task).map(({ conversation }) => conversation.key)])
  for (const key of keys) if (Object.hasOwn(agents, key)) for (const led of agents[key]!.leads) keys.add(led)
  return [...keys].flatMap(key => (Object.hasOwn(agents, key) ? [[key, agents[key]!.name] as const] : []))
}

function deliver(state: State, readers: readonly Reader[], letter: Letter): CallResult {
  const got: string[] = []
  const full: string[] = []
  for (const { task, conversation, talk } of readers) {
    const isFull = conversation.receiving === null && !hasRoom(talk.letters, letter)
    const names = isFull ? full : got
    names.push(conversation.agent.name)
    if (conversation.receiving !== null) tell(state, task, conversation, { kind: 'value', value: letterWords(letter) }, letter.isTainted)
    else if (!isFull) talk.letters.push(letter)
  }
  const unread = full.length === 0 ? '' : `; not to ${full.join(', ')}: there are as many unread messages as there may be`
  return got.length === 0 ? refused(unread.slice('; not to '.length)) : said(`sent to ${got.join(', ')}${unread}`)
}

/** Ends the wait of a conversation that receives. */
function tell(state: State, task: TaskId, conversation: Conversation, result: CallResult, isTainted: boolean): void {
  state.toTell.push({ task, attempt: state.tasks.attempt[task]!, call: conversation.receiving!.call, result, isTainted })
  conversation.receiving = null
  state.receiving.delete(task)
}

/** M5. */
function hasRoom(box: readonly Letter[], { text }: Letter): boolean {
  return box.length < MAX_LETTERS && box.reduce((length, each) => length + each.text.length, text.length) <= MAX_MAILBOX_LENGTH
}

/** From now on a conversation gets what is sent to a topic. */
export function listen(state: State, task: TaskId, topic: string): CallResult {
  const { listening } = teamOf(state, task)
  const name = topicOf(topic)
  if (name === '' || name.length > MAX_TOPIC_LENGTH) return { kind: 'failure', message: `a topic has 1 to ${MAX_TOPIC_LENGTH} letters` }
  const listeners = listening.get(name)
  if (listeners === undefined && listening.size >= MAX_TOPICS) return { kind: 'failure', message: `there are ${MAX_TOPICS} topics already: ${[...listening.keys()].map(each => `#${each}`).join(', ')}` }
  listening.set(name, new Set([...(listeners ?? []), task]))
  return said(`you get what is sent to #${name} from now on`)
}

const topicOf = (topic: string): string => topic.replace(/^#/, '')

/** Waits for a message: what is there already, or null. // M3 */
export function receive(state: State, task: TaskId, talk: Conversation, call: number): { readonly result: CallResult; readonly isTainted: boolean } | null {
  if (talk.receiving !== null) return { result: { kind: 'failure', message: 'you wait for a message already: one at a time' }, isTainted: false }
  const box = talk.talk!.letters.splice(0)
  if (box.length > 0) return { result: said(box.map(letterWords).join('\n\n')), isTainted: box.some(each => each.isTainted) }
  talk.receiving = { call, order: state.receives++ }
  state.receiving.add(task)
  return null
}

/** A conversation begins: what was kept for its agent is read with its first question. // M2 */
export function joinTeam(state: State, task: TaskId, talk: Conversation): void {
  const kept = state.teams.get(rootOf(state, task))?.kept
  const box = kept?.get(talk.key)
  if (box === undefined || talk.talk === null) return
  kept!.delete(talk.key)
  talk.talk.letters.push(...box)
}

/** A conversation is over. // M2 */
export function leaveTeam(state: State, task: TaskId, talk: Conversation): void {
  if (state.teams.size === 0 && state.receiving.size === 0) return
  state.receiving.delete(task)
  const root = rootOf(state, task)
  const team = state.teams.get(root)
  if (team === undefined) return
  if (root === task) return void state.teams.delete(root)
  for (const listeners of team.listening.values()) listeners.delete(task)
  const unread = talk.talk?.letters ?? []
  if (unread.length === 0) return
  const box = [...(team.kept.get(talk.key) ?? [])]
  for (const letter of unread) if (hasRoom(box, letter)) box.push(letter) // two mailboxes of one agent come together: what is beyond one goes
  team.kept.set(talk.key, box)
}

/** Tells one of those who wait for nothing that nothing will come; false where nobody does. // M4 */
export function endIdleWait(state: State): boolean {
  const looked = new Set<TaskId>()
  let found: [TaskId, Conversation] | null = null
  for (const task of state.receiving) {
    const talk = state.talks.get(task)!
    const root = rootOf(state, task)
    if (!looked.has(root) && goesOn(state, root)) looked.add(root)
    if (!looked.has(root) && (found === null || talk.receiving!.order < found[1].receiving!.order)) found = [task, talk]
  }
  if (found === null) return false
  tell(state, ...found, said(NO_MESSAGE), false)
  return true
}

export const NO_MESSAGE = 'No message will come: nobody who could send one is at work. Go on with what you have.'

/** Whether anything at or beneath a task will go on without a message. */
function goesOn(state: State, root: TaskId): boolean {
  const left = [root]
  for (let task = left.pop(); task !== undefined; task = left.pop()) {
    const at = state.tasks.phase[task]!
    if (isOver(at) || at === phase.waiting) continue
    if (at === phase.items) {
      const { base, items } = state.groups.get(task)!
      for (let i = 0; i < items.length; i++) left.push(base + i)
    } else if (at === phase.inside) {
      const scope = state.inside.get(task)!
      for (let i = 0; i < scope.shape.workflow.nodes.length; i++) left.push(scope.base + i)
    } else if (at === phase.away) for (const desk of state.talks.get(task)?.desks.values() ?? []) left.push(desk.base)
    else return true
  }
  return false
}
