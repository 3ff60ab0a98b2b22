// Fake registry: an npm registry on loopback with packages made up by a test: their documents, their files, and who asked for what.
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface FakePackage {
  readonly name: string
  readonly version: string
  /** More of its package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
  /** What the registry says besides the manifest, such as `deprecated`. */
  readonly says?: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970. */
  readonly published?: number
}

/** An archive as npm packs it: `package/…` in ustar (POSIX 1003.1), gzipped. */
export function tarball(files: Readonly<Record<string, string>>): Buffer {
  const blocks: Buffer[] = []
  for (const [name, text] of Object.entries(files)) {
    const body = Buffer.from(text)
    const head = Buffer.alloc(512)
    const put = (at: number, value: string): void => void head.write(value, at, 'latin1')
    put(0, `package/${name}`)
    put(100, '0000644\0')
    put(108, '0000000\0')
    put(116, '0000000\0')
    put(124, `${body.length.toString(8).padStart(11, '0')}\0`)
    put(136, '00000000000\0')
    put(148, '        ')
    put(156, '0')
    put(257, 'ustar\x0000')
    put(148, `${head.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `)
    blocks.push(head, body, Buffer.alloc((512 - (body.length % 512)) % 512))
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1_024)]))
}

export interface FakeRegistry {
  readonly url: string
  readonly host: string
  /** `METHOD path user-agent`, in order. */
  readonly asked: string[]
  /** Replaces the file of a package. */
  tamper(name: string, version: string, bytes: Buffer): void
  /** What the question for vulnerabilities is answered. */
  advisories: { status: number; body: string }
  close(): Promise<void>
}

export async function fakeRegistry(packages: readonly FakePackage[]): Promise<FakeRegistry> {
  const files = new Map<string, Buffer>()
  const asked: string[] = []
  let url = ''
  const advisories = { status: 405, body: 'no' }
  const pathOf = (name: string, version: string): string => `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
  for (const { name, version, manifest = {}, files: more = {} } of packages) {
    files.set(pathOf(name, version), tarball({ 'package.json': JSON.stringify({ name, version, main: 'index.js', ...manifest }), 'index.js': `exports.version = '${version}'\n`, ...more }))
  }
  const original = new Map(files)
  const document = (name: string): string | null => {
    const all = packages.filter(each => each.name === name)
    if (all.length === 0) return null
    const versions = Object.fromEntries(all.map(({ version, manifest = {}, says = {} }) => {
      const tarballUrl = `${url}${pathOf(name, version)}`
      return [version, { name, version, ...manifest, ...says, dist: { tarball: tarballUrl, integrity: `sha512-${createHash('sha512').update(original.get(pathOf(name, version))!).digest('base64')}` } }]
    }))
    return JSON.stringify({ name, 'dist-tags': { latest: all.at(-1)!.version }, versions, time: Object.fromEntries(all.map(each => [each.version, new Date(each.published ?? 0).toISOString()])) })
  }
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)
    asked.push(`${request.method} ${path} ${request.headers['user-agent'] ?? ''}`)
    if (path.endsWith('/advisories/bulk')) return void response.writeHead(registry.advisories.status).end(registry.advisories.body)
    const file = files.get(path)
    const body = file ?? document(path.slice(1))
    if (body === null) response.writeHead(404).end('{}')
    else response.writeHead(200, { 'content-type': file === undefined ? 'application/json' : 'application/octet-stream' }).end(body)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  url = `http://127.0.0.1:${port}`
  const registry: FakeRegistry = {
    url, host: `127.0.0.1:${port}`, asked, advisories,
    tamper: (name, version, bytes) => void files.set(pathOf(name, version), bytes),
    close: () => new Promise(done => server.close(() => done())),
  }
  return registry
}
