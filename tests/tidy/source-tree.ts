// Source tree: the project's files as the tidy tests see them.
// Owns: listing, reading, finding imports. Does not own: any rule (the tests beside it).
//   T1. Only files that would be committed are listed: no build output, no dependency, no state of a run.
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')
const leftOut = new Set(['node_modules', 'dist', '.git', '.tek', 'coverage', 'shared'])

/** Paths relative to the root, `/`-separated, sorted; `[]` when the folder does not exist. */
export function filesUnder(folder: string, accept: (path: string) => boolean = () => true): string[] {
  const found: string[] = []
  const walk = (directory: string): void => {
    let entries
    try {
      entries = readdirSync(directory, { withFileTypes: true })
    } catch {
      return
    }
    for (const entry of entries) {
      if (leftOut.has(entry.name)) continue // T1
      const path = join(directory, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) found.push(relative(root, path).split(sep).join('/'))
    }
  }
  walk(join(root, folder))
  return found.filter(accept).sort()
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export const isCode = (path: string): boolean => /\.(ts|mjs)$/.test(path) && !path.endsWith('.d.ts')

export interface Import {
  readonly specifier: string
  readonly line: number
  /** Path from the root for our own files (`src/base/json.ts`), null for packages and built-ins. */
  readonly target: string | null
}

/** Text with comments and the insides of template strings blanked, offsets and lines kept. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(^|[\s;,(){}])\/\/[^\n]*/g, match => match.replace(/[^\n]/g, ' '))
}

const statement = /(?:^|[\n;])\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*[,)]/g

/** Every import of a file: static, type-only, re-exported, dynamic. */
export function importsOf(path: string, text: string = read(path)): Import[] {
  const code = withoutComments(text)
  const found: Import[] = []
  for (const match of code.matchAll(statement)) {
    const specifier = match[1] ?? match[2]!
    const line = code.slice(0, match.index + match[0].length).split('\n').length
    let target: string | null = null
    if (specifier.startsWith('#')) target = `src/${specifier.slice(1)}`
    else if (specifier.startsWith('.')) target = posix.normalize(posix.join(posix.dirname(path), specifier))
    found.push({ specifier, line, target })
  }
  return found
}

/** Programs in another language, held in raw templates, keep that language's habits. */
function withoutForeignText(text: string): string {
  return text.replace(/String\.raw`[^`]*`/g, match => match.replace(/[^\n]/g, ' '))
}

/** Calls `look` for each line of code, comments blanked, lines counted from 1. */
export function withLines(path: string, look: (line: string, number: number) => void): void {
  withoutForeignText(withoutComments(read(path))).split('\n').forEach((line, index) => look(line, index + 1))
}
