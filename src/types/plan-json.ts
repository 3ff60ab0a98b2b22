// Plan JSON: the hash of a plan, and whether some JSON is one.
// Owns: what a valid plan is, part by part, with references in range. Does not own: the shape (model/plan.ts), the words of the report.
//   V1. What passes can be carried out: every index, key and operator the interpreter follows has been looked at.
//   V2. Depth and size are bounded before anything recursive looks at the plan.
//   V3. The hash leaves out `hash`, `places`, `docs`, `undecided`, `trusted`, and the doc comments inside types that no model is told.
import { sha256 } from '#base/hash.ts'
import { canonicalJson, type Json } from '#base/json.ts'
import { type Plan, readableVersions } from '#model/plan.ts'
import type { Type } from '#model/type.ts'
import { agentBodiesProblem, modelsProblem, type PlanLook } from './plan-json-agents.ts'
import { hiddenProblem } from './plan-json-hidden.ts'
import { typeProblem } from './plan-json-types.ts'
import { isOfLoop, loopsProblem, workspaceProblem } from './plan-json-loops.ts'
import { triggersProblem, waitsProblem } from './plan-json-waits.ts'
import { worstProblem } from './plan-json-worst.ts'

const MAX_PLAN_DEPTH = 2_000
const MAX_PLAN_PARTS = 20_000_000

export type PlanProblem =
  | { readonly kind: 'other-version'; readonly found: string }
  | { readonly kind: 'damaged'; readonly problem: string }

/**
 * The hash of a plan: of everything that changes what it does (V3).
 *
 * @example
 * hashPlan(plan) === plan.hash // true for a plan nobody touched
 */
export function hashPlan(plan: Plan): string {
  const { hash: _hash, places: _places, docs: _docs, undecided: _undecided, trusted: _trusted, worst: _worst, ...rest } = plan
  const workflows = Object.fromEntries(Object.entries(rest.workflows).map(([key, workflow]) => [key, {
    ...workflow,
    result: withoutFieldDocs(workflow.result),
    params: workflow.params.map(param => ({ ...param, type: withoutFieldDocs(param.type) })),
    nodes: workflow.nodes.map(node => (node.body.kind === 'agent' && plan.version > 2 ? node : { ...node, type: withoutFieldDocs(node.type) })),
  }]))
  return sha256(canonicalJson({ ...rest, workflows } as unknown as Json))
}

/** The type with the doc comments of its fields left out; itself where there are none. */
export function withoutFieldDocs(type: Type): Type {
  switch (type.kind) {
    case 'list':
      return { ...type, item: withoutFieldDocs(type.item) }
    case 'map':
      return { ...type, value: withoutFieldDocs(type.value) }
    case 'untrusted':
    case 'secret':
      return { ...type, of: withoutFieldDocs(type.of) }
    case 'union':
      return { ...type, members: type.members.map(withoutFieldDocs) }
    case 'record': {
      const fields = Object.entries(type.fields).map(([name, field]) => [name, { type: withoutFieldDocs(field.type), optional: field.optional }] as const)
      return { ...type, fields: Object.fromEntries(fields) }
    }
    default:
      return type
  }
}

/**
 * Whether some JSON is a plan that this tek can carry out.
 *
 * @returns the plan itself, or the first problem with where it lies.
 * @example
 * validatePlan({ version: 99 }) // { value: null, problem: { kind: 'other-version', found: '99' } }
 */
export function validatePlan(json: unknown): { readonly value: Plan; readonly problem: null } | { readonly value: null; readonly problem: PlanProblem } {
  if (!isRecord(json)) return { value: null, problem: { kind: 'damaged', problem: 'it is not an object' } }
  if (!readableVersions.includes(json['version'] as number)) return { value: null, problem: { kind: 'other-version', found: typeof json['version'] === 'number' ? String(json['version']) : 'unknown' } }
  const problem = sizeProblem(json) ?? new Validator(json).plan() ?? (hashPlan(json as unknown as Plan) === json['hash'] ? null : 'its content does not match its hash')
  return problem === null ? { value: json as unknown as Plan, problem: null } : { value: null, problem: { kind: 'damaged', problem } }
}

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isIndex = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)

