// Random programs: tek programs of nested clauses, `for`s, sub-workflows and limits, drawn from a seed.
// Owns: their text. Every program only reads; what reading gives is up to whoever runs it.

export interface Drawn {
  readonly text: string
  /** Length of the literal list of each `for`, by task name. */
  readonly lengths: ReadonlyMap<string, number>
  /** Tasks whose expression calls a tool, by name. */
  readonly calling: ReadonlySet<string>
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
export function random(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Drawing {
  /** Whether every task gets a `timeout` and no list is made when it runs, so that time is bounded. */
  readonly timed: boolean
}

/** A program whose entry is `main`. */
export function drawProgram(seed: number, { timed }: Drawing): Drawn {
  const next = random(seed)
  const below = (count: number): number => Math.floor(next() * count)
  const chance = (share: number): boolean => next() < share
  const lengths = new Map<string, number>()
  const calling = new Set<string>()
  const count = 1 + below(4)
  let named = 0
  const expression = (): string => {
    switch (below(6)) {
      case 0:
        return 'if fs.exists("a") then len(fs.read("b")) else 0'
      case 1:
        return `sum([len(fs.read("c")) for y in range(${below(4)}) if y != 1])`
      case 2:
        return 'len(fs.read("d")) + len(fs.read("e"))'
      case 3:
        return '1 + 1'
      case 4:
        return 'match len(fs.read("f")) { 0 => len(fs.read("g")) + len(fs.read("h")), _ => 2 }'
      default:
        return 'len(fs.read("i"))'
    }
  }
  const listOf = (name: string, before: readonly string[]): string => {
    const length = below(timed ? 14 : 5)
    lengths.set(name, length)
    const literal = `[${Array.from({ length }, (_, index) => index).join(', ')}]`
    if (timed) return literal
    switch (below(5)) {
      case 0:
        return before.includes('found') ? 'found' : literal
      case 1:
        return before.includes('found') ? `take(found, ${length})` : literal
      case 2:
        return `range(${length})`
      case 3:
        return `filter(range(${length}), n => n != 1)`
      default:
        return literal
    }
  }
  const clauses = (isFor: boolean): string => {
    const parts: string[] = []
    if (isFor && chance(0.4)) parts.push(`parallel ${1 + below(3)}`)
    if (chance(0.4)) parts.push(`retry ${1 + below(3)} backoff ${1 + below(20)}ms..${20 + below(60)}ms`)
    if (timed || chance(0.3)) parts.push(`timeout ${50 + below(200)}ms`)
    if (!timed && chance(0.15)) parts.push('cache 1d')
    if (timed && chance(0.2)) parts.push(`wait ${1 + below(80)}ms`)
    if (timed && chance(0.1)) parts.push(`approve "Go on?" within ${1 + below(80)}ms${chance(0.5) ? ` escalate "somebody" within ${1 + below(40)}ms` : ''}`)
    if (chance(0.2)) parts.push(chance(0.5) ? `verify ${2 + below(2)} agree 2` : 'verify 2..4')
    if (chance(0.3)) parts.push(chance(0.5) ? 'on failure continue' : 'on failure use 0')
    if (!timed && chance(0.15)) parts.push(`ensure ${chance(0.5) ? 'fs.exists("j")' : 'len(fs.read("k")) >= 0 and len(fs.read("l")) >= 0'}${chance(0.3) ? ' else "not so"' : ''}`)
    if (!timed && chance(0.05)) parts.push('ensure answer != 7')
    return parts.join(' ')
  }
  const workflow = (index: number): string => {
    const lines = [`workflow ${index === 0 ? 'main' : `_w${index}`}() -> any {`, '  can fs.read("**")']
    const limits = [chance(0.2) ? `tasks: ${1 + below(12)}` : '', chance(0.2) ? `calls: ${1 + below(12)}` : '', chance(0.2) ? `parallel: ${1 + below(4)}` : ''].filter(each => each !== '')
    if (limits.length > 0) lines.push(`  limits { ${limits.join(', ')} }`)
    const names: string[] = []
    if (!timed && chance(0.5)) {
      lines.push('  task found = fs.glob("**")', '  task flag = fs.exists("flag")')
      names.push('found', 'flag')
    }
    for (let task = 1 + below(4); task > 0; task--) {
      const name = `t${named++}`
      const isFor = chance(0.5)
      const calls = index + 1 < count && chance(0.4)
      const list = isFor ? ` for x in ${listOf(name, names)}` : ''
      const when = names.includes('flag') && chance(0.3) ? ' when flag' : ''
      const after = names.length > 0 && chance(0.4) ? ` after ${names[below(names.length)]!}` : ''
      const body = calls ? `_w${index + 1 + below(count - index - 1)}()` : expression()
      lines.push(`  task ${name}${list}${after}${when} ${clauses(isFor)} = ${body}`.replace(/ +/g, ' ').replace(/^ /, '  '))
      if (/fs\./.test(body) && !body.includes('range(0)')) calling.add(name)
      names.push(name)
    }
    return [...lines, '  return [1]', '}'].join('\n')
  }
  return { text: `${Array.from({ length: count }, (_, index) => workflow(index)).join('\n\n')}\n`, lengths, calling }
}
