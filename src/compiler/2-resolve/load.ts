// Load: from the entry file to every file it uses, in an order in which used files come first.
// Owns: following `use`, circles of files. Does not own: reading and parsing (passed in), names (declare.ts).
//   L1. Iterative: ten thousand files in a row do not overflow a stack.
//   L2. A file that cannot be had, or closes a circle, is reported once at its `use`; the names it would give are unknown, not wrong.
import { nameErrors } from '#diagnostics/catalog/name.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { SourceFile } from '#model/source.ts'
import type { Item, Module, UseDecl } from '../1-syntax/ast.ts'

const MAX_FILES = 10_000

export interface LoadedFile {
  readonly path: string
  readonly text: string
  readonly module: Module
  /** By specifier; absent when it could not be had. */
  readonly uses: Map<string, string>
}

export interface LoadInput {
  readonly entry: string
  readSource(path: string): SourceFile | Diagnostic
  resolvePath(from: string, specifier: string): string
  parse(source: SourceFile): { value: Module; diagnostics: Diagnostic[] }
}

interface Frame {
  readonly file: LoadedFile
  readonly uses: readonly { readonly item: Item; readonly use: UseDecl; readonly specifier: string }[]
  next: number
}

/** Loads all files; the first diagnostics are those of the entry file's text. Null when the entry itself cannot be had. */
export function loadFiles(input: LoadInput): { files: LoadedFile[]; diagnostics: Diagnostic[] } {
  const done = new Map<string, LoadedFile>()
  const open = new Map<string, Frame>()
  const diagnostics: Diagnostic[] = []
  const files: LoadedFile[] = []

  const read = (path: string): Frame | Diagnostic => {
    const source = input.readSource(path)
    if ('code' in source) return source
    const parsed = input.parse(source)
    diagnostics.push(...parsed.diagnostics)
    return { file: { path, text: source.text, module: parsed.value, uses: new Map() }, uses: fileUses(parsed.value), next: 0 }
  }

  const first = read(input.entry)
  if ('code' in first) return { files, diagnostics: [first] }
  const stack: Frame[] = [first]
  open.set(input.entry, first)
  while (stack.length > 0) { // L1
    const frame = stack.at(-1)!
    const each = frame.uses[frame.next++]
    if (each === undefined) {
      stack.pop()
      open.delete(frame.file.path)
      done.set(frame.file.path, frame.file)
      files.push(frame.file)
      continue
    }
    const at = specifierPlace(frame.file, each.item, each.use)
    const target = input.resolvePath(frame.file.path, each.specifier)
    if (open.has(target)) { // L2
      const path = [...stack.map(other => other.file.path).slice(stack.findIndex(other => other.file.path === target)), target]
      diagnostics.push(nameErrors['import-cycle']({ path: shortened(path).map(step => `\`${step}\``).join(' → ') }, { at }))
      continue
    }
    if (done.has(target)) {
      frame.file.uses.set(each.specifier, target)
      continue
    }
    if (done.size + open.size >= MAX_FILES) continue
    const next = read(target)
    if ('code' in next) diagnostics.push({ ...next, at }) // L2
    else {
      frame.file.uses.set(each.specifier, target)
      open.set(target, next)
      stack.push(next)
    }
  }
  return { files, diagnostics }
}

function fileUses(module: Module): Frame['uses'] {
  const uses: { item: Item; use: UseDecl; specifier: string }[] = []
  for (const item of module.items) {
    const use = item.declaration
    if (use.kind === 'use' && use.what.kind === 'file') uses.push({ item, use, specifier: use.what.file.value })
  }
  return uses
}

function specifierPlace(file: LoadedFile, item: Item, use: UseDecl): { path: string; start: number; end: number } {
  const span = use.what.kind === 'file' ? use.what.file : use
  return { path: file.path, start: item.offset + span.start, end: item.offset + span.end }
}

const MAX_STEPS_SHOWN = 8

/** A long path with its middle left out, for messages. */
export function shortened(path: readonly string[]): string[] {
  if (path.length <= MAX_STEPS_SHOWN) return [...path]
  return [...path.slice(0, MAX_STEPS_SHOWN - 3), `… ${path.length - MAX_STEPS_SHOWN + 1} more …`, ...path.slice(-2)]
}
