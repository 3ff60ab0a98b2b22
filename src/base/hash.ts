// Hash: sha256 of text, in hexadecimal. The only hash in tek, so that a hash in one place can be compared with one in another.
import { hash } from 'node:crypto'

/**
 * SHA-256 (FIPS 180-4) of UTF-8 text or bytes, 64 hexadecimal digits.
 *
 * @example
 * sha256('') // 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
 */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}
