// Declare: the names each file declares and imports.
// Owns: the tables of a file, duplicates, imports, privacy. Does not own: what names inside declarations mean (3-check).
import { didYouMean } from '#base/did-you-mean.ts'
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Declaration, Name, UseDecl } from '../1-syntax/ast.ts'
import type { LoadedFile } from './load.ts'
import { type FileUnit, type ModuleSym, placeIn, type Program, type Sym, type SymbolKind, type Unit } from './program.ts'

export type SignatureRequest = { kind: 'std'; name: string } | { kind: 'plugin'; from: string; source: string } | { kind: 'mcp'; from: string; name: string }

export interface DeclareInput {
  readonly files: readonly LoadedFile[]
  readonly entry: string
  readonly stdNames: readonly string[]
  signature(request: SignatureRequest): ModuleSignature | Diagnostic | null
}

/** Declares every name of every file. `files` come with used files first. */
export function declareProgram(input: DeclareInput): { value: Program; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const std = new Map<string, ModuleSym | null>()
  const stdSet = new Set(input.stdNames)
  const findStd = (name: string): ModuleSym | null => {
    let found = std.get(name)
    if (found === undefined) {
      const made = stdSet.has(name) ? input.signature({ kind: 'std', name }) : null
      if (made !== null && 'code' in made) diagnostics.push(made)
      found = stdSet.has(name) ? { kind: 'std', name, source: name, signature: made === null || 'code' in made ? null : made } : null
      std.set(name, found)
    }
    return found
  }
  const files = new Map<string, FileUnit>()
  const plugins: Declaring['plugins'] = new Map()
  for (const loaded of input.files) {
    const file = declareFile(loaded, loaded.path === input.entry, { ...input, files, plugins, findStd, diagnostics })
    files.set(file.path, file)
  }
  return { value: { entry: files.get(input.entry)!, files: [...files.values()], stdNames: input.stdNames, std: findStd }, diagnostics }
}

interface Declaring {
  /** By the name a plugin gives itself: grants are told apart by it, so two plugins cannot share it. */
  readonly plugins: Map<string, { readonly source: string; readonly hash: string }>
  readonly files: Map<string, FileUnit>
  readonly stdNames: readonly string[]
  readonly diagnostics: Diagnostic[]
  findStd(name: string): ModuleSym | null
  signature(request: SignatureRequest): ModuleSignature | Diagnostic | null
}

function declareFile(loaded: LoadedFile, isEntry: boolean, context: Declaring): FileUnit {
  const units: Unit[] = []
  const file: FileUnit = {
    path: loaded.path, text: loaded.text, module: loaded.module, isEntry, units,
    types: new Map(), values: new Map(), capabilities: new Map(), modules: new Map(), unknown: new Set(),
  }
  for (const item of loaded.module.items) units.push({ file, item, declaration: item.declaration })
  for (const unit of units) if (unit.declaration.kind === 'use') declareUse(unit, unit.declaration, loaded, context)
  for (const unit of units) declareOwn(unit, unit.declaration, context)
  return file
}

const DECLARES: Partial<Record<Declaration['kind'], SymbolKind>> = {
  type: 'type', const: 'const', secret: 'secret', capability: 'capability', model: 'model', prompt: 'prompt', workflow: 'workflow', agent: 'agent', loop: 'loop',
}

function declareOwn(unit: Unit, declaration: Declaration, context: Declaring): void {
  const kind = DECLARES[declaration.kind]
  if (kind === undefined) return
  const { name } = declaration as Extract<Declaration, { kind: SymbolKind }>
  if (name.text === '') return
  const key = unit.file.isEntry ? name.text : `${unit.file.path}#${name.text}`
  addSymbol(unit, name, { kind, name: name.text, unit, declaration: declaration as never, key }, context)
}

function tableOf(file: FileUnit, kind: SymbolKind): Map<string, Sym> {
  if (kind === 'type') return file.types as Map<string, Sym>
  if (kind === 'capability') return file.capabilities as Map<string, Sym>
  return file.values
}

function addSymbol(unit: Unit, name: Name, symbol: Sym, context: Declaring): void {
  const table = tableOf(unit.file, symbol.kind)
  const before = table.get(symbol.name)
  if (before !== undefined && before !== symbol) {
    const what = symbol.kind === 'type' ? 'types' : symbol.kind === 'capability' ? 'capabilities' : 'values'
    const there = { at: placeIn(before.unit, (before.declaration as { name: Name }).name), message: 'the first one is here' }
    context.diagnostics.push(nameErrors.duplicate({ name: symbol.name, what }, { at: placeIn(unit, name), related: [there] }))
    return
  }
  table.set(symbol.name, symbol)
}

function declareUse(unit: Unit, use: UseDecl, loaded: LoadedFile, context: Declaring): void {
  if (use.what.kind === 'module') return useModule(unit, use.what.path.parts, use.what.alias, context)
  if (use.what.kind === 'plugin') return usePlugin(unit, use.what.source, use.what.alias, context)
  if (use.what.kind === 'mcp') return useServer(unit, use.what.server, use.what.alias, context)
  const target = loaded.uses.get(use.what.file.value)
  const from = target === undefined ? undefined : context.files.get(target)
  for (const name of use.what.names) {
    if (from === undefined) unit.file.unknown.add(name.text)
    else importName(unit, name, from, context)
  }
}

