// Run report: what a run did, as one file that anyone can open and that can be passed on.
// Owns: what is said and in which order: the verdict, failures, what people said and are asked, the result, when and in what order, every task, the proof. Does not own: markup (markup.ts).
//   R1. Failures come before everything that went well.
//   R2. It is made from the report alone: opened a year later, or made twice, it says the same.
//   R3. Every text and list in it is bounded, and what is left out is counted.
import { elapsed, thousands } from '#base/terminal-text.ts'
import type { Failure } from '#model/event.ts'
import type { RunReport, RunSummary, TaskReport } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { graphOfRun } from '#graph/graph.ts'
import { drawSvg } from '#graph/svg.ts'
import { element, type Html, page, raw, text } from './markup.ts'
import { timeline, waitedMs } from './timeline.ts'
import { nameOfAgent, talkWords, traceOf, usageByAgent } from './trace.ts'

const MAX_FAILURES = 50
const MAX_TASKS = 2_000
const MAX_SAID = 200
const MAX_AGENTS = 100
const MAX_DETAILS_LENGTH = 4_000
const MAX_RESULT_LENGTH = 200_000
const MAX_VALUE_LENGTH = 300
/** Steps by which what agents delegated is moved in. */
const MAX_INDENT = 12
/** A larger drawing helps nobody. */
const MAX_GRAPH_TASKS = 150

const VERDICTS: Readonly<Record<RunSummary['status'], string>> = { done: 'is done', failed: 'failed', stopped: 'was stopped', running: 'has not ended', paused: 'was paused', waiting: 'waits' }

/**
 * The report of a run as an HTML page that needs nothing else.
 *
 * @param report as `tek show --json` prints it.
 * @param tekVersion of the tek that writes it.
 * @param fileOf where the page lies beside the run's evidence, the file of the task at a place in the report, relative to the page.
 * @see `tek show RUN --html FILE`
 */
export function runReportHtml(report: RunReport, tekVersion: string, fileOf: FileOf = () => null): string {
  const { summary } = report
  const parts = [
    element('h1', {}, `${summary.program} · ${summary.workflow}`),
    element('p', { class: `verdict ${summary.status}` }, verdict(summary)),
    ...failures(report, fileOf), // R1
    ...people(report),
    ...result(summary),
    ...times(report),
    ...graph(report),
    ...agents(report),
    ...tasks(report, fileOf),
    proof(summary, tekVersion),
  ]
  return page(`${summary.program} · ${summary.runId}`, parts)
}

function verdict({ workflow, status, tasks: counts, elapsedMs }: RunSummary): string {
  const asides = [
    counts.failed > 0 ? `${thousands(counts.failed)} failed` : '',
    counts.skipped > 0 ? `${thousands(counts.skipped)} skipped` : '',
    counts.cached > 0 ? `${thousands(counts.cached)} from cache` : '',
  ].filter(each => each !== '')
  const count = `${thousands(counts.done)} of ${thousands(counts.total)} task${counts.total === 1 ? '' : 's'}`
  return `${workflow} ${VERDICTS[status]}: ${count}${asides.length > 0 ? ` (${asides.join(', ')})` : ''} in ${elapsed(elapsedMs)}.`
}

/** Gives the file of the task at a place in the report, where the page lies beside such files. */
type FileOf = (place: number) => string | null

function failures(report: RunReport, fileOf: FileOf): Html[] {
  const { outcome } = report.summary
  const all: { where: Html; failure: Failure }[] = []
  for (const [place, task] of report.tasks.entries()) if (task.outcome?.kind === 'failure') all.push({ where: linked(task.path, fileOf(place)), failure: task.outcome.failure })
  if (all.length === 0 && outcome?.kind === 'failure') all.push({ where: text(report.summary.workflow), failure: outcome.failure })
  if (all.length === 0) return []
  const shown = all.slice(0, MAX_FAILURES).map(({ where, failure }) => element('div', { class: 'failure' },
    element('p', {}, element('strong', {}, where), ' ', element('code', {}, failure.code)),
    element('p', {}, failure.message),
    ...(failure.help === undefined ? [] : [element('p', { class: 'help' }, failure.help)]),
    ...(failure.details === undefined ? [] : [element('pre', {}, cut(failure.details, MAX_DETAILS_LENGTH))]),
  ))
  const left = all.length - shown.length
  return [element('h2', {}, 'What failed'), ...shown, ...(left > 0 ? [element('p', { class: 'help' }, `and ${thousands(left)} more`)] : [])]
}