/** V2. */
function sizeProblem(json: unknown): string | null {
  let parts = 0
  let layer: unknown[] = [json]
  for (let depth = 0; layer.length > 0; depth++) {
    if (depth > MAX_PLAN_DEPTH) return `it is more than ${MAX_PLAN_DEPTH} deep`
    const next: unknown[] = []
    for (const value of layer) {
      if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) next.push(each)
    }
    parts += next.length
    if (parts > MAX_PLAN_PARTS) return `it has more than ${MAX_PLAN_PARTS} parts`
    layer = next
  }
  return null
}

/** What an expression may refer to. */
interface Names {
  readonly nodes: number
  readonly params: ReadonlySet<string>
  /** Of a workflow that stands for a part of a loop. */
  readonly isHidden?: boolean
}

function undecidedCall(value: unknown, at: string): string | null {
  const isOne = isRecord(value) && ['workflow', 'callee', 'grant', 'path'].every(key => typeof value[key] === 'string') && ['line', 'column'].every(key => isIndex(value[key]))
  return isOne ? null : `${at} is no call`
}

function trustedValue(value: unknown, at: string): string | null {
  const isOne = isRecord(value) && ['workflow', 'reason', 'path'].every(key => typeof value[key] === 'string') && ['line', 'column'].every(key => isIndex(value[key]))
  return isOne ? null : `${at} is no value that somebody vouches for`
}

class Validator {
  private readonly json: Fields
  private readonly modules = new Set<string>()
  private readonly constants = new Set<string>()
  private readonly secrets = new Set<string>()

  constructor(json: Fields) {
    this.json = json
  }

  /** The first problem, or null. */
  plan(): string | null {
    const { json } = this
    if (typeof json['hash'] !== 'string') return '`hash` is missing'
    if (!isIndex(json['edition'])) return '`edition` is no year'
    return (
      this.each(json['modules'], 'modules', (each, at) => this.module(each, at)) ??
      (json['secrets'] === undefined ? null : this.each(json['secrets'], 'secrets', (each, at) => this.secret(each, at))) ??
      this.each(json['constants'], 'constants', (each, at) => this.constant(each, at)) ??
      this.table(json['prompts'], 'prompts', (each, at) => this.prompt(each, at)) ??
      this.table(json['workflows'], 'workflows', (each, at) => this.workflow(each, at)) ??
      (json['files'] === undefined ? null : this.each(json['files'], 'files', (each, at) => this.file(each, at))) ??
      this.each(json['entries'], 'entries', (each, at) => this.entry(each, at)) ??
      this.each(json['tests'], 'tests', (each, at) => this.test(each, at)) ??
      this.authority(json['authority'], 'authority', { nodes: 0, params: new Set() }) ??
      this.limits(json['limits'], 'limits') ??
      this.each(json['agents'], 'agents', text) ??
      modelsProblem(json, this.look(), this.secrets) ??
      agentBodiesProblem(json, this.look()) ??
      hiddenProblem(json) ??
      (json['agentAuthority'] === undefined ? null : this.table(json['agentAuthority'], 'agentAuthority', (each, at) => this.authority(each, at, { nodes: 0, params: new Set() }))) ??
      (json['accepted'] === undefined ? null : this.each(json['accepted'], 'accepted', text)) ??
      this.each(json['loops'], 'loops', text) ??
      loopsProblem(json, this.look(), this.secrets) ??
      this.table(json['places'], 'places', (each, at) => (isRecord(each) && typeof each['path'] === 'string' ? null : `${at} is no place`)) ??
      this.table(json['docs'], 'docs', text) ??
      (json['undecided'] === undefined ? null : this.each(json['undecided'], 'undecided', undecidedCall)) ??
      (json['trusted'] === undefined ? null : this.each(json['trusted'], 'trusted', trustedValue)) ??
      (json['worst'] === undefined ? null : worstProblem(json['worst'], 'worst'))
    )
  }

  /** What the parts that are looked at elsewhere need from here; their expressions mention constants, secrets and prompts only. */
  private look(): PlanLook {
    const none: Names = { nodes: 0, params: new Set() }
    return {
      hasModule: name => this.modules.has(name), hasWorkflow: key => this.has('workflows', key), type: typeProblem,
      expr: (value, at) => this.expr(value, at, none), authority: (value, at) => this.authority(value, at, none), limits: (value, at) => this.limits(value, at), needs: (value, at) => this.needs(value, at),
    }
  }

  private has(table: 'workflows' | 'prompts', key: string): boolean {
    const value = this.json[table]
    return isRecord(value) && Object.hasOwn(value, key)
  }

