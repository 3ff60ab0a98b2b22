// Tap: the Test Anything Protocol, versions 12 to 14, with the subtests of node:test and node-tap, and tape's groups.
// Owns: reading TAP. Does not own: what other reporters print.
//   P1. A result whose subtests stood before it sums them up and is no test itself, unless it failed and none of them did (a hook, a plan).
//   P2. tape prints assertions, one group a test: the group is the test, and it fails when one of its assertions does.
//   P3. A plan that was not fulfilled and `Bail out!` are failures of their own, as the protocol says. A failing TODO test is none.
//   P4. One pass; subtests are followed MAX_DEPTH deep, deeper ones are read as if they stood there.
import { factsOf, MAX_MESSAGE_LINES, MAX_TESTS, type Outcome, type TestFact, type TestFacts } from './facts.ts'

const MAX_DEPTH = 64
const RESULT = /^( *)(not )?ok\b(?: +(\d+))?(.*)$/
const FOOTER = /^# *(?:tests|suites|pass|fail|ok|cancelled|skipped|skip|todo|duration_ms|time|failed|test count|success|assertions|asserts)\b/i

export function readTap(text: string): TestFacts | null {
  if (!/^ *(?:not )?ok\b/m.test(text) && !/^Bail out!|^1\.\.0\b/m.test(text)) return null
  if (!/^(?:TAP version \d+| *\d+\.\.\d+|Bail out!)/m.test(text)) return null
  return isTape(text) ? readTape(text) : new TapReader().read(text)
}

/** tape's own footer has two spaces after `pass`, and its first line after the version names a group. */
const isTape = (text: string): boolean => /^TAP version 13\n# (?!Subtest: )[^\n]/m.test(text) && /^# tests \d+$/m.test(text)

function readTape(text: string): TestFacts {
  const tests: TestFact[] = []
  let group: { name: string; outcome: Outcome; isEmpty: boolean } | null = null
  let failure: string[] | null = null
  const close = (): void => {
    if (group !== null && !group.isEmpty && tests.length < MAX_TESTS) tests.push({ name: group.name, outcome: group.outcome, ...(failure === null ? {} : { message: failure.join('\n') }) })
    ;[group, failure] = [null, null]
  }
  let isInFailure = false
  for (const line of text.split('\n')) {
    const found = RESULT.exec(line)
    if (found !== null && found[1] === '') {
      const { name, directive } = named(found[4] ?? '')
      group ??= { name: name || 'tests', outcome: 'pass', isEmpty: true }
      group.isEmpty = false
      isInFailure = found[2] !== undefined && directive === null
      if (isInFailure) {
        group.outcome = 'fail'
        failure ??= [name]
      }
    } else if (/^# \S/.test(line)) {
      isInFailure = false
      if (FOOTER.test(line)) continue
      close()
      const { name, directive } = named(line.slice(1).replace(/^ (SKIP|TODO) /, ' # $1 '))
      group = { name: name || (directive?.reason ?? ''), outcome: directive?.kind ?? 'pass', isEmpty: directive === null }
    } else if (isInFailure && failure !== null && failure.length < MAX_MESSAGE_LINES && !/^\s*(?:---|\.\.\.)$/.test(line)) failure.push(line)
  }
  close()
  return factsOf('tape', [...tests, ...bailed(text), ...planned(text)])
}

interface Directive {
  readonly kind: 'skip' | 'todo'
  readonly reason: string
}

