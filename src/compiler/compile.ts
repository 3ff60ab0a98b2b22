// Compile: from the entry file to a checked program. Parse, resolve, check, in order.
// Owns: the order of phases and what passes between them. Does not own: reading files, loading plugins (both passed in), lowering (4-lower).
//   P1. Pure and synchronous: all it knows of the world comes through `CompileInput`.
//   P2. Every phase goes on after errors; the diagnostics of all come out together, by file and place.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { SourceFile } from '#model/source.ts'
import type { Module } from './1-syntax/ast.ts'
import { parse, type ParseCache } from './1-syntax/parse.ts'
import { declareProgram, type SignatureRequest } from './2-resolve/declare.ts'
import { loadFiles } from './2-resolve/load.ts'
import type { Program, Unit } from './2-resolve/program.ts'
import { type CheckedProgram, checkProgram } from './3-check/check.ts'
import type { UnitFacts } from './3-check/facts.ts'

export type { CheckedProgram } from './3-check/check.ts'
export { collectUses } from './2-resolve/uses.ts'

export interface CompileInput {
  /** Shown path of the file to compile. */
  readonly entry: string
  /** Text of a file by shown path, or a diagnostic that says why it can't be had. */
  readSource(path: string): SourceFile | Diagnostic
  /** Resolves "./x.tek" as named in a file to a shown path. */
  resolvePath(from: string, specifier: string): string
  /** Signature of a std module (by last name) a plugin (specifier as written in the naming file) or a server (its name); a diagnostic without `at`; or null when there is none. */
  signature(request: SignatureRequest): ModuleSignature | Diagnostic | null
  readonly stdNames: readonly string[]
  /** Whether what only a run can decide is an error. */
  readonly strict?: boolean
  /** Declarations whose text did not change are not read again. */
  readonly cache?: ParseCache
}

export interface Compiled {
  readonly modules: readonly Module[]
  /** Text by shown path of every file that was read. */
  readonly sources: ReadonlyMap<string, string>
  /** Names of every file; null when the entry cannot be read. */
  readonly resolution: Program | null
  /** What was learnt about each declaration: types, references, calls. */
  readonly facts: ReadonlyMap<Unit, UnitFacts>
  readonly diagnostics: readonly Diagnostic[]
  /** Null when there is an error. */
  readonly program: CheckedProgram | null
}

/**
 * Compiles a program: its entry file and every file it uses.
 *
 * @example
 * const { program, diagnostics } = compile({ entry: 'a.tek', readSource: path => ({ path, text }), resolvePath, signature, stdNames: [] })
 */
export function compile(input: CompileInput): Compiled {
  const loaded = loadFiles({ entry: input.entry, readSource: input.readSource, resolvePath: input.resolvePath, parse: source => parse(source, input.cache) })
  const sources = new Map(loaded.files.map(file => [file.path, file.text]))
  const modules = loaded.files.map(file => file.module)
  if (loaded.files.length === 0) return { modules, sources, resolution: null, facts: new Map(), diagnostics: loaded.diagnostics, program: null }
  const declared = declareProgram({ files: loaded.files, entry: input.entry, stdNames: input.stdNames, signature: input.signature })
  const before = [...loaded.diagnostics, ...declared.diagnostics]
  const result = checkProgram(declared.value, before, input.strict)
  return {
    modules, sources, resolution: declared.value, facts: result.facts,
    diagnostics: byPlace([...before, ...result.diagnostics], [declared.value.entry, ...declared.value.files].map(file => file.path)),
    program: result.program,
  }
}

/** P2. */
function byPlace(diagnostics: readonly Diagnostic[], paths: readonly string[]): Diagnostic[] {
  const rank = new Map<string, number>()
  for (const path of paths) if (!rank.has(path)) rank.set(path, rank.size)
  const of = (each: Diagnostic): number => (each.at === undefined ? -1 : (rank.get(each.at.path) ?? rank.size))
  return [...diagnostics].sort((a, b) => of(a) - of(b) || (a.at?.start ?? 0) - (b.at?.start ?? 0))
}
