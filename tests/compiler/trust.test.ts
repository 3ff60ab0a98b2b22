// What is offered against a flow, what the plan says of it, how its way is drawn.
import { describe, expect, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { renderPretty } from '#diagnostics/render/pretty.ts'
import { SourceTexts } from '#diagnostics/render/source-lines.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { applyFixes } from '../../src/cli/apply-fixes.ts'
import { compileText, reports } from './compile-text.ts'

const head = 'workflow w() -> int {\n  can fs.read("a.txt"), exec("git", "**")\n  task text = fs.read("a.txt")\n'
const agent = 'model m = anthropic("x")\nagent a {\n  model m\n  can fs.read("a.txt")\n  tools fs.read\n}\n'

const fixed = (text: string, unsafe: boolean): string => applyFixes('main.tek', text, compileText(text).diagnostics, unsafe).text

describe('what is offered', () => {
  test('a safe fix narrows what a model answers, and mends the program', () => {
    const text = `type Answer = { branch: string, why: string }\n${agent}workflow w() -> int {\n  can fs.read("a.txt"), exec("git", "**")\n  task answer by a -> Answer = prompt """Name a branch"""\n  task pushed = shell.run("git", "push", answer.branch)\n  return pushed.exitCode\n}\n`
    expect(reports(text)).toEqual(['trust/untrusted-reaches-sink "answer.branch"'])
    const mended = fixed(text, false)
    expect(mended).toContain('type Answer = { branch: string(matches: r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max: 64), why: string }')
    expect(reports(mended)).toEqual([])
  })

  test('a safe fix narrows the parameter that brings the text in', () => {
    const text = `workflow push(branch: string) -> int {\n  can exec("git", "**")\n  task pushed = shell.run("git", "push", branch)\n  return pushed.exitCode\n}\n${head}  task done = push(text)\n  return done\n}\n`
    expect(reports(text)).toEqual(['trust/untrusted-reaches-sink "branch"'])
    expect(reports(fixed(text, false))).toEqual([])
  })

  test('a task without a type is narrowed only when it is asked for', () => {
    const text = `${head}  task pushed = shell.run("git", "push", text)\n  return pushed.exitCode\n}\n`
    expect(fixed(text, false)).toBe(text)
    expect(fixed(text, true)).toContain('task text -> string(matches: ')
    expect(reports(fixed(text, true))).toEqual([])
  })

  test('no fix vouches for anything: what is offered does not compile before a person has written why', () => {
    const text = `${head}  task pushed = shell.run("git", "push", "x \${text}")\n  return pushed.exitCode\n}\n`
    for (const { fixes } of compileText(text).diagnostics) {
      const vouching = fixes.filter(fix => fix.title.includes('trust('))
      expect(vouching).toHaveLength(1)
      expect(vouching[0]!.safe).toBe(false)
      const edited = [...vouching[0]!.edits].sort((a, b) => b.at.start - a.at.start).reduce((all, edit) => all.slice(0, edit.at.start) + edit.newText + all.slice(edit.at.end), text)
      expect(reports(edited)).toEqual(['trust/reason-needed "\\"\\""'])
    }
  })
})

describe('the plan', () => {
  const text = `${head}  task pushed = shell.run("git", "push", trust(text, because: "it is ours"))\n  task asked approve "Push \${text}?" = shell.run("git", "fetch", text)\n  return pushed.exitCode + asked.exitCode\n}\n`

  test('says what a person vouches for, and where', () => {
    const plan = lower(compileText(text).program!)
    expect(plan.trusted).toEqual([
      { workflow: 'w', reason: 'it is ours', path: 'main.tek', line: 4, column: 42 },
      { workflow: 'w', reason: 'a person is shown `text` and asked', path: 'main.tek', line: 5, column: 30 },
    ])
    expect(validatePlan(JSON.parse(JSON.stringify(plan))).problem).toBe(null)
  })

  test('is the same to the hash wherever it stands, and refused when it is damaged', () => {
    const plan = lower(compileText(text).program!)
    expect(hashPlan({ ...plan, trusted: [] })).toBe(plan.hash)
    expect(validatePlan(JSON.parse(JSON.stringify({ ...plan, trusted: [{ reason: 3 }] }))).problem).not.toBe(null)
  })
})

describe('the picture', () => {
  test('a way through two workflows, back in the line numbers', () => {
    const text = `workflow push(branch: string) -> int {\n  can exec("git", "**")\n  task pushed = shell.run("git", "push", branch)\n  return pushed.exitCode\n}\n${head}  let name = "b-\${trim(text)}"\n  task done = push(name)\n  return done\n}\n`
    const [found] = compileText(text).diagnostics
    expect(renderPretty(found!, new SourceTexts(new Map([['main.tek', text]])), { paint: plainPaint, columns: 80 })).toMatchInlineSnapshot(`
      "error trust/untrusted-reaches-sink: What a file holds reaches the command line of \`shell.run\`.
        --> main.tek:3:42
         |
       8 |   task text = fs.read("a.txt")
         |               ---------------- 1. what a file holds comes in here
         |
       9 |   let name = "b-\${trim(text)}"
         |                        ---- 2. goes through \`trim\`, into a text
         |
      10 |   task done = push(name)
         |                    ---- 3. goes into \`push\` as \`branch\`
         |
       3 |   task pushed = shell.run("git", "push", branch)
         |                                          ^^^^^^
         |                                  4. ends in the command line of \`shell.run\`
         |
         = help: A type with no room for instructions closes the way.
         = fix: Let \`branch\` be a short name (tek check --fix does it)
         = fix: Vouch for it: \`trust(…, because: "")\`, once you write why"
    `)
  })

  test('in a narrow terminal a note stands below its mark and no source line is longer than the terminal', () => {
    const text = `${head}  task pushed = shell.run("git", "push", "a rather long text before it \${text}")\n  return pushed.exitCode\n}\n`
    const [found] = compileText(text).diagnostics
    const lines = renderPretty(found!, new SourceTexts(new Map([['main.tek', text]])), { paint: plainPaint, columns: 50 }).split('\n')
    expect(lines.filter(line => /^ *\d* \|/.test(line)).every(line => line.length <= 50)).toBe(true)
    expect(lines.some(line => /^ {2}\| +2\. goes into a text/.test(line))).toBe(true)
  })

  test('a way through other files names them', () => {
    const others = { 'lib.tek': 'workflow push(branch: string) -> int {\n  can exec("git", "**")\n  task pushed = shell.run("git", "push", branch)\n  return pushed.exitCode\n}\n' }
    const text = `use "./lib.tek" (push)\n${head}  task done = push(text)\n  return done\n}\n`
    const [found] = compileText(text, others).diagnostics
    expect(found?.at?.path).toBe('lib.tek')
    const drawn = renderPretty(found!, new SourceTexts(new Map([['main.tek', text], ['lib.tek', others['lib.tek']]])), { paint: plainPaint, columns: 80 })
    expect(drawn.split('\n').filter(line => /(-->|:::)/.test(line)).map(line => line.trim())).toEqual(['--> lib.tek:3:42', '::: main.tek:4:15', '::: lib.tek:3:42'])
  })

  test('of a way with very many steps the first and the last are drawn', () => {
    const lets = Array.from({ length: 40 }, (_, index) => `  let v${index + 1} = trim(v${index})\n`).join('')
    const text = `${head}  let v0 = trim(text)\n${lets}  task pushed = shell.run("git", v40)\n  return pushed.exitCode\n}\n`
    const [found] = compileText(text).diagnostics
    expect(found?.related).toHaveLength(42)
    const drawn = renderPretty(found!, new SourceTexts(new Map([['main.tek', text]])), { paint: plainPaint, columns: 80 })
    expect(drawn).toContain('19 more steps')
    expect(drawn).toContain('43. ends in the command line of `shell.run`')
  })
})
