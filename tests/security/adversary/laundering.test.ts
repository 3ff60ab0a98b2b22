// Laundering: constructs through which text from outside, or a secret, once lost its mark on the way to where it may not go.
import { expect, test } from 'vitest'
import { reports } from '../../compiler/compile-text.ts'

const inside = (steps: string, last: string, before = ''): string => `${before}workflow w(c: bool = true, n: int = 1, mine: string = "x") -> int {
  can fs.read("in.txt"), exec("echo", "**")
  task text = fs.read("in.txt")
  ${steps}
  task said = shell.run("echo", ${last})
  return said.exitCode
}
`

/** How two values become one whose type holds both: the mark is on a part of one of them. */
const joined: readonly [what: string, steps: string, last: string, before?: string][] = [
  ['branches of `if`', 'let all = if c then [text] else [mine]', 'all[0] ?? ""'],
  ['fields of records in branches', 'let all = if c then { v: text } else { v: mine }', 'all.v'],
  ['a field that only one branch has', 'let all = if c then { n: n, v: text } else { n: n }', 'string(all)'],
  ['arms of `match`', 'let all = match n { 1 => [mine], 2 => [text], _ => [mine] }', 'all[0] ?? ""'],
  ['items of a list', 'let all = [[mine], [text], [mine]]', '(all[1] ?? [])[0] ?? ""'],
  ['`??`', 'let some = if c then null else [text]\n  let all = some ?? [mine]', 'all[0] ?? ""'],
  ['`default`', 'let all = default(first([[text]]), [mine])', 'all[0] ?? ""'],
  ['`on failure use`', 'task all on failure use [mine] = [text]', 'all[0] ?? ""'],
  ['`values` of a record', 'let all = values({ a: [text], b: [mine] })', '(all[0] ?? [])[0] ?? ""'],
  ['a spread', 'let all = { a: [mine], ...(if c then { a: [text] } else { a: [mine] }) }', 'all.a[0] ?? ""'],
  ['an annotated list of records', 'let all: { a: string[] }[] = [{ a: [text] }, { a: [mine] }]', '((all[0] ?? { a: [""] }).a)[0] ?? ""'],
  ['an argument of a workflow', 'task all = same(if c then [text] else [mine])', 'all[0] ?? ""', 'workflow same(list: string[]) -> string[] {\n  return list\n}\n'],
]

for (const [what, steps, last, before] of joined) test(`two values become one: ${what}`, () => {
  expect(reports(inside(steps, last, before)).map(each => each.split(' ')[0])).toEqual(['trust/untrusted-reaches-sink'])
})

for (const [what, steps, last, before] of joined) test(`… and without the mark nothing is said: ${what}`, () => {
  expect(reports(inside(`let own = "y"\n  task seen = text.trim(mine)\n  ${steps.replaceAll('text]', 'own]').replaceAll('text }', 'own }')}`, last, before)).filter(each => each.startsWith('trust/'))).toEqual([])
})

test('a parameter that may be null keeps the mark of a list that is wholly from outside', () => {
  expect(reports(inside('let all = flatten([split(text, "\\n")])', 'all[0] ?? ""')).map(each => each.split(' ')[0])).toEqual(['trust/untrusted-reaches-sink'])
})

test('a secret in one of two lists', () => {
  const program = `secret token = env("TOKEN")
workflow w(c: bool = true, mine: string = "x") -> string {
  can env("TOKEN")
  let all = if c then [token] else [mine]
  return all[0] ?? ""
}
`
  expect(reports(program).map(each => each.split(' ')[0])).toEqual(['secret/reaches-result'])
})
