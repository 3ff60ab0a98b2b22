// Coverage report: what tests went through, as a table, as lcov and as JSON.
// Owns: the forms. Does not own: counting (interpreter/coverage.ts).
//   V1. In lcov a task is a line with its count, and `when` and `on failure` are branches of that line, so that an editor shows what no test went through.
import { neutraliseLine, padToWidth, type Paint } from '#base/terminal-text.ts'
import type { CoveredPart } from '#interpreter/coverage.ts'

/** Parts that no test went through, in the table. */
const MAX_MISSED = 20

export interface Share {
  readonly covered: number
  readonly all: number
}

export function shareOf(parts: readonly CoveredPart[]): Share {
  return { covered: parts.filter(each => each.count > 0).length, all: parts.length }
}

/** In percent, rounded down: only all of it is 100. Nothing to cover is all of it. */
export const percentOf = ({ covered, all }: Share): number => (all === 0 ? 100 : Math.floor((covered * 1_000) / all) / 10)

/** A row for each workflow and agent of each file, and what no test went through. */
export function coverageTable(parts: readonly CoveredPart[], paint: Paint): string[] {
  const lines: string[] = []
  for (const [path, inFile] of groupBy(parts, each => each.path)) {
    lines.push(`${paint('bold', neutraliseLine(path))}  ${percentOf(shareOf(inFile))}%`)
    for (const [owner, own] of groupBy(inFile, each => each.owner)) {
      const share = shareOf(own)
      const counts = (['task', 'when true', 'on failure', 'tool'] as const).flatMap(kind => countsOf(own, kind))
      lines.push(`  ${padToWidth(neutraliseLine(owner), 24)} ${`${percentOf(share)}%`.padStart(6)}  ${counts.join(' · ')}`)
    }
  }
  const missed = parts.filter(each => each.count === 0)
  if (missed.length > 0) lines.push('', 'no test goes through:')
  for (const { path, line, kind, owner, name } of missed.slice(0, MAX_MISSED)) lines.push(`  ${paint('yellow', neutraliseLine(`${path}${line === null ? '' : `:${line}`}`))}  ${wordsOf(kind, neutraliseLine(owner), neutraliseLine(name))}`)
  if (missed.length > MAX_MISSED) lines.push(`  … and ${missed.length - MAX_MISSED} more`)
  return lines
}

function countsOf(own: readonly CoveredPart[], kind: CoveredPart['kind']): string[] {
  const same = own.filter(each => each.kind === kind || (kind === 'when true' && each.kind === 'when false'))
  const { covered, all } = shareOf(same)
  const word = kind === 'when true' ? 'ways of `when`' : `${kind === 'on failure' ? 'failure' : kind}${all === 1 ? '' : 's'}`
  return all === 0 ? [] : [`${covered} of ${all} ${word}`]
}

function wordsOf(kind: CoveredPart['kind'], owner: string, name: string): string {
  switch (kind) {
    case 'task':
      return `task ${name} of ${owner}`
    case 'when true':
      return `task ${name} of ${owner}, its \`when\` true`
    case 'when false':
      return `task ${name} of ${owner}, its \`when\` false`
    case 'on failure':
      return `task ${name} of ${owner}, its \`on failure\``
    case 'tool':
      return `tool ${name} of agent ${owner}`
  }
}

/** V1. */
export function coverageLcov(parts: readonly CoveredPart[]): string {
  const out: string[] = []
  for (const [path, inFile] of groupBy(parts.filter(each => each.line !== null), each => each.path)) {
    out.push('TN:', `SF:${path}`)
    const tasks = inFile.filter(each => each.kind === 'task')
    const branches = inFile.filter(each => each.kind !== 'task')
    branches.forEach(({ line, kind, count }, at) => out.push(`BRDA:${line},${at},${kind === 'when false' ? 1 : 0},${count === 0 ? '-' : count}`))
    out.push(`BRF:${branches.length}`, `BRH:${shareOf(branches).covered}`)
    const lines = [...groupBy(tasks, each => String(each.line))].map(([line, on]) => [Number(line), on.reduce((sum, each) => sum + each.count, 0)] as const)
    for (const [line, count] of lines) out.push(`DA:${line},${count}`)
    out.push(`LF:${lines.length}`, `LH:${lines.filter(([, count]) => count > 0).length}`, 'end_of_record')
  }
  return `${out.join('\n')}\n`
}

export function coverageJson(parts: readonly CoveredPart[]): object {
  const share = shareOf(parts)
  return { version: 1, percent: percentOf(share), ...share, parts }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