/** What the run waits for, and who said what. */
function people({ summary: { waits = [] }, said = [] }: RunReport): Html[] {
  const asked = waits.map(wait => [
    wait.task, wait.kind === 'approval' ? 'waits for an answer' : 'waits for a time', wait.kind === 'approval' && wait.askedOf !== null ? wait.askedOf : '', time(wait.sinceMs),
    wait.kind === 'approval' ? wait.question : '', wait.dueMs === null ? '' : time(wait.dueMs),
  ])
  const answers = said.map(({ task, verdict, by, atMs, note = '' }) => [task, verdict, by, time(atMs), note, ''])
  const rows = [...asked, ...answers]
  if (rows.length === 0) return []
  const heads = ['task', '', 'who', 'when', 'question or note', 'due'].map(each => element('th', {}, each))
  const body = rows.slice(0, MAX_SAID).map(cells => element('tr', {}, ...cells.map(each => element('td', {}, cut(each, MAX_VALUE_LENGTH)))))
  const left = rows.length - body.length
  const table = element('div', { class: 'scroll' }, element('table', { class: 'people' }, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...body)))
  return [element('h2', {}, asked.length > 0 ? 'Waits and answers' : 'Answers'), table, ...(left > 0 ? [element('p', { class: 'help' }, `and ${thousands(left)} more`)] : [])]
}

function result({ outcome }: RunSummary): Html[] {
  if (outcome?.kind !== 'value' || outcome.value === null) return []
  const written = (): string => (typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value, null, 2))
  return [element('h2', {}, 'Result'), resultTable(outcome.value) ?? element('pre', {}, cut(written(), MAX_RESULT_LENGTH))]
}

/** Records of the same plain fields read best as a table. */
function resultTable(value: Value): Html | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TASKS) return null
  const rows = value as readonly Value[]
  const first = rows[0]
  if (!isRecord(first)) return null
  const columns = Object.keys(first)
  const isPlain = (row: Value): boolean => isRecord(row) && Object.keys(row).join() === columns.join() && Object.values(row).every(each => typeof each !== 'object' || each === null)
  if (columns.length === 0 || columns.length > 12 || !rows.every(isPlain)) return null
  const body = rows.map(row => element('tr', {}, ...columns.map(column => cell((row as Readonly<Record<string, Value>>)[column]!))))
  const heads = columns.map(each => element('th', typeof first[each] === 'number' ? { class: 'number' } : {}, each))
  return element('div', { class: 'scroll' }, element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...body)))
}

function cell(value: Value): Html {
  if (typeof value === 'number') return element('td', { class: 'number' }, value.toLocaleString('en', { maximumFractionDigits: 6 }))
  return element('td', {}, cut(value === null ? '' : String(value), MAX_VALUE_LENGTH))
}

const isRecord = (value: Value | undefined): value is Readonly<Record<string, Value>> => typeof value === 'object' && value !== null && !Array.isArray(value)

function times(report: RunReport): Html[] {
  const drawing = timeline(report)
  return drawing === null ? [] : [element('h2', {}, 'When'), drawing]
}

function graph(report: RunReport): Html[] {
  const drawn = graphOfRun(report)
  if (drawn.nodes.length < 2 || drawn.nodes.length > MAX_GRAPH_TASKS) return []
  return [element('details', {}, element('summary', {}, 'What waited for what'), element('figure', {}, raw(drawSvg(drawn))))]
}

