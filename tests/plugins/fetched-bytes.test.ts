// Bytes that a plugin fetches cross the wall of its process whole.
import { expect, test } from 'vitest'
import type { ToolContext } from '#plugin-api/context.ts'
import { answerAsk } from '../../src/plugins/isolate/answer-ask.ts'
import { mayAsk } from '../../src/plugins/isolate/messages.ts'

test('they travel as base64, and text as text', async () => {
  const context = { fetch: async (url: string, options?: { asBytes?: boolean }) => ({ status: 200, headers: {}, url, ...(options?.asBytes === true ? { body: '', bytes: new Uint8Array([0, 255, 10]) } : { body: 'text' }) }) } as unknown as ToolContext
  const ask = (options: Record<string, unknown>) => answerAsk(context, { kind: 'ask', call: 1, ask: 1, method: 'fetch', args: ['https://a.example', options] } as never)
  expect(await ask({ asBytes: true })).toMatchObject({ kind: 'answer', value: { body: '', bytes: Buffer.from([0, 255, 10]).toString('base64') } })
  const text = await ask({})
  expect(text).toMatchObject({ kind: 'answer', value: { body: 'text' } })
  expect(text).not.toHaveProperty('value.bytes')
  expect(mayAsk('fetch', ['https://a.example', { asBytes: 'yes' }])).toBe(false)
  expect(mayAsk('run', ['x', [], { inCopy: 1 }])).toBe(false)
})
