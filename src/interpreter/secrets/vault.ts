// Vault: where the values of secrets are, so that nothing else holds them.
// Owns: when a secret is read and by whose leave, what a tool is given for a stand-in, what is kept out of everything else.
// Does not own: what may take a secret (compiler/3-check), the sources (read-secret.ts), what a secret may look like (redactor.ts).
//   S1. A value that is journalled holds a stand-in instead of a secret; the value itself exists only between `reveal` and the tool's end.
//   S2. Stand-ins are replaced only in arguments that the plan marks: text from outside that happens to look like one stays text.
//   S3. Whatever comes back from a tool passes `redact` before anything keeps or shows it.
//   S4. A secret is read once a run, by the host, and only if the chosen workflow may mention it. What the program's own grants and the
//       person's permit allow in so many words is read before the first task, so that a missing secret ends the run before it did anything
//       and redaction knows it from the start; what only a workflow's parameters allow is read where it is used.
//   S5. Who hands a secret to a tool needs the grant of its source at every level, as if it read the source itself.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { coreGrantKinds, type GrantKinds } from '#grants/match.ts'
import type { Host } from '#host/host.ts'
import type { Authority, Grant } from '#model/capability.ts'
import type { Failure, Outcome } from '#model/event.ts'
import type { Plan, PlanGrant, PlanSecret } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { standInName } from '#interpreter/engine/evaluation.ts'
import { modelChain } from '#interpreter/engine/questions.ts'
import { checkNeeds, isAllowed } from '#interpreter/guard/guard.ts'
import { keepFromCrashes } from './crash-redaction.ts'
import { needOf } from '#grants/secret-source.ts'
import { atHome, readSecret } from './read-secret.ts'
import { Redactor } from './redactor.ts'
import { mapOutcome, mapTexts, replaceStandIns, showStandIns, standInOf } from './stand-in.ts'

export interface SecretVault {
  /** Stand-ins by the name under which expressions find them among the constants. */
  readonly standIns: ReadonlyMap<string, Value>
  /** Reads the secrets whose stand-ins a value holds, if every level allows it; otherwise says why not. `decided` is told before anything is read. // S5 */
  unlock(value: Value, levels: readonly Authority[], decided: (need: Grant, allowed: boolean) => void): Promise<Omit<Failure, 'task'> | null>
  /** The value with every stand-in replaced whose secret was unlocked, and the names of those secrets. */
  reveal(value: Value): { readonly value: Value; readonly used: readonly string[] }
  /** Without any secret in it, however it came there. */
  redact(outcome: Outcome): Outcome
  redactText(text: string): string
  /** Grows with each value that is known: what was redacted before holds no longer. */
  readonly known: number
  /** The same for a text that was cut off. */
  redactCut(text: string): string
  /** Characters of the beginning of a secret with which a text ends: more of it may follow. */
  begunAtEnd(text: string): number
}

export const noSecrets: SecretVault = {
  standIns: new Map(), unlock: async () => null, reveal: value => ({ value, used: [] }), redact: outcome => outcome, redactText: text => text, known: 0, redactCut: text => text, begunAtEnd: () => 0,
}

export interface VaultSettings {
  readonly host: Host
  /** Absolute. */
  readonly cwd: string
  readonly plan: Plan
  /** Key of the workflow that is run. */
  readonly workflow: string
  readonly seed: string
  readonly permit: Authority | null
  readonly kindsOf: GrantKinds | undefined
}

/** The vault of a run; or what is wrong with its secrets. */
export async function openVault(settings: VaultSettings): Promise<{ readonly vault: SecretVault; readonly problems: readonly Diagnostic[] }> {
  const secrets = settings.plan.secrets ?? []
  if (secrets.length === 0) return { vault: noSecrets, problems: [] }
  const vault = new OpenVault(settings, secrets)
  return { vault, problems: await vault.readAhead() }
}

class OpenVault implements SecretVault {
  readonly standIns: ReadonlyMap<string, Value>
  private readonly settings: VaultSettings
  private readonly byStandIn = new Map<string, PlanSecret>()
  private readonly secrets: readonly PlanSecret[]
  private readonly reading = new Map<PlanSecret, Promise<string | Diagnostic>>()
  private readonly values = new Map<PlanSecret, string>()
  private readonly redactor = new Redactor()

  constructor(settings: VaultSettings, secrets: readonly PlanSecret[]) {
    this.settings = settings
    this.secrets = secrets
    for (const secret of secrets) this.byStandIn.set(standInOf(secret.name, settings.seed), secret)
    this.standIns = new Map([...this.byStandIn].map(([standIn, { name }]) => [standInName(name), standIn]))
    keepFromCrashes(text => this.redactText(text))
  }

  /** Reads what may be read by what is written in so many words. // S4 */
  async readAhead(): Promise<Diagnostic[]> {
    const { plan, workflow, permit, host } = this.settings
    const written = writtenGrants(plan)
    const mentioned = secretsReached(plan, workflow)
    const problems: Diagnostic[] = []
    for (const secret of this.secrets) {
      const levels = permit === null ? [written] : [permit, written]
      if (mentioned.has(secret.name) && this.allows(levels, needOf(secret.source))) {
        const found = await this.read(secret)
        if (typeof found !== 'string') problems.push(found)
      } else if (secret.source.kind === 'env') this.redactor.add(secret.name, host.env(secret.source.name) ?? '') // not handed out, yet kept out of the journal
    }
    return problems
  }

