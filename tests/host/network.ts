// Network: local servers for tests: one that answers, one that is a proxy, one with a certificate of an authority made for the test.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request as httpRequest, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'

export const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

/** Starts to listen on this machine alone. */
export async function listening<Listener extends Server>(server: Listener): Promise<Listener> {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return server
}

export interface ProxyServer {
  readonly port: number
  /** What it was asked, such as `CONNECT a.example:443` or `GET http://a.example/x`. */
  readonly asked: string[]
  readonly headers: IncomingMessage['headers'][]
  close(): void
}

/** A proxy for which every name stands for one port of this machine. */
export async function proxyServer(targetPort: () => number, options: { readonly refuse?: number } = {}): Promise<ProxyServer> {
  const asked: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    headers.push(incoming.headers)
    const { pathname } = new URL(incoming.url ?? '')
    const { 'proxy-authorization': _mine, ...passed } = incoming.headers
    incoming.pipe(httpRequest({ host: '127.0.0.1', port: targetPort(), method: incoming.method, path: pathname, headers: passed }, answer => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    }))
  })
  server.on('connect', (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url}`)
    headers.push(incoming.headers)
    if (options.refuse !== undefined) return void socket.end(`HTTP/1.1 ${options.refuse} No\r\n\r\n`)
    const target = connect(targetPort(), '127.0.0.1', () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'))
    for (const each of [target, socket]) each.on('error', () => { target.destroy(); socket.destroy() })
    target.pipe(socket).pipe(target)
  })
  await listening(server)
  return { port: portOf(server), asked, headers, close: () => { server.closeAllConnections(); server.close() } }
}

/** A server for `name` whose certificate is signed by an authority made here. Needs openssl. */
export async function secureServer(folder: string, name: string, answer: RequestListener): Promise<{ readonly server: Server; readonly authority: string }> {
  const at = (file: string): string => join(folder, file)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', OPENSSL_CONF: at('openssl.cnf') } })
  writeFileSync(at('openssl.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign\n')
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=test authority', '-extensions', 'ca')
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', `/CN=${name}`)
  writeFileSync(at('names.cnf'), `subjectAltName = DNS:${name}\n`)
  openssl('x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-set_serial', '1', '-days', '2', '-extfile', at('names.cnf'), '-out', at('server.pem'))
  const { readFileSync } = await import('node:fs')
  const server = createSecureServer({ key: readFileSync(at('server.key')), cert: readFileSync(at('server.pem')) }, answer)
  await listening(server as unknown as Server)
  return { server: server as unknown as Server, authority: at('ca.pem') }
}

export const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
