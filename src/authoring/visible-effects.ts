// Visible effects: what the code of a tool does, as far as it can be seen, against what its definition says.
// Owns: the comparison. Does not own: reading the code (definition-places.ts).
//   E1. Code that hands its context on is not judged for what it leaves out.
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { GrantSignature } from '#model/capability.ts'
import type { FunctionSignature, ModuleSignature } from '#model/signature.ts'
import { visibleActions, type ToolPlace } from './definition-places.ts'

const chance = /(?<![\w$.])(Date\.now|Math\.random|performance\.now|process\.env|setTimeout|fetch)\s*[(.]|new Date\(\s*\)/
const core: ReadonlySet<string> = new Set(['fs.read', 'fs.write', 'net', 'exec', 'env'])

export function effectFindings(fn: FunctionSignature, place: ToolPlace, signature: ModuleSignature, std: readonly ModuleSignature[]): Diagnostic[] {
  return fn.effect === 'pure' ? pureFindings(fn.name, place) : needFindings(fn, place, signature, std)
}

function pureFindings(tool: string, place: ToolPlace): Diagnostic[] {
  const [, context] = place.params
  if (context !== undefined) return [pluginErrors['implausible-effect']({ tool, reason: `its \`run\` takes \`${context.text}\`, which only a tool of the world is given` }, { at: context.at })]
  const { code, path } = place.source
  const match = chance.exec(code.slice(place.start, place.end))
  if (match === null) return []
  const start = place.start + match.index
  return [pluginErrors['implausible-effect']({ tool, reason: `it uses \`${match[1] ?? 'new Date()'}\`, which is not the same each time` }, { at: { path, start, end: start + match[0].length } })]
}

function needFindings(fn: FunctionSignature, place: ToolPlace, signature: ModuleSignature, std: readonly ModuleSignature[]): Diagnostic[] {
  const { found, isComplete } = visibleActions(place)
  const known = new Map<string, GrantSignature>([...std, signature].flatMap(module => Object.values(module.grants).map(grant => [`${module.name}.${grant.name}`, grant] as const)))
  const covered = new Set(fn.needs.flatMap(({ grant }) => [grant, ...(known.get(grant)?.implies ?? []).map(each => each.name)]))
  const undeclared = found.find(each => !covered.has(each.kind))
  if (undeclared !== undefined) return [pluginErrors['undeclared-grant']({ tool: fn.name, action: `\`${undeclared.text}\`` }, { at: undeclared.at })]
  if (!isComplete) return [] // E1
  const used = new Set<string>(found.map(each => each.kind))
  const unused = fn.needs.find(({ grant }) => core.has(grant) && !used.has(grant))
  return unused === undefined ? [] : [pluginErrors['unused-grant']({ where: `needed by \`${fn.name}\``, grant: unused.grant }, { at: place.name })]
}
