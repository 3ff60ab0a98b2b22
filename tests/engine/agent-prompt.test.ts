// Whether a prompt holds text from outside, from the program to the conversation.
import { expect, test } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { compileText } from '../compiler/compile-text.ts'

const bodyOf = (prompt: string): unknown => {
  const { program, diagnostics } = compileText(`
model small = anthropic("claude-haiku-4-5")
agent reviewer { model small }
workflow main() -> string {
  can net("example.org:443")
  task page = http.get("https://example.org/")
  task notes by reviewer -> string = ${prompt}
  return notes
}
`)
  if (program === null) throw new Error(diagnostics.map(each => each.message).join('\n'))
  return lower(program).workflows['main']!.nodes.at(-1)!.body
}

test('a prompt that holds text from outside is marked in the plan, another is not', () => {
  expect(bodyOf('prompt "Sum this up: ${page.body}"')).toMatchObject({ kind: 'agent', isUntrusted: true })
  expect(bodyOf('prompt "Sum up what you know."')).not.toHaveProperty('isUntrusted')
})
