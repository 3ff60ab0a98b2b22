// Worker: what runs in a thread of the pool: a lane of pure expressions and calls of trusted tools.
// Owns: loading modules by URL, one outcome for each job. Does not own: what a tool may do (its context asks the main thread).
//   W1. A job never throws: whatever happens becomes its outcome. Only the end of the thread itself is seen as a crash.
import type { MessagePort } from 'node:worker_threads'
import type { Outcome } from '#model/event.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import type { Plugin } from '#plugin-api/define-plugin.ts'
import { invokePure, invokeTool } from '#plugin-api/invoke.ts'
import type { PureFunction } from '#plugin-api/tool-runner.ts'
import { evaluatePure } from '#interpreter/engine/evaluation.ts'
import type { CallJob, ExpressionJob, Job, Lane, LaneMessage, LaneRequest } from './messages.ts'
import { remoteContext, type RemoteContext } from './remote-context.ts'

const loaded = new Map<string, Promise<Plugin>>()

/** Outcomes wait this long for others before they are sent. */
const ANSWER_INTERVAL_MS = 1

/** What one lane works on. */
interface Serving {
  readonly port: MessagePort
  /** The context of the call under way; there is one at most. */
  context: { readonly number: number; readonly remote: RemoteContext } | null
}

/** Serves one lane: carries out jobs one after another until told to end. */
export function work({ port }: Lane): Promise<void> {
  const serving: Serving = { port, context: null }
  return new Promise(resolve => {
    port.on('message', (request: LaneRequest) => {
      if (request.kind === 'jobs') return void carryOutAll(request.jobs, serving)
      if (request.kind === 'context') {
        if (serving.context?.number === request.context) serving.context.remote.answered(request.answer)
        return
      }
      port.close()
      resolve()
    })
    port.postMessage({ kind: 'outcomes', outcomes: [], elapsedMs: 0 } satisfies LaneMessage) // ready
  })
}

async function carryOutAll(jobs: readonly Job[], serving: Serving): Promise<void> {
  let outcomes: Outcome[] = []
  let sinceMs = performance.now()
  for (const [index, job] of jobs.entries()) {
    outcomes.push(await carryOut(job, serving))
    const elapsedMs = performance.now() - sinceMs
    if (elapsedMs < ANSWER_INTERVAL_MS && index < jobs.length - 1) continue
    serving.port.postMessage({ kind: 'outcomes', outcomes, elapsedMs } satisfies LaneMessage)
    outcomes = []
    sinceMs = performance.now()
  }
}

async function carryOut(job: Job, serving: Serving): Promise<Outcome> {
  try {
    return job.kind === 'expression' ? await evaluate(job) : await call(job, serving)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'failure', failure: { code: 'plugin/crashed', message: `A module could not do its work in a thread: ${message}`, task: '', retryable: false } } // W1
  }
}

async function evaluate(job: ExpressionJob): Promise<Outcome> {
  const plugins = new Map<string, Plugin>()
  for (const [name, url] of Object.entries(job.modules)) plugins.set(name, await load(url))
  const step = evaluatePure(
    job.expr,
    {
      param: name => job.params[name] ?? null,
      node: index => job.nodes[index] ?? null,
      constant: name => job.constants[name] ?? null,
      local: name => job.locals[name],
    },
    { pure: (module, fn) => pureOf(plugins.get(module), fn), prompts: job.prompts },
  )
  switch (step.kind) {
    case 'done':
      return { kind: 'value', value: step.value }
    case 'failed':
      return { kind: 'failure', failure: { ...step.failure, task: '' } }
    default:
      return { kind: 'failure', failure: { code: 'plugin/crashed', message: 'A function of this expression is not at hand in a thread.', task: '', retryable: false } }
  }
}

function pureOf(plugin: Plugin | undefined, fn: string): PureFunction | null {
  return plugin === undefined ? null : invokePure(plugin, fn)
}

async function call(job: CallJob, serving: Serving): Promise<Outcome> {
  const plugin = await load(job.url)
  const { context: number } = job
  if (number === null) return pureCall(plugin, job)
  const remote = remoteContext(request => serving.port.postMessage({ kind: 'context', context: number, request } satisfies LaneMessage), job)
  serving.context = { number, remote }
  try {
    return await invokeTool(plugin, job.call, remote.context)
  } finally {
    remote.close()
    serving.context = null
  }
}

function pureCall(plugin: Plugin, job: CallJob): Outcome {
  try {
    return { kind: 'value', value: invokePure(plugin, job.call.fn)(job.call.args) }
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    const { code, message, retryable, help } = error
    return { kind: 'failure', failure: { code, message, task: '', retryable, ...(help === undefined ? {} : { help }) } }
  }
}

function load(url: string): Promise<Plugin> {
  let found = loaded.get(url)
  if (found === undefined) {
    found = import(url).then((module: { default: Plugin }) => module.default)
    loaded.set(url, found)
  }
  return found
}
