// Steering: `tek pause | resume | stop --agent NAME`: one agent of a run, while the rest goes on.
// Owns: which run and which agent are meant, what is said of what came of it. Does not own: what steering does (interpreter/engine/agent-life.ts).
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { AskSeen } from '#history/ask.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure, type CliContext } from './command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from './recorded-runs.ts'
import { whoDid } from './who.ts'

export const agentOption = { description: 'one agent of the run, by its name: the run goes on' }

export type Steer = 'pause' | 'resume' | 'stop'

export interface SteerRequest {
  readonly does: Steer
  /** As it was named. */
  readonly agent: string
  /** The beginning of a run's id; absent: the only run that is not finished. */
  readonly run: string | undefined
  readonly json: boolean
}

/** Puts the request and says what came of it. */
export async function steer(context: CliContext, host: Host, { does, agent: name, run, json }: SteerRequest): Promise<ExitCode> {
  const runId = await runMeant(host, does, name, run)
  const { agentsOf, ask } = await import('#tek.ts')
  const keys = answered(await agentsOf(databasePath(host.cwd), runId)).map(each => each.agent)
  const agent = keys.find(each => each === name) ?? onlyNamed(keys, name) ?? name // where there is none, the run says so
  const seen = answered(await ask(host, databasePath(host.cwd), runId, { kind: 'steer', agent, does, by: whoDid(`tek ${does} --agent`) }))
  if (json) context.out.write(`${JSON.stringify({ version: 1, ...seen, agent, does }, null, 2)}\n`)
  else context.out.write(`${sentence(seen, neutraliseLine(agent), does)}\n`)
  return exitCodes.fine
}

/** An agent of another file is known by its name too, where that is one agent's alone. */
function onlyNamed(keys: readonly string[], name: string): string | undefined {
  const named = keys.filter(each => each.slice(each.lastIndexOf('#') + 1) === name)
  return named.length === 1 ? named[0] : undefined
}

async function runMeant(host: Host, does: Steer, agent: string, run: string | undefined): Promise<string> {
  const runs = await recordedRuns(host)
  if (run !== undefined) return chooseRun(runs, run).runId
  const open = runs.filter(({ state }) => state !== 'done' && state !== 'failed' && state !== 'superseded')
  const driven = open.filter(each => each.state === 'running')
  const meant = driven.length > 0 ? driven : open
  if (meant.length === 0) throw new CliFailure([cliErrors['nothing-to-resume']({})], exitCodes.usage)
  if (meant.length > 1) throw new CliFailure([cliErrors['several-running']({ command: does, agent: neutraliseLine(agent), runs: meant.slice(0, 5).map(each => each.runId.slice(0, SHORT_ID)) })], exitCodes.usage)
  return meant[0]!.runId
}

const words: Readonly<Record<Steer, string>> = {
  pause: 'is asked nothing new: what is under way comes to its end', resume: 'goes on', stop: 'is stopped: its conversations are given up, and its further tasks fail at once',
}

function sentence(seen: AskSeen, agent: string, does: Steer): string {
  const id = seen.runId.slice(0, SHORT_ID)
  if (seen.kind === 'taken') return `${id}: \`${agent}\` ${words[does]}.`
  if (seen.kind === 'not-taken') return `${id}: \`${agent}\` ${words[does]}, as soon as process ${seen.pid} on ${neutraliseLine(seen.hostName)} looks; it has not yet.`
  return `${id}: \`${agent}\` ${words[does]}, once somebody goes on with the run: \`tek resume ${id}\`.`
}
