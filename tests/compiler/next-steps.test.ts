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

  it('a grant is not called unused where a plugin could not be loaded', () => {
    const text = (used: string): string => `use plugin "${used}" as other\nworkflow main() -> int {\n  can fs.read("a.txt")\n  task n = 1\n  return n\n}\n`
    expect(Object.keys(helpOf(text('./missing.ts')))).not.toContain('capability/unused')
    expect(Object.keys(helpOf(text('./jira.ts')))).toContain('capability/unused')
  })
})
