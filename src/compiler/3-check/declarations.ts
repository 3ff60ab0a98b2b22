// Declarations: the small ones (const, secret, capability, model, prompt) and what each gives to those who use it.
// Owns: their checks, the table of model providers. Does not own: workflows, agents, loops, tests (files of those names).
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { secretErrors } from '#diagnostics/catalog/secret.ts'
import type { ModelSignature, ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, boolType, floatType, intType, qualifiersWithin, qualify, recordOf, stringType } from '#types/construct.ts'
import type { CallExpr, ConstDecl, Expr, ModelDecl, Param, PromptDecl, SecretDecl, WorkflowDecl } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { findModule } from '../2-resolve/program.ts'
import { bindArguments } from './arguments.ts'
import type { Checker } from './checker.ts'
import { reportShadow } from './infer.ts'
import { type Mentions, mentionsOf } from './mentions.ts'
import { pureCalls, Scope } from './scope.ts'

/** Gives the const's type. */
export function checkConst(checker: Checker, declaration: ConstDecl): Type {
  const scope = new Scope(null, pureCalls('a `const`'))
  if (declaration.type === null) return checker.infer(declaration.value, scope)
  const wanted = checker.typeOf(declaration.type)
  const found = checker.expect(declaration.value, scope, wanted, `The value of \`${declaration.name.text}\``)
  return qualify(wanted, qualifiersWithin(found))
}

/** Where a secret may come from, with how many arguments at most. */
const SECRET_SOURCES: ReadonlyMap<string, number> = new Map([['env', 1], ['file', 1], ['command', 256]])
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/

/** A secret comes from a variable of the environment, a file or what a command prints, each written out. */
export function checkSecret(checker: Checker, declaration: SecretDecl): void {
  const { value } = declaration
  if (value.kind === 'error-expr') return
  const source = value.kind === 'call' && value.callee.kind === 'name-expr' ? value.callee.name : ''
  const texts = value.kind === 'call' ? value.args.map(arg => (arg.name === null && arg.value.kind === 'string-literal' ? arg.value.value : null)) : []
  const fits = texts.length > 0 && texts.length <= (SECRET_SOURCES.get(source) ?? 0) && texts.every(text => text !== null) && texts[0] !== ''
  if (!fits || (source === 'env' && !VARIABLE_NAME.test(texts[0]!))) checker.report(secretErrors['bad-source']({ name: declaration.name.text }, { at: checker.at(value) }))
}

export function paramsOf(checker: Checker, params: readonly Param[]): ParamSignature[] {
  return params.map(param => ({ name: param.name.text, doc: param.doc, type: checker.typeOf(param.type), optional: param.default !== null }))
}

/** The parameters of a workflow; what says which things it may touch must be trusted. */
export function workflowParams(checker: Checker, { params, body }: WorkflowDecl): ParamSignature[] {
  const named: Mentions = new Map()
  for (const member of body) if (member.kind === 'can') for (const grant of member.grants) for (const arg of grant.args ?? []) mentionsOf(arg.value, named)
  return paramsOf(checker, params).map(param => (named.has(param.name) ? { ...param, sink: true } : param))
}

/** Checks a prompt template; gives the type of its text. */
export function checkPromptTemplate(checker: Checker, declaration: PromptDecl): Type {
  const scope = new Scope(null, pureCalls('a prompt'))
  for (const param of declaration.params) {
    const type = checker.typeOf(param.type)
    if (param.default !== null) checker.expect(param.default, scope, type, `The default of \`${param.name.text}\``)
    reportShadow(checker, scope, param.name)
    scope.add(param.name.text, { ref: { kind: 'param', name: param.name.text }, type, span: param.name, what: 'a parameter' })
  }
  return qualify(stringType, qualifiersWithin(checker.infer(declaration.text, scope)))
}

const option = (name: string, type: Type): ParamSignature => ({ name, doc: '', type, optional: true })
const provider = (name: string, doc: string, ...params: ParamSignature[]): [string, ModelSignature] => [
  name, { name, doc, params: [{ name: 'model', doc: '', type: stringType, optional: false }, ...params, option('fallback', anyType)], options: {} },
]
const PRICE = recordOf({ input: { kind: 'money' }, output: { kind: 'money' } }) // per million tokens
const SAMPLING = [option('maxTokens', { kind: 'tokens' }), option('price', PRICE), option('timeout', { kind: 'duration' }), option('key', anyType)]

/** Providers that need no module. */
const PROVIDERS: ReadonlyMap<string, ModelSignature> = new Map([
  provider('anthropic', 'Models of Anthropic.', ...SAMPLING, option('baseUrl', { kind: 'url' }), option('thinking', { kind: 'tokens' })),
  provider('openai', 'Models behind an OpenAI-compatible server.', ...SAMPLING, option('baseUrl', { kind: 'url' }), option('temperature', floatType)),
  provider('onnx', 'A model in a local directory.', ...SAMPLING, option('temperature', floatType), option('threads', intType), option('gpu', boolType)),
])

export function checkModel(checker: Checker, declaration: ModelDecl): void {
  const { value } = declaration
  const scope = new Scope(null, pureCalls('a model'))
  if (value.kind === 'name-expr') return checkModelName(checker, value)
  if (value.kind !== 'call') {
    const help = ['Name a provider: `anthropic("…")`, `openai("…")` or `onnx("…")`.']
    if (value.kind !== 'error-expr') checker.report(nameErrors['unknown-model']({ name: 'this' }, { at: checker.at(value), help }))
    return
  }
  const signature = providerOf(checker, value)
  if (signature === null) return
  const bound = bindArguments(checker, { name: signature.name, params: signature.params, at: value.callee }, value.args, null)
  for (const { param, values } of bound) {
    for (const each of values) {
      if (param.name === 'fallback' && each.kind === 'name-expr') checkModelName(checker, each)
      else if (each.kind !== 'name-expr' || checker.unit.file.values.get(each.name)?.kind !== 'secret') checker.expect(each, scope, param.type, `The argument \`${param.name}\``)
    }
  }
}

function providerOf(checker: Checker, call: CallExpr): ModelSignature | null {
  const { callee } = call
  const { file } = checker.unit
  if (callee.kind === 'member' && callee.object.kind === 'name-expr') {
    const module = findModule(checker.program, file, callee.object.name)
    const models = module?.signature?.models
    if (module !== null && module.signature === null) return null
    if (models && Object.hasOwn(models, callee.name.text)) return models[callee.name.text]!
    const at = checker.at(callee)
    checker.report(nameErrors['unknown-model']({ name: `${callee.object.name}.${callee.name.text}` }, { at, ...suggest(callee.name.text, Object.keys(models ?? {}), checker.at(callee.name)) }))
    return null
  }
  const name = callee.kind === 'name-expr' ? callee.name : ''
  const known = PROVIDERS.get(name)
  if (known !== undefined) return known
  if (name !== '') checker.report(nameErrors['unknown-model']({ name }, { at: checker.at(callee), ...suggest(name, PROVIDERS.keys(), checker.at(callee)) }))
  return null
}

/** Reports a name that is no model. */
export function checkModelName(checker: Checker, expr: Extract<Expr, { kind: 'name-expr' }>): void {
  const { file } = checker.unit
  if (file.values.get(expr.name)?.kind === 'model' || file.unknown.has(expr.name)) return
  const models = [...file.values.values()].filter(each => each.kind === 'model').map(each => each.name)
  checker.report(nameErrors['unknown-model']({ name: expr.name }, { at: checker.at(expr), ...suggest(expr.name, models, checker.at(expr)) }))
}
