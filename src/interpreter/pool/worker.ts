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
import type { CallJob, ExpressionJob, Job, Lane, LaneAnswer, LaneRequest } from './messages.ts'
import { remoteContext } from './remote-context.ts'

const loaded = new Map<string, Promise<Plugin>>()

/** Outcomes wait this long for others before they are sent. */
const ANSWER_INTERVAL_MS = 1

/** Serves one lane: carries out jobs one after another until told to end. */
export function work({ port }: Lane): Promise<void> {
  return new Promise(resolve => {
    port.on('message', (request: LaneRequest) => {
      if (request.kind === 'jobs') return void carryOutAll(request.jobs, port)
      port.close()
      resolve()
    })
    port.postMessage({ outcomes: [], elapsedMs: 0 } satisfies LaneAnswer) // ready
  })
}

async function carryOutAll(jobs: readonly Job[], port: MessagePort): Promise<void> {
  let outcomes: Outcome[] = []
  let sinceMs = performance.now()
  for (const [index, job] of jobs.entries()) {
    outcomes.push(await carryOut(job))
    const elapsedMs = performance.now() - sinceMs
    if (elapsedMs < ANSWER_INTERVAL_MS && index < jobs.length - 1) continue
    port.postMessage({ outcomes, elapsedMs } satisfies LaneAnswer)
    outcomes = []
    sinceMs = performance.now()
  }
}

async function carryOut(job: Job): Promise<Outcome> {
  try {
    return job.kind === 'expression' ? await evaluate(job) : await call(job)
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

async function call(job: CallJob): Promise<Outcome> {
  const plugin = await load(job.url)
  if (job.port === null) return pureCall(plugin, job)
  const { context, close } = remoteContext(job.port, job.cwd, job.idempotencyKey)
  try {
    return await invokeTool(plugin, job.call, context)
  } finally {
    close()
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
