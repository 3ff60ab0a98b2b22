// Proxy: which proxy, if any, a request goes through, and how a connection is made through it.
// Owns: the variables by which the person who runs tek names a proxy, CONNECT. Does not own: requests (node-fetch.ts), which hosts may be reached (guard).
//   P1. Only tek's own environment says so, in the words every other tool knows: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, in either case.
//       No program, plugin or file of a project can set or change it. HTTP_PROXY in capitals is not looked at under CGI, where a client sets it.
//   P2. The guard decides on the target as without a proxy. What a proxy cannot be asked is which address a name stands for there: that check
//       is the proxy's. So names of this machine never go through a proxy, and an address given as such is checked as without one.
//   P3. The proxy's user and password go to the proxy alone, and into no message.
import * as http from 'node:http'
import * as https from 'node:https'
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { HostError } from './host.ts'

const MAX_EXCEPTIONS = 1_000

export type Variables = (name: string) => string | undefined

/** The proxy for an address; null: none. @throws {HostError} when the variable that names it makes no sense. */
export function proxyFor(url: URL, env: Variables): URL | null {
  const bare = bareHost(url)
  if (isThisMachine(bare)) return null // P2
  const scheme = url.protocol.slice(0, -1)
  const names = [`${scheme}_proxy`, ...(scheme === 'http' && env('REQUEST_METHOD') !== undefined ? [] : [`${scheme}_proxy`.toUpperCase()]), 'all_proxy', 'ALL_PROXY'] // P1
  const name = names.find(each => (env(each) ?? '') !== '')
  if (name === undefined || isExcepted(url, bare, env('no_proxy') ?? env('NO_PROXY') ?? '')) return null
  const text = env(name)!
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const proxy = URL.canParse(address) ? new URL(address) : null
  if (proxy === null || (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')) { // P3: the text may hold a password
    throw new HostError('other', url.href, `The variable ${name} names no proxy that tek can use: write \`http://host:port\`.`)
  }
  return proxy
}

export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

function isThisMachine(bare: string): boolean {
  const name = bare.toLowerCase().replace(/\.$/, '')
  if (isIP(bare) === 0) return name === 'localhost' || name.endsWith('.localhost')
  return loopback.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4')
}

/** `*`, `example.com` and `.example.com` (with what is beneath), an address or a range of them; each may end in `:port`. */
function isExcepted(url: URL, bare: string, list: string): boolean {
  const host = bare.toLowerCase().replace(/\.$/, '')
  for (const entry of list.toLowerCase().split(/[\s,]+/).filter(each => each !== '').slice(0, MAX_EXCEPTIONS)) {
    if (entry === '*') return true
    const [, name = entry, port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
    if (port !== undefined && port !== portOf(url)) continue
    const wanted = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '')
    if (isIP(host) === 0 ? host === wanted || host.endsWith(`.${wanted}`) : isWithin(host, wanted)) return true
  }
  return false
}

function isWithin(address: string, range: string): boolean {
  const [first = '', bits] = range.split('/')
  if (isIP(first) === 0 || isIP(first) !== isIP(address)) return false
  if (bits === undefined) return first === address
  const list = new BlockList()
  const family = isIPv6(first) ? 'ipv6' : 'ipv4'
  const count = Number(bits)
  if (!Number.isInteger(count) || count < 0 || count > (family === 'ipv6' ? 128 : 32)) return false
  list.addSubnet(first, count, family)
  return list.check(address, family)
}

/** The header by which a proxy knows who asks; none where its address names nobody. */
export function proxyHeaders(proxy: URL): Readonly<Record<string, string>> {
  if (proxy.username === '' && proxy.password === '') return {}
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }
}

/** Where to send what is meant for the proxy itself. */
export function proxyPlace(proxy: URL): { readonly hostname: string; readonly port: string; readonly module: typeof http | typeof https } {
  return { hostname: bareHost(proxy), port: portOf(proxy), module: proxy.protocol === 'https:' ? https : http }
}

/** A connection to the target's host, through the proxy (RFC 9110, section 9.3.6). */
export function tunnel(proxy: URL, target: URL, signal: AbortSignal, authorities: string[] | undefined): Promise<Duplex> {
  const { hostname, port, module } = proxyPlace(proxy)
  const authority = `${target.hostname}:${portOf(target)}`
  return new Promise((connected, failed) => {
    const headers = { host: authority, ...proxyHeaders(proxy) }
    const trusting = authorities === undefined ? {} : { ca: authorities }
    const request = module.request({ hostname, port, method: 'CONNECT', path: authority, agent: false, signal, headers, ...trusting })
    request.once('error', failed)
    request.once('connect', (response, socket, head) => {
      if (response.statusCode === 200) {
        if (head.length > 0) socket.unshift(head)
        return connected(socket)
      }
      socket.destroy()
      failed(new HostError('no-network', target.href, `${target.host} cannot be reached: the proxy ${proxy.host} answered ${response.statusCode}.`))
    })
    request.end()
  })
}
