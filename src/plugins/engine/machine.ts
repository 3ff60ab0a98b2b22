// Machine: one QuickJS in WebAssembly, with two doors: text out (`send`), and a question about an address (`url`).
// Owns: the binding to the engine, its memory, pictures of that memory. Does not own: what the texts mean (kernel.ts inside, worker.ts outside).
//   M1. The engine has a memory of its own with a maximum; nothing outside that memory can be named from inside it.
//   M2. Nothing from outside comes in but texts, the same for the same calls: no clock (it stands at 0), no zone but UTC, no random seed, no environment, no loader of modules.
//   M3. After an exception of the host, or an interruption, the machine is dead: whoever holds it throws it away.
//   M4. A picture is the memory between two calls. It fits the very same WebAssembly code only; a file of it begins with that code's hash.
import loader from '@jitl/quickjs-wasmfile-release-sync/emscripten-module'
import { QuickJSFFI } from '@jitl/quickjs-wasmfile-release-sync/ffi'
import type { JSContextPointer, JSContextPointerPointer, JSRuntimePointer, JSValueConstPointer, JSValuePointer, QuickJSEmscriptenModule } from '@jitl/quickjs-ffi-types'
import { MAX_FRAME_BYTES } from '../isolate/limits.ts'
import { wasm, type WasmCode, type WasmInstance, type WasmMemory } from './web-assembly.ts'

// Its types describe CommonJS; this is the ES module.
const newModule = loader as unknown as (options: object) => Promise<QuickJSEmscriptenModule>
const PAGE_BYTES = 65_536
/** What the engine's code was linked with. */
const INITIAL_PAGES = 256
export const MAX_MEMORY_MB = 128
/** Of the engine's own stack, and so of recursion inside it: some 1,500 plain calls. */
const MAX_STACK_BYTES = 256 * 1024
const JOBS_AT_ONCE = 1_000
const SEND = 1
const URL_PARTS = 2
const ALL_INTRINSICS = 0xfff & ~(1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15)
const emptyPage = Buffer.alloc(PAGE_BYTES)
const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

export interface Doors {
  /** False: it was not taken. */
  send(text: string): boolean
  /** The parts of an address as JSON, or an empty text. */
  url(question: string): string
  /** Asked while the engine works, some thousand times a second; true ends the machine. */
  shouldStop(): boolean
}

/** Memory between two calls, and where in it the machine's few fixed things lie. */
export interface Picture {
  readonly runtime: number
  readonly context: number
  readonly receive: number
  /** Pages that hold anything, joined where they touch. */
  readonly pieces: readonly Piece[]
}

export interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

/** The engine's memory has reached its maximum. */
export class MemoryFull extends Error {}
/** `shouldStop` said so. */
export class Stopped extends Error {}

export class Machine {
  private readonly module: QuickJSEmscriptenModule
  private readonly ffi: QuickJSFFI
  private readonly memory: WasmMemory
  private readonly doors: Doors
  private runtime = 0 as JSRuntimePointer
  private context = 0 as JSContextPointer
  private receive = 0 as JSValuePointer
  private stopped = false
  private full = false
  private readonly decoder = new TextDecoder()
  private readonly encoder = new TextEncoder()

  private constructor(module: QuickJSEmscriptenModule, memory: WasmMemory, doors: Doors) {
    this.module = module
    this.ffi = new QuickJSFFI(module)
    this.memory = memory
    this.doors = doors
  }

  /** @param picture of a machine with the same code; without it the machine is empty, and `evaluate` comes first. */
  static async start(code: WasmCode, doors: Doors, picture?: Picture): Promise<Machine> {
    const memory = new wasm.Memory({ initial: INITIAL_PAGES, maximum: (MAX_MEMORY_MB * 1024 * 1024) / PAGE_BYTES }) // M1
    const module = await newModule({
      wasmMemory: memory, print: () => undefined, printErr: () => undefined,
      instantiateWasm: (imports: object, done: (instance: WasmInstance) => void) => done(new wasm.Instance(code, imports)),
    })
    const machine = new Machine(module, memory, doors)
    machine.connect()
    if (picture === undefined) machine.begin()
    else machine.restore(picture)
    return machine
  }

  /** Runs a script. Its complaint, or null. */
  evaluate(script: string, name: string): string | null {
    const complaint = this.resolve(this.withText(script, (at, length) => this.ffi.QTS_Eval(this.context, at as never, length, name, 0 as never, 0 as never)))
    this.work()
    return complaint
  }

  /** Hands a text to the function `receive` of the machine's world, and lets it work until it has nothing left to do. */
  enter(text: string): void {
    const given = this.withText(text, at => this.ffi.QTS_NewString(this.context, at as never))
    const argv = this.module._malloc(4)
    new DataView(this.memory.buffer).setUint32(argv, given, true)
    const complaint = this.resolve(this.ffi.QTS_Call(this.context, this.receive, this.ffi.QTS_GetUndefined(), 1, argv as never))
    this.module._free(argv)
    this.ffi.QTS_FreeValuePointer(this.context, given)
    if (complaint !== null) throw new Error(complaint)
    this.work()
  }

  /** Remembers the global function `receive`. */
  hold(): void {
    const name = this.withText('receive', at => this.ffi.QTS_NewString(this.context, at as never))
    const world = this.ffi.QTS_GetGlobalObject(this.context)
    this.receive = this.ffi.QTS_GetProp(this.context, world, name)
    for (const each of [name, world]) this.ffi.QTS_FreeValuePointer(this.context, each)
  }

