// Certificates: which authorities a server's certificate may be signed by, and what is said when it is not.
// Owns: authorities of the person's own network. Does not own: verification (Node's TLS), which cannot be turned off here.
//   C1. NODE_EXTRA_CA_CERTS and SSL_CERT_FILE of tek's own environment add to Node's own list; nothing takes from it, nothing skips verification
//       but Node's own NODE_TLS_REJECT_UNAUTHORIZED, of which Node itself warns.
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { HostError } from './host.ts'
import type { Variables } from './proxy.ts'

const variables = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'] as const
const known = new Map<string, string>()

/** The authorities to trust; undefined: Node's own list. @throws {HostError} when a file cannot be read. */
export function trustedAuthorities(env: Variables): string[] | undefined {
  const named = variables.flatMap(variable => {
    const file = env(variable) ?? ''
    return file === '' ? [] : [{ variable, file }]
  })
  return named.length === 0 ? undefined : [...rootCertificates, ...named.map(each => readAuthorities(each.variable, each.file))]
}

function readAuthorities(variable: string, file: string): string {
  let text = known.get(file)
  if (text === undefined) {
    try {
      text = readFileSync(file, 'utf8')
    } catch {
      throw new HostError('other', file, `The file \`${file}\`, named by ${variable}, cannot be read.`)
    }
    known.set(file, text)
  }
  return text
}

const unknownIssuer = 'is signed by no authority that this machine knows; if it is your own network\'s, name its file (PEM) in NODE_EXTRA_CA_CERTS'
const words: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer, SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer, DEPTH_ZERO_SELF_SIGNED_CERT: unknownIssuer, UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer, CERT_HAS_EXPIRED: 'has expired', CERT_NOT_YET_VALID: 'is not valid yet; is the clock of this machine right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name', CERT_REVOKED: 'was revoked',
}

/** What is wrong with a server's certificate, after its host; null when the code is about something else. */
export const certificateProblem = (code: string): string | null => (Object.hasOwn(words, code) ? `its certificate ${words[code]}` : null)
