// Settle: from what a run asks to what it may: by the file, by flags, by asking, or not at all.
// Owns: the order in which these count, the words where nobody can be asked. Does not own: flags and the terminal (cli/), enforcement (the guard).
//   S1. What is asked is wholly permitted or the run does not begin; a run that goes on with a permit that has been narrowed since does, and the guard
//       refuses what is no longer in it.
//   S2. Only a person's `y` changes the file. Flags count for one run; no variable of the environment is looked at: one is inherited by every child, set
//       for a whole machine, and forgotten.
//   S3. A file that cannot be read permits nothing, and is not asked around.
//   S4. On a terminal an entry that came with the folder counts only once it was shown (accepted.ts).
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import { printGrant } from '#grants/grant-text.ts'
import type { GrantKinds } from '#grants/match.ts'
import type { AskedGrant, Authority, Permit } from '#model/capability.ts'
import type { Plan } from '#model/plan.ts'
import type { Accepted } from './accepted.ts'
import { missingOf, neededOf, unusedOf } from './difference.ts'
import { dayOf, endOf } from './expiry.ts'
import { permitsFileName, permitsVersion, type PermitEntry, type Section } from './permits-file.ts'
import { loadPermits, storePermit } from './permits-store.ts'
import { askPerson, type Person } from './question.ts'

const MAX_FLAGS = 5
const MAX_FLAGS_LENGTH = 400

export interface PermitRequest {
  readonly section: Section
  /** The program's path in the project; null where it has none (standard input): then nothing is recorded for it. */
  readonly program: string | null
  /** As shown to people. */
  readonly shown: string
  readonly plan: Plan
  /** Null when it cannot be known: then nothing is permitted. */
  readonly asked: readonly AskedGrant[] | null
  readonly kindsOf: GrantKinds
  /** Its text is part of tek, and somebody named it. */
  readonly isBundled: boolean
  /** The run has begun before. */
  readonly isResumed: boolean
  /** `--allow` */
  readonly allow: Authority
  /** `--allow-all` */
  readonly allowAll: boolean
  /** `--expires`, as it is recorded. */
  readonly expires: string | null
  /** What the person at this machine has answered for; null where nothing can be remembered of it. */
  readonly accepted: Accepted | null
}

export type Settled =
  | { readonly kind: 'permitted'; readonly permit: Permit; /** What a resumed run may no longer do. */ readonly withheld: readonly AskedGrant[] }
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[]; /** Of the permits file, for showing places in it. */ readonly text: string | null; /** What nobody has allowed. */ readonly missing: readonly AskedGrant[] }

