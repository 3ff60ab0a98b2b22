// Scripted: models that answer what a test says: `given AGENT replies […]`.
// Owns: what a reply of a test means, running out of them. Does not own: working the lists out (run.ts), what the answer means (engine).
//   S1. The replies of an agent are given in order, one a turn, whoever asks it; nothing is reached and nothing waits.
//   S2. `{ tool: "fs.read", args: { … } }` is a turn that calls a tool, a list of such turns several at once; `{ fails: "overloaded" }` is a model that could not be
//       asked, after all that a gateway tries. Anything else is the answer: as it is where text is wanted, as JSON where a type is.
import { modelErrors } from '#diagnostics/catalog/model.ts'
import { type ChatBlock, type ChatFailureCode, type ChatReply, noUsage } from '#model/chat.ts'
import type { ModelOutcome } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { isModelFailure } from '#plugin-api/model-provider.ts'
import { failed, type AskedModels, type Question } from './models.ts'

/** Characters that a token of a scripted model stands for. */
const CHARACTERS_A_TOKEN = 4

/** Names of tools that an agent does not have, as a test is told. */
const MAX_UNKNOWN_TOOLS = 10

/** The replies of an agent, by its key. */
export interface Replies {
  readonly agent: string
  /** Works them out. @throws {ModelFailure} */
  replies(): readonly Value[]
}

export class ScriptedModels implements AskedModels {
  readonly isScripted = true
  private readonly given: readonly Replies[]
  /** Tools that replies call and that an agent does not have, by agent. */
  private readonly unknownTools = new Map<string, Set<string>>()
  private readonly left = new Map<string, { readonly replies: readonly Value[]; next: number }>()

  /** @param given of each agent, all its lists in order. */
  constructor(given: readonly Replies[]) {
    this.given = given
  }

  async ask({ agent, chain, request }: Question): Promise<ModelOutcome> {
    let left: ReturnType<ScriptedModels['leftOf']>
    try {
      left = this.leftOf(agent)
    } catch (error) {
      if (!isModelFailure(error)) throw error
      return failed(error.code, error.message, [])
    }
    if (left === undefined || left.next >= left.replies.length) return noReply(agent, left?.replies.length ?? null)
    const number = left.next++
    const value = left.replies[number]!
    const code = failureIn(value)
    if (code !== null) return failed(code, `${modelErrors[code]({}).message} (Reply ${number + 1} of the test.)`, [])
    const calls = callsIn(value, number)
    for (const call of calls ?? []) if (call.kind === 'tool-use' && !request.tools.some(each => each.name === call.name)) this.noteUnknown(agent, call.name)
    const content = calls ?? [{ kind: 'text', text: request.answer === undefined && typeof value === 'string' ? value : JSON.stringify(value) } as const]
    const tokens = (length: number): number => Math.ceil(length / CHARACTERS_A_TOKEN)
    const reply: ChatReply = {
      content, stop: content[0]?.kind === 'tool-use' ? 'tool-use' : 'done', model: 'scripted',
      usage: { ...noUsage, input: tokens(JSON.stringify(request.messages).length + request.system.length), output: tokens(JSON.stringify(content).length) },
    }
    return { kind: 'reply', reply, model: chain[0] ?? '', lost: [] }
  }

  oddities(): readonly string[] {
    const unasked = [...new Set(this.given.map(each => each.agent))].flatMap(agent => {
      const left = this.left.get(agent)
      if (left === undefined) return [`The model of \`${agent}\` was never asked, and the test gives replies.`]
      const count = left.replies.length - left.next
      return count === 0 ? [] : [`The test gives ${count === 1 ? 'one reply' : `${count} replies`} of \`${agent}\` more than its model was asked for.`]
    })
    const unknown = [...this.unknownTools].map(([agent, names]) => `A reply of \`${agent}\` calls ${[...names].map(each => `\`${each}\``).join(', ')}, which it does not have.`)
    return [...unasked, ...unknown]
  }

  private noteUnknown(agent: string, name: string): void {
    const names = this.unknownTools.get(agent) ?? new Set()
    if (names.size < MAX_UNKNOWN_TOOLS) this.unknownTools.set(agent, names.add(name))
  }

  private leftOf(agent: string): { readonly replies: readonly Value[]; next: number } | undefined {
    const own = this.given.filter(each => each.agent === agent)
    if (own.length > 0 && !this.left.has(agent)) this.left.set(agent, { replies: own.flatMap(each => each.replies()), next: 0 })
    return this.left.get(agent)
  }
}

function noReply(agent: string, count: number | null): ModelOutcome {
  const { code, message, help } = modelErrors['no-reply']({ agent, count })
  return { kind: 'failure', failure: { code, message, task: '', retryable: false, ...(help[0] === undefined ? {} : { help: help[0] }) }, lost: [] }
}

/** S2. */
function failureIn(value: Value): ChatFailureCode | null {
  const code = isRecord(value) && Object.keys(value).length === 1 ? value['fails'] : undefined
  return typeof code === 'string' && isFailureCode(code) ? code : null
}

function isFailureCode(code: string): code is ChatFailureCode {
  return Object.hasOwn(modelErrors.entries, code) && code !== 'no-reply' && code !== 'no-recording'
}

/** S2. */
function callsIn(value: Value, turn: number): ChatBlock[] | null {
  const all = Array.isArray(value) ? (value as readonly Value[]) : [value]
  if (all.length === 0 || !all.every(isCall)) return null
  return all.map(({ tool, args }, index) => ({ kind: 'tool-use', id: `call-${turn + 1}-${index + 1}`, name: tool.replaceAll('.', '_'), input: args ?? {} }))
}

function isCall(value: Value): value is { readonly tool: string; readonly args?: Value } {
  return isRecord(value) && typeof value['tool'] === 'string' && Object.keys(value).every(name => name === 'tool' || name === 'args')
}

function isRecord(value: Value): value is { readonly [name: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
