// Simulated pool: worker threads without threads: each job is worked out here and answered later, in an order that the seed draws.
import { evaluatePure } from '#interpreter/engine/evaluation.ts'
import type { Pool } from '#interpreter/pool/pool.ts'
import type { Loop, SimulatedProcess } from './loop.ts'

/** Without a loop: answered at once. */
export function simulatedPool(loop: Loop | null, process: SimulatedProcess | null): Pool {
  return {
    threads: 1,
    close: async () => {},
    call: () => Promise.reject(new Error('no tool of these programs runs in a thread')),
    async evaluate(job) {
      if (loop !== null) await new Promise<void>(resolve => void loop.after(30, resolve, process))
      const step = evaluatePure(
        job.expr,
        { param: name => job.params[name] ?? null, node: index => job.nodes[index] ?? null, constant: name => job.constants[name] ?? null, local: name => job.locals[name] },
        { pure: () => null, prompts: job.prompts },
      )
      if (step.kind === 'done') return { kind: 'value', value: step.value }
      if (step.kind === 'failed') return { kind: 'failure', failure: { ...step.failure, task: '' } }
      throw new Error('a pure expression asked for a call')
    },
  }
}