function importName(unit: Unit, name: Name, from: FileUnit, context: Declaring): void {
  const own = (symbol: Sym | undefined): symbol is Sym => symbol !== undefined && symbol.unit.file === from
  const found = [from.types.get(name.text), from.values.get(name.text), from.capabilities.get(name.text)].filter(own)
  const at = placeIn(unit, name)
  if (name.text.startsWith('_')) {
    context.diagnostics.push(nameErrors.private({ name: name.text, file: from.path }, { at }))
    unit.file.unknown.add(name.text)
  } else if (found.length === 0) {
    const known = [from.types, from.values, from.capabilities].flatMap(table => [...(table as Map<string, Sym>).values()]).filter(own).map(each => each.name).filter(each => !each.startsWith('_'))
    if (!from.unknown.has(name.text)) context.diagnostics.push(nameErrors['unknown-export']({ name: name.text, file: from.path }, { at, ...suggest(name.text, known, at) }))
    unit.file.unknown.add(name.text)
  } else for (const symbol of found) addSymbol(unit, name, symbol, context)
}

function useModule(unit: Unit, parts: readonly Name[], alias: Name | null, context: Declaring): void {
  const last = parts.at(-1)
  if (last === undefined) return
  const isStd = parts.length === 2 && parts[0]!.text === 'std'
  const module = isStd ? context.findStd(last.text) : null
  const written = parts.map(part => part.text).join('.')
  if (module === null) {
    const at = placeIn(unit, isStd ? last : { start: parts[0]!.start, end: last.end })
    const help = !isStd && context.findStd(last.text) !== null ? [`Modules of tek are written \`std.${last.text}\`.`] : []
    const found = isStd ? suggest(last.text, context.stdNames, at) : { help }
    context.diagnostics.push(nameErrors['unknown-module']({ name: written }, { at, ...found }))
    unit.file.unknown.add((alias ?? last).text)
    return
  }
  if (alias !== null) addModule(unit, alias, { ...module, name: alias.text }, context)
}

function usePlugin(unit: Unit, source: { readonly value: string; readonly start: number; readonly end: number }, alias: Name, context: Declaring): void {
  if (isTaken(unit, alias, source.value, context)) return
  const made = context.signature({ kind: 'plugin', from: unit.file.path, source: source.value })
  if (made !== null && 'code' in made) context.diagnostics.push({ ...made, at: placeIn(unit, source) })
  else if (made === null) context.diagnostics.push(nameErrors['unknown-module']({ name: source.value }, { at: placeIn(unit, source) }))
  const signature = made !== null && !('code' in made) ? made : null
  const before = signature === null ? undefined : context.plugins.get(signature.name)
  if (signature !== null && before !== undefined && before.hash !== signature.hash) {
    context.diagnostics.push(pluginErrors['same-name']({ name: signature.name, first: before.source, second: source.value }, { at: placeIn(unit, source) }))
  } else if (signature !== null) context.plugins.set(signature.name, { source: source.value, hash: signature.hash })
  addModule(unit, alias, { kind: 'plugin', name: alias.text, source: source.value, signature }, context)
}

/** What a server of the Model Context Protocol offers, as its lock says. */
function useServer(unit: Unit, server: { readonly value: string; readonly start: number; readonly end: number }, alias: Name, context: Declaring): void {
  if (isTaken(unit, alias, server.value, context)) return
  const made = context.signature({ kind: 'mcp', from: unit.file.path, name: server.value })
  if (made !== null && 'code' in made) context.diagnostics.push({ ...made, at: placeIn(unit, server) })
  else if (made === null) context.diagnostics.push(mcpErrors['not-locked']({ server: server.value }, { at: placeIn(unit, server) }))
  const signature = made !== null && !('code' in made) ? made : null
  addModule(unit, alias, { kind: 'mcp', name: alias.text, source: server.value, signature }, context)
}

function addModule(unit: Unit, alias: Name, module: ModuleSym, context: Declaring): void {
  const { modules } = unit.file
  if (isTaken(unit, alias, module.source, context)) return
  if (modules.has(alias.text)) context.diagnostics.push(nameErrors.duplicate({ name: alias.text, what: 'modules' }, { at: placeIn(unit, alias) }))
  else modules.set(alias.text, module)
}

/** Reports an alias that would hide a module of tek. */
function isTaken(unit: Unit, alias: Name, source: string, context: Declaring): boolean {
  if (!context.stdNames.includes(alias.text) || source === alias.text) return false
  context.diagnostics.push(nameErrors.taken({ name: alias.text }, { at: placeIn(unit, alias) }))
  unit.file.modules.set(alias.text, { kind: 'plugin', name: alias.text, source, signature: null })
  return true
}

const MAX_SHORT_NAME = 2

/** Help and a fix for a misspelt name. The fix is safe when there is one near name only. */
export function suggest(name: string, known: Iterable<string>, at: { path: string; start: number; end: number }): { help: string[]; fixes: Diagnostic['fixes'] } {
  // One letter is near every other letter: of short names only the case may be wrong.
  const near = didYouMean(name, known).filter(each => name.length > MAX_SHORT_NAME || each.toLowerCase() === name.toLowerCase())
  if (near.length === 0) return { help: [], fixes: [] }
  return {
    help: [`Did you mean ${near.map(each => `\`${each}\``).join(' or ')}?`],
    fixes: near.map(each => ({ title: `Change to \`${each}\``, safe: near.length === 1, edits: [{ at, newText: each }] })),
  }
}
