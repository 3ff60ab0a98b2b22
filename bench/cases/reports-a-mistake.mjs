// How many reports one mistake makes: 100 mistakes (a wrong type or a misspelt name) planted in 10,000 declarations. 1 is right: none missed, none twice.
// No peer and no floor; it is a count, so one round is enough.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { declarationsTek } from '../generate.mjs'
import { runCommand } from '../measure.mjs'

const COUNT = 10_000
const MISTAKES = 100
const DOES_NOT_COMPILE = 3

export const id = 'reports'
export const title = 'reports for each of 100 planted mistakes'
export const unit = 'reports'
export const rounds = 1
export const goal = { text: '1 to 1.3', met: tek => tek >= 1 && tek <= 1.3 }

export function contestants({ folder, tek }) {
  const program = join(folder, 'mistakes.tek')
  writeFileSync(program, declarationsTek(COUNT, MISTAKES))
  return {
    tek: async () => {
      const { stdout } = await runCommand(process.execPath, [tek, 'check', '--format', 'json', program], { expect: [DOES_NOT_COMPILE] })
      return JSON.parse(stdout).diagnostics.filter(diagnostic => diagnostic.severity === 'error').length / MISTAKES
    },
  }
}
