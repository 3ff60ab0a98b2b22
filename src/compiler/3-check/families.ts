// Families: what operators and number functions see of a type.
// Owns: the coarse kinds (numbers, units, text). Does not own: which operator takes which (operators.ts).
import type { Type } from '#model/type.ts'
import { literalBase, stripQualifiers } from '#types/construct.ts'

export type Family = 'int' | 'float' | 'duration' | 'size' | 'tokens' | 'money' | 'text' | 'bool' | 'any' | 'other'
/** The kinds that count something. */
export const UNITS: ReadonlySet<Family> = new Set<Family>(['duration', 'size', 'tokens', 'money'])

/** What an operator sees of a type; members of a union must be of one family. */
export function familyOf(type: Type): Family {
  const bare = literalBase(stripQualifiers(type))
  switch (bare.kind) {
    case 'any':
    case 'never':
      return 'any'
    case 'int':
    case 'float':
    case 'duration':
    case 'size':
    case 'tokens':
    case 'money':
    case 'bool':
      return bare.kind
    case 'string':
    case 'path':
    case 'url':
      return 'text'
    case 'union': {
      const families = new Set(bare.members.map(familyOf))
      if (families.size === 1) return [...families][0]!
      return families.size === 2 && families.has('int') && families.has('float') ? 'float' : 'other'
    }
    default:
      return 'other'
  }
}
