// Sets up: a process that stands in for tek while it sets up a sandbox; the test kills it.
import { spawn } from 'node:child_process'
import { endAfterDeath } from '#host/sandbox/after-death.ts'
import { anonymousFile } from '#host/sandbox/anonymous-file.ts'

const [fake] = process.argv.slice(2)
endAfterDeath()
const child = spawn(fake!, ['600'], { stdio: ['ignore', 'ignore', 'ignore', anonymousFile('options')], detached: true })
console.log(child.pid)
