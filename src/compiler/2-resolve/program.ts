// Program: the files of one program with their names declared, and how to look a name up.
// Owns: files, symbols, modules. Does not own: types (3-check) or reading from disk (the caller of compile).
//   P1. Types, modules and values are three namespaces; capabilities are a fourth that lives with grants.
//   P2. A symbol is identified by its declaration in its file; an imported name is the same symbol object.
//   P3. Two items may share one declaration node (equal text), so facts are kept by unit, never by node alone.
import type { ModuleSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import type { Declaration, Item, Module, Span } from '../1-syntax/ast.ts'

export type SymbolKind = 'type' | 'const' | 'secret' | 'capability' | 'model' | 'prompt' | 'workflow' | 'agent' | 'loop'

/** One declaration in one file: the unit of checking. */
export interface Unit {
  readonly file: FileUnit
  readonly item: Item
  readonly declaration: Declaration
}

/** A declared name. */
export type Sym<K extends SymbolKind = SymbolKind> = K extends SymbolKind ? SymOf<K> : never

interface SymOf<K extends SymbolKind> {
  readonly kind: K
  readonly name: string
  readonly unit: Unit
  readonly declaration: Extract<Declaration, { kind: K }>
  /** Unique in the program: the name, or `file#name` outside the entry file. */
  readonly key: string
}

export interface ModuleSym {
  readonly kind: 'std' | 'plugin' | 'mcp'
  /** Name in this file: an alias, or the module's own name. */
  readonly name: string
  /** Std: its name. Plugin: the specifier as written. A server of the Model Context Protocol: its name. */
  readonly source: string
  /** Null when it could not be loaded (already reported): its members have type `any`. */
  readonly signature: ModuleSignature | null
}

export interface FileUnit {
  readonly path: string
  readonly text: string
  readonly module: Module
  readonly isEntry: boolean
  readonly units: readonly Unit[]
  readonly types: Map<string, Sym<'type'>>
  readonly values: Map<string, Sym>
  readonly capabilities: Map<string, Sym<'capability'>>
  /** Plugins, servers and renamed std modules; other std modules are found by their own name. */
  readonly modules: Map<string, ModuleSym>
  /** Names imported from a file that is broken, missing or in a circle: anything goes. */
  readonly unknown: Set<string>
}

export interface Program {
  readonly entry: FileUnit
  /** Every file after the files it uses. */
  readonly files: readonly FileUnit[]
  readonly stdNames: readonly string[]
  /** A std module by its own name; null when there is none. */
  std(name: string): ModuleSym | null
}

/** The place of a span (relative to its declaration) in the file. */
export function placeIn(unit: Unit, span: Span): Place {
  return { path: unit.file.path, start: unit.item.offset + span.start, end: unit.item.offset + span.end }
}

/** The module a name stands for in a file, or null. */
export function findModule(program: Program, file: FileUnit, name: string): ModuleSym | null {
  return file.modules.get(name) ?? program.std(name)
}

const SYMBOL_WORDS: Readonly<Record<SymbolKind, string>> = {
  type: 'a type', const: 'a const', secret: 'a secret', capability: 'a capability', model: 'a model', prompt: 'a prompt',
  workflow: 'a workflow', agent: 'an agent', loop: 'a loop',
}

/** `a workflow`, for messages. */
export function describeSymbol(symbol: Sym): string {
  return SYMBOL_WORDS[symbol.kind]
}
