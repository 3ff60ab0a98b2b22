// Run: the tests, with the network denied: `node tests/offline/run.mjs [arguments for vitest]`.
// Owns: taking the network away, the list of what tried to use it. Does not own: the tests.
//   O1. Where the system allows it (Linux), they run in a network namespace of their own, in which only the loopback is up: nothing they start
//       can reach anything. Everywhere, what Node itself tries is refused and written down (deny-network.cjs), and any attempt is a failure.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tek-offline-'))
const log = join(folder, 'attempts')
writeFileSync(log, '')

/** Brings the loopback of a new namespace up: SIOCSIFFLAGS with IFF_UP | IFF_RUNNING (netdevice(7)). */
const loopbackUp = 'socket(S, 2, 2, 0) or die; my $r = pack("a16sx14", "lo", 0x41); ioctl(S, 0x8914, $r) or die "loopback: $!"; exec @ARGV'
const wrappers = [
  ['unshare', '--net', 'perl', '-e', loopbackUp, '--'],
  ['unshare', '--user', '--map-root-user', '--net', 'perl', '-e', loopbackUp, '--'],
]
const wrapper = process.platform === 'linux' ? wrappers.find(([program, ...args]) => spawnSync(program, [...args, 'true'], { stdio: 'ignore' }).status === 0) : undefined
console.log(wrapper === undefined ? 'The network is denied within Node only: no namespace is to be had here.' : 'The network is denied by a namespace of its own, in which only the loopback is up.')

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const command = [...(wrapper ?? []), process.execPath, vitest, 'run', ...process.argv.slice(2)]
const { http_proxy, https_proxy, all_proxy, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, ...environment } = process.env // a proxy would be a way out
const { status } = spawnSync(command[0], command.slice(1), {
  stdio: 'inherit', cwd: join(here, '..', '..'),
  env: { ...environment, TEK_OFFLINE_LOG: log, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require=${join(here, 'deny-network.cjs')}`.trim() },
})
const attempts = readFileSync(log, 'utf8').trim()
rmSync(folder, { recursive: true, force: true })
if (attempts !== '') console.error(`Something tried to use the network:\n${attempts}`)
else console.log('Nothing tried to use the network.')
process.exit(status !== 0 || attempts !== '' ? status || 1 : 0)
