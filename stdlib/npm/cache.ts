// Cache: npm's own cache, written by tek, so that npm can install without a network.
// Owns: the layout of npm's cache (cacache 5: content by hash, an index by address), checking content against its hash. Does not own: fetching.
//   H1. Content is written under the hash it was checked against; npm checks it again when it reads. So who can write the cache can break it, and not
//       exchange what a lock file pins.
//   H2. What is there already is neither fetched nor written again; a file is complete when it is there (tek writes beside and renames).
//   H3. npm looks a document up by address and by what it accepts: each is entered for both ways in which npm asks (`SHORT`, `WHOLE`).
//   H4. The folder ignores itself in git (a `.gitignore` of its own; one for all of `.tek-work`): a checkout stays as clean as it was. It is not below
//       `.tek`, which no wildcard covers and no command sees.
import { createHash } from 'node:crypto'
import { ToolFailure, type ToolContext } from 'tek-lang/plugin'

const SHORT = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*'
const WHOLE = 'application/json'
/** Strongest first; npm takes the strongest that a lock file gives. */
const ALGORITHMS = ['sha512', 'sha384', 'sha256', 'sha1'] as const

export interface Digest {
  readonly algorithm: (typeof ALGORITHMS)[number]
  readonly hex: string
}

/** The strongest hash of an `integrity` (W3C SRI); null where there is none that npm knows. */
export function digestOf(integrity: string): Digest | null {
  const given = integrity.trim().split(/\s+/).flatMap(part => {
    const found = /^(sha\d+)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(part)
    return found === null ? [] : [{ algorithm: found[1] ?? '', hex: Buffer.from(found[2] ?? '', 'base64').toString('hex') }]
  })
  for (const algorithm of ALGORITHMS) {
    const found = given.find(each => each.algorithm === algorithm)
    if (found !== undefined) return { algorithm, hex: found.hex }
  }
  return null
}

const placeOf = (cache: string, { algorithm, hex }: Digest): string => `${cache}/_cacache/content-v2/${algorithm}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`

export const hasContent = async (context: ToolContext, cache: string, digest: Digest): Promise<boolean> => (await context.files.stat(placeOf(cache, digest)))?.kind === 'file' // H2

/** H4 */
export async function prepareCache(context: ToolContext, cache: string): Promise<void> {
  const place = `${cache.startsWith('.tek-work/') ? '.tek-work' : cache.replace(/\/+$/, '')}/.gitignore`
  if ((await context.files.stat(place)) === null) await context.files.writeText(place, '*\n')
}

/** @throws {ToolFailure} `wrong-content` when the bytes are not what the hash says. // H1 */
export async function putContent(context: ToolContext, cache: string, digest: Digest, bytes: Uint8Array, what: string): Promise<void> {
  if (createHash(digest.algorithm).update(bytes).digest('hex') !== digest.hex) {
    throw new ToolFailure('wrong-content', `What the registry gave for ${what} is not what the lock file pins (${digest.algorithm}).`, {
      help: 'It was changed after it was locked, or something on the way changed it. Nothing of it was kept.',
    })
  }
  await context.files.writeBytes(placeOf(cache, digest), bytes)
}

/** Enters a registry's document about a package. // H3 */
export async function putDocument(context: ToolContext, cache: string, address: string, body: string, nowMs: number): Promise<void> {
  const bytes = new TextEncoder().encode(body)
  const hash = createHash('sha512').update(bytes)
  const base64 = hash.digest('base64')
  const key = `make-fetch-happen:request-cache:${address}`
  const lines = [WHOLE, SHORT].map(accept => {
    const entry = JSON.stringify({
      key, integrity: `sha512-${base64}`, time: nowMs, size: bytes.length,
      metadata: { time: nowMs, url: address, reqHeaders: { accept }, resHeaders: { 'content-type': 'application/json', date: new Date(nowMs).toUTCString() }, options: { compress: true } },
    })
    return `\n${createHash('sha1').update(entry).digest('hex')}\t${entry}`
  })
  const place = createHash('sha256').update(key).digest('hex')
  await context.files.writeBytes(placeOf(cache, { algorithm: 'sha512', hex: Buffer.from(base64, 'base64').toString('hex') }), bytes)
  await context.files.writeText(`${cache}/_cacache/index-v5/${place.slice(0, 2)}/${place.slice(2, 4)}/${place.slice(4)}`, lines.join(''))
}
