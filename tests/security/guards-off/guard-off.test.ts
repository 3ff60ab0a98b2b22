// One guard off: the attacks that must then get through are carried out; each row is a test as in the corpus. Run by run.mjs, which takes the guard out.
import { afterEach, beforeEach, inject, test, vi } from 'vitest'
import { carryOut, families } from '../attacks/corpus.ts'
import { namesInstead } from '../attacks/network.ts'
import { World } from '../attacks/world.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly attacks: readonly string[]
  }
}

vi.mock('node:dns', async original => namesInstead(await original<typeof import('node:dns')>()))

let world: World
beforeEach(() => { world = new World() })
afterEach(() => world.close())

const wanted = new Set(inject('attacks'))
for (const { name, attacks } of families) {
  for (const attack of attacks.filter(each => wanted.has(`${name} ${each.id}`))) test(`${name} ${attack.id}`, () => carryOut(attack, world), 30_000)
}
