// Plan text: the screen with which a careful person decides whether a program may run.
// Owns: the order of what is told, wrapping. Does not own: the facts (plan-facts.ts, model/worst.ts), the command.
//   T1. Everything that would surprise comes before what is spent: may, changes, starts, secrets, trust; then amounts; then what nothing bounds.
//   T2. No line is wider than the terminal; texts of the program are made harmless.
import { displayWidth, neutralise, padToWidth, thousands, type Paint } from '#base/terminal-text.ts'
import { amountText, timeText } from '#compiler/3-check/worst-case/amount-text.ts'
import type { Plan, PlanLimits, PlanSecret } from '#model/plan.ts'
import type { WorstAmount, WorstCase } from '#model/worst.ts'
import { printType } from '#types/print.ts'
import { memoryTexts, modelTexts, toolText } from './plan-agents.ts'
import { agentGrants, beneath, callsOf, grantsOf, isolationOf, programsOf, secretsOf, trustedOf, undecidedOf, type StartedProgram } from './plan-facts.ts'
import { printTrigger } from '#compiler/4-lower/print-plan-expr.ts'
import { triggersOf, waitsOf, waitText } from './plan-waits.ts'
import { kebab } from './workflow-flags.ts'

const LABEL_COLUMNS = 11
const AMOUNT_COLUMNS = 22
/** Patterns of one program's arguments that are written out. */
const MAX_PATTERNS = 4

/** An item, and what explains it: beside it where both fit on a line, else below. */
type Item = string | { readonly text: string; readonly why: string }

/** Lines of one row: a label, and items that are wrapped under themselves. */
interface Row {
  readonly label: string
  readonly items: readonly Item[]
}

export function planText(plan: Plan, program: string, paint: Paint, columns: number): string {
  const lines = [`${paint('bold', neutralise(program))} · plan ${plan.hash.slice(0, 12)}`]
  const draw = (rows: readonly Row[]): void => {
    for (const row of rows) if (row.items.length > 0) lines.push(...drawn(row, paint, columns))
  }
  const plugins = plan.modules.filter(each => each.origin === 'plugin')
  draw([
    { label: 'file may', items: plan.authority === null ? [] : shown(grantsOf(plan.authority)) },
    { label: 'servers', items: plan.modules.filter(each => each.origin === 'mcp').map(each => `${each.source}: ${isolationOf(each)}`) },
    { label: 'plugins', items: plugins.map(each => `${each.name} ${each.release} (${each.source}) ${isolationOf(each)}`) },
    { label: 'limits', items: limitItems(plan.limits) },
    { label: 'accepts', items: (plan.accepted ?? []).map(reason => `the risk: ${reason}`) },
  ])
  for (const key of plan.entries) {
    lines.push('', head(plan, key, paint))
    if (plan.docs[key]) lines.push(...wrapped(plan.docs[key]!.split('\n')[0]!, 2, columns))
    draw(workflowRows(plan, key))
  }
  for (const [kind, table] of [['agent', plan.worst?.agents], ['loop', plan.worst?.loops]] as const) {
    for (const [key, worst] of Object.entries(table ?? {})) {
      lines.push('', paint('cyan', `${kind} ${neutralise(key)}`))
      draw(kind === 'agent' ? [...agentRows(plan, key), ...worstRows(worst, 'each run')] : [...loopRows(plan, key), ...worstRows(worst, 'at most')])
    }
  }
  const later = plan.loops.filter(key => plan.loopBodies?.[key]?.evolves != null).map(name => `loop ${name}`)
  if (later.length > 0) lines.push('', ...wrapped(`Checked, and not run by this version: ${later.join(', ')}.`, 0, columns))
  const prices = plan.worst?.prices
  if (prices !== undefined) lines.push('', ...wrapped(`Costs by ${prices.of} of ${prices.date}; a program states others with \`price\`.`, 0, columns))
  return `${lines.join('\n')}\n`
}

const shown = (grants: readonly string[]): readonly string[] => (grants.length === 0 ? ['touch nothing: only pure work'] : grants)

function head(plan: Plan, key: string, paint: Paint): string {
  const params = plan.workflows[key]!.params.map(param => `--${kebab(param.name)} ${printType(param.type)}`).join(' ')
  return `${paint('cyan', neutralise(key))} ${neutralise(params)}`.trimEnd()
}