  private each(value: unknown, at: string, check: (each: unknown, at: string) => string | null): string | null {
    if (!Array.isArray(value)) return `\`${at}\` is no list`
    for (let index = 0; index < value.length; index++) {
      const problem = check(value[index], `${at}[${index}]`)
      if (problem !== null) return problem
    }
    return null
  }

  private table(value: unknown, at: string, check: (each: unknown, at: string) => string | null): string | null {
    if (!isRecord(value)) return `\`${at}\` is no object`
    for (const [key, each] of Object.entries(value)) {
      const problem = check(each, `${at}.${key}`)
      if (problem !== null) return problem
    }
    return null
  }

  private module(value: unknown, at: string): string | null {
    if (!isRecord(value)) return `${at} is no module`
    for (const key of ['name', 'source', 'release', 'hash']) if (typeof value[key] !== 'string') return `${at}.${key} is no text`
    if (value['origin'] === 'loop') {
      if (value['name'] !== '@loop') return `${at} is no module of loops`
    } else if (!['std', 'plugin', 'mcp'].includes(value['origin'] as string)) return `${at}.origin is neither std, plugin nor mcp`
    if (value['server'] !== undefined && (value['origin'] !== 'mcp' || !isServer(value['server']))) return `${at}.server is no server`
    if (value['needsNode'] !== undefined && (typeof value['needsNode'] !== 'string' || value['origin'] === 'std')) return `${at}.needsNode is no reason of a plugin`
    this.modules.add(value['name'] as string)
    return null
  }

  private constant(value: unknown, at: string): string | null {
    if (!isRecord(value) || typeof value['name'] !== 'string') return `${at} has no name`
    const problem = this.expr(value['value'], `${at}.value`, { nodes: 0, params: new Set() })
    this.constants.add(value['name'])
    return problem
  }

  private secret(value: unknown, at: string): string | null {
    if (!isRecord(value) || typeof value['name'] !== 'string') return `${at} has no name`
    this.secrets.add(value['name'])
    const { source } = value
    if (!isRecord(source)) return `${at} has no source`
    if (source['kind'] === 'env') return typeof source['name'] === 'string' ? null : `${at}.source names no variable`
    if (source['kind'] === 'file') return typeof source['path'] === 'string' ? null : `${at}.source names no file`
    if (source['kind'] !== 'command') return `${at}.source.kind is unknown`
    return typeof source['program'] === 'string' ? this.each(source['args'], `${at}.source.args`, text) : `${at}.source names no program`
  }

  private file(value: unknown, at: string): string | null {
    if (!isRecord(value) || typeof value['path'] !== 'string') return `${at} has no path`
    return this.authority(value['authority'], `${at}.authority`, { nodes: 0, params: new Set() }) ?? this.limits(value['limits'], `${at}.limits`)
  }

  /** What a run can begin with is from the entry file, whose level stands in the plan itself. */
  private entry(value: unknown, at: string): string | null {
    if (typeof value !== 'string' || !this.has('workflows', value)) return `${at} names no workflow`
    return (this.json['workflows'] as Readonly<Record<string, Fields>>)[value]!['file'] === undefined ? null : `${at} is from another file`
  }

  private prompt(value: unknown, at: string): string | null {
    if (!isRecord(value) || !Array.isArray(value['params'])) return `${at} has no parameters`
    return this.each(value['params'], `${at}.params`, text) ?? this.expr(value['text'], `${at}.text`, { nodes: 0, params: new Set(value['params'] as string[]) })
  }

  private workflow(value: unknown, at: string): string | null {
    if (!isRecord(value) || typeof value['name'] !== 'string') return `${at} has no name`
    const { nodes, file } = value
    if (!Array.isArray(nodes)) return `\`${at}.nodes\` is no list`
    if (file !== undefined && !(isIndex(file) && Array.isArray(this.json['files']) && file < this.json['files'].length)) return `${at}.file names no file`
    const params = new Set<string>()
    const names: Names = { nodes: nodes.length, params, isHidden: isOfLoop(value) }
    return (
      this.each(value['params'], `${at}.params`, (each, place) => {
        if (!isRecord(each) || typeof each['name'] !== 'string') return `${place} has no name`
        params.add(each['name'])
        return typeProblem(each['type'], `${place}.type`) ?? this.optionalExpr(each['default'], `${place}.default`, { nodes: 0, params })
      }) ??
      typeProblem(value['result'], `${at}.result`) ??
      this.authority(value['authority'], `${at}.authority`, { nodes: 0, params }) ??
      this.limits(value['limits'], `${at}.limits`) ??
      this.onFailure(value['onFailure'], `${at}.onFailure`, names) ??
      triggersProblem(value['triggers'], `${at}.triggers`, params, this.secrets) ??
      this.each(nodes, `${at}.nodes`, (each, place) => this.node(each, place, names)) ??
      this.indexes(value['returnsDependsOn'], `${at}.returnsDependsOn`, nodes.length) ??
      this.order(nodes, `${at}.nodes`) ??
      workspaceProblem(value, at) ??
      this.expr(value['returns'], `${at}.returns`, names)
    )
  }

