// Colours: semantic tokens, what a name is where its spelling does not tell.
// Owns: kinds and marks. Does not own: keywords, strings and numbers (the TextMate grammar colours those).
import type { Occurrence } from './occurrences.ts'

export const tokenKinds = ['namespace', 'type', 'parameter', 'variable', 'function', 'class'] as const
export const tokenMarks = ['declaration', 'readonly', 'async'] as const

export interface ColouredName {
  readonly start: number
  readonly length: number
  readonly kind: (typeof tokenKinds)[number]
  readonly marks: readonly (typeof tokenMarks)[number][]
}

/** The names of a file in order; `async` marks what acts on the world. */
export function coloursOf(all: readonly Occurrence[]): ColouredName[] {
  return all.map(({ at, target, isDeclaration }): ColouredName => ({
    start: at.start, length: at.end - at.start, kind: kindOf(target),
    marks: [...(isDeclaration ? ['declaration' as const] : []), ...marksOf(target)],
  }))
}

function marksOf(target: Occurrence['target']): ColouredName['marks'] {
  if (target.kind === 'symbol') return target.symbol.kind === 'const' ? ['readonly'] : []
  return target.kind === 'function' && target.signature.effect !== 'pure' ? ['async'] : []
}

function kindOf(target: Occurrence['target']): ColouredName['kind'] {
  switch (target.kind) {
    case 'module':
      return 'namespace'
    case 'function':
      return 'function'
    case 'param':
      return 'parameter'
    case 'symbol':
      return target.symbol.kind === 'type' ? 'type' : target.symbol.kind === 'workflow' || target.symbol.kind === 'prompt' ? 'function' : target.symbol.kind === 'agent' || target.symbol.kind === 'loop' ? 'class' : 'variable'
    default:
      return 'variable'
  }
}
