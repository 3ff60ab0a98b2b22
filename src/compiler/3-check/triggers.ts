// Triggers: what begins a workflow by itself, and whether it can do so without a person.
// Owns: what each trigger takes, which parameters it sets, the triggers as the plan has them. Does not own: patterns of times (schedule/cron.ts),
// which files a grant covers (grants/verdict.ts), the types of what outsiders send once they are in (trust/).
//   G1. All of a trigger is known before a run: nobody is there to be asked, and a server reads it from the plan.
//   G2. Whoever knows the address of a webhook chooses what it sets. So it sets a parameter only where its type says so, in `untrusted` or by having
//       no room for instructions, and never one that a grant names.
//   G3. What is watched is read: the files of `on file` must be proved to be covered, by every level, with the defaults that its runs will have.
//   G4. Naming a secret asks for the grant of its source, here as everywhere.
import { triggerErrors } from '#diagnostics/catalog/trigger.ts'
import type { Diagnostic, Fix } from '#diagnostics/diagnostic.ts'
import { coreGrantKinds } from '#grants/match.ts'
import { anything, isWhole, withParams } from '#grants/part-text.ts'
import { verdictOf } from '#grants/verdict.ts'
import { MAX_TRIGGERS, MAX_WAIT_MS, type PlanTrigger } from '#model/plan.ts'
import type { Type } from '#model/type.ts'
import { hasNoRoomForInstructions, qualifiersOf, qualifiersWithin, stripQualifiers } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import { isZone, parseCron, zoneNames } from '#schedule/cron.ts'
import type { CanClause, Param, Span, TriggerClause, WorkflowDecl } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { type FileUnit, placeIn } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { workflowParams } from './declarations.ts'
import { askedGrants } from './grants.ts'
import { literalOf, writtenText } from './known-values.ts'
import { insertion } from './rules/clause-offer.ts'
import { pureCalls, type Scope } from './scope.ts'

const MIN_INTERVAL_MS = 1_000
/** Where a pattern of times says nothing: the same on every machine. */
const DEFAULT_ZONE = 'UTC'
const WEBHOOK_NAME = /^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/
const MAX_WEBHOOK_NAME = 100

type On<Kind extends TriggerClause['on']['kind']> = Extract<TriggerClause['on'], { kind: Kind }>

/** Reports what is wrong with the triggers of a workflow; gives those that are fine. */
export function checkTriggers(checker: Checker, workflow: WorkflowDecl, scope: Scope): readonly PlanTrigger[] {
  const clauses = workflow.body.filter((member): member is TriggerClause => member.kind === 'trigger')
  const [first] = clauses
  if (first === undefined) return []
  const name = workflow.name.text
  if (name.startsWith('_')) checker.report(triggerErrors['private-workflow']({ workflow: name }, { at: checker.at(first) }))
  if (clauses.length > MAX_TRIGGERS) checker.report(triggerErrors['too-many']({ workflow: name, limit: MAX_TRIGGERS }, { at: checker.at(clauses[MAX_TRIGGERS]!) }))
  const params = paramsOf(checker, workflow)
  return clauses.flatMap(clause => triggerOf(checker, workflow, params, clause, scope) ?? [])
}

/** Reports what is wrong with a trigger of a loop: clocks alone say when its next cycle begins. */
export function checkLoopTrigger(checker: Checker, { on }: TriggerClause, scope: Scope): PlanTrigger | null {
  if (on.kind === 'every') {
    checker.expect(on.value, scope.inside(pureCalls('a trigger')), { kind: 'duration' }, 'What follows `every`')
    const intervalMs = intervalOf(checker, on)
    return intervalMs === null ? null : { kind: 'every', intervalMs, missed: on.skips ? 'skip' : 'run' }
  }
  if (on.kind === 'cron') {
    const times = cronOf(checker, on)
    return times === null ? null : { kind: 'cron', ...times, missed: on.skips ? 'skip' : 'run' }
  }
  checker.report(triggerErrors['not-of-a-loop']({ trigger: on.kind === 'file' ? 'on file' : 'on webhook' }, { at: checker.at(on.kind === 'file' ? on.value : on.text) }))
  return null
}

/** A parameter as triggers see it. */
interface Settable {
  readonly param: Param
  readonly type: Type
  /** Whether a grant names it (G2). */
  readonly isSink: boolean
}

function paramsOf(checker: Checker, workflow: WorkflowDecl): readonly Settable[] {
  const signatures = workflowParams(checker, workflow)
  return workflow.params.map((param, index) => ({ param, type: signatures[index]!.type, isSink: signatures[index]!.sink === true }))
}

