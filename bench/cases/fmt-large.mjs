// Formatting a file of 10,000 declarations: processor time of `tek fmt --check`, start included.
// Peer: TypeSpec's `tsp format --check` of 10,000 declarations of the same kinds. Floor: `node -e 0`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { declarationsTek, declarationsTypeSpec } from '../generate.mjs'
import { runCommand } from '../measure.mjs'

const COUNT = 10_000

export const id = 'fmt'
export const title = 'tek fmt --check, 10,000 declarations'
export const unit = 'cpu ms'
export const goal = { text: '≤ 800 ms', met: tek => tek <= 800 }

export function contestants({ folder, tek, peerBin }) {
  const program = join(folder, 'format.tek')
  writeFileSync(program, declarationsTek(COUNT))
  writeFileSync(join(folder, 'format.tsp'), declarationsTypeSpec(COUNT))
  const cpu = async args => (await runCommand(process.execPath, args, { expect: [0, 1] })).cpuMs // 1: it would be written otherwise
  return {
    tek: () => cpu([tek, 'fmt', '--check', program]),
    TypeSpec: () => cpu([peerBin('@typespec/compiler/cmd/tsp.js'), 'format', '--check', join(folder, 'format.tsp')]),
    floor: () => cpu(['-e', '0']),
  }
}
