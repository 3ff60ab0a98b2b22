// Trace: the tasks of a report in the order in which they are read: what an agent delegated stands beneath it.
// Owns: that order, the name of each row, what is told of a conversation in one line, totals by agent. Does not own: how rows look (cli, run-report.ts).
//   T1. Tasks that no agent asked for stand as the report has them, by their paths. Beneath a conversation stands what it delegated, in the order of its calls.
//   T2. A call that is nothing but a conversation, or a task that a person was asked about, is one row with it; who reads wants the agent, not the way to it.
//   T3. What an agent called is told in its row, but for what stands beneath it.
import { thousands } from '#base/terminal-text.ts'
import type { RunReport, TaskReport } from '#model/report.ts'

export interface TraceRow {
  /** The task that is told of; of a call that is nothing but one task, that one. // T2 */
  readonly task: TaskReport
  /** Place of that task in the report. */
  readonly place: number
  /** Its path; beneath an agent, what this agent would call it. */
  readonly name: string
  /** Names of the calls that stand beneath it. */
  readonly shown: ReadonlySet<string>
  /** For each agent around it, from the outermost: whether more of what that one delegated follows. Empty: no agent asked for it. */
  readonly around: readonly boolean[]
}

/** The rows of a report. */
export function traceOf({ tasks }: Pick<RunReport, 'tasks'>): TraceRow[] {
  const places = new Map(tasks.map((task, place) => [task.path, place]))
  const beneath = new Map<number, number[]>()
  const top: number[] = []
  const delegated = new Set<number>()
  for (const [place, task] of tasks.entries()) { // what is around a task comes before it
    const parent = parentOf(task, places, delegated)
    if (parent === null) {
      top.push(place)
      continue
    }
    delegated.add(place)
    const own = beneath.get(parent)
    if (own === undefined) beneath.set(parent, [place])
    else own.push(place)
  }
  const rows: TraceRow[] = []
  const left = top.reverse().map(place => ({ place, around: [] as readonly boolean[] }))
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    const { around } = at
    const first = tasks[at.place]!
    const only = onlyTaskOf(at.place, beneath, tasks) // T2
    const place = only ?? at.place
    const task = tasks[place]!
    const own = beneath.get(place) ?? []
    rows.push({ task, place, around, name: around.length === 0 ? task.path : nameOf(first, task), shown: new Set(own.flatMap(each => tasks[each]!.delegated?.tool ?? [])) })
    for (const [index, each] of [...own.entries()].reverse()) left.push({ place: each, around: [...around, index < own.length - 1] })
  }
  return rows
}

/** The nearest task around one that an agent asked for; null where none did. */
function parentOf(task: TaskReport, places: ReadonlyMap<string, number>, delegated: ReadonlySet<number>): number | null {
  if (task.delegated !== undefined) return places.get(task.delegated.by) ?? null
  const around = task.path.replace(/(#\d+)?\/[^/]*$/, '')
  const parent = around === task.path ? undefined : places.get(around)
  return parent !== undefined && delegated.has(parent) ? parent : null
}

function onlyTaskOf(place: number, beneath: ReadonlyMap<number, readonly number[]>, tasks: readonly TaskReport[]): number | null {
  const as = tasks[place]!.delegated?.as
  const own = beneath.get(place) ?? []
  return (as === 'agent' || as === 'ask-lead' || as === 'asked-call') && own.length === 1 ? own[0]! : null
}

function nameOf({ delegated, path }: TaskReport, { agent }: TaskReport): string {
  const last = path.slice(path.lastIndexOf('/') + 1)
  if (delegated === undefined) return last
  const again = /#(\d+)\/[^/]*$/.exec(path)
  const name = delegated.as === 'ask-lead' ? `asked ${nameOfAgent(agent ?? delegated.tool)}` : delegated.as === 'asked-call' ? `${delegated.tool} (asks a person)` : delegated.tool
  return again === null ? name : `${name} (attempt ${again[1]})`
}

/** What an agent did, in a few words: turns, tokens, cost, tools. Empty for any other task. // T3 */
export function talkWords({ task: { usage, tools = [] }, shown }: Pick<TraceRow, 'task' | 'shown'>): string[] {
  const calls = tools.filter(each => !shown.has(each.name)).map(({ name, calls: count, failed }) => `${name}${count > 1 ? ` ×${count}` : ''}${failed > 0 ? ` (${failed} failed)` : ''}`)
  return [...(usage === undefined ? [] : [usageWords(usage)]), ...(calls.length === 0 ? [] : [`called ${calls.slice(0, MAX_NAMED_TOOLS).join(', ')}${calls.length > MAX_NAMED_TOOLS ? ', …' : ''}`])]
}

const MAX_NAMED_TOOLS = 6

export function usageWords({ turns, tokens, costMicros }: NonNullable<TaskReport['usage']>): string {
  const cost = costMicros === 0 ? '' : `, $${(costMicros / 1_000_000).toFixed(4)}`
  return `${turns} ${turns === 1 ? 'turn' : 'turns'}, ${thousands(tokens)} tokens${cost}`
}

/** What each agent of a run needed, the one that cost most first. */
export function usageByAgent({ tasks }: Pick<RunReport, 'tasks'>): readonly { readonly agent: string; readonly conversations: number; readonly usage: NonNullable<TaskReport['usage']> }[] {
  const totals = new Map<string, { conversations: number; usage: NonNullable<TaskReport['usage']> }>()
  for (const { agent, usage } of tasks) {
    if (agent === undefined || usage === undefined) continue
    const { conversations, usage: { turns, tokens, costMicros } } = totals.get(agent) ?? { conversations: 0, usage: { turns: 0, tokens: 0, costMicros: 0 } }
    totals.set(agent, { conversations: conversations + 1, usage: { turns: turns + usage.turns, tokens: tokens + usage.tokens, costMicros: costMicros + usage.costMicros } })
  }
  return [...totals].map(([agent, total]) => ({ agent, ...total })).sort((a, b) => b.usage.costMicros - a.usage.costMicros || b.usage.tokens - a.usage.tokens)
}

/** Without the file it is from. */
export function nameOfAgent(key: string): string {
  return key.slice(key.lastIndexOf('#') + 1)
}