/** The trigger as the plan has it; null where something of it is wrong. */
function triggerOf(checker: Checker, workflow: WorkflowDecl, params: readonly Settable[], { on }: TriggerClause, scope: Scope): PlanTrigger | null {
  switch (on.kind) {
    case 'every': {
      checker.expect(on.value, scope.inside(pureCalls('a trigger')), { kind: 'duration' }, 'What follows `every`')
      needDefaults(checker, params, 'every', () => false)
      const intervalMs = intervalOf(checker, on)
      return intervalMs === null ? null : { kind: 'every', intervalMs, missed: on.skips ? 'skip' : 'run' }
    }
    case 'cron': {
      needDefaults(checker, params, 'cron', () => false)
      const times = cronOf(checker, on)
      return times === null ? null : { kind: 'cron', ...times, missed: on.skips ? 'skip' : 'run' }
    }
    case 'file': {
      checker.expect(on.value, scope.inside(pureCalls('a trigger')), { kind: 'path' }, 'What follows `on file`')
      const list = listOfFiles(checker, params, on.value)
      needDefaults(checker, params, 'on file', each => each.param === list)
      const pattern = filesOf(checker, workflow, on)
      return pattern === null ? null : { kind: 'file', pattern, param: list?.name.text ?? null }
    }
    case 'webhook': {
      const open = params.filter(each => !each.isSink && mayBeSent(each.type))
      reportTrusted(checker, params)
      needDefaults(checker, params, 'on webhook', each => !each.isSink)
      const webhook = webhookOf(checker, on)
      return webhook === null ? null : { kind: 'webhook', ...webhook, params: open.map(each => each.param.name.text) }
    }
  }
}

/** Reports the parameters that a trigger leaves without a value. */
function needDefaults(checker: Checker, params: readonly Settable[], trigger: string, isSet: (each: Settable) => boolean): void {
  for (const each of params) {
    const { param, isSink } = each
    if (param.default !== null || param.name.text === '' || isSet(each)) continue
    const reason = isSink && trigger === 'on webhook' ? ', since a grant names it' : ''
    checker.report(triggerErrors['missing-value']({ param: param.name.text, trigger, reason }, { at: checker.at(param.name) }))
  }
}

// ── Clocks ────────────────────────────────────────────────────────────────────────────────────

function intervalOf(checker: Checker, on: On<'every'>): number | null {
  const literal = literalOf(checker.facts, on.value)
  if (literal !== null && literal.type !== 'duration') return null // said by its type
  if (on.value.kind === 'error-expr') return null
  const ms = Number(literal?.value)
  const problem = literal === null ? 'takes a time that is known before a run' : ms < MIN_INTERVAL_MS ? 'takes at least 1s' : ms > MAX_WAIT_MS ? 'takes at most 365d' : null
  if (problem === null) return ms
  checker.report(triggerErrors['bad-interval']({ problem }, { at: checker.at(on.value) }))
  return null
}

function cronOf(checker: Checker, { text, zone }: On<'cron'>): { pattern: string; zone: string } | null {
  if (text.text === '' || zone?.text === '') return null // left out: said when it was parsed
  const name = zone?.value ?? DEFAULT_ZONE
  if (zone !== null && !isZone(name)) {
    const at = checker.at({ start: zone.start + 1, end: zone.end - 1 })
    checker.report(triggerErrors['unknown-zone']({ zone: name }, { at, ...suggest(name, zoneNames(), at) }))
    return null
  }
  const { value, problem } = parseCron(text.value, name)
  if (problem !== null) checker.report(triggerErrors['bad-cron']({ pattern: text.value, problem }, { at: checker.at(text) }))
  return value === null ? null : { pattern: value, zone: name }
}

// ── Files ─────────────────────────────────────────────────────────────────────────────────────

/** The parameter that takes the files which changed, if there is one. */
function listOfFiles(checker: Checker, params: readonly Settable[], at: Span): Param | null {
  const lists = params.filter(({ type, isSink }) => {
    const bare = stripQualifiers(type)
    return !isSink && bare.kind === 'list' && stripQualifiers(bare.item).kind === 'path'
  })
  const without = lists.filter(({ param }) => param.default === null)
  const [one, two] = without.length > 0 ? without : lists
  if (one !== undefined && two !== undefined) checker.report(triggerErrors['two-lists']({ first: one.param.name.text, second: two.param.name.text }, { at: checker.at(at) }))
  return one?.param ?? null
}

/** The pattern with the defaults of parameters in their places, once it is proved that it may be read (G3). */
function filesOf(checker: Checker, workflow: WorkflowDecl, { value }: On<'file'>): string | null {
  const { unit } = checker
  if (value.kind === 'error-expr') return null
  const defaults = workflow.params.map(param => (param.default === null ? anything : writtenText(unit, param.default)))
  const given = (text: string): string => withParams(text, index => (isWhole(defaults[index] ?? anything) ? defaults[index]! : anything))
  const pattern = given(writtenText(unit, value))
  if (!isWhole(pattern) || pattern === '') {
    checker.report(triggerErrors['unknown-files']({}, { at: checker.at(value) }))
    return null
  }
  const own = askedGrants(checker.facts.grants ?? [])
  const levels = [
    { asked: own, place: `the workflow \`${workflow.name.text}\``, isOwn: true },
    ...(checker.fileFacts.grants === null ? [] : [{ asked: checker.fileFacts.asked, place: 'this file', isOwn: false }]),
  ]
  for (const { asked, place, isOwn } of levels) {
    const grants = asked.map(({ grant }) => ({ name: grant.name, args: grant.args.map(given) }))
    if (verdictOf(grants, { name: 'fs.read', args: [{ kind: 'glob', text: pattern }] }, coreGrantKinds) === 'inside') continue
    const clause = { text: `fs.read(${JSON.stringify(pattern)})`, isExact: true }
    const cans = workflow.body.filter((member): member is CanClause => member.kind === 'can')
    const fix = isOwn ? insertion(checker, cans, workflow.result ?? workflow.params.at(-1) ?? workflow.name, clause) : null
    checker.report(triggerErrors['not-covered']({ pattern, place }, { at: checker.at(value), help: [`Add \`${clause.text}\` to a \`can\` of ${place}.`], fixes: fix === null ? [] : [fix] }))
    return null
  }
  return pattern
}

