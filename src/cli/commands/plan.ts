// Plan: `tek plan`, what a program may touch, spend and start, before it does.
// Owns: the command, the answer for programs. Does not own: what the program is (model/plan.ts), the screen (plan-text.ts).
//   P1. Nothing is run and nothing is asked of the network.
//   P2. What is not known before a run says so, and where: a `for` over a list that is made at run time has no number of tasks unless a limit gives one.
import { Option } from 'clipanion'
import type { Plan } from '#model/plan.ts'
import { printType } from '#types/print.ts'
import { TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { openProgram } from '../open-program.ts'
import { modelsOf } from '../plan-agents.ts'
import { agentGrants, beneath, callsOf, grantsOf, isolationOf, programsOf, secretsOf, trustedOf, undecidedOf } from '../plan-facts.ts'
import { planText } from '../plan-text.ts'
import { waitsOf } from '../plan-waits.ts'

export class PlanCommand extends TekCommand {
  static override paths = [['plan']]
  static override usage = {
    description: 'what a program may touch, spend and start, before it does',
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
    const { out } = this.context
    if (this.json) this.printJson(planJson(plan, shown))
    else out.write(planText(plan, shown, out.paint, out.columns()))
    return exitCodes.fine
  }
}

/** The same as the screen says. */
export function planJson(plan: Plan, program: string): object {
  return {
    version: 1, program, hash: plan.hash, edition: plan.edition,
    modules: plan.modules.filter(each => each.origin !== 'loop').map(module => ({ name: module.name, origin: module.origin, source: module.source, release: module.release, runs: isolationOf(module) })),
    authority: plan.authority === null ? null : grantsOf(plan.authority),
    limits: plan.limits,
    files: (plan.files ?? []).map(({ path, authority, limits }) => ({ path, authority: authority === null ? null : grantsOf(authority), limits })),
    acceptedRisks: plan.accepted ?? [],
    secrets: plan.secrets ?? [],
    prices: plan.worst?.prices ?? null,
    workflows: plan.entries.map(key => {
      const workflow = plan.workflows[key]!
      const worst = plan.worst?.workflows[key] ?? null
      return {
        name: key,
        parameters: workflow.params.map(param => ({ name: param.name, type: printType(param.type), needed: param.default === null })),
        result: printType(workflow.result),
        authority: workflow.authority === null ? null : grantsOf(workflow.authority),
        beneath: beneath(plan, key),
        limits: workflow.limits,
        tasks: workflow.nodes.filter(node => node.kind === 'task').map(node => node.name),
        worstTasks: worst?.tasks.kind === 'at-most' ? worst.tasks.amount : null,
        worst,
        calls: callsOf(plan, key),
        programs: programsOf(plan, key),
        secrets: secretsOf(plan, key),
        triggers: workflow.triggers ?? [],
        waits: waitsOf(plan, key),
        trusted: trustedOf(plan, key),
        decidedAtRunTime: undecidedOf(plan, key),
      }
    }),
    tests: plan.tests.length,
    agents: plan.agents, loops: plan.loops,
    agentDetails: plan.agents.map(key => agentFacts(plan, key)),
    models: Object.entries(plan.models ?? {}).map(([name, { provider, model, key, fallback, price, contextTokens, answerTokens, timeoutMs }]) => ({ name, provider, model, key, fallback, price, contextTokens, answerTokens, timeoutMs })),
    worstAgents: plan.worst?.agents ?? {}, worstLoops: plan.worst?.loops ?? {},
  }
}

function agentFacts(plan: Plan, key: string) {
  const agent = plan.agentBodies?.[key]
  return {
    name: key, models: modelsOf(plan, key), authority: grantsOf(agentGrants(plan, key)), leads: agent?.leads ?? [], limits: agent?.limits ?? {}, memory: agent?.memory.kind ?? 'none',
    tools: (agent?.tools ?? []).map(tool => {
      const { name, kind, isUntrusted, isSink } = tool
      const asks = !('asked' in tool) || tool.asked === undefined ? null : tool.alwaysAsks === true ? 'always' : 'after-untrusted'
      return { name, kind, isUntrusted, isSink, ...(asks === null ? {} : { asks }) }
    }),
  }
}