  private indexes(value: unknown, at: string, below: number): string | null {
    return this.each(value, at, (each, place) => (isIndex(each) && each < below ? null : `${place} is no index of a node`))
  }

  /** Every node comes after those it depends on (P3 of the plan). */
  private order(nodes: readonly unknown[], at: string): string | null {
    for (let index = 0; index < nodes.length; index++) {
      const problem = this.indexes((nodes[index] as Fields)['dependsOn'], `${at}[${index}].dependsOn`, index)
      if (problem !== null) return problem
    }
    return null
  }

  private node(value: unknown, at: string, names: Names): string | null {
    if (!isRecord(value) || typeof value['name'] !== 'string') return `${at} has no name`
    if (value['kind'] !== 'let' && value['kind'] !== 'task') return `${at}.kind is neither let nor task`
    const { forEach, retry, cache, verify, needs } = value
    if (forEach !== null) {
      if (!isRecord(forEach) || typeof forEach['item'] !== 'string') return `${at}.forEach has no item`
      const problem = this.expr(forEach['list'], `${at}.forEach.list`, names) ?? this.optionalExpr(forEach['width'], `${at}.forEach.width`, names)
      if (problem !== null) return problem
    }
    if (retry !== null && !(isRecord(retry) && isIndex(retry['count']) && isNumber(retry['fromMs']) && isNumber(retry['toMs']))) return `${at}.retry is damaged`
    if (value['timeoutMs'] !== null && !isNumber(value['timeoutMs'])) return `${at}.timeoutMs is no number`
    if (cache !== null && !(isRecord(cache) && (cache['ageMs'] === null || isNumber(cache['ageMs'])))) return `${at}.cache is damaged`
    const isTold = (of: Fields): boolean => of['tells'] === undefined || (of['tells'] === true && names.isHidden === true)
    if (verify !== null && !(isRecord(verify) && isIndex(verify['runs']) && [verify['agree'], verify['upTo']].every(each => each === null || isIndex(each)) && isTold(verify))) return `${at}.verify is damaged`
    if (value['mustCheck'] !== undefined && value['mustCheck'] !== true) return `${at}.mustCheck is neither true nor absent`
    if (value['uncounted'] !== undefined && !(value['uncounted'] === true && names.isHidden === true)) return `${at}.uncounted is not of a loop`
    if (!isNumber(value['priority'])) return `${at}.priority is no number`
    const wait = value['wait']
    const waits = waitsProblem(value, at)
    if (waits !== null) return waits
    if (needs !== null && !(isRecord(needs) && isNumber(needs['cpu']) && isNumber(needs['memoryBytes']))) return `${at}.needs is damaged`
    return (
      typeProblem(value['type'], `${at}.type`) ??
      this.optionalExpr(value['when'], `${at}.when`, names) ??
      (isRecord(cache) ? this.optionalExpr(cache['by'], `${at}.cache.by`, names) : null) ??
      (isRecord(verify) ? this.optionalExpr(verify['key'], `${at}.verify.key`, names) : null) ??
      this.optionalExpr(value['approve'], `${at}.approve`, names) ??
      (isRecord(wait) ? this.expr(wait['value'], `${at}.wait.value`, names) : null) ??
      this.ensure(value, at, names) ??
      this.optionalExpr(value['label'], `${at}.label`, names) ??
      (value['onFailure'] === null ? null : this.onFailure(value['onFailure'], `${at}.onFailure`, names)) ??
      this.body(value['body'], `${at}.body`, names)
    )
  }