/** What each agent needed, where there are several. */
function agents(report: RunReport): Html[] {
  const all = usageByAgent(report)
  if (all.length < 2) return []
  const number = (name: string): Html => element('th', { class: 'number' }, name)
  const heads = element('tr', {}, element('th', {}, 'agent'), number('conversations'), number('turns'), number('tokens'), number('cost'))
  const rows = all.slice(0, MAX_AGENTS).map(({ agent, conversations, usage }) => element('tr', {},
    element('td', {}, nameOfAgent(agent)), ...[thousands(conversations), thousands(usage.turns), thousands(usage.tokens), `$${(usage.costMicros / 1_000_000).toFixed(4)}`].map(each => element('td', { class: 'number' }, each)),
  ))
  const left = all.length - rows.length
  const table = element('table', {}, element('thead', {}, heads), element('tbody', {}, ...rows))
  return [element('h2', {}, 'Agents'), table, ...(left > 0 ? [element('p', { class: 'help' }, `and ${thousands(left)} more`)] : [])]
}

function tasks(report: RunReport, fileOf: FileOf): Html[] {
  const all = traceOf(report)
  const listed = all.slice(0, MAX_TASKS)
  const hasWaited = listed.some(({ task }) => waitedMs(task) > 0)
  const hasAgents = listed.some(({ task }) => task.agent !== undefined)
  const rows = listed.map(({ task, place, name, around, shown }) => element('tr', {},
    element('td', { class: `status ${task.status}` }, task.status),
    element('td', around.length === 0 ? {} : { style: `padding-left: ${Math.min(around.length, MAX_INDENT) + 0.6}em`, title: task.path }, linked(cut(name, MAX_VALUE_LENGTH), fileOf(place))),
    element('td', { class: 'number' }, elapsed(task.elapsedMs)),
    ...(hasWaited ? [element('td', { class: 'number' }, waitedMs(task) === 0 ? '' : elapsed(waitedMs(task)))] : []),
    element('td', { class: 'number' }, task.cached ? 'cache' : String(task.attempts)),
    ...(hasAgents ? [element('td', {}, talkWords({ task, shown }).join(' · '))] : []),
    element('td', {}, element('code', {}, what(task))),
  ))
  if (rows.length === 0) return []
  const number = (name: string): Html => element('th', { class: 'number' }, name)
  const asides = [...(hasWaited ? [number('waited')] : []), number('attempts'), ...(hasAgents ? [element('th', {}, 'agent')] : [])]
  const heads = element('tr', {}, element('th', {}, 'status'), element('th', {}, 'task'), number('time'), ...asides, element('th', {}, 'value'))
  const left = all.length - rows.length
  const table = element('div', { class: 'scroll' }, element('table', {}, element('thead', {}, heads), element('tbody', {}, ...rows)))
  const more = left > 0 ? [element('p', { class: 'help' }, `and ${thousands(left)} more (tek show --json lists all)`)] : []
  return [element('details', {}, element('summary', {}, `Every task (${thousands(report.tasks.length)})`), table, ...more)]
}

function what(task: TaskReport): string {
  if (task.outcome === null) return ''
  if (task.outcome.kind === 'failure') return cut(`${task.outcome.failure.code}: ${task.outcome.failure.message}`, MAX_VALUE_LENGTH)
  return task.outcome.value === null ? '' : cut(JSON.stringify(task.outcome.value), MAX_VALUE_LENGTH)
}

function proof(summary: RunSummary, tekVersion: string): Html {
  const { calls } = summary
  const facts: readonly (readonly [string, string])[] = [
    ['touched', `read ${thousands(calls.read)}, wrote ${thousands(calls.wrote)}, ran ${thousands(calls.ran)}, fetched ${thousands(calls.fetched)}`],
    ['refused', thousands(calls.refused)],
    ['began', time(summary.startedAtMs)],
    ['program', summary.planHash],
    ['tek', tekVersion],
    ['again', `tek show ${summary.runId}`],
  ]
  return element('section', { class: 'proof' }, element('strong', {}, 'What it touched'), element('dl', {}, ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])))
}

const linked = (path: string, file: string | null): Html => (file === null ? text(path) : element('a', { href: file }, path))

const time = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`

function cut(value: string, length: number): string {
  return value.length > length ? `${value.slice(0, length)}… (${thousands(value.length - length)} more characters)` : value
}

