// Signatures of deliveries: the two schemes by their published examples, and what passes for neither.
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkSignature, deliveryId, TOLERANCE_MS } from '#serve/webhooks/signature.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

describe('GitHub', () => {
  // The example of "Validating webhook deliveries".
  const secret = "It's a Secret to Everybody"
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'

  test('the example of its documentation', () => {
    expect(checkSignature(secret, { 'x-hub-signature-256': signature }, bytes('Hello, World!'), 0)).toEqual({ kind: 'valid', id: null })
  })

  test.each([
    ['another body', { 'x-hub-signature-256': signature }, 'Hello, World?'],
    ['no signature', {}, 'Hello, World!'],
    ['a shorter one', { 'x-hub-signature-256': signature.slice(0, -2) }, 'Hello, World!'],
    ['the older scheme', { 'x-hub-signature': 'sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59' }, 'Hello, World!'],
    ['two of them', { 'x-hub-signature-256': [signature, signature] }, 'Hello, World!'],
    ['other letters', { 'x-hub-signature-256': signature.toUpperCase() }, 'Hello, World!'],
  ])('%s is refused', (_, headers, body) => {
    expect(checkSignature(secret, headers, bytes(body), 0).kind).toBe('invalid')
  })
})

describe('Standard Webhooks', () => {
  // The example of the specification's reference libraries.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const body = '{"test": 2432232314}'
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
  const seconds = 1_614_265_330
  const signed = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signed }

  test('the example of its libraries', () => {
    expect(checkSignature(secret, headers, bytes(body), seconds * 1_000)).toEqual({ kind: 'valid', id })
  })

  test('one of several signatures is enough', () => {
    expect(checkSignature(secret, { ...headers, 'webhook-signature': `v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,x ${signed}` }, bytes(body), seconds * 1_000).kind).toBe('valid')
  })

  test('a secret that is no Base64 is taken as it is', () => {
    const own = createHmac('sha256', 'plain secret').update(`${id}.${seconds}.${body}`).digest('base64')
    expect(checkSignature('plain secret', { ...headers, 'webhook-signature': `v1,${own}` }, bytes(body), seconds * 1_000).kind).toBe('valid')
  })

  test.each(['whsec_', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!', 'whsec_AAAA'])('the empty or short key that %s would be signs nothing', broken => {
    const key = Buffer.from(broken.slice('whsec_'.length), 'base64')
    const own = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
    expect(checkSignature(broken, { ...headers, 'webhook-signature': `v1,${own}` }, bytes(body), seconds * 1_000)).toMatchObject({ kind: 'invalid' })
  })

  test.each([
    ['signed too long ago', headers, TOLERANCE_MS + 1_000],
    ['signed in the time to come', headers, -TOLERANCE_MS - 1_000],
    ['another id', { ...headers, 'webhook-id': 'msg_other' }, 0],
    ['another time', { ...headers, 'webhook-timestamp': String(seconds + 1) }, 0],
    ['a time that is none', { ...headers, 'webhook-timestamp': '1e9' }, 0],
    ['no id', { 'webhook-timestamp': String(seconds), 'webhook-signature': signed }, 0],
    ['the scheme with public keys', { ...headers, 'webhook-signature': signed.replace('v1', 'v1a') }, 0],
    ['seventeen signatures', { ...headers, 'webhook-signature': `${'v1,x '.repeat(16)}${signed}` }, 0],
  ])('%s is refused', (_, given, laterMs) => {
    expect(checkSignature(secret, given, bytes(body), seconds * 1_000 + laterMs).kind).toBe('invalid')
  })

  test('its header decides: a valid signature of the other scheme beside it helps nothing', () => {
    const github = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    expect(checkSignature(secret, { 'webhook-signature': 'v1,x', 'x-hub-signature-256': github }, bytes(body), 0).kind).toBe('invalid')
  })
})

test('what names a delivery', () => {
  expect(deliveryId({ 'x-github-delivery': 'a' })).toBe('x-github-delivery a')
  expect(deliveryId({ 'idempotency-key': 'a', 'webhook-id': 'b' })).toBe('webhook-id b')
  expect(deliveryId({ 'idempotency-key': '' })).toBeNull()
  expect(deliveryId({ 'idempotency-key': 'x'.repeat(1_000) })!.length).toBeLessThan(300)
})
