// Sandbox runner: a process that starts one confined command and waits for it, so that a test can end that process or give it an environment.
// Started by sandbox.test.ts: `node runner.mjs FOLDER SCRIPT [unconfined|-] [NAME that is held]`.
import { runCommand } from '#host/run-command.ts'

const [cwd = '', script = '', accepted = '', hidden] = process.argv.slice(2)
const limits = { memoryBytes: 1024 ** 3, processes: 64, cpuMs: 60_000, fileBytes: 1024 ** 2 }
const confinement = { readable: [], writable: [cwd], hidden: hidden === undefined ? [] : [hidden], limits, mayBeUnconfined: accepted === 'unconfined' }
const result = await runCommand({ program: 'sh', args: ['-c', script], cwd, env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000, maxOutputBytes: 1_000, confinement }, new AbortController().signal).catch((error: unknown) => ({ error: String(error) }))
console.log(JSON.stringify(result))
