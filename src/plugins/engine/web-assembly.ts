// Web assembly: the few names of it that the engine uses, with types: TypeScript has them only together with the whole DOM.
// Owns: those types: https://webassembly.github.io/spec/js-api/. Does not own: what they are used for (machine.ts).

/** Compiled code; it may be sent to another thread. */
export interface WasmCode {
  readonly wasmCode: never
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  /** @throws {RangeError} beyond the maximum. */
  grow(pages: number): number
}

export interface WasmInstance {
  readonly exports: unknown
}

interface WebAssemblyNames {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => WasmMemory
  readonly Instance: new (code: WasmCode, imports: object) => WasmInstance
  compile(bytes: Uint8Array): Promise<WasmCode>
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyNames }).WebAssembly
