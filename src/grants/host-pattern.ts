// Host pattern: where a connection may go, `host:port`.
// Owns: the normal form of a host and the two wildcards. Does not own: which address a name stands for (interpreter/guard/address.ts).
//   U1. A host is written as WHATWG URL parsing writes it: lower case, punycode, `127.0.0.1` for `0x7f.1`, no trailing dot, `[::1]` for IPv6.
//   U2. `*.example.com` is any name below example.com, not itself; `*` is any host. A port of `*` is any; no port is 443.
//   U3. A set such as `registry:npm` stands for the hosts listed below; one that is not listed allows nothing but itself by name.

export interface HostPattern {
  readonly kind: 'exact' | 'below' | 'any' | 'set'
  /** The host; for `below` what follows `*.`; empty for `any`. */
  readonly host: string
  readonly port: string
}

/** Hosts of the named sets, in normal form. */
const hostSets: Readonly<Record<string, readonly string[]>> = { 'registry:npm': ['registry.npmjs.org:443'] }
const MAX_HOST_LENGTH = 1_024
const webPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/** Null when the text is no host. */
export function parseHostPattern(text: string): HostPattern | null {
  if (text.length > MAX_HOST_LENGTH) return null
  const set = /^[a-z]+:[a-z][a-z0-9-]*$/.exec(text)
  if (set) return { kind: 'set', host: text, port: '' } // U3
  const cut = /^(.*?)(?::(\d{1,5}|\*))?$/s.exec(text)
  const [, name = '', port = '443'] = cut ?? []
  if (port !== '*' && Number(port) > 65_535) return null
  const shownPort = port === '*' ? port : String(Number(port))
  if (name === '*') return { kind: 'any', host: '', port: shownPort }
  const below = name.startsWith('*.')
  const host = normalHost(below ? name.slice(2) : name)
  return host === null ? null : { kind: below ? 'below' : 'exact', host, port: shownPort }
}

function normalHost(name: string): string | null {
  if (name === '' || /[\s/\\@?#*%]/.test(name)) return null
  const shown = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  const url = `http://${shown}/`
  if (!URL.canParse(url)) return null
  const { hostname, port, pathname } = new URL(url)
  if (port !== '' || pathname !== '/') return null
  return hostname.replace(/\.$/, '') || null // U1
}

/**
 * The `host:port` of an address, as grants write it; `host:port` itself is put in normal form. Null for what is neither.
 *
 * @example
 * hostOf('https://API.github.com/repos') // 'api.github.com:443'
 */
export function hostOf(text: string): string | null {
  let pattern: HostPattern | null
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : null
    const usual = url === null ? undefined : webPorts[url.protocol]
    if (url === null || usual === undefined) return null
    pattern = parseHostPattern(`${url.hostname}:${url.port || usual}`)
  } else {
    pattern = parseHostPattern(text)
  }
  return pattern === null ? null : printHostPattern(pattern)
}

function printHostPattern(pattern: HostPattern): string {
  if (pattern.kind === 'set') return pattern.host
  const host = pattern.kind === 'any' ? '*' : pattern.kind === 'below' ? `*.${pattern.host}` : pattern.host
  return `${host}:${pattern.port}`
}

/** Whether every connection `inner` allows is allowed by `outer`. A concrete host is a pattern without wildcards. */
export function containsHost(outer: HostPattern, inner: HostPattern): boolean {
  if (outer.kind === 'set') {
    if (inner.kind === 'set') return outer.host === inner.host
    return inner.kind === 'exact' && (hostSets[outer.host] ?? []).includes(printHostPattern(inner)) // U3
  }
  if (inner.kind === 'set') return false
  if (outer.port !== '*' && outer.port !== inner.port) return false
  if (outer.kind === 'any') return true
  if (outer.kind === 'exact') return inner.kind === 'exact' && inner.host === outer.host
  return inner.kind !== 'any' && (inner.host.endsWith(`.${outer.host}`) || (inner.kind === 'below' && inner.host === outer.host))
}
