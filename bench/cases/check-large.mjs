// Checking a file of 10,000 declarations with all rules: processor time of `tek check`, start included.
// Peer: TypeSpec's `tsp compile --no-emit` of 10,000 declarations of the same kinds (models, constants, operations). Floor: `node -e 0`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { declarationsTek, declarationsTypeSpec } from '../generate.mjs'
import { runCommand } from '../measure.mjs'

const COUNT = 10_000

export const id = 'check'
export const title = 'tek check, 10,000 declarations'
export const unit = 'cpu ms'
export const goal = { text: '≤ 1,000 ms', met: tek => tek <= 1000 }

export function contestants({ folder, tek, peerBin }) {
  const program = join(folder, 'large.tek')
  writeFileSync(program, declarationsTek(COUNT))
  writeFileSync(join(folder, 'large.tsp'), declarationsTypeSpec(COUNT))
  const cpu = async args => (await runCommand(process.execPath, args)).cpuMs
  return {
    tek: () => cpu([tek, 'check', program]),
    TypeSpec: () => cpu([peerBin('@typespec/compiler/cmd/tsp.js'), 'compile', join(folder, 'large.tsp'), '--no-emit']),
    floor: () => cpu(['-e', '0']),
  }
}
