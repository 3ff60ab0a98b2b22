// Seal: signatures over rows of an audit log, and its last row remembered outside the workspace.
// Owns: the key, what is signed, the heads. Does not own: when (journal/sqlite-audit.ts), where the user's files lie (host/user-store.ts).
//   S1. The key is Ed25519 (RFC 8032), made on first use; it never leaves its file and the process that signs.
//   S2. What is signed names the log, the row and its hash, so a signature is good for one row of one log.
//   S3. A head is the last row as it was at a signature. It is put down even where there is no key.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import type { AuditHead, AuditMark, AuditSealer } from '#interpreter/journal/audit-log.ts'

const KEY_FILE = 'audit.key'
const HEADS = 'heads'

/** The user's files that this needs; host/user-store.ts has them. */
export interface SealStore {
  path(area: 'config' | 'state', name: string): string
  read(area: 'config' | 'state', name: string): string | null
  create(area: 'config' | 'state', name: string, text: string): boolean
  replace(area: 'config' | 'state', name: string, text: string): boolean
  list(area: 'config' | 'state', folder: string): readonly string[]
}

export interface RememberedHead extends AuditHead {
  readonly id: string
  /** Absolute path of the database. */
  readonly place: string
}

export class Sealer implements AuditSealer {
  private readonly store: SealStore
  private key: { readonly secret: KeyObject; readonly publicKey: string } | null = null

  constructor(store: SealStore) {
    this.store = store
  }

  sign(id: string, seq: number, hash: string): { key: string; signature: string } | null {
    const key = (this.key ??= ownKey(this.store) ?? makeKey(this.store))
    return key === null ? null : { key: key.publicKey, signature: sign(null, signedText(id, seq, hash), key.secret).toString('base64') }
  }

  remember(id: string, place: string, head: AuditHead): void {
    const known = readHead(this.store, id)
    if (known !== null && known.place === place && known.seq > head.seq) return // another process was further
    const { seq, hash, isSigned } = head
    this.store.replace('state', `${HEADS}/${id}.json`, `${JSON.stringify({ id, place, seq, hash, isSigned })}\n`) // S3
  }
}

/** The user's public key, base64; null where there is none yet. */
export function publicKeyOf(store: SealStore): string | null {
  return ownKey(store)?.publicKey ?? null
}

export function keyPath(store: SealStore): string {
  return store.path('config', KEY_FILE)
}

/** Whether a mark was made by the holder of the key it names. */
export function isSignedBy(id: string, { seq, hash, key, signature }: AuditMark): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
    return publicKey.asymmetricKeyType === 'ed25519' && verify(null, signedText(id, seq, hash), publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false // no key, or no Ed25519 one
  }
}

export function readHead(store: SealStore, id: string): RememberedHead | null {
  const text = /^[0-9a-f]{32}$/.test(id) ? store.read('state', `${HEADS}/${id}.json`) : null
  return text === null ? null : headOf(text)
}

/** Other logs that were remembered at the same place. */
export function headsAt(store: SealStore, place: string): RememberedHead[] {
  return store.list('state', HEADS).flatMap(name => {
    const head = name.endsWith('.json') ? headOf(store.read('state', `${HEADS}/${name}`) ?? '') : null
    return head?.place === place ? [head] : []
  })
}

export function headPath(store: SealStore, id: string): string {
  return store.path('state', `${HEADS}/${id}.json`)
}

function headOf(text: string): RememberedHead | null {
  try {
    const { id, place, seq, hash, isSigned } = JSON.parse(text) as RememberedHead
    return typeof id === 'string' && typeof place === 'string' && Number.isInteger(seq) && typeof hash === 'string' ? { id, place, seq, hash, isSigned: isSigned === true } : null
  } catch {
    return null
  }
}

function ownKey(store: SealStore): { secret: KeyObject; publicKey: string } | null {
  const text = store.read('config', KEY_FILE)
  if (text === null) return null
  try {
    const secret = createPrivateKey(text)
    return { secret, publicKey: createPublicKey(secret).export({ type: 'spki', format: 'der' }).toString('base64') }
  } catch {
    return null // damaged: nothing is signed, and `tek audit verify` says so
  }
}

/** S1. Another process may have made it in between: then theirs is used. */
function makeKey(store: SealStore): { secret: KeyObject; publicKey: string } | null {
  const { privateKey } = generateKeyPairSync('ed25519')
  store.create('config', KEY_FILE, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  return ownKey(store)
}

function signedText(id: string, seq: number, hash: string): Buffer {
  return Buffer.from(`tek audit seal 1\n${id}\n${seq}\n${hash}`) // S2
}
