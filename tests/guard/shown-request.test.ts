// What a model is shown of a conversation, turn by turn: nothing is searched twice, and a secret that becomes known later is found in what was said before.
import { expect, test } from 'vitest'
import type { ChatMessage, ChatRequest } from '#model/chat.ts'
import { shownRequest } from '#interpreter/effects/shown-request.ts'
import { Redactor } from '#interpreter/secrets/redactor.ts'
import { noSecrets, type SecretVault } from '#interpreter/secrets/vault.ts'

const said = (role: ChatMessage['role'], text: string): ChatMessage => ({ role, content: [{ kind: 'text', text }] })
const EARLY = 'sk-early-0b5e7d11a2c9'
const LATE = 'sk-late-77f0c3e1d8b2'

function vault(): { readonly vault: SecretVault; readonly redactor: Redactor; readonly searched: string[] } {
  const redactor = new Redactor()
  const searched: string[] = []
  const redactText = (text: string): string => {
    searched.push(text)
    return redactor.text(text)
  }
  return { redactor, searched, vault: { ...noSecrets, redactText, get known() { return redactor.known } } }
}

test('what was said before is not searched again', () => {
  const { vault: secrets, redactor, searched } = vault()
  redactor.add('early', EARLY)
  const tools: ChatRequest['tools'] = [{ name: 'look', description: 'Looks.', input: { type: 'object', properties: {} } }]
  const messages: ChatMessage[] = [said('user', `the first question, with ${EARLY}`)]
  const first = shownRequest({ system: 'You work.', messages, tools, maxTokens: 10 }, secrets)
  messages.push(said('assistant', 'an answer'), said('user', `the second, with ${EARLY}`))
  searched.length = 0
  const second = shownRequest({ system: 'You work.', messages, tools, maxTokens: 10 }, secrets)
  expect(JSON.stringify(second)).not.toContain(EARLY)
  expect(searched.join()).toContain('the second')
  expect(searched.join()).not.toContain('the first')
  expect(searched.join()).not.toContain('Looks.')
  expect(second.messages[0]).toBe(first.messages[0])
  expect(second.tools).toBe(first.tools)
})

test('a secret that becomes known later is found in all of it, tools included', () => {
  const { vault: secrets, redactor } = vault()
  redactor.add('early', EARLY)
  const request = { system: `You know ${LATE}.`, messages: [said('user', `${LATE} and ${EARLY}`)], tools: [{ name: 'look', description: `Looks for ${LATE}.`, input: { type: 'object', properties: {} } }], maxTokens: 10 } satisfies Omit<ChatRequest, 'model'>
  const before = JSON.stringify(shownRequest(request, secrets))
  expect(before).not.toContain(EARLY)
  expect(before).toContain(LATE)
  redactor.add('late', LATE)
  const after = JSON.stringify(shownRequest(request, secrets))
  for (const value of [EARLY, LATE]) expect(after).not.toContain(value)
  expect(after.match(/\[secret late\]/g)).toHaveLength(3)
})

test('two runs do not share what they found', () => {
  const [one, other] = [vault(), vault()]
  one.redactor.add('early', EARLY)
  other.redactor.add('late', LATE)
  const request = { system: '', messages: [said('user', `${LATE} and ${EARLY}`)], tools: [], maxTokens: 10 }
  expect(JSON.stringify(shownRequest(request, one.vault))).toContain(`${LATE} and [secret early]`)
  expect(JSON.stringify(shownRequest(request, other.vault))).toContain(`[secret late] and ${EARLY}`)
})
