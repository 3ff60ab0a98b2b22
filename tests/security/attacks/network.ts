// Attacks by addresses: which machine a request reaches, whatever its address, name or answer says. Names are looked up in a table of ours.
import { createServer, type Server } from 'node:http'
import type { LookupAddress } from 'node:dns'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { type Attack, type Family, stoppedCall, type Stopped } from './attack.ts'
import type { World } from './world.ts'

/** What each name stands for, one answer after the other. */
const names = new Map<string, LookupAddress[][]>()
const lookups: string[] = []

/** The module `node:dns` with a `lookup` that knows these names and no others. */
export function namesInstead(dns: typeof import('node:dns')): object {
  type Done = (error: Error | null, found?: unknown, family?: number) => void
  const lookup = (name: string, options: { all?: boolean }, done: Done): void => {
    lookups.push(name)
    const answers = names.get(name)
    const found = answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0]
    if (found === undefined) done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
    else if (options.all) done(null, found)
    else done(null, found[0]!.address, found[0]!.family)
  }
  return { ...dns, lookup, default: { ...dns, lookup } }
}

const address = (text: string): LookupAddress[] => [{ address: text, family: text.includes(':') ? 6 : 4 }]

class Near {
  readonly hits: string[] = []
  port = 0
  private readonly server: Server = createServer((request, response) => {
    this.hits.push(`${request.headers.host} ${request.url}`)
    const [, what = '', rest = ''] = /^\/(\w+)\/?(.*)$/.exec(request.url ?? '') ?? []
    if (what === 'to') response.writeHead(302, { location: decodeURIComponent(rest) }).end()
    else if (what === 'gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(200_000_000)))
    else if (what === 'brotli') response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(Buffer.alloc(50_000_000)))
    else if (what === 'flood') { const timer = setInterval(() => response.write('x'.repeat(500_000)), 1); response.on('close', () => clearInterval(timer)) }
    else if (what === 'slow') return
    else response.end('secret of this machine')
  })

