// What servers say of tokens, true or not: a limit holds against one that lies or says nothing.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withPlausibleUsage } from '#interpreter/gateway/plausible-usage.ts'
import { inputTokensAtMost } from '#interpreter/engine/talk/size.ts'
import { type ChatReply, type ChatUsage, noUsage } from '#model/chat.ts'
import { project, tek } from '../e2e/binary.ts'
import { serveModels, type ModelServer } from '../../src/testing/model-server.ts'

const request = { system: 'You are brief.', messages: [{ role: 'user', content: [{ kind: 'text', text: 'How many?' }] }], tools: [], maxTokens: 100 } as const
const reply = (usage: object): ChatReply => ({ content: [{ kind: 'text', text: 'four apples' }], stop: 'done', model: 'm', usage: usage as ChatUsage })
const most = { input: inputTokensAtMost(request), output: 'four apples'.length, cacheRead: 0, cacheWrite: 0, thinking: 0 }
const counted = (usage: object): ChatUsage => withPlausibleUsage(reply(usage), request).usage

describe('what is no count is the most that it can be', () => {
  test.each([-1, -1e9, NaN, Infinity, 1e300, 0.5, '5', null, {}])('%s', count => {
    for (const name of ['input', 'cacheRead', 'cacheWrite']) expect(counted({ ...noUsage, input: 3, output: 2, [name]: count })).toEqual({ ...most, output: 2 })
    expect(counted({ ...noUsage, input: 3, output: count })).toEqual({ ...most, input: 3 })
    expect(counted({ ...noUsage, input: 3, output: 2, thinking: count })).toEqual({ ...noUsage, input: 3, output: 2 })
  })

  test('what is not said counts as well', () => {
    expect(counted(noUsage)).toEqual(most)
    expect(counted({})).toEqual(most)
    expect(withPlausibleUsage({ ...reply({ ...noUsage, input: 3 }), content: [] }, request).usage).toEqual({ ...noUsage, input: 3 })
  })

  test('what may be true stays as it is', () => {
    const honest = reply({ ...noUsage, input: 3, output: 2 })
    expect(withPlausibleUsage(honest, request)).toBe(honest)
  })
})

describe('a limit holds', () => {
  let server: ModelServer
  let folder: ReturnType<typeof project>
  beforeEach(() => void (folder = project({})))
  afterEach(async () => {
    folder.remove()
    await server.close()
  })

  test('against a server that says it gave tokens back', async () => {
    server = await serveModels({ answer: () => ({ text: 'words '.repeat(100), tokens: { input: 10, output: -1_000_000 } }) })
    folder.write('a.tek', `model m = openai("m", baseUrl: "${server.url}/v1", maxTokens: 1k)
agent a {
  model m
}
workflow w(of: int[]) -> string[] {
  limits { tokens: 10k }
  task said for each in take(of, 50) by a -> string parallel 1 = prompt "Say \${each}."
  return said
}
`)
    const { code, err } = await tek(['run', 'a.tek', '--of', JSON.stringify(Array.from({ length: 50 }, (_, at) => at))], { cwd: folder.path })
    expect(code, err).not.toBe(0)
    expect(err).toContain('10,000 tokens')
    expect(server.seen.length).toBeLessThan(20)
  })
})
