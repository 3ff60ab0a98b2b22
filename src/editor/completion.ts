// Completion: what may be typed at a place.
// Owns: which words fit, with snippets for declarations and clauses. Does not own: how an editor ranks and shows them.
//   L1. Decided by the text before the place on its line and by the declaration around it: what is being typed is often no program yet.
//   L2. After `module.` only what that module offers, with what it needs; in a type only types; at the beginning of a line in column 1 only declarations.
import type { Compiled } from '#compiler/compile.ts'
import { HEADS, STAGES } from '#compiler/1-syntax/keywords.ts'
import { findModule, type FileUnit, type Program, type Unit } from '#compiler/2-resolve/program.ts'
import { limitsIn } from '#compiler/3-check/limits.ts'
import { prelude } from '#compiler/3-check/prelude.ts'
import { paramText, signatureText } from './hover.ts'
import { fileOf } from './occurrences.ts'

/** Entries of one answer. */
export const MAX_COMPLETIONS = 1_000

export type CompletionKind = 'keyword' | 'snippet' | 'function' | 'module' | 'task' | 'param' | 'const' | 'type' | 'workflow' | 'agent' | 'model' | 'prompt' | 'capability' | 'secret' | 'loop' | 'grant'

export interface Completion {
  readonly label: string
  readonly kind: CompletionKind
  /** One line. */
  readonly detail: string
  /** Markdown. */
  readonly doc: string
  /** With `$1`, `${1:name}` as in the Language Server Protocol; absent: the label. */
  readonly snippet?: string
}

const DECLARATIONS: Readonly<Record<string, string>> = {
  use: 'use std.${1:fs}',
  type: 'type ${1:Name} = { ${2:field}: ${3:string} }',
  const: 'const ${1:name} = ${0}',
  secret: 'secret ${1:name} = env("${2:NAME}")',
  capability: 'capability ${1:name} = ${0:fs.read("**")}',
  model: 'model ${1:name} = ${2:anthropic}("${3:model}", key: ${4:account}, maxTokens: 4k)',
  prompt: 'prompt ${1:name}(${2:text}: string) """\n  ${0}\n  """',
  workflow: 'workflow ${1:main}(${2}) {\n  ${0}\n}',
  agent: 'agent ${1:name} {\n  model ${2:smart}\n  role "${3:What it is.}"\n  tools ${4:fs.read}\n  limits { turns: 10, tokens: 100k, cost: \\$1 }\n}',
  loop: 'loop ${1:name} over ${2:git(".")} {\n  limits { cycles: ${3:10} }\n  ${0}\n}',
  test: 'test "${1:what holds}" {\n  expect ${0}\n}',
}

/** What may stand in the body of each declaration. */
const MEMBERS: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>> = {
  workflow: {
    task: 'task ${1:name} = ${0}', let: 'let ${1:name} = ${0}', can: 'can ${0:fs.read("**")}', limits: 'limits { ${1:time}: ${2:10m} }', return: 'return ${0}',
    every: 'every ${1:1h}', cron: 'cron "${1:0 9 * * 1-5}" in "${2:Europe/Berlin}"', 'on failure': 'on failure ${1|stop,continue|}',
  },
  agent: {
    model: 'model ${0}', role: 'role "${0}"', tools: 'tools ${0:fs.read}', can: 'can ${0:fs.read("**")}', limits: 'limits { turns: ${1:10}, cost: \\$${2:1} }',
    'memory run': 'memory run', 'memory thread': 'memory thread "${1:name}"', approve: 'approve ${0}', 'after untrusted ask': 'after untrusted ask',
  },
  loop: {
    can: 'can ${0:fs.read("**")}', limits: 'limits { cycles: ${1:10} }', every: 'every ${1:10m}', 'stop when': 'stop when ${0}', gate: 'gate "${1:what holds}" = ${0}',
    promote: 'promote when ${1:score > champion.score}', rollback: 'rollback when ${1:not run.passed}', ...Object.fromEntries(STAGES.map(stage => [stage, `${stage} = \${0}`])),
  },
  test: { given: 'given ${1:agent} replies [${0}]', let: 'let ${1:result} = ${0}', expect: 'expect ${0}', 'expect denied': 'expect denied(${0})' },
}