  async open(): Promise<void> {
    await new Promise<void>(done => this.server.listen(0, '127.0.0.1', done))
    const at = this.server.address()
    this.port = typeof at === 'object' && at !== null ? at.port : 0
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

interface Ask {
  readonly url: (port: number) => string
  readonly grants?: (port: number) => string[]
  readonly options?: { method?: string; headers?: Record<string, string>; timeoutMs?: number }
  /** Requests that may have reached the machine. */
  readonly hits?: number
}

function ask(id: string, tries: string, expected: Stopped, { url, grants = () => ['net("*:*")'], options = {}, hits = 0 }: Ask): Attack {
  return {
    id, tries, by: expected.by, with: expected.with,
    async run(world: World) {
      const near = new Near()
      await near.open()
      try {
        const stopped = await stoppedCall(() => world.may(...grants(near.port)).fetch(url(near.port), options))
        expect(near.hits).toHaveLength(hits)
        return stopped
      } finally {
        near.close()
      }
    },
  }
}

const denied = { by: 'guard', with: 'permit/denied' } as const
const host = (code: string): Stopped => ({ by: 'host', with: code })
const here = (port: number): string[] => [`net("here.test.internal:${port}")`]
const to = (target: string, port: number): string => `http://here.test.internal:${port}/to/${encodeURIComponent(target)}`
const direct = (id: string, tries: string, name: string): Attack => ask(id, `${tries}, under \`net("*:*")\``, denied, { url: port => `http://${name}:${port}/` })
const confused = (id: string, tries: string, url: string): Attack => ask(id, tries, denied, { url: () => url, grants: () => ['net("granted.test:443")', 'net("granted.test:80")'] })

const attacks: readonly Attack[] = [
  direct('loopback', 'reach this machine by 127.0.0.1', '127.0.0.1'),
  direct('loopback-other', 'reach it by another address of the range', '127.9.9.9'),
  direct('loopback-short', 'reach it by 127.1', '127.1'),
  direct('loopback-decimal', 'reach it by a number', '2130706433'),
  direct('loopback-octal', 'reach it in octal', '0177.0.0.1'),
  direct('loopback-hex', 'reach it in hexadecimal', '0x7f.0x0.0x0.0x1'),
  direct('loopback-zero', 'reach it by 0.0.0.0', '0.0.0.0'),
  direct('loopback-fullwidth', 'reach it in fullwidth digits', '１２７.０.０.１'),
  direct('loopback-6', 'reach it by IPv6', '[::1]'),
  direct('loopback-mapped', 'reach it by IPv4 in IPv6', '[::ffff:127.0.0.1]'),
  direct('loopback-compatible', 'reach it by the old form of IPv4 in IPv6', '[::127.0.0.1]'),
  direct('loopback-translated', 'reach it by a translated address', '[64:ff9b::7f00:1]'),
  direct('loopback-6to4', 'reach it by 6to4', '[2002:7f00:1::]'),
  direct('private-10', 'reach a private network', '10.0.0.1'),
  direct('private-172', 'reach another', '172.16.3.4'),
  direct('private-192', 'reach a third', '192.168.1.1'),
  direct('private-6', 'reach a private network of IPv6', '[fd00::1]'),
  direct('shared', 'reach the network of a provider', '100.64.0.1'),
  direct('multicast', 'reach a group', '224.0.0.251'),
  direct('metadata', 'reach the credentials of a cloud', '169.254.169.254'),
  direct('metadata-decimal', 'reach them by a number', '2852039166'),
  direct('metadata-hex', 'reach them in hexadecimal', '0xa9fea9fe'),
  direct('metadata-octal', 'reach them in octal', '0251.0376.0251.0376'),
  direct('metadata-mapped', 'reach them by IPv4 in IPv6', '[::ffff:a9fe:a9fe]'),
  direct('metadata-6', 'reach those of Amazon by IPv6', '[fd00:ec2::254]'),
  direct('metadata-alibaba', 'reach those of Alibaba', '100.100.100.200'),
  direct('metadata-azure', 'reach those of Azure, at a public address', '168.63.129.16'),
  direct('name-to-loopback', 'reach this machine by a public name that stands for it', 'loop.test'),
  direct('name-to-private', 'reach a private network by a public name', 'private.test'),
  direct('name-to-metadata', 'reach the credentials by a public name', 'metadata.test'),
  direct('name-to-both', 'hide a private address behind a public one', 'both.test'),
  ask('local-name-to-metadata', 'reach the credentials by a local name that is granted', denied, { url: port => `http://metadata.test.internal:${port}/`, grants: port => [`net("metadata.test.internal:${port}")`] }),
  ask('redirect-metadata', 'be sent to the credentials by an answer', denied, { url: port => to('http://169.254.169.254/latest/meta-data', port), grants: port => [...here(port), 'net("*:*")'], hits: 1 }),
  ask('redirect-loopback', 'be sent to this machine by an answer', denied, { url: port => to(`http://127.0.0.1:${port}/`, port), grants: here, hits: 1 }),
  ask('redirect-elsewhere', 'be sent to another host', denied, { url: port => to('https://evil.test/', port), grants: here, hits: 1 }),
  ask('redirect-port', 'be sent to another port', denied, { url: port => to(`http://here.test.internal:${port + 1}/`, port), grants: here, hits: 1 }),
  ask('redirect-file', 'be sent to a file', host('refused'), { url: port => to('file:///etc/passwd', port), grants: here, hits: 1 }),
  ask('redirect-loop', 'be sent round in a circle', host('other'), { url: port => to('?', port), grants: here, hits: 11 }),
  {
    id: 'rebinding', tries: 'change what a name stands for between two requests of one call', by: 'guard', with: 'permit/denied',
    async run(world) {
      const near = new Near()
      await near.open()
      names.set('rebind.test.internal', [address('127.0.0.1'), address('169.254.169.254')])
      const stopped = await stoppedCall(() => world.may(`net("rebind.test.internal:${near.port}")`).fetch(`http://rebind.test.internal:${near.port}/to/${encodeURIComponent('/x')}`))
      expect(near.hits).toHaveLength(1)
      near.close()
      return stopped
    },
  },
  {
    id: 'rebinding-within', tries: 'change it between the check and the connection; it is looked up once', by: 'meaning', with: 'one look-up',
    async run(world) {
      const near = new Near()
      await near.open()
      names.set('once.test.internal', [address('127.0.0.1'), address('169.254.169.254')])
      lookups.length = 0
      const { body } = await world.may(`net("once.test.internal:${near.port}")`).fetch(`http://once.test.internal:${near.port}/`)
      near.close()
      expect(body).toBe('secret of this machine')
      return lookups.length === 1 ? { by: 'meaning', with: 'one look-up' } : { by: 'nothing', with: `${lookups.length} look-ups` }
    },
  },
  confused('userinfo', 'hide the host behind a user name', 'https://granted.test@evil.test/'),
  confused('userinfo-port', 'hide it behind a password', 'https://granted.test:443@evil.test/'),
  confused('backslash', 'end the host with a backslash', 'https://evil.test\\@granted.test/'),
  confused('fragment', 'name the granted host in the fragment', 'https://evil.test#@granted.test/'),
  confused('query', 'name it in the query', 'https://evil.test?@granted.test/'),
  confused('below', 'add to the granted host', 'https://granted.test.evil.test/'),
  confused('prefix', 'put something before it', 'https://evilgranted.test/'),
  confused('other-port', 'take another port', 'https://granted.test:8443/'),
  confused('idn', 'write the host with a look-alike letter', 'https://gr\u0430nted.test/'),
  confused('two-schemes', 'name two schemes', 'https://https://granted.test/'),
  ask('tab', 'break the host with a tab, which is dropped', host('no-network'), { url: () => 'https://gran\tted.test/', grants: () => ['net("granted.test:443")'] }),
  ask('scheme-file', 'fetch a file', host('refused'), { url: () => 'file:///etc/passwd' }),
  ask('scheme-ftp', 'speak another protocol', host('refused'), { url: () => 'ftp://granted.test/' }),
  ask('scheme-data', 'fetch what it brought along', host('refused'), { url: () => 'data:text/plain,x' }),
  ask('scheme-gopher', 'write to a service of another kind', host('refused'), { url: port => `gopher://127.0.0.1:${port}/_x` }),
  ask('header-injection', 'end a header and write another', host('other'), { url: port => `http://here.test.internal:${port}/`, grants: here, options: { headers: { X: 'a\r\nHost: evil.test' } } }),
  ask('host-header', 'name another host in a header', host('refused'), { url: port => `http://here.test.internal:${port}/`, grants: here, options: { headers: { Host: 'evil.test' } } }),
  ask('smuggling', 'smuggle a second request', host('refused'), { url: port => `http://here.test.internal:${port}/`, grants: here, options: { headers: { 'Transfer-Encoding': 'chunked' } } }),
  ask('connect', 'open a tunnel', host('refused'), { url: port => `http://here.test.internal:${port}/`, grants: here, options: { method: 'CONNECT' } }),
  ask('trace', 'have the request echoed with its keys', host('refused'), { url: port => `http://here.test.internal:${port}/`, grants: here, options: { method: 'TRACE' } }),
  ask('method-injection', 'write a request into the method', host('refused'), { url: port => `http://here.test.internal:${port}/`, grants: here, options: { method: 'GET / HTTP/1.1\r\nX' } }),
  ask('gzip-bomb', 'answer 200 KB that become 200 MB', host('too-large'), { url: port => `http://here.test.internal:${port}/gzip`, grants: here, hits: 1 }),
  ask('brotli-bomb', 'answer a few bytes that become 50 MB', host('too-large'), { url: port => `http://here.test.internal:${port}/brotli`, grants: here, hits: 1 }),
  ask('flood', 'answer without end', host('too-large'), { url: port => `http://here.test.internal:${port}/flood`, grants: here, hits: 1 }),
  ask('slow', 'never answer', host('timed-out'), { url: port => `http://here.test.internal:${port}/slow`, grants: here, options: { timeoutMs: 300 }, hits: 1 }),
]

for (const [name, at] of [['loop.test', '127.0.0.1'], ['private.test', '10.0.0.7'], ['metadata.test', '169.254.169.254'], ['metadata.test.internal', '169.254.169.254'], ['here.test.internal', '127.0.0.1']] as const) names.set(name, [address(at)])
names.set('both.test', [[...address('8.8.8.8'), ...address('127.0.0.1')]])

export const networkAttacks: Family = { name: 'Network', about: 'Requests of a tool. `here.test.internal` is a local name that is granted and stands for this machine; `granted.test` is granted.', attacks }