/** Settles what a run may do. `person` is null where nobody can be asked. */
export async function settlePermit(host: Host, request: PermitRequest, person: Person | null): Promise<Settled> {
  const { plan, section, program, kindsOf, allow } = request
  const needed = neededOf(request.asked ?? [], plan)
  if (needed.length === 0) return permitted([], 'file')
  if (request.isBundled) return permitted(grantsOf(needed), 'bundled')
  if (request.allowAll) return permitted(grantsOf(needed), 'flag')
  const stored = await loadPermits(host)
  if (stored.kind === 'wrong') return { ...stored, kind: 'refused', missing: [] } // S3
  const compared = { cwd: host.cwd, kindsOf }
  const entry = program === null ? undefined : stored.permits[section].get(program)
  const isBrought = person !== null && entry !== undefined && !request.isResumed && request.accepted?.has(section, program!, entry) === false // S4
  const endedOn = entry?.expires != null && endOf(entry.expires)! <= host.now() ? entry.expires : null
  const recorded = entry === undefined || endedOn !== null ? [] : entry.may
  const missing = missingOf(needed, isBrought ? allow : [...recorded, ...allow], compared)
  if (missing.length === 0) return permitted([...recorded, ...allow], missingOf(needed, recorded, compared).length > 0 ? 'flag' : 'file')
  if (request.isResumed && entry !== undefined && endedOn === null) return { ...permitted([...recorded, ...allow], 'file'), withheld: missing } // S1
  if (person === null) return refused(endedOn === null ? needsPermit(request, missing, stored.text !== null) : permitErrors.expired({ program: request.shown, on: endedOn }, { help: [`For this run: ${flagsFor(missing)}`] }), missing)
  const hasEntry = entry !== undefined && endedOn === null && !isBrought
  const unused = hasEntry ? unusedOf(entry.may, plan, compared) : []
  const expires = request.expires ?? (hasEntry ? entry.expires : null)
  const comes = (request.asked ?? []).filter(each => each.comesWith !== null && !missing.includes(each) && missing.some(({ grant }) => grant.name === each.comesWith))
  // All that a brought entry allows is shown, also what this run does not ask for: the answer is for the whole entry.
  const beyond = isBrought ? missingOf(recorded.map(grant => ({ grant, comesWith: null })), grantsOf(missing), compared) : []
  const reply = await askPerson({
    program: request.shown, isTest: section === 'tests', isBrought: isBrought && endedOn === null, missing: [...missing, ...beyond], comes, before: hasEntry, unused, endedOn, until: expires, canRecord: program !== null,
    isConfined: ((await host.isolation?.()) ?? 0) >= 2,
  }, person)
  if (reply === 'no') return refused(permitErrors['not-given']({ program: request.shown }), [])
  const now = permitted([...recorded, ...allow, ...grantsOf(missing)], 'question')
  if (reply === 'once' || program === null) return now
  const added = missingOf(needed, [...recorded, ...allow], compared)
  if (isBrought && endedOn === null && added.length === 0) {
    request.accepted!.add(section, program, entry!) // as it stands in the file
    return now
  }
  const kept = recorded.filter(grant => !unused.includes(grant))
  const made: PermitEntry = { may: [...kept, ...grantsOf(added)], granted: dayOf(host.now()), expires, because: entry?.because ?? null }
  const failed = await storePermit(host, section, program, made) // S2
  if (failed !== null) return { ...failed, kind: 'refused', missing: [] }
  request.accepted?.add(section, program, made)
  return now
}

const grantsOf = (asked: readonly AskedGrant[]): Authority => asked.map(each => each.grant)

const permitted = (grants: Authority, by: Permit['by']): Extract<Settled, { kind: 'permitted' }> => ({ kind: 'permitted', permit: { grants, by }, withheld: [] })

const refused = (diagnostic: Diagnostic, missing: readonly AskedGrant[]): Settled => ({ kind: 'refused', diagnostics: [diagnostic], text: null, missing })

/** Nobody can be asked: what is missing, and each way to give it. */
function needsPermit({ program, shown, section }: PermitRequest, missing: readonly AskedGrant[], isThere: boolean): Diagnostic {
  const grants = missing.map(each => printGrant(each.grant))
  const help = [`For this run: ${flagsFor(missing)}`]
  if (program === null) help.push('A program from standard input has no name to record a permit by: only flags allow it something.')
  else {
    const entry = `${section}: { ${quoted(program)}: { may: [${grants.slice(0, MAX_FLAGS).map(quoted).join(', ')}${grants.length > MAX_FLAGS ? ', …' : ''}] } }`
    help.push(`For good: run it on a terminal, which asks and records the answer; or write in ${permitsFileName}: ${isThere ? entry : `{ version: ${permitsVersion}, ${entry} }`}`)
  }
  return permitErrors.needed({ program: shown, missing: grants }, { help })
}

/** The flags that would allow it for one run, after which words. */
export function flagsFor(missing: readonly AskedGrant[]): string {
  const flags = missing.map(each => `--allow ${shellQuoted(printGrant(each.grant))}`).join(' ')
  const all = '`--allow-all` allows all it asks for, where the program was reviewed elsewhere (containers, CI)'
  return missing.length > MAX_FLAGS || flags.length > MAX_FLAGS_LENGTH ? `${all}.` : `${flags}; ${all}.`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
