// Proxies and authorities of one's own: what the person's environment says is done, nothing else; the guard decides as without them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HostError, type HttpRequest } from '#host/host.ts'
import { nodeFetch, type Network } from '#host/node-fetch.ts'
import { proxyFor } from '#host/proxy.ts'
import { hasOpenssl, listening, portOf, proxyServer, secureServer, type ProxyServer } from './network.ts'

const never = new AbortController().signal
const noLookup = ((_name: string, _options: unknown, done: (error: Error) => void) => done(Object.assign(new Error('looked up'), { code: 'ENOTFOUND' }))) as unknown as Network['lookup']
const network = (env: Readonly<Record<string, string>>): Network => ({ env: name => env[name], lookup: noLookup })
const ask = (url: string, env: Readonly<Record<string, string>>, more: Partial<HttpRequest> = {}) =>
  nodeFetch({ method: 'GET', url, headers: {}, timeoutMs: 10_000, maxBodyBytes: 100_000, mayFollow: () => undefined, ...more }, never, network(env))

let folder: string
let plain: Server
let proxy: ProxyServer
const seen: { readonly url: string; readonly headers: Readonly<Record<string, unknown>> }[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tek-proxy-'))
  plain = await listening(createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers })
    response.end('answer')
  }))
  proxy = await proxyServer(() => portOf(plain))
})
afterAll(() => {
  proxy.close()
  plain.closeAllConnections()
  plain.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('which proxy', () => {
  const via = (url: string, env: Readonly<Record<string, string>>): string | null => proxyFor(new URL(url), name => env[name])?.host ?? null
  test('by scheme, in either case, without a scheme of its own', () => {
    expect(via('https://a.example/', { HTTPS_PROXY: 'http://p:1' })).toBe('p:1')
    expect(via('https://a.example/', { https_proxy: 'p:2', HTTPS_PROXY: 'http://p:1' })).toBe('p:2')
    expect(via('http://a.example/', { HTTPS_PROXY: 'http://p:1' })).toBe(null)
    expect(via('http://a.example/', { ALL_PROXY: 'http://p:3' })).toBe('p:3')
    expect(via('http://a.example/', { HTTP_PROXY: 'http://p:1' })).toBe('p:1')
    expect(via('http://a.example/', { HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' })).toBe(null) // CGI: a client's header
    expect(via('http://a.example/', {})).toBe(null)
  })
  test('this machine never goes through one', () => {
    for (const host of ['localhost', 'x.localhost', 'localhost.', '127.0.0.1', '127.9.9.9', '[::1]', '0x7f.1', '[::ffff:127.0.0.1]']) expect(via(`http://${host}/`, { ALL_PROXY: 'http://p:1' }), host).toBe(null)
  })
  test('exceptions', () => {
    const excepted = (host: string, list: string): boolean => via(`https://${host}/`, { HTTPS_PROXY: 'http://p:1', NO_PROXY: list }) === null
    expect(excepted('a.example', '*')).toBe(true)
    expect(excepted('a.example', 'b.example, example')).toBe(true)
    expect(excepted('a.example', '.a.example')).toBe(true)
    expect(excepted('x.a.example', '*.a.example')).toBe(true)
    expect(excepted('xa.example', 'a.example')).toBe(false)
    expect(excepted('A.EXAMPLE', 'a.example:443')).toBe(true)
    expect(excepted('a.example:444', 'a.example:443')).toBe(false)
    expect(excepted('10.1.2.3', '10.0.0.0/8')).toBe(true)
    expect(excepted('11.1.2.3', '10.0.0.0/8,10.0.0.0/99,fe80::/10')).toBe(false)
    expect(excepted('[fd00::1]', 'fd00::/8')).toBe(true)
    expect(excepted('a.example', '')).toBe(false)
  })
  test('one that makes no sense is refused without being repeated', () => {
    for (const text of ['socks5://user:hunter22@p:1', 'http://', 'http://user:hunter22@']) {
      const refusal = (() => { try { return proxyFor(new URL('https://a.example/'), name => (name === 'HTTPS_PROXY' ? text : undefined)) } catch (error) { return error } })()
      expect(refusal).toBeInstanceOf(HostError)
      expect(String(refusal)).toContain('HTTPS_PROXY')
      expect(String(refusal)).not.toContain('hunter22')
    }
  })
})

describe('through a proxy', () => {
  test('http: the whole address goes to it, the name is looked up there, its password goes no further', async () => {
    const answer = await ask('http://a.example/x', { HTTP_PROXY: `http://me:p%40ss@127.0.0.1:${proxy.port}` }, { headers: { authorization: 'Bearer t' } })
    expect(answer).toMatchObject({ status: 200, body: 'answer', url: 'http://a.example/x' })
    expect(proxy.asked.at(-1)).toBe('GET http://a.example/x')
    expect(proxy.headers.at(-1)).toMatchObject({ host: 'a.example', 'proxy-authorization': `Basic ${Buffer.from('me:p@ss').toString('base64')}` })
    expect(seen.at(-1)).toMatchObject({ url: '/x', headers: { host: 'a.example', authorization: 'Bearer t' } })
    expect(seen.at(-1)!.headers).not.toHaveProperty('proxy-authorization')
  })
  test('an address of a special range is still shown to the guard', async () => {
    const refuse = { mayConnect: () => { throw new HostError('refused', '', 'no') } }
    const before = proxy.asked.length
    for (const url of ['http://10.0.0.1/', 'http://169.254.169.254/latest/', 'https://[fd00::1]/', 'http://2852039166/']) await expect(ask(url, { ALL_PROXY: `http://127.0.0.1:${proxy.port}` }, refuse), url).rejects.toMatchObject({ code: 'refused' })
    expect(proxy.asked.length).toBe(before)
  })
  test('redirects are decided as without one', async () => {
    const moved = await listening(createServer((_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end()))
    const other = await proxyServer(() => portOf(moved))
    const followed: string[] = []
    const mayFollow = (url: string): void => { followed.push(url); throw new HostError('refused', '', 'no') }
    await expect(ask('http://a.example/', { ALL_PROXY: `http://127.0.0.1:${other.port}` }, { mayFollow })).rejects.toMatchObject({ code: 'refused' })
    expect(followed).toEqual(['http://169.254.169.254/latest/'])
    other.close()
    moved.close()
  })
  test('one that refuses, and one that is not there', async () => {
    const refusing = await proxyServer(() => 1, { refuse: 407 })
    await expect(ask('https://a.example/', { HTTPS_PROXY: `http://me:hunter22@127.0.0.1:${refusing.port}` })).rejects.toMatchObject({ code: 'no-network', message: `a.example cannot be reached: the proxy 127.0.0.1:${refusing.port} answered 407.` })
    refusing.close()
    await expect(ask('https://a.example/', { HTTPS_PROXY: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'no-network' })
  })
})

describe.skipIf(!hasOpenssl)('authorities of one\'s own (openssl)', () => {
  let secure: Awaited<ReturnType<typeof secureServer>>
  let tunnelling: ProxyServer
  beforeAll(async () => {
    secure = await secureServer(folder, 'a.example', (request, response) => response.end(`secure ${request.headers.host}`))
    tunnelling = await proxyServer(() => portOf(secure.server))
  })
  afterAll(() => {
    tunnelling.close()
    secure.server.closeAllConnections()
    secure.server.close()
  })
  const proxied = (): Record<string, string> => ({ HTTPS_PROXY: `http://127.0.0.1:${tunnelling.port}` })

  test('an unknown one is refused, and the message names the fix', async () => {
    await expect(ask('https://a.example/', proxied())).rejects.toMatchObject({ code: 'no-network', message: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string })
  })
  for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']) {
    test(`${variable} names it: https through CONNECT`, async () => {
      expect((await ask('https://a.example/', { ...proxied(), [variable]: secure.authority })).body).toBe('secure a.example')
      expect(tunnelling.asked.at(-1)).toBe('CONNECT a.example:443')
    })
  }
  test('without a proxy as well', async () => {
    const toHere = ((_name: string, _options: unknown, done: (error: null, found: { address: string; family: number }[]) => void) => done(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as Network['lookup']
    const request: HttpRequest = { method: 'GET', url: `https://a.example:${portOf(secure.server)}/`, headers: {}, timeoutMs: 10_000, maxBodyBytes: 1_000, mayFollow: () => undefined }
    const answer = await nodeFetch(request, never, { env: name => (name === 'SSL_CERT_FILE' ? secure.authority : undefined), lookup: toHere })
    expect(answer.body).toContain('secure a.example')
  })
  test('a certificate for another name is refused, and so is a file that is not there', async () => {
    await expect(ask('https://b.example/', { ...proxied(), SSL_CERT_FILE: secure.authority })).rejects.toMatchObject({ code: 'no-network', message: expect.stringContaining('is for another name') as string })
    writeFileSync(join(folder, 'x'), '')
    await expect(ask('https://a.example/', { ...proxied(), SSL_CERT_FILE: join(folder, 'absent.pem') })).rejects.toMatchObject({ message: expect.stringContaining('SSL_CERT_FILE') as string })
  })
})
