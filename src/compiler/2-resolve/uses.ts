// Uses: what a file mentions that must be loaded before it can be checked.
// Owns: finding the specifiers, and the words that may name a std module. Does not own: loading.
import type { Module } from '../1-syntax/ast.ts'

export interface Uses {
  readonly files: string[]
  readonly plugins: string[]
  /** Names of servers of the Model Context Protocol. */
  readonly mcp: string[]
  /** Words in the place of a module name; some may be values. The caller keeps those that are std modules. */
  readonly std: string[]
}

/**
 * The files, plugins, servers and std modules a file uses, each once, in order of mention. Does not check anything.
 *
 * @param module the parsed file.
 * @example
 * for (const specifier of collectUses(parse(source).value).plugins) await loadPlugin(specifier)
 */
export function collectUses(module: Module): Uses {
  const files = new Set<string>()
  const plugins = new Set<string>()
  const mcp = new Set<string>()
  const std = new Set<string>()
  const pending: unknown[] = []
  for (const { declaration } of module.items) {
    if (declaration.kind !== 'use') pending.push(declaration)
    else if (declaration.what.kind === 'file') files.add(declaration.what.file.value)
    else if (declaration.what.kind === 'plugin') plugins.add(declaration.what.source.value)
    else if (declaration.what.kind === 'mcp') mcp.add(declaration.what.server.value)
    else std.add(declaration.what.path.parts.at(-1)?.text ?? '')
  }
  // The tree is data; a generic walk with an own stack sees every node once whatever its kind.
  while (pending.length > 0) {
    const node = pending.pop()
    if (Array.isArray(node)) pending.push(...node)
    else if (typeof node === 'object' && node !== null) {
      const { kind } = node as { kind?: string }
      if (kind === 'path') addRoot(node as { parts: readonly { text: string }[] }, std)
      else if (kind === 'member') {
        const object = (node as { object: { kind: string; name?: string } }).object
        if (object.kind === 'name-expr' && object.name !== undefined) std.add(object.name)
        else pending.push(object)
      } else for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) pending.push(value)
    }
  }
  return { files: [...files], plugins: [...plugins], mcp: [...mcp], std: [...std] }
}

function addRoot(path: { readonly parts: readonly { readonly text: string }[] }, std: Set<string>): void {
  const root = path.parts[0]
  if (root !== undefined && path.parts.length > 1) std.add(root.text)
}
