// Programs: what the simulated machine runs: one that uses everything, and others drawn from a seed.
// Owns: their text. They read, write and post; what that gives is up to outside.ts.
import { lower } from '#compiler/4-lower/lower.ts'
import type { Plan } from '#model/plan.ts'
import { compileText } from '../compiler/compile-text.ts'
import { random } from '../compiler/random-programs.ts'

const head = 'secret token = env("TOKEN")\n'
const can = '  can fs.read("**"), fs.write("out/**"), net("w.test"), env("TOKEN")\n'

const everything = (waits: string): string => `${head}
const base = sum(range(60)) - sum(range(59))

workflow _inner(n: int, m: int = 3) -> any {
${can}
  task one = n + base + http.post("https://w.test/ok/one", "b").status
  task two retry 3 backoff 50ms..200ms = len(fs.read("flaky/two")) + one
  task three after two priority high = http.post("https://w.test/ok/three", "b", bearer: token).status
  return [one, two, three, m]
}

workflow main() -> any {
${can}
  task files = fs.glob("src/**")
  task scan for f in ["a", "b", "c", "d", "e"] when f != "d" parallel 2 on failure continue =
    len(fs.read("a/\${f}")) + http.post("https://w.test/bad/\${f}", "b").status + len(fs.read("b/\${f}"))
  task flaky retry 6 backoff 100ms..500ms on failure use 0 = http.post("https://w.test/flaky/x", "b").status
  task sure after flaky verify 3..5 on failure continue = len(fs.read("coin/x"))
  task saved for f in [1, 2, 3] after sure = fs.write("out/\${f}", "text")
  task stuck retry 4 backoff 10ms..20ms timeout 10s on failure use -1 = http.post("https://w.test/hang/x", "b").status
  task kept cache 1d = http.post("https://w.test/kept/x", "b").status
  task inner after kept retry 1 backoff 10ms..10ms timeout 300d = _inner(len(files))
  task many for i in range(3) = _inner(i)
  task broken on failure use error.code = http.post("https://w.test/bad/z", "b", bearer: token).status
  task heavy = sum([x * 2 for x in range(7000)])
${waits}  task both = [scan, flaky, sure, inner, many, kept, stuck, heavy${waits === '' ? '' : ', asked, silent, rested, each'}]
  return both
}
`

const waits = `  task asked approve "Post \${len(files)}?" on failure use -2 = http.post("https://w.test/ok/asked", "b").status
  task silent approve "Silent?" within 2h escalate "the owner" within 1h on failure use error.code = http.post("https://w.test/ok/silent", "b").status
  task rested after asked wait 20m = http.post("https://w.test/ok/rested", "b").status
  task each for i in [1, 2, 3] parallel 1 approve "Item \${i}?" within 300d on failure continue = http.post("https://w.test/ok/each-\${i}", "b").status
`

export function planOf(text: string): Plan | null {
  const compiled = compileText(text)
  return compiled.program === null ? null : lower(compiled.program)
}

/** The program that uses everything, and waits for a person and for times. */
export const everythingPlan = (): Plan => compiledPlan(everything(waits))

/** The same without what it waits for: one process comes to its end. */
export const busyPlan = (): Plan => compiledPlan(everything(''))

function compiledPlan(text: string): Plan {
  const compiled = compileText(text)
  if (compiled.program === null) throw new Error(JSON.stringify(compiled.diagnostics.filter(each => each.severity === 'error'), null, 2))
  return lower(compiled.program)
}

/** A program drawn from a seed; its entry is `main`. */
export function drawWritingProgram(seed: number): string {
  const next = random(seed * 13 + 5)
  const below = (count: number): number => Math.floor(next() * count)
  const chance = (share: number): boolean => next() < share
  const workflows = 1 + below(3)
  let named = 0
  const expression = (name: string, item: string): string => {
    const at = `${name}${item}`
    const post = (way: string): string => `http.post("https://w.test/${way}/${at}", "b"${chance(0.2) ? ', bearer: token' : ''}).status`
    switch (below(8)) {
      case 0:
        return `len(fs.read("a/${at}")) + ${post('ok')}`
      case 1:
        return `${post('ok')} + ${post('ok')}`
      case 2:
        return `if fs.exists("is/${at}") then ${post('ok')} else len(fs.read("b/${at}"))`
      case 3:
        return `sum([len(fs.read("c/${at}")) for y in range(${below(4)})])`
      case 4:
        return 'sum([y * 2 for y in range(7000)])'
      default:
        return post('ok')
    }
  }
  const risky = (name: string, item: string, way: string): string => `http.post("https://w.test/${way}/${name}${item}", "b").status`
  const workflow = (index: number): string => {
    const lines = [`workflow ${index === 0 ? 'main' : `_w${index}`}() -> any {`, can.trimEnd()]
    if (chance(0.3)) lines.push(`  limits { parallel: ${1 + below(4)} }`)
    lines.push('  task found = fs.glob("**")', '  task flag = fs.exists("flag")')
    const names: string[] = []
    for (let task = 1 + below(5); task > 0; task--) {
      const name = `t${named++}`
      const isFor = chance(0.4)
      const item = isFor ? '-${x}' : ''
      const list = isFor ? ` for x in ${chance(0.3) ? 'found' : `[${Array.from({ length: below(6) }, (_, at) => `"${at}"`).join(', ')}]`}` : ''
      const clauses: string[] = []
      if (names.length > 0 && chance(0.4)) clauses.push(`after ${names[below(names.length)]!}`)
      if (chance(0.2)) clauses.push('when flag')
      if (isFor && chance(0.4)) clauses.push(`parallel ${1 + below(3)}`)
      let body = expression(name, item)
      const kind = below(8)
      const asks = chance(0.1)
      if (kind === 0) {
        clauses.push(`retry ${2 + below(3)} backoff ${1 + below(20)}ms..${20 + below(500)}ms`)
        body = risky(name, item, 'flaky')
      } else if (kind === 1) {
        clauses.push(`retry 3 backoff 1ms..10ms timeout ${5 + below(20)}s`)
        body = risky(name, item, 'hang')
      } else if (kind === 2) {
        clauses.push(chance(0.5) ? 'verify 2..4' : 'verify 3 agree 2')
        body = `len(fs.read("coin/${name}${item}"))`
      } else if (kind === 3 && !isFor) {
        clauses.push('cache 1d')
        body = risky('kept', `-${name}`, 'kept')
      } else if (kind === 4) body = risky(name, item, 'bad')
      else if (kind === 5 && index + 1 < workflows) {
        if (chance(0.5)) clauses.push('retry 1 backoff 5ms..50ms timeout 300d')
        body = `_w${index + 1 + below(workflows - index - 1)}()`
      }
      if (kind <= 5 && !asks && chance(0.9)) clauses.push(chance(0.5) ? 'on failure continue' : 'on failure use 0')
      if (asks) {
        clauses.push(`approve ${chance(0.3) ? '"Silent?" within 3h escalate "the owner" within 2h' : chance(0.5) ? '"Go on?"' : '"Go on?" within 300d'}`, 'on failure continue')
      } else if (chance(0.1)) clauses.push(`wait ${1 + below(90)}m`)
      lines.push(`  task ${name}${list} ${clauses.join(' ')} = ${body}`.replace(/ +/g, ' ').replace(/^ /, '  '))
      names.push(name)
    }
    return [...lines, `  return [${names.join(', ')}]`, '}'].join('\n')
  }
  return `${head}${Array.from({ length: workflows }, (_, index) => workflow(index)).join('\n\n')}\n`
}
