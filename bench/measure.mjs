// Measure: starting a contestant, timing it, and the arithmetic of samples.
// Owns: fairness. Does not own: what is measured (cases/*.mjs).
//   M1. Contestants of one case are interleaved, round by round, each round beginning with another one: a bad minute of the machine hits all of them.
//   M2. What is reported is the median; the number of rounds is reported with it.
//   M3. Every contestant is a process of its own with the same small environment, and is given a limited time.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export const CONTESTANT_LIMIT_MS = 180_000
const MAX_OUTPUT_CHARACTERS = 4_000_000

/** NODE_EXTRA_CA_CERTS adds 33 ms to a start of Node 20; NODE_OPTIONS could change anything. */
export function benchEnvironment() {
  const { PATH, HOME, LANG } = process.env
  return { PATH, HOME, LANG, NO_COLOR: '1', CI: '1' }
}

/** Where a program lies on PATH, or null. */
export function programPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  return null
}

/**
 * Runs a command to its end. `elapsedMs` is wall time, `cpuMs` processor time of the whole tree as bash's `time` counts it
 * (null without bash). Fails when the command does not exit with one of `expect`.
 */
export function runCommand(program, args, options = {}) {
  const bash = programPath('bash')
  const timed = bash === null ? [program, args] : [bash, ['-c', 'TIMEFORMAT="bench-time %R %U %S"; time "$@"', 'bash', program, ...args]]
  return new Promise((resolve, reject) => {
    const child = spawn(timed[0], timed[1], { cwd: options.cwd, env: { ...benchEnvironment(), ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const from = process.hrtime.bigint()
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', data => { if (stdout.length < MAX_OUTPUT_CHARACTERS) stdout += data })
    child.stderr.on('data', data => { if (stderr.length < MAX_OUTPUT_CHARACTERS) stderr += data })
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), options.limitMs ?? CONTESTANT_LIMIT_MS)
    child.on('error', reject)
    child.on('close', exitCode => {
      clearTimeout(timer)
      const wallMs = Number(process.hrtime.bigint() - from) / 1e6
      const times = /bench-time ([\d.,]+) ([\d.,]+) ([\d.,]+)\s*$/.exec(stderr)
      const seconds = index => Number(times[index].replace(',', '.'))
      if (!(options.expect ?? [0]).includes(exitCode)) {
        const said = (stdout + stderr).split('\n').filter(line => line.trim() !== '' && !line.startsWith('bench-time'))
        reject(new Error(`it ended with ${exitCode ?? 'a signal'}: ${(said.find(line => /^(\w*Error|error)\b/.test(line)) ?? said.at(-1) ?? 'no word').slice(0, 300)}`))
        return
      }
      resolve({
        elapsedMs: times === null ? wallMs : seconds(1) * 1000,
        cpuMs: times === null ? null : (seconds(2) + seconds(3)) * 1000,
        exitCode, stdout, stderr,
      })
    })
  })
}

/** Runs a script of ours that prints one line of JSON last, and gives that. */
export async function runScript(path, args, options = {}) {
  const { stdout } = await runCommand(process.execPath, [...(options.nodeOptions ?? []), path, ...args.map(String)], options)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * Runs contestants `{ name: async () => number }` in interleaved rounds (M1). One that throws is left out, with the reason.
 * Gives `{ name: { value, n } | { skipped } }`.
 */
export async function race(contestants, rounds) {
  const names = Object.keys(contestants)
  const samples = new Map(names.map(name => [name, []]))
  const skipped = new Map()
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]
      if (skipped.has(name)) continue
      try {
        samples.get(name).push(await contestants[name]())
      } catch (problem) {
        skipped.set(name, problem.message)
      }
    }
  }
  return Object.fromEntries(names.map(name => [name, skipped.has(name) ? { skipped: skipped.get(name) } : { value: median(samples.get(name)), n: rounds }])) // M2
}

/** Slope of a straight line through points in log-log space: 1 means that twice the work takes twice as much. */
export function logLogSlope(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)])
  const mean = index => logs.reduce((sum, point) => sum + point[index], 0) / logs.length
  const [meanX, meanY] = [mean(0), mean(1)]
  return logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
