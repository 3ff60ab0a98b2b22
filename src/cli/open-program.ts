// Open program: what `tek run NAME`, `plan`, `graph`, `compile` and `diff` are given, brought to a plan.
// Owns: the kinds of things a program may be named by. Does not own: checking and lowering (tek.ts).
//   O1. A path wins over a bundled name; a name is a path when it has a slash, ends in .tek or .json, or exists.
//   O2. What does not compile ends here, with all its diagnostics and exit code 3.
import { dirname, join } from 'node:path'
import { sha256 } from '#base/hash.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { hasErrors, type Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { Plan } from '#model/plan.ts'
import type { RunOptions } from '#tek.ts'
import { CliFailure, printDiagnostics, type CliContext } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { bundledPrograms, programsFolder } from './install-place.ts'
import { at, readSource, readStdin, shownPath, stdinPath } from './source-files.ts'

export interface OpenProgram {
  readonly plan: Plan
  /** Path or name as shown to people. */
  readonly shown: string
  readonly sources: ReadonlyMap<string, string>
  readonly warnings: readonly Diagnostic[]
  /** Absolute folder from which the program's plugins are found. */
  readonly folder: string
  /** Its text came with tek, and it was named by its name. */
  readonly isBundled: boolean
}

/** Checks and lowers what `name` stands for; prints warnings on standard error. */
export async function openProgram(context: CliContext, host: Host, name: string, options: { readonly quiet?: boolean; readonly mayBeUnconfined?: boolean } = {}): Promise<OpenProgram> {
  const program = await resolveProgram(context, host, name, options.mayBeUnconfined ?? false)
  if (!options.quiet && program.warnings.length > 0) printDiagnostics(context.err, program.warnings, program.sources)
  return program
}

/** Hashes of the files it was made of, as `tek resume` compares them; none of what was typed. */
export function sourceHashes({ sources }: Pick<OpenProgram, 'sources'>): Readonly<Record<string, string>> {
  return sources.has(stdinPath) ? {} : Object.fromEntries([...sources].map(([path, text]) => [path, sha256(text)]))
}

async function resolveProgram(context: CliContext, host: Host, name: string, mayBeUnconfined: boolean): Promise<OpenProgram> {
  if (name === '-') return compileText(host, stdinPath, stdinPath, await readStdin(context), mayBeUnconfined)
  const path = shownPath(context.cwd, name)
  if (path.endsWith('.json')) return { plan: await readPlanFile(host, path), shown: path, sources: new Map(), warnings: [], folder: dirname(at(host, path)), isBundled: false }
  if (path.includes('/') || path.endsWith('.tek') || (await host.files.stat(at(host, path))) !== null) return compileText(host, path, path, await readSource(host, path), mayBeUnconfined) // O1
  const names = bundledPrograms()
  if (!names.includes(name)) {
    const near = didYouMean(name, names).map(each => `Did you mean \`${each}\`?`)
    const known = names.length > 0 ? [`Bundled programs: ${names.join(', ')}.`] : []
    throw new CliFailure([cliErrors['unknown-program']({ name }, { help: [...near, ...known] })], exitCodes.usage)
  }
  const file = join(programsFolder(), `${name}.tek`)
  return { ...(await compileText(host, file, name, await readSource(host, file))), isBundled: true }
}

/**
 * Whether a recorded run is one of a bundled program as this tek has it, without arguments. What a record says of itself is not believed (a folder that
 * somebody else made may hold one): its plan is compared with what the program compiles to, and arguments are somebody's word only where they were typed.
 */
export async function isBundledRun(host: Host, { program, plan, args }: Pick<RunOptions, 'program' | 'plan' | 'args'>): Promise<boolean> {
  if (!bundledPrograms().includes(program) || Object.keys(args).length > 0) return false
  const [{ hashPlan }, file] = [await import('#types/plan-json.ts'), join(programsFolder(), `${program}.tek`)]
  const { plan: own } = await compileText(host, file, program, await readSource(host, file))
  return hashPlan(plan) === own.hash // by what it holds, not by the hash it names
}

async function compileText(host: Host, path: string, shown: string, text: string, mayBeUnconfined = false): Promise<OpenProgram> {
  const { check, plan } = await import('#tek.ts')
  const checked = await check(host, path, { mayBeUnconfined, readText: (asked: string) => (asked === path ? text : undefined) })
  if (hasErrors(checked.diagnostics) || checked.program === null) throw new CliFailure(checked.diagnostics, exitCodes.doesNotCompile, checked.sources) // O2
  return { plan: plan(checked), shown, sources: checked.sources, warnings: checked.diagnostics, folder: path === stdinPath ? host.cwd : dirname(at(host, path)), isBundled: false }
}

async function readPlanFile(host: Host, path: string): Promise<Plan> {
  const text = await readSource(host, path)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new CliFailure([cliErrors['bad-plan']({ path, reason: 'it is not JSON' })], exitCodes.usage)
  }
  const { readPlan } = await import('#compiler/4-lower/read-plan.ts')
  const { value, diagnostics } = readPlan(json)
  if (value === null) throw new CliFailure(diagnostics, exitCodes.usage)
  return value
}

/** The key of the loop to run: the one named, or the only one of a program without workflows; null: none is meant. */
export function chooseLoop({ loopBodies = {}, entries }: Plan, name: string | undefined): string | null {
  const keys = Object.keys(loopBodies)
  if (name !== undefined) return keys.find(key => key === name || loopBodies[key]?.name === name) ?? null
  return entries.length === 0 && keys.length === 1 ? keys[0]! : null
}

/** The workflow to run: the one named, or the only one. */
export function chooseWorkflow(program: OpenProgram, name: string | undefined): string {
  const { entries } = program.plan
  if (name !== undefined) {
    if (entries.includes(name)) return name
    const help = didYouMean(name, entries).map(each => `Did you mean \`${each}\`?`)
    const loops = Object.values(program.plan.loopBodies ?? {}).map(each => each.name)
    const all = [...(entries.length > 0 ? [`Its workflows: ${entries.join(', ')}.`] : []), ...(loops.length > 0 ? [`Its loops: ${loops.join(', ')}.`] : [])]
    const takesWords = Object.values(program.plan.workflows).some(each => each.params.some(param => param.name === 'args'))
    const words = takesWords ? [`What it is to be given stands after \`--\`: tek run ${program.shown} -- ${name}`] : []
    throw new CliFailure([cliErrors['unknown-workflow']({ workflow: name, program: program.shown }, { help: [...help, ...words, ...all] })], exitCodes.usage)
  }
  if (entries.length !== 1) throw new CliFailure([cliErrors['choose-workflow']({ program: program.shown, workflows: entries })], exitCodes.usage)
  return entries[0]!
}