  private ensure({ ensure, kind }: Fields, at: string, names: Names): string | null {
    if (ensure === undefined) return null
    if (kind !== 'task' || !Array.isArray(ensure) || ensure.length === 0) return `${at}.ensure is no list of what must hold`
    return this.each(ensure, `${at}.ensure`, (each, place) => {
      if (isRecord(each) && ![undefined, true].includes(each['isUntrusted'] as true)) return `${place}.isUntrusted is not true`
      return isRecord(each) ? (this.expr(each['condition'], `${place}.condition`, names) ?? this.expr(each['says'], `${place}.says`, names)) : `${place} has no condition`
    })
  }

  private body(value: unknown, at: string, names: Names): string | null {
    if (!isRecord(value)) return `${at} is no body`
    if (value['kind'] === 'expr') return this.expr(value['value'], `${at}.value`, names)
    if (value['kind'] === 'agent') {
      for (const flag of ['isUntrusted', 'hasNoTools']) if (value[flag] !== undefined && value[flag] !== true) return `${at}.${flag} is not true`
      return this.isAgent(value['agent']) ? this.expr(value['prompt'], `${at}.prompt`, names) : `${at}.agent names no agent`
    }
    if (value['kind'] !== 'workflow') return `${at}.kind is unknown`
    if (typeof value['workflow'] !== 'string' || !this.has('workflows', value['workflow'])) return `${at} names no workflow`
    return this.table(value['args'], `${at}.args`, (each, place) => this.expr(each, place, names))
  }

  /** Before version 3 no plan held agents. */
  private isAgent(key: unknown): boolean {
    const { version, agentBodies } = this.json
    return typeof key === 'string' && ((version === 2 && agentBodies === undefined) || (isRecord(agentBodies) && Object.hasOwn(agentBodies, key)))
  }

  private onFailure(value: unknown, at: string, names: Names): string | null {
    if (!isRecord(value)) return `${at} is missing`
    if (value['kind'] === 'use') return this.expr(value['value'], `${at}.value`, names)
    return value['kind'] === 'stop' || value['kind'] === 'continue' ? null : `${at}.kind is unknown`
  }

  private authority(value: unknown, at: string, names: Names): string | null {
    if (value === null) return null
    return this.each(value, at, (grant, place) => {
      if (!isRecord(grant) || typeof grant['name'] !== 'string') return `${place} has no name`
      return (
        this.each(grant['args'], `${place}.args`, (arg, inner) => this.expr(arg, inner, names)) ??
        this.each(grant['implies'], `${place}.implies`, (each, inner) => {
          if (!isRecord(each) || typeof each['name'] !== 'string') return `${inner} has no name`
          return this.each(each['args'], `${inner}.args`, text)
        })
      )
    })
  }

  private limits(value: unknown, at: string): string | null {
    return this.table(value, at, (each, place) => (isNumber(each) || typeof each === 'boolean' ? null : `${place} is no number`))
  }

  private test(value: unknown, at: string): string | null {
    if (!isRecord(value) || typeof value['name'] !== 'string') return `${at} has no name`
    const names: Names = { nodes: 0, params: new Set() }
    return (
      this.each(value['given'], `${at}.given`, (each, place) => this.given(each, place, names)) ??
      this.each(value['steps'], `${at}.steps`, (each, place) => {
        if (!isRecord(each)) return `${place} is no step`
        if (each['kind'] === 'let') return typeof each['name'] === 'string' ? this.body(each['body'], `${place}.body`, names) : `${place} has no name`
        return each['kind'] === 'expect' && typeof each['text'] === 'string' ? this.expr(each['condition'], `${place}.condition`, names) : `${place}.kind is unknown`
      })
    )
  }

  private given(value: unknown, at: string, names: Names): string | null {
    if (!isRecord(value)) return `${at} stands in for nothing`
    switch (value['kind'] ?? 'replies') {
      case 'replies':
        return typeof value['agent'] === 'string' ? this.expr(value['replies'], `${at}.replies`, names) : `${at} names no agent`
      case 'replays':
        if (typeof value['agent'] !== 'string') return `${at} names no agent`
        return typeof value['cassette'] === 'string' && value['cassette'] !== '' ? null : `${at} names no cassette`
      case 'returns':
      case 'fails':
        if (!this.modules.has(value['module'] as string) || typeof value['fn'] !== 'string') return `${at} names no tool`
        return this.expr(value['value'], `${at}.value`, names)
      default:
        return `${at}.kind is unknown`
    }
  }

  private optionalExpr(value: unknown, at: string, names: Names): string | null {
    return value === null ? null : this.expr(value, at, names)
  }