const CLAUSES: Readonly<Record<string, string>> = {
  for: 'for ${1:item} in ${2:list}', by: 'by ${1:agent}', after: 'after ${1:task}', when: 'when ${1:condition}', retry: 'retry ${1:2}', timeout: 'timeout ${1:2m}', cache: 'cache ${1:1d}',
  verify: 'verify ${1:3} agree ${2:2}', priority: 'priority ${1|high,normal,low|}', needs: 'needs { cpu: ${1:1} }', parallel: 'parallel ${1:4}', 'on failure': 'on failure ${1|continue,stop|}',
  approve: 'approve "${1:May it?}"', wait: 'wait ${1:1h}', label: 'label "${1}"', ensure: 'ensure ${1:condition} else "${2:what must hold}"',
}

const BASE_TYPES = ['string', 'int', 'float', 'bool', 'json', 'path', 'url', 'bytes', 'duration', 'size', 'tokens', 'money', 'any', 'map', 'untrusted', 'secret']

/**
 * What may be typed at an offset of a file.
 *
 * @param text the file as it is being typed, perhaps newer than what was checked.
 * @param offset UTF-16 code units from its start.
 * @example
 * completionsAt(checked, 'flow.tek', text, text.indexOf('fs.') + 3).map(each => each.label) // ['append', 'exists', …]
 */
export function completionsAt(checked: Compiled, path: string, text: string, offset: number): Completion[] {
  const program = checked.resolution
  const file = fileOf(checked, path)
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)
  if (isComment(line)) return []
  const found = (): Completion[] => {
    const member = /([A-Za-z_]\w*)\.\w*$/.exec(line)
    if (member !== null && program && file) return membersOf(program, file, member[1]!, /\bcan\b[^=]*$/.test(line)) // L2
    if (/^\w*$/.test(line)) return HEADS.map(head => snippet(head, DECLARATIONS[head] ?? head))
    const inside = headAround(text, offset)
    if (/^\s*\w*$/.test(line) && inside !== null) return Object.entries(MEMBERS[inside] ?? {}).map(([label, body]) => snippet(label, body))
    if (/\blimits\s*\{(?:[^}]*,)?\s*\w*$/.test(line)) return limitsIn(inside === 'test' ? 'file' : inside ?? 'file').map(({ name, example }) => snippet(name, `${name}: \${1:${example.replace('$', '\\$')}}`))
    if (inside === 'agent' && /^\s*model\s+\w*$/.test(line)) return named(file?.values).filter(each => each.kind === 'model')
    if (/\bby\s+\w*$/.test(line) || /^agent\s+\w+\s+leads\s[\w\s,]*$/.test(line)) return named(file?.values).filter(each => each.kind === 'agent')
    if (/^\s*capability\b|^\s*can\b/.test(line)) return [...grantsOf(program, file), ...named(file?.capabilities, 'capability')]
    if (/(->|:)\s*[\w.]*$/.test(line) && isTypePlace(line)) return [...named(file?.types, 'type'), ...BASE_TYPES.map((label): Completion => ({ label, kind: 'type', detail: 'a type', doc: '' }))]
    if (/^\s*task\b[^=]*$/.test(line)) return [...Object.entries(CLAUSES).map(([label, body]) => snippet(label, body)), ...values(program, file, offset)]
    return values(program, file, offset)
  }
  return found().slice(0, MAX_COMPLETIONS)
}

function isComment(line: string): boolean {
  return /^\s*\/\//.test(line)
}

/** A colon of a parameter, a field or an annotation, and no colon of a record's entry or a named argument. */
function isTypePlace(line: string): boolean {
  return /->\s*[\w.]*$/.test(line) || /^\s*(workflow|prompt|const|let|type)\b/.test(line) || /^\s*\w+\??:\s*[\w.]*$/.test(line)
}

