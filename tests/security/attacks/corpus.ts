// Corpus: every family of attacks, and how one is carried out.
import { expect } from 'vitest'
import type { Attack, Family } from './attack.ts'
import { commandAttacks } from './commands.ts'
import { controlFileAttacks } from './control-files.ts'
import { dataAttacks } from './data.ts'
import { injectionAttacks } from './injection.ts'
import { levelAttacks } from './levels.ts'
import { linkAttacks } from './links.ts'
import { networkAttacks } from './network.ts'
import { pathAttacks } from './paths.ts'
import { tamperingAttacks } from './tampering.ts'
import { terminalAttacks } from './terminal.ts'
import type { World } from './world.ts'

export const families: readonly Family[] = [
  levelAttacks, pathAttacks, linkAttacks, controlFileAttacks, commandAttacks, networkAttacks, dataAttacks, injectionAttacks, tamperingAttacks, terminalAttacks,
]

/** Carries it out: no harm, and stopped where the row says. */
export async function carryOut(attack: Attack, world: World): Promise<void> {
  world.seal()
  const stopped = await attack.run(world)
  expect(world.harm()).toBeNull()
  expect(stopped).toEqual({ by: attack.by, with: attack.with })
}
