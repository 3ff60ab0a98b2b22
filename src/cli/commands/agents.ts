// Agents: `tek agents`, what the agents of a run are at, and what agents of this folder remember.
// Owns: the command's words. Does not own: how an agent stands (interpreter/engine/agents-view.ts), threads (journal), steering one (`tek pause --agent`).
import { Option } from 'clipanion'
import { cutToWidth, neutralise, neutraliseLine, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { ThreadRead, ThreadShown } from '#model/memory.ts'
import type { AgentShown, ConversationState } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { clockTime } from '#telemetry/wait-words.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

/** Open conversations that are printed of one agent; `--json` prints up to 100. */
const MAX_PRINTED = 10

const stateWords: Readonly<Record<ConversationState, string>> = {
  'begins': 'begins', 'waits-for-turn': 'waits for its turn', 'waits-for-room': 'waits for room in a limit', 'asks': 'asks its model', 'calls-tools': 'calls tools', 'is-checked': 'its answer is looked at',
  'waits-for-others': 'waits for what it handed on', 'waits-for-message': 'waits for a message', 'waits-for-person': 'waits for a person', 'waits-for-time': 'waits for a time',
  'backs-off': 'backs off before it tries again', 'paused': 'is paused',
}

export class AgentsCommand extends TekCommand {
  static override paths = [['agents']]
  static override usage = {
    description: 'what the agents of a run are at, and what agents remember here',
    details: [
      'RUN is the id of a run, or its first letters, or `last`; without it, the newest. A line for each agent: how it stands, its conversations, what they cost, and',
      'its last answer or failure; beneath it the conversations under way. It is what is recorded of the run, whoever drives it.',
      '`tek pause --agent NAME`, `tek resume --agent NAME` and `tek stop --agent NAME` steer one agent of a run.',
      'Threads are what agents declared with `memory thread` remember across runs. An entry marked `outside` holds text from outside.',
    ].join('\n'),
    examples: [
      ['the newest run', 'tek agents'], ['for programs', 'tek agents 4f2a --json'], ['what is remembered here', 'tek agents --threads'], ['one thread', 'tek agents --thread support'],
      ['forget it', 'tek agents --forget support'],
    ] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  threads = Option.Boolean('--threads', false, { description: 'list what agents remember across runs' })
  thread = Option.String('--thread', { description: 'show one thread' })
  forget = Option.String('--forget', { description: 'forget one thread; `tek clean --threads` forgets all' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const asked = [...(this.run === undefined ? [] : [this.run]), ...(this.threads ? ['--threads'] : []), ...(this.thread === undefined ? [] : ['--thread']), ...(this.forget === undefined ? [] : ['--forget'])]
    if (asked.length > 1) throw new CliFailure([cliErrors['too-many-arguments']({ command: `agents ${asked[0]!}`, extra: asked[1]! })], exitCodes.usage)
    if (this.threads) return this.listThreads(host)
    if (this.thread !== undefined) return this.showThread(host, this.thread)
    return this.forget === undefined ? this.showAgents(host) : this.forgetThread(host, this.forget)
  }

  private async showAgents(host: Host): Promise<ExitCode> {
    const { runId, program, state } = chooseRun(await recordedRuns(host), this.run ?? 'last')
    const { agentsOf } = await import('#tek.ts')
    const agents = answered(await agentsOf(databasePath(host.cwd), runId))
    if (this.json) {
      this.printJson({ version: 1, runId, agents })
      return exitCodes.fine
    }
    const { out } = this.context
    out.write(`${runId.slice(0, SHORT_ID)}  ${out.paint('bold', cutToWidth(`${neutraliseLine(program)} · ${state}`, out.columns() - SHORT_ID - 2))}\n`)
    if (agents.length === 0) out.write('  The program has no agents.\n')
    for (const each of agents) out.write(linesOf(each).map(line => `${cutToWidth(line, out.columns())}\n`).join(''))
    return exitCodes.fine
  }

  private async listThreads(host: Host): Promise<ExitCode> {
    const threads = (await isThere(host)) ? answered(await (await import('#tek.ts')).threadsHere(databasePath(host.cwd))) : []
    if (this.json) this.printJson({ version: 1, threads })
    else if (threads.length === 0) this.context.err.write('No agent remembers anything here across runs.\n')
    else for (const each of threads) this.context.out.write(`${threadLine(each, host.now())}\n`)
    return exitCodes.fine
  }

  private async showThread(host: Host, name: string): Promise<ExitCode> {
    const found = (await isThere(host)) ? answered(await (await import('#tek.ts')).readThread(databasePath(host.cwd), name)) : null
    if (found === null) throw new CliFailure([cliErrors['unknown-thread']({ name })], exitCodes.usage)
    if (this.json) this.printJson({ version: 1, ...found })
    else this.context.out.write(threadText(found))
    return exitCodes.fine
  }

  private async forgetThread(host: Host, name: string): Promise<ExitCode> {
    const count = (await isThere(host)) ? answered(await (await import('#tek.ts')).forgetThreads(databasePath(host.cwd), [name])) : 0
    if (count === 0) throw new CliFailure([cliErrors['unknown-thread']({ name })], exitCodes.usage)
    if (this.json) this.printJson({ version: 1, forgotten: name })
    else this.context.out.write(`\`${neutraliseLine(name)}\` is forgotten.\n`)
    return exitCodes.fine
  }
}

const isThere = async (host: Host): Promise<boolean> => (await host.files.stat(databasePath(host.cwd))) !== null

function linesOf({ agent, state, health, open, done, failed, turns, tokens, costMicros, failuresInRow, lastAnswer, lastFailure, conversations }: AgentShown): string[] {
  const facts = [
    state.replace('-', ' '), health === 'failing' ? `its model failed ${failuresInRow === 1 ? 'once' : `${failuresInRow} times`} in a row` : '',
    `conversations: ${[open > 0 ? `${open} open` : '', `${done} done`, failed > 0 ? `${failed} failed` : ''].filter(each => each !== '').join(', ')}`,
    turns === 0 ? '' : `${thousands(turns)} ${turns === 1 ? 'turn' : 'turns'}, ${thousands(tokens)} tokens${costMicros === 0 ? '' : `, $${(costMicros / 1_000_000).toFixed(4)}`}`,
  ]
  const lines = [`  ${neutraliseLine(agent)}: ${facts.filter(each => each !== '').join(' · ')}`]
  for (const each of conversations.slice(0, MAX_PRINTED)) lines.push(`    ${neutraliseLine(each.task)} ${stateWords[each.state]}${each.turns === 0 ? '' : ` · turn ${each.turns + 1}`}${each.isUntrusted ? ' · text from outside' : ''}`)
  if (open > MAX_PRINTED) lines.push(`    and ${thousands(open - MAX_PRINTED)} more`)
  if (lastFailure !== null && (health !== 'good' || lastAnswer === null)) lines.push(`    last failure: ${lastFailure.code}: ${neutraliseLine(lastFailure.message)}`)
  else if (lastAnswer !== null) lines.push(`    last answer: ${neutraliseLine(lastAnswer)}`)
  return lines
}

function threadLine({ name, entries, isUntrusted, lastMs }: ThreadShown, nowMs: number): string {
  return `${neutraliseLine(name)} · ${thousands(entries)} ${entries === 1 ? 'entry' : 'entries'} · last ${clockTime(lastMs, nowMs)}${isUntrusted ? ' · outside' : ''}`
}

function threadText({ entries }: ThreadRead): string {
  const texts = entries.map(({ prompt, between, answer, isUntrusted, from, atMs }) => {
    const head = `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')}Z  ${from}${isUntrusted ? '  outside' : ''}`
    const said = prompt === null ? ['before, in a few words:', indented(answer)] : ['asked:', indented(prompt), ...(between === '' ? [] : ['tools:', indented(between)]), 'answered:', indented(answer)]
    return [neutraliseLine(head), ...said].join('\n')
  })
  return `${texts.join('\n\n')}\n`
}

const indented = (text: string): string => neutralise(text).split('\n').map(line => `  ${line}`).join('\n')