/** What one workflow may do and spend. // T1 */
function workflowRows(plan: Plan, key: string): Row[] {
  const workflow = plan.workflows[key]!
  const calls = callsOf(plan, key).filter(call => !call.name.startsWith('@loop.'))
  const named = (effect: 'read' | 'write'): string[] => calls.filter(call => call.effect === effect).map(call => call.name)
  const list = (names: readonly string[]): string[] => (names.length === 0 ? [] : [names.join(', ')])
  const used = secretsOf(plan, key).map(name => secretText(name, plan.secrets?.find(each => each.name === name)))
  const worst = plan.worst?.workflows[key]
  const waits = waitsOf(plan, key)
  return [
    { label: 'begins', items: triggersOf(plan, key) },
    { label: 'may', items: shown(grantsOf(workflow.authority ?? [])) },
    { label: 'beneath', items: beneath(plan, key).map(({ name, may, file }) => `${name}: ${shown(may).join(', ')}${file === null ? '' : `; no more than ${file.path}: ${shown(file.may).join(', ')}`}`) },
    { label: 'changes', items: list(named('write')) },
    { label: 'reads', items: list(named('read')) },
    { label: 'starts', items: programsOf(plan, key).map(programText) },
    { label: 'secrets', items: used },
    { label: 'trusts', items: trustedOf(plan, key).map(each => `${each.reason} (${each.path}:${each.line}:${each.column})`) },
    { label: 'asks', items: waits.flatMap(each => (each.kind === 'approval' ? [waitText(each)] : [])) },
    { label: 'waits', items: waits.flatMap(each => (each.kind === 'time' ? [waitText(each)] : [])) },
    { label: 'guarded', items: undecidedOf(plan, key).map(call => `${call.callee} at ${call.path}:${call.line}:${call.column}: ${call.grant} is decided when it runs`) },
    ...(worst === undefined ? [] : worstRows(worst, 'at most')),
    { label: 'limits', items: limitItems(workflow.limits) },
    { label: 'gives', items: [printType(workflow.result)] },
  ]
}

/** When a loop's cycles begin, where its candidates work, and what all of it may touch. // T1 */
function loopRows(plan: Plan, key: string): Row[] {
  const loop = plan.loopBodies?.[key]
  if (loop === undefined) return []
  const over = loop.over === null ? [] : [`${loop.over.kind === 'git' ? 'files of the git repository' : 'a copy of'} ${loop.over.path.op === 'value' ? String(loop.over.path.value) : '…'}`]
  const own = workflowRows(plan, loop.cycle).filter(each => each.label !== 'gives' && each.label !== 'begins' && each.label !== 'asks')
  return [{ label: 'begins', items: loop.triggers.map(printTrigger) }, { label: 'tries on', items: over }, ...own]
}

/** Who answers for an agent, and what it may do. // T1 */
function agentRows(plan: Plan, key: string): Row[] {
  const agent = plan.agentBodies?.[key]
  return [
    { label: 'model', items: modelTexts(plan, key) },
    { label: 'may', items: shown(grantsOf(agentGrants(plan, key))) },
    { label: 'tools', items: (agent?.tools ?? []).map(tool => toolText(plan, tool)) },
    { label: 'leads', items: agent === undefined || agent.leads.length === 0 ? [] : [agent.leads.join(', ')] },
    { label: 'memory', items: memoryTexts(plan, key) },
    { label: 'limits', items: limitItems(agent?.limits ?? {}) },
  ]
}

function secretText(name: string, secret: PlanSecret | undefined): string {
  const source = secret?.source
  if (source === undefined) return name
  return `${name}, from ${source.kind === 'env' ? `the variable ${source.name}` : source.kind === 'file' ? `the file ${source.path}` : `the command ${[source.program, ...source.args].join(' ')}`}`
}

function programText({ program, with: patterns, by }: StartedProgram): string {
  const brought = by.filter(each => each !== '')
  const from = brought.length === 0 ? '' : ` (comes with ${brought.join(', ')})`
  if (patterns.length > MAX_PATTERNS) return `${program} in ${patterns.length} forms${from}`
  const forms = patterns.map(each => (each === '' ? 'without arguments' : each))
  return `${program} ${forms.join(' | ')}${from}`
}

const WORDS: readonly (readonly [key: keyof WorstCase, one: string, many: string])[] = [
  ['tasks', 'task', 'tasks'], ['attempts', 'attempt', 'attempts'], ['calls', 'tool call', 'tool calls'], ['programs', 'call that starts programs', 'calls that start programs'],
  ['modelCalls', 'answer of a model', 'answers of models'], ['tokens', 'token', 'tokens'], ['costMicros', '', ''], ['timeMs', '', ''],
]
const OPEN_WORDS: Readonly<Record<keyof WorstCase, string>> = {
  tasks: 'tasks', attempts: 'attempts', calls: 'tool calls', programs: 'programs', modelCalls: 'answers of models', tokens: 'tokens', costMicros: 'cost', timeMs: 'time',
}

