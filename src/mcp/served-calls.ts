// Served calls: a call of a tool is a run of a workflow.
// Owns: arguments, places, what the caller is told: result, progress, failure, question. Does not own: carrying a run out (given), permits (given), the protocol.
//   C1. What a caller sends decides nothing about what is allowed: each call asks for the grants that its own arguments make, and they are all permitted
//       already or the call is refused. Nobody is asked.
//   C2. Each call is a run in the journal, named in its answer. A call that is cancelled, or whose caller goes away, stops its run, which can be gone on with.
//   C3. At most MAX_CALLS at once; one more is told so at once. An answer larger than MAX_RESULT_BYTES is refused, and its run has it.
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Failure } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunNotice, RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { fromJsonValue } from '#types/codec.ts'
import { printType } from '#types/print.ts'
import { isNeeded, servedResult, servedTools, type ServedTool } from './served-tools.ts'

export const MAX_CALLS = 8
export const MAX_RESULT_BYTES = 4 * 1_024 * 1_024
const MAX_SHOWN_WAITS = 5

/** A call of a tool, as the protocol hands it on. */
export interface ServedCall {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal
  onProgress(done: number, total: number, message: string): void
}

/** What the caller is told. */
export interface ServedAnswer {
  readonly content: readonly { readonly type: 'text'; readonly text: string }[]
  readonly structuredContent?: Readonly<Record<string, Value>>
  readonly isError?: true
  readonly _meta?: Readonly<Record<string, Value>>
}

/** Begins a run and carries it out to its end, or says why it may not begin. */
export type BeginRun = (workflow: string, args: Readonly<Record<string, Value>>, options: { readonly signal: AbortSignal; readonly onNotice: (notice: RunNotice) => void }) => Promise<RunSummary | readonly Diagnostic[]>

export class ServedCalls {
  readonly tools: readonly ServedTool[]
  private readonly plan: Plan
  private readonly begin: BeginRun
  private readonly underWay = new Set<Promise<unknown>>()
  private readonly stop = new AbortController()

  constructor(plan: Plan, begin: BeginRun) {
    this.plan = plan
    this.begin = begin
    this.tools = servedTools(plan)
  }

  /** Null: there is no such tool. */
  async call(call: ServedCall): Promise<ServedAnswer | null> {
    const tool = this.tools.find(each => each.name === call.name)
    if (tool === undefined) return null
    if (this.stop.signal.aborted || this.underWay.size >= MAX_CALLS) return refusal([mcpErrors.busy({ most: MAX_CALLS })]) // C3
    const working = this.make(tool, call)
    this.underWay.add(working)
    try {
      return await working
    } finally {
      this.underWay.delete(working)
    }
  }

  /** Stops every run under way; resolves when they have. */
  async close(): Promise<void> {
    this.stop.abort('terminate')
    await Promise.allSettled(this.underWay)
  }

  private async make({ key }: ServedTool, { args: given, signal, onProgress }: ServedCall): Promise<ServedAnswer> {
    const args = this.argumentsOf(key, given)
    if ('problems' in args) return refusal(args.problems)
    let done = 0
    let runId: string | null = null
    const onNotice = (notice: RunNotice): void => {
      if (notice.kind === 'run-started') runId = notice.runId
      if (notice.kind !== 'progress') return
      const { done: finished, failed, skipped, cancelled, cached, total } = notice.tasks
      const over = finished + failed + skipped + cancelled + cached
      if (over > done) onProgress((done = over), Math.max(total, over), notice.running.slice(0, 3).join(', ')) // must grow
    }
    const ended = await this.begin(key, args.values, { signal: AbortSignal.any([signal, this.stop.signal]), onNotice })
    if (Array.isArray(ended)) return refusal(ended as readonly Diagnostic[], runId)
    return this.answerOf(key, ended as RunSummary)
  }

  private argumentsOf(key: string, given: Readonly<Record<string, unknown>>): { readonly values: Readonly<Record<string, Value>> } | { readonly problems: readonly Diagnostic[] } {
    const { params } = this.plan.workflows[key]!
    const problems: Diagnostic[] = []
    const values = Object.create(null) as Record<string, Value>
    for (const name of Object.keys(given)) if (!params.some(each => each.name === name)) problems.push(runErrors['unknown-argument']({ name, suggestions: didYouMean(name, params.map(each => each.name)) }))
    for (const param of params) {
      if (!Object.hasOwn(given, param.name)) {
        if (isNeeded(param)) problems.push(runErrors['missing-argument']({ name: param.name, type: printType(param.type) }))
        continue
      }
      const read = fromJsonValue(param.type, given[param.name])
      if ('problem' in read) problems.push(runErrors['bad-argument']({ name: param.name, problem: read.problem }))
      else values[param.name] = read.value
    }
    return problems.length > 0 ? { problems } : { values }
  }

  private answerOf(key: string, { runId, status, outcome, waits = [] }: RunSummary): ServedAnswer {
    const _meta = { 'tek/run': runId, 'tek/status': status }
    if (status === 'waiting') {
      const lines = waits.slice(0, MAX_SHOWN_WAITS).map(each => (each.kind === 'approval' ? `\`${each.task}\` asks: ${each.question}` : `\`${each.task}\` waits until ${new Date(each.dueMs).toISOString()}`))
      const how = `A person answers with \`tek approve TASK ${runId}\` or \`tek refuse TASK ${runId}\`; then \`tek resume ${runId}\` goes on with it.`
      return { content: [text(`The run ${runId} waits and has no result yet. ${lines.join(' ')} ${how}`)], isError: true, _meta }
    }
    if (outcome === null) return { content: [text(`The run ${runId} was stopped; \`tek resume ${runId}\` goes on with it.`)], isError: true, _meta }
    if (outcome.kind === 'failure') return { content: [text(failureText(outcome.failure))], isError: true, _meta: { ..._meta, 'tek/code': outcome.failure.code } }
    const structuredContent = servedResult(this.plan.workflows[key]!.result, outcome.value)
    const json = JSON.stringify(structuredContent)
    if (Buffer.byteLength(json) > MAX_RESULT_BYTES) {
      const large = refusal([mcpErrors['bad-answer']({ tool: this.plan.workflows[key]!.name, reason: `it is larger than ${MAX_RESULT_BYTES / 1_024 ** 2} MiB; \`tek show ${runId}\` has it` })])
      return { ...large, _meta: { ...large._meta, ..._meta } }
    }
    return { content: [text(typeof outcome.value === 'string' ? outcome.value : json)], structuredContent, _meta }
  }
}

const text = (content: string): { readonly type: 'text'; readonly text: string } => ({ type: 'text', text: content })

const failureText = ({ code, message, help }: Pick<Failure, 'code' | 'message' | 'help'>): string => `${code}: ${message}${help === undefined ? '' : ` ${help}`}`

function refusal(diagnostics: readonly Diagnostic[], runId: string | null = null): ServedAnswer {
  const lines = diagnostics.map(({ code, message, help }) => failureText({ code, message, ...(help[0] === undefined ? {} : { help: help[0] }) }))
  return { content: [text(lines.join('\n'))], isError: true, _meta: { ...(diagnostics[0] === undefined ? {} : { 'tek/code': diagnostics[0].code }), ...(runId === null ? {} : { 'tek/run': runId }) } }
}
