// S7: `tek check` of a program of three lines, processor time from start to exit.
// Peer: TypeSpec's `tsp compile --no-emit` of a model with one field. Floor: `node -e 0`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../measure.mjs'

export const id = 'S7'
export const title = 'tek check hello.tek'
export const unit = 'cpu ms'
export const goal = { text: '≤ 2.5 × node -e 0 and ≤ 120 ms', met: (tek, floor) => floor !== null && tek <= 2.5 * floor && tek <= 120 }

export function contestants({ folder, tek, peerBin }) {
  const program = join(folder, 'hello.tek')
  writeFileSync(program, 'workflow hello(name: string = "world") -> string {\n  return "Hello, ${name}!"\n}\n')
  writeFileSync(join(folder, 'hello.tsp'), 'model Hello {\n  name: string;\n}\n')
  const cpu = async (program, args) => (await runCommand(program, args)).cpuMs
  return {
    tek: () => cpu(process.execPath, [tek, 'check', program]),
    TypeSpec: () => cpu(process.execPath, [peerBin('@typespec/compiler/cmd/tsp.js'), 'compile', join(folder, 'hello.tsp'), '--no-emit']),
    floor: () => cpu(process.execPath, ['-e', '0']),
  }
}
