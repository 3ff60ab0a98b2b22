// Tools: how an agent's tools look to a model.
// Owns: their names, which types can be offered. Does not own: whether the agent may call them (agents.ts, guard).
import type { Type } from '#model/type.ts'
import type { Path } from '../1-syntax/ast.ts'

/** `fs.read` is `fs_read` to a model, whose server takes no point in a name. */
export function toolName(path: Path): string {
  return path.parts.map(part => part.text).join('_')
}

/** What in a type no JSON Schema can carry, in the user's words; null: nothing. */
export function notJson(type: Type): string | null {
  switch (type.kind) {
    case 'function':
      return 'a function'
    case 'variable':
      return 'a type that only a call decides'
    case 'secret':
      return 'a secret'
    case 'never':
      return 'a value that there is not'
    case 'list':
      return notJson(type.item)
    case 'map':
      return notJson(type.value)
    case 'untrusted':
      return notJson(type.of)
    case 'union':
      return firstOf(type.members)
    case 'record':
      return firstOf(Object.values(type.fields).map(field => field.type))
    default:
      return null
  }
}

function firstOf(types: readonly Type[]): string | null {
  for (const type of types) {
    const problem = notJson(type)
    if (problem !== null) return problem
  }
  return null
}

/** Whether a model can give a value of the type. */
export const canBeOffered = (type: Type): boolean => notJson(type) === null
