// Run plan: carries out a hand-made plan with tools given as functions.
import type { RunNotice } from '#model/report.ts'
import type { Outcome } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { memoryHost, type MemoryHost } from '#testing/memory-host.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { resumeRun, startRun, type RunResult, type RunSettings } from '#interpreter/run.ts'

export type Tool = (args: Readonly<Record<string, Value>>, context: ToolContext) => Value | Promise<Value>

/** A runner of tools; a tool that throws `{ code, retryable }`-like objects fails with them. */
export function runnerOf(tools: Record<string, Tool>, pure: Record<string, (args: Readonly<Record<string, Value>>) => Value> = {}): ToolRunner {
  return {
    pure: (_, fn) => pure[fn] ?? null,
    async call({ fn, args }, context): Promise<Outcome> {
      try {
        return { kind: 'value', value: await tools[fn]!(args, context) }
      } catch (error) {
        const { code = 'test/failed', message = String(error), retryable = false } = error as { code?: string; message?: string; retryable?: boolean }
        return { kind: 'failure', failure: { code, message, task: '', retryable } }
      }
    },
    threadModule: () => null,
    close: async () => {},
  }
}

export interface RunPlan {
  tools?: Record<string, Tool>
  args?: Record<string, Value>
  journal?: Journal
  host?: MemoryHost
  settings?: Partial<RunSettings>
  /** Moves the host's clock while the run goes on. */
  advancing?: boolean
}

export async function runPlan(plan: Plan, options: RunPlan = {}): Promise<{ result: RunResult; notices: RunNotice[]; value: Value; code: string | null; host: MemoryHost }> {
  const notices: RunNotice[] = []
  const host = options.host ?? memoryHost()
  const settings: RunSettings = {
    host, plan, journal: options.journal ?? memoryJournal(), toolRunner: runnerOf(options.tools ?? {}), onNotice: notice => void notices.push(notice), tekVersion: 'test',
    ...options.settings,
  }
  const running = startRun({ ...settings, program: 'test.tek', args: options.args ?? {} })
  const result = await (options.advancing ? advanceUntil(running, host) : running)
  return { result, notices, ...endOf(result), host }
}

export async function resumePlan(plan: Plan, runId: string, options: RunPlan & { journal: Journal }): Promise<{ result: RunResult; value: Value; code: string | null }> {
  const host = options.host ?? memoryHost()
  const running = resumeRun({
    host, plan, runId, journal: options.journal, toolRunner: runnerOf(options.tools ?? {}), onNotice: () => {}, tekVersion: 'test', ...options.settings,
  })
  const result = await (options.advancing ? advanceUntil(running, host) : running)
  return { result, ...endOf(result) }
}

export function endOf(result: RunResult): { value: Value; code: string | null } {
  if (result.kind === 'refused') return { value: null, code: result.diagnostics[0]!.code }
  const { outcome } = result.summary
  return outcome?.kind === 'value' ? { value: outcome.value, code: null } : { value: null, code: outcome?.failure.code ?? null }
}

async function advanceUntil<Result>(running: Promise<Result>, host: MemoryHost): Promise<Result> {
  let isOver = false
  const over = running.finally(() => void (isOver = true))
  for (let i = 0; !isOver && i < 100_000; i++) await host.advance(50)
  return over
}
