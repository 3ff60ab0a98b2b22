// S11: what one command costs in a run, without a sandbox: `/bin/true`, 200 times, one after the other (with one: P3).
// Peers: make and ninja, which fork a small process; Node forks a large one, which no program in it can undercut.
// Floor: the same commands straight from Node's child_process, with the same pipes.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand, runScript } from '../measure.mjs'

const COMMANDS = 200
const child = fileURLToPath(new URL('../spawn-child.mjs', import.meta.url))

export const id = 'S11'
export const title = 'a command in a run, no sandbox'
export const unit = 'µs'
export const goal = { text: '≤ 1.3 × floor', met: (tek, floor) => floor !== null && tek <= 1.3 * floor }

export function contestants({ folder, hostModule, programs }) {
  const names = Array.from({ length: COMMANDS }, (_, at) => `t${at}`)
  writeFileSync(join(folder, 's11.mk'), `all: ${names.join(' ')}\n${names.map(name => `${name}:\n\t@/bin/true\n`).join('')}`)
  writeFileSync(join(folder, 's11.ninja'), `rule true\n  command = /bin/true\n${names.map((name, at) => `build ${name}.none: true${at === 0 ? '' : ` || t${at - 1}.none`}\n`).join('')}`)
  const each = elapsedMs => (elapsedMs * 1000) / COMMANDS
  const script = async kind => each((await runScript(child, [kind, hostModule, COMMANDS], { cwd: folder, env: { TEK_SANDBOX: '0' } })).elapsedMs)
  return {
    tek: () => script('tek'),
    make: async () => each((await runCommand(programs.need('make'), ['-s', '-j1', '-C', folder, '-f', 's11.mk'])).elapsedMs),
    ninja: async () => each((await runCommand(programs.need('ninja'), ['--quiet', '-j1', '-C', folder, '-f', 's11.ninja'])).elapsedMs),
    floor: () => script('bare'),
  }
}
