// Picture: the file that holds an engine's memory with the kernel and zod in it, so that a start is a copy and no parsing.
// Owns: making it (when tek is built), its form, reading it. Does not own: the memory itself (machine.ts).
//   P1. It is part of tek, like code: it holds nothing of any plugin, and is never written when tek runs.
//   P2. Its first line names the hash of the WebAssembly code it fits; with other code it is refused.
import { sha256 } from '#base/hash.ts'
import { TekBug } from '#base/invariant.ts'
import { Machine, type Picture } from './machine.ts'
import { stopTheClock } from './no-clock.ts'
import { wasm } from './web-assembly.ts'

const MAX_HEAD_LENGTH = 1_000

interface Head {
  readonly code: string
  readonly runtime: number
  readonly context: number
  readonly receive: number
  readonly pieces: readonly (readonly [at: number, length: number])[]
}

/** The bytes of the file: the same for the same code and kernel. */
export async function makePicture(code: Uint8Array, kernel: string): Promise<Uint8Array> {
  const restart = stopTheClock()
  try {
    const nothing = { send: () => false, url: () => '', shouldStop: () => false }
    const machine = await Machine.start(await wasm.compile(code), nothing)
    const complaint = machine.evaluate(kernel, 'tek.js')
    if (complaint !== null) throw new TekBug(`the kernel of the engine does not run: ${complaint}`)
    machine.hold()
    machine.evaluate('delete globalThis.receive', 'tek.js')
    const { pieces, ...places } = machine.picture()
    const head: Head = { code: sha256(code), ...places, pieces: pieces.map(({ at, bytes }) => [at, bytes.length]) }
    return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...pieces.map(each => each.bytes)])
  } finally {
    restart()
  }
}

export function readPicture(file: Uint8Array, code: Uint8Array): Picture {
  const end = file.indexOf(0x0a)
  if (end < 0 || end > MAX_HEAD_LENGTH) throw new TekBug('the picture of the engine is damaged')
  const { code: fits, pieces, ...places } = JSON.parse(new TextDecoder().decode(file.subarray(0, end))) as Head
  if (fits !== sha256(code)) throw new TekBug('the picture of the engine belongs to another engine') // P2
  const shared = new SharedArrayBuffer(file.length - end - 1) // one copy for all threads
  new Uint8Array(shared).set(file.subarray(end + 1))
  let from = 0
  return { ...places, pieces: pieces.map(([at, length]) => ({ at, bytes: new Uint8Array(shared, (from += length) - length, length) })) }
}
