// Signature: whether a delivery was sent by who knows the secret.
// Owns: the two schemes, their headers and bounds. Does not own: where the secret comes from (serve.ts), what the body says (delivery.ts).
//   S1. What is signed is the raw bytes that came in; signatures are compared in constant time, and every one that is offered is looked at.
//   S2. Standard Webhooks (https://www.standardwebhooks.com, "Verifying signatures"): HMAC-SHA256 over `id.timestamp.body`, the time within TOLERANCE_MS.
//       A secret that begins with `whsec_` is Base64, as the specification writes secrets.
//   S3. GitHub (docs: "Validating webhook deliveries"): HMAC-SHA256 over the body, in hexadecimal. It covers neither time nor the delivery's id: a
//       captured delivery can be sent again under another id. Who needs more takes S2, or keeps the way to this server private.
//   S4. A secret that begins with `whsec_` and is not Base64 of MIN_KEY_BYTES would be a short key, or none, that anybody finds: it signs nothing.
import { createHmac, timingSafeEqual } from 'node:crypto'

export const TOLERANCE_MS = 5 * 60_000
/** Signatures in one header: a sender that changes its secret offers two. */
const MAX_SIGNATURES = 16
const MAX_ID_LENGTH = 200

/** Bytes of a key that is written as Base64. */
export const MIN_KEY_BYTES = 16
const BASE64_PREFIX = 'whsec_'

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

export type Verdict = { readonly kind: 'valid'; readonly id: string | null } | { readonly kind: 'invalid'; readonly reason: string }

/**
 * Checks who sent a delivery.
 *
 * @param body the raw bytes.
 * @returns the id that the signature covers or its sender gives; or, in words for the log of this server, what is wrong.
 */
export function checkSignature(secret: string, headers: Headers, body: Uint8Array, nowMs: number): Verdict {
  if (one(headers, 'webhook-signature') !== null) return standard(secret, headers, body, nowMs)
  const github = one(headers, 'x-hub-signature-256')
  if (github === null) return { kind: 'invalid', reason: 'it has no signature' }
  const digest = /^sha256=([0-9a-f]{64})$/.exec(github)?.[1]
  const expected = createHmac('sha256', secret).update(body).digest()
  if (digest === undefined || !isEqual(expected, Buffer.from(digest, 'hex'))) return { kind: 'invalid', reason: 'its signature is not of its secret' } // S3
  return { kind: 'valid', id: null }
}

/** The key of a secret for Standard Webhooks; null: it is none. // S2 S4 */
export function keyOf(secret: string): Buffer | null {
  if (!secret.startsWith(BASE64_PREFIX)) return Buffer.from(secret, 'utf8')
  const text = secret.slice(BASE64_PREFIX.length)
  const key = Buffer.from(text, 'base64')
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && key.length >= MIN_KEY_BYTES ? key : null
}

function standard(secret: string, headers: Headers, body: Uint8Array, nowMs: number): Verdict {
  const id = one(headers, 'webhook-id')
  const timestamp = one(headers, 'webhook-timestamp')
  if (id === null || id.length > MAX_ID_LENGTH || timestamp === null || !/^[0-9]{1,12}$/.test(timestamp)) return { kind: 'invalid', reason: 'its id or timestamp is missing' }
  const key = keyOf(secret)
  if (key === null) return { kind: 'invalid', reason: 'its secret is no key' } // S4
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  let isValid = false
  for (const each of one(headers, 'webhook-signature')!.split(' ').slice(0, MAX_SIGNATURES)) {
    if (each.startsWith('v1,') && isEqual(expected, Buffer.from(each.slice(3), 'base64'))) isValid = true // S1
  }
  if (!isValid) return { kind: 'invalid', reason: 'its signature is not of its secret' }
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > TOLERANCE_MS) return { kind: 'invalid', reason: 'it was signed more than five minutes ago, or the clocks differ' } // S2
  return { kind: 'valid', id }
}

/** What names a delivery, so that it begins one run however often it is sent; null where nothing does. */
export function deliveryId(headers: Headers): string | null {
  for (const name of ['webhook-id', 'x-github-delivery', 'idempotency-key']) {
    const id = one(headers, name)
    if (id !== null && id !== '') return `${name} ${id.slice(0, MAX_ID_LENGTH)}`
  }
  return null
}

/** The one value of a header; null where there is none or several. */
export function one(headers: Headers, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' ? value : null
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