// ── Webhooks ──────────────────────────────────────────────────────────────────────────────────

function webhookOf(checker: Checker, { text, secret }: On<'webhook'>): { name: string; secret: string | null } | null {
  const name = text.value
  if (text.text === '') return null
  const problem = name.length > MAX_WEBHOOK_NAME ? `has a name of more than ${MAX_WEBHOOK_NAME} characters` : WEBHOOK_NAME.test(name) ? null : 'has a name that no address can have'
  if (problem !== null) checker.report(triggerErrors['bad-webhook']({ name: name.slice(0, MAX_WEBHOOK_NAME), problem }, { at: checker.at(text) }))
  const { values } = checker.unit.file
  const secrets = [...values.values()].filter(symbol => symbol.kind === 'secret')
  if (secret === null) {
    const end = checker.at({ start: text.end, end: text.end })
    const fixes = secrets.map((symbol): Fix => ({ title: `Sign it with \`${symbol.name}\``, safe: false, edits: [{ at: end, newText: ` signed ${symbol.name}` }] }))
    checker.report(triggerErrors['unsigned-webhook']({ name }, { at: checker.at(text), fixes: fixes.slice(0, 3) }))
    return problem === null ? { name, secret: null } : null
  }
  const symbol = values.get(secret.text)
  if (symbol?.kind !== 'secret') {
    const at = checker.at(secret)
    if (secret.text !== '' && !checker.unit.file.unknown.has(secret.text)) checker.report(triggerErrors['unknown-secret']({ name: secret.text }, { at, ...suggest(secret.text, secrets.map(each => each.name), at) }))
    return null
  }
  checker.facts.refs.set(secret, { kind: 'symbol', symbol }) // G4
  checker.facts.usesSecrets = true
  return problem === null ? { name, secret: symbol.key } : null
}

/** Whether a value may come from anybody: the type says that it is untrusted, or has no room for instructions (G2). */
function mayBeSent(type: Type): boolean {
  if (qualifiersWithin(type).secret) return false
  if (qualifiersOf(type).untrusted) return true
  const bare = stripQualifiers(type)
  if (bare.kind === 'list') return mayBeSent(bare.item)
  return bare.kind === 'union' ? bare.members.every(mayBeSent) : hasNoRoomForInstructions(bare)
}

/** G2: reports parameters that only the webhook could set, and may not. */
function reportTrusted(checker: Checker, params: readonly Settable[]): void {
  for (const { param, type, isSink } of params) {
    if (param.default !== null || isSink || mayBeSent(type) || param.name.text === '' || param.type.kind === 'type-error') continue
    const { start, end } = checker.at(param.type)
    const { text, path } = checker.unit.file
    const written = text.slice(start, end)
    const isUnion = param.type.kind === 'type-union'
    const fix: Fix = { title: 'Declare it `untrusted`', safe: true, edits: [{ at: { path, start, end }, newText: isUnion ? `untrusted (${written})` : `untrusted ${written}` }] }
    checker.report(triggerErrors['trusted-parameter']({ param: param.name.text, type: isUnion ? `(${printType(type)})` : printType(type) }, { at: checker.at(param), fixes: [fix] }))
  }
}

/** The webhooks of a program that have the name of another: a delivery begins one run. */
export function checkWebhookNames(files: readonly FileUnit[]): Diagnostic[] {
  const found: Diagnostic[] = []
  const first = new Map<string, ReturnType<typeof placeIn>>()
  for (const unit of files.flatMap(file => file.units)) {
    if (unit.declaration.kind !== 'workflow' && unit.declaration.kind !== 'loop') continue
    for (const member of unit.declaration.body) {
      if (member.kind !== 'trigger' || member.on.kind !== 'webhook' || member.on.text.text === '') continue
      const at = placeIn(unit, member.on.text)
      const before = first.get(member.on.text.value)
      if (before === undefined) first.set(member.on.text.value, at)
      else found.push(triggerErrors['bad-webhook']({ name: member.on.text.value, problem: 'stands twice in this program' }, { at, related: [{ at: before, message: 'the first one' }], help: ['Give each webhook a name of its own.'] }))
    }
  }
  return found
}