  private expr(value: unknown, at: string, names: Names): string | null {
    if (!isRecord(value)) return `${at} is no expression`
    const inner = (key: string): string | null => this.expr(value[key], `${at}.${key}`, names)
    const named = (key: string): string | null => this.table(value[key], `${at}.${key}`, (each, place) => this.expr(each, place, names))
    const list = (key: string): string | null => this.each(value[key], `${at}.${key}`, (each, place) => this.expr(each, place, names))
    const word = (key: string): string | null => (typeof value[key] === 'string' ? null : `${at}.${key} is no text`)
    switch (value['op']) {
      case 'value':
        return 'value' in value ? null : `${at} has no value`
      case 'param':
        return names.params.has(value['name'] as string) ? null : `${at} names no parameter`
      case 'node':
        return isIndex(value['index']) && value['index'] < names.nodes ? null : `${at} names no node`
      case 'local':
        return word('name')
      case 'constant':
        return this.constants.has(value['name'] as string) ? null : `${at} names no constant`
      case 'secret':
        return this.secrets.has(value['name'] as string) ? null : `${at} names no secret`
      case 'list':
        return list('items')
      case 'record':
        return this.each(value['entries'], `${at}.entries`, (each, place) => {
          if (!isRecord(each) || (each['key'] !== null && typeof each['key'] !== 'string')) return `${place} has no key`
          return this.expr(each['value'], place, names)
        })
      case 'template':
        return this.each(value['parts'], `${at}.parts`, (each, place) => (typeof each === 'string' ? null : this.expr(each, place, names)))
      case 'member':
        return word('name') ?? inner('object')
      case 'index':
        return inner('object') ?? inner('index')
      case 'negate':
      case 'not':
        return inner('value')
      case 'and': case 'or': case 'coalesce': case '+': case '-': case '*': case '/': case '==': case '!=': case '<': case '<=': case '>': case '>=': case 'in':
        if (value['float'] !== undefined && value['float'] !== true) return `${at}.float is neither true nor absent`
        return inner('left') ?? inner('right')
      case 'if':
        return inner('condition') ?? inner('then') ?? inner('else')
      case 'match':
        return inner('subject') ?? this.each(value['arms'], `${at}.arms`, (each, place) => {
          return isRecord(each) && Array.isArray(each['patterns']) ? this.expr(each['value'], `${place}.value`, names) : `${place} is no arm`
        })
      case 'lambda':
        return word('param') ?? inner('body')
      case 'comprehension':
        return word('item') ?? inner('list') ?? this.optionalExpr(value['condition'], `${at}.condition`, names) ?? inner('value')
      case 'prelude':
        return word('fn') ?? list('args') ?? (value['named'] === undefined ? null : named('named'))
      case 'call':
        if (!this.modules.has(value['module'] as string)) return `${at} names no module`
        if (!['pure', 'read', 'write'].includes(value['effect'] as string)) return `${at}.effect is unknown`
        return word('fn') ?? word('runs') ?? named('args') ?? this.needs(value['needs'], `${at}.needs`)
          ?? (value['secretArgs'] === undefined ? null : this.each(value['secretArgs'], `${at}.secretArgs`, text))
      case 'prompt':
        return typeof value['prompt'] === 'string' && this.has('prompts', value['prompt']) ? named('args') : `${at} names no prompt`
      case 'denied':
        return inner('call')
      default:
        return `${at}.op is unknown`
    }
  }

  private needs(value: unknown, at: string): string | null {
    return this.each(value, at, (each, place) => {
      if (!isRecord(each) || typeof each['grant'] !== 'string') return `${place} has no grant`
      return this.each(each['args'], `${place}.args`, (arg, inner) => {
        const isArg = isRecord(arg) && ((typeof arg['param'] === 'string' && [undefined, true].includes(arg['each'] as undefined | true)) || typeof arg['literal'] === 'string')
        return isArg ? null : `${inner} is no argument`
      })
    })
  }
}

function text(value: unknown, at: string): string | null {
  return typeof value === 'string' ? null : `${at} is no text`
}

function isServer(value: unknown): boolean {
  const isTexts = (list: unknown): boolean => Array.isArray(list) && list.every(each => typeof each === 'string')
  return isRecord(value) && ['name', 'definition', 'shows'].every(key => typeof value[key] === 'string') && isTexts(value['variables']) && isTexts(value['reads'])
}