/** The description of a result line and its directive. `\#` is a hash of the description. */
function named(rest: string): { name: string; directive: Directive | null; opens: boolean } {
  const bare = rest.replace(/^ *- ?/, ' ')
  const at = bare.search(/(?<!\\)# *(?:skip|todo)/i)
  const found = at < 0 ? null : /^# *(skip|todo)\S*[ \t]*(.*)$/i.exec(bare.slice(at))
  const head = (at < 0 ? bare : bare.slice(0, at)).trimEnd()
  const opens = found === null && head.endsWith(' {')
  const name = (opens ? head.slice(0, -2) : head).replace(/ # time=[\d.]+m?s$/, '').trim().replace(/\\([#\\])/g, '$1')
  return { name, directive: found === null ? null : { kind: found[1]?.toLowerCase() === 'todo' ? 'todo' : 'skip', reason: (found[2] ?? '').trim() }, opens }
}

const bailed = (text: string): TestFact[] => {
  const found = /^Bail out!(.*)$/m.exec(text)
  return found === null ? [] : [{ name: 'Bail out!', outcome: 'fail', message: (found[1] ?? '').trim() }]
}

/** P3 */
function planned(text: string): TestFact[] {
  const plan = /^1\.\.(\d{1,9})/m.exec(text)
  if (plan === null) return []
  const [wanted, seen] = [Number(plan[1]), (text.match(/^(?:not )?ok\b/gm) ?? []).length]
  return seen === wanted ? [] : [{ name: 'the plan', outcome: 'fail', message: `${wanted} results were planned and ${seen} came.` }]
}

class TapReader {
  private readonly tests: TestFact[] = []
  /** Names of the subtests that are open, by depth. */
  private readonly open: string[] = []
  /** Results seen since the last one above them, by depth, and how many of them failed. */
  private readonly seen: number[] = []
  private readonly failed: number[] = []
  /** Buffered subtests whose end has not come, with what their own line said. */
  private readonly buffered: { depth: number; test: TestFact }[] = []
  private watched: { test: TestFact; lines: string[]; indent: number } | null = null

  read(text: string): TestFacts {
    for (const line of text.split('\n')) this.line(line)
    this.unwatch()
    const isNode = /^ *duration_ms:? [\d.]+$/m.test(text) || /^# duration_ms [\d.]+$/m.test(text)
    return factsOf(isNode ? 'node' : 'tap', [...this.tests, ...bailed(text), ...planned(text)])
  }

  private line(line: string): void {
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    if (subtest !== null) {
      this.unwatch()
      this.openAt(depthOf(subtest[1]), (subtest[2] ?? '').trim())
      return
    }
    const end = /^( *)\}$/.exec(line)
    if (end !== null && this.buffered.at(-1)?.depth === depthOf(end[1])) return this.closeBuffered()
    const found = RESULT.exec(line)
    if (found === null || (this.watched !== null && depthOf(found[1]) > this.watched.indent)) return this.diagnostic(line)
    this.unwatch()
    this.result(depthOf(found[1]), found[2] !== undefined, named(found[4] ?? ''))
  }

  private openAt(depth: number, name: string): void {
    this.open.length = Math.min(this.open.length, depth)
    while (this.open.length < depth) this.open.push('')
    this.open.push(name)
    this.seen[depth + 1] = this.failed[depth + 1] = 0
  }

  private result(depth: number, isNotOk: boolean, { name, directive, opens }: ReturnType<typeof named>): void {
    if (opens) { // version 14: the subtests come after the line that sums them up
      this.openAt(depth, name)
      if (this.buffered.length < MAX_DEPTH) this.buffered.push({ depth, test: { name: this.open.filter(each => each !== '').join(' > '), outcome: isNotOk ? 'fail' : 'pass' } })
      return
    }
    const [below, brokenBelow] = [this.seen[depth + 1] ?? 0, this.failed[depth + 1] ?? 0]
    this.seen[depth + 1] = this.failed[depth + 1] = 0
    this.open.length = Math.min(this.open.length, depth)
    const outcome: Outcome = directive !== null ? directive.kind : isNotOk ? 'fail' : 'pass'
    this.seen[depth] = (this.seen[depth] ?? 0) + 1
    if (outcome === 'fail' || brokenBelow > 0) this.failed[depth] = (this.failed[depth] ?? 0) + 1
    if (below > 0 && (outcome !== 'fail' || brokenBelow > 0)) return // P1
    const test: TestFact = { name: [...this.open.filter(each => each !== ''), name].join(' > '), outcome }
    if (this.tests.length <= MAX_TESTS) this.tests.push(test)
    if (outcome === 'fail') this.watched = { test, lines: [], indent: depth }
  }

  private closeBuffered(): void {
    this.unwatch()
    const { depth, test } = this.buffered.pop()!
    const [below, brokenBelow] = [this.seen[depth + 1] ?? 0, this.failed[depth + 1] ?? 0]
    this.seen[depth + 1] = this.failed[depth + 1] = 0
    this.open.length = Math.min(this.open.length, depth)
    this.seen[depth] = (this.seen[depth] ?? 0) + 1
    if (test.outcome === 'fail' || brokenBelow > 0) this.failed[depth] = (this.failed[depth] ?? 0) + 1
    if ((below === 0 || (test.outcome === 'fail' && brokenBelow === 0)) && this.tests.length <= MAX_TESTS) this.tests.push(test) // P1
  }

  private diagnostic(line: string): void {
    if (this.watched === null) return
    if (/^\s*\.\.\.$/.test(line) || this.watched.lines.length >= MAX_MESSAGE_LINES) this.unwatch()
    else if (!/^\s*(?:---|duration_ms:.*|# .*)$/.test(line)) this.watched.lines.push(line)
  }

  private unwatch(): void {
    if (this.watched !== null && this.watched.lines.length > 0) this.watched.test.message = this.watched.lines.join('\n')
    this.watched = null
  }
}

const depthOf = (indent: string | undefined): number => Math.min(Math.floor((indent ?? '').length / 4), MAX_DEPTH) // P4
