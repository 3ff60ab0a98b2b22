// Dying host: a machine whose process is killed at a chosen effect, so that a test sees what the same call does when it is made again.
// Owns: counting effects, the death. Does not own: what is expected afterwards.
//   D1. The effect at which it dies is done, and nothing after it: what called it never hears how it went, as under `kill -9`.
import type { Host, HostFiles } from '#host/host.ts'

/** Most effects of one call that are tried. */
const MAX_EFFECTS = 60

class Died extends Error {}

const CHANGES = ['writeAtomic', 'append', 'makeDirectory', 'remove', 'rename'] as const

/** The host until its `after`-th effect (a command, a request, a change of a file), counted from 1. */
export function dyingHost(host: Host, after: number): { readonly host: Host; readonly hasDied: () => boolean } {
  let [effects, isDead] = [0, false]
  const mortal = <Args extends unknown[], Result>(act: (...args: Args) => Promise<Result>) => async (...args: Args): Promise<Result> => {
    if (isDead) throw new Died()
    const result = await act(...args)
    if (++effects === after) isDead = true // D1
    if (isDead) throw new Died()
    return result
  }
  const files = { ...host.files } as { -readonly [Name in keyof HostFiles]: HostFiles[Name] }
  for (const name of CHANGES) files[name] = mortal(host.files[name].bind(host.files) as (...args: unknown[]) => Promise<void>) as never
  for (const name of ['readBytes', 'stat', 'list', 'realPath'] as const) {
    const act = host.files[name].bind(host.files) as (...args: unknown[]) => Promise<unknown>
    files[name] = (async (...args: unknown[]) => {
      if (isDead) throw new Died()
      return act(...args)
    }) as never
  }
  return { host: { ...host, files, run: mortal(host.run.bind(host)), fetch: mortal(host.fetch.bind(host)) }, hasDied: () => isDead }
}

/**
 * Makes a call in processes that die after their first, second, third … effect, and each time once more in one that lives.
 *
 * @param begin what the call acts on, new for each death, and how it is made with a host of it.
 * @returns how many deaths there were.
 */
export async function eachDeath<Place extends { readonly host: Host }>(
  begin: () => Promise<Place> | Place, call: (host: Host, place: Place) => Promise<unknown>, check: (result: unknown, place: Place) => Promise<void> | void,
): Promise<number> {
  for (let after = 1; after <= MAX_EFFECTS; after++) {
    const place = await begin()
    const dying = dyingHost(place.host, after)
    const first = await call(dying.host, place).catch((error: unknown) => error)
    if (!dying.hasDied()) {
      if (first instanceof Error) throw first
      return after - 1
    }
    await check(await call(place.host, place), place)
  }
  throw new Error(`the call has more than ${MAX_EFFECTS} effects`)
}

