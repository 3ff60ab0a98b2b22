// Glob: a file pattern of a program, `src/**/*.{ts,js}`, taken apart.
// Owns: `{a,b}` alternatives, and which folders a wildcard leaves out. Does not own: reading folders (interpreter/guard/expand-glob.ts).
//   G1. At most 256 alternatives after expansion; braces that are not closed are ordinary characters.
//   G2. `.git`, `.tek` and `node_modules` are left out unless the pattern names them.
import { matchSegment } from './segment.ts'

const MAX_ALTERNATIVES = 256
const MAX_NESTING = 16
const leftOut = new Set(['.git', '.tek', 'node_modules'])

/**
 * The patterns a pattern with `{a,b}` stands for, or null when they are too many (G1).
 *
 * @example
 * expandBraces('src/*.{ts,js}') // ['src/*.ts', 'src/*.js']
 */
export function expandBraces(pattern: string, nesting: number = 0): string[] | null {
  const found = firstBraces(pattern)
  if (found === null) return [pattern]
  if (nesting === MAX_NESTING) return null
  const all: string[] = []
  for (const part of found.parts) {
    const expanded = expandBraces(found.before + part + found.after, nesting + 1)
    if (expanded === null || all.length + expanded.length > MAX_ALTERNATIVES) return null
    all.push(...expanded)
  }
  return all
}

function firstBraces(pattern: string): { before: string; parts: string[]; after: string } | null {
  for (let open = pattern.indexOf('{'); open >= 0; open = pattern.indexOf('{', open + 1)) {
    const parts: string[] = []
    let depth = 0
    let start = open + 1
    for (let at = open; at < pattern.length; at++) {
      const character = pattern[at]
      if (character === '{') depth++
      else if (character === ',' && depth === 1) {
        parts.push(pattern.slice(start, at))
        start = at + 1
      } else if (character === '}' && --depth === 0) {
        parts.push(pattern.slice(start, at))
        if (parts.length > 1) return { before: pattern.slice(0, open), parts, after: pattern.slice(at + 1) }
        break
      }
    }
    if (depth > 0) return null
  }
  return null
}

/** Whether a folder or file name fits one segment of a glob (G2). */
export function fitsGlobSegment(segment: string, name: string): boolean {
  return segment === name || (!leftOut.has(name) && matchSegment(segment === '**' ? '*' : segment, name))
}
