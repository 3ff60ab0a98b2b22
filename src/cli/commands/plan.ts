// Plan: `tek plan`, what a program may touch and do, before it does.
// Owns: the summary for people and for programs. Does not own: what the program is (model/plan.ts).
//   P1. Nothing is run and nothing is asked of the network.
//   P2. What is not known before a run says so: a `for` over a list that is made at run time has no number of tasks unless a limit gives one.
import { Option } from 'clipanion'
import { elapsed, thousands, type Paint } from '#base/terminal-text.ts'
import type { Plan, PlanLimits } from '#model/plan.ts'
import { printType } from '#types/print.ts'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openProgram } from '../open-program.ts'
import { callsOf, grantsOf, undecidedOf, worstTasks } from '../plan-facts.ts'
import { kebab } from '../workflow-flags.ts'

export class PlanCommand extends TekCommand {
  static override paths = [['plan']]
  static override usage = {
    description: 'what a program may touch and do, before it does',
    details: 'FILE is a path, a bundled name or a compiled plan. Nothing is run.',
    examples: [
      ['a program', 'tek plan flow.tek'],
      ['a bundled one', 'tek plan repo-health'],
      ['for programs', 'tek plan flow.tek --json'],
    ] as [string, string][],
  }
  file = Option.String({ name: 'FILE' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { plan, shown } = await openProgram(this.context, host, this.file)
    if (this.json) this.printJson(planJson(plan, shown))
    else this.context.out.write(planText(plan, shown, this.context.out.paint))
    return exitCodes.fine
  }
}

function planJson(plan: Plan, program: string): object {
  return {
    version: 1, program, hash: plan.hash, edition: plan.edition,
    modules: plan.modules.map(({ name, origin, source, release }) => ({ name, origin, source, release })),
    authority: plan.authority === null ? null : grantsOf(plan.authority),
    limits: plan.limits,
    workflows: plan.entries.map(key => {
      const workflow = plan.workflows[key]!
      return {
        name: key,
        parameters: workflow.params.map(param => ({ name: param.name, type: printType(param.type), needed: param.default === null })),
        result: printType(workflow.result),
        authority: workflow.authority === null ? null : grantsOf(workflow.authority),
        limits: workflow.limits,
        tasks: workflow.nodes.filter(node => node.kind === 'task').map(node => node.name),
        worstTasks: worstTasks(plan, key),
        calls: callsOf(plan, key),
        decidedAtRunTime: undecidedOf(plan, key),
      }
    }),
    tests: plan.tests.length, agents: plan.agents, loops: plan.loops,
  }
}

function planText(plan: Plan, program: string, paint: Paint): string {
  const lines = [`${paint('bold', program)} · plan ${plan.hash.slice(0, 12)}`]
  if (plan.authority !== null) lines.push(`  the file may  ${grantsOf(plan.authority).join(', ') || 'nothing'}`)
  const plugins = plan.modules.filter(each => each.origin === 'plugin')
  if (plugins.length > 0) lines.push(`  plugins       ${plugins.map(each => `${each.name} ${each.release} (${each.source})`).join(', ')}`)
  if (Object.keys(plan.limits).length > 0) lines.push(`  limits        ${limitsText(plan.limits)}`)
  for (const key of plan.entries) {
    const workflow = plan.workflows[key]!
    const grants = workflow.authority === null ? [] : grantsOf(workflow.authority)
    const calls = callsOf(plan, key)
    const worst = worstTasks(plan, key)
    const params = workflow.params.map(param => `--${kebab(param.name)} ${printType(param.type)}`).join(' ')
    lines.push('', `${paint('cyan', key)} ${params}`.trimEnd())
    if (plan.docs[key]) lines.push(`  ${plan.docs[key]!.split('\n')[0]!}`)
    lines.push(
      `  may      ${grants.length > 0 ? grants.join('\n           ') : 'touch nothing: only pure work'}`,
      `  tasks    ${worst === null ? 'not bounded: a `for` runs over a list made at run time; `limits { tasks: N }` bounds it' : `at most ${thousands(worst)}`}`,
    )
    for (const [effect, word] of [['write', 'changes'], ['read', 'reads']] as const) {
      const names = calls.filter(call => call.effect === effect).map(call => call.name)
      if (names.length > 0) lines.push(`  ${word.padEnd(8)} ${names.join(', ')}`)
    }
    const undecided = undecidedOf(plan, key)
    if (undecided.length > 0) lines.push(`  guarded  ${undecided.map(call => `${call.callee} at ${call.path}:${call.line}:${call.column}: ${call.grant} is decided when it runs`).join('\n           ')}`)
    if (Object.keys(workflow.limits).length > 0) lines.push(`  limits   ${limitsText(workflow.limits)}`)
    lines.push(`  gives    ${printType(workflow.result)}`)
  }
  const later = [...plan.agents.map(name => `agent ${name}`), ...plan.loops.map(name => `loop ${name}`)]
  if (later.length > 0) lines.push('', `Checked, and not run by this version: ${later.join(', ')}.`)
  return `${lines.join('\n')}\n`
}

function limitsText(limits: PlanLimits): string {
  return Object.entries(limits)
    .map(([name, value]) => {
      if (name === 'timeMs') return `time ${elapsed(value as number)}`
      if (name === 'costMicros') return `cost $${((value as number) / 1_000_000).toFixed(2)}`
      if (name === 'memoryBytes') return `memory ${Math.round((value as number) / 1024 / 1024)} MB`
      return `${name} ${typeof value === 'number' ? thousands(value) : String(value)}`
    })
    .join(', ')
}
