// Commands started one after the other by the host, in a process of its own. Arguments: `confined` or `bare`, a folder, how many.
// Prints JSON: `elapsedMs` of the median start to end, once everything that is loaded or kept has been.
import { runCommand } from '#host/run-command.ts'

const [kind, cwd = '/', count = '100'] = process.argv.slice(2)
const limits = { memoryBytes: 1024 ** 3, processes: 64, cpuMs: 60_000, fileBytes: 1024 ** 2 }
const command = {
  program: '/bin/true', args: [], cwd, env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000, maxOutputBytes: 1_000,
  ...(kind === 'confined' ? { confinement: { readable: [cwd], writable: [], hidden: [], limits, mayBeUnconfined: false } } : {}),
}
const times: number[] = []
for (let done = -10; done < Number(count); done++) {
  const from = performance.now()
  const { exitCode } = await runCommand(command, new AbortController().signal)
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}`)
  if (done >= 0) times.push(performance.now() - from)
}
console.log(JSON.stringify({ elapsedMs: times.sort((a, b) => a - b)[times.length >> 1], bestMs: times[0] }))