/** Amounts first, then what nothing bounds, each reason once. // T1 */
function worstRows(worst: WorstCase, label: string): Row[] {
  const bounded = WORDS.flatMap(([key, one, many]) => {
    const amount = worst[key]
    if (amount.kind !== 'at-most' || isDull(key, worst)) return []
    const text = key === 'costMicros' ? amountText('cost', amount.amount) : key === 'timeMs' ? `${timeText(amount.amount)} of waiting` : `${thousands(amount.amount)} ${amount.amount === 1 ? one : many}`
    return [{ text, why: whyText(amount) }]
  })
  const reasons = new Map<string, string[]>()
  for (const [key] of WORDS) {
    const amount = worst[key]
    if (amount.kind === 'at-most') continue
    const why = `${amount.because} (${amount.path}:${amount.line}:${amount.column})`
    reasons.set(why, [...(reasons.get(why) ?? []), OPEN_WORDS[key]])
  }
  return [{ label, items: bounded }, { label: 'no bound', items: [...reasons].map(([why, names]) => `${names.join(', ')}: ${why}`) }]
}

/** Nothing of it, where nobody would look for it; attempts where they are the tasks. */
function isDull(key: keyof WorstCase, worst: WorstCase): boolean {
  const amount = worst[key]
  if (amount.kind !== 'at-most') return false
  if (key === 'attempts') return worst.tasks.kind === 'at-most' && worst.tasks.amount === amount.amount
  const asksModels = worst.modelCalls.kind === 'not-bounded' || worst.modelCalls.amount > 0
  if (key === 'tokens' || key === 'costMicros') return !asksModels
  return amount.amount === 0 && key !== 'calls'
}

function whyText({ how, limit }: Extract<WorstAmount, { kind: 'at-most' }>): string {
  if (limit === undefined) return how
  return `the limit of ${limit.of}; without it ${limit.without}`
}

/** `limits { … }` in one line. */
function limitItems(limits: PlanLimits): string[] {
  const items = Object.entries(limits).map(([name, value]) => {
    if (name === 'timeMs') return `time ${timeText(value as number)}`
    if (name === 'costMicros') return `cost ${amountText('cost', value as number)}`
    if (name === 'memoryBytes') return `memory ${Math.round((value as number) / 1024 / 1024)} MB`
    if (name === 'cpu') return `cpu ${Math.round((value as number) * 100)} %`
    return `${name} ${typeof value === 'number' ? thousands(value) : String(value)}`
  })
  return items.length === 0 ? [] : [items.join(', ')]
}

function drawn({ label, items }: Row, paint: Paint, columns: number): string[] {
  return items.flatMap((item, index) => {
    const lines = itemLines(item, columns)
    if (index > 0) return lines
    const colour = label === 'no bound' ? 'yellow' : label === 'changes' || label === 'starts' || label === 'secrets' || label === 'trusts' || label === 'accepts' ? 'magenta' : 'dim'
    return [`  ${paint(colour, padToWidth(label, LABEL_COLUMNS - 2))}${lines[0]!.slice(LABEL_COLUMNS)}`, ...lines.slice(1)]
  })
}

function itemLines(item: Item, columns: number): string[] {
  if (typeof item === 'string') return wrapped(item, LABEL_COLUMNS, columns)
  if (item.why === '') return wrapped(item.text, LABEL_COLUMNS, columns)
  const beside = `${padToWidth(item.text, AMOUNT_COLUMNS)}  ${item.why}`
  if (LABEL_COLUMNS + displayWidth(beside) <= columns) return [`${' '.repeat(LABEL_COLUMNS)}${neutralise(beside)}`]
  return [...wrapped(item.text, LABEL_COLUMNS, columns), ...wrapped(item.why, LABEL_COLUMNS + 4, columns)]
}

/** Text in lines that fit, each after so many blanks; later lines two further in. A word that fits nowhere is left whole. // T2 */
function wrapped(text: string, indent: number, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of neutralise(text).trim().split(/\s+/)) {
    const room = columns - indent - (lines.length === 0 ? 0 : 2)
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > room) {
      lines.push(`${' '.repeat(indent + (lines.length === 0 ? 0 : 2))}${line}`)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(`${' '.repeat(indent + (lines.length === 0 ? 0 : 2))}${line}`)
  return lines
}
