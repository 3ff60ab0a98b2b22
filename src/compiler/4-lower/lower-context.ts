// Lower context: what lowering has met and still has to lower.
// Owns: the modules in use and their names in the plan, the workflows and prompts that are reached. Does not own: how anything is lowered.
//   X1. A module's name in the plan is its own name; a second one of the same name gets a number.
import { invariant } from '#base/invariant.ts'
import type { PlanModule } from '#model/plan.ts'
import type { Expr } from '../1-syntax/ast.ts'
import type { ModuleSym, Sym, Unit } from '../2-resolve/program.ts'
import type { CheckedProgram } from '../3-check/check.ts'
import type { UnitFacts } from '../3-check/facts.ts'
import { textsFromOutside } from './from-outside.ts'
import { HiddenWorkflows } from './hidden-workflows.ts'

import { loopModule } from './loop-names.ts'

/** Lowering within one unit. */
export interface LowerAt {
  readonly context: LowerContext
  readonly unit: Unit
  readonly facts: UnitFacts
  /** Index in the plan of a workflow's node, by index as written. */
  readonly nodeIndex: ReadonlyMap<number, number>
}

export class LowerContext {
  readonly checked: CheckedProgram
  readonly hidden = new HiddenWorkflows()
  /** Prompts, and words of `ensure`. */
  readonly fromOutside: ReadonlySet<Expr>
  private readonly made = new Map<string, PlanModule>()
  private readonly names = new Map<string, string>()
  private readonly workflows = new Set<string>()
  private readonly prompts = new Set<string>()
  private readonly workflowQueue: Sym<'workflow'>[] = []
  private readonly promptQueue: Sym<'prompt'>[] = []
  private asksLoop = false
  private workflowsTaken = 0
  private promptsTaken = 0

  constructor(checked: CheckedProgram) {
    this.checked = checked
    this.fromOutside = textsFromOutside(checked)
  }

  at(unit: Unit): LowerAt {
    const facts = this.checked.facts.get(unit)
    invariant(facts !== undefined, 'a unit of a checked program has facts')
    const nodeIndex = new Map((facts.workflow?.order ?? []).map((written, index) => [written, index]))
    return { context: this, unit, facts, nodeIndex }
  }

  needWorkflow(symbol: Sym<'workflow'>): string {
    if (!this.workflows.has(symbol.key)) this.workflowQueue.push(symbol)
    this.workflows.add(symbol.key)
    return symbol.key
  }

  needPrompt(symbol: Sym<'prompt'>): string {
    if (!this.prompts.has(symbol.key)) this.promptQueue.push(symbol)
    this.prompts.add(symbol.key)
    return symbol.key
  }

  nextWorkflow(): Sym<'workflow'> | undefined {
    return this.workflowQueue[this.workflowsTaken++]
  }

  nextPrompt(): Sym<'prompt'> | undefined {
    return this.promptQueue[this.promptsTaken++]
  }

  /** The module's name in the plan. */
  needModule(unit: Unit, module: ModuleSym): string {
    const { signature } = module
    invariant(signature !== null, 'a call in a checked program has a signature')
    const source = module.kind !== 'plugin' ? module.source : fromEntry(this.checked.program.entry.path, unit.file.path, module.source)
    const id = `${module.kind}:${source}`
    const known = this.names.get(id)
    if (known !== undefined) return known
    let name = signature.name
    for (let number = 2; this.made.has(name); number++) name = `${signature.name}#${number}` // X1
    this.names.set(id, name)
    const { origin, release, hash, needsNode, server } = signature
    this.made.set(name, { name, origin, source, release, hash, ...(needsNode === undefined ? {} : { needsNode }), ...(server === undefined ? {} : { server }) })
    return name
  }

  /** Loops ask tek itself. */
  needLoopModule(): void {
    this.asksLoop = true
  }

  modules(): PlanModule[] {
    return [...(this.asksLoop ? [loopModule] : []), ...this.made.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

/** A specifier of a file, as seen from the entry file's folder: `./plugins/p.ts`. Packages stay as they are. */
export function fromEntry(entry: string, file: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  const folder = (path: string): string[] => path.split('/').slice(0, -1)
  const target = normalized([...folder(file), ...specifier.split('/')])
  const base = normalized(folder(entry))
  let same = 0
  while (same < base.length && same < target.length && base[same] === target[same]) same++
  const up = base.slice(same).map(() => '..')
  return [...(up.length === 0 ? ['.'] : up), ...target.slice(same)].join('/')
}

function normalized(parts: readonly string[]): string[] {
  const out: string[] = []
  for (const part of parts) {
    if (part === '' && out.length > 0 || part === '.') continue
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop()
    else out.push(part)
  }
  return out
}
