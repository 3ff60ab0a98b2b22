// Declarations: the small ones (const, secret, capability, model, prompt) and what each gives to those who use it.
// Owns: their checks, the table of model providers, chains of fallbacks. Does not own: workflows, agents, loops, tests (files of those names).
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { limitErrors } from '#diagnostics/catalog/limit.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { secretErrors } from '#diagnostics/catalog/secret.ts'
import { MAX_MODEL_CHAIN } from '#model/plan.ts'
import type { ModelSignature, ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, boolType, floatType, intType, qualifiersWithin, qualify, recordOf, stringType } from '#types/construct.ts'
import type { CallExpr, ConstDecl, Expr, Param, PromptDecl, SecretDecl, WorkflowDecl } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { shortened } from '../2-resolve/load.ts'
import { findModule, type ModuleSym, type Sym } from '../2-resolve/program.ts'
import { bindArguments } from './arguments.ts'
import type { Checker } from './checker.ts'
import type { UnitFacts } from './facts.ts'
import { reportShadow } from './infer.ts'
import { literalOf, textOf } from './known-values.ts'
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
const SAMPLING = [option('maxTokens', { kind: 'tokens' }), option('price', PRICE), option('timeout', { kind: 'duration' }), option('key', anyType), option('parallel', intType), option('requestsPerMinute', intType)]

/** Providers that need no module. */
const PROVIDERS: ReadonlyMap<string, ModelSignature> = new Map([
  provider('anthropic', 'Models of Anthropic.', ...SAMPLING, option('baseUrl', { kind: 'url' }), option('thinking', { kind: 'tokens' })),
  provider('openai', 'Models behind an OpenAI-compatible server.', ...SAMPLING, option('baseUrl', { kind: 'url' }), option('temperature', floatType)),
  provider('onnx', 'A model in a local directory.', ...SAMPLING, option('temperature', floatType), option('threads', intType), option('gpu', boolType)),
])

export function checkModel(checker: Checker, symbol: Sym<'model'>): void {
  const { value } = symbol.declaration
  const scope = new Scope(null, pureCalls('a model'))
  checkFallbacks(checker, symbol)
  if (value.kind === 'name-expr') return checkModelName(checker, value)
  if (value.kind !== 'call') {
    const help = ['Name a provider: `anthropic("…")`, `openai("…")` or `onnx("…")`.']
    if (value.kind !== 'error-expr') checker.report(nameErrors['unknown-model']({ name: 'this' }, { at: checker.at(value), help }))
    return
  }
  const found = providerOf(checker, value)
  if (found === null) return
  const { signature, module } = found
  const bound = bindArguments(checker, { name: signature.name, params: signature.params, at: value.callee }, value.args, null)
  checker.facts.model = { module, provider: signature.name, args: bound }
  for (const { param, values } of bound) {
    for (const each of values) {
      if (param.name === 'fallback') checkFallback(checker, each)
      else if (param.name === 'key') {
        const { values: names, unknown } = checker.unit.file
        const isSecret = each.kind === 'name-expr' && (names.get(each.name)?.kind === 'secret' || unknown.has(each.name))
        if (!isSecret && each.kind !== 'error-expr') checker.report(agentErrors['bad-key']({}, { at: checker.at(each) }))
      } else {
        checker.expect(each, scope, param.type, `The argument \`${param.name}\``)
        if (!checker.hasErrors() && !isWrittenOut(checker.facts, param.name, each)) checker.report(agentErrors['not-written-out']({ option: param.name }, { at: checker.at(each) }))
        else if ((param.name === 'maxTokens' || param.name === 'timeout') && literalOf(checker.facts, each)?.value === 0) checker.report(limitErrors['not-positive']({ name: param.name }, { at: checker.at(each) }))
      }
    }
  }
}

/** What a plan tells of a model in numbers has to be known before it runs. */
function isWrittenOut(facts: UnitFacts, option: string, value: Expr): boolean {
  if (option === 'model') return textOf(facts, value) !== null
  if (option === 'maxTokens' || option === 'timeout') return literalOf(facts, value) !== null
  if (option !== 'price') return true
  return value.kind === 'record' && value.entries.every(entry => entry.kind === 'entry' && literalOf(facts, entry.value) !== null)
}

function checkFallback(checker: Checker, value: Expr): void {
  if (value.kind === 'name-expr') return checkModelName(checker, value)
  if (value.kind !== 'error-expr') checker.report(nameErrors['unknown-model']({ name: 'this' }, { at: checker.at(value), help: ['Declare the other model, and name it: `fallback: other`.'] }))
}

/** Reports models that stand in for each other in a circle, once, at the one that comes first; and a chain that is too long, where it begins. */
function checkFallbacks(checker: Checker, symbol: Sym<'model'>): void {
  const chain: Sym<'model'>[] = [symbol]
  for (let next = nextModel(symbol); next !== null; next = nextModel(next)) {
    const isBack = next === symbol
    if (!isBack && chain.includes(next)) return // a circle further on: reported there
    if (isBack) {
      if (chain.some(each => each.unit.file === symbol.unit.file && each.unit.item.offset < symbol.unit.item.offset)) return
      const problem = `come back to it: ${shortened([...chain, symbol].map(each => `\`${each.name}\``)).join(' → ')}`
      return checker.report(agentErrors['bad-fallback']({ model: symbol.name, problem }, { at: checker.at(symbol.declaration.name) }))
    }
    chain.push(next)
    if (chain.length > MAX_MODEL_CHAIN + 1) return // reported at the next one
  }
  if (chain.length > MAX_MODEL_CHAIN) checker.report(agentErrors['bad-fallback']({ model: symbol.name, problem: `are more than ${MAX_MODEL_CHAIN - 1}` }, { at: checker.at(symbol.declaration.name) }))
}

/** The model that another's declaration names: one it is another name of, or falls back on. */
function nextModel({ unit, declaration: { value } }: Sym<'model'>): Sym<'model'> | null {
  const named = value.kind === 'call' ? value.args.find(arg => arg.name?.text === 'fallback')?.value : value
  const symbol = named?.kind === 'name-expr' ? unit.file.values.get(named.name) : undefined
  return symbol?.kind === 'model' ? (symbol as Sym<'model'>) : null
}

function providerOf(checker: Checker, call: CallExpr): { readonly signature: ModelSignature; readonly module: ModuleSym | null } | null {
  const { callee } = call
  const { file } = checker.unit
  if (callee.kind === 'member' && callee.object.kind === 'name-expr') {
    const module = findModule(checker.program, file, callee.object.name)
    const models = module?.signature?.models
    if (module !== null && module.signature === null) return null
    if (module && models && Object.hasOwn(models, callee.name.text)) {
      const signature = models[callee.name.text]!
      return { signature: { ...signature, params: [...signature.params, ...SAMPLING, option('temperature', floatType), option('fallback', anyType)] }, module }
    }
    const at = checker.at(callee)
    checker.report(nameErrors['unknown-model']({ name: `${callee.object.name}.${callee.name.text}` }, { at, ...suggest(callee.name.text, Object.keys(models ?? {}), checker.at(callee.name)) }))
    return null
  }
  const name = callee.kind === 'name-expr' ? callee.name : ''
  const known = PROVIDERS.get(name)
  if (known !== undefined) return { signature: known, module: null }
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
