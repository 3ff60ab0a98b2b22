// Dying server: a process that serves once and ends itself with SIGKILL at the n-th thing it asks of its machine after something fired.
//   node dying-server.mjs FOLDER CLOCK N [webhook]
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import type { Plan } from '#model/plan.ts'
import { serve } from '#serve/serve.ts'

const [folder = '', clock = '0', last = '0'] = process.argv.slice(2)
let left = Infinity
const asked = (): void => {
  if (--left < 0) process.kill(process.pid, 'SIGKILL')
}
const real = nodeHost({ cwd: folder })
const counted = <Words extends unknown[], Result>(work: (...words: Words) => Result) => (...words: Words): Result => {
  asked()
  return work(...words)
}
const host: Host = { ...real, now: counted(() => Number(clock)), monotonic: counted(real.monotonic), randomHex: counted(real.randomHex), identity: counted(real.identity!), machine: counted(real.machine) }
const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as Plan
const end = await serve(host, {
  programs: [{ plan, shown: 'p.tek', folder, permits: new Map(plan.entries.map(key => [key, { grants: [], by: 'file' as const }])) }],
  database: join(folder, '.tek', 'tek.db'), runs: 4, takeOver: false, once: true, http: { bind: '127.0.0.1', port: 0, names: [], allowUnsigned: false }, notify: null, tekVersion: '0.0.0', mayBeUnconfined: false,
  permitAgain: async () => ({ kind: 'answer', value: { grants: [], by: 'file' } }),
  onEvent: event => {
    if (event.kind === 'fired') left = Number(last)
  },
  signal: new AbortController().signal,
})
process.exit(end.kind === 'answer' ? 0 : 1)