  async unlock(value: Value, levels: readonly Authority[], decided: (need: Grant, allowed: boolean) => void): Promise<Omit<Failure, 'task'> | null> {
    for (const secret of this.within(value)) {
      const need = needOf(secret.source)
      const allowed = this.allows(levels, need)
      decided(need, allowed)
      if (!allowed) return checkNeeds(levels.map(level => this.atHome(level)), [this.atHome([need])[0]!], this.settings.cwd, this.kindsOf)
      const found = await this.read(secret)
      if (typeof found !== 'string') return { code: found.code, message: found.message, retryable: false, ...(found.help[0] === undefined ? {} : { help: found.help[0] }) }
    }
    return null
  }

  reveal(value: Value): { readonly value: Value; readonly used: readonly string[] } {
    const used = new Set<string>()
    const revealed = mapTexts(value, text => replaceStandIns(text, standIn => {
      const secret = this.byStandIn.get(standIn)
      const own = secret === undefined ? undefined : this.values.get(secret)
      if (own === undefined) return null
      used.add(secret!.name)
      return own
    }))
    return { value: revealed, used: [...used] }
  }

  redact(outcome: Outcome): Outcome {
    return mapOutcome(outcome, text => this.redactor.text(text), number => { // a stand-in is no secret
      const name = this.redactor.ofNumber(number)
      return name === null ? number : `[secret ${name}]`
    })
  }

  redactText(text: string): string {
    return showStandIns(this.redactor.text(text))
  }

  get known(): number {
    return this.redactor.known
  }

  redactCut(text: string): string {
    return showStandIns(this.redactor.cutText(text))
  }

  begunAtEnd(text: string): number {
    return this.redactor.begunAtEnd(text)?.length ?? 0
  }

  private get kindsOf(): GrantKinds {
    return this.settings.kindsOf ?? coreGrantKinds
  }

  private allows(levels: readonly Authority[], need: Grant): boolean {
    return isAllowed(levels.map(level => this.atHome(level)), this.atHome([need])[0]!, this.settings.cwd, this.kindsOf)
  }

  /** `fs.read("~/x")` is the home of whoever runs it. */
  private atHome(level: Authority): Authority {
    return level.map(grant => (grant.name === 'fs.read' && grant.args[0]?.startsWith('~/') === true ? { name: grant.name, args: [atHome(this.settings.host, grant.args[0])] } : grant))
  }

  /** The secrets whose stand-ins a value holds. */
  private within(value: Value): Set<PlanSecret> {
    const found = new Set<PlanSecret>()
    mapTexts(value, text => replaceStandIns(text, standIn => {
      const secret = this.byStandIn.get(standIn)
      if (secret !== undefined) found.add(secret)
      return null
    }))
    return found
  }

  private read(secret: PlanSecret): Promise<string | Diagnostic> {
    let reading = this.reading.get(secret)
    if (reading === undefined) {
      reading = readSecret(this.settings.host, this.settings.cwd, secret).then(found => {
        if (typeof found === 'string') {
          this.values.set(secret, found)
          this.redactor.add(secret.name, found)
        }
        return found
      })
      this.reading.set(secret, reading)
    }
    return reading
  }
}

/** The grants of a program whose arguments are written out. */
function writtenGrants(plan: Plan): Authority {
  const all: readonly PlanGrant[] = [plan.authority ?? [], ...Object.values(plan.workflows).map(each => each.authority ?? [])].flat()
  return all.flatMap(({ name, args }) => (args.every(arg => arg.op === 'value') ? [{ name, args: args.map(arg => String(arg.op === 'value' ? arg.value : '')) }] : []))
}

/** Names of the secrets that a workflow, or anything it may start, mentions. */
function secretsReached(plan: Plan, workflow: string): Set<string> {
  const found = new Set<string>()
  const reached = new Set<string>()
  const left: unknown[] = []
  const reach = (key: string, piece: unknown): void => {
    if (reached.has(key)) return
    reached.add(key)
    left.push(piece)
  }
  reach(`workflow ${workflow}`, plan.workflows[workflow])
  while (left.length > 0) {
    const at = left.pop()
    if (typeof at !== 'object' || at === null) continue
    const { op, kind, name, prompt, workflow: callee, agent } = at as Record<string, unknown>
    if (op === 'value') continue // data, whatever it looks like
    if (op === 'secret' && typeof name === 'string') found.add(name)
    if (op === 'prompt' && typeof prompt === 'string') reach(`prompt ${prompt}`, plan.prompts[prompt])
    if (op === 'constant' && typeof name === 'string') reach(`constant ${name}`, plan.constants.find(each => each.name === name)?.value)
    if (kind === 'workflow' && typeof callee === 'string') reach(`workflow ${callee}`, plan.workflows[callee])
    if (kind === 'agent' && typeof agent === 'string') {
      reach(`agent ${agent}`, plan.agentBodies?.[agent])
      for (const model of modelChain(plan, plan.agentBodies?.[agent]?.model ?? '')) if (plan.models![model]!.key !== null) found.add(plan.models![model]!.key!)
    }
    for (const part of Object.values(at)) left.push(part)
  }
  return found
}
