// Stand-in: the text that takes a secret's place wherever an expression mentions it.
// Owns: how a stand-in is made, how it reads to people. Does not own: the values (vault.ts).
//   N1. A stand-in is made of the run's own seed, so that no text from outside can be one by guessing; a run that goes on makes the same.
//   N2. To people it reads `[secret NAME]`: the seed is theirs to see nowhere.
import { sha256 } from '#base/hash.ts'
import type { Outcome } from '#model/event.ts'
import type { RunNotice, RunReport, RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'

/** Bytes of a run's seed. */
export const STAND_IN_SEED_BYTES = 16
const MARK_LENGTH = 32

/** Anything of the shape of a stand-in, of this run or another. */
const shape = /⟦secret ([^⟦⟧]{1,500}) ([0-9a-f]{32})⟧/g

/** The name of a secret without the file it is declared in. */
export const shownName = (name: string): string => name.slice(name.lastIndexOf('#') + 1)

/** The stand-in of a secret in the run of a seed. // N1 */
export function standInOf(name: string, seed: string): string {
  return `⟦secret ${shownName(name)} ${sha256(`${seed}\n${name}`).slice(0, MARK_LENGTH)}⟧`
}

/** Each stand-in in a text, replaced by what `valueOf` gives for it; null leaves it as it is. */
export function replaceStandIns(text: string, valueOf: (standIn: string) => string | null): string {
  return text.includes('⟦secret ') ? text.replace(shape, standIn => valueOf(standIn) ?? standIn) : text
}

/** As people see it. // N2 */
export function showStandIns(text: string): string {
  return text.includes('⟦secret ') ? text.replace(shape, '[secret $1]') : text
}

/** A value with every text in it changed, names of fields included; itself where nothing changes. */
export function mapTexts(value: Value, change: (text: string) => string, changeNumber?: (value: number) => Value): Value {
  if (typeof value === 'string') return change(value)
  if (typeof value === 'number') return changeNumber === undefined ? value : changeNumber(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    let changed: Value[] | null = null
    for (let index = 0; index < value.length; index++) {
      const item = value[index] as Value
      const now = mapTexts(item, change, changeNumber)
      if (now !== item) (changed ??= [...(value as readonly Value[])])[index] = now
    }
    return changed ?? value
  }
  let isChanged = false
  const fields: [string, Value][] = []
  for (const [name, field] of Object.entries(value)) {
    const [newName, newField] = [change(name), mapTexts(field as Value, change, changeNumber)]
    isChanged ||= newName !== name || newField !== field
    fields.push([newName, newField])
  }
  return isChanged ? Object.fromEntries(fields) : value
}

/** An outcome with every text in it changed. */
export function mapOutcome(outcome: Outcome, change: (text: string) => string, changeNumber?: (value: number) => Value): Outcome {
  return outcome.kind === 'value'
    ? { kind: 'value', value: mapTexts(outcome.value, change, changeNumber) }
    : { kind: 'failure', failure: mapTexts(outcome.failure as unknown as Value, change) as unknown as typeof outcome.failure }
}

export const showSummary = (summary: RunSummary): RunSummary => (summary.outcome === null ? summary : { ...summary, outcome: mapOutcome(summary.outcome, showStandIns) })

export const showReport = ({ summary, tasks }: RunReport): RunReport => ({
  summary: showSummary(summary),
  tasks: tasks.map(task => (task.outcome === null ? task : { ...task, outcome: mapOutcome(task.outcome, showStandIns) })),
})

export const showNotice = (notice: RunNotice): RunNotice => mapTexts(notice as unknown as Value, showStandIns) as unknown as RunNotice
