// Workflow flags: a program's own parameters on the command line, typed by its workflow.
// Owns: flags → values, the list that `tek run f.tek --help` prints. Does not own: what text a type reads (types/codec.ts).
//   W1. `--name value`, `--name=value`; a bool needs no value and `--no-name` is false; a list takes repeated flags or one JSON text.
//   W2. Flags win over `--args file.json`. What remains unset must have a default.
//   W3. Words after `--` go to the parameter `args`, a list of strings.
import { didYouMean } from '#base/did-you-mean.ts'
import { padToWidth, type Paint } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Plan, PlanExpr, PlanParam } from '#model/plan.ts'
import type { Type, Value } from '#model/type.ts'
import { fromJsonValue, parseArgument, printArgument } from '#types/codec.ts'
import { stripQualifiers } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import { CliFailure } from './command.ts'
import { exitCodes } from './exit-codes.ts'

/** The parameter's name as a flag: `maxFiles` may be written `--maxFiles` or `--max-files`. */
export function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

/** Splits what follows the program's name into the workflow's name and its flags; needs the types to know which flags take values. */
export function readWorkflowWords(words: readonly string[], plan: Plan): { readonly workflow: string | undefined; readonly words: readonly string[] } {
  const [first, ...others] = words
  if (first !== undefined && !first.startsWith('-')) return { workflow: first, words: others }
  if (first !== undefined && plan.entries.length > 1) {
    const at = words.findIndex(word => plan.entries.includes(word))
    if (at > 0) return { workflow: words[at], words: words.filter((_, index) => index !== at) }
  }
  return { workflow: undefined, words }
}

/** Values for a workflow's parameters; a coded failure that lists everything wrong. */
export function readWorkflowArguments(
  plan: Plan, workflow: string, words: readonly string[], trailing: readonly string[] | null, fromFile: Readonly<Record<string, unknown>>,
): Record<string, Value> {
  const params = plan.workflows[workflow]!.params
  const problems: Diagnostic[] = []
  const texts = new Map<string, string[]>()
  const unknown = (name: string): void => {
    const help = didYouMean(name, params.map(each => kebab(each.name))).map(each => `Did you mean \`--${each}\`?`)
    problems.push(cliErrors['unknown-parameter']({ parameter: name, workflow }, { help }))
  }
  const find = (name: string): PlanParam | undefined => params.find(each => each.name === name) ?? params.find(each => kebab(each.name) === name)
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (!word.startsWith('--')) {
      problems.push(cliErrors['too-many-arguments']({ command: 'run', extra: word }))
      continue
    }
    const [name, ...assigned] = word.slice(2).split('=')
    const param = find(name!)
    if (!param) {
      const denied = name!.startsWith('no-') ? find(name!.slice(3)) : undefined
      if (denied && isBool(denied)) texts.set(denied.name, ['false'])
      else {
        unknown(name!)
        if (assigned.length === 0 && words[at + 1] !== undefined && !words[at + 1]!.startsWith('--')) at++
      }
      continue
    }
    if (assigned.length > 0) add(texts, param.name, assigned.join('='))
    else if (isBool(param) && words[at + 1] !== 'true' && words[at + 1] !== 'false') add(texts, param.name, 'true') // W1
    else if (words[at + 1] === undefined) problems.push(cliErrors['missing-value']({ option: `--${name}` }))
    else add(texts, param.name, words[++at]!)
  }
  const args = Object.create(null) as Record<string, Value> // a parameter may have any name, `__proto__` too
  readFile(params, fromFile, args, problems, unknown)
  for (const [name, given] of texts) {
    const param = params.find(each => each.name === name)!
    const parsed = parseArgument(param.type, given)
    if ('problem' in parsed) problems.push(cliErrors['bad-parameter']({ parameter: kebab(name), value: given.join(' '), expected: printType(param.type) }, { help: [sentence(parsed.problem)] }))
    else args[name] = parsed.value
  }
  readTrailing(params, workflow, trailing, args, problems)
  for (const param of params) {
    if (param.name in args || param.default !== null || texts.has(param.name)) continue
    problems.push(cliErrors['missing-parameter']({ parameter: kebab(param.name), workflow, type: printType(param.type) }))
  }
  if (problems.length > 0) throw new CliFailure(problems, exitCodes.usage)
  return args
}

