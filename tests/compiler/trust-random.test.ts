// Random programs with untrusted text on known ways: whatever reaches a command line is reported, and nothing else is.
// The generator keeps, for every value it writes, whether text from outside may be in it, by the meaning of each construct and not by tek's types.
import { expect, test } from 'vitest'
import { compileText } from './compile-text.ts'

const PROGRAMS = 2_000
const VALUES = 14
const SINKS = 5
/** Tasks whose `ensure` runs a command with their value. */
const ENSURED = 2

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Mistakes of another kind that the generator may make, and that change no flow: comparing words that can never be equal. */
const HARMLESS = new Set(['type/never-equal', 'type/pattern-never-matches'])

interface Text {
  /** An expression that gives text. */
  readonly code: string
  readonly isTainted: boolean
}

/** Workflows that programs call: what they do with the marks of their two parameters. */
const HELPERS: readonly (readonly [name: string, body: string, take: (a: boolean, b: boolean) => boolean])[] = [
  ['same', 'return a', a => a],
  ['second', 'return b', (_, b) => b],
  ['both', 'return "${a} and ${b}"', (a, b) => a || b],
  ['fixed', 'return if a == b then "x" else "y"', () => false],
  ['inner', 'task t = both(a, "k")\n  return upper(t)', a => a],
  ['loud', 'let all = [trim(x) for x in split(a, ",")]\n  task t for x in all = second(b, x)\n  return join(t, "-")', a => a],
  ['field', 'let r = { p: a, q: b }\n  return r.q', (_, b) => b],
  ['vouched', 'return trust(a, because: "it is ours")', () => false],
]

class Generator {
  readonly sinks: { name: string; isTainted: boolean }[] = []
  private readonly next: () => number
  private readonly lines: string[] = []
  private readonly known: Text[] = []
  private count = 0

  constructor(seed: number) {
    this.next = numbers(seed)
  }

  program(): string {
    this.lines.push('  task page = http.get("https://example.org/a")', '  task file = fs.read("a.txt")')
    this.known.push({ code: 'page.body', isTainted: true }, { code: 'file', isTainted: true }, { code: 'given', isTainted: false }, { code: '"main"', isTainted: false })
    for (let index = 0; index < VALUES; index++) this.value()
    for (let index = 0; index < SINKS; index++) {
      const { code, isTainted } = this.text(2)
      const name = `s${index}`
      this.lines.push(`  task ${name} = shell.run("git", ${code})`)
      this.sinks.push({ name, isTainted })
    }
    const all = this.sinks.map(({ name }) => `${name}.exitCode`).join(' + ')
    for (let index = 0; index < ENSURED; index++) {
      const [held, beside] = [this.text(1), this.text(1)]
      this.lines.push(`  task e${index} ensure len(answer) >= 0 ensure shell.run("git", ${this.next() < 0.5 ? `"\${answer}-\${${beside.code}}"` : `trim(answer), ${beside.code}`}).ok = ${held.code}`)
      this.sinks.push({ name: `e${index}`, ...mark(held, beside) })
    }
    const helpers = HELPERS.map(([name, body]) => `workflow ${name}(a: string, b: string) -> string {\n  ${body}\n}\n`)
    return `${helpers.join('')}workflow w(given: string, sure: bool) -> int {\n  can net("example.org:443"), fs.read("a.txt"), exec("git", "**")\n${this.lines.join('\n')}\n  return ${all}\n}\n`
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.next() * items.length)]!
  }

  private value(): void {
    const name = `v${this.count++}`
    const roll = this.next()
    if (roll < 0.25) {
      const [helper, , take] = this.pick(HELPERS)
      const [a, b] = [this.text(1), this.text(1)]
      this.lines.push(`  task ${name} = ${helper}(${a.code}, ${b.code})`)
      this.known.push({ code: name, isTainted: take(a.isTainted, b.isTainted) })
    } else if (roll < 0.4) {
      const [a, b] = [this.text(1), this.text(1)]
      this.lines.push(`  let ${name} = { f: ${a.code}, g: { h: ${b.code} }, n: 1 }`)
      this.known.push({ code: `${name}.f`, ...mark(a) }, { code: `${name}.g.h`, ...mark(b) }, { code: `"\${${name}.n}"`, isTainted: false }, { code: `string(${name})`, ...mark(a, b) })
    } else if (roll < 0.55) {
      const [a, b] = [this.text(1), this.text(1)]
      this.lines.push(`  let ${name} = [${a.code}, ${b.code}]`)
      this.known.push({ code: `(${name}[0] ?? "none")`, ...mark(a, b) }, { code: `join(${name}, " ")`, ...mark(a, b) }, { code: `"\${len(${name})}"`, isTainted: false })
    } else if (roll < 0.6) {
      const a = this.text(1)
      this.lines.push(`  task ${name} -> { f: string, n: int, k: "x" | "y" } = json.parse(${a.code})`)
      this.known.push({ code: `${name}.f`, ...mark(a) }, { code: `{ ...${name}, g: "k" }.f`, ...mark(a) }, { code: `"\${${name}.n}"`, isTainted: false }, { code: `${name}.k`, isTainted: false })
    } else if (roll < 0.65) {
      const [a, b] = [this.text(1), this.text(0)]
      this.lines.push(`  task ${name} for each in split(${a.code}, " ") = "\${each}-\${${b.code}}"`)
      this.known.push({ code: `(first(${name}) ?? "none")`, ...mark(a, b) })
    } else {
      const made = this.text(3)
      this.lines.push(`  ${this.pick(['let', 'task'])} ${name} = ${made.code}`)
      this.known.push({ code: name, ...mark(made) })
    }
  }

  /** A text made of known ones, with so many constructs around them at most. */
  private text(depth: number): Text {
    if (depth === 0 || this.next() < 0.2) return this.pick(this.known)
    const a = this.text(depth - 1)
    const b = this.text(depth - 1)
    const x = `x${this.count++}`
    return this.pick<() => Text>([
      () => ({ code: `"a \${${a.code}} b \${${b.code}}"`, ...mark(a, b) }),
      () => ({ code: `trim(${a.code})`, ...mark(a) }),
      () => ({ code: `replace(${a.code}, "a", ${b.code})`, ...mark(a, b) }),
      () => ({ code: `(${a.code} |> lower)`, ...mark(a) }),
      () => ({ code: `(if sure then ${a.code} else ${b.code})`, ...mark(a, b) }),
      () => ({ code: `(if ${a.code} == "go" then "yes" else ${b.code})`, ...mark(b) }),
      () => ({ code: `match ${a.code} { "go" | "stay" => "known", _ => ${b.code} }`, ...mark(b) }),
      () => ({ code: `{ f: ${a.code}, g: ${b.code} }.g`, ...mark(b) }),
      () => ({ code: `{ ...{ f: ${a.code}, g: "k" }, g: ${b.code} }.g`, ...mark(b) }),
      () => ({ code: `join([trim(${x}) for ${x} in [${a.code}]], ${b.code})`, ...mark(a, b) }),
      () => ({ code: `join([${b.code} for ${x} in split(${a.code}, " ")])`, ...mark(b) }),
      () => ({ code: `join(map([${a.code}], ${x} => "\${${x}}!"))`, ...mark(a) }),
      () => ({ code: `join(map(split(${a.code}, " "), ${x} => "same"))`, isTainted: false }),
      () => ({ code: `join(filter([${a.code}], ${x} => ${x} != ${b.code}))`, ...mark(a) }),
      () => ({ code: `join(sortBy([${a.code}, "k"], ${x} => len(${x})))`, ...mark(a) }),
      () => ({ code: `join(keys(groupBy([1, 2], ${x} => "\${${a.code}}\${${x}}")))`, ...mark(a) }),
      () => ({ code: `join(flatten([[${a.code}], ["k"]]))`, ...mark(a) }),
      () => ({ code: `(maxBy([${a.code}], ${x} => len(${x})) ?? ${b.code})`, ...mark(a, b) }),
      () => ({ code: `default(first([${a.code}]), ${b.code})`, ...mark(a, b) }),
      () => ({ code: `"\${len(${a.code})}\${${b.code} == "x"}"`, isTainted: false }),
      () => ({ code: `trust(${a.code}, because: "seen before")`, isTainted: false }),
      () => ({ code: `path.of(${a.code})`, ...mark(a) }),
      () => ({ code: `json.print({ a: ${a.code} })`, ...mark(a) }),
    ])()
  }
}