const snippet = (label: string, body: string): Completion => ({ label, kind: 'snippet', detail: body.replaceAll(/\$\{\d+[:|]?([^}|]*)\|?\}|\$\d/g, '$1').replaceAll(/\s+/g, ' '), doc: '', snippet: body })

/** What a module offers; in a `can`, its grants. */
function membersOf(program: Program, file: FileUnit, name: string, isGrant: boolean): Completion[] {
  const signature = findModule(program, file, name)?.signature
  if (!signature) return []
  if (isGrant) {
    return Object.values(signature.grants).map(({ name: full, doc, params }) => {
      const own = full.slice(full.indexOf('.') + 1)
      return { label: own, kind: 'grant', detail: `${full}(${params.map(each => each.name).join(', ')})`, doc, snippet: `${own}(${params.map((each, index) => `"\${${index + 1}:${each.name}}"`).join(', ')})` }
    })
  }
  return Object.values(signature.functions).map((each): Completion => {
    const required = each.params.filter(param => !param.optional).map((param, index) => `\${${index + 1}:${param.name}}`)
    return { label: each.name, kind: 'function', detail: signatureText(name, each), doc: each.doc, snippet: `${each.name}(${required.join(', ')})` }
  })
}

function grantsOf(program: Program | null, file: FileUnit | undefined): Completion[] {
  return [...modules(program, file), { label: 'exec', kind: 'grant', detail: 'exec(program, arguments?)', doc: 'Starts a program.', snippet: 'exec("${1:program}", "${2:**}")' }]
}

function modules(program: Program | null, file: FileUnit | undefined): Completion[] {
  const names = new Set([...(file?.modules.keys() ?? []), ...(program?.stdNames ?? [])])
  return [...names].map(label => ({ label, kind: 'module', detail: 'a module', doc: (program && file ? findModule(program, file, label)?.signature?.doc : undefined) ?? '' }))
}

function named(symbols: FileUnit['values'] | FileUnit['types'] | FileUnit['capabilities'] | undefined, kind?: CompletionKind): Completion[] {
  return [...(symbols?.values() ?? [])].map(symbol => ({ label: symbol.name, kind: kind ?? symbol.kind, detail: `a ${symbol.kind}`, doc: symbol.declaration.doc }))
}

/** Names of values: those of the declaration around the place, of the file, of the prelude, and modules. */
function values(program: Program | null, file: FileUnit | undefined, offset: number): Completion[] {
  const unit = file?.units.find(each => each.item.offset + each.declaration.start <= offset && offset <= each.item.offset + each.declaration.end)
  const functions = [...prelude.values()].map((each): Completion => ({ label: each.name, kind: 'function', detail: `${each.name}(${each.params.map(paramText).join(', ')})`, doc: each.doc }))
  return [...(unit === undefined ? [] : locals(unit)), ...named(file?.values), ...modules(program, file), ...functions]
}

function locals({ declaration }: Unit): Completion[] {
  const one = (label: string, kind: CompletionKind, doc: string): Completion => ({ label, kind, detail: `a ${kind === 'param' ? 'parameter' : 'task'}`, doc })
  const params = declaration.kind === 'workflow' || declaration.kind === 'prompt' ? declaration.params.map(each => one(each.name.text, 'param', each.doc)) : []
  const tasks = declaration.kind === 'workflow' || declaration.kind === 'test' ? declaration.body.flatMap(each => (each.kind === 'task' || each.kind === 'let' ? [one(each.name.text, 'task', each.doc)] : [])) : []
  return [...params, ...tasks]
}

type Head = 'workflow' | 'agent' | 'loop' | 'test'

/** The word that begins the declaration around a place, if the place is in its body. // L1 */
function headAround(text: string, offset: number): Head | null {
  const before = text.slice(0, offset)
  const heads = [...before.matchAll(/^(workflow|agent|loop|test)\b/gm)]
  const last = heads.at(-1)
  if (last === undefined || /^\S/m.test(before.slice(last.index + last[0].length).replace(/^.*\n/, '').replace(/^\/\/.*$/gm, ''))) return null
  return last[1] as Head
}
