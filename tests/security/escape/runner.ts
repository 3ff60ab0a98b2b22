// Runner: tries every attempt at the level this process was given, in a scene of its own, and prints what succeeded as JSON.
// Owns: the scene (a folder with what may be seen, one beside it with what may not, servers, a process to be ended). Does not own: the verdict.
// Started by escape.test.ts as itself and as nobody: `node runner.mjs FOLDER LEVEL`, LEVEL 0 for no sandbox.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { runCommand, machineLevel } from '#host/run-command.ts'
import type { CommandResult, Confinement } from '#host/host.ts'
import { attempts, type Attempt } from './attempts.ts'

const [root = '', wantedLevel = '0'] = process.argv.slice(2)
const work = join(root, 'work')
const outside = join(root, 'outside')
export const MARK = 'mark-5f3a91c2'

function makeScene(): void {
  for (const folder of [work, outside]) rmSync(folder, { recursive: true, force: true })
  for (const folder of ['in', 'out/.tek', 'out/.git/hooks']) mkdirSync(join(work, folder), { recursive: true })
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), `${MARK}\n`)
  writeFileSync(join(work, 'out/.tek/state'), `${MARK}\n`)
  writeFileSync(join(work, 'out/.git/config'), '[core]\n')
  writeFileSync(join(work, 'out/.git/HEAD'), 'ref: refs/heads/main\n')
  writeFileSync(join(work, 'in/evil.pm'), `package evil; open(my $h, '>', '${join(outside, 'written')}') and print $h 'changed'; 1;\n`)
  symlinkSync(join(outside, 'secret'), join(work, 'in/link'))
}

const listening = (server: Server, where: { port: number; host: string } | string): Promise<void> => new Promise(done => void (typeof where === 'string' ? server.listen(where, done) : server.listen(where, done)))
const portOf = (server: { address(): unknown }): number => (server.address() as { port: number }).port

const limits = { memoryBytes: 200 * 1024 ** 2, processes: 64, cpuMs: 800, fileBytes: 8 * 1024 ** 2 }

async function main(): Promise<void> {
  makeScene()
  const level = Number(wantedLevel)
  const have = level === 0 ? 0 : (await machineLevel()).level
  if (have !== level) return void console.log(JSON.stringify({ level: have, missing: (await machineLevel()).missing, results: {} }))
  const victim = spawn('/bin/sleep', ['600'], { cwd: work, stdio: 'ignore' })
  const victimEnded = { yes: false }
  victim.on('exit', () => { victimEnded.yes = true })
  const tcp = createServer(socket => socket.end('hello').on('error', () => {}))
  const [unix, unixInside] = [createServer(), createServer()]
  const udp = createSocket('udp4')
  let wasReached = false
  udp.on('message', () => { wasReached = true })
  const abstractName = `tek-escape-${process.pid}`
  await Promise.all([
    listening(tcp, { port: 0, host: '127.0.0.1' }), listening(unix, join(outside, 'socket')), listening(unixInside, join(work, 'in/socket')),
    new Promise<void>(done => udp.bind(0, '127.0.0.1', done)),
  ])
  // Node 20 has no abstract sockets.
  const abstract = spawn('/usr/bin/perl', ['-e', `socket(S, 1, 1, 0); bind(S, pack("Sa*", 1, "\\0${abstractName}")); listen(S, 5); $| = 1; print qq(ready); sleep 600`], { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise(done => abstract.stdout.once('data', done))
  const scene: Record<string, string> = {
    OUTSIDE: outside, WORK: work, TEK: String(process.pid), VICTIM: String(victim.pid), TCP: String(portOf(tcp)), UDP: String(portOf(udp)), ABSTRACT: abstractName,
    DAEMON: `700.${process.pid}`,
  }
  const results: Record<string, { got: boolean; said: string }> = {}
  for (const attempt of attempts) {
    if (level === 0 && attempt.onlyConfined) continue
    wasReached = false
    const result = await attemptOnce(attempt, scene, level)
    await new Promise(done => setTimeout(done, 15)) // for signals and datagrams under way
    const done: Record<NonNullable<Attempt['checks']>, boolean> = {
      'outside-changed': existsSync(join(outside, 'written')),
      'victim-dead': victimEnded.yes,
      'daemon-lives': isRunning(scene['DAEMON']!),
      'port-reached': wasReached,
      'hook-made': existsSync(join(work, 'out/.git/hooks/pre-commit')),
      'permits-made': existsSync(join(work, 'out/tek.permits.yaml')),
      'config-changed': readFileSync(join(work, 'out/.git/config'), 'utf8').includes('changed'),
      'ended-for': !(typeof result === 'object' && result.endedFor === attempt.bound),
    }
    const stdout = typeof result === 'object' ? result.stdout : ''
    const got = attempt.checks === undefined ? /GOT|mark-5f3a91c2/.test(stdout) : done[attempt.checks]
    results[attempt.id] = { got, said: typeof result === 'string' ? result : `${stdout} ${result.stderr}`.trim().slice(0, 300) }
    rmSync(join(outside, 'written'), { force: true })
    if (attempt.group === 'control files') remakeOut()
    if (got && attempt.checks === 'daemon-lives') endAll(scene['DAEMON']!)
  }
  victim.kill('SIGKILL')
  for (const server of [tcp, unix, unixInside]) server.close()
  abstract.kill('SIGKILL')
  udp.close()
  console.log(JSON.stringify({ level, missing: [], results }))
  process.exit(0)
}

function remakeOut(): void {
  rmSync(join(work, 'out'), { recursive: true, force: true })
  mkdirSync(join(work, 'out/.tek'), { recursive: true })
  mkdirSync(join(work, 'out/.git/hooks'), { recursive: true })
  writeFileSync(join(work, 'out/.tek/state'), `${MARK}\n`)
  writeFileSync(join(work, 'out/.git/config'), '[core]\n')
}

function attemptOnce(attempt: Attempt, scene: Record<string, string>, level: number): Promise<CommandResult | string> {
  const filled = (text: string): string => text.replace(/\$([A-Z][A-Z]+)/g, (all, name: string) => scene[name] ?? all)
  const script = filled(attempt.script)
  const out = join(work, 'out')
  const confinement: Confinement = {
    readable: [join(work, 'in'), join(out, '.git/hooks')], writable: [out], hidden: [join(out, '.tek'), join(out, 'tek.permits.yaml'), join(out, '.git/config')], limits, mayBeUnconfined: false,
  }
  return runCommand({
    ...(script.startsWith('#perl') ? { program: '/usr/bin/perl', args: ['-e', script.slice(5)] } : { program: '/bin/sh', args: ['-c', script] }),
    cwd: work, env: { PATH: '/usr/bin:/bin', ...Object.fromEntries(Object.entries(attempt.env ?? {}).map(([name, value]) => [name, filled(value)])) },
    timeoutMs: 15_000, maxOutputBytes: 100_000, ...(level === 0 ? {} : { confinement }),
  }, new AbortController().signal).catch((error: unknown) => String(error))
}

function processesWith(argument: string): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(argument)
    } catch {
      return false
    }
  })
}
const isRunning = (argument: string): boolean => processesWith(argument).length > 0
const endAll = (argument: string): void => { for (const pid of processesWith(argument)) process.kill(pid, 'SIGKILL') }

await main()