const mark = (...parts: readonly Text[]): { readonly isTainted: boolean } => ({ isTainted: parts.some(part => part.isTainted) })

test(`${PROGRAMS} random programs: every planted flow is found, and no other`, () => {
  let planted = 0
  let clean = 0
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const generator = new Generator(seed)
    const text = generator.program()
    const { diagnostics } = compileText(text)
    const others = diagnostics.filter(each => each.severity === 'error' && each.code !== 'trust/untrusted-reaches-sink' && !HARMLESS.has(each.code))
    expect(others.map(each => `${each.code} ${each.message} ${text.slice(each.at?.start, each.at?.end)}`), `seed ${seed}\n${text}`).toEqual([])
    const reported = new Set(diagnostics.filter(each => each.code === 'trust/untrusted-reaches-sink').map(each => text.lastIndexOf('\n', each.at!.start)))
    const wrong = generator.sinks.filter(({ name, isTainted }) => reported.has(text.indexOf(`\n  task ${name} `)) !== isTainted)
    expect(wrong, `seed ${seed}\n${text}`).toEqual([])
    for (const { isTainted } of generator.sinks) isTainted ? planted++ : clean++
  }
  // The generator makes both kinds in earnest.
  expect(Math.min(planted, clean)).toBeGreaterThan(PROGRAMS)
}, 120_000)

test('a way that is reported begins at a source and ends where it is reported', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const text = new Generator(seed).program()
    for (const each of compileText(text).diagnostics) {
      if (each.code !== 'trust/untrusted-reaches-sink') continue
      const source = text.slice(each.related[0]?.at.start, each.related[0]?.at.end)
      expect(['http.get("https://example.org/a")', 'fs.read("a.txt")'], `seed ${seed}: ${each.message}\n${text}`).toContain(source)
      expect(each.related.every((step, index) => index === 0 || step.message !== '')).toBe(true)
      expect(each.flow).toMatch(/ends in the command line of `shell.run`$/)
    }
  }
})
