// Code cache: starts the command line from one bundle whose compiled code is kept beside it.
// Owns: when the kept code may be used, writing it again. Does not own: what the bundle does (main.ts), making it first (build.mjs).
//   K1. Kept code is used only for the very bundle it was made from (both begin with the same id), only whole (V8 does not look: its hash is
//       checked here), and only if V8 takes it: another version or other flags make it refuse, and then everything works as without.
//   K2. Keeping is a convenience: what goes wrong with it is nobody's concern, and a folder that cannot be written stays as it is.
//   K3. Functions that V8 takes from kept code cannot `import(…)`; the bundle calls `tekImport` instead, which stands here, beside the bundle.
//   K4. The bundle is ASCII (build.mjs sees to it): read byte by byte, and half as long in memory as with one other character in it.
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

const ID_LENGTH = 16
/** SHA-256 in hexadecimal. */
const HASH_LENGTH = 64

export interface LoadedBundle {
  readonly exports: unknown
  /** True when the kept code was used. */
  readonly fromCache: boolean
  /** Compiles what has been run so far into the file of kept code. */
  keep(): void
}

/**
 * Loads a CommonJS bundle that begins with a comment of its id.
 *
 * @param url the bundle; its kept code lies beside it, one file for each V8.
 */
export function loadBundle(url: URL): LoadedBundle {
  const file = fileURLToPath(url)
  const cacheFile = file.replace(/\.cjs$/, `-${process.versions.v8}-${process.arch}.cache`)
  const text = readFileSync(file, 'latin1') // K4
  const id = text.slice(2, 2 + ID_LENGTH)
  const cachedData = readKept(cacheFile, id)
  const script = new Script(`(function (exports, require, module, __filename, tekImport) {${text}\n})`, {
    filename: file,
    ...(cachedData === null ? {} : { cachedData }),
  })
  const module = { exports: {} as unknown }
  const wrapper = script.runInThisContext() as (exports: unknown, require: NodeJS.Require, module: { exports: unknown }, file: string, load: (specifier: string) => Promise<unknown>) => void
  wrapper(module.exports, createRequire(url), module, file, specifier => import(specifier)) // K3
  return {
    exports: module.exports,
    fromCache: cachedData !== null && script.cachedDataRejected !== true,
    keep: () => writeKept(cacheFile, id, script.createCachedData()),
  }
}

/** K1 */
function readKept(cacheFile: string, id: string): Buffer | null {
  try {
    const kept = readFileSync(cacheFile)
    const code = kept.subarray(ID_LENGTH + HASH_LENGTH)
    return kept.toString('latin1', 0, ID_LENGTH + HASH_LENGTH) === id + hashOf(code) ? code : null
  } catch {
    return null
  }
}

/** K2 */
function writeKept(cacheFile: string, id: string, code: Buffer): void {
  const fresh = `${cacheFile}.${process.pid}`
  try {
    writeFileSync(fresh, Buffer.concat([Buffer.from(id + hashOf(code), 'latin1'), code]))
    renameSync(fresh, cacheFile)
  } catch {
    rmSync(fresh, { force: true })
  }
}

const hashOf = (code: Buffer): string => createHash('sha256').update(code).digest('hex')