  picture(): Picture {
    const all = Buffer.from(this.memory.buffer)
    const pieces: Piece[] = []
    for (let at = 0; at < all.length; ) {
      let end = at
      while (end < all.length && !all.subarray(end, end + PAGE_BYTES).equals(emptyPage)) end += PAGE_BYTES
      if (end > at) pieces.push({ at, bytes: new Uint8Array(all.subarray(at, end)) })
      at = end + PAGE_BYTES
    }
    return { runtime: this.runtime, context: this.context, receive: this.receive, pieces }
  }

  /** Makes the memory what it was when the picture was taken. What a call has allocated since is not reachable any more. // M4 */
  restore(picture: Picture): void {
    const all = new Uint8Array(this.memory.buffer)
    for (const { at, bytes } of picture.pieces) all.set(bytes, at)
    this.runtime = picture.runtime as JSRuntimePointer
    this.context = picture.context as JSContextPointer
    this.receive = picture.receive as JSValuePointer
  }

  private begin(): void {
    if (!isLittleEndian) throw new Error('the engine needs a little-endian machine')
    this.runtime = this.ffi.QTS_NewRuntime()
    this.ffi.QTS_RuntimeSetMaxStackSize(this.runtime, MAX_STACK_BYTES)
    this.ffi.QTS_RuntimeEnableInterruptHandler(this.runtime)
    this.context = this.ffi.QTS_NewContext(this.runtime, ALL_INTRINSICS as never)
    this.offer('send', SEND)
    this.offer('url', URL_PARTS)
  }

  private offer(name: string, door: number): void {
    const key = this.withText(name, at => this.ffi.QTS_NewString(this.context, at as never))
    const fn = this.ffi.QTS_NewFunction(this.context, name, 1, false, door as never)
    const world = this.ffi.QTS_GetGlobalObject(this.context)
    this.ffi.QTS_SetProp(this.context, world, key, fn)
    for (const each of [key, fn, world]) this.ffi.QTS_FreeValuePointer(this.context, each)
  }

  private connect(): void {
    const grow = this.memory.grow.bind(this.memory)
    this.memory.grow = pages => {
      try {
        return grow(pages)
      } catch (error) {
        this.full = true
        throw error
      }
    }
    const refuse = (): never => { throw new Error('the engine asked for a module') }
    this.module.callbacks = {
      callFunction: (_: unknown, context: JSContextPointer, _self: unknown, _count: number, argv: JSValuePointer, door: number) => this.knock(context, argv, door),
      shouldInterrupt: () => (this.doors.shouldStop() ? ((this.stopped = true), 1) : 0),
      loadModuleSource: refuse, normalizeModule: refuse, // M2: the loader is not even switched on
      freeHostRef: () => undefined,
    } as unknown as QuickJSEmscriptenModule['callbacks']
  }

  private knock(context: JSContextPointer, argv: JSValuePointer, door: number): JSValuePointer {
    const text = this.textOf(this.ffi.QTS_ArgvGetJSValueConstPointer(argv, 0))
    if (door === SEND) {
      const taken = text !== null && this.doors.send(text)
      return this.ffi.QTS_DupValuePointer(context, taken ? this.ffi.QTS_GetTrue() : this.ffi.QTS_GetFalse())
    }
    const answer = text === null ? '' : this.doors.url(text)
    return this.withText(answer, at => this.ffi.QTS_NewString(context, at as never))
  }

  /** Null when it is larger than a message may be. */
  private textOf(value: JSValuePointer | JSValueConstPointer): string | null {
    const at = this.ffi.QTS_GetString(this.context, value) as number
    if (at === 0) return null
    const all = new Uint8Array(this.memory.buffer)
    const end = all.subarray(at, at + MAX_FRAME_BYTES + 1).indexOf(0)
    const text = end < 0 ? null : this.decoder.decode(all.subarray(at, at + end))
    this.ffi.QTS_FreeCString(this.context, at as never)
    return text
  }

  private withText<T>(text: string, use: (at: number, length: number) => T): T {
    const bytes = this.encoder.encode(text)
    const at = this.module._malloc(bytes.length + 1) as number
    if (at === 0) throw new MemoryFull()
    const all = new Uint8Array(this.memory.buffer)
    all.set(bytes, at)
    all[at + bytes.length] = 0
    try {
      return use(at, bytes.length)
    } finally {
      this.module._free(at)
    }
  }

  /** Frees a result. What was thrown instead of it, as text, or null. */
  private resolve(result: JSValuePointer): string | null {
    this.mind()
    const error = this.ffi.QTS_ResolveException(this.context, result)
    this.ffi.QTS_FreeValuePointer(this.context, result)
    if (error === 0) return null
    const text = this.dump(error)
    this.ffi.QTS_FreeValuePointer(this.context, error)
    return text
  }

  private dump(error: JSValuePointer): string {
    const at = this.ffi.QTS_Dump(this.context, error) as number
    const all = new Uint8Array(this.memory.buffer)
    const end = all.indexOf(0, at)
    const text = this.decoder.decode(all.subarray(at, Math.min(end, at + 10_000)))
    this.ffi.QTS_FreeCString(this.context, at as never)
    return text
  }

  /** Promises' next steps, until there are none. */
  private work(): void {
    const out = this.module._malloc(4)
    while (this.ffi.QTS_IsJobPending(this.runtime) !== 0) {
      const result = this.ffi.QTS_ExecutePendingJob(this.runtime, JOBS_AT_ONCE, out as unknown as JSContextPointerPointer)
      this.ffi.QTS_FreeValuePointer(this.context, result)
      this.mind()
      if (this.doors.shouldStop()) throw new Stopped()
    }
    this.module._free(out)
  }

  /** M3 */
  private mind(): void {
    if (this.full) throw new MemoryFull()
    if (this.stopped) throw new Stopped()
  }
}
