// Found servers: where a program's `.mcp.json` and lock are, and what they say.
// Owns: looking for both files, reading them, the diagnostics of that. Does not own: their form (definition.ts, lock-file.ts).
//   F1. Looked for in the folder of the program's entry file, then in each folder above it, up to the folder tek was started in; both files lie side by side.
//   F2. A lock that cannot be read is a diagnostic, never an empty lock.
import { dirname, join, relative, resolve } from 'node:path'
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import type { ModuleSignature } from '#model/signature.ts'
import { DefinitionProblem, MAX_MCP_FILE_BYTES, MCP_FILE, readDefinitions, type ServerDefinition } from './definition.ts'
import { type Lock, LOCK_FILE, LockProblem, MAX_LOCK_BYTES, readLock } from './lock-file.ts'
import { serverSignature } from './signature.ts'

const MAX_FOLDERS_UP = 100

/** The folder that holds the lock, or `.mcp.json`; null: neither is anywhere. // F1 */
export async function serversFolder(host: Host, folder: string): Promise<string | null> {
  const top = resolve(host.cwd)
  const isInside = !relative(top, folder).startsWith('..')
  for (let [at, left] = [resolve(folder), MAX_FOLDERS_UP]; left > 0; at = dirname(at), left--) {
    for (const name of [LOCK_FILE, MCP_FILE]) if ((await host.files.stat(join(at, name)).catch(() => null))?.kind === 'file') return at
    if (at === top || !isInside || at === dirname(at)) return null
  }
  return null
}

/** The lock in a folder; empty where there is no such file. // F2 */
export function lockIn(host: Host, folder: string): Promise<Lock | Diagnostic> {
  return readIn(host, join(folder, LOCK_FILE), MAX_LOCK_BYTES, readLock, mcpErrors['bad-lock'])
}

/** The definitions in a folder; empty where there is no such file. */
export function definitionsIn(host: Host, folder: string): Promise<ReadonlyMap<string, ServerDefinition> | Diagnostic> {
  return readIn(host, join(folder, MCP_FILE), MAX_MCP_FILE_BYTES, readDefinitions, mcpErrors['bad-config'])
}

async function readIn<Of>(
  host: Host, path: string, maxBytes: number, read: (text: string) => ReadonlyMap<string, Of>, bad: (of: { readonly path: string; readonly reason: string }) => Diagnostic,
): Promise<ReadonlyMap<string, Of> | Diagnostic> {
  const text = await textOf(host, path, maxBytes)
  if (text === null) return new Map()
  if (typeof text !== 'string') return bad({ path: shown(host, path), reason: text.reason })
  try {
    return read(text)
  } catch (error) {
    if (error instanceof LockProblem || error instanceof DefinitionProblem) return bad({ path: shown(host, path), reason: error.message })
    throw error
  }
}

/** The module that `use mcp "name"` of a program in `folder` stands for, from the lock alone. */
export async function lockedSignature(host: Host, folder: string, name: string): Promise<ModuleSignature | Diagnostic> {
  const at = await serversFolder(host, folder)
  const lock = at === null ? new Map() : await lockIn(host, at)
  if ('code' in lock) return lock
  const server = (lock as Lock).get(name)
  if (server !== undefined) return serverSignature(name, server)
  const declared = at === null ? new Map() : await definitionsIn(host, at)
  if ('code' in declared) return declared
  return mcpErrors['not-locked']({ server: name, isDeclared: declared.has(name), known: [...new Set([...(lock as Lock).keys(), ...declared.keys()])].sort() })
}

async function textOf(host: Host, path: string, maxBytes: number): Promise<string | null | { readonly reason: string }> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await host.files.readBytes(path, maxBytes))
  } catch (error) {
    if (error instanceof HostError) return error.code === 'not-found' ? null : { reason: error.message }
    return { reason: 'it is not UTF-8' }
  }
}

function shown(host: Host, path: string): string {
  const inside = relative(host.cwd, path)
  return inside.startsWith('..') ? path : inside
}
