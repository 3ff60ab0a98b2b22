// Next steps: what a message says where the first guess of somebody who is new here is wrong.
import { describe, expect, it } from 'vitest'
import { compileText } from './compile-text.ts'

const helpOf = (text: string): Record<string, readonly string[]> => Object.fromEntries(compileText(text).diagnostics.map(each => [each.code, each.help]))

describe('a message says why', () => {
  it('a `*` does not cover an option', () => {
    const text = (pattern: string, argument: string): string => `workflow main() -> string {\n  can exec("git", "log", "${pattern}")\n  task r timeout 1s = shell.run("git", "log", "${argument}")\n  return r.stdout\n}\n`
    expect(helpOf(text('*', '--oneline'))['capability/outside']![0]).toContain('`*` stands for no argument that begins with `-`')
    expect(helpOf(text('-n', '--oneline'))['capability/outside']!.join()).not.toContain('stands for no argument')
    expect(helpOf(text('*', 'main'))).toEqual({})
  })

  it('an agent is led, not called', () => {
    const agents = (head: string, body: string): string => `model smart = anthropic("claude-sonnet-4-5")\nagent worker { model smart }\nagent boss${head} {\n  model smart\n${body}}\n`
    expect(helpOf(agents('', '  tools worker\n'))['name/unknown-tool']).toEqual(['An agent leads others, it does not call them: `agent boss leads worker { … }`.'])
    expect(helpOf(agents('', '  leads worker\n'))['syntax/unknown-clause']).toEqual(['It stands before the body: `agent NAME leads OTHER { … }`.'])
    expect(helpOf(agents(' leads worker', ''))).toEqual({})
  })

  it('an agent that is led already is no tool beside that, and is said once', () => {
    const { diagnostics } = compileText('model smart = anthropic("claude-sonnet-4-5")\nagent worker { model smart }\nagent boss leads worker {\n  model smart\n  tools worker\n}\n')
    expect(diagnostics.map(each => [each.code, each.help])).toEqual([['name/unknown-tool', ['`boss` leads it, and that makes it a tool already: take it out here.']]])
  })

  it('an agent is asked in a task', () => {
    const help = helpOf('model smart = anthropic("claude-sonnet-4-5")\nagent worker { model smart  ensure answer != "" }\nworkflow main() -> string {\n  task a = worker.ask("x")\n  return a\n}\n')
    expect(help['name/not-a-value']).toEqual(['Ask it in a task: `task answer by worker -> TYPE = prompt """…"""`.'])
    expect(help['syntax/unknown-clause']![0]).toContain('It stands in the task that asks the agent')
  })

  it('a thread without a name does not take the next clause for it', () => {
    const { diagnostics } = compileText('model smart = anthropic("claude-sonnet-4-5")\nagent worker {\n  model smart\n  memory thread\n  can fs.read("a.txt")\n}\n')
    expect(diagnostics.map(each => [each.code, each.help])).toEqual([['syntax/expected-token', ['Such as `memory thread "support"`.']]])
  })

  it('misspelt words of tests', () => {
    const test = (body: string): string => `model smart = anthropic("claude-sonnet-4-5")\nagent worker { model smart }\ntest "t" {\n  ${body}\n}\n`
    expect(helpOf(test('given worker reply ["a"]'))['syntax/expected-token']).toEqual(['Did you mean `replies`?'])
    expect(helpOf(test('expect denid(fs.read("x"))'))['name/unknown-value']).toEqual(['Did you mean `denied`?'])
  })

  it('a word that is only a little like another is not taken for it', () => {
    const { diagnostics } = compileText('model smart = anthropic("claude-sonnet-4-5")\nagent worker {\n  modle smart\n  role prompt\n}\nagent b { model smart }\nworkflow main() -> string {\n  task u by worker b -> string = prompt "x"\n  return u\n}\n')
    expect(diagnostics.map(each => [each.code, each.help[0] ?? '', each.fixes.map(fix => fix.title)])).toEqual([
      ['syntax/unknown-clause', 'Did you mean `model`?', ['Write `model`']],
      ['name/unknown-value', '', []],
      ['syntax/unknown-clause', expect.stringContaining('The clauses are'), []],
    ])
  })

  it('a grant is not called unused where a plugin could not be loaded', () => {
    const text = (used: string): string => `use plugin "${used}" as other\nworkflow main() -> int {\n  can fs.read("a.txt")\n  task n = 1\n  return n\n}\n`
    expect(Object.keys(helpOf(text('./missing.ts')))).not.toContain('capability/unused')
    expect(Object.keys(helpOf(text('./jira.ts')))).toContain('capability/unused')
  })
})
