// Words: how messages speak of where a value comes from and where it may not go.
// Owns: the phrases. Does not own: finding sources and sinks (trace.ts, sinks.ts).
import type { ParamSignature } from '#model/signature.ts'
import type { CallFact } from '../facts.ts'

/** What needs a grant of this name gives: the first that a tool needs says it. */
const SOURCES: readonly (readonly [grant: string, words: string])[] = [
  ['net', 'text from the web'], ['mcp', 'what an MCP server answers'], ['exec', 'what a program prints'], ['git.read', 'what others wrote in a repository'],
  ['git.', 'what others wrote in a repository'], ['fs.read', 'what a file holds'], ['env', 'what the environment holds'],
]

/** `text from the web`: what a tool takes in. */
export function sourceWords({ target }: CallFact): string {
  if (target.kind !== 'function') return 'untrusted text'
  const { module, signature } = target
  if (module.kind === 'plugin') return `what \`${module.name}.${signature.name}\` gives`
  const found = SOURCES.find(([grant]) => signature.needs.some(need => need.grant === grant || (grant.endsWith('.') && need.grant.startsWith(grant))))
  return found?.[1] ?? `what \`${module.name}.${signature.name}\` gives`
}

/** `the command line of \`shell.run\``: what an argument becomes. */
export function sinkWords(callee: string, param: ParamSignature, { target }: CallFact): string {
  if (target.kind === 'workflow') return `\`${param.name}\` of \`${callee}\`, which says what it may touch`
  if (target.kind !== 'function') return `\`${param.name}\` of \`${callee}\``
  const need = target.signature.needs.find(each => each.args.some(arg => 'param' in arg && arg.param === param.name))?.grant
  switch (need) {
    case 'exec':
      return `the command line of \`${callee}\``
    case 'net':
      return `the address of \`${callee}\``
    case 'fs.write':
      return `the path that \`${callee}\` changes`
    case 'env':
      return `the name of a variable in \`${callee}\``
    case 'git.branch':
      return `the branch of \`${callee}\``
    default:
      return `\`${param.name}\` of \`${callee}\``
  }
}

/** With a capital letter. */
export const sentence = (words: string): string => `${words[0]!.toUpperCase()}${words.slice(1)}`