function readFile(
  params: readonly PlanParam[], fromFile: Readonly<Record<string, unknown>>, args: Record<string, Value>, problems: Diagnostic[], unknown: (name: string) => void,
): void {
  for (const [name, json] of Object.entries(fromFile)) {
    const param = params.find(each => each.name === name)
    if (!param) {
      unknown(name)
      continue
    }
    const parsed = fromJsonValue(param.type, json)
    if ('problem' in parsed) problems.push(cliErrors['bad-parameter']({ parameter: kebab(name), value: JSON.stringify(json), expected: printType(param.type) }, { help: [sentence(parsed.problem)] }))
    else args[param.name] = parsed.value
  }
}

function readTrailing(params: readonly PlanParam[], workflow: string, trailing: readonly string[] | null, args: Record<string, Value>, problems: Diagnostic[]): void {
  if (trailing === null) return
  const param = params.find(each => each.name === 'args' && stripQualifiers(each.type).kind === 'list')
  if (!param) {
    problems.push(cliErrors['no-trailing-arguments']({ workflow }))
    return
  }
  const parsed = fromJsonValue(param.type, trailing) // W3
  if ('problem' in parsed) problems.push(cliErrors['bad-parameter']({ parameter: 'args', value: trailing.join(' '), expected: printType(param.type) }))
  else args['args'] = parsed.value
}

/** A problem as a sentence; one that begins with a name or a type keeps it as it is written. */
function sentence(text: string): string {
  const begun = /^(an?|it|the) /.test(text) ? `${text[0]!.toUpperCase()}${text.slice(1)}` : text
  return /[.?!]$/.test(begun) ? begun : `${begun}.`
}

function add(texts: Map<string, string[]>, name: string, text: string): void {
  const before = texts.get(name)
  if (before) before.push(text)
  else texts.set(name, [text])
}

function isBool(param: PlanParam): boolean {
  const bare = stripQualifiers(param.type)
  return bare.kind === 'bool' || (bare.kind === 'union' && bare.members.every(each => each.kind === 'bool' || each.kind === 'null'))
}

/** The page of `tek run f.tek --help`: the program's workflows with their parameters. */
export function workflowHelp(plan: Plan, shown: string, only: string | undefined, paint: Paint): string {
  const lines: string[] = []
  for (const key of plan.entries) {
    if (only !== undefined && key !== only) continue
    const workflow = plan.workflows[key]!
    const several = plan.entries.length > 1
    lines.push(`${paint('bold', `tek run ${shown}${several ? ` ${key}` : ''}`)}${workflow.params.length > 0 ? ' [--PARAMETER VALUE]' : ''}`)
    const doc = plan.docs[key]
    if (doc) lines.push(...doc.split('\n').map(line => `  ${line}`))
    if (workflow.params.length === 0) lines.push('  It takes no parameters.')
    const width = Math.max(0, ...workflow.params.map(each => kebab(each.name).length)) + 4
    for (const param of workflow.params) {
      const given = param.default === null ? 'needed' : `default ${printDefault(param.type, param.default)}`
      lines.push(`  ${paint('cyan', padToWidth(`--${kebab(param.name)}`, width))}${printType(param.type)}, ${given}`)
      const about = plan.docs[`${key}/${param.name}`]
      if (about) lines.push(...about.split('\n').map(line => `  ${' '.repeat(width)}${line}`))
    }
    lines.push(`  ${paint('dim', `gives ${printType(workflow.result)}`)}`, '')
  }
  return lines.join('\n')
}

function printDefault(type: Type, expression: PlanExpr): string {
  if (expression.op === 'value') return printArgument(type, expression.value)
  if (expression.op === 'constant') return expression.name
  if (expression.op === 'list' && expression.items.length === 0) return '[]'
  if (expression.op === 'record' && expression.entries.length === 0) return '{}'
  return 'computed'
}
